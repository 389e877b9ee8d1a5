//! The clocks of the processes, where faults have changed them.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::driver::lock;
use crate::plan::ClockChange;
use crate::protocol::{ProcessId, VirtualTime};
use crate::world::clock::Clock;
use crate::world::slot_of;

/// One clock a process, which all its lives read.
pub struct Clocks {
    /// Some clock was changed: until then nobody need look.
    is_changed: AtomicBool,
    /// In the order of [`slot_of`].
    clocks: Mutex<Vec<Clock>>,
}

impl Clocks {
    /// Clocks that show virtual time.
    pub fn new(processes: usize) -> Self {
        let clocks = Mutex::new(vec![Clock::default(); processes]);
        Self { is_changed: AtomicBool::new(false), clocks }
    }

    /// What the clock of a process shows.
    pub fn read(&self, process: ProcessId, now: VirtualTime) -> VirtualTime {
        if self.is_changed.load(Ordering::Relaxed) {
            lock(&self.clocks)[slot_of(process)].read(now)
        } else {
            now
        }
    }

    /// How long it takes until the clock of a process has run for `duration`.
    pub fn wait(&self, process: ProcessId, duration: Duration) -> Duration {
        if self.is_changed.load(Ordering::Relaxed) {
            lock(&self.clocks)[slot_of(process)].wait(duration)
        } else {
            duration
        }
    }

    /// The clock of a process changes; returns how far it is ahead, in microseconds.
    pub fn change(&self, process: ProcessId, now: VirtualTime, change: ClockChange) -> i64 {
        self.is_changed.store(true, Ordering::Relaxed);
        let clock = &mut lock(&self.clocks)[slot_of(process)];
        clock.change(now, change);
        clock.ahead_us(now)
    }

    /// No clock gains or loses any more: how far it is ahead, by the slot of those that did.
    pub fn steady(&self, now: VirtualTime) -> Vec<(usize, i64)> {
        let clocks = &mut *lock(&self.clocks);
        let drifted = clocks.iter_mut().enumerate();
        let drifted = drifted
            .filter_map(|(slot, clock)| clock.steady(now).then(|| (slot, clock.ahead_us(now))));
        drifted.collect()
    }
}
