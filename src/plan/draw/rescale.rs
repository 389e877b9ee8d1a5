//! Rescales: when, to how many, and whether a checkpoint comes first.

use crate::plan::limits::{RESCALE_COUNT, RESCALES_PARALLELISM};
use crate::plan::random::{Concern, Stream};
use crate::plan::scenario::{RescaleScenario, Scenario};
use crate::plan::{Plan, PlannedRescale, When};
use crate::protocol::{Revision, Topology};

/// Streams of rescales begin here; that of all other shapes has entity 0.
const RESCALE_ENTITY: u64 = 1 << 32;

/// From streams of their own: a rescale that is taken out re-rolls nothing else.
pub fn draw(scenario: &Scenario, seed: u64) -> Vec<PlannedRescale> {
    let Some(ranges) = &scenario.rescale else { return Vec::new() };
    let stream = |number: u64| Stream::new(seed, Concern::Shape, RESCALE_ENTITY | number);
    let count: u64 = RESCALE_COUNT.clamp(stream(0).within(ranges.count));
    (1..=count).map(|number| rescale(ranges, &mut stream(number))).collect()
}

fn rescale(ranges: &RescaleScenario, stream: &mut Stream) -> PlannedRescale {
    let us = stream.within(ranges.within_ms).saturating_mul(1_000);
    let parallelism = RESCALES_PARALLELISM.clamp(stream.within(ranges.parallelism));
    let checkpoint_first = stream.below(100) < u64::from(ranges.checkpoint_first_percent);
    PlannedRescale { when: When::At { us }, parallelism, checkpoint_first }
}

/// How many subtasks the job has at most, in any revision that it may be asked to go on as. An operator may keep its
/// own parallelism (`JobBuilder::fix`), which its shape does not tell: each counts with the higher of the two.
pub fn subtasks_max(plan: &Plan, topologies: &[Topology]) -> u64 {
    let subtasks = |Revision { version, parallelism }| {
        let topology = topologies.get(usize::from(version))?;
        let least = parallelism.unwrap_or(0);
        let operators = topology.operators.iter();
        Some(operators.map(|operator| u64::from(operator.parallelism.max(least))).sum())
    };
    plan.revisions().filter_map(subtasks).max().unwrap_or(0)
}
