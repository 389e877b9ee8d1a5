//! Ready-made sinks over the [external systems](crate::external), each the right way to write to its system: what
//! to copy from, and what seeded bugs are planted in.

mod bucket;
mod database;
mod log;
mod queue;
mod table;

pub use bucket::{BucketSink, BucketToken, PromisedUpload};
pub use database::{PreparedBranch, XaSink, XaToken};
pub use log::{LogCommittable, LogSink, LogToken, PoolId, PoolState, PooledId};
pub use queue::{Message, QueueSink};
pub use table::{CommitStep, Manifest, StagedFile, TableCommitter, TableWriter};
