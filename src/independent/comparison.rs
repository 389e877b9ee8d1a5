//! The schemes side by side: what checkpoints without coordination cost, and what a failure leaves of them.

use std::ops::Range;

use serde::Serialize;
use strum::IntoEnumIterator as _;

use super::{Measured, Settings, Shape, Violation, run};
use crate::protocol::independent::{IndependentDefect, IndependentDefectSet, Scheme};

/// One row: a job, a scheme, and what several seeds came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Which job: `pipeline`, `cycle`.
    pub job: &'static str,
    /// How checkpoints come about.
    pub scheme: Scheme,
    /// Whether the recovery graph leaves out what stays on a worker, as CheckMate's does as released.
    pub skips_local_edges: bool,
    /// Checkpoints that there are at the failure: the mean.
    pub checkpoints: f64,
    /// Forced checkpoints for each that nothing forced.
    pub forced_per_basic: f64,
    /// Bytes that a message carries beside its content: the mean.
    pub carried_bytes: f64,
    /// Of a hundred checkpoints at the failure, those that no consistent cut has.
    pub useless_percent: f64,
    /// Of a hundred, those that the line left behind.
    pub discarded_percent: f64,
    /// Of a hundred processes, those that began anew.
    pub from_nothing_percent: f64,
    /// How far processes fell back: the mean, in seconds.
    pub rollback_s: f64,
    /// How far the farthest fell back, in seconds.
    pub rollback_max_s: f64,
    /// Runs that the judge found wrong.
    pub violated: u64,
    /// The first thing that was.
    pub first: Option<String>,
}

/// So many records of a million come back to the join: the share that CheckMate's reachability query has.
pub const BACK_PER_MILLION: u32 = 85_000;

/// Each scheme on a pipeline of three operators and on the cycle, each of this parallelism; and on the cycle without
/// coordination once more, with the recovery graph that CheckMate released.
#[must_use]
pub fn compare(parallelism: usize, rate: u64, seeds: &Range<u64>) -> Vec<Row> {
    let jobs = [
        ("pipeline", Shape::pipeline(3, parallelism)),
        ("cycle", Shape::cycle(parallelism, BACK_PER_MILLION)),
    ];
    let mut rows = Vec::new();
    for (job, shape) in &jobs {
        for scheme in Scheme::iter() {
            rows.push(row(job, shape, (scheme, false), rate, seeds));
        }
    }
    let (job, shape) = &jobs[1];
    rows.push(row(job, shape, (Scheme::Uncoordinated, true), rate, seeds));
    rows
}

fn row(
    job: &'static str,
    shape: &Shape,
    (scheme, skips_local_edges): (Scheme, bool),
    rate: u64,
    seeds: &Range<u64>,
) -> Row {
    let defects = match skips_local_edges {
        true => IndependentDefectSet::only(IndependentDefect::LocalEdgesSkipped),
        false => IndependentDefectSet::NONE,
    };
    let run_one =
        |seed| run(&Settings { rate, defects, ..Settings::of(scheme, shape.clone(), seed) });
    let outcomes: Vec<_> = seeds.clone().map(run_one).collect();
    let sum = |of: fn(&Measured) -> u64| {
        outcomes.iter().map(|outcome| of(&outcome.measured)).sum::<u64>() as f64
    };
    let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
    let (runs, processes) = (outcomes.len() as f64, shape.processes() as f64);
    let farthest = outcomes.iter().map(|outcome| outcome.measured.rollback_max_us).max();
    let mut found = outcomes.iter().flat_map(|outcome| outcome.violations.first());
    let first = found.next().map(Violation::to_string);
    Row {
        job,
        scheme,
        skips_local_edges,
        checkpoints: share(sum(|own| own.at_failure), runs),
        forced_per_basic: share(sum(|own| own.forced), sum(|own| own.basic)),
        carried_bytes: share(sum(|own| own.carried_bytes), sum(|own| own.messages)),
        useless_percent: 100.0 * share(sum(|own| own.useless), sum(|own| own.at_failure)),
        discarded_percent: 100.0 * share(sum(|own| own.discarded), sum(|own| own.at_failure)),
        from_nothing_percent: 100.0 * share(sum(|own| own.from_nothing), runs * processes),
        rollback_s: share(sum(|own| own.rollback_mean_us), runs) / 1e6,
        rollback_max_s: farthest.unwrap_or(0) as f64 / 1e6,
        violated: outcomes.iter().filter(|outcome| !outcome.violations.is_empty()).count() as u64,
        first,
    }
}
