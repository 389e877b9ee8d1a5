//! Shrinking keeps its word: the result fails the same way, is never larger, is as small as it gets, and
//! does not depend on the number of threads.
//!
//! The properties are shown on made-up failures, which take no time, for plans of every scenario; and on
//! seeded defects, which are what it is for.

use cutwater::explore::Experiments;
use cutwater::explore::shrink::{
    InProcess, Ran, Runner, Shape, ShrinkError, Shrinker, Shrunk, Size, Until,
};
use cutwater::explore::{Signature, WorldKind};
use cutwater::oracle::Kind;
use cutwater::plan::{FaultClass, JobPlan, Latency, Name, Plan, Span, scenario};
use cutwater::protocol::{Defect, DefectSet, ProcessId};
use cutwater::trace::{Event, Stamp};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// A failure that needs just this much of a plan.
#[derive(Clone, Debug)]
struct Needs {
    /// So many faults of the class that the plan has first.
    faults: usize,
    records: u64,
    parallelism: u16,
    workers: u16,
    credits_max: u32,
    /// Channels that take so long or longer, in microseconds.
    latency_us: u64,
    /// At least this, in milliseconds, for its safety phase.
    safety_ms: u64,
}

/// Fails where a plan has what is needed.
struct MadeUp<'a> {
    needs: Needs,
    class: Option<FaultClass>,
    experiments: &'a Experiments,
}

impl MadeUp<'_> {
    fn fails(&self, plan: &Plan) -> bool {
        let needs = &self.needs;
        let class = |planned: &&cutwater::plan::PlannedFault| {
            Some(planned.class(ProcessId::Worker(0))) == self.class
        };
        plan.faults.iter().filter(class).count() >= needs.faults
            && plan.job.records.is_none_or(|records| records >= needs.records)
            && plan.job.parallelism >= needs.parallelism
            && plan.cluster.workers >= needs.workers
            && plan.cluster.credits <= needs.credits_max
            && plan.links.channels.mean_us() >= needs.latency_us
            && plan.safety_ms >= needs.safety_ms
    }
}

impl Runner for MadeUp<'_> {
    fn shape(&self, job: &JobPlan) -> Option<Shape> {
        real(self.experiments, false).shape(job)
    }

    fn run(&self, plan: &Plan) -> Ran {
        let signature = self.fails(plan).then_some(Signature::Violation(Kind::OrphanRecord));
        Ran { signature, ..Ran::default() }
    }

    fn trace(&self, _: &Plan) -> Vec<(Stamp, Event)> {
        Vec::new()
    }
}

fn real(experiments: &Experiments, is_twice: bool) -> InProcess<'_> {
    InProcess { experiments, world: WorldKind::Kernel, is_twice, until: Until::default() }
}

fn shrunk(runner: &dyn Runner, plan: &Plan, jobs: usize) -> Result<Shrunk, ShrinkError> {
    let shrinker = Shrinker { runner, jobs, runs_max: 20_000 };
    shrinker.shrink(plan, &|| false, |_| {})
}

/// What must be so of every result.
fn check(runner: &dyn Runner, plan: &Plan) -> Shrunk {
    let before = runner.run(plan).signature;
    let small = shrunk(runner, plan, 1).expect("it fails");
    assert_eq!(runner.run(&small.plan).signature, before, "it fails as before");
    assert!(small.after <= small.before, "{} is larger than {}", small.after, small.before);
    let shape = runner.shape(&small.plan.job).expect("there is such a job");
    assert_eq!(Size::of(&small.plan, &shape), small.after);
    assert!(small.is_complete);
    let again = shrunk(runner, &small.plan, 1).expect("it fails still");
    assert_eq!(again.plan, small.plan, "shrunk again, it is the same");
    let threaded = shrunk(runner, plan, 3).expect("it fails");
    assert_eq!((threaded.plan, threaded.runs), (small.plan.clone(), small.runs), "on threads");
    small
}

fn drawn(name: &str, seed: u64, defects: DefectSet, experiments: &Experiments) -> Plan {
    let found = scenario::built_in().into_iter().find(|scenario| scenario.name == name);
    let scenario = found.unwrap_or_else(|| panic!("scenario {name:?} is not built in"));
    experiments.draw(&scenario, seed, defects).expect("built-in scenarios can be drawn")
}

#[test]
fn made_up_failures_shrink_to_what_they_need() {
    const CASES: u32 = 24;
    let experiments = Experiments::new();
    let scenarios = scenario::built_in();
    let case = (0..scenarios.len(), 0..50_u64, 0..3_usize, 1..60_u64, 1..3_u16, 1..3_u16);
    let case = (case, 1..64_u32, 0..400_u64);
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, rng);
    let outcome = runner.run(
        &case,
        |((scenario, seed, faults, records, parallelism, workers), credits_max, safety_ms)| {
            let mut plan = experiments
                .draw(&scenarios[scenario], seed, DefectSet::NONE)
                .expect("it can be drawn");
            plan.cluster.credits = plan.cluster.credits.min(credits_max);
            let class = plan.faults.first().map(|planned| planned.class(ProcessId::Worker(0)));
            let latency_us = 0;
            let needs =
                Needs { faults, records, parallelism, workers, credits_max, latency_us, safety_ms };
            let made_up = MadeUp { needs, class, experiments: &experiments };
            if !made_up.fails(&plan) {
                return Ok(());
            }
            let small = check(&made_up, &plan);
            prop_assert_eq!(small.after.faults, faults);
            prop_assert_eq!(small.after.records, records);
            prop_assert_eq!(
                (small.plan.job.parallelism, small.plan.cluster.workers),
                (parallelism, workers)
            );
            // Times are lowered to round ones, and one more or less matters little.
            let found = small.plan.safety_ms;
            prop_assert!((safety_ms..=2 * safety_ms.max(5)).contains(&found), "{found} ms");
            let is_plain = credits_max < 64 || small.plan.cluster.credits == 64;
            prop_assert!(is_plain, "{} credits", small.plan.cluster.credits);
            Ok(())
        },
    );
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

