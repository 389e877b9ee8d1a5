//! Runs of a scenario with rescales, and what they did.

use std::ops::ControlFlow;

use cutwater::explore::{Experiments, Outcome, WorldKind, run_plan};
use cutwater::plan::{Plan, PlannedRescale, When, scenario};
use cutwater::protocol::DefectSet;
use cutwater::trace::{Event, Stamp};
use cutwater::world::Observer;

/// The rare events of a run.
#[derive(Default)]
pub struct Seen(pub Vec<(Stamp, Event)>);

impl Observer for Seen {
    fn observe(&mut self, stamp: Stamp, event: &Event) -> ControlFlow<()> {
        match event {
            Event::Read { .. } | Event::Sent { .. } | Event::Received { .. } => {}
            rare => self.0.push((stamp, rare.clone())),
        }
        ControlFlow::Continue(())
    }
}

impl Seen {
    /// How many subtasks the job had in each attempt that was in another shape than declared.
    pub fn shapes(&self) -> Vec<usize> {
        let subtasks = |(_, event): &(Stamp, Event)| match event {
            Event::Reshaped { topology, .. } => Some(topology.subtasks.len()),
            _ => None,
        };
        self.0.iter().filter_map(subtasks).collect()
    }

    /// Why rescales were refused.
    pub fn refusals<'a>(&'a self) -> Vec<&'a str> {
        let reason = |(_, event): &'a (Stamp, Event)| match event {
            Event::RescaleRefused { reason, .. } => Some(reason.as_str()),
            _ => None,
        };
        self.0.iter().filter_map(reason).collect()
    }
}

/// A plan of a built-in scenario at this parallelism, with room for more; its faults where `faulty`.
pub fn plan(
    experiments: &Experiments,
    name: &str,
    seed: u64,
    parallelism: u16,
    faulty: bool,
) -> Plan {
    let shape = scenario::built_in().into_iter().find(|scenario| scenario.name == name);
    let shape = shape.unwrap_or_else(|| panic!("there is no scenario {name:?}"));
    let mut plan = experiments.draw(&shape, seed, DefectSet::NONE).expect("it can be drawn");
    plan.job.parallelism = parallelism;
    plan.cluster.slots = 64;
    if !faulty {
        (plan.faults, plan.lost) = (Vec::new(), Vec::new());
    }
    plan
}

/// A rescale at a time.
pub fn at_ms(ms: u64, parallelism: u16, checkpoint_first: bool) -> PlannedRescale {
    PlannedRescale { when: When::At { us: ms * 1_000 }, parallelism, checkpoint_first }
}

/// Runs a plan that must hold all oracles, and finish.
pub fn hold(experiments: &Experiments, plan: &Plan) -> (Outcome, Seen) {
    let prepared = experiments.prepare(&plan.job).expect("its job exists");
    let (outcome, seen) = run_plan(plan, &prepared, WorldKind::Kernel, Seen::default());
    let seen = seen.unwrap_or_default();
    if !outcome.is_held(plan) {
        panic!("{}\n{}", outcome.verdict, tell(plan, &seen));
    }
    (outcome, seen)
}

/// A failing plan, and the end of its trace.
fn tell(plan: &Plan, seen: &Seen) -> String {
    let mut told = format!("{}, seed {}, {:?}\n", plan.scenario, plan.seed, plan.rescales);
    for fault in &plan.faults {
        told.push_str(&format!("  {fault}\n"));
    }
    for (stamp, event) in seen.0.iter().skip(seen.0.len().saturating_sub(60)) {
        told.push_str(&format!("{} {} {}: {event:?}\n", stamp.number, stamp.at, stamp.process));
    }
    told
}
