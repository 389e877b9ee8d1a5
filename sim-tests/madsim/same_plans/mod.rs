//! The same plans as in the kernel, over simulated TCP.

mod faults;

use std::fs;
use std::ops::{ControlFlow, Range};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::Arc;
use std::thread;

use cutwater::cluster::StoreFault;
use cutwater::cluster::message::Request;
use cutwater::dataflow::replay::Replay;
use cutwater::dataflow::{EncodedSink, Input, JobBuilder};
use cutwater::explore::{Experiments, Outcome, Prepared, WorldKind, run_plan};
use cutwater::oracle::{Verdict, VerdictClass};
use cutwater::plan::{
    Fault, FaultClass, MessageAction, Plan, PlannedFault, Scenario, Span, When, scenario,
};
use cutwater::protocol::{DefectSet, Digest, ProcessId, SavepointMode};
use cutwater::trace::{Event, MessageKind, Point, Stamp};
use cutwater::workload::Experiment;
use cutwater::world::{Observer, madsim};

/// Keeps all events.
#[derive(Default)]
struct Trace(Vec<(Stamp, Event)>);

impl Observer for Trace {
    fn observe(&mut self, stamp: Stamp, event: &Event) -> ControlFlow<()> {
        self.0.push((stamp, event.clone()));
        ControlFlow::Continue(())
    }
}

impl Trace {
    /// The stamps of all events of a kind.
    fn all(&self, point: Point) -> Vec<Stamp> {
        let matches = |(_, event): &&(Stamp, Event)| Point::from(event) == point;
        self.0.iter().filter(matches).map(|(stamp, _)| *stamp).collect()
    }

    /// The events of a process between two events of the trace.
    fn between(&self, process: ProcessId, from: Stamp, to: Stamp) -> usize {
        let within = from.number as usize + 1..to.number as usize;
        self.0[within].iter().filter(|(stamp, _)| stamp.process == process).count()
    }

    /// What was committed, in an order that does not depend on when.
    fn committed(&self) -> Vec<Digest> {
        let mut committed = Vec::new();
        for (_, event) in &self.0 {
            if let Event::TransactionCommitted { records, .. } = event {
                committed.extend(records.iter().map(|record| record.digest));
            }
        }
        committed.sort_unstable();
        committed
    }

    /// Whether the job is stopped at its end: the word to go on can be lost like any other.
    fn is_stopped(&self) -> bool {
        let mut ends = self.0.iter().rev().map(|(_, event)| event);
        let last =
            ends.find(|event| matches!(event, Event::JobStopped { .. } | Event::JobResumed { .. }));
        matches!(last, Some(Event::JobStopped { .. }))
    }
}

fn scenario(name: &str) -> Scenario {
    let named = |scenario: &Scenario| scenario.name == name;
    scenario::built_in().into_iter().find(named).expect("it comes with the program")
}

/// A small plan of the relay, and what it runs.
fn relay(seed: u64) -> (Plan, Prepared) {
    let mut scenario = scenario("relay");
    scenario.job.records = Some(Span::new(600, 600));
    let experiments = Experiments::new();
    let plan = experiments.draw(&scenario, seed, DefectSet::NONE).expect("the relay can be drawn");
    let prepared = experiments.prepare(&plan.job).expect("the relay can be made");
    (plan, prepared)
}

fn run(plan: &Plan, prepared: &Prepared) -> (Outcome, Trace) {
    let (outcome, trace) = run_plan(plan, prepared, WorldKind::Madsim, Trace::default());
    (outcome, trace.unwrap_or_default())
}

/// Runs the relay with this fault alone. The judge compares what was committed with what must be.
fn run_with(when: When, fault: Fault) -> (Outcome, Trace) {
    let (mut plan, prepared) = relay(7);
    plan.faults = vec![PlannedFault { when, fault }];
    let (outcome, trace) = run(&plan, &prepared);
    assert_eq!(outcome.verdict, Verdict::Held, "{:?}", plan.faults);
    (outcome, trace)
}

