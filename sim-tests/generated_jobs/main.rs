//! Random acyclic jobs under random plans hold all oracles.
//!
//! A [`spec::JobSpec`] describes a job; [`wiring`] builds it with the job builder, and [`reference`]
//! works out what it must give, by loops that share nothing with the engine. A [`faults`] strategy draws
//! the plan. Cases are drawn from a fixed seed, so that a run of the tests is repeatable;
//! `CUTWATER_GENERATED_SEED` draws others, and `CUTWATER_GENERATED_CASES` more.

mod case;
mod faults;
mod operators;
mod points;
mod reference;
mod spec;
mod strategy;
mod wiring;

use case::check;
use cutwater::explore::Statistics;
use cutwater::plan::FaultClass;
use strum::IntoEnumIterator as _;

/// How many cases each test draws.
const CASES: u32 = 3_000;

/// How many cases with a rescale are drawn, without faults and with.
const RESCALED_CASES: u32 = 500;

/// Without faults, every job gives exactly its reference output: what fails here is no matter of recovery.
#[test]
fn jobs_give_their_reference_output_when_nothing_goes_wrong() {
    let reach = check(1, CASES, 0..=0, false);
    assert_eq!(reach.restores, 0, "nothing went wrong, and yet an attempt failed");
}

/// Under faults of every class, at times and at protocol points, every oracle holds.
#[test]
fn jobs_hold_all_oracles_under_random_plans() {
    assert_reach(&check(2, CASES, 1..=8, false), CASES);
}

/// Many faults: attempts seldom get far before the next crash.
#[test]
fn jobs_hold_all_oracles_under_a_hail_of_faults() {
    assert_reach(&check(3, CASES, 10..=25, false), CASES);
}

/// Each job goes on at another parallelism once, and its output is still the reference.
#[test]
fn jobs_hold_all_oracles_when_they_are_rescaled() {
    let calm = check(4, RESCALED_CASES, 0..=0, true);
    assert!(calm.restores > u64::from(RESCALED_CASES) / 20, "{} rescales only", calm.restores);
    check(5, RESCALED_CASES, 1..=6, true);
}

/// A test that never got to what it is about proves nothing.
fn assert_reach(reach: &Statistics, cases: u32) {
    println!("{reach:?}");
    for class in FaultClass::iter().take_while(|class| *class <= FaultClass::FailingStore) {
        assert!(reach.struck(class) > 0, "{class} never struck");
    }
    assert!(reach.restores > u64::from(cases) / 4, "{} restores only", reach.restores);
    assert!(reach.aborted > u64::from(cases) / 4, "{} checkpoints aborted only", reach.aborted);
}
