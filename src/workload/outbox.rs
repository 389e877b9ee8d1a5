//! Numbers, written to an external system by each of the ready-made sinks.
//!
//! The output is each number once, whatever the order: that depends on the input alone.

use std::borrow::Cow;
use std::time::Duration;

use super::own::{Build, Function};
use super::{Experiment, Workload, WorkloadError, WorkloadSettings, encoded};
use crate::dataflow::{Input, JobBuilder, Replay, Stream};
use crate::external::bucket::ObjectBucket;
use crate::external::database::XaDatabase;
use crate::external::queue::DeduplicatingQueue;
use crate::external::table::SnapshotTable;
use crate::external::transactional_log::TransactionalLog;
use crate::sinks::{BucketSink, LogSink, QueueSink, TableCommitter, TableWriter, XaSink};

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
