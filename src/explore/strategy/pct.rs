//! Priority-based reordering, after Burckhardt and others, "A Randomized Scheduler with Probabilistic
//! Guarantees of Finding Bugs" (PCT, ASPLOS 2010).
//!
//! PCT gives every thread a random priority, always runs the highest, and at d - 1 random steps gives the
//! running one the lowest: a bug that needs d ordering constraints is found with a known probability. Here
//! processes do not compete for a processor; what can be ordered is what they send. So a process is the
//! slower the lower its priority, by a constant extra latency of everything it sends, and d - 1 times in
//! the run one of them falls behind all others. Unlike random latencies, which even out over many
//! messages, that keeps an order up for long.

use super::{Strategy, StrategyName};
use crate::explore::Experiments;
use crate::plan::{Concern, Plan, Priority, Scenario, Span, Stream};
use crate::protocol::{DefectSet, ProcessId};
use crate::workload::WorkloadError;

/// Slows processes by priority.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pct;

/// The most ordering constraints that are aimed at: d.
const DEPTH_MAX: u64 = 5;

/// How much slower each priority is than the one before, in microseconds.
const STEPS_US: &[u64] = &[300, 2_000, 10_000, 40_000];

/// How many faults of each of the scenario's classes there are at most.
const FAULTS_MAX: u64 = 1;

impl Strategy for Pct {
    fn name(&self) -> StrategyName {
        StrategyName::Pct
    }

    fn plan(
        &self,
        scenario: &Scenario,
        seed: u64,
        defects: DefectSet,
        experiments: &Experiments,
    ) -> Result<Option<Plan>, WorkloadError> {
        let mut calmer = scenario.clone();
        for range in calmer.faults.values_mut() {
            *range = Span::new(range.min.min(FAULTS_MAX), range.max.min(FAULTS_MAX));
        }
        let mut plan = experiments.draw(&calmer, seed, defects)?;
        let mut stream = Stream::new(scenario.root(seed), Concern::Priorities, 0);
        let window_us = scenario.nemesis.window_ms.max.saturating_mul(1_000);
        plan.links.priorities = priorities(plan.cluster.workers, window_us, &mut stream);
        Ok(Some(plan))
    }
}

/// A random order of all processes, and up to d - 1 changes of it.
fn priorities(workers: u16, window_us: u64, stream: &mut Stream) -> Vec<Priority> {
    let mut order = processes(workers);
    for place in (1..order.len()).rev() {
        let other = stream.below(place as u64 + 1);
        order.swap(place, usize::try_from(other).unwrap_or(0));
    }
    let step_us = *stream.pick(STEPS_US).unwrap_or(&1_000);
    let at_first = (0..).zip(&order);
    let at_first = at_first.map(|(rank, process)| Priority {
        process: *process,
        from_us: 0,
        extra_us: rank * step_us,
    });
    let mut priorities: Vec<Priority> = at_first.collect();
    let lowest = order.len() as u64;
    for change in 0..stream.below(DEPTH_MAX) {
        let process = *stream.pick(&order).unwrap_or(&ProcessId::Coordinator);
        let from_us = stream.below(window_us);
        priorities.push(Priority { process, from_us, extra_us: (lowest + change) * step_us });
    }
    priorities
}

fn processes(workers: u16) -> Vec<ProcessId> {
    let services = [
        ProcessId::Coordinator,
        ProcessId::ObjectStore,
        ProcessId::MetaStore,
        ProcessId::SourceLog,
        ProcessId::SinkTarget,
    ];
    services.into_iter().chain((0..workers).map(ProcessId::Worker)).collect()
}
