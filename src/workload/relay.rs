//! The cheapest job that still has parallel paths: numbers, two or more stateless maps, one sink.
//!
//! It measures the engine, not the job. Each number gives one output that depends on it alone, so that
//! the output is a multiset whatever the order.

use std::borrow::Cow;

use super::draw::Draw;
use super::records::Records;
use super::{Build, Experiment, Workload, WorkloadError, WorkloadSettings, encoded};
use crate::dataflow::{EncodedSink, Input, JobBuilder, Stream};

/// The benchmark's size.
const RECORDS: u64 = 2_000;

pub(super) const WORKLOAD: Workload = Workload {
    name: Cow::Borrowed("relay"),
    about: Cow::Borrowed(
        "numbers through parallel stateless maps into one sink: as cheap as a job can be, for measuring",
    ),
    unit: Cow::Borrowed("numbers"),
    records_usual: RECORDS,
    records_max: 10_000_000,
    single_split: true,
    build: Build::Function(|settings| {
        let job = JobBuilder::new(&WORKLOAD.name);
        tripled(&job, settings).transactional_sink("out", 1, EncodedSink::new());
        job.fix("out");
        build(&job, settings)
    }),
};

/// The same, into a sink that writes at once.
pub(super) const AT_LEAST_ONCE: Workload = Workload {
    name: Cow::Borrowed("relay-at-least-once"),
    about: Cow::Borrowed(
        "the relay into a sink without transactions: nothing may be missing, and some of it seen twice",
    ),
    unit: Cow::Borrowed("numbers"),
    records_usual: RECORDS,
    records_max: 10_000_000,
    single_split: true,
    build: Build::Function(|settings| {
        let job = JobBuilder::new(&AT_LEAST_ONCE.name);
        tripled(&job, settings).at_least_once_sink("out", 1, EncodedSink::new());
        job.fix("out");
        build(&job, settings)
    }),
};

fn build(job: &JobBuilder, settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
    let numbers = numbers(settings.records.unwrap_or(RECORDS), settings.seed);
    let input = Input::dealt(numbers.iter().map(encoded), settings.splits);
    Experiment::new(job, input, &reference(&numbers))
}

/// Everything but the sink.
fn tripled(job: &JobBuilder, settings: &WorkloadSettings) -> Stream<u64> {
    let numbers = job.source("numbers", Records::<u64>::new(), 1, settings.splits);
    job.fix("numbers");
    numbers
        .rebalance()
        .map("map", settings.parallelism, |number: u64| number.wrapping_mul(3))
        .rebalance()
}

fn numbers(count: u64, seed: u64) -> Vec<u64> {
    let mut draw = Draw::new("relay", seed);
    (0..count).map(|_| draw.below(1 << 14)).collect()
}

/// Three times each number.
fn reference(numbers: &[u64]) -> Vec<u64> {
    numbers.iter().map(|number| number + number + number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_differ_between_seeds() {
        let drawn = numbers(RECORDS, 4);
        assert_eq!(drawn.len(), 2_000);
        assert!(drawn.iter().all(|number| encoded(number).len() <= 2));
        assert_ne!(drawn, numbers(RECORDS, 5));
        assert_eq!(reference(&[1, 7]), [3, 21]);
    }
}
