//! Splits that no reader holds any more: all of them was read, and a completed checkpoint holds that.

use std::collections::BTreeSet;

use super::{Saved, Split, StateOracle};
use crate::oracle::kind::Kind;
use crate::oracle::shape::Scene;
use crate::oracle::verdict::Violation;
use crate::protocol::{CheckpointId, SplitId, SubtaskId};

impl StateOracle {
    /// An enumerator froze what it has discovered: its part of the cut.
    pub fn handle_known(&mut self, scene: &Scene, checkpoint: CheckpointId, known: &[SplitId]) {
        let saved = self.saved(scene, checkpoint);
        saved.known.get_or_insert_default().extend(known);
    }

    /// An enumerator has learned of a split.
    pub fn handle_discovered(&mut self, split: SplitId) {
        if let Some(split) = self.splits.get_mut(split.index()) {
            split.is_discovered = true;
            split.is_known = true;
        }
    }

    /// An enumerator has these as the attempt starts.
    pub fn handle_unassigned(&mut self, unassigned: &[SplitId]) {
        for split in unassigned {
            if let Some(split) = self.splits.get_mut(split.index()) {
                split.is_known = true;
            }
        }
    }

    /// A reader lets go of a split: a completed checkpoint must hold that all of it was read.
    pub fn handle_released(
        &mut self,
        scene: &mut Scene,
        subtask: SubtaskId,
        checkpoint: CheckpointId,
        id: SplitId,
    ) {
        let Some(split) = self.splits.get_mut(id.index()) else { return };
        split.reader = None;
        let length = scene.shape.split_lengths[id.index()];
        if split.released < length {
            let (name, released) = (scene.name(subtask), split.released);
            let text = format!(
                "{name} let go of {id} for {checkpoint}, but the completed checkpoints only reach {released} of \
                 its {length} entries"
            );
            let violation = Violation::new(Kind::SplitReleasedEarly, text);
            scene.report(violation.of(checkpoint).by(subtask));
        }
    }
}

impl Saved {
    /// What readers had let go of before the cut stays read.
    pub(super) fn restore_released(&self, scene: &Scene, splits: &mut [Split]) {
        let held: BTreeSet<SplitId> = self.positions().map(|position| position.split).collect();
        let lengths = (0..).map(SplitId).zip(&scene.shape.split_lengths);
        for ((id, length), split) in lengths.zip(splits) {
            let is_over = split.released >= *length && split.is_discovered;
            if is_over && !held.contains(&id) && !self.unassigned.contains(&id) {
                split.next = *length;
            }
        }
    }

    /// Whether this split may be nobody's: nobody knew of it at the cut, or a completed checkpoint holds that all of
    /// it was read. Only what is discovered comes up while a job runs: all else is known from the start.
    pub(super) fn may_lack(&self, scene: &Scene, index: usize, split: Split) -> bool {
        let Some(known) = &self.known else { return false };
        let length = scene.shape.split_lengths.get(index).copied();
        let was_known = known.iter().any(|known| known.index() == index);
        let is_new = !was_known && (split.is_discovered || !split.is_known);
        is_new || length.is_some_and(|length| split.released >= length)
    }
}
