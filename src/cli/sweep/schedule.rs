//! Whose turn it is: which runs have not been given out yet, and those that came back.

use std::collections::VecDeque;

use super::shard::Shard;
use crate::explore::Sweep;

/// The runs of a shard, given out one by one, scenario by scenario under one seed after the other.
#[derive(Debug)]
pub struct Schedule<'a> {
    sweep: &'a Sweep,
    shard: Shard,
    /// By run: a bit for each that is in the results.
    done: Vec<u64>,
    /// How many those are.
    count: u64,
    /// The next turn that was never given out.
    next: u64,
    /// Runs that were given out, and whose worker was lost before it came to them.
    again: VecDeque<u64>,
    is_over: bool,
}

impl<'a> Schedule<'a> {
    /// Nothing is done yet.
    pub fn new(sweep: &'a Sweep, shard: Shard) -> Self {
        let words =
            usize::try_from(sweep.runs().div_ceil(64)).expect("a bit a run fits into memory");
        let (done, again) = (vec![0; words], VecDeque::new());
        Self { sweep, shard, done, count: 0, next: 0, again, is_over: false }
    }

    /// A run is in the results. Whether it was not before.
    pub fn finish(&mut self, index: u64) -> bool {
        // Not `let is_new = word & bit == 0; count += u64::from(is_new); is_new`, which rustc 1.95 gets
        // wrong at -O2: where that is inlined into a caller that branches on the result, its pass
        // SimplifyComparisonIntegral branches on `word & bit` instead and deletes the comparison, though
        // the addition still reads it. A resumed sweep then knew of nothing that was done.
        if self.is_done(index) {
            return false;
        }
        self.done[(index / 64) as usize] |= 1 << (index % 64);
        self.count += 1;
        true
    }

    /// Gives out the next run.
    pub fn take(&mut self) -> Option<u64> {
        if self.is_over {
            return None;
        }
        if let Some(index) = self.again.pop_front() {
            return Some(index);
        }
        while self.next < self.sweep.runs() {
            let index = self.sweep.at_turn(self.next);
            self.next += 1;
            if self.shard.has(index) && !self.is_done(index) {
                return Some(index);
            }
        }
        None
    }

    /// A run was given out, and not begun.
    pub fn give_back(&mut self, index: u64) {
        self.again.push_back(index);
    }

    /// Nothing more is given out.
    pub fn end(&mut self) {
        self.is_over = true;
    }

    /// Whether nothing more is given out.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// How many runs of the shard are in the results.
    pub fn done(&self) -> u64 {
        self.count
    }

    /// How many runs the shard has.
    pub fn all(&self) -> u64 {
        self.shard.share(self.sweep.runs())
    }

    fn is_done(&self, index: u64) -> bool {
        self.done[(index / 64) as usize] & (1 << (index % 64)) != 0
    }
}

#[cfg(test)]
mod tests {
    use crate::explore::{StrategyName, WorldKind};
    use crate::plan::scenario::built_in;
    use crate::protocol::DefectSet;

    use super::*;

    #[test]
    fn every_run_of_a_shard_is_given_out_once_unless_it_comes_back() {
        let scenarios = built_in().into_iter().take(3).collect();
        let (defects, world) = (DefectSet::NONE, WorldKind::Kernel);
        let strategy = StrategyName::default();
        let sweep = Sweep { scenarios, seeds: 0..4, strategy, defects, world, jobs: 1 };
        let mut schedule = Schedule::new(&sweep, Shard::new(1, 2).expect("in range"));
        assert!(schedule.finish(5) && !schedule.finish(5));
        let first = schedule.take().expect("something is left");
        schedule.give_back(first);
        let mut given: Vec<u64> = std::iter::from_fn(|| schedule.take()).collect();
        assert_eq!(given[0], first);
        given.sort_unstable();
        assert_eq!(given, [1, 3, 7, 9, 11]);
        assert_eq!((schedule.done(), schedule.all()), (1, 6));
    }
}
