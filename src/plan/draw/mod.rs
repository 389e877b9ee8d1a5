//! Draws a plan from a scenario and a seed.
//!
//! Each fault has a stream of its own, keyed by its class and number: taking one out re-rolls no other.

pub mod aim;
mod breadth;
mod fault;
mod message;
pub mod patience;
pub mod repertoire;
mod request;
mod rescale;
mod shape;
mod troubles;

#[cfg(test)]
mod tests;

pub use fault::{FaultDraw, Targets};

use std::time::Duration;

use super::fault::{Fault, PlannedFault};
use super::fault_class::FaultClass;
use super::limits;
use super::random::{Concern, Stream, salt};
use super::scenario::{NemesisScenario, Scenario};
use super::{JobPlan, Plan};
use crate::protocol::{DefectSet, ProcessId, Topology};

/// The plan of `seed`. `topologies` gives the shape of a job plan's job, and behind it those of its later versions.
///
/// # Errors
///
/// What `topologies` says of a job that cannot be.
///
/// # Panics
///
/// When it gives no shape.
pub fn draw<E>(
    scenario: &Scenario,
    seed: u64,
    defects: DefectSet,
    topologies: impl FnOnce(&JobPlan) -> Result<Vec<Topology>, E>,
) -> Result<Plan, E> {
    let (salt, number) = (salt(&scenario.name), seed);
    let seed = scenario.root(number);
    let mut shape = Stream::new(seed, Concern::Shape, 0);
    let mut job = shape::job(scenario, &mut shape);
    job.deal = shape::deal(scenario, seed, job.splits);
    let topologies = topologies(&job)?;
    let topology = &topologies[0];
    let mut cluster = shape::cluster(scenario, topology, &mut shape);
    cluster.discovery = shape::discovery(scenario, seed, job.splits, topology);
    let mut links = shape::links(scenario, topology, &mut shape);
    links.slow_control = shape::slow_control(scenario, seed, cluster.workers);
    let lost = shape::lost(scenario, cluster.workers, &mut shape);
    let healthy = u64::from(cluster.workers) - lost.len() as u64;
    let subtasks = topology.subtasks.len() as u64;
    cluster.slots = limits::SLOTS.clamp(subtasks.div_ceil(healthy));
    let rescales = rescale::draw(scenario, seed);
    let requests = request::requests(scenario, seed);
    let mut plan = Plan {
        scenario: scenario.name.clone(),
        seed: number,
        salt,
        job,
        cluster,
        links,
        mailbox_us: scenario.cluster.mailbox_us,
        faults: Vec::new(),
        requests,
        rescales,
        safety_ms: limits::SAFETY_MS
            .clamp(scenario.nemesis.window_ms.max.saturating_add(HEALING_MS)),
        liveness_ms: limits::LIVENESS_MS.clamp(scenario.liveness_ms),
        lost: lost.iter().copied().map(ProcessId::Worker).collect(),
        defects,
    };
    let most = rescale::subtasks_max(&plan, &topologies);
    plan.cluster.slots = plan.cluster.slots.max(small(most.div_ceil(healthy)));
    patience::grant(&mut plan, topology, scenario.checkpoints.timeout_ms);
    patience::grant_time(&mut plan, topology);
    let targets = Targets::of(topology, &plan);
    plan.faults = draw_faults(scenario, seed, targets);
    plan.faults.extend(lost.iter().map(|worker| lose(scenario, seed, targets, *worker)));
    Ok(plan)
}

/// What is left of the safety phase after the last moment at which a fault may strike.
const HEALING_MS: u64 = 500;

/// A number below a bound that is small.
fn below_u32(stream: &mut Stream, bound: u64) -> u32 {
    u32::try_from(stream.below(bound)).unwrap_or(u32::MAX)
}

fn small(value: u64) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}

/// The crash from which a worker does not come back.
fn lose(scenario: &Scenario, seed: u64, targets: Targets, worker: u16) -> PlannedFault {
    let stream = Stream::new(seed, Concern::Faults, LOST_ENTITY | u64::from(worker));
    let when = FaultDraw::new(&scenario.nemesis, targets, stream).time();
    let fault = Fault::Crash { process: Some(ProcessId::Worker(worker)), restart_after_us: None };
    PlannedFault { when, fault }
}

/// Streams of crashes for good; those of other faults have their class and number.
const LOST_ENTITY: u64 = 1 << 48;

fn draw_faults(scenario: &Scenario, seed: u64, targets: Targets) -> Vec<PlannedFault> {
    let mut faults = Vec::new();
    for (class, range) in &scenario.faults {
        let count = fault_stream(seed, *class, 0).within(*range);
        let count: u64 = limits::FAULTS_OF_A_CLASS.clamp(count);
        for number in 1..=count {
            let stream = fault_stream(seed, *class, number);
            faults.extend(FaultDraw::new(&scenario.nemesis, targets, stream).fault(*class, None));
        }
    }
    faults
}

/// The stream of the `number`-th fault of a class, from 1; 0 is that of how many there are.
fn fault_stream(seed: u64, class: FaultClass, number: u64) -> Stream {
    Stream::new(seed, Concern::Faults, ((class as u64) << 32) | number)
}

/// So many faults of any of these classes, each from a stream of its own: for a plan that is about no class in
/// particular, and knows of none by name.
#[must_use]
pub fn mixed_faults(
    ranges: &NemesisScenario,
    targets: Targets,
    classes: &[FaultClass],
    seed: u64,
    count: u64,
) -> Vec<PlannedFault> {
    let mut choice = Stream::new(seed, Concern::Faults, MIXED_ENTITY);
    let draw = |number| {
        let class = *choice.pick(classes)?;
        let stream = Stream::new(seed, Concern::Faults, MIXED_ENTITY | number);
        Some(FaultDraw::new(ranges, targets, stream).fault(class, None))
    };
    (1..=count).filter_map(draw).flatten().collect()
}

/// Streams of faults of any class.
const MIXED_ENTITY: u64 = 1 << 49;

impl Plan {
    /// When the faults end.
    #[must_use]
    pub fn safety(&self) -> Duration {
        Duration::from_millis(self.safety_ms)
    }

    /// When the run ends, whatever happens: just after the job is late.
    #[must_use]
    pub fn limit(&self) -> Duration {
        let liveness = Duration::from_millis(self.liveness_ms.saturating_add(1));
        self.safety().saturating_add(liveness)
    }
}
