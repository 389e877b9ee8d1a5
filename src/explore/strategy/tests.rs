use strum::IntoEnumIterator as _;

use super::*;
use crate::explore::{WorldKind, run_plan};
use crate::plan::draw::aim::{Home, can_aim};
use crate::plan::draw::patience;
use crate::plan::scenario::{all, built_in};
use crate::plan::{Fault, FaultClass, Name, Span, When};
use crate::protocol::ordered::{VecMap, VecSet};
use crate::protocol::{ProcessId, Topology};

fn named(name: &str) -> Scenario {
    all().into_iter().find(|scenario| scenario.name == name).expect("it is built in")
}

fn plan(name: StrategyName, scenario: &Scenario, seed: u64, experiments: &Experiments) -> Plan {
    let plan = strategy(name).plan(scenario, seed, DefectSet::NONE, experiments);
    let plan = plan.unwrap_or_else(|error| panic!("{name}, {}, {seed}: {error}", scenario.name));
    plan.unwrap_or_else(|| panic!("{name} has no plan {seed} of {}", scenario.name))
}

/// What is wrong with a plan: what a plan of a file would be refused for.
fn problem(plan: &Plan, topology: &Topology) -> Option<String> {
    let workers = plan.cluster.workers;
    let exists = |process: ProcessId| match process {
        ProcessId::Worker(worker) => worker < workers,
        _ => true,
    };
    let healthy = usize::from(workers).saturating_sub(plan.lost.len());
    if healthy * usize::from(plan.cluster.slots) < topology.subtasks.len() {
        return Some("the healthy workers have no room for the job".to_owned());
    }
    let checkpoints = &plan.cluster.checkpoints;
    let positive = [
        u64::from(plan.cluster.credits),
        checkpoints.concurrent_max.into(),
        checkpoints.timeout_ms,
    ];
    if positive.contains(&0) || checkpoints.retained == 0 || plan.cluster.heartbeat_ms == 0 {
        return Some("a setting is 0".to_owned());
    }
    for planned in &plan.faults {
        let (is_aimable, subtask) = match planned.when {
            When::At { us } => (us <= plan.safety_ms * 1_000, None),
            When::Point { point, subtask, occurrence, .. } => {
                (Home::of(point).is_some() && occurrence > 0, subtask)
            }
        };
        let has_target = match planned.fault {
            Fault::Lose { channel, .. } => channel.index() < topology.channels.len(),
            Fault::Idle { split, .. } => split.index() < usize::from(plan.job.splits),
            Fault::Disconnect { from, to, .. }
            | Fault::Hold { from, to, .. }
            | Fault::HalfOpen { from, to, .. } => exists(from) && exists(to) && from != to,
            _ => {
                let mut fault = planned.fault.clone();
                fault.process_mut().and_then(|process| *process).is_none_or(exists)
            }
        };
        // A job that is rescaled may have more subtasks later.
        let is_rescaled = plan.is_reshaped();
        let has_subtask =
            subtask.is_none_or(|subtask| is_rescaled || subtask.index() < topology.subtasks.len());
        if !is_aimable || !has_target || !has_subtask {
            return Some(format!("{planned:?}"));
        }
    }
    None
}

#[test]
fn plans_are_pure_and_valid() {
    let (one, other) = (Experiments::new(), Experiments::new());
    for name in StrategyName::iter() {
        assert_eq!(strategy(name).name(), name);
        for scenario in built_in() {
            for seed in (0..12).chain([1_000, 4_999]) {
                let plan = plan(name, &scenario, seed, &one);
                let again = self::plan(name, &scenario, seed, &other);
                assert_eq!(plan, again, "{name}, {}, seed {seed}", scenario.name);
                assert_eq!((plan.scenario.as_str(), plan.seed), (scenario.name.as_str(), seed));
                let prepared = one.prepare(&plan.job).expect("its workload exists");
                let problem = problem(&plan, prepared.experiment.job.topology());
                assert_eq!(problem, None, "{name}, {}, seed {seed}", scenario.name);
            }
        }
    }
}