const WORKER: Option<ProcessId> = Some(ProcessId::Worker(1));

fn at_ms(ms: u64) -> When {
    When::At { us: ms * 1_000 }
}

// ---- determinism

#[test]
fn one_plan_has_one_trace_however_often_and_wherever_it_runs() {
    let digest = |seed| {
        let (plan, prepared) = relay(seed);
        run(&plan, &prepared).0.digest
    };
    let first = digest(3);
    assert_ne!(first, digest(4), "another seed is another run");
    assert_eq!(first, digest(3), "again, after other runs");
    let elsewhere = thread::scope(|scope| {
        let runs = [3, 3].map(|seed| scope.spawn(move || digest(seed)));
        runs.map(|run| run.join().expect("it runs in any thread"))
    });
    assert_eq!(elsewhere, [first.clone(), first.clone()], "in fresh threads, side by side");
    assert_eq!(in_fresh_process("digest_of_a_run"), first, "in a fresh process");
}

/// What one of the ignored tests below says when it runs alone in a process.
fn in_fresh_process(test: &str) -> String {
    let name = format!("same_plans::{test}");
    let this = std::env::current_exe().expect("a test knows its program");
    let arguments = ["--exact", &name, "--ignored", "--nocapture", "--test-threads=1"];
    let output = Command::new(this).args(arguments).output().expect("it can be run again");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = text.lines().find_map(|line| line.split_once("says: "));
    said.unwrap_or_else(|| panic!("{test} says nothing: {text}")).1.to_owned()
}

#[test]
#[ignore = "runs in a process of its own"]
fn digest_of_a_run() {
    let (plan, prepared) = relay(3);
    println!("\nsays: {}", run(&plan, &prepared).0.digest);
}

// ---- faults

#[test]
fn a_crash_silences_a_process_until_it_is_restarted() {
    let crash = Fault::Crash { process: WORKER, restart_after_us: Some(50_000) };
    let (outcome, trace) = run_with(at_ms(300), crash);
    let (crashed, restarted) = (trace.all(Point::Crashed)[0], trace.all(Point::Restarted)[0]);
    assert_eq!(trace.between(ProcessId::Worker(1), crashed, restarted), 0);
    assert!(restarted.at - crashed.at >= std::time::Duration::from_millis(50));
    assert_eq!(outcome.statistics.struck(FaultClass::CrashWorker), 1);
    assert!(trace.all(Point::AttemptStarted).len() > 1, "the job was restarted");
}

#[test]
fn a_crash_at_a_point_drops_what_follows_it_in_the_outbox() {
    for point in [Point::SnapshotTaken, Point::Acknowledged, Point::BarrierReceived] {
        let when = When::Point { point, subtask: None, occurrence: 5, after_restarts: 0 };
        let crash = Fault::Crash { process: None, restart_after_us: Some(30_000) };
        let (_, trace) = run_with(when, crash);
        let (struck, crashed) = (trace.all(point)[4], trace.all(Point::Crashed)[0]);
        assert_eq!((crashed.number, crashed.process), (struck.number + 1, struck.process));
        let restarted = trace.all(Point::Restarted)[0];
        assert_eq!(trace.between(struck.process, crashed, restarted), 0, "after {point}");
    }
}

#[test]
fn a_crash_at_the_acknowledgement_loses_it_and_one_after_it_does_not() {
    let counted = |point| {
        let when = When::Point { point, subtask: None, occurrence: 1, after_restarts: 0 };
        let process = Some(ProcessId::Worker(0));
        let crash = Fault::Crash { process, restart_after_us: Some(30_000) };
        let (_, trace) = run_with(when, crash);
        trace.all(Point::Crashed)[0]
    };
    assert!(counted(Point::Acknowledged).at < counted(Point::AcknowledgementCounted).at);
}

#[test]
fn the_coordinator_crashes_and_reigns_again() {
    let process = Some(ProcessId::Coordinator);
    let crash = Fault::Crash { process, restart_after_us: Some(40_000) };
    let (_, trace) = run_with(at_ms(333), crash);
    assert_eq!(trace.all(Point::LeadershipTaken).len(), 2);
}

