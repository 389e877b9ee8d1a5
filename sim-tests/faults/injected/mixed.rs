//! Many faults of all classes at once, at times and at protocol points.
//!
//! `CUTWATER_FAULT_SEEDS=20000 cargo test --release --test faults mixed` tries more.

use cutwater::plan::draw::{FaultDraw, Targets};
use cutwater::plan::{Concern, FaultClass, NemesisScenario, Plan, PlannedFault, Span, Stream};
use strum::IntoEnumIterator as _;

use super::bench::Bench;

const SCENARIOS: [&str; 6] =
    ["sequence", "word-count", "zombies", "uneven-ends", "back-pressure", "flights"];

/// How many faults a plan has at most.
const FAULTS_MAX: u64 = 8;

/// Any classes but those after which the end of the job is not owed.
fn faults(plan: &Plan, targets: Targets) -> Vec<PlannedFault> {
    let classes: Vec<_> = FaultClass::iter().filter(|class| !class.loses_for_good()).collect();
    let window_ms = Span::new(0, plan.safety_ms * 3 / 5);
    let ranges = NemesisScenario { window_ms, ..NemesisScenario::default() };
    let mut choice = Stream::new(plan.seed, Concern::Faults, u64::MAX);
    let count = 1 + choice.below(FAULTS_MAX);
    let draw = |number| {
        let class = *choice.pick(&classes).expect("there are classes");
        let stream = Stream::new(plan.seed, Concern::Faults, number);
        FaultDraw::new(&ranges, targets, stream).fault(class, None)
    };
    (0..count).flat_map(draw).collect()
}

fn seeds() -> u64 {
    let text = std::env::var("CUTWATER_FAULT_SEEDS").ok();
    text.map_or(600, |text| text.parse().expect("CUTWATER_FAULT_SEEDS is a number"))
}

#[test]
fn mixed_faults_hold_all_oracles() {
    let bench = Bench::new();
    let (mut struck, mut restores) = (0, 0);
    for seed in 0..seeds() {
        let mut plan = bench.plan(SCENARIOS[seed as usize % SCENARIOS.len()], seed);
        plan.liveness_ms = plan.liveness_ms.max(60_000);
        plan.faults = faults(&plan, bench.targets(&plan));
        let (outcome, _) = bench.hold(&plan);
        struck += FaultClass::iter().map(|class| outcome.statistics.struck(class)).sum::<u64>();
        restores += outcome.statistics.restores;
    }
    assert!(struck > seeds(), "{struck} faults struck");
    assert!(restores > seeds() / 3, "{restores} restores");
}
