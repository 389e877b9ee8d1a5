//! How a checkpoint fails, and how many failures in a row an attempt survives (Flink:
//! `CheckpointFailureManager`).

use super::{CheckpointCoordinator, Job};
use crate::abort::AbortReason;
use crate::coordinator_output::CoordinatorOutput;
use crate::ids::{Attempt, CheckpointId};
use crate::pending::PendingCheckpoint;
use crate::savepoint::CheckpointKind;
use crate::time::VirtualTime;
use alloc::vec::Vec;

impl CheckpointCoordinator {
    /// The pending checkpoints chosen, but the one being added.
    pub(super) fn abortable(&self, chosen: impl Fn(CheckpointId) -> bool) -> Vec<CheckpointId> {
        let abortable = self.pending.iter().filter(|(_, pending)| !pending.is_adding());
        abortable.map(|(checkpoint, _)| *checkpoint).filter(|id| chosen(*id)).collect()
    }

    pub(super) fn abort(
        &mut self,
        now: VirtualTime,
        checkpoint: CheckpointId,
        reason: AbortReason,
    ) {
        let pending = self.take_abortable(checkpoint);
        self.give_up(now, checkpoint, &pending, reason);
    }

    /// A subtask cannot take part, although nothing failed: this does not count as a failure (Flink:
    /// `CHECKPOINT_DECLINED_SUBSUMED`).
    pub(super) fn pass_over(&mut self, now: VirtualTime, checkpoint: CheckpointId) {
        let pending = self.take_abortable(checkpoint);
        self.discard(now, checkpoint, &pending, AbortReason::Declined);
        if let CheckpointKind::Savepoint(request) = pending.kind {
            self.fail_savepoint(now, pending.attempt, request);
        }
    }

    fn take_abortable(&mut self, checkpoint: CheckpointId) -> PendingCheckpoint {
        let Some(pending) = self.pending.remove(&checkpoint) else {
            unreachable!("{checkpoint} is aborted but not pending");
        };
        assert!(!pending.is_adding(), "{checkpoint} is aborted while its outcome is not known");
        pending
    }

    /// The pending checkpoints that do not complete once a newer one has; savepoints do.
    pub(super) fn subsumed_by(&self, checkpoint: CheckpointId) -> Vec<CheckpointId> {
        let mut older = self.abortable(|other| other < checkpoint);
        older.retain(|other| self.pending[other].kind == CheckpointKind::Periodic);
        older
    }

    /// The job is over: nothing that is pending will be taken, and nothing is triggered any more.
    pub(super) fn end_job(&mut self, now: VirtualTime) {
        for checkpoint in self.abortable(|_| true) {
            self.abort(now, checkpoint, AbortReason::JobOver);
        }
        self.job = Job::Stopped;
        self.schedule.stop();
        self.wanted.clear();
    }

    /// The checkpoint will never complete, and that may say something about the running attempt.
    pub(super) fn give_up(
        &mut self,
        now: VirtualTime,
        checkpoint: CheckpointId,
        pending: &PendingCheckpoint,
        reason: AbortReason,
    ) {
        self.discard(now, checkpoint, pending, reason);
        match pending.kind {
            // Nothing goes on that it could be an obstacle to.
            CheckpointKind::Savepoint(_) if reason == AbortReason::JobOver => {}
            CheckpointKind::Savepoint(request) => {
                self.fail_savepoint(now, pending.attempt, request);
            }
            CheckpointKind::Periodic => self.count_failure(pending.attempt, reason),
        }
    }

    /// Everybody forgets the checkpoint, and its snapshots go.
    fn discard(
        &mut self,
        now: VirtualTime,
        checkpoint: CheckpointId,
        pending: &PendingCheckpoint,
        reason: AbortReason,
    ) {
        let (attempt, snapshots) = (pending.attempt, pending.handles());
        self.outputs.push_back(CoordinatorOutput::Aborted { checkpoint, reason });
        if self.is_current(attempt) {
            self.outputs.push_back(CoordinatorOutput::NotifyAborted(checkpoint));
        }
        if !snapshots.is_empty() {
            self.outputs.push_back(CoordinatorOutput::DeleteSnapshots(snapshots));
        }
        self.schedule.handle_ended(now);
    }

    /// Failures in a row count, each checkpoint once (it leaves `pending` when it fails), and only
    /// those that say something about the running attempt (Flink: `CheckpointFailureManager`).
    pub(super) fn count_failure(&mut self, of: Attempt, reason: AbortReason) {
        match reason {
            AbortReason::Declined | AbortReason::Expired | AbortReason::FinalizationFailed => {}
            AbortReason::AttemptFailed | AbortReason::Subsumed | AbortReason::JobOver => return,
        }
        match &mut self.job {
            Job::Running { attempt, failures, .. } if *attempt == of => {
                *failures += 1;
                // Said once an attempt: its end is under way then.
                if *failures == self.settings.failures_tolerated.saturating_add(1) {
                    self.outputs.push_back(CoordinatorOutput::FailAttempt);
                }
            }
            Job::Running { .. } | Job::Stopped => {}
        }
    }
}
