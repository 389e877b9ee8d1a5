//! Timers of sinks that speak with an external system.

use super::super::process::{Outbox, Timer};
use super::super::task::{Env, Task};
use super::Worker;
use crate::protocol::{Attempt, SubtaskId, VirtualTime};

impl Worker {
    /// A timer of a sink is due; others are no business of this.
    pub(super) fn handle_sink_timer(
        &mut self,
        now: VirtualTime,
        timer: Timer,
        outbox: &mut dyn Outbox,
    ) {
        match timer {
            Timer::Sink { subtask, attempt, number } => {
                self.with_sink(now, attempt, subtask, outbox, |task, env| {
                    task.handle_sink_timer(number, env);
                });
            }
            Timer::Unanswered { subtask, attempt, request } => {
                self.with_sink(now, attempt, subtask, outbox, |task, env| {
                    task.handle_unanswered(request, env);
                });
            }
            Timer::RetryCommit { subtask, attempt, transaction } => {
                self.with_sink(now, attempt, subtask, outbox, |task, env| {
                    task.handle_retry_commit(transaction, env);
                });
            }
            Timer::Heartbeat
            | Timer::Retry
            | Timer::Pace { .. }
            | Timer::Mail { .. }
            | Timer::Overdue { .. }
            | Timer::Flush { .. }
            | Timer::Work { .. }
            | Timer::Upload { .. }
            | Timer::Checkpoint(_)
            | Timer::Enumerate(_)
            | Timer::CheckWorkers
            | Timer::Restart
            | Timer::Serve(_)
            | Timer::System(_) => {}
        }
    }

    /// Hands something to a sink, which may be open, or have committed all, by it.
    fn with_sink(
        &mut self,
        now: VirtualTime,
        attempt: Attempt,
        subtask: SubtaskId,
        outbox: &mut dyn Outbox,
        action: impl FnOnce(&mut Task, &mut Env<'_>),
    ) {
        self.with_task(now, attempt, subtask, outbox, |task, env| {
            action(task, env);
            Ok(())
        });
        self.report_ready(false, outbox);
        self.report_finished(false, outbox);
    }
}
