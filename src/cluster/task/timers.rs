//! What a task does when a timer of its own is due.

use super::super::io::{SinkTimer, TaskTimer};
use super::{Env, Task};

impl Task {
    /// A timer that this task has set is due.
    pub fn handle_timer(&mut self, timer: TaskTimer, env: &mut Env<'_>) {
        match timer {
            TaskTimer::Pace => self.handle_pace(env),
            TaskTimer::Work => self.handle_work_done(env),
            TaskTimer::Processing => self.handle_processing_time(env),
            TaskTimer::Answer { request } => self.handle_answer(request, env),
            TaskTimer::Mail { barrier } => self.handle_mail(barrier, env),
            TaskTimer::Overdue { barrier } => self.handle_overdue(barrier, env),
            TaskTimer::Flush => self.handle_flush(env),
            TaskTimer::Upload { checkpoint } => self.handle_upload(checkpoint, env),
            TaskTimer::Sink(SinkTimer::Due { number }) => self.handle_sink_timer(number, env),
            TaskTimer::Sink(SinkTimer::Unanswered { request }) => {
                self.handle_unanswered(request, env);
            }
            TaskTimer::Sink(SinkTimer::RetryCommit { transaction }) => {
                self.handle_retry_commit(transaction, env);
            }
        }
    }
}
