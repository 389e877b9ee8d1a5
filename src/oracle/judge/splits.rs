//! What readers and enumerators say to each other.

use super::Judge;
use super::concern::forgotten;
use crate::oracle::shape::Scene;
use crate::trace::{Event, Stamp};

impl Judge {
    /// Of the attempt that counts alone. A coordinator that was deposed speaks to its readers until its successor gives
    /// them up, so that what it discovers and assigns counts in that attempt; cuts that it begins count for nothing.
    pub(super) fn observe_splits(&mut self, stamp: Stamp, event: &Event) {
        match event {
            Event::SplitAppeared { split } => self.splits.handle_appeared(stamp.at, *split),
            Event::SplitRemoved { split } => self.splits.handle_removed(*split),
            Event::SplitDiscovered { operator, attempt, split } => {
                if self.attempt == Some(*attempt) {
                    self.state.handle_discovered(*split);
                    self.splits.handle_discovered(scene!(self, stamp), *operator, *split);
                }
            }
            Event::SplitsKnown { operator, attempt, checkpoint, known } => {
                if self.attempt == Some(*attempt) && !self.is_of_deposed(event) {
                    let scene = scene!(self, stamp);
                    self.state.handle_known(scene, *checkpoint, known);
                    self.splits.handle_known(scene, *operator, *checkpoint, known);
                }
            }
            Event::SplitReleased { subtask, attempt, checkpoint, split } => {
                if self.counts_in(stamp, *subtask, *attempt) {
                    let scene = scene!(self, stamp);
                    self.state.handle_released(scene, *subtask, *checkpoint, *split);
                    self.splits.handle_released(scene, *subtask, *split);
                }
            }
            Event::SplitAssigned { subtask, attempt, split } => {
                if self.counts_in(stamp, *subtask, *attempt) {
                    self.splits.handle_assigned(scene!(self, stamp), *subtask, *split);
                }
            }
            Event::SplitAccepted { subtask, attempt, split, .. } => {
                if self.counts_in(stamp, *subtask, *attempt) {
                    self.splits.handle_accepted(scene!(self, stamp), *subtask, *split);
                }
            }
            Event::EnumeratorSnapshot { operator, attempt, checkpoint, unassigned } => {
                if self.attempt == Some(*attempt) && self.is_of_deposed(event) {
                    self.splits.handle_deposed_snapshot(*operator, *checkpoint);
                } else if self.attempt == Some(*attempt) {
                    let scene = scene!(self, stamp);
                    self.state.handle_enumerator(scene, *checkpoint, unassigned);
                    self.splits.handle_enumerator_snapshot(
                        scene,
                        *operator,
                        *checkpoint,
                        unassigned,
                    );
                }
            }
            Event::EnumeratorRestored { operator, attempt, unassigned } => {
                if self.attempt == Some(*attempt) {
                    self.state.handle_unassigned(unassigned);
                    let scene = scene!(self, stamp);
                    self.splits.handle_enumerator_restored(scene, *operator, unassigned);
                }
            }
            _ => forgotten(event),
        }
    }
}
