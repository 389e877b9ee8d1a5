//! Timers: that of a task is handed to it.

use super::super::io::{Outbox, TaskTimer, Timer};
use super::Worker;
use crate::protocol::VirtualTime;

impl Worker {
    pub(super) fn handle_timer(&mut self, now: VirtualTime, timer: Timer, outbox: &mut dyn Outbox) {
        match timer {
            Timer::Task { subtask, attempt, what } => {
                self.with_task(now, attempt, subtask, outbox, |task, env| {
                    task.handle_timer(what, env);
                    Ok(())
                });
                if let TaskTimer::Sink(_) = what {
                    // By its timer a sink may become open, or have committed all.
                    self.report_ready(false, outbox);
                    self.report_finished(false, outbox);
                }
            }
            Timer::Retry => self.requests.handle_retry(now, outbox),
            Timer::Heartbeat => self.handle_heartbeat_due(now, outbox),
            Timer::Coordinator(_)
            | Timer::Serve(_)
            | Timer::Split(_)
            | Timer::System(_)
            | Timer::HeldBack(_) => {}
        }
    }
}
