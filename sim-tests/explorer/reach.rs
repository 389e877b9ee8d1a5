//! What sweeps reach: never what a rule calls impossible; and a sweep that reaches nothing says so.

use cutwater::protocol::ordered::VecSet;

use cutwater::explore::reach::lives::Step;
use cutwater::explore::reach::{Matrix, SweepReach};
use cutwater::explore::report::unreached;
use cutwater::explore::{Experiments, Outcome, Reach, SweepReport, WorldKind, run_plan};
use cutwater::plan::draw::repertoire::Need;
use cutwater::plan::{Expectation, FaultClass, Plan, Scenario, Situation, Span, scenario};
use cutwater::protocol::DefectSet;
use cutwater::trace::Point;
use strum::EnumCount as _;

/// How many seeds each scenario gets here; a sweep runs more.
const SEEDS: u64 = 20;

/// How many cells all of them reach together. It is a little below what they do reach, and may only grow.
const CELLS_MIN: u64 = 650;

fn named(name: &str) -> Scenario {
    scenario::all().into_iter().find(|scenario| scenario.name == name).expect("it is built in")
}

/// Runs these seeds, each plan changed first.
fn sweep(scenario: &Scenario, seeds: u64, change: impl Fn(&mut Plan)) -> Vec<Outcome> {
    let experiments = Experiments::new();
    let run = |seed| {
        let mut plan = experiments.draw(scenario, seed, DefectSet::NONE).expect("it can be drawn");
        change(&mut plan);
        let prepared = experiments.prepare(&plan.job).expect("the plan was drawn for it");
        run_plan(&plan, &prepared, WorldKind::Kernel, ()).0
    };
    (0..seeds).map(run).collect()
}

fn report(scenario: &Scenario, outcomes: &[Outcome]) -> SweepReport {
    let mut report = SweepReport::new(std::slice::from_ref(scenario));
    let found = &mut report.scenarios[0];
    found.seeds = outcomes.len() as u64;
    for outcome in outcomes {
        found.statistics.add(&outcome.statistics);
        found.reach.add(&outcome.reach);
    }
    report
}

#[test]
fn no_impossible_cell_is_reached() {
    let mut total = Reach::default();
    for scenario in scenario::built_in() {
        let mut own = Reach::default();
        sweep(&scenario, SEEDS, |_| {}).iter().for_each(|outcome| own.add(&outcome.reach));
        assert_no_contradiction(&scenario.name, &own);
        total.add(&own);
    }
    assert_no_contradiction("all scenarios", &total);
    let matrix = Matrix::new(&total, &VecSet::new());
    let coverage = matrix.coverage();
    assert!(coverage.cells_reached >= CELLS_MIN, "{coverage:?}");
    let unpassed = matrix.possible_rows().filter(|row| row.passed == 0).map(|row| row.point);
    assert_eq!(
        unpassed.collect::<Vec<_>>(),
        [],
        "every point that a run can pass, some run passes"
    );
    assert_eq!(total.points().filter(|(point, _)| *point == Point::RunStarted).count(), 1);
}

/// A barrier whose checkpoint is aborted while it waits behind a full receiver, and which leaves all the same: no
/// single point shows it, and it took 19,000 runs of other scenarios to find what was wrong there.
#[test]
fn aborts_under_pressure_come_while_barriers_wait() {
    let mut reach = Reach::default();
    let outcomes = sweep(&named("hybrid-aborts"), SEEDS, |_| {});
    outcomes.iter().for_each(|outcome| reach.add(&outcome.reach));
    for (first, second) in [
        (Step::BarrierSent, Step::SenderAborts),
        (Step::SenderAborts, Step::BarrierReceived),
        (Step::SenderAborts, Step::BarrierOvertook),
        (Step::SenderCaptured, Step::SenderAborts),
    ] {
        assert!(reach.pair(first, second) > 0, "{second} never came behind {first}");
        assert!(reach.pair(first, second) <= SEEDS, "runs are counted");
    }
    for (first, second) in [
        (Step::BarrierReceived, Step::BarrierOvertook),
        (Step::Completed, Step::SenderSnapshot),
        (Step::Completed, Step::Aborted),
    ] {
        assert_eq!(reach.pair(first, second), 0, "{second} behind {first}");
    }
}

/// Neither a cell nor a row that a rule calls impossible for these runs was reached.
fn assert_no_contradiction(name: &str, reach: &Reach) {
    let matrix = Matrix::new(reach, &VecSet::new());
    let wrong: Vec<_> = matrix.contradictions().collect();
    assert!(wrong.is_empty(), "{name}: reached, and called impossible: {wrong:?}");
    let lacks = |(point, _): &(Point, u64)| {
        Need::of(*point).is_some_and(|need| !reach.repertoire().meets(need))
    };
    let wrong: Vec<_> = reach.points().filter(lacks).collect();
    assert!(wrong.is_empty(), "{name}: passed, and called impossible: {wrong:?}");
}

#[test]
fn strikes_are_counted_where_the_statistics_count_them() {
    for outcome in sweep(&named("control-chaos"), SEEDS, |_| {}) {
        let mut by_class = vec![0; FaultClass::COUNT];
        for (cell, count) in outcome.reach.cells() {
            by_class[cell.class as usize] += count;
        }
        let struck = |(class, count): (FaultClass, u64)| (by_class[class as usize], count);
        assert!(outcome.statistics.struck.iter().map(struck).all(|(ours, theirs)| ours == theirs));
        assert_eq!(outcome.reach.point(Point::Completed), outcome.statistics.completed);
    }
}

#[test]
fn a_dead_injector_is_noticed() {
    let mut scenario = named("zombies");
    scenario.faults.retain(|class, _| *class == FaultClass::CrashWorker);
    scenario.faults.insert(FaultClass::CrashWorker, Span::new(1, 1));
    let alive = sweep(&scenario, SEEDS, |_| {});
    assert_eq!(unreached(std::slice::from_ref(&scenario), &report(&scenario, &alive)), []);
    let dead = sweep(&scenario, SEEDS, |plan| plan.faults.clear());
    let missing = unreached(std::slice::from_ref(&scenario), &report(&scenario, &dead));
    assert_eq!(missing.len(), 1, "{missing:?}");
    assert_eq!(missing[0].class, FaultClass::CrashWorker);
}

#[test]
fn an_expectation_that_is_never_met_is_told_after_a_hundred_runs() {
    let mut scenario = named("bank");
    scenario.job.records = Some(Span::new(20, 20));
    let crash = Expectation::Situation(Situation::TwoWorkersDown);
    scenario.sometimes = vec![crash, Expectation::Point(Point::Completed)];
    let quiet = sweep(&scenario, 100, |plan| plan.faults.clear());
    let scenarios = [scenario];
    let told =
        |runs: usize| SweepReach::of(&scenarios, &report(&scenarios[0], &quiet[..runs])).unmet();
    assert_eq!(told(99), []);
    let unmet = told(100);
    assert_eq!(unmet.len(), 1, "{unmet:?}");
    assert_eq!((unmet[0].expectation, unmet[0].runs), (crash, 100));
}

#[test]
fn every_scenario_says_what_it_is_for() {
    for scenario in scenario::all() {
        let expected: VecSet<_> = scenario.sometimes.iter().collect();
        assert!(expected.len() >= 2, "{} expects too little", scenario.name);
        assert_eq!(expected.len(), scenario.sometimes.len(), "{} repeats itself", scenario.name);
    }
}
