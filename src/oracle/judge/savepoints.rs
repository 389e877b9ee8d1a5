//! Savepoints, and the stop and the resumption of jobs at them.

use super::Judge;
use super::concern::forgotten;
use crate::oracle::shape::Scene;
use crate::protocol::{CheckpointId, SavepointMode};
use crate::trace::{Event, Stamp};

impl Judge {
    pub(super) fn observe_savepoint(&mut self, stamp: Stamp, event: &Event) {
        if self.is_of_deposed(event) {
            return self.observe_deposed(event);
        }
        let scene = scene!(self, stamp);
        match event {
            Event::SavepointTriggered { attempt, checkpoint, mode } => {
                self.lifecycle.handle_savepoint_triggered(scene, *attempt, *checkpoint);
                self.liveness.handle_triggered(*checkpoint);
                self.cut.handle_savepoint_triggered(*checkpoint);
                self.splits.handle_triggered(*checkpoint);
                self.durability.handle_savepoint_triggered(*checkpoint);
                self.termination.handle_triggered(scene, *attempt, *checkpoint, *mode);
            }
            Event::SavepointCompleted { checkpoint, mode, .. } => {
                let is_news = self.lifecycle.handle_savepoint_completed(scene, *checkpoint, *mode);
                if is_news {
                    self.complete_savepoint(stamp, *checkpoint, *mode);
                }
            }
            Event::JobStopped { checkpoint, clean, .. } => {
                self.stop(stamp, *checkpoint, *clean);
            }
            Event::JobResumed { .. } => {
                self.termination.handle_resumed();
                self.liveness.handle_resumed(stamp.at);
            }
            _ => forgotten(event),
        }
    }

    /// Its cut is judged like that of any checkpoint. One that the job is over with is what recovery goes
    /// back to; any other is none of its business.
    fn complete_savepoint(&mut self, stamp: Stamp, checkpoint: CheckpointId, mode: SavepointMode) {
        let scene = scene!(self, stamp);
        self.durability.handle_savepoint(scene, checkpoint, mode.is_terminal());
        self.cut.handle_savepoint_completed(scene, checkpoint);
        self.conservation.handle_completed(scene, checkpoint);
        self.splits.handle_settled(checkpoint);
        if mode.is_terminal() {
            self.settle_completed(stamp, checkpoint);
            self.termination.handle_completed(checkpoint);
        } else {
            self.liveness.handle_aborted(scene, checkpoint);
        }
    }

    /// A coordinator that finds its job stopped tells of a savepoint whose predecessor may not have.
    fn stop(&mut self, stamp: Stamp, checkpoint: CheckpointId, clean: bool) {
        if self.lifecycle.is_silently_completed(checkpoint) {
            self.lifecycle.complete_silently(checkpoint);
            self.complete_savepoint(stamp, checkpoint, SavepointMode::Stop);
        }
        let scene = scene!(self, stamp);
        self.termination.handle_stopped(scene, checkpoint, clean);
        self.liveness.handle_stopped(stamp.at);
        self.splits.handle_over();
        if clean {
            self.order.handle_stopped(scene);
        }
    }
}
