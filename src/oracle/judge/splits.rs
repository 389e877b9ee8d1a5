//! What readers and enumerators say to each other.

use super::Judge;
use super::concern::forgotten;
use crate::oracle::shape::Scene;
use crate::trace::{Event, Stamp};

impl Judge {
    /// Of the attempt that counts alone: a coordinator that was deposed speaks to readers that are given up.
    pub(super) fn observe_splits(&mut self, stamp: Stamp, event: &Event) {
        match event {
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
                    let scene = scene!(self, stamp);
                    self.splits.handle_enumerator_restored(scene, *operator, unassigned);
                }
            }
            _ => forgotten(event),
        }
    }
}