#[test]
fn a_paused_process_does_nothing_and_then_all_that_it_missed() {
    let (_, trace) = run_with(at_ms(250), Fault::Pause { process: WORKER, for_us: 120_000 });
    let (paused, resumed) = (trace.all(Point::Paused)[0], trace.all(Point::Resumed)[0]);
    assert_eq!(trace.between(ProcessId::Worker(1), paused, resumed), 0);
    assert_eq!(trace.all(Point::AttemptStarted).len(), 1, "too short for a heartbeat timeout");
}

#[test]
fn a_cut_holds_what_channels_carry_and_connections_are_opened_anew_after_it() {
    for (from, to, both) in [(0, 1, false), (1, 0, false), (0, 1, true)] {
        let (from, to) = (ProcessId::Worker(from), ProcessId::Worker(to));
        let cut = Fault::Disconnect { from, to, both, for_us: 90_000 };
        let (_, trace) = run_with(at_ms(300), cut);
        let directions = 1 + usize::from(both);
        assert_eq!(trace.all(Point::Disconnected).len(), directions);
        assert_eq!(trace.all(Point::Healed).len(), directions);
        assert_eq!(trace.all(Point::AttemptStarted).len(), 1, "no record was lost or doubled");
    }
}

/// Every worker talks to every other, so that acknowledgements are under way when the cut begins:
/// behind them waits the news that a connection is dead.
#[test]
fn what_was_written_while_a_cut_held_up_the_news_of_a_crash_reaches_the_next_life() {
    let mut scenario = scenario("bank");
    (scenario.cluster.workers, scenario.job.parallelism) = (Span::new(3, 3), Span::new(3, 3));
    let (from, to) = (ProcessId::Worker(0), ProcessId::Worker(1));
    let cut = Fault::Disconnect { from, to, both: false, for_us: 640_000 };
    let crash = Fault::Crash { process: Some(from), restart_after_us: Some(140_000) };
    let experiments = Experiments::new();
    for seed in 0..8 {
        let drawn = experiments.draw(&scenario, seed, DefectSet::NONE);
        let mut plan = drawn.expect("the bank can be drawn");
        plan.faults = vec![
            PlannedFault { when: at_ms(270), fault: cut.clone() },
            PlannedFault { when: at_ms(350), fault: crash.clone() },
        ];
        let prepared = experiments.prepare(&plan.job).expect("the bank can be made");
        assert_eq!(run(&plan, &prepared).0.verdict, Verdict::Held, "seed {seed}");
    }
}

#[test]
fn control_messages_are_dropped_delayed_and_doubled() {
    let us = 80_000;
    let actions = [
        (MessageAction::Drop, Point::MessageDropped),
        (MessageAction::Delay { us }, Point::MessageDelayed),
        (MessageAction::Duplicate { us }, Point::MessageDuplicated),
    ];
    for (action, point) in actions {
        for message in [MessageKind::Trigger, MessageKind::Acknowledge, MessageKind::Deploy] {
            let fault = Fault::Message { message, to: None, count: 2, action };
            let (_, trace) = run_with(at_ms(0), fault);
            assert_eq!(trace.all(point).len(), 2, "{message} {action:?}");
        }
    }
}

#[test]
fn stores_are_slow_and_fail_and_recover() {
    let faults = [
        (StoreFault::Slow { extra_ms: 50 }, Point::StoreTroubled),
        (StoreFault::Failing, Point::StoreTroubled),
    ];
    for (fault, point) in faults {
        let process = ProcessId::ObjectStore;
        let (_, trace) = run_with(at_ms(100), Fault::Store { process, fault, for_us: 200_000 });
        assert_eq!(trace.all(point).len(), 1);
        let (recovered, ended) = (trace.all(Point::StoreRecovered), trace.all(Point::FaultsEnded));
        assert!(recovered[0].number < ended.first().map_or(u64::MAX, |ended| ended.number));
    }
}

