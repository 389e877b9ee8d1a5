//! Timers: each handed to the task that set it.

use super::super::io::{Outbox, Timer};
use super::super::task::{Env, Task};
use super::Worker;
use crate::protocol::{Attempt, SubtaskId, VirtualTime};

/// Whose timer is due, and for which attempt.
type Whose = (SubtaskId, Attempt);

impl Worker {
    pub(super) fn handle_timer(&mut self, now: VirtualTime, timer: Timer, outbox: &mut dyn Outbox) {
        match timer {
            Timer::Pace { subtask, attempt } => {
                self.wake(now, (subtask, attempt), outbox, Task::handle_pace);
            }
            Timer::Work { subtask, attempt } => {
                self.wake(now, (subtask, attempt), outbox, Task::handle_work_done);
            }
            Timer::Processing { subtask, attempt } => {
                self.wake(now, (subtask, attempt), outbox, Task::handle_processing_time);
            }
            Timer::Answer { subtask, attempt, request } => {
                self.wake(now, (subtask, attempt), outbox, |task, env| {
                    task.handle_answer(request, env);
                });
            }
            Timer::Mail { subtask, attempt, barrier } => {
                self.wake(now, (subtask, attempt), outbox, |task, env| {
                    task.handle_mail(barrier, env);
                });
            }
            Timer::Overdue { subtask, attempt, barrier } => {
                self.wake(now, (subtask, attempt), outbox, |task, env| {
                    task.handle_overdue(barrier, env);
                });
            }
            Timer::Flush { subtask, attempt } => {
                self.wake(now, (subtask, attempt), outbox, Task::handle_flush);
            }
            Timer::Upload { subtask, attempt, checkpoint } => {
                self.wake(now, (subtask, attempt), outbox, |task, env| {
                    task.handle_upload(checkpoint, env);
                });
            }
            Timer::Sink { subtask, attempt, number } => {
                self.wake_sink(now, (subtask, attempt), outbox, |task, env| {
                    task.handle_sink_timer(number, env);
                });
            }
            Timer::Unanswered { subtask, attempt, request } => {
                self.wake_sink(now, (subtask, attempt), outbox, |task, env| {
                    task.handle_unanswered(request, env);
                });
            }
            Timer::RetryCommit { subtask, attempt, transaction } => {
                self.wake_sink(now, (subtask, attempt), outbox, |task, env| {
                    task.handle_retry_commit(transaction, env);
                });
            }
            Timer::Retry => self.requests.handle_retry(now, outbox),
            Timer::Heartbeat => self.handle_heartbeat_due(now, outbox),
            Timer::Checkpoint(_)
            | Timer::Enumerate(_)
            | Timer::CheckWorkers
            | Timer::Restart
            | Timer::Serve(_)
            | Timer::System(_)
            | Timer::HeldBack(_) => {}
        }
    }

    fn wake(
        &mut self,
        now: VirtualTime,
        (subtask, attempt): Whose,
        outbox: &mut dyn Outbox,
        action: impl FnOnce(&mut Task, &mut Env<'_>),
    ) {
        self.with_task(now, attempt, subtask, outbox, |task, env| {
            action(task, env);
            Ok(())
        });
    }

    /// By its timer a sink may become open, or have committed all.
    fn wake_sink(
        &mut self,
        now: VirtualTime,
        whose: Whose,
        outbox: &mut dyn Outbox,
        action: impl FnOnce(&mut Task, &mut Env<'_>),
    ) {
        self.wake(now, whose, outbox, action);
        self.report_ready(false, outbox);
        self.report_finished(false, outbox);
    }
}