/// Else the plan could not be kept as a test of what was mended: it would fail by being late.
#[test]
fn what_the_engine_holds_with_it_holds_with_when_it_is_small() {
    const LATENCY_US: u64 = 60_000;
    let experiments = Experiments::new();
    let engine = real(&experiments, false);
    let mut small = 0;
    for scenario in scenario::built_in() {
        let mut plan = experiments.draw(&scenario, 0, DefectSet::NONE).expect("it can be drawn");
        plan.links.channels = Latency::Uniform(Span::new(LATENCY_US, LATENCY_US));
        plan.cluster.credits = 1;
        plan.cluster.checkpoints.timeout_ms = 60_000;
        if engine.run(&plan).signature.is_some() {
            continue; // It is late already.
        }
        let needs = Needs {
            faults: 0,
            records: plan.job.records.map_or(20, |records| records.min(20)),
            parallelism: 1,
            workers: plan.cluster.workers.min(2),
            credits_max: 1,
            latency_us: LATENCY_US,
            safety_ms: 0,
        };
        let made_up = MadeUp { needs, class: None, experiments: &experiments };
        let shrunk = shrunk(&made_up, &plan, 1).expect("it fails");
        let ran = engine.run(&shrunk.plan);
        assert_eq!(ran.signature, None, "{}: {:?}", scenario.name, ran.violation);
        small += 1;
    }
    assert!(small > 50, "the engine held with {small} plans only");
}

#[test]
fn seeded_defects_shrink_to_a_few_faults_and_records() {
    let experiments = Experiments::new();
    let runner = real(&experiments, false);
    let table = [
        (Defect::ChannelNotBlocked, "relay", 0),
        (Defect::EarlyAbortForgotten, "storage-trouble", 11),
        (Defect::OlderCheckpointRestored, "word-count", 3),
        (Defect::CommitNotIdempotent, "relay", 0),
    ];
    for (defect, scenario, first) in table {
        let plans = (first..first + 200)
            .map(|seed| drawn(scenario, seed, DefectSet::only(defect), &experiments));
        let plan = plans.into_iter().find(|plan| runner.run(plan).signature.is_some());
        let plan = plan.unwrap_or_else(|| panic!("{defect} is not found"));
        let small = check(&runner, &plan);
        assert!(small.after.faults <= 3 && small.after.records <= 20, "{defect}: {}", small.after);
        let clean = Plan { defects: DefectSet::NONE, ..small.plan };
        assert_eq!(runner.run(&clean).signature, None, "{defect}: it is the defect that fails");
    }
}

#[test]
fn what_differs_between_runs_shrinks_as_well() {
    let experiments = Experiments::new();
    let runner = real(&experiments, true);
    let plan = drawn("word-count", 1, DefectSet::only(Defect::StateLeaksBetweenRuns), &experiments);
    let small = shrunk(&runner, &plan, 2).expect("its runs differ");
    assert_eq!(small.signature, Signature::NotDeterministic);
    assert!(small.after < small.before);
}

#[test]
fn what_holds_is_not_shrunk() {
    let experiments = Experiments::new();
    let runner = real(&experiments, false);
    let plan = drawn("relay", 0, DefectSet::NONE, &experiments);
    assert_eq!(shrunk(&runner, &plan, 1), Err(ShrinkError::Holds));
    let nothing = JobPlan { workload: Name::literal("nothing"), ..plan.job.clone() };
    let plan = Plan { job: nothing, ..plan };
    assert!(matches!(shrunk(&runner, &plan, 1), Err(ShrinkError::NoJob { .. })));
}

#[test]
fn a_budget_ends_it_and_what_was_reached_is_kept() {
    let experiments = Experiments::new();
    let runner = real(&experiments, false);
    let defects = DefectSet::only(Defect::ChannelNotBlocked);
    let plan = drawn("relay", 0, defects, &experiments);
    let results = [1, 2].map(|jobs| {
        let shrinker = Shrinker { runner: &runner, jobs, runs_max: 12 };
        shrinker.shrink(&plan, &|| false, |_| {}).expect("it fails")
    });
    assert_eq!(results[0], results[1], "the budget counts alike on any number of threads");
    let [small, _] = results;
    assert!(!small.is_complete && small.runs <= 12 && small.after < small.before);
    assert_eq!(runner.run(&small.plan).signature, Some(small.signature));
}

#[test]
fn a_liveness_bound_is_never_shorter_than_what_is_owed() {
    let experiments = Experiments::new();
    let runner = real(&experiments, false);
    let defects = DefectSet::only(Defect::RestoredCommittablesDropped);
    let mut plan = drawn("relay", 0, defects, &experiments);
    plan.mailbox_us = Span::new(0, 0);
    let small = shrunk(&runner, &plan, 2).expect("it fails");
    let cluster = &small.plan.cluster;
    let patience = cluster.heartbeat_timeout_ms + cluster.session_timeout_ms;
    assert!(small.plan.liveness_ms > 2 * patience, "{} ms", small.plan.liveness_ms);
}
