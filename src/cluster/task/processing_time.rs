//! Processing time: user code is told what the clock of its worker says, and woken when a timer is due by it.

use std::time::Duration;

use super::super::io::TaskTimer;
use super::{Env, Task};
use crate::protocol::VirtualTime;

/// The wake-ups for timers in processing time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wake {
    /// When the first timer is due, in milliseconds; none where none is pending.
    due_ms: Option<i64>,
    /// For when the next wake-up is set.
    set_for_ms: Option<i64>,
}

/// A time in milliseconds.
pub fn in_ms(now: VirtualTime) -> i64 {
    i64::try_from(now.since(VirtualTime::ZERO).as_millis()).unwrap_or(i64::MAX)
}

impl Task {
    /// User code is about to be called: it may ask what time it is.
    pub(super) fn tell_time(&mut self, env: &Env<'_>) {
        self.produced.now_ms = in_ms(env.now);
    }

    /// Sees to it that the first timer that is pending is not slept through.
    pub(super) fn see_to_wake(&mut self, due_ms: Option<i64>, env: &mut Env<'_>) {
        let Some(due) = due_ms else { return };
        self.wake.due_ms = due_ms;
        if self.wake.set_for_ms.is_some_and(|set_for| set_for <= due) {
            return;
        }
        self.wake.set_for_ms = Some(due);
        let wait_ms = due.saturating_sub(in_ms(env.now)).max(0).unsigned_abs();
        let timer = TaskTimer::Processing.of(self.id, self.attempt);
        env.outbox.set_timer(Duration::from_millis(wait_ms), timer);
    }

    /// Timers that the snapshot held are pending again.
    pub(super) fn wake_again(&mut self, env: &mut Env<'_>) {
        let due_ms = self.subtask.next_processing_timer();
        self.see_to_wake(due_ms, env);
    }

    /// A timer may be due. The clock may have been set back meanwhile: then it is not, and is waited for on. One
    /// that is due and cannot fire now fires with whatever makes the task go on.
    pub fn handle_processing_time(&mut self, env: &mut Env<'_>) {
        self.wake.set_for_ms = None;
        self.run(env);
        let now = in_ms(env.now);
        self.see_to_wake(self.wake.due_ms.filter(|due| *due > now), env);
    }

    /// Fires what is due, when the protocol wants nothing done and no cut waits for its snapshot. Whether there
    /// was anything to do.
    pub(super) fn fire_processing_timers(&mut self, env: &mut Env<'_>) -> bool {
        let is_due = self.wake.due_ms.is_some_and(|due| due <= self.produced.now_ms);
        if !is_due || !self.can_work() || !self.may_emit_of_itself() {
            return false;
        }
        self.subtask.fire_processing_timers(&mut self.produced);
        self.wake.due_ms = None;
        self.deliver(env);
        true
    }
}
