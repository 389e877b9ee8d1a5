//! Candidates, tried: none twice, several at a time, and the first in order that will do wins.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use xxhash_rust::xxh3::xxh3_128;

use super::runner::Runner;
use crate::explore::signature::Signature;
use crate::plan::Plan;
use crate::plan::limits::check_plan;
use crate::protocol::DefectSet;
use crate::protocol::ordered::{VecMap, VecSet};

/// Tries plans, and remembers what came of them.
pub struct Trials<'a> {
    runner: &'a dyn Runner,
    target: &'a Signature,
    /// Whether a candidate must hold once its defects are switched off: it shall fail of them, and not
    /// of what was done to it.
    is_controlled: bool,
    jobs: usize,
    left: u64,
    is_over: &'a (dyn Fn() -> bool + Sync),
    known: Mutex<VecMap<u128, bool>>,
    /// Those that count. With several threads more may be known: a result must not depend on that.
    counted: VecSet<u128>,
}

impl<'a> Trials<'a> {
    /// No trials yet, of `runs_max` at most; a thread or more.
    pub fn new(
        runner: &'a dyn Runner,
        target: &'a Signature,
        is_controlled: bool,
        (jobs, runs_max): (usize, u64),
        is_over: &'a (dyn Fn() -> bool + Sync),
    ) -> Self {
        let known = Mutex::new(VecMap::new());
        let counted = VecSet::new();
        let left = runs_max;
        Self { runner, target, is_controlled, jobs, left, is_over, known, counted }
    }

    /// How many plans were tried.
    pub fn count(&self) -> u64 {
        self.counted.len() as u64
    }

    /// Whether nothing more will be tried.
    pub fn is_over(&self) -> bool {
        self.left == 0 || (self.is_over)()
    }

    /// The first of the candidates that fails as it should, by its place.
    pub fn first(&mut self, candidates: &[Plan]) -> Option<usize> {
        let keys: Vec<u128> = candidates.iter().map(key).collect();
        let within = self.affordable(&keys);
        let found = self.search(&candidates[..within], &keys[..within]);
        let consulted = found.map_or(within, |found| found + 1);
        for key in &keys[..consulted] {
            self.left -= u64::from(self.counted.insert(*key));
        }
        found
    }

    /// How many of the candidates, from the first on, can be tried with what is left.
    fn affordable(&self, keys: &[u128]) -> usize {
        let mut left = self.left;
        let mut fresh = VecSet::new();
        for (place, key) in keys.iter().enumerate() {
            if !self.counted.contains(key) && fresh.insert(*key) {
                if left == 0 {
                    return place;
                }
                left -= 1;
            }
        }
        keys.len()
    }

    /// Threads take candidates in order, and none behind one that will do.
    fn search(&self, candidates: &[Plan], keys: &[u128]) -> Option<usize> {
        let (next, best) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
        let work = || {
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(candidate) = candidates.get(place) else { break };
                if place > best.load(Ordering::Relaxed) || (self.is_over)() {
                    break;
                }
                if self.will_do(keys[place], candidate) {
                    best.fetch_min(place, Ordering::Relaxed);
                }
            }
        };
        if self.jobs <= 1 || candidates.len() <= 1 {
            work();
        } else {
            thread::scope(|scope| {
                for _ in 0..self.jobs.min(candidates.len()) {
                    scope.spawn(work);
                }
            });
        }
        Some(best.into_inner()).filter(|best| *best < candidates.len())
    }

    fn will_do(&self, key: u128, candidate: &Plan) -> bool {
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&key) {
            return *known;
        }
        // What could not be read again is of no use, however small.
        let does = check_plan(candidate).is_ok()
            && self.runner.run(candidate).signature.as_ref() == Some(self.target)
            && (!self.is_controlled || self.holds_without_defects(candidate));
        // A run that was broken off says nothing.
        let does = does && !(self.is_over)();
        if does || !(self.is_over)() {
            lock().insert(key, does);
        }
        does
    }

    fn holds_without_defects(&self, candidate: &Plan) -> bool {
        let clean = Plan { defects: DefectSet::NONE, ..candidate.clone() };
        self.runner.run(&clean).signature.is_none()
    }
}

/// What tells plans apart.
fn key(plan: &Plan) -> u128 {
    let bytes = serde_json::to_vec(plan).expect("plain data can be encoded");
    xxh3_128(&bytes)
}
