//! Oracles: each judges one property of a run, from its trace and nothing else.
//!
//! [`Judge`] holds all of them, in the order of the list at the end of this file: [`observe`](Judge::observe) every event in order, then
//! [`finish`](Judge::finish) for the [`Verdict`]. Nothing is kept of the trace itself, so that a sweep
//! needs none, and a trace from anywhere will do: an event that does not fit the topology is a
//! violation, never a panic. Events of attempts that are over are legal and change nothing, but where
//! an oracle is about them.

mod causes;
mod conservation;
mod course;
mod cut;
mod durability;
mod event_time;
mod findings;
mod judge;
mod kind;
mod lifecycle;
mod liveness;
mod oracles;
mod order;
mod output;
mod ownership;
mod recovery;
mod reference;
mod shape;
mod splits;
mod state;
mod stopped_world;
mod termination;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod vector_clock;
mod verdict;

pub use judge::Judge;
pub use kind::{Kind, OracleName};
pub use reference::{DigestHasher, Reference};
pub use verdict::{End, Loss, Names, Verdict, VerdictClass, Violation, Violations};

use strum::EnumCount as _;

use self::course::Fact;
use self::oracles::{Oracle as _, oracles};
use self::shape::Scene;
use crate::trace::{Event, Point};

oracles! {
    durability: durability::DurabilityOracle,
    recovery: recovery::RecoveryOracle,
    order: order::OrderOracle,
    causes: causes::CausesOracle,
    lifecycle: lifecycle::LifecycleOracle,
    cut: cut::CutOracle,
    vector_clock: vector_clock::VectorClockOracle,
    splits: splits::SplitsOracle,
    state: state::StateOracle,
    event_time: event_time::EventTimeOracle,
    conservation: conservation::ConservationOracle,
    ownership: ownership::OwnershipOracle,
    output: output::OutputOracle,
    termination: termination::TerminationOracle,
    stopped_world: stopped_world::StoppedWorldOracle,
    liveness: liveness::LivenessOracle,
}
