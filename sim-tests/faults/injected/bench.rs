//! Runs of a scenario under faults made by hand, and what they did.

use std::ops::ControlFlow;

use cutwater::explore::{Experiments, Outcome, WorldKind, run_plan};
use cutwater::plan::draw::Targets;
use cutwater::plan::{Fault, FaultClass, Plan, PlannedFault, When, scenario};
use cutwater::protocol::{DefectSet, ProcessId};
use cutwater::trace::{Event, Point, Stamp};
use cutwater::world::Observer;

/// How many seeds each fault gets.
pub const SEEDS: u64 = 50;

/// The events of a run.
#[derive(Default)]
pub struct Seen(pub Vec<(Stamp, Event)>);

impl Observer for Seen {
    fn observe(&mut self, stamp: Stamp, event: &Event) -> ControlFlow<()> {
        self.0.push((stamp, event.clone()));
        ControlFlow::Continue(())
    }
}

impl Seen {
    /// Where events of this kind are.
    pub fn places(&self, point: Point) -> Vec<usize> {
        let of_kind = |(place, (_, event)): (usize, &(Stamp, Event))| {
            (Point::from(event) == point).then_some(place)
        };
        self.0.iter().enumerate().filter_map(of_kind).collect()
    }

    /// How many events of this kind there are.
    pub fn count(&self, point: Point) -> usize {
        self.places(point).len()
    }

    /// The events of a process between two places.
    pub fn between(
        &self,
        from: usize,
        to: usize,
        process: ProcessId,
    ) -> impl Iterator<Item = &Event> {
        let events = self.0[from..to].iter();
        events.filter(move |(stamp, _)| stamp.process == process).map(|(_, event)| event)
    }

    /// Why attempts of subtasks failed.
    pub fn reasons(&self) -> Vec<&str> {
        self.0
            .iter()
            .filter_map(|(_, event)| match event {
                Event::SubtaskFailed { reason, .. } => Some(reason.as_str()),
                _ => None,
            })
            .collect()
    }
}

/// Where runs come from.
pub struct Bench {
    experiments: Experiments,
}

impl Bench {
    pub fn new() -> Self {
        Self { experiments: Experiments::new() }
    }

    /// A plan of a built-in scenario without its faults.
    pub fn plan(&self, name: &str, seed: u64) -> Plan {
        let shape = scenario::built_in().into_iter().find(|scenario| scenario.name == name);
        let shape = shape.unwrap_or_else(|| panic!("there is no scenario {name:?}"));
        let plan = self.experiments.draw(&shape, seed, DefectSet::NONE).expect("it can be drawn");
        Plan { faults: Vec::new(), lost: Vec::new(), ..plan }
    }

    /// What the job of a plan has that faults can strike.
    pub fn targets(&self, plan: &Plan) -> Targets {
        let prepared = self.experiments.prepare(&plan.job).expect("it was drawn for it");
        Targets::of(prepared.experiment.job.topology(), plan)
    }

    pub fn run(&self, plan: &Plan) -> (Outcome, Seen) {
        let prepared = self.experiments.prepare(&plan.job).expect("it was drawn for it");
        let (outcome, seen) = run_plan(plan, &prepared, WorldKind::Kernel, Seen::default());
        (outcome, seen.unwrap_or_default())
    }

    /// Runs a plan that must hold all oracles, and finish.
    pub fn hold(&self, plan: &Plan) -> (Outcome, Seen) {
        let (outcome, seen) = self.run(plan);
        if !outcome.is_held(plan) {
            panic!("{}\n{}", outcome.verdict, tell(plan, &seen));
        }
        (outcome, seen)
    }

    /// Runs many seeds of a scenario, each under the faults that `faults` makes for its plan; all must
    /// hold, and the class must strike in at least half of them. Hands each run to `check`.
    pub fn strike(
        &self,
        name: &str,
        class: FaultClass,
        faults: impl Fn(u64, &Plan) -> Vec<PlannedFault>,
        mut check: impl FnMut(&Plan, &Seen),
    ) {
        let mut struck = 0;
        for seed in 0..SEEDS {
            let mut plan = self.plan(name, seed);
            plan.faults = faults(seed, &plan);
            let (outcome, seen) = self.hold(&plan);
            struck += u64::from(outcome.statistics.struck(class) > 0);
            check(&plan, &seen);
        }
        assert!(struck * 2 >= SEEDS, "{class} struck in {struck} of {SEEDS} seeds");
    }
}

/// A failing plan, its faults in words, and the end of its trace.
pub fn tell(plan: &Plan, seen: &Seen) -> String {
    let mut told = format!("{}, seed {}\n", plan.scenario, plan.seed);
    for fault in &plan.faults {
        told.push_str(&format!("  {fault}\n"));
    }
    if let Ok(path) = std::env::var("CUTWATER_FAILING_PLAN") {
        std::fs::write(path, plan.to_json()).expect("the failing plan can be written");
    }
    let per_record = |event: &Event| {
        matches!(event, Event::Read { .. } | Event::Sent { .. } | Event::Received { .. })
    };
    let rare: Vec<_> = seen.0.iter().filter(|(_, event)| !per_record(event)).collect();
    for (stamp, event) in rare.iter().skip(rare.len().saturating_sub(60)) {
        told.push_str(&format!("{} {} {}: {event:?}\n", stamp.number, stamp.at, stamp.process));
    }
    told
}

/// A fault at a time.
pub fn at_ms(ms: u64, fault: Fault) -> PlannedFault {
    PlannedFault { when: When::At { us: ms * 1_000 }, fault }
}

/// A fault right after the n-th event of a kind.
pub fn after(point: Point, occurrence: u32, fault: Fault) -> PlannedFault {
    let when = When::Point { point, subtask: None, occurrence, after_restarts: 0 };
    PlannedFault { when, fault }
}
