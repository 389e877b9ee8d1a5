//! Unique, rising numbers on many paths: every loss, repetition and disorder shows.
//!
//! After Flink's `UnalignedCheckpointITCase`. Each split holds the numbers 0, 1, 2, …; a shifting
//! partitioner sends them over all stamps in turn, and each stamp notes on the record which one it is.
//! What one stamp forwards of one split stays in order, since channels are first in, first out; a check,
//! keyed by split, remembers the last number of every path and says so where one falls behind.
//!
//! The output is each number of each split, once, in whatever order the paths give: a multiset. A
//! disorder is an output that is never expected. (Rescaling from a checkpoint with in-flight data may
//! legally change the order within a path; such runs must not use this workload.)

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Build, Experiment, Workload, WorkloadError, WorkloadSettings, decoded, encoded};
use crate::dataflow::{
    Collector, Context, EncodedSink, Entry, Input, JobBuilder, MapState, Operator, Source,
    SourceCollector, StateDeclarations,
};

pub(super) const WORKLOAD: Workload = Workload {
    name: Cow::Borrowed("sequence"),
    about: Cow::Borrowed(
        "unique rising numbers over shifting paths: loss, repetition and disorder each show in the output",
    ),
    unit: Cow::Borrowed("numbers over all splits"),
    records_usual: 2_000,
    records_max: 10_000_000,
    single_split: false,
    build: Build::Function(build),
};

/// A number of a split, and the stamp it passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamped {
    split: u16,
    number: u64,
    path: u16,
}

/// What the check says about a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Checked {
    /// It came after all lower ones of its path.
    InOrder { split: u16, number: u64 },
    /// It came after one that is not lower, on the same path.
    Disorder { split: u16, number: u64, path: u16, after: u64 },
}

fn build(settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
    let lengths = lengths(settings);
    Experiment::new(&job(settings), input(&lengths), &reference(&lengths))
}

fn job(settings: &WorkloadSettings) -> JobBuilder {
    let parallelism = settings.parallelism;
    let job = JobBuilder::new(&WORKLOAD.name);
    job.source("numbers", Numbers, parallelism, settings.splits)
        .shift()
        .process("stamp", parallelism, |_| Stamp)
        .key_by(|stamped| stamped.split)
        .process("check", parallelism, Check::new)
        .transactional_sink("checked", parallelism, EncodedSink::new());
    job
}

/// Reads the numbers of each split.
#[derive(Clone)]
struct Numbers;

impl Source for Numbers {
    type Out = (u16, u64);
    type State = ();

    fn read(&mut self, entry: Entry<'_>, out: &mut SourceCollector<'_, (u16, u64)>) {
        out.emit(entry.offset.cast_signed(), (entry.split.0, decoded(entry.bytes)));
    }

    fn snapshot(&self) {}

    fn restore(&mut self, (): ()) {}
}

/// Notes on each record which path it takes.
#[derive(Clone)]
struct Stamp;

impl Operator for Stamp {
    type In = (u16, u64);
    type Out = Stamped;

    fn process(
        &mut self,
        (split, number): (u16, u64),
        ctx: &mut Context<'_>,
        out: &mut Collector<'_, Stamped>,
    ) {
        out.emit(Stamped { split, number, path: ctx.subtask_index() });
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, Stamped>) {}
}

/// Checks that the numbers of each path rise.
#[derive(Clone)]
struct Check {
    /// The last number of each path.
    last: MapState<u16, u64>,
}

impl Check {
    fn new(states: &mut StateDeclarations) -> Self {
        Self { last: states.map("last") }
    }
}

impl Operator for Check {
    type In = Stamped;
    type Out = Checked;

    fn process(
        &mut self,
        record: Stamped,
        ctx: &mut Context<'_>,
        out: &mut Collector<'_, Checked>,
    ) {
        let mut last = ctx.map(&self.last);
        let verdict = checked(last.get(&record.path), &record);
        if matches!(verdict, Checked::InOrder { .. }) {
            last.insert(&record.path, &record.number);
        }
        out.emit(verdict);
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, Checked>) {}
}

/// What `record` is, after `last` on the same path.
fn checked(last: Option<u64>, record: &Stamped) -> Checked {
    let Stamped { split, number, path } = *record;
    match last {
        Some(after) if after >= number => Checked::Disorder { split, number, path, after },
        Some(_) | None => Checked::InOrder { split, number },
    }
}

/// How many numbers each split holds. They are the splits' own, so that here, and in no other workload,
/// the deal is part of what comes out.
fn lengths(settings: &WorkloadSettings) -> Vec<u64> {
    let total = settings.records.unwrap_or(WORKLOAD.records_usual);
    settings.deal.lengths(total, settings.splits)
}

fn input(lengths: &[u64]) -> Input {
    let numbers = |length: &u64| (0..*length).map(|number| encoded(&number)).collect();
    Input::new(lengths.iter().map(numbers).collect())
}

/// Every number of every split, in order.
fn reference(lengths: &[u64]) -> Vec<Checked> {
    let mut all = Vec::new();
    for (split, length) in (0_u16..).zip(lengths) {
        for number in 0..*length {
            all.push(Checked::InOrder { split, number });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_rise_is_a_disorder() {
        let record = Stamped { split: 1, number: 5, path: 0 };
        let disorder = |after| Checked::Disorder { split: 1, number: 5, path: 0, after };
        assert_eq!(checked(None, &record), Checked::InOrder { split: 1, number: 5 });
        assert_eq!(checked(Some(4), &record), Checked::InOrder { split: 1, number: 5 });
        assert_eq!(checked(Some(5), &record), disorder(5));
        assert_eq!(checked(Some(6), &record), disorder(6));
    }

    #[test]
    fn the_numbers_are_spread_evenly() {
        let settings =
            WorkloadSettings { records: Some(11), parallelism: 2, splits: 4, ..Default::default() };
        assert_eq!(lengths(&settings), [3, 3, 3, 2]);
        let expected = reference(&lengths(&settings));
        assert_eq!(expected.len(), 11);
        assert_eq!(expected[10], Checked::InOrder { split: 3, number: 1 });
    }
}
