//! Readings of meters, and what those of each have come to: a rolling reduce, a rolling aggregate and a union.
//!
//! The source reads one split, in the order of time, so that which readings of a meter come before which is a
//! function of the input. Each reading gives three records: itself, the highest of its meter so far, and how many
//! there were and what they come to. The output is a multiset.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::draw::Draw;
use super::own::Build;
use super::records::TimedRecords;
use super::{Experiment, Workload, WorkloadError, WorkloadSettings, encoded};
use crate::dataflow::{Aggregate, EncodedSink, Input, JobBuilder};
use crate::protocol::ordered::VecMap;

pub(super) const WORKLOAD: Workload = Workload {
    name: Cow::Borrowed("meters"),
    about: Cow::Borrowed(
        "readings, the highest and the mean of each meter so far: reduce, aggregate, union",
    ),
    unit: Cow::Borrowed("readings"),
    records_usual: 1_000,
    records_max: 10_000_000,
    single_split: true,
    build: Build::Function(build),
};

/// How many meters there are.
const METERS: u64 = 12;
/// What a meter shows, at most. Equal readings are frequent: they leave a mean as it is.
const VALUE_MAX: u64 = 4;
const STEP_MAX: u64 = 20;

/// What a meter showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Reading {
    meter: u64,
    number: u64,
    at: i64,
    value: u64,
}

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Told {
    /// A reading.
    Reading { number: u64, value: u64 },
    /// The highest reading of its meter so far; of several the first.
    Highest { meter: u64, number: u64, value: u64 },
    /// The mean of a meter so far, rounded down.
    Mean { meter: u64, mean: u64 },
}

fn build(settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
    let readings = drawn(settings.records.unwrap_or(WORKLOAD.records_usual), settings.seed);
    let input = Input::dealt(readings.iter().map(encoded), 1);
    Experiment::new(&job(settings), input, &reference(&readings))
}

fn job(settings: &WorkloadSettings) -> JobBuilder {
    let parallelism = settings.parallelism;
    let job = JobBuilder::new(&WORKLOAD.name);
    let readings = job.source("readings", TimedRecords::new(0, |one: &Reading| one.at), 1, 1);
    job.fix("readings");
    let meters = readings.key_by(|reading| reading.meter);
    let highest = meters.reduce("highest", parallelism, higher).map(
        "highest-told",
        parallelism,
        |Reading { meter, number, value, .. }| Told::Highest { meter, number, value },
    );
    let means = meters.aggregate("means", parallelism, Mean).map(
        "means-told",
        parallelism,
        |(meter, mean)| Told::Mean { meter, mean },
    );
    readings
        .rebalance()
        .map("readings-told", parallelism, |Reading { number, value, .. }| Told::Reading {
            number,
            value,
        })
        .union("all", parallelism, &[&highest, &means])
        .transactional_sink("told", parallelism, EncodedSink::new());
    job
}

fn higher(one: Reading, other: Reading) -> Reading {
    if one.value < other.value { other } else { one }
}

/// The mean of the readings of a meter.
#[derive(Clone)]
struct Mean;

impl Aggregate for Mean {
    type In = Reading;
    /// Of which meter, how many, and what they come to.
    type Accumulator = (u64, u64, u64);
    type Out = (u64, u64);

    fn create(&self) -> Self::Accumulator {
        (0, 0, 0)
    }

    fn add(&self, reading: Reading, (_, count, sum): Self::Accumulator) -> Self::Accumulator {
        (reading.meter, count + 1, sum + reading.value)
    }

    fn merge(&self, one: Self::Accumulator, other: Self::Accumulator) -> Self::Accumulator {
        (one.0.max(other.0), one.1 + other.1, one.2 + other.2)
    }

    fn result(&self, (meter, count, sum): &Self::Accumulator) -> (u64, u64) {
        (*meter, sum / count.max(&1))
    }
}

/// So many readings, in the order of their times; drawn from `seed`.
fn drawn(records: u64, seed: u64) -> Vec<Reading> {
    let mut draw = Draw::new(&WORKLOAD.name, seed);
    let mut at = 0;
    let mut reading = |number| {
        at += draw.below(STEP_MAX).cast_signed();
        Reading { meter: draw.below(METERS), number, at, value: draw.below(VALUE_MAX + 1) }
    };
    (0..records).map(&mut reading).collect()
}

/// What is told of all readings, computed over lists.
fn reference(readings: &[Reading]) -> Vec<Told> {
    let mut values = VecMap::<u64, Vec<&Reading>>::new();
    let mut told = Vec::new();
    for reading in readings {
        let Reading { meter, number, value, .. } = *reading;
        let all = values.entry(meter).or_default();
        all.push(reading);
        let most = all.iter().map(|one| one.value).max().unwrap_or(value);
        let first = all.iter().find(|one| one.value == most).map_or(number, |one| one.number);
        let sum: u64 = all.iter().map(|one| one.value).sum();
        told.push(Told::Reading { number, value });
        told.push(Told::Highest { meter, number: first, value: most });
        told.push(Told::Mean { meter, mean: sum / all.len() as u64 });
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_equal_readings_the_first_is_the_highest() {
        let reading = |number, value| Reading { meter: 7, number, at: 0, value };
        let told = reference(&[reading(0, 2), reading(1, 4), reading(2, 4)]);
        let highest = |number, value| Told::Highest { meter: 7, number, value };
        let expected = [&highest(0, 2), &highest(1, 4), &highest(1, 4)];
        assert_eq!([&told[1], &told[4], &told[7]], expected);
        assert_eq!(told[8], Told::Mean { meter: 7, mean: 3 });
    }

    #[test]
    fn many_readings_leave_the_mean_as_it_is() {
        let told = reference(&drawn(1_000, 0));
        let mut last = VecMap::<u64, u64>::new();
        let mut same = 0;
        for one in &told {
            if let Told::Mean { meter, mean } = one {
                same += u32::from(last.insert(*meter, *mean) == Some(*mean));
            }
        }
        assert!(same > 500, "{same} of 1000");
    }
}
