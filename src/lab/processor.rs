//! The cores of a machine, shared by all that runs on it.
//!
//! Shared equally, at every moment: *processor sharing*. An operating system deals out slices of some
//! milliseconds in turn (round robin); a checkpoint's uploads and compactions take hundreds of them, and the
//! limit of ever shorter slices is exact, has no parameter, and needs no event a slice.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// Parts of a nanosecond in which service is counted, so that rounding does not add up.
const PARTS: u64 = 1_024;

/// Thousandths of a core.
const MILLI: u64 = 1_000;

/// A machine with some cores, and what runs on it. `T` names what runs.
///
/// With `n` running on `c` cores each gets `min(1, c / n)` of a core. What runs is therefore ordered by how much
/// service everybody will have had when it ends, and that order never changes.
#[derive(Clone, Debug)]
pub struct Processor<T> {
    cores_milli: u64,
    /// Up to when `served` is counted.
    counted: u64,
    /// Parts of service that each of those running since the beginning would have had.
    served: u64,
    running: BinaryHeap<Reverse<Running<T>>>,
    /// How many were ever started: who started first ends first, where both end at once.
    started: u64,
    /// Thousandths of a core, times nanoseconds, that were used.
    used: u128,
}

#[derive(Clone, Debug)]
struct Running<T> {
    ends: u64,
    order: u64,
    what: T,
}

impl<T: Copy> Processor<T> {
    /// A machine on which nothing runs, with so many thousandths of a core, at least one.
    ///
    /// # Panics
    ///
    /// When there is no core.
    #[must_use]
    pub fn new(cores_milli: u64) -> Self {
        assert!(cores_milli > 0, "a machine has cores");
        let running = BinaryHeap::new();
        Self { cores_milli, counted: 0, served: 0, running, started: 0, used: 0 }
    }

    /// From `now` on this runs as well, for so many nanoseconds of a whole core.
    pub fn start(&mut self, now: u64, work_ns: u64, what: T) {
        self.count(now);
        self.started += 1;
        let ends = self.served.saturating_add(work_ns.saturating_mul(PARTS));
        self.running.push(Reverse(Running { ends, order: self.started, what }));
    }

    /// When the next of those that run will end, if none is started before.
    #[must_use]
    pub fn next_end(&self) -> Option<u64> {
        let left = self.running.peek()?.0.ends.saturating_sub(self.served);
        let demand = self.demand();
        let ns = if demand <= self.cores_milli {
            left.div_ceil(PARTS)
        } else {
            let scaled = u128::from(left) * u128::from(demand);
            let ns = scaled.div_ceil(u128::from(PARTS * self.cores_milli));
            u64::try_from(ns).unwrap_or(u64::MAX)
        };
        Some(self.counted.saturating_add(ns))
    }

    /// At [`next_end`](Self::next_end): what ended.
    pub fn finish(&mut self, now: u64) -> Option<T> {
        self.count(now);
        self.running.pop().map(|Reverse(ended)| ended.what)
    }

    /// All that runs is dropped: the machine died.
    pub fn clear(&mut self, now: u64) {
        self.count(now);
        self.running.clear();
    }

    /// Nanoseconds of a whole core that were used by `now`.
    pub fn used_ns(&mut self, now: u64) -> u64 {
        self.count(now);
        u64::try_from(self.used / u128::from(MILLI)).unwrap_or(u64::MAX)
    }

    /// Thousandths of a core that those running would use.
    fn demand(&self) -> u64 {
        self.running.len() as u64 * MILLI
    }

    fn count(&mut self, now: u64) {
        let passed = now.saturating_sub(self.counted);
        self.counted = self.counted.max(now);
        let demand = self.demand();
        if passed == 0 || demand == 0 {
            return;
        }
        self.used += u128::from(passed) * u128::from(demand.min(self.cores_milli));
        let served = if demand <= self.cores_milli {
            u128::from(passed) * u128::from(PARTS)
        } else {
            u128::from(passed) * u128::from(PARTS * self.cores_milli) / u128::from(demand)
        };
        self.served = self.served.saturating_add(u64::try_from(served).unwrap_or(u64::MAX));
    }
}

impl<T> PartialEq for Running<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Running<T> {}

impl<T> PartialOrd for Running<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Running<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.ends, self.order).cmp(&(other.ends, other.order))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(processor: &mut Processor<char>) -> Vec<(u64, char)> {
        let mut ended = Vec::new();
        while let Some(at) = processor.next_end() {
            ended.extend(processor.finish(at).map(|what| (at, what)));
        }
        ended
    }

    #[test]
    fn as_many_as_cores_run_at_full_speed() {
        let mut processor = Processor::new(2_000);
        processor.start(0, 1_000, 'a');
        processor.start(500, 1_000, 'b');
        assert_eq!(ends(&mut processor), [(1_000, 'a'), (1_500, 'b')]);
        assert_eq!(processor.used_ns(1_500), 2_000);
    }

    #[test]
    fn more_than_cores_share_them_equally() {
        let mut processor = Processor::new(1_000);
        processor.start(0, 1_000, 'a');
        processor.start(500, 250, 'b');
        // At 500 both get half: b ends at 1,000 having had 250, a has 250 left and the core alone.
        assert_eq!(ends(&mut processor), [(1_000, 'b'), (1_250, 'a')]);
        assert_eq!(processor.used_ns(1_250), 1_250);
    }

    #[test]
    fn part_of_a_core_is_a_slow_core() {
        let mut processor = Processor::new(500);
        processor.start(0, 1_000, 'a');
        assert_eq!(ends(&mut processor), [(2_000, 'a')]);
    }

    #[test]
    fn who_started_first_ends_first() {
        let mut processor = Processor::new(2_000);
        processor.start(0, 10, 'b');
        processor.start(0, 10, 'a');
        assert_eq!(ends(&mut processor), [(10, 'b'), (10, 'a')]);
    }
}
