//! A sink subtask's part in checkpoints: what it prepares at a cut, and when that counts.

use crate::defect::DefectSet;
use crate::ids::{Attempt, CheckpointId, SubtaskId, TransactionId};
use crate::ordered::VecMap;
use crate::two_phase_commit::TwoPhaseCommit;
use alloc::vec::Vec;

/// A sink's transactions, and its pre-commits under way.
#[derive(Clone, Debug)]
pub(super) struct SinkSide {
    /// Pre-commits under way, and whether each was confirmed. A snapshot holds what all earlier ones
    /// prepared: none is durable before they are.
    pre_commits: VecMap<CheckpointId, bool>,
    pub delivery: Delivery,
}

/// When records become visible.
#[derive(Clone, Debug)]
pub(super) enum Delivery {
    /// When their checkpoint completes.
    Transactional(TwoPhaseCommit),
    /// At once, under the name of this producer.
    AtLeastOnce(TransactionId),
}

impl SinkSide {
    /// A sink whose transactions become visible when their checkpoints complete. `restored`: what its snapshot
    /// held prepared.
    pub fn transactional(
        sink: SubtaskId,
        attempt: Attempt,
        restored: Vec<(CheckpointId, TransactionId)>,
        defects: DefectSet,
    ) -> Self {
        let commit = TwoPhaseCommit::new(sink, attempt, restored, defects);
        Self { pre_commits: VecMap::new(), delivery: Delivery::Transactional(commit) }
    }

    /// A sink whose records are visible at once.
    pub fn at_least_once(sink: SubtaskId, attempt: Attempt) -> Self {
        let producer = TransactionId { sink, attempt, number: 0 };
        Self { pre_commits: VecMap::new(), delivery: Delivery::AtLeastOnce(producer) }
    }

    /// What takes the records that are written now.
    pub fn open(&self) -> TransactionId {
        match &self.delivery {
            Delivery::Transactional(commit) => commit.open(),
            Delivery::AtLeastOnce(producer) => *producer,
        }
    }

    /// Its two-phase commit, where it has one.
    pub fn commit(&mut self) -> Option<&mut TwoPhaseCommit> {
        match &mut self.delivery {
            Delivery::Transactional(commit) => Some(commit),
            Delivery::AtLeastOnce(_) => None,
        }
    }

    /// Prepared and not known to be committed, oldest first.
    pub fn uncommitted(&self) -> Vec<(CheckpointId, TransactionId)> {
        match &self.delivery {
            Delivery::Transactional(commit) => commit.uncommitted().collect(),
            Delivery::AtLeastOnce(_) => Vec::new(),
        }
    }

    /// The cut of `checkpoint` is here: its pre-commit is awaited.
    pub fn await_pre_commit(&mut self, checkpoint: CheckpointId) {
        self.pre_commits.insert(checkpoint, false);
    }

    /// A pre-commit was confirmed.
    pub fn confirm(&mut self, checkpoint: CheckpointId) {
        if let Some(confirmed) = self.pre_commits.get_mut(&checkpoint) {
            *confirmed = true;
        }
    }

    /// The next pre-commit that counts: it was confirmed, and so were all before it.
    pub fn next_confirmed(&mut self) -> Option<CheckpointId> {
        self.pre_commits.pop_first_if(|_, confirmed| *confirmed).map(|(checkpoint, _)| checkpoint)
    }
}