#[test]
fn strategies_find_nothing_where_nothing_is_wrong() {
    let experiments = Experiments::new();
    for name in StrategyName::iter() {
        for scenario in built_in() {
            for seed in 0..4 {
                let plan = plan(name, &scenario, seed, &experiments);
                let prepared = experiments.prepare(&plan.job).expect("its workload exists");
                let (outcome, _) = run_plan(&plan, &prepared, WorldKind::Kernel, ());
                let verdict = &outcome.verdict;
                assert!(
                    outcome.is_held(&plan),
                    "{name}, {}, seed {seed}: {verdict}",
                    scenario.name
                );
            }
        }
    }
}

/// Each class that a strategy draws strikes in one of so many seeds.
fn every_class_strikes(name: StrategyName, scenarios: &[&str], seeds: u64) {
    let experiments = Experiments::new();
    let mut drawn = VecMap::new();
    let mut struck = VecSet::new();
    for scenario in scenarios.iter().map(|name| named(name)) {
        for seed in 0..seeds {
            let plan = plan(name, &scenario, seed, &experiments);
            for planned in &plan.faults {
                let at_worker = planned.class(ProcessId::Worker(0));
                *drawn.entry(at_worker).or_insert(0) += 1;
            }
            let prepared = experiments.prepare(&plan.job).expect("its workload exists");
            let (outcome, _) = run_plan(&plan, &prepared, WorldKind::Kernel, ());
            struck.extend(outcome.statistics.struck.iter().map(|(class, _)| class));
        }
    }
    for (class, drawn) in drawn {
        assert!(
            struck.contains(&class),
            "{name}: {drawn} faults of class {class}, and none struck"
        );
    }
    // A clock that is off from the beginning is off before any point: nothing aims it.
    let is_aiming = matches!(name, StrategyName::Aimed | StrategyName::Exhaustive);
    for class in FaultClass::iter() {
        let is_unowed = class.is_by_name_only() || (is_aiming && class == FaultClass::ClockOffset);
        let is_owed = !is_unowed && name != StrategyName::Random && name != StrategyName::Pct;
        assert!(!is_owed || struck.contains(&class), "{name} never struck with class {class}");
    }
}

#[test]
fn every_class_that_the_scenarios_name_strikes() {
    let names: Vec<Name> = built_in().into_iter().map(|scenario| scenario.name).collect();
    let names: Vec<&str> = names.iter().map(Name::as_str).collect();
    every_class_strikes(StrategyName::Random, &names, 8);
    every_class_strikes(StrategyName::Pct, &names, 16);
}

#[test]
fn every_class_strikes_in_a_swarm() {
    every_class_strikes(StrategyName::Swarm, &["word-count", "bank", "sequence"], 120);
}

#[test]
fn every_class_strikes_where_it_is_aimed() {
    every_class_strikes(StrategyName::Aimed, &["word-count", "bank", "sequence"], 120);
}

#[test]
fn every_class_strikes_in_an_enumeration() {
    const NUMBERS: u64 = 12;
    let experiments = Experiments::new();
    let is_aimed = |class: &FaultClass| *class != FaultClass::ClockOffset;
    for class in FaultClass::iter().filter(is_aimed) {
        let mut scenario = named("word-count");
        scenario.swarm.suppressed = FaultClass::iter().filter(|other| *other != class).collect();
        scenario.swarm.mandatory = [class].into();
        let has_struck = (0..NUMBERS).any(|number| {
            let plan = plan(StrategyName::Exhaustive, &scenario, number, &experiments);
            let prepared = experiments.prepare(&plan.job).expect("its workload exists");
            let (outcome, _) = run_plan(&plan, &prepared, WorldKind::Kernel, ());
            outcome.statistics.struck(class) > 0
        });
        assert!(has_struck, "{class} never struck in {NUMBERS} plans");
    }
}

#[test]
fn the_aimed_strategy_tries_every_cell_before_it_tries_one_again() {
    let (scenario, experiments) = (named("sequence"), Experiments::new());
    let profile = experiments.profiles.of(&scenario, &experiments).expect("it can be drawn");
    let cells = cells::cells(&scenario, &profile);
    let distinct: VecSet<_> = cells.iter().copied().collect();
    assert_eq!(distinct.len(), cells.len());
    assert!(cells.iter().all(|(point, class)| can_aim(*class, *point)));
    assert!(cells.len() > 1_000, "{} cells", cells.len());
    for seed in 0..200 {
        let plan = plan(StrategyName::Aimed, &scenario, seed, &experiments);
        let (point, class) = cells[usize::try_from(seed).expect("small") % cells.len()];
        let is_there = plan.faults.iter().any(|planned| match planned.when {
            When::Point { point: at, .. } if at == point => {
                [ProcessId::Worker(0), ProcessId::Coordinator]
                    .into_iter()
                    .any(|process| planned.class(process) == class)
            }
            _ => false,
        });
        assert!(is_there, "seed {seed}: no {class} at {point} in {:?}", plan.faults);
    }
}

