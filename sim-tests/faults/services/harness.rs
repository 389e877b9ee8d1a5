//! What tests of troubles need: many seeds of a scenario with faults made by hand, and what was seen.

use std::ops::{ControlFlow, Range};

use cutwater::cluster::{SinkFault, StoreFault};
use cutwater::explore::{Experiments, Outcome, WorldKind, run_plan};
use cutwater::oracle::VerdictClass;
use cutwater::plan::{Fault, FaultClass, Plan, PlannedFault, Scenario, When, scenario};
use cutwater::protocol::{DefectSet, ProcessId, VirtualTime};
use cutwater::trace::{Event, Point, SinkTrouble, Stamp, StoreTrouble};
use cutwater::world::Observer;

/// What was seen of a run, but for what channels carry.
#[derive(Default)]
pub struct Seen(pub Vec<(VirtualTime, Event)>);

impl Observer for Seen {
    fn observe(&mut self, stamp: Stamp, event: &Event) -> ControlFlow<()> {
        if !matches!(event, Event::Sent { .. } | Event::Received { .. }) {
            self.0.push((stamp.at, event.clone()));
        }
        ControlFlow::Continue(())
    }
}

impl Seen {
    pub fn count(&self, is_meant: impl Fn(&Event) -> bool) -> usize {
        self.0.iter().filter(|(_, event)| is_meant(event)).count()
    }

    /// Where the events lie between one that begins something and the next that ends it.
    pub fn spans(
        &self,
        begins: impl Fn(&Event) -> bool,
        ends: impl Fn(&Event) -> bool,
    ) -> Vec<Range<usize>> {
        let mut spans = Vec::new();
        let mut begin = None;
        for (index, (_, event)) in self.0.iter().enumerate() {
            if let Some(first) = begin
                && ends(event)
            {
                spans.push(first..index);
                begin = None;
            }
            if begins(event) {
                begin = Some(index + 1);
            }
        }
        spans.extend(begin.map(|first| first..self.0.len()));
        spans
    }

    pub fn in_trouble(&self, which: ProcessId, what: StoreTrouble) -> Vec<Range<usize>> {
        let troubled = |event: &Event| matches!(event, Event::StoreTroubled { process, trouble } if *process == which && *trouble == what);
        let over = |event: &Event| matches!(event, Event::StoreRecovered { process } | Event::StoreTroubled { process, .. } if *process == which);
        self.spans(troubled, over)
    }

    pub fn sink_in_trouble(&self, what: SinkTrouble) -> Vec<Range<usize>> {
        let troubled = |event: &Event| *event == Event::SinkTroubled { trouble: what };
        let over =
            |event: &Event| matches!(event, Event::SinkRecovered | Event::SinkTroubled { .. });
        self.spans(troubled, over)
    }

    /// How many such events lie within these spans.
    pub fn within(&self, spans: &[Range<usize>], is_meant: impl Fn(&Event) -> bool) -> usize {
        let events = spans.iter().flat_map(|span| &self.0[span.clone()]);
        events.filter(|(_, event)| is_meant(event)).count()
    }
}

/// What many seeds of a scenario did under faults made by hand.
pub struct Trial {
    pub runs: Vec<(Plan, Outcome, Seen)>,
}

impl Trial {
    /// `seeds` plans of a scenario, each with more faults.
    pub fn run(name: &str, seeds: u64, more: impl Fn(u64) -> Vec<PlannedFault>) -> Self {
        Self::run_with(&built_in(name), seeds, |seed, plan| plan.faults.extend(more(seed)))
    }

    pub fn run_with(scenario: &Scenario, seeds: u64, change: impl Fn(u64, &mut Plan)) -> Self {
        let experiments = Experiments::new();
        let run = |seed| {
            let drawn = experiments.draw(scenario, seed, DefectSet::NONE);
            let mut plan = drawn.expect("built-in scenarios can be drawn");
            change(seed, &mut plan);
            let prepared = experiments.prepare(&plan.job).expect("it was drawn for it");
            let (outcome, seen) = run_plan(&plan, &prepared, WorldKind::Kernel, Seen::default());
            let text = &outcome.verdict;
            assert!(outcome.is_held(&plan), "seed {seed}: {text}\n{:#?}", plan.faults);
            (plan, outcome, seen.expect("it did not panic"))
        };
        Self { runs: (0..seeds).map(run).collect() }
    }

    /// How often a class struck, which must be in most runs.
    pub fn assert_struck(&self, class: FaultClass) {
        let struck =
            self.runs.iter().filter(|(_, outcome, _)| outcome.statistics.struck(class) > 0);
        let (struck, runs) = (struck.count(), self.runs.len());
        assert!(struck * 2 > runs, "{class} struck in {struck} of {runs} runs");
    }

    pub fn assert_all_held(&self) {
        for (plan, outcome, _) in &self.runs {
            assert_eq!(outcome.verdict.class(), VerdictClass::Held, "seed {}", plan.seed);
        }
    }

    pub fn sum(&self, count: impl Fn(&Seen) -> usize) -> usize {
        self.runs.iter().map(|(_, _, seen)| count(seen)).sum()
    }
}

pub fn built_in(name: &str) -> Scenario {
    let found = scenario::built_in().into_iter().find(|scenario| scenario.name == name);
    found.unwrap_or_else(|| panic!("{name:?} is built in"))
}

pub const SEEDS: u64 = 60;

pub fn at(ms: u64, fault: Fault) -> PlannedFault {
    PlannedFault { when: When::At { us: ms * 1_000 }, fault }
}

pub fn behind(point: Point, occurrence: u32, fault: Fault) -> PlannedFault {
    let when = When::Point { point, subtask: None, occurrence, after_restarts: 0 };
    PlannedFault { when, fault }
}

pub fn objects(fault: StoreFault, for_ms: u64) -> Fault {
    Fault::Store { process: ProcessId::ObjectStore, fault, for_us: for_ms * 1_000 }
}

pub fn meta(fault: StoreFault, for_ms: u64) -> Fault {
    Fault::Store { process: ProcessId::MetaStore, fault, for_us: for_ms * 1_000 }
}

pub fn sink(fault: SinkFault, for_ms: u64) -> Fault {
    Fault::Sink { fault, for_us: for_ms * 1_000 }
}

pub fn crash(process: ProcessId, down_ms: u64) -> Fault {
    Fault::Crash { process: Some(process), restart_after_us: Some(down_ms * 1_000) }
}

/// Some time in which the job runs, another one for each seed.
pub fn some_ms(seed: u64) -> u64 {
    60 + seed * 37 % 500
}