#[test]
fn what_is_down_when_the_faults_end_is_healed_before_they_have_ended() {
    let (mut plan, prepared) = relay(7);
    let crash = Fault::Crash { process: WORKER, restart_after_us: None };
    let us = plan.safety_ms * 1_000 - 10;
    plan.safety_ms = 400;
    plan.faults = vec![
        PlannedFault { when: at_ms(200), fault: crash.clone() },
        PlannedFault { when: When::At { us: 400_000 - 10 }, fault: crash },
        PlannedFault { when: When::At { us }, fault: Fault::Pause { process: WORKER, for_us: 1 } },
    ];
    let (outcome, trace) = run(&plan, &prepared);
    assert_eq!(outcome.verdict, Verdict::Held);
    let (restarted, ended) = (trace.all(Point::Restarted), trace.all(Point::FaultsEnded));
    assert_eq!((restarted.len(), ended.len()), (1, 1));
    assert!(restarted[0].number < ended[0].number);
    assert!(trace.all(Point::Paused).is_empty(), "no fault strikes after the end");
}

// ---- parity

/// How many seeds of each scenario run in both worlds.
const PARITY_SEEDS: u64 = 14;

#[test]
fn plans_have_the_same_verdict_and_output_in_both_worlds() {
    let (experiments, scenarios) = (Experiments::new(), scenario::built_in());
    let (mut plans, mut compared) = (0, 0);
    for (number, scenario) in scenarios.iter().enumerate() {
        let first = number as u64 * 1_000;
        for seed in first..first + PARITY_SEEDS {
            let plan = experiments.draw(scenario, seed, DefectSet::NONE).expect("it can be drawn");
            let prepared = experiments.prepare(&plan.job).expect("it can be made");
            compared += u64::from(assert_parity(&plan, &prepared));
            plans += 1;
        }
    }
    assert!(plans >= 200, "{plans} plans are too few to say much");
    let compared_percent = compared * 100 / plans;
    assert!(compared_percent >= COMPARED_PERCENT_MIN, "{compared} of {plans} outputs compared");
}

/// Of how many plans in a hundred the outputs are compared at the least: of all but those that stop, drain or
/// destroy.
const COMPARED_PERCENT_MIN: u64 = 70;

/// Whether the outputs could be compared: everywhere, but where the plan itself leaves open what they are.
fn assert_parity(plan: &Plan, prepared: &Prepared) -> bool {
    let run = |world| {
        let (outcome, trace) = run_plan(plan, prepared, world, Trace::default());
        let trace = trace.unwrap_or_default();
        assert!(outcome.is_held(plan), "{} seed {}: {}", plan.scenario, plan.seed, outcome.verdict);
        (outcome.verdict, trace.committed(), trace.is_stopped())
    };
    let (kernel, madsim) = (run(WorldKind::Kernel), run(WorldKind::Madsim));
    let place = format!("{} seed {}", plan.scenario, plan.seed);
    // Whether a store is destroyed before or after the last thing that needs it is a matter of delays,
    // which the worlds draw apart.
    let not_owed = [&kernel.0, &madsim.0].map(|verdict| verdict.class());
    if not_owed.contains(&VerdictClass::NotOwed) {
        return false;
    }
    assert_eq!(kernel.0, madsim.0, "{place}: verdicts differ");
    // What a job has read that is drained, or stopped for good, is a matter of delays as well.
    let ends_early = is_asked_for(plan, SavepointMode::Drain) || kernel.2 || madsim.2;
    let may_stop = [SavepointMode::Stop, SavepointMode::Drain]
        .into_iter()
        .any(|mode| is_asked_for(plan, mode));
    assert!(may_stop || !(kernel.2 || madsim.2), "{place}: stopped, and nobody asked for it");
    assert!(ends_early || kernel.1 == madsim.1, "{place}: outputs differ");
    !ends_early
}

fn is_asked_for(plan: &Plan, mode: SavepointMode) -> bool {
    plan.requests.iter().any(|planned| planned.request == Request::Savepoint { mode })
}

// ---- panics

