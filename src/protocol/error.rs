//! What a peer can do wrong: a closed set.

use alloc::string::String;
use thiserror::Error;

use super::ids::{CheckpointId, SubtaskId};

/// A message that the protocol cannot follow. Our own bugs assert; peers' faults are these.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProtocolError {
    /// A channel delivered something after its end of input.
    #[error("channel {channel} of the gate delivered {what} after its end of input")]
    ElementAfterEnd {
        /// The index of the channel in its gate.
        channel: usize,
        /// What it delivered.
        what: &'static str,
    },
    /// A channel index that the gate does not have.
    #[error("the gate has {channels} channels, not a channel {channel}")]
    UnknownChannel {
        /// The index.
        channel: usize,
        /// How many there are.
        channels: usize,
    },
    /// More waits in a channel that leads back than may: its items need no credit.
    #[error("more than {items_max} items wait in channel {channel} of the gate, which leads back")]
    BackEdgeFull {
        /// The index of the channel in its gate.
        channel: usize,
        /// How many may wait.
        items_max: usize,
    },
    /// A checkpoint lists no snapshot for a subtask of the job.
    #[error("{checkpoint} holds no snapshot of {subtask}")]
    SnapshotMissing {
        /// The checkpoint.
        checkpoint: CheckpointId,
        /// The subtask.
        subtask: SubtaskId,
    },
    /// A checkpoint of a job of another shape.
    #[error("{checkpoint} was taken with {found} subtasks, the job has {expected}")]
    ParallelismChanged {
        /// The checkpoint.
        checkpoint: CheckpointId,
        /// Subtasks in the checkpoint.
        found: usize,
        /// Subtasks in the job.
        expected: usize,
    },
    /// A checkpoint of a job without this operator.
    #[error("{checkpoint} holds no state of the operator `{operator}`")]
    OperatorMissing {
        /// The checkpoint.
        checkpoint: CheckpointId,
        /// The operator.
        operator: String,
    },
    /// A checkpoint of a job with an operator that this job lacks.
    #[error("{checkpoint} holds state of the operator `{operator}`, which the job does not have")]
    OperatorLeftBehind {
        /// The checkpoint.
        checkpoint: CheckpointId,
        /// The operator.
        operator: String,
    },
    /// More subtasks than there are key groups to own.
    #[error(
        "`{operator}` is to have {parallelism} subtasks, but {checkpoint} has {maximum} key groups"
    )]
    ParallelismAboveMaximum {
        /// The checkpoint.
        checkpoint: CheckpointId,
        /// The operator.
        operator: String,
        /// How many subtasks it is to have.
        parallelism: u16,
        /// How many it may have.
        maximum: u16,
    },
    /// Channel state of an edge whose receivers cannot be told apart by what they may take.
    #[error("what was in flight on a {edge} edge cannot be dealt out to other subtasks")]
    ChannelStateIndivisible {
        /// How the edge spreads records.
        edge: &'static str,
    },
}
