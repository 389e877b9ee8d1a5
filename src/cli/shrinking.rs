//! Shrinking a plan within a budget of runs and time, with progress.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cutwater::explore::shrink::{InProcess, RUNS_MAX, ShrinkError, Shrinker, Shrunk, Step};
use cutwater::explore::{Experiments, WorldKind};
use cutwater::plan::Plan;
use cutwater::protocol::{Defect, DefectSet};

use super::clock::Stopwatch;

/// How much shrinking may cost.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// How many plans are tried at most.
    pub runs: u64,
    /// For how long.
    pub time: Duration,
    /// On how many threads.
    pub jobs: usize,
}

impl Budget {
    /// As long as anybody likes to wait.
    pub fn usual(jobs: usize) -> Self {
        Self { runs: RUNS_MAX, time: Duration::from_secs(60), jobs }
    }
}

/// A plan that was shrunk, and how long that took.
pub struct Timed {
    /// What it gave.
    pub shrunk: Shrunk,
    /// How long it took.
    pub elapsed: Duration,
}

/// Shrinks a plan; ends early when `stop` is set.
///
/// Whether two runs of it differ is looked at only where the defect that makes them differ is switched
/// on, or where `is_twice` asks for it: it doubles the cost of every run.
pub fn shrink(
    plan: &Plan,
    experiments: &Experiments,
    (world, is_twice): (WorldKind, bool),
    budget: Budget,
    stop: &AtomicBool,
    each: impl FnMut(&Step),
) -> Result<Timed, ShrinkError> {
    let is_twice = is_twice || plan.defects == DefectSet::only(Defect::StateLeaksBetweenRuns);
    let runner = InProcess { experiments, world, is_twice };
    let shrinker = Shrinker { runner: &runner, jobs: budget.jobs, runs_max: budget.runs };
    let clock = Stopwatch::start();
    let is_over = || stop.load(Ordering::Relaxed) || clock.elapsed() >= budget.time;
    let shrunk = shrinker.shrink(plan, &is_over, each)?;
    Ok(Timed { shrunk, elapsed: clock.elapsed() })
}
