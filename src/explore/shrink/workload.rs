//! Fewer records, in a run that is as long as before, or shorter; fewer splits; fewer subtasks.

use super::aim::is_per_record;
use super::carry::carried;
use super::numbers::lower;
use super::pass::{Current, Pass};
use crate::plan::{JobPlan, Latency, Plan, Span, When};

/// Takes records, splits and subtasks away.
pub struct Workload;

impl Pass for Workload {
    fn name(&self) -> &'static str {
        "workload"
    }

    fn proposals(&self) -> usize {
        3
    }

    fn propose(&self, proposal: usize, current: &Current) -> Vec<Plan> {
        match proposal {
            0 => fewer_records(current),
            1 => fewer_splits(current),
            _ => fewer_subtasks(current),
        }
    }
}

/// So few records are tried at once; a violation that needs a full window or buffer needs more.
const FEW: &[u64] = &[1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 18, 20, 25, 30, 40, 50, 75, 100, 150];

/// For how many intervals between checkpoints an input may last: where it was read all at once, fewer
/// records would all be read before the first checkpoint.
const LASTING: &[u64] = &[1, 2, 4];

/// The plan with an input that lasts for so many intervals between checkpoints.
fn lasting(mut plan: Plan, intervals: u64, records: u64) -> Plan {
    let us = plan.cluster.checkpoints.interval_ms.saturating_mul(1_000 * intervals);
    plan.cluster.source_interval_us = us / records.max(1);
    plan
}

fn fewer_records(current: &Current) -> Vec<Plan> {
    let now = current.shape.records;
    let mut numbers: Vec<u64> = FEW.iter().copied().filter(|few| *few < now).collect();
    let enough = |number: &u64| FEW.last().is_none_or(|last| number > last);
    numbers.extend(lower(now, 1).into_iter().filter(enough));
    numbers.extend((now > 1).then(|| now - 1));
    numbers.dedup();
    numbers.into_iter().flat_map(|records| with_records(current, records)).collect()
}

/// How many other seeds are tried: delays are drawn anew for each, and one may fit.
const SEEDS: u64 = 4;

/// The plan with so many records: in the same time, as fast as before, and over slower channels.
pub fn with_records(current: &Current, records: u64) -> Vec<Plan> {
    let (plan, before) = (current.plan, current.shape.records.max(1));
    let fewer = |plan: &Plan| {
        let job = JobPlan { records: Some(records), ..plan.job.clone() };
        Plan { job, ..plan.clone() }
    };
    let mut slower = fewer(plan);
    let interval = u128::from(plan.cluster.source_interval_us) * u128::from(before);
    let interval = interval / u128::from(records.max(1));
    slower.cluster.source_interval_us = u64::try_from(interval).unwrap_or(u64::MAX);
    let mut scaled = slower.clone();
    scale_occurrences(&mut scaled, records, before);
    let mut plans = vec![fewer(plan), slower.clone(), scaled];
    plans.extend(LASTING.iter().map(|times| lasting(fewer(plan), *times, records)));
    // Patience is for the links that there are: where only that is at stake, they stay as they are.
    if current.is_controlled || !current.is_liveness() {
        plans.push(stretched(fewer(plan), before.div_ceil(records.max(1))));
    }
    for seed in (0..SEEDS).filter(|seed| *seed != plan.seed) {
        plans.push(Plan { seed, ..slower.clone() });
    }
    plans
}

/// The plan with channels so many times slower: where an input is read as fast as credits come back,
/// that is what makes fewer records take as long as before, and barriers wait behind them.
fn stretched(mut plan: Plan, times: u64) -> Plan {
    let slow = plan.links.slow.iter_mut().map(|slow| &mut slow.latency);
    for latency in slow.chain([&mut plan.links.channels]) {
        let (Latency::Uniform(span) | Latency::HeavyTail(span)) = latency;
        *span = Span::new(span.min.saturating_mul(times), span.max.saturating_mul(times));
    }
    plan
}

/// Points that are reached with every record are reached less often.
fn scale_occurrences(plan: &mut Plan, records: u64, before: u64) {
    for planned in &mut plan.faults {
        if let When::Point { point, occurrence, .. } = &mut planned.when
            && is_per_record(*point)
        {
            let scaled = u128::from(*occurrence) * u128::from(records) / u128::from(before);
            *occurrence = u32::try_from(scaled).unwrap_or(u32::MAX).max(1);
        }
    }
}

fn fewer_splits(current: &Current) -> Vec<Plan> {
    let splits = lower(current.plan.job.splits.into(), 1);
    let change = |splits: u64| {
        let splits = u16::try_from(splits).unwrap_or(u16::MAX);
        JobPlan { splits, ..current.plan.job.clone() }
    };
    splits.into_iter().flat_map(|splits| with_job(current, change(splits))).collect()
}

/// Lower parallelism, with as many splits as before and with as many as subtasks.
fn fewer_subtasks(current: &Current) -> Vec<Plan> {
    let job = &current.plan.job;
    let mut plans = Vec::new();
    for parallelism in lower(job.parallelism.into(), 1) {
        let parallelism = u16::try_from(parallelism).unwrap_or(u16::MAX);
        for splits in [parallelism, job.splits] {
            plans.extend(with_job(current, JobPlan { parallelism, splits, ..job.clone() }));
        }
    }
    plans
}

/// The plan with another job, if there is such a job, under several seeds.
fn with_job(current: &Current, job: JobPlan) -> Vec<Plan> {
    let Some(shape) = current.runner.shape(&job) else { return Vec::new() };
    let plan = Plan { job, ..current.plan.clone() };
    let plan = carried(plan, &current.shape.topology, &shape);
    let others = (0..SEEDS).filter(|seed| *seed != plan.seed);
    let others: Vec<Plan> = others.map(|seed| Plan { seed, ..plan.clone() }).collect();
    std::iter::once(plan).chain(others).collect()
}