#[test]
fn the_exhaustive_strategy_repeats_nothing_and_ends() {
    let experiments = Experiments::new();
    let mut scenario = named("relay");
    let only = [FaultClass::CrashWorker, FaultClass::DropMessage];
    scenario.swarm.suppressed = FaultClass::iter().filter(|class| !only.contains(class)).collect();
    let count = Exhaustive.count(&scenario, &experiments).expect("it can be drawn");
    let singles = (count * 2).isqrt();
    let mut seen = VecSet::new();
    for number in (0..singles).chain(count - 100..count) {
        let plan = plan(StrategyName::Exhaustive, &scenario, number, &experiments);
        assert_eq!(plan.faults.len(), if number < singles { 1 } else { 2 }, "number {number}");
        assert!(seen.insert(format!("{:?}", plan.faults)), "number {number} is a repetition");
    }
    let beyond = strategy(StrategyName::Exhaustive);
    let beyond = beyond.plan(&scenario, count, DefectSet::NONE, &experiments);
    assert!(beyond.is_ok_and(|plan| plan.is_none()), "there are {count}");
}

#[test]
fn priorities_order_what_processes_send_until_the_faults_end() {
    let (scenario, experiments) = (named("word-count"), Experiments::new());
    let mut changes = 0;
    for seed in 0..20 {
        let plan = plan(StrategyName::Pct, &scenario, seed, &experiments);
        let priorities = &plan.links.priorities;
        let at_first = priorities.iter().filter(|priority| priority.from_us == 0).count();
        assert!(at_first >= 5 + usize::from(plan.cluster.workers), "one for each process");
        changes += priorities.len() - at_first;
        let slowest = priorities.iter().map(|priority| priority.extra_us).max();
        assert!(slowest.is_some_and(|us| us > 0), "{priorities:?}");
        let prepared = experiments.prepare(&plan.job).expect("its workload exists");
        let mut even = plan.clone();
        even.links.priorities.clear();
        let digest = |plan| run_plan(plan, &prepared, WorldKind::Kernel, ()).0.digest;
        assert_ne!(digest(&plan), digest(&even), "seed {seed}: priorities change nothing");
    }
    assert!(changes > 10, "{changes} changes in 20 plans");
}

/// Runs a plan, and holds that it comes to its end with this share of its checkpoints completed.
fn completes_one_checkpoint_in(
    most: u64,
    plan: &Plan,
    strategy: StrategyName,
    experiments: &Experiments,
) {
    let prepared = experiments.prepare(&plan.job).expect("its workload exists");
    let (outcome, _) = run_plan(plan, &prepared, WorldKind::Kernel, ());
    let counts = outcome.statistics;
    let told = format!(
        "{strategy}, {}, seed {}, expiry after {} ms: {} completed, {} aborted",
        plan.scenario,
        plan.seed,
        plan.cluster.checkpoints.timeout_ms,
        counts.completed,
        counts.aborted,
    );
    assert!(outcome.is_held(plan), "{told}: {}", outcome.verdict);
    assert!(counts.aborted < counts.completed * most, "{told}");
}

/// Whatever the scenario's range begins with: where nearly every checkpoint takes longer than it may, the job
/// does not come to its end.
#[test]
fn every_strategy_gives_checkpoints_the_time_that_they_take() {
    let experiments = Experiments::new();
    let mut scenario = named("lossy-requests");
    scenario.checkpoints.timeout_ms = Span::new(1, 400);
    scenario.links.slow = Span::new(1, 1);
    scenario.faults.clear();
    for name in StrategyName::iter() {
        for seed in 0..4 {
            let mut plan = plan(name, &scenario, seed, &experiments);
            plan.faults.clear();
            completes_one_checkpoint_in(20, &plan, name, &experiments);
        }
    }
}

