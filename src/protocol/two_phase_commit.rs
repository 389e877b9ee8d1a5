//! A sink subtask's side of two-phase commit: pre-commit at the barrier, commit on completion.

use super::defect::DefectSet;
use super::ids::{Attempt, CheckpointId, SubtaskId, TransactionId};

/// What a sink must do with its transactions, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitOutput {
    /// Flush what is buffered into the transaction; then prepare it, on behalf of the checkpoint.
    PreCommit {
        /// The open transaction.
        transaction: TransactionId,
        /// Its checkpoint.
        checkpoint: CheckpointId,
    },
    /// Make the prepared transaction visible; repeat until the target confirms.
    Commit {
        /// The prepared transaction.
        transaction: TransactionId,
        /// The checkpoint it was prepared for.
        checkpoint: CheckpointId,
    },
    /// Refuse older producers of this sink, and abort every transaction of theirs but those to commit.
    Fence,
}

/// TODO(H2)
#[derive(Clone, Debug)]
pub struct TwoPhaseCommit {}

impl TwoPhaseCommit {
    /// A sink that starts in `attempt` with `restored`: what its snapshot held prepared, each to be
    /// committed again, since restoring a checkpoint implies that it completed.
    #[must_use]
    pub fn new(
        sink: SubtaskId,
        attempt: Attempt,
        restored: Vec<(CheckpointId, TransactionId)>,
        defects: DefectSet,
    ) -> Self {
        let _ = (sink, attempt, restored, defects);
        panic!("stub")
    }

    /// The transaction that takes what is written now.
    #[must_use]
    pub fn open(&self) -> TransactionId {
        panic!("stub")
    }

    /// The cut of `checkpoint` is here: what was written before belongs to it. Opens the next transaction.
    pub fn handle_barrier(&mut self, checkpoint: CheckpointId) {
        let _ = checkpoint;
        panic!("stub")
    }

    /// `checkpoint` completed: everything prepared for it *or an earlier one* is committed.
    pub fn handle_completed(&mut self, checkpoint: CheckpointId) {
        let _ = checkpoint;
        panic!("stub")
    }

    /// The target confirmed the commit.
    pub fn handle_committed(&mut self, transaction: TransactionId) {
        let _ = transaction;
        panic!("stub")
    }

    /// Prepared and not known to be committed, oldest first: what a snapshot must hold.
    pub fn uncommitted(&self) -> impl Iterator<Item = (CheckpointId, TransactionId)> + '_ {
        std::iter::empty()
    }

    /// What to do next, if anything.
    pub fn poll_output(&mut self) -> Option<CommitOutput> {
        panic!("stub")
    }
}
