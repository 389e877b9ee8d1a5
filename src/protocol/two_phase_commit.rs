//! A sink subtask's side of two-phase commit: pre-commit at the barrier, commit on completion.
//!
//! After Flink's `TwoPhaseCommitSinkFunction` and `CommitterOperator`.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::defect::{Defect, DefectSet};
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

/// How far a prepared transaction has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// Its checkpoint is not known to have completed.
    Prepared,
    /// The target was asked to commit it, and has not confirmed.
    Requested,
}

/// A transaction that the target holds prepared, as far as the sink knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Committable {
    checkpoint: CheckpointId,
    transaction: TransactionId,
    progress: Progress,
}

/// Decides which transaction takes the records, and when one becomes visible.
#[derive(Clone, Debug)]
pub struct TwoPhaseCommit {
    open: TransactionId,
    /// Oldest first. There is no bound to enforce: what is prepared may belong to a completed
    /// checkpoint whose notification was lost, so none may ever be dropped. One more a checkpoint.
    committables: VecDeque<Committable>,
    outputs: VecDeque<CommitOutput>,
    defects: DefectSet,
}

impl TwoPhaseCommit {
    /// A sink that starts in `attempt` with `restored`: what its snapshot held prepared, each to be
    /// committed again, since restoring a checkpoint implies that it completed. After a rescale they may
    /// be those of sinks that are gone.
    #[must_use]
    pub fn new(
        sink: SubtaskId,
        attempt: Attempt,
        restored: Vec<(CheckpointId, TransactionId)>,
        defects: DefectSet,
    ) -> Self {
        let mut commit = Self {
            open: TransactionId { sink, attempt, number: 0 },
            committables: VecDeque::new(),
            outputs: VecDeque::from([CommitOutput::Fence]),
            defects,
        };
        if !defects.has(Defect::RestoredCommittablesDropped) {
            commit.restore(restored);
        }
        commit
    }

    /// The transaction that takes what is written now.
    #[must_use]
    pub fn open(&self) -> TransactionId {
        self.open
    }

    /// The cut of `checkpoint` is here: what was written before belongs to it. Opens the next transaction.
    pub fn handle_barrier(&mut self, checkpoint: CheckpointId) {
        let newest = self.committables.back().map(|newest| newest.checkpoint);
        assert!(newest < Some(checkpoint), "{checkpoint} is pre-committed after {newest:?}");
        let transaction = self.open;
        self.open.number += 1;
        let progress = Progress::Prepared;
        self.committables.push_back(Committable { checkpoint, transaction, progress });
        self.outputs.push_back(CommitOutput::PreCommit { transaction, checkpoint });
        if self.defects.has(Defect::CommitAtPreCommit) {
            self.request(|committable| committable.checkpoint == checkpoint);
        }
    }

    /// `checkpoint` completed: everything prepared for it *or an earlier one* is committed.
    ///
    /// An earlier one may have completed without this sink hearing of it, or have been aborted: then
    /// its records are part of the cut of the next that completes.
    pub fn handle_completed(&mut self, checkpoint: CheckpointId) {
        if self.defects.has(Defect::LostNotificationNeverCommitted) {
            return self.request(|committable| committable.checkpoint == checkpoint);
        }
        self.request(|committable| committable.checkpoint <= checkpoint);
    }

    /// The target confirmed the commit.
    pub fn handle_committed(&mut self, transaction: TransactionId) {
        self.committables.retain(|committable| committable.transaction != transaction);
    }

    /// Prepared and not known to be committed, oldest first: what a snapshot must hold.
    pub fn uncommitted(&self) -> impl Iterator<Item = (CheckpointId, TransactionId)> + '_ {
        self.committables
            .iter()
            .map(|committable| (committable.checkpoint, committable.transaction))
    }

    /// What to do next, if anything.
    pub fn poll_output(&mut self) -> Option<CommitOutput> {
        self.outputs.pop_front()
    }

    /// A transaction is in a restored snapshot, so its checkpoint completed: a commit requested by the
    /// attempt before may never have arrived. The target takes the repetition as a confirmation.
    fn restore(&mut self, mut restored: Vec<(CheckpointId, TransactionId)>) {
        restored.sort_unstable();
        for (checkpoint, transaction) in restored {
            assert!(
                transaction.attempt < self.open.attempt,
                "{transaction} is of an older attempt"
            );
            let progress = Progress::Prepared;
            self.committables.push_back(Committable { checkpoint, transaction, progress });
        }
        self.request(|_| true);
    }

    /// Asks the target, once in this attempt, to commit those chosen.
    fn request(&mut self, chosen: impl Fn(&Committable) -> bool) {
        for committable in self.committables.iter_mut().filter(|committable| chosen(committable)) {
            match committable.progress {
                Progress::Prepared => committable.progress = Progress::Requested,
                Progress::Requested => continue,
            }
            let Committable { checkpoint, transaction, progress: _ } = *committable;
            self.outputs.push_back(CommitOutput::Commit { transaction, checkpoint });
        }
    }
}

#[cfg(test)]
mod tests;
