//! Random jobs, with loops, under any protocol that they can have, hold all oracles under random plans.
//!
//! A [`spec::JobSpec`] describes a job; [`wiring`] builds it with the job builder, and [`reference`]
//! works out what it must give, by loops that share nothing with the engine. A [`faults`] strategy draws
//! the plan. Cases are drawn from a fixed seed, so that a run of the tests is repeatable;
//! `CUTWATER_GENERATED_SEED` draws others, and `CUTWATER_GENERATED_CASES` more.

mod case;
mod faults;
mod looping;
mod operators;
mod reference;
mod spec;
mod strategy;
mod wiring;

use case::{Reached, check};
use cutwater::plan::FaultClass;
use cutwater::protocol::Protocol;
use strum::IntoEnumIterator as _;

/// How many cases each test draws.
const CASES: u32 = 2_000;

/// How many cases of which each is to be rescaled.
const RESCALED_CASES: u32 = 500;

/// How many in a hundred cases have a rescale; a job that cannot have one refuses it, and goes on.
const RESCALED_PERCENT: u8 = 50;

/// Without faults, every job gives exactly its reference output: what fails here is no matter of recovery.
#[test]
fn jobs_give_their_reference_output_when_nothing_goes_wrong() {
    let reached = check(1, CASES, 0..=0, 0);
    assert_eq!(reached.statistics.restores, 0, "nothing went wrong, and yet an attempt failed");
}

/// Under faults of every class, at times and at protocol points, every oracle holds.
#[test]
fn jobs_hold_all_oracles_under_random_plans() {
    assert_reach(&check(2, CASES, 1..=8, RESCALED_PERCENT), CASES);
}

/// Many faults: attempts seldom get far before the next crash.
#[test]
fn jobs_hold_all_oracles_under_a_hail_of_faults() {
    assert_reach(&check(3, CASES, 10..=25, RESCALED_PERCENT), CASES);
}

/// Each job goes on at another parallelism once, if it can, and its output is still the reference.
#[test]
fn jobs_hold_all_oracles_when_they_are_rescaled() {
    let reached = check(4, RESCALED_CASES, 0..=0, 100);
    let (with_loop, without) = reached.reshaped;
    assert!(without > u64::from(RESCALED_CASES) / 10, "{reached:?}");
    assert!(with_loop > 0, "{reached:?}");
    assert!(reached.refused > 0, "{reached:?}");
}

/// A test that never got to what it is about proves nothing.
fn assert_reach(reached: &Reached, cases: u32) {
    println!("{reached:?}");
    let Reached { statistics, protocols, .. } = reached;
    for class in FaultClass::iter() {
        assert!(statistics.struck(class) > 0, "{class} never struck");
    }
    let cases = u64::from(cases);
    assert!(statistics.restores > cases / 4, "{} restores only", statistics.restores);
    assert!(statistics.aborted > cases / 4, "{} checkpoints aborted only", statistics.aborted);
    for protocol in Protocol::iter() {
        let own = protocols.get(&protocol).copied().unwrap_or_default();
        assert!(own.cases > cases / 40, "{protocol}: {own:?}");
        let has_channel_state = protocol.may_overtake() || protocol == Protocol::Cyclic;
        assert_eq!(own.restores > 0, has_channel_state, "{protocol}: {own:?}");
        assert_eq!(own.cuts > 0, protocol.may_overtake(), "{protocol}: {own:?}");
    }
    assert!(reached.loop_restores > cases / 40, "{} restores of loops only", reached.loop_restores);
    assert!(reached.reshaped.1 > cases / 40, "{:?} rescales only", reached.reshaped);
}
