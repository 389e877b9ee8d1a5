//! One case: a job and a plan; how it is run, and what is told of one that fails.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::ops::{ControlFlow, RangeInclusive};
use std::sync::Arc;

use cutwater::explore::{Outcome, Prepared, Statistics, WorldKind, run_plan};
use cutwater::plan::Plan;
use cutwater::protocol::Protocol;
use cutwater::trace::{Event, Point, Stamp};
use cutwater::workload::Experiment;
use cutwater::world::Observer;
use proptest::strategy::Strategy as _;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use super::faults::{DraftPlan, draft_plan};
use super::reference;
use super::spec::JobSpec;
use super::strategy::{Draft, draft};
use super::wiring;

/// A job and a plan, as drawn.
#[derive(Clone, Debug)]
struct Case {
    draft: Draft,
    plan: DraftPlan,
}

/// How many of the last events are told of a failure.
const TAIL_EVENTS_MAX: usize = 60;

/// How many smaller cases are tried. One of a job that never finishes takes a second, and there are many.
const SHRINKS_MAX: u32 = 600;

impl Case {
    fn spec(&self) -> JobSpec {
        JobSpec::of(&self.draft)
    }

    fn prepare(&self) -> (Prepared, Plan) {
        let spec = self.spec();
        let job = wiring::job(&spec, &self.plan.checkpoints(spec.protocol));
        let plan = self.plan.settle(job.topology(), spec.protocol, spec.entries_of_busiest());
        let encode = |row| postcard::to_stdvec(row).expect("a row is plain data");
        let expected = reference::expected(&spec).iter().map(encode).collect();
        let experiment = Experiment {
            job: Arc::new(job),
            input: Arc::new(wiring::input(&spec)),
            expected: Arc::new(expected),
            late: Arc::default(),
            show: None,
        };
        (Prepared::new(experiment), plan)
    }

    fn run(&self) -> (Plan, Outcome) {
        let (prepared, plan) = self.prepare();
        let outcome = run_plan(&plan, &prepared, WorldKind::Kernel, ()).0;
        (plan, outcome)
    }

    /// Everything that is needed to understand a failure.
    fn tell(&self) -> String {
        let (prepared, plan) = self.prepare();
        let (outcome, tail) = run_plan(&plan, &prepared, WorldKind::Kernel, Tail::default());
        let mut told = format!("{}\n", outcome.verdict);
        for violation in outcome.verdict.violations() {
            let _ = writeln!(told, "  {violation}");
        }
        let _ = writeln!(told, "job: {:#?}", self.spec());
        let topology = prepared.experiment.job.topology();
        for channel in topology.channel_ids() {
            let _ = writeln!(told, "{channel} is {}", topology.channel_name(channel));
        }
        let _ = writeln!(told, "plan: {}", plan.to_json());
        for event in tail.map(|tail| tail.events).unwrap_or_default() {
            let _ = writeln!(told, "{event}");
        }
        told
    }
}

/// Keeps the last events, written down; `CUTWATER_TRACE` asks for all but those per record.
#[derive(Default)]
struct Tail {
    events: VecDeque<String>,
}

impl Observer for Tail {
    fn observe(&mut self, stamp: Stamp, event: &Event) -> ControlFlow<()> {
        let all = std::env::var_os("CUTWATER_TRACE").is_some();
        if all && matches!(event, Event::Read { .. } | Event::Sent { .. } | Event::Received { .. })
        {
            return ControlFlow::Continue(());
        }
        if !all && self.events.len() == TAIL_EVENTS_MAX {
            self.events.pop_front();
        }
        self.events
            .push_back(format!("{} {} {}: {event:?}", stamp.number, stamp.at, stamp.process));
        ControlFlow::Continue(())
    }
}

fn number_from(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is {text:?}, expected a number")))
}

/// What the cases of one protocol did.
#[derive(Clone, Copy, Debug, Default)]
pub struct OfProtocol {
    pub cases: u64,
    /// Those in which what was in flight was restored.
    pub restores: u64,
    /// Those in which a barrier cut within a record.
    pub cuts: u64,
}

/// What all cases together did.
#[derive(Debug, Default)]
pub struct Reached {
    pub statistics: Statistics,
    /// By protocol.
    pub protocols: BTreeMap<Protocol, OfProtocol>,
    /// Restores of jobs with a loop.
    pub loop_restores: u64,
    /// Jobs with a loop that went on at another parallelism, and others.
    pub reshaped: (u64, u64),
    /// Jobs that were not to be rescaled.
    pub refused: u64,
}

impl Reached {
    fn add(&mut self, spec: &JobSpec, outcome: &Outcome) {
        let Outcome { statistics, reach, .. } = outcome;
        self.statistics.add(statistics);
        let of_protocol = self.protocols.entry(spec.protocol).or_default();
        of_protocol.cases += 1;
        of_protocol.restores += u64::from(reach.point(Point::ChannelStateRestored) > 0);
        of_protocol.cuts += u64::from(reach.point(Point::RecordCut) > 0);
        let reshaped = u64::from(reach.point(Point::Reshaped) > 0);
        if spec.has_loop() {
            self.loop_restores += statistics.restores;
            self.reshaped.0 += reshaped;
        } else {
            self.reshaped.1 += reshaped;
        }
        self.refused += u64::from(reach.point(Point::RescaleRefused) > 0);
    }
}

/// Draws cases with so many faults each, of which so many in a hundred are to be rescaled, and panics with the
/// smallest one that does not hold; else says what all of them together did.
pub fn check(
    stream: u8,
    cases: u32,
    faults: RangeInclusive<usize>,
    rescaled_percent: u8,
) -> Reached {
    let seed = number_from("CUTWATER_GENERATED_SEED").unwrap_or(0);
    let cases = number_from("CUTWATER_GENERATED_CASES").map_or(cases, |cases| cases as u32);
    let mut bytes = [stream; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: SHRINKS_MAX,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let strategy = (draft(), draft_plan(faults, rescaled_percent));
    let strategy = strategy.prop_map(|(draft, plan)| Case { draft, plan });
    let reach = RefCell::new(Reached::default());
    let outcome = TestRunner::new_with_rng(config, rng).run(&strategy, |case| {
        let (plan, outcome) = case.run();
        reach.borrow_mut().add(&case.spec(), &outcome);
        let is_held = outcome.is_held(&plan);
        if is_held { Ok(()) } else { Err(TestCaseError::fail(outcome.verdict.to_string())) }
    });
    match outcome {
        Ok(()) => reach.into_inner(),
        Err(TestError::Fail(_, case)) => panic!("{}", case.tell()),
        Err(TestError::Abort(reason)) => panic!("no cases could be drawn: {reason}"),
    }
}