/// Plans that were drawn with a timeout shorter than what a checkpoint took.
#[test]
fn seeds_whose_checkpoints_had_no_time_have_it() {
    let (scenario, experiments) = (named("lossy-requests"), Experiments::new());
    let aimed = [(StrategyName::Aimed, 200_192), (StrategyName::Pct, 200_192)];
    let random = [200_192, 201_910, 501_589].map(|seed| (StrategyName::Random, seed));
    for (name, seed) in aimed.into_iter().chain(random) {
        let plan = plan(name, &scenario, seed, &experiments);
        completes_one_checkpoint_in(40, &plan, name, &experiments);
    }
}

/// A plan of a swarm in which every checkpoint expired before the records ahead of its barriers had gone round.
#[test]
fn barriers_in_a_loop_have_the_time_of_what_goes_round() {
    let (scenario, experiments) = (named("collatz"), Experiments::new());
    let plan = plan(StrategyName::Swarm, &scenario, 9_000_522, &experiments);
    completes_one_checkpoint_in(1, &plan, StrategyName::Swarm, &experiments);
}

#[test]
fn a_timeout_is_raised_within_the_range_of_its_scenario() {
    let experiments = Experiments::new();
    let mut scenario = named("lossy-requests");
    for (least, most) in [(1, 1), (1, 50), (1, 10_000), (5_000, 10_000)] {
        scenario.checkpoints.timeout_ms = Span::new(least, most);
        for seed in 0..20 {
            let plan = plan(StrategyName::Random, &scenario, seed, &experiments);
            let timeout_ms = plan.cluster.checkpoints.timeout_ms;
            assert!((least..=most).contains(&timeout_ms), "seed {seed}: {timeout_ms} ms");
            let is_enough = timeout_ms >= 80 || most < 80;
            assert!(
                is_enough,
                "seed {seed}: {timeout_ms} ms, and a round of messages takes longer"
            );
        }
    }
}

/// Where a checkpoint has no ample time, nobody judges how many complete: too few such plans, and the rule is idle.
#[test]
fn many_plans_give_checkpoints_ample_time() {
    let experiments = Experiments::new();
    let is_ample = |scenario: &Scenario, seed| {
        let plan = plan(StrategyName::Random, scenario, seed, &experiments);
        let prepared = experiments.prepare(&plan.job).expect("its workload exists");
        patience::is_ample(&plan, prepared.experiment.job.topology())
    };
    let steady = named("steady");
    assert!((0..40).all(|seed| is_ample(&steady, seed)), "there is no other reason for it");
    let all = all();
    let ample = all.iter().filter(|scenario| is_ample(scenario, 0)).count();
    assert!(ample * 3 >= all.len(), "{ample} of {}", all.len());
}

/// A sliding window makes five records of one, and a slow channel has few credits: more than the 60 s that their
/// scenarios give.
#[test]
fn a_job_with_a_slow_channel_has_the_time_that_its_records_take() {
    let experiments = Experiments::new();
    for (name, scenario, seed) in [
        (StrategyName::Pct, "rescale-windows", 4_000_520),
        (StrategyName::Random, "nexmark-q5", 4_002_088),
    ] {
        let plan = plan(name, &named(scenario), seed, &experiments);
        assert!(plan.liveness_ms > 120_000, "{scenario}: {} ms", plan.liveness_ms);
        completes_one_checkpoint_in(20, &plan, name, &experiments);
    }
}

/// What goes round through a slow channel lets nothing in, and what waits before the loop holds the barrier up.
#[test]
fn no_channel_is_so_slow_that_no_barrier_gets_through_a_loop() {
    let (scenario, experiments) = (named("savepoints-cyclic"), Experiments::new());
    let plan = plan(StrategyName::Pct, &scenario, 4_001_729, &experiments);
    assert!(plan.links.slow.is_empty(), "{:?}", plan.links.slow);
    completes_one_checkpoint_in(20, &plan, StrategyName::Pct, &experiments);
}

/// With 5 credits over 25 ms, what one line of words makes takes as long as a checkpoint may at most.
#[test]
fn no_channel_is_so_slow_that_what_waits_for_it_outlasts_a_checkpoint() {
    let (scenario, experiments) = (named("lossy-requests"), Experiments::new());
    let plan = plan(StrategyName::Random, &scenario, 5_001_247, &experiments);
    assert!(plan.links.slow.is_empty(), "{:?}", plan.links.slow);
    completes_one_checkpoint_in(20, &plan, StrategyName::Random, &experiments);
}
