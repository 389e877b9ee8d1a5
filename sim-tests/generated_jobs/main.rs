//! Random acyclic jobs under random plans hold all oracles.
//!
//! A [`spec::JobSpec`] describes a job; [`wiring`] builds it with the job builder, and [`reference`]
//! works out what it must give, by loops that share nothing with the engine. A [`faults`] strategy draws
//! the plan. Cases are drawn from a fixed seed, so that a run of the tests is repeatable;
//! `CUTWATER_GENERATED_SEED` draws others, and `CUTWATER_GENERATED_CASES` more.

mod case;
mod faults;
mod operators;
mod reference;
mod spec;
mod strategy;
mod wiring;

use case::{Case, check};

/// Without faults, every job gives exactly its reference output: what fails here is no matter of recovery.
#[test]
fn jobs_give_their_reference_output_when_nothing_goes_wrong() {
    check(1, 60, |case: &Case| case.without_faults());
}

/// Under faults of every class, at times and at protocol points, every oracle holds.
#[test]
fn jobs_hold_all_oracles_under_random_plans() {
    check(2, 150, Case::clone);
}

/// Fewer records, more faults: attempts seldom get far before the next crash.
#[test]
fn jobs_hold_all_oracles_under_a_hail_of_faults() {
    check(3, 60, Case::with_doubled_faults);
}
