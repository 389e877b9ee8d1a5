//! How many have gone in and out at each gate: a job of which there are two versions, with the same output.
//!
//! Each passage is counted by gate and direction, and each count is given once. So the output of a direction of a gate
//! is the numbers from one to the number of its passages, in whatever order they come and whoever counts them.
//!
//! The second version declares the directions the other way round, under other names, and checks passages first; another
//! number of subtasks counts. Only their uids say which state is whose: found by the place of its operator, the state of
//! one direction goes on counting the other.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::draw::Draw;
use super::records::Records;
use super::{Build, Experiment, Workload, WorkloadError, WorkloadSettings, encoded};
use crate::dataflow::{EncodedSink, Input, JobBuilder, Stream};

pub(super) const WORKLOAD: Workload = Workload {
    name: Cow::Borrowed("turnstiles"),
    about: Cow::Borrowed("passages through gates, counted by a job that has a second version"),
    unit: Cow::Borrowed("passages"),
    records_usual: 1_000,
    records_max: 10_000_000,
    single_split: false,
    build: Build::Function(build),
};

const GATES: u64 = 24;

/// A direction, and the uid of who counts it.
type Direction = (bool, &'static str);

const ENTRIES: Direction = (true, "entries");
const EXITS: Direction = (false, "exits");

/// Somebody goes through a gate. Counted, it says how many have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Passage {
    gate: u64,
    goes_in: bool,
    number: u64,
}

fn build(settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
    let passages = drawn(settings.records.unwrap_or(WORKLOAD.records_usual), settings.seed);
    let input = Input::dealt(passages.iter().map(encoded), settings.splits);
    let experiment = Experiment::new(&first_version(settings), input, &counted(&passages))?;
    experiment.upgraded_to(&second_version(settings))
}

fn first_version(settings: &WorkloadSettings) -> JobBuilder {
    let WorkloadSettings { parallelism, splits, .. } = *settings;
    let job = JobBuilder::new(&WORKLOAD.name);
    let passages = job.source("passages", Records::<Passage>::new(), parallelism, splits);
    let entries = count(&passages, "entries", ENTRIES, (parallelism, parallelism));
    let exits = count(&passages, "exits", EXITS, (parallelism, parallelism));
    write_out(&entries, &exits, parallelism);
    job
}

fn second_version(settings: &WorkloadSettings) -> JobBuilder {
    let WorkloadSettings { parallelism, splits, .. } = *settings;
    let job = JobBuilder::new(&WORKLOAD.name);
    let other = if parallelism > 1 { parallelism - 1 } else { 2 };
    let passages = job.source("passages", Records::<Passage>::new(), parallelism, splits);
    let passages = passages.filter("checked", parallelism, |passage| passage.gate < GATES);
    let exits = count(&passages, "outward", EXITS, (parallelism, other));
    let entries = count(&passages, "inward", ENTRIES, (parallelism, other));
    write_out(&entries, &exits, other);
    job
}

fn count(
    passages: &Stream<Passage>,
    name: &str,
    (goes_in, uid): Direction,
    (chosen_by, counted_by): (u16, u16),
) -> Stream<Passage> {
    passages
        .filter(&format!("{name}-only"), chosen_by, move |passage| passage.goes_in == goes_in)
        .key_by(|passage| passage.gate)
        .reduce(name, counted_by, |counted, one| Passage {
            number: counted.number + one.number,
            ..counted
        })
        .uid(uid)
}

fn write_out(entries: &Stream<Passage>, exits: &Stream<Passage>, parallelism: u16) {
    let counts = entries.union("counts", parallelism, &[exits]);
    counts.transactional_sink("out", parallelism, EncodedSink::new());
}

fn drawn(passages: u64, seed: u64) -> Vec<Passage> {
    let mut draw = Draw::new("turnstiles", seed);
    // More go in than out, so that the two are not mistaken for each other.
    let passage = |_| Passage { gate: draw.below(GATES), goes_in: draw.below(3) > 0, number: 1 };
    (0..passages).map(passage).collect()
}

/// The passages, each with its number among those of its gate and direction.
fn counted(passages: &[Passage]) -> Vec<Passage> {
    let mut counts = BTreeMap::new();
    let number = |passage: &Passage| {
        let count = counts.entry((passage.gate, passage.goes_in)).or_insert(0);
        *count += 1;
        Passage { number: *count, ..*passage }
    };
    passages.iter().map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Revision, SnapshotRange};

    #[test]
    fn a_passage_has_its_number_at_its_gate() {
        let passage = |gate, goes_in| Passage { gate, goes_in, number: 1 };
        let passages = [passage(1, true), passage(1, false), passage(2, true), passage(1, true)];
        let numbers: Vec<_> = counted(&passages).iter().map(|passage| passage.number).collect();
        assert_eq!(numbers, [1, 1, 1, 2]);
    }

    #[test]
    fn the_second_version_finds_its_counts_by_uid() {
        let settings = WORKLOAD.usual_settings(2, 0);
        let first = WORKLOAD.experiment(&settings).expect("it can be built").job;
        let second = Revision { version: 1, parallelism: None };
        let second = first.in_revision(second).expect("there is a second version");
        let names = second.topology().operators.iter().map(|operator| operator.name.as_str());
        let ranges = second.ranges_from(&first);
        let new = names.zip(&ranges).filter(|(_, range)| **range == SnapshotRange::Nothing);
        let new: Vec<_> = new.map(|(name, _)| name).collect();
        assert_eq!(new, ["checked", "outward-only", "inward-only"]);
        let left = first.topology().operators.iter().zip(first.uids());
        let left = left.filter(|(_, uid)| !second.uids().any(|known| known == *uid));
        let left: Vec<_> = left.map(|(operator, _)| operator.name.as_str()).collect();
        assert_eq!(left, ["entries-only", "exits-only"]);
    }
}
