//! How many steps a number takes to 1, if it is halved while it is even and else tripled, plus one: two nested
//! loops.
//!
//! The inner loop halves, the outer one triples; every step goes round one of them. Numbers do not meet, so
//! the output is a multiset. Unlike in most jobs, nearly all that is in flight is on back edges.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::draw::Draw;
use super::records::Records;
use super::{Build, Experiment, Workload, WorkloadError, WorkloadSettings, encoded};
use crate::dataflow::{EncodedSink, Input, JobBuilder};

pub(super) const WORKLOAD: Workload = Workload {
    name: Cow::Borrowed("collatz"),
    about: Cow::Borrowed(
        "steps to 1 of the rule n/2 or 3n+1: two nested loops, and most records on their back edges",
    ),
    unit: Cow::Borrowed("numbers"),
    records_usual: 500,
    records_max: 10_000_000,
    single_split: false,
    build: Build::Function(build),
};

/// The largest number to begin with; below it the longest way has 24 steps.
const NUMBER_MAX: u64 = 26;

/// A number on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Walk {
    begun: u64,
    number: u64,
    steps: u32,
}

impl Walk {
    fn stepped(self, number: u64) -> Self {
        Self { number, steps: self.steps + 1, ..self }
    }

    fn is_even(&self) -> bool {
        self.number.is_multiple_of(2)
    }
}

fn build(settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
    let count = settings.records.unwrap_or(WORKLOAD.records_usual);
    let mut draw = Draw::new(&WORKLOAD.name, settings.seed);
    let numbers: Vec<u64> = (0..count).map(|_| 1 + draw.below(NUMBER_MAX)).collect();
    let input = Input::dealt_as(numbers.iter().map(encoded), settings.splits, settings.deal);
    Experiment::new(&job(settings), input, &reference(&numbers))
}

fn job(settings: &WorkloadSettings) -> JobBuilder {
    let parallelism = settings.parallelism;
    let job = JobBuilder::new(&WORKLOAD.name);
    let tripled = job.feedback::<Walk>("tripled");
    let halved = job.feedback::<Walk>("halved");
    let walks = job
        .source("numbers", Records::<u64>::new(), parallelism, settings.splits)
        .map("begin", parallelism, |begun| Walk { begun, number: begun, steps: 0 })
        .merge("outer", parallelism, &tripled.stream().rebalance())
        .merge("inner", parallelism, &halved.stream());
    let even = walks.filter("even", parallelism, Walk::is_even);
    halved.close(&even.map("halve", parallelism, |walk| walk.stepped(walk.number / 2)));
    let odd = walks.filter("odd", parallelism, |walk| !walk.is_even());
    let unfinished = odd.filter("unfinished", parallelism, |walk| walk.number > 1);
    tripled.close(&unfinished.map("triple", parallelism, |walk| walk.stepped(3 * walk.number + 1)));
    odd.filter("one", parallelism, |walk| walk.number == 1)
        .map("steps", parallelism, |walk| (walk.begun, walk.steps))
        .transactional_sink("walks", parallelism, EncodedSink::new());
    job
}

/// Each number with its steps.
fn reference(numbers: &[u64]) -> Vec<(u64, u32)> {
    let steps = |begun: &u64| {
        let (mut number, mut steps) = (*begun, 0);
        while number != 1 {
            number = if number & 1 == 0 { number >> 1 } else { number + number + number + 1 };
            steps += 1;
        }
        (*begun, steps)
    };
    numbers.iter().map(steps).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_walks_have_as_many_steps() {
        assert_eq!(reference(&[1, 2, 3, 7, 25]), [(1, 0), (2, 1), (3, 7), (7, 16), (25, 23)]);
        let all: Vec<u64> = (1..=NUMBER_MAX).collect();
        assert!(reference(&all).iter().all(|(_, steps)| *steps <= 24));
    }
}
