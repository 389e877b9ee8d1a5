//! When the next checkpoint may be triggered: fixed rate, minimum pause.

use core::time::Duration;

use super::defect::{Defect, DefectSet};
use super::time::VirtualTime;

/// Decides when a periodic trigger is due.
///
/// A trigger that is due while another checkpoint must end first, or pause, is kept and made up for;
/// never more than one (Flink: `CheckpointRequestDecider`).
///
/// Time may be set back. Then a wake-up comes before what it was for is due, and waiting for that would
/// be waiting until the clock has caught up: so nothing is ever further ahead than it could be, and as
/// long as triggers are on, a wake-up is under way.
#[derive(Clone, Debug)]
pub struct TriggerSchedule {
    interval: Duration,
    pause_min: Duration,
    defects: DefectSet,
    /// How many wake-ups are under way.
    wakeups: u32,
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
    /// A checkpoint may be triggered at once.
    Now,
}

impl TriggerSchedule {
    /// A schedule that is off.
    #[must_use]
    pub fn new(interval_ms: u64, pause_min_ms: u64, defects: DefectSet) -> Self {
        let (interval, pause_min) =
            (Duration::from_millis(interval_ms), Duration::from_millis(pause_min_ms));
        let state = ScheduleState::Off;
        Self { interval, pause_min, defects, wakeups: 0, ended_at: None, state }
    }

    /// An attempt runs: the first trigger is one interval from now. Returns when to wake up.
    pub fn start(&mut self, now: VirtualTime) -> Option<VirtualTime> {
        if self.interval.is_zero() {
            return None;
        }
        let next_at = now + self.interval;
        self.state = ScheduleState::On { next_at, overdue: false };
        Some(self.wake_up(next_at))
    }

    /// The attempt is over.
    pub fn stop(&mut self) {
        self.state = ScheduleState::Off;
    }

    /// A wake-up, perhaps one asked for by an earlier attempt. Returns the next one where it was due, or
    /// where none is left.
    pub fn handle_timer(&mut self, now: VirtualTime) -> Option<VirtualTime> {
        self.wakeups = self.wakeups.saturating_sub(1);
        self.set_back(now);
        match self.state {
            ScheduleState::On { next_at, .. } if now >= next_at => {
                // At a fixed rate: what a late wake-up missed is skipped, not made up for in a burst.
                let interval = self.interval.as_nanos();
                let skipped = (now.since(next_at).as_nanos() / interval + 1) * interval;
                let skipped = u64::try_from(skipped).unwrap_or(u64::MAX);
                let next_at = next_at + Duration::from_nanos(skipped);
                debug_assert!(next_at > now, "the next trigger lies ahead");
                self.state = ScheduleState::On { next_at, overdue: true };
                Some(self.wake_up(next_at))
            }
            ScheduleState::On { next_at, .. } if self.wakeups == 0 => {
                let stops = self.defects.has(Defect::ClockSetBackStopsTriggers);
                (!stops).then(|| self.wake_up(next_at))
            }
            ScheduleState::On { .. } | ScheduleState::Off => None,
        }
    }

    /// A checkpoint completed or was aborted.
    pub fn handle_ended(&mut self, now: VirtualTime) {
        self.ended_at = Some(now);
    }

    /// Whether a trigger is due at `now`. The caller sees to it that there is a wake-up where it is due
    /// only later.
    pub fn due(&mut self, now: VirtualTime) -> Due {
        self.set_back(now);
        let pause_ends = self.ended_at.map_or(VirtualTime::ZERO, |ended| ended + self.pause_min);
        match self.state {
            ScheduleState::Off | ScheduleState::On { overdue: false, .. } => Due::No,
            ScheduleState::On { overdue: true, .. } if now < pause_ends => {
                Due::From(self.wake_up(pause_ends))
            }
            ScheduleState::On { overdue: true, .. } => Due::Now,
        }
    }

    /// Nothing lies further ahead, or ended later, than it can have at `now`: or the clock was set back.
    fn set_back(&mut self, now: VirtualTime) {
        self.ended_at = self.ended_at.map(|ended_at| ended_at.min(now));
        match &mut self.state {
            ScheduleState::Off => {}
            ScheduleState::On { next_at, .. } => *next_at = (*next_at).min(now + self.interval),
        }
    }

    fn wake_up(&mut self, at: VirtualTime) -> VirtualTime {
        self.wakeups = self.wakeups.saturating_add(1);
        at
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
        let mut schedule = TriggerSchedule::new(100, 0, DefectSet::NONE);
        schedule.start(ms(4));
        schedule.stop();
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
        let mut schedule = TriggerSchedule::new(100, 50, DefectSet::NONE);
        schedule.start(ms(0));
        schedule.handle_ended(ms(90));
        schedule.handle_timer(ms(100));
        assert_eq!(schedule.due(ms(100)), Due::From(ms(140)));
        assert_eq!(schedule.due(ms(140)), Due::Now);
        schedule.triggered();
        assert_eq!(schedule.due(ms(141)), Due::No);
    }

    #[test]
    fn a_clock_that_is_set_back_stops_nothing() {
        let mut schedule = TriggerSchedule::new(100, 50, DefectSet::NONE);
        assert_eq!(schedule.start(ms(1_000_000)), Some(ms(1_000_100)));
        assert_eq!(schedule.handle_timer(ms(100)), Some(ms(200)), "none other is under way");
        assert_eq!(schedule.due(ms(100)), Due::No);
        assert_eq!(schedule.handle_timer(ms(200)), Some(ms(300)));
        schedule.triggered();
        schedule.handle_ended(ms(250));
        assert_eq!(schedule.handle_timer(ms(20)), Some(ms(120)));
        assert_eq!(schedule.handle_timer(ms(120)), Some(ms(220)));
        assert_eq!(schedule.due(ms(120)), Due::Now, "the pause began at 20, at the latest");
    }

    #[test]
    fn an_interval_of_zero_switches_triggers_off() {
        let mut schedule = TriggerSchedule::new(0, 0, DefectSet::NONE);
        assert_eq!(schedule.start(ms(1)), None);
        assert_eq!(schedule.handle_timer(ms(10)), None);
        assert_eq!(schedule.due(ms(10)), Due::No);
    }
}
