//! The clock of a process: virtual time, but for the steps it has made and the rate at which it runs.

use std::time::Duration;

use crate::plan::ClockChange;
use crate::protocol::VirtualTime;

/// Parts of a million.
const MILLION: i128 = 1_000_000;

/// No clock gains or loses more than this, in parts of a million: one that stood still would never fire
/// its timers.
const DRIFT_MAX_PPM: i32 = 900_000;

/// No clock is further ahead or behind than this (73 years), so that no sum overflows.
const AHEAD_MAX_NS: i128 = 1 << 61;

/// A clock. It starts as virtual time itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// When it last changed, in virtual time.
    changed: VirtualTime,
    /// How far ahead it was then, in nanoseconds.
    ahead_ns: i128,
    /// What it has gained since, in parts of a million.
    ppm: i32,
}

impl Clock {
    /// What it shows at `now`. It never shows a time before the beginning.
    #[must_use]
    pub fn read(&self, now: VirtualTime) -> VirtualTime {
        let shown = i128::from(now.0) + self.ahead_ns(now);
        VirtualTime(u64::try_from(shown.max(0)).unwrap_or(u64::MAX))
    }

    /// How long it takes until this clock has run for `duration`: less, where it is fast. Rounded up, so
    /// that a timer never fires before its time.
    #[must_use]
    pub fn wait(&self, duration: Duration) -> Duration {
        if self.ppm == 0 {
            return duration;
        }
        let rate = (MILLION + i128::from(self.ppm)) as u128;
        let ns = (duration.as_nanos().saturating_mul(MILLION as u128)).div_ceil(rate);
        Duration::from_nanos(u64::try_from(ns).unwrap_or(u64::MAX))
    }

    /// How far it is ahead at `now`, in microseconds.
    #[must_use]
    pub fn ahead_us(&self, now: VirtualTime) -> i64 {
        i64::try_from(self.ahead_ns(now) / 1_000).unwrap_or(i64::MAX)
    }

    /// It changes.
    pub fn change(&mut self, now: VirtualTime, change: ClockChange) {
        self.settle(now);
        match change {
            ClockChange::Step { us } => {
                let ahead = self.ahead_ns + i128::from(us) * 1_000;
                self.ahead_ns = ahead.clamp(-AHEAD_MAX_NS, AHEAD_MAX_NS);
            }
            ClockChange::Drift { ppm } => self.ppm = ppm.clamp(-DRIFT_MAX_PPM, DRIFT_MAX_PPM),
        }
    }

    /// It gains and loses no more, but stays where it is. Whether it had drifted.
    pub fn steady(&mut self, now: VirtualTime) -> bool {
        self.settle(now);
        std::mem::take(&mut self.ppm) != 0
    }

    fn settle(&mut self, now: VirtualTime) {
        self.ahead_ns = self.ahead_ns(now);
        self.changed = now;
    }

    fn ahead_ns(&self, now: VirtualTime) -> i128 {
        let since = now.since(self.changed).as_nanos() as i128;
        let gained = since * i128::from(self.ppm) / MILLION;
        (self.ahead_ns + gained).clamp(-AHEAD_MAX_NS, AHEAD_MAX_NS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> VirtualTime {
        VirtualTime::from_ms(ms)
    }

    #[test]
    fn a_step_lasts_and_time_begins_at_zero() {
        let mut clock = Clock::default();
        clock.change(ms(10), ClockChange::Step { us: 5_000 });
        assert_eq!(clock.read(ms(10)), ms(15));
        clock.change(ms(20), ClockChange::Step { us: -40_000 });
        assert_eq!(clock.read(ms(20)), ms(0), "no time lies before the beginning");
        assert_eq!(clock.read(ms(50)), ms(15));
        assert_eq!(clock.ahead_us(ms(50)), -35_000);
    }

    #[test]
    fn a_fast_clock_gains_until_it_is_steady_and_its_timers_are_early() {
        let mut clock = Clock::default();
        clock.change(ms(100), ClockChange::Drift { ppm: 250_000 });
        assert_eq!(clock.read(ms(200)), ms(225));
        assert_eq!(clock.wait(Duration::from_millis(100)), Duration::from_millis(80));
        assert!(clock.steady(ms(200)));
        assert_eq!(clock.read(ms(300)), ms(325), "what it has gained stays");
        assert_eq!(clock.wait(Duration::from_millis(100)), Duration::from_millis(100));
        assert!(!clock.steady(ms(300)));
    }

    #[test]
    fn a_timer_never_fires_before_its_time_on_its_own_clock() {
        for ppm in [-900_000, -333, -1, 1, 7, 333, 900_000, i32::MAX, i32::MIN] {
            let mut clock = Clock::default();
            clock.change(VirtualTime(3), ClockChange::Drift { ppm });
            for ns in [1, 2, 999, 1_000_003, 50_000_000] {
                let (now, wanted) = (VirtualTime(7_777), Duration::from_nanos(ns));
                let fired = clock.read(now + clock.wait(wanted));
                assert!(fired.since(clock.read(now)) + Duration::from_nanos(1) >= wanted, "{ppm}");
            }
        }
    }

    #[test]
    fn no_step_overflows() {
        let mut clock = Clock::default();
        for us in [i64::MAX, i64::MAX, i64::MIN, i64::MIN, i64::MIN] {
            clock.change(ms(1), ClockChange::Step { us });
            assert!(clock.read(ms(2)) >= VirtualTime::ZERO);
        }
    }
}
