//! The beginning of an attempt, and the shape that it has.

use super::Judge;
use super::concern::forgotten;
use crate::oracle::kind::Kind;
use crate::oracle::shape::Scene;
use crate::protocol::{Attempt, CheckpointId, Term};
use crate::trace::{Event, Stamp};

impl Judge {
    pub(super) fn observe_rescale(&mut self, stamp: Stamp, event: &Event) {
        match event {
            Event::RescaleRequested { checkpoint_first, .. } => {
                self.ownership.handle_requested(*checkpoint_first);
            }
            Event::RescaleStarted { newest, .. } => {
                self.causes.handle_rescale();
                self.ownership.handle_rescale_started(scene!(self, stamp), *newest);
            }
            Event::Reshaped { attempt, topology, .. } => {
                self.reshaped = Some((*attempt, topology.clone()));
            }
            _ => forgotten(event),
        }
    }

    pub(super) fn start_attempt(
        &mut self,
        stamp: Stamp,
        attempt: Attempt,
        term: Term,
        restored: Option<CheckpointId>,
    ) {
        if let Some(checkpoint) = restored
            && self.lifecycle.is_silently_completed(checkpoint)
        {
            self.lifecycle.complete_silently(checkpoint);
            self.complete(stamp, checkpoint);
        }
        let scene = scene!(self, stamp);
        if !self.recovery.handle_attempt_started(scene, attempt, term, restored) {
            return;
        }
        self.attempt = Some(attempt);
        self.is_orphaned = false;
        let is_reshaped = self.reshape(stamp, attempt);
        let scene = scene!(self, stamp);
        self.causes.handle_attempt_started();
        self.conservation.handle_attempt_started();
        self.durability.handle_attempt_started();
        self.cut.handle_attempt_started(scene);
        self.lifecycle.handle_attempt_started(scene);
        self.liveness.handle_attempt_started(scene);
        self.order.handle_attempt_started(scene);
        self.output.handle_attempt_started(attempt, stamp.at);
        self.ownership.handle_attempt_started(restored);
        self.splits.handle_attempt_started(restored);
        self.state.handle_attempt_started(scene, restored);
        self.event_time.handle_attempt_started(scene, restored);
        self.stopped_world.handle_attempt_started(scene);
        self.termination.handle_attempt_started(scene, attempt);
        self.vector_clock.handle_attempt_started(scene, is_reshaped);
    }

    /// The attempt has the shape that was told of it; whether it is another than before.
    fn reshape(&mut self, stamp: Stamp, attempt: Attempt) -> bool {
        let Some((of, topology)) = self.reshaped.take() else { return false };
        if of != attempt {
            return false;
        }
        self.shape.reshape(attempt, &topology).unwrap_or_else(|text| {
            self.report(stamp, Kind::UnknownEntity, text);
            false
        })
    }

    /// Nothing is left to do: what was owed by then is judged.
    pub(super) fn finish_job(&mut self, stamp: Stamp) {
        let scene = scene!(self, stamp);
        self.order.handle_finished(scene);
        self.splits.handle_finished(scene);
        self.state.handle_finished(scene);
        self.event_time.handle_finished(scene);
        self.output.handle_finished(scene);
        self.durability.handle_finished(scene);
        self.causes.handle_finished(scene);
        self.liveness.handle_finished(scene);
    }
}
