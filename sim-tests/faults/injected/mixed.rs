//! Many faults of all classes at once, of anything at any time and at any protocol point.
//!
//! `CUTWATER_FAULT_SEEDS=20000 cargo test --release --test faults mixed` tries more.

use cutwater::plan::draw::{Targets, mixed_faults};
use cutwater::plan::{
    Breadth, Concern, FaultClass, NemesisScenario, Plan, PlannedFault, Span, Stream,
};
use cutwater::protocol::ordered::VecMap;
use strum::IntoEnumIterator as _;

use super::bench::Bench;

const SCENARIOS: [&str; 6] =
    ["sequence", "word-count", "zombies", "uneven-ends", "back-pressure", "flights"];

/// How many faults a plan has at most.
const FAULTS_MAX: u64 = 8;

/// All classes but those after which the end of the job is not owed.
fn classes() -> Vec<FaultClass> {
    FaultClass::iter().filter(|class| !class.loses_for_good()).collect()
}

/// A clock is off by a fifth of a second, or by a day.
fn ranges(plan: &Plan) -> NemesisScenario {
    let clock_step_ms = if plan.seed.is_multiple_of(2) { 200 } else { 100_000_000 };
    NemesisScenario {
        breadth: Breadth::Any,
        window_ms: Span::new(0, plan.safety_ms * 3 / 5),
        down_ms: Span::new(0, 500),
        messages: Span::new(1, 5),
        clock_step_ms: Span::new(1, clock_step_ms),
        clock_drift_ppm: Span::new(1, 800_000),
        ..NemesisScenario::default()
    }
}

fn faults(plan: &Plan, targets: Targets) -> Vec<PlannedFault> {
    let count = 1 + Stream::new(plan.seed, Concern::Faults, u64::MAX).below(FAULTS_MAX);
    mixed_faults(&ranges(plan), targets, &classes(), plan.seed, count)
}

fn seeds() -> u64 {
    let text = std::env::var("CUTWATER_FAULT_SEEDS").ok();
    text.map_or(600, |text| text.parse().expect("CUTWATER_FAULT_SEEDS is a number"))
}

#[test]
fn mixed_faults_hold_all_oracles() {
    let bench = Bench::new();
    let (mut struck, mut restores) = (VecMap::<FaultClass, u64>::new(), 0);
    for seed in 0..seeds() {
        let mut plan = bench.plan(SCENARIOS[seed as usize % SCENARIOS.len()], seed);
        plan.liveness_ms = plan.liveness_ms.max(60_000);
        plan.faults = faults(&plan, bench.targets(&plan));
        let (outcome, _) = bench.hold(&plan);
        for class in classes() {
            *struck.entry(class).or_default() += outcome.statistics.struck(class);
        }
        restores += outcome.statistics.restores;
    }
    let all: u64 = struck.values().sum();
    assert!(all > seeds(), "{all} faults struck");
    assert!(struck.values().all(|struck| *struck > 0), "{struck:?}");
    assert!(restores > seeds() / 3, "{restores} restores");
}
