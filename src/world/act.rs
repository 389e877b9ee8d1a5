//! What a plan has happen: faults, requests and rescales.

use crate::plan::{Plan, When};
use crate::protocol::VirtualTime;

/// Something that a plan has happen once, by its place in its list of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// A fault strikes.
    Fault(usize),
    /// A request is made.
    Request(usize),
    /// The job is to go on at another parallelism.
    Rescale(usize),
}

impl Act {
    /// All acts of a plan that have a time, in the order in which those of one time happen.
    pub fn timed(plan: &Plan) -> impl Iterator<Item = (VirtualTime, Self)> {
        let acts = faults(plan).chain(requests(plan)).chain(rescales(plan));
        acts.filter_map(|(act, when)| match *when {
            When::At { us } => Some((VirtualTime::from_us(us), act)),
            When::Point { .. } => None,
        })
    }

    /// All acts of a plan, in the order in which those that wait for one event follow it.
    pub fn following(plan: &Plan) -> impl Iterator<Item = (Self, &When)> {
        requests(plan).chain(faults(plan)).chain(rescales(plan))
    }
}

fn faults(plan: &Plan) -> impl Iterator<Item = (Act, &When)> {
    numbered(Act::Fault, plan.faults.iter().map(|planned| &planned.when))
}

fn requests(plan: &Plan) -> impl Iterator<Item = (Act, &When)> {
    numbered(Act::Request, plan.requests.iter().map(|planned| &planned.when))
}

fn rescales(plan: &Plan) -> impl Iterator<Item = (Act, &When)> {
    numbered(Act::Rescale, plan.rescales.iter().map(|planned| &planned.when))
}

fn numbered<'a>(
    act: fn(usize) -> Act,
    planned: impl Iterator<Item = &'a When>,
) -> impl Iterator<Item = (Act, &'a When)> {
    planned.enumerate().map(move |(place, when)| (act(place), when))
}
