//! Whether a plan gives its job the time that reading its input takes at least.

use crate::explore::Prepared;
use crate::plan::{Fault, Plan};

/// What is wrong with the bound on liveness, if a healthy job would be late.
///
/// Every entry is read at least once, one after the other by each subtask of a source. A plan with clocks that run
/// fast may take less: of those nothing is said.
pub fn problem(plan: &Plan, prepared: &Prepared) -> Option<String> {
    let has_clocks = plan.faults.iter().any(|it| matches!(it.fault, Fault::Clock { .. }));
    let reading_ms = reading_ms(plan, &prepared.experiment.input.lengths());
    let least = reading_ms.saturating_sub(plan.safety_ms);
    if has_clocks || least <= plan.liveness_ms {
        return None;
    }
    let (bound, interval) = (plan.liveness_ms, plan.cluster.source_interval_us);
    Some(format!(
        "liveness_ms is {bound}, expected at least {least}: reading the input takes {reading_ms} ms with \
         source_interval_us = {interval}"
    ))
}

/// How long the subtask of a source that has most to read is at it, at least.
fn reading_ms(plan: &Plan, lengths: &[u64]) -> u64 {
    let subtasks = plan.parallelisms().chain([plan.job.parallelism]).max().unwrap_or(1).max(1);
    let splits = usize::from(plan.job.splits.max(1));
    let entries = |source: &[u64]| source.iter().sum::<u64>().div_ceil(subtasks.into());
    let most = lengths.chunks(splits).map(entries).max().unwrap_or(0);
    most.saturating_sub(1).saturating_mul(plan.cluster.source_interval_us) / 1_000
}
