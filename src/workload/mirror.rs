//! Each number beside its mirror image: two edges lead from one operator to another, and what travels on them
//! must not be mixed up.
//!
//! Every number goes to its own key on the first edge, and to its partner's on the second. A key so gets one
//! number from each, and emits the two once both are there; so the output is a multiset whatever the order.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::draw::Draw;
use super::lookup::Lookup;
use super::records::Records;
use super::{Build, Experiment, Workload, WorkloadError, WorkloadSettings, encoded};
use crate::dataflow::{EncodedSink, Input, JobBuilder};

pub(super) const WORKLOAD: Workload = Workload {
    name: Cow::Borrowed("mirror"),
    about: Cow::Borrowed(
        "numbers beside their mirror images: two edges between one pair of operators",
    ),
    unit: Cow::Borrowed("numbers"),
    records_usual: 1_000,
    records_max: 10_000_000,
    single_split: false,
    build: Build::Function(build),
};

/// A number at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Number {
    /// Unique.
    place: u64,
    value: u64,
}

impl Number {
    /// The neighbour across the mirror: places pair up as 0 and 1, 2 and 3. The last of an odd number of
    /// places is its own.
    fn partner(place: u64, places: u64) -> u64 {
        if place ^ 1 < places { place ^ 1 } else { place }
    }
}

/// A number and its mirror image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Pair {
    place: u64,
    value: u64,
    mirrored: u64,
}

fn build(settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
    let numbers = drawn(settings.records.unwrap_or(WORKLOAD.records_usual), settings.seed);
    let input = Input::dealt(numbers.iter().map(encoded), settings.splits);
    Experiment::new(&job(numbers.len() as u64, settings), input, &reference(&numbers))
}

fn job(places: u64, settings: &WorkloadSettings) -> JobBuilder {
    let WorkloadSettings { parallelism, splits, .. } = *settings;
    let job = JobBuilder::new(&WORKLOAD.name);
    let numbers = job.source("numbers", Records::<Number>::new(), parallelism, splits);
    let partner = move |number: &Number| Number::partner(number.place, places);
    numbers
        .key_by(|number: &Number| number.place)
        .connect(numbers.key_by(partner))
        .process2("mirror", parallelism, |states| Lookup::new(states, pair))
        .rebalance()
        .transactional_sink("pairs", parallelism, EncodedSink::new());
    job
}

fn pair(number: &Number, mirrored: &Number) -> Pair {
    Pair { place: number.place, value: number.value, mirrored: mirrored.value }
}

fn drawn(places: u64, seed: u64) -> Vec<Number> {
    let mut draw = Draw::new("mirror", seed);
    (0..places).map(|place| Number { place, value: draw.below(1 << 20) }).collect()
}

/// Two neighbours at a time, each beside the other; the last one alone beside itself.
fn reference(numbers: &[Number]) -> Vec<Pair> {
    let mut pairs = Vec::with_capacity(numbers.len());
    for neighbours in numbers.chunks(2) {
        let (first, last) = (&neighbours[0], &neighbours[neighbours.len() - 1]);
        pairs.push(pair(first, last));
        if neighbours.len() == 2 {
            pairs.push(pair(last, first));
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_edges_lead_from_the_numbers_to_the_mirror() {
        let settings =
            WorkloadSettings { parallelism: 1, splits: 1, ..WorkloadSettings::default() };
        let job = job(10, &settings).build().expect("it can be built");
        let channels = &job.topology().channels;
        let between = channels.iter().filter(|it| (it.from.index(), it.to.index()) == (0, 1));
        assert_eq!(between.count(), 2, "{channels:?}");
    }

    #[test]
    fn everybody_has_one_partner_and_is_theirs() {
        assert_eq!((Number::partner(4, 9), Number::partner(5, 9)), (5, 4));
        assert_eq!(Number::partner(8, 9), 8, "the last of nine");
        let pairs = reference(&drawn(3, 7));
        assert_eq!(pairs.iter().map(|it| it.place).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!((pairs[0].value, pairs[0].mirrored), (pairs[1].mirrored, pairs[1].value));
        assert_eq!(pairs[2].value, pairs[2].mirrored);
    }
}
