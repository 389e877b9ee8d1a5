//! Batches of numbers, of which a source reads one number at a time: a cut may fall within a batch.
//!
//! Where reading stands is then an offset and an index. A source that goes on at the offset alone reads numbers twice.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::draw::Draw;
use super::own::Build;
use super::{Experiment, Workload, WorkloadError, WorkloadSettings, decoded, encoded};
use crate::dataflow::{EncodedSink, Entry, Input, JobBuilder, Source, SourceCollector};

pub(super) const WORKLOAD: Workload = Workload {
    name: Cow::Borrowed("batches"),
    about: Cow::Borrowed(
        "batches of numbers, read one number at a time: positions within an entry",
    ),
    unit: Cow::Borrowed("numbers"),
    records_usual: 1_000,
    records_max: 10_000_000,
    single_split: false,
    build: Build::Function(build),
};

/// How many numbers a batch holds, at most.
const BATCH_MAX: u64 = 40;

/// A number, and the batch that it was in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Numbered {
    batch: u64,
    number: u64,
}

fn build(settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
    let batches = drawn(settings.records.unwrap_or(WORKLOAD.records_usual), settings.seed);
    let input = Input::dealt_as(batches.iter().map(encoded), settings.splits, settings.deal);
    Experiment::new(&job(settings), input, &batches.concat())
}

fn job(settings: &WorkloadSettings) -> JobBuilder {
    let job = JobBuilder::new(&WORKLOAD.name);
    job.source("batches", Batches, settings.parallelism, settings.splits)
        .rebalance()
        .transactional_sink("numbers", settings.parallelism, EncodedSink::new());
    job
}

/// Reads a number, and pauses until the batch is at its end.
#[derive(Clone)]
struct Batches;

impl Source for Batches {
    type Out = Numbered;
    type State = ();

    fn read(&mut self, entry: Entry<'_>, out: &mut SourceCollector<'_, Numbered>) {
        let batch: Vec<Numbered> = decoded(entry.bytes);
        let time = entry.offset.cast_signed();
        let mut rest = batch.into_iter().skip(out.emitted() as usize);
        if let Some(numbered) = rest.next() {
            out.emit(time, numbered);
        }
        match rest.next() {
            Some(_) => out.pause(),
            None => out.watermark(time),
        }
    }

    fn snapshot(&self) {}

    fn restore(&mut self, (): ()) {}
}

/// Batches of so many numbers in all, empty ones among them; drawn from `seed`.
fn drawn(records: u64, seed: u64) -> Vec<Vec<Numbered>> {
    let mut draw = Draw::new(&WORKLOAD.name, seed);
    let mut batches = Vec::new();
    let mut first = 0;
    while first < records {
        let end = records.min(first + draw.below(BATCH_MAX + 1));
        let batch = batches.len() as u64;
        batches.push((first..end).map(|number| Numbered { batch, number }).collect());
        first = end;
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_hold_all_numbers_and_some_none() {
        let batches = drawn(1_000, 0);
        let numbers: Vec<u64> = batches.concat().iter().map(|one| one.number).collect();
        assert_eq!(numbers, (0..1_000).collect::<Vec<_>>());
        assert!(batches.iter().any(Vec::is_empty) && batches.iter().any(|batch| batch.len() > 30));
    }
}
