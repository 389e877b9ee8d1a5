//! Every built-in scenario holds all oracles in the kernel, under a few seeds each.

use std::fmt::Write as _;

use cutwater::cluster::message::Request;
use cutwater::explore::{Experiments, WorldKind, run_plan};
use cutwater::plan::{Scenario, Span, scenario};
use cutwater::protocol::{DefectSet, SavepointMode};
use cutwater::world::{Ending, Kernel};

/// How many seeds each scenario gets here; a sweep runs more.
const SEEDS: u64 = 10;

/// What to tell of a scenario's failing seeds: each with the one command that shows it again.
fn failures_of(scenario: &Scenario, experiments: &Experiments) -> String {
    let mut told = String::new();
    for seed in 0..SEEDS {
        let plan = match experiments.draw(scenario, seed, DefectSet::NONE) {
            Ok(plan) => plan,
            Err(error) => return format!("{}: seed {seed}: {error}\n", scenario.name),
        };
        let prepared = experiments.prepare(&plan.job).expect("the plan was drawn for it");
        let (outcome, ()) = match run_plan(&plan, &prepared, WorldKind::Kernel, ()) {
            (outcome, Some(())) if outcome.is_held(&plan) => continue,
            (outcome, _) => (outcome, ()),
        };
        let _ = writeln!(
            told,
            "{}: {}\n  cargo run --release -- run {} --seed {seed}",
            scenario.name, outcome.verdict, scenario.name
        );
    }
    told
}

#[test]
fn every_built_in_scenario_holds() {
    let scenarios = scenario::built_in();
    assert!(!scenarios.is_empty(), "no scenario is built in");
    let experiments = Experiments::new();
    let told: String = scenarios.iter().map(|each| failures_of(each, &experiments)).collect();
    assert!(told.is_empty(), "\n{told}");
}

/// Of how many checkpoints one completes at the least, where nothing goes wrong.
const CHECKPOINTS_PER_COMPLETION: u64 = 20;

const DRAIN: Request = Request::Savepoint { mode: SavepointMode::Drain };

/// A plan in which nearly every checkpoint expires, as it takes longer than it may, violates liveness by
/// chance alone: in one world, or on one day.
#[test]
fn every_scenario_leaves_its_checkpoints_the_time_they_take() {
    let experiments = Experiments::new();
    for mut scenario in scenario::built_in() {
        let (timeout_ms, parallelism) = (scenario.checkpoints.timeout_ms, scenario.job.parallelism);
        scenario.checkpoints.timeout_ms = Span::new(timeout_ms.min, timeout_ms.min);
        scenario.job.parallelism = Span::new(parallelism.max, parallelism.max);
        scenario.faults.clear();
        scenario.rescale = None;
        let plan = experiments.draw(&scenario, 1, DefectSet::NONE).expect("it can be drawn");
        let prepared = experiments.prepare(&plan.job).expect("the plan was drawn for it");
        let (outcome, _) = run_plan(&plan, &prepared, WorldKind::Kernel, ());
        let counts = outcome.statistics;
        let told = format!(
            "{}: {} completed, {} aborted",
            plan.scenario, counts.completed, counts.aborted
        );
        assert!(outcome.is_held(&plan), "{told}: {}", outcome.verdict);
        // What is drained at once completes its savepoint, and begins no checkpoint.
        let is_drained = plan.requests.iter().any(|it| it.request == DRAIN) && counts.aborted == 0;
        let is_enough = counts.completed * CHECKPOINTS_PER_COMPLETION > counts.aborted;
        assert!(is_enough || is_drained, "{told}");
    }
}

#[test]
fn names_of_scenarios_differ() {
    let mut names: Vec<_> = scenario::built_in().into_iter().map(|each| each.name).collect();
    names.sort();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count, "two scenarios have one name");
}

#[test]
fn a_run_that_goes_round_in_circles_is_given_up() {
    let experiments = Experiments::new();
    let first = scenario::built_in().into_iter().next().expect("there is a first scenario");
    let plan = experiments.draw(&first, 1, DefectSet::NONE).expect("it can be drawn");
    let prepared = experiments.prepare(&plan.job).expect("the plan was drawn for it");
    let cluster = prepared.cluster(&plan);
    let (end, ..) = Kernel::new(&plan, &cluster, ()).with_steps_max(1_000).run();
    assert_eq!((end.ending, end.steps), (Ending::StepLimit, 1_000));
    let (end, ..) = Kernel::new(&plan, &cluster, ()).run();
    assert_eq!(end.ending, Ending::Finished, "the same run ends of itself when it may");
}
