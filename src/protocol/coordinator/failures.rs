//! Checkpoints that fail in a row fail the attempt.

use super::{CheckpointCoordinator, Job};
use crate::protocol::abort::AbortReason;
use crate::protocol::coordinator_output::CoordinatorOutput;
use crate::protocol::ids::Attempt;

impl CheckpointCoordinator {
    /// Failures in a row count, each checkpoint once (it leaves `pending` when it fails), and only
    /// those that say something about the running attempt (Flink: `CheckpointFailureManager`).
    pub(super) fn count_failure(&mut self, of: Attempt, reason: AbortReason) {
        match reason {
            AbortReason::Declined | AbortReason::Expired | AbortReason::FinalizationFailed => {}
            AbortReason::AttemptFailed | AbortReason::Subsumed => return,
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
