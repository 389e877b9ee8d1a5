//! Numbers, written to an external system by each of the ready-made sinks.
//!
//! The output is each number once, whatever the order; in a store by key it is the last change of each key, whose
//! changes are all in one split, in order, and in a store of sums what the additions come to. All of that depends on
//! the input alone.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use super::own::{Build, Function};
use super::{Experiment, Workload, WorkloadError, WorkloadSettings, encoded};
use crate::dataflow::{Collector, Context, Input, JobBuilder, Operator, Replay, Stream};
use crate::external::bucket::ObjectBucket;
use crate::external::counter_store::CounterStore;
use crate::external::database::XaDatabase;
use crate::external::queue::DeduplicatingQueue;
use crate::external::table::SnapshotTable;
use crate::external::transactional_log::TransactionalLog;
use crate::external::upsert_store::UpsertStore;
use crate::sinks::{
    BucketSink, Change, CounterSink, LogSink, QueueSink, TableCommitter, TableWriter, UpsertSink,
    XaSink,
};

/// Longer than any recovery here takes: what is shorter loses what was promised.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(900);

/// How many rows a sink hands over at once.
const BATCH: usize = 4;

const fn workload(name: &'static str, about: &'static str, build: Function) -> Workload {
    Workload {
        name: Cow::Borrowed(name),
        about: Cow::Borrowed(about),
        unit: Cow::Borrowed("numbers"),
        records_usual: 1_000,
        records_max: 1_000_000,
        single_split: false,
        build: Build::Function(build),
    }
}

pub(super) const TO_LOG: Workload = workload(
    "to-log",
    "numbers into a transactional log: producers, epochs, and readers that wait for open transactions",
    |settings| {
        experiment("to-log", settings, |job, numbers| {
            job.external_system(TransactionalLog::new(TRANSACTION_TIMEOUT));
            numbers.committing_sink("log", settings.parallelism, LogSink::new(BATCH));
        })
    },
);

pub(super) const TO_TABLE: Workload = workload(
    "to-table",
    "numbers into a table with atomic snapshots: files staged by many, committed by one",
    |settings| {
        experiment("to-table", settings, |job, numbers| {
            job.external_system(SnapshotTable::new());
            numbers
                .staging_writer("files", settings.parallelism, TableWriter::new())
                .rebalance()
                .committing_sink("committer", 1, TableCommitter::new("numbers"));
            job.fix("committer");
        })
    },
);

pub(super) const TO_DATABASE: Workload = workload(
    "to-database",
    "numbers into a database, in branches that are prepared and committed",
    |settings| {
        experiment("to-database", settings, |job, numbers| {
            job.external_system(XaDatabase::new());
            numbers.committing_sink("database", settings.parallelism, XaSink::new(BATCH));
        })
    },
);

pub(super) const TO_BUCKET: Workload = workload(
    "to-bucket",
    "numbers into a bucket, as objects that are uploaded in parts",
    |settings| {
        experiment("to-bucket", settings, |job, numbers| {
            job.external_system(ObjectBucket::new());
            numbers.committing_sink("bucket", settings.parallelism, BucketSink::new(BATCH));
        })
    },
);

pub(super) const TO_QUEUE: Workload = workload(
    "to-queue",
    "numbers into a queue that drops repetitions, from a write-ahead log in the state",
    |settings| {
        experiment("to-queue", settings, |job, numbers| {
            job.external_system(DeduplicatingQueue::new());
            numbers.committing_sink("queue", settings.parallelism, QueueSink::new("numbers"));
        })
    },
);

pub(super) const TO_UPSERTS: Workload = workload(
    "to-upserts",
    "changes by key into a store that shows them at once: the last of each key counts",
    upserts,
);

pub(super) const TO_COUNTERS: Workload = workload(
    "to-counters",
    "additions by key into a store of sums, undone when a job goes back",
    counters,
);

/// A change of a key: its version, and whether it deletes.
type KeyChange = (u64, u64, bool);

/// How many keys a split has: its own, so that the order of their changes is that of the split.
const KEYS: u64 = 8;

fn upserts(settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
    let total = settings.records.unwrap_or(1_000);
    let change = |index: u64| -> KeyChange {
        let split = settings.deal.split_of(index, settings.splits);
        (u64::from(split) * KEYS + index % KEYS, index + 1, index % 5 == 3)
    };
    let changes: Vec<KeyChange> = (0..total).map(change).collect();
    let last: BTreeMap<u64, KeyChange> = changes.iter().map(|change| (change.0, *change)).collect();
    let expected: Vec<KeyChange> = last.into_values().filter(|(_, _, deletes)| !deletes).collect();
    let job = JobBuilder::new("to-upserts");
    job.external_system(UpsertStore::new());
    let parallelism = settings.parallelism;
    job.source("changes", Replay::<KeyChange>::new(), parallelism, settings.splits)
        .key_by(|(key, _, _)| *key)
        .process("by-key", parallelism, |_| ByKey)
        .converging_sink("store", parallelism, UpsertSink::new(BATCH, change_of));
    let input = Input::dealt_as(changes.iter().map(encoded), settings.splits, settings.deal);
    Experiment::new(&job, input, &expected)
}

fn change_of((key, version, deletes): &KeyChange) -> Change {
    Change { key: key.to_be_bytes().to_vec(), version: *version, deletes: *deletes }
}

/// Brings all changes of a key to one subtask.
#[derive(Clone)]
struct ByKey;

impl Operator for ByKey {
    type In = KeyChange;
    type Out = KeyChange;

    fn process(
        &mut self,
        change: KeyChange,
        _: &mut Context<'_>,
        out: &mut Collector<'_, KeyChange>,
    ) {
        out.emit(change);
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, KeyChange>) {}
}

fn counters(settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
    let total = settings.records.unwrap_or(1_000);
    let additions: Vec<(u64, i64)> =
        (0..total).zip(1..).map(|(index, added)| (index % 17, added)).collect();
    let mut sums = BTreeMap::<u64, i64>::new();
    additions.iter().for_each(|(key, added)| *sums.entry(*key).or_default() += added);
    let expected: Vec<(u64, i64)> = sums.into_iter().collect();
    let job = JobBuilder::new("to-counters");
    job.external_system(CounterStore::new());
    let parallelism = settings.parallelism;
    job.source("additions", Replay::<(u64, i64)>::new(), parallelism, settings.splits)
        .shift()
        .converging_sink("sums", parallelism, CounterSink::new(BATCH));
    let input = Input::dealt_as(additions.iter().map(encoded), settings.splits, settings.deal);
    Experiment::new(&job, input, &expected)
}

fn experiment(
    name: &str,
    settings: &WorkloadSettings,
    write: impl FnOnce(&JobBuilder, Stream<u64>),
) -> Result<Experiment, WorkloadError> {
    let total = settings.records.unwrap_or(1_000);
    let job = JobBuilder::new(name);
    let numbers =
        job.source("numbers", Replay::<u64>::new(), settings.parallelism, settings.splits);
    write(&job, numbers.shift());
    let numbers: Vec<u64> = (0..total).collect();
    let input = Input::dealt_as(numbers.iter().map(encoded), settings.splits, settings.deal);
    Experiment::new(&job, input, &numbers)
}
