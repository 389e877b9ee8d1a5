//! A checkpoint from its trigger until it is in the store or given up.

use super::acknowledgement::Acknowledgement;
use super::completed::{CompletedCheckpoint, SnapshotHandle};
use super::defect::{Defect, DefectSet};
use super::ids::{Attempt, CheckpointId, ObjectKey, SubtaskId};
use super::savepoint::CheckpointKind;
use super::time::VirtualTime;
use crate::ordered::{VecMap, VecSet};
use alloc::vec::Vec;

/// A checkpoint that may still complete.
#[derive(Clone, Debug)]
pub struct PendingCheckpoint {
    /// The attempt that it was triggered in.
    pub attempt: Attempt,
    /// It expires then, unless its addition to the store is under way.
    pub expires_at: VirtualTime,
    /// Why it is taken.
    pub kind: CheckpointKind,
    /// How far it has come.
    pub phase: PendingPhase,
}

/// How far a pending checkpoint has come; each phase leads to the next, or to an abort.
#[derive(Clone, Debug)]
pub enum PendingPhase {
    /// Acknowledgements are collected.
    Collecting(Collection),
    /// All have acknowledged; the metadata object is being written.
    WritingMetadata(CompletedCheckpoint),
    /// The metadata is durable; another checkpoint is being added first.
    AwaitingStore(CompletedCheckpoint),
    /// Its addition to the store is under way. Nothing may abort it now: whether it is in the store is
    /// not known, and only the outcome tells (Flink: `PossibleInconsistentStateException`).
    Adding(CompletedCheckpoint),
}

/// The acknowledgements of one checkpoint.
#[derive(Clone, Debug)]
pub struct Collection {
    /// Those that have not acknowledged; disjoint from the keys of `acknowledged`.
    awaited: VecSet<SubtaskId>,
    /// The acknowledgement of each that has.
    acknowledged: VecMap<SubtaskId, Acknowledgement>,
    /// How many acknowledgements were counted; the size of `acknowledged` in a correct coordinator.
    counted: usize,
}

impl Collection {
    /// Nothing acknowledged yet, by any of `subtasks`.
    #[must_use]
    pub fn new(subtasks: &[SubtaskId]) -> Self {
        let awaited: VecSet<_> = subtasks.iter().copied().collect();
        assert!(awaited.len() == subtasks.len(), "a subtask is listed twice");
        Self { awaited, acknowledged: VecMap::new(), counted: 0 }
    }

    /// Counts the acknowledgement if it is the first of a subtask of this checkpoint. Tells whether it did.
    pub fn count(&mut self, acknowledgement: &Acknowledgement, defects: DefectSet) -> bool {
        let subtask = acknowledgement.handle.subtask;
        let duplicate = self.acknowledged.contains_key(&subtask);
        if self.awaited.remove(&subtask) {
            self.acknowledged.insert(subtask, acknowledgement.clone());
        } else if !(duplicate && defects.has(Defect::DuplicateAcknowledgementCounted)) {
            return false;
        }
        self.counted += 1;
        debug_assert!(self.counted >= self.acknowledged.len(), "each one kept was counted");
        true
    }

    /// Whether all have acknowledged.
    #[must_use]
    pub fn is_complete(&self, defects: DefectSet) -> bool {
        let expected = self.awaited.len() + self.acknowledged.len();
        debug_assert!(
            self.counted == self.acknowledged.len()
                || defects.has(Defect::DuplicateAcknowledgementCounted),
            "what is counted is what is kept"
        );
        self.counted >= expected
    }

    /// The checkpoint as its metadata describes it.
    #[must_use]
    pub fn assemble(&self, checkpoint: CheckpointId, attempt: Attempt) -> CompletedCheckpoint {
        let terminal = self.acknowledged.values().all(|acknowledged| acknowledged.terminal);
        let quiet = self.acknowledged.iter().filter(|(_, acknowledged)| acknowledged.quiet);
        let quiet = quiet.map(|(subtask, _)| *subtask).collect();
        CompletedCheckpoint { checkpoint, attempt, snapshots: self.handles(), terminal, quiet }
    }

    fn handles(&self) -> Vec<SnapshotHandle> {
        self.acknowledged.values().map(|acknowledged| acknowledged.handle).collect()
    }
}

impl PendingCheckpoint {
    /// Whether its addition to the store is under way.
    #[must_use]
    pub fn is_adding(&self) -> bool {
        match self.phase {
            PendingPhase::Adding(_) => true,
            PendingPhase::Collecting(_)
            | PendingPhase::WritingMetadata(_)
            | PendingPhase::AwaitingStore(_) => false,
        }
    }

    /// Whether its metadata is being written.
    #[must_use]
    pub fn is_writing(&self) -> bool {
        match self.phase {
            PendingPhase::WritingMetadata(_) => true,
            PendingPhase::Collecting(_)
            | PendingPhase::AwaitingStore(_)
            | PendingPhase::Adding(_) => false,
        }
    }

    /// The snapshots that were acknowledged for it, in subtask order.
    #[must_use]
    pub fn handles(&self) -> Vec<SnapshotHandle> {
        match &self.phase {
            PendingPhase::Collecting(collection) => collection.handles(),
            PendingPhase::WritingMetadata(completed)
            | PendingPhase::AwaitingStore(completed)
            | PendingPhase::Adding(completed) => completed.snapshots.clone(),
        }
    }

    /// Whether it refers to this object.
    #[must_use]
    pub fn refers_to(&self, key: ObjectKey) -> bool {
        self.handles().iter().any(|handle| handle.key == key)
    }
}