/// Panics at the first event of a kind.
struct PanicAt(Point);

impl Observer for PanicAt {
    fn observe(&mut self, _: Stamp, event: &Event) -> ControlFlow<()> {
        assert!(Point::from(event) != self.0, "{} was seen", self.0);
        ControlFlow::Continue(())
    }
}

fn message(panic: Box<dyn std::any::Any + Send>) -> String {
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn a_panic_surfaces_with_its_words_and_harms_no_later_run() {
    let (mut plan, prepared) = relay(3);
    let (process, restart_after_us) = (Some(ProcessId::Worker(0)), Some(20_000));
    let fault = Fault::Crash { process, restart_after_us };
    plan.faults = vec![PlannedFault { when: When::At { us: 200_000 }, fault }];
    let clean = run(&plan, &prepared).0.digest;
    let cluster = prepared.cluster(&plan);
    for point in [Point::RunStarted, Point::Triggered, Point::SnapshotTaken, Point::Crashed] {
        let watched = || madsim::run(&plan, &cluster, PanicAt(point));
        let panic = catch_unwind(AssertUnwindSafe(watched)).err().expect("it panics");
        assert_eq!(message(panic), format!("{point} was seen"));
    }
    assert_eq!(run(&plan, &prepared).0.digest, clean);
}

#[test]
fn a_panic_in_a_process_surfaces_with_its_words() {
    let builder = JobBuilder::new("picky");
    let picky = |value: u64| {
        assert!(value != 20, "no twenty, please");
        value
    };
    let source = builder.source("numbers", Replay::<u64>::new(), 1, 1);
    source.map("picky", 1, picky).transactional_sink("out", 1, EncodedSink::new());
    let job = Arc::new(builder.build().expect("it is a job"));
    let entries = (0..40).map(|value: u64| postcard::to_stdvec(&value).expect("a number"));
    let input = Arc::new(Input::new(vec![entries.collect()]));
    let experiment =
        Experiment { job, input, expected: Arc::default(), late: Arc::default(), show: None };
    let (plan, _) = relay(3);
    let (outcome, _) = run(&plan, &Prepared::new(experiment));
    let Verdict::Panicked { message } = &outcome.verdict else { panic!("{:?}", outcome.verdict) };
    assert_eq!(message, "no twenty, please");
}

// ---- leaks

/// What runs may leave behind, all together: less than one run that is not drained.
const GROWTH_KB_MAX: u64 = 400;

#[test]
fn two_hundred_runs_leave_nothing_behind() {
    if resident_kb().is_none() {
        eprintln!("skipped: this system has no /proc/self/statm to read the memory from");
        return;
    }
    let growth = in_fresh_process("growth_over_two_hundred_runs").parse::<u64>();
    let growth = growth.expect("it says a number");
    assert!(growth <= GROWTH_KB_MAX, "200 runs have left {growth} KB behind");
}

#[test]
#[ignore = "runs in a process of its own"]
fn growth_over_two_hundred_runs() {
    let (mut plan, prepared) = small();
    let mut runs = |seeds: Range<u64>| {
        for seed in seeds {
            plan.seed = seed;
            assert_eq!(run(&plan, &prepared).0.verdict, Verdict::Held);
        }
        resident_kb().unwrap_or_default()
    };
    let before = runs(0..50);
    println!("\nsays: {}", runs(50..250).saturating_sub(before));
}

/// A short run with a crash in it.
fn small() -> (Plan, Prepared) {
    let mut scenario = scenario("relay");
    scenario.job.records = Some(Span::new(50, 50));
    scenario.nemesis.window_ms = Span::new(60, 60);
    let experiments = Experiments::new();
    let plan = experiments.draw(&scenario, 1, DefectSet::NONE).expect("the relay can be drawn");
    let prepared = experiments.prepare(&plan.job).expect("the relay can be made");
    (plan, prepared)
}

fn resident_kb() -> Option<u64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    statm.split(' ').nth(1)?.parse::<u64>().ok().map(|pages| pages * 4)
}
