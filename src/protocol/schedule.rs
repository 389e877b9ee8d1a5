//! When the next checkpoint may be triggered: fixed rate, minimum pause.

use std::time::Duration;

use super::time::VirtualTime;

/// Decides when a periodic trigger is due.
///
/// A trigger that is due while another checkpoint must end first, or pause, is kept and made up for;
/// never more than one (Flink: `CheckpointRequestDecider`).
#[derive(Clone, Debug)]
pub struct TriggerSchedule {
    interval: Duration,
    pause_min: Duration,
    /// When the last checkpoint ended, in whatever way.
    ended_at: Option<VirtualTime>,
    state: ScheduleState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ScheduleState {
    /// No attempt runs, or checkpoints are switched off.
    Off,
    /// The next trigger is due at `next_at`; `overdue` says that an earlier one is to be made up for.
    On { next_at: VirtualTime, overdue: bool },
}

/// Whether to trigger now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Nothing is due.
    No,
    /// It is, but only from then on.
    From(VirtualTime),
    /// It is.
    Now,
}

impl TriggerSchedule {
    /// A schedule that is off.
    #[must_use]
    pub fn new(interval_ms: u64, pause_min_ms: u64) -> Self {
        let (interval, pause_min) =
            (Duration::from_millis(interval_ms), Duration::from_millis(pause_min_ms));
        Self { interval, pause_min, ended_at: None, state: ScheduleState::Off }
    }

    /// An attempt runs: the first trigger is one interval from now. Returns when to wake up.
    pub fn start(&mut self, now: VirtualTime) -> Option<VirtualTime> {
        if self.interval.is_zero() {
            return None;
        }
        let next_at = now + self.interval;
        self.state = ScheduleState::On { next_at, overdue: false };
        Some(next_at)
    }

    /// The attempt is over.
    pub fn stop(&mut self) {
        self.state = ScheduleState::Off;
    }

    /// A wake-up, perhaps one asked for by an earlier attempt. Returns the next one where it was due.
    pub fn handle_timer(&mut self, now: VirtualTime) -> Option<VirtualTime> {
        match self.state {
            ScheduleState::On { next_at, .. } if now >= next_at => {
                // At a fixed rate: what a late wake-up missed is skipped, not made up for in a burst.
                let missed = now.since(next_at).as_nanos() / self.interval.as_nanos();
                let skip = u32::try_from(missed).unwrap_or(u32::MAX - 1) + 1;
                let next_at = next_at + self.interval * skip;
                debug_assert!(next_at > now, "the next trigger lies ahead");
                self.state = ScheduleState::On { next_at, overdue: true };
                Some(next_at)
            }
            ScheduleState::On { .. } | ScheduleState::Off => None,
        }
    }

    /// A checkpoint completed or was aborted.
    pub fn handle_ended(&mut self, now: VirtualTime) {
        self.ended_at = Some(now);
    }

    /// Whether a trigger is due at `now`.
    #[must_use]
    pub fn due(&self, now: VirtualTime) -> Due {
        let pause_ends = self.ended_at.map_or(VirtualTime::ZERO, |ended| ended + self.pause_min);
        match self.state {
            ScheduleState::Off | ScheduleState::On { overdue: false, .. } => Due::No,
            ScheduleState::On { overdue: true, .. } if now < pause_ends => Due::From(pause_ends),
            ScheduleState::On { overdue: true, .. } => Due::Now,
        }
    }

    /// The trigger that was due is under way.
    pub fn triggered(&mut self) {
        match &mut self.state {
            ScheduleState::Off => unreachable!("nothing is triggered while the schedule is off"),
            ScheduleState::On { overdue, .. } => {
                assert!(*overdue, "only what is due is triggered");
                *overdue = false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> VirtualTime {
        VirtualTime::from_ms(ms)
    }

    #[test]
    fn triggers_keep_a_fixed_rate_and_skip_what_was_missed() {
        let mut schedule = TriggerSchedule::new(100, 0);
        assert_eq!(schedule.start(ms(5)), Some(ms(105)));
        assert_eq!(schedule.handle_timer(ms(104)), None, "a wake-up of an earlier attempt");
        assert_eq!(schedule.due(ms(104)), Due::No);
        assert_eq!(schedule.handle_timer(ms(105)), Some(ms(205)));
        schedule.triggered();
        assert_eq!(schedule.handle_timer(ms(470)), Some(ms(505)), "305 and 405 are skipped");
        assert_eq!(schedule.due(ms(470)), Due::Now);
    }

    #[test]
    fn a_trigger_waits_for_the_pause_and_is_then_made_up_for() {
        let mut schedule = TriggerSchedule::new(100, 50);
        schedule.start(ms(0));
        schedule.handle_ended(ms(90));
        schedule.handle_timer(ms(100));
        assert_eq!(schedule.due(ms(100)), Due::From(ms(140)));
        assert_eq!(schedule.due(ms(140)), Due::Now);
        schedule.triggered();
        assert_eq!(schedule.due(ms(141)), Due::No);
    }

    #[test]
    fn an_interval_of_zero_switches_triggers_off() {
        let mut schedule = TriggerSchedule::new(0, 0);
        assert_eq!(schedule.start(ms(1)), None);
        assert_eq!(schedule.handle_timer(ms(10)), None);
        assert_eq!(schedule.due(ms(10)), Due::No);
    }
}
