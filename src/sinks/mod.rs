//! Ready-made sinks over the [external systems](crate::external), each the right way to write to its system: what
//! to copy from, and what seeded bugs are planted in.

mod bucket;
mod counter;
mod database;
mod log;
mod queue;
mod seat;
mod table;
#[cfg(test)]
mod testing;
mod upsert;

use std::time::Duration;

pub use bucket::{BucketSink, BucketState, BucketToken, PromisedUpload};
pub use counter::{Baseline, CounterSink, CounterToken};
pub use database::{PreparedBranch, XaSink, XaToken};
pub use log::{LogCommittable, LogSink, LogState, LogToken, PoolId, PooledId};
pub use queue::{Message, QueueSink};
pub use table::{CommitStep, Manifest, StagedFile, TableCommitter, TableWriter};
pub use upsert::{Change, UpsertSink};

/// How long to wait before asking a system again that says that it is not available.
const AGAIN: Duration = Duration::from_millis(20);
