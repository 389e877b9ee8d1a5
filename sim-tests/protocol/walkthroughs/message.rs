//! Control messages: between coordinator, subtasks and the sink target, apart from the channels.

use cutwater::protocol::{
    Acknowledgement, Attempt, Barrier, CheckpointId, DeclineReason, SavepointMode, TransactionId,
};

/// A control message on its way.
#[derive(Clone, Debug)]
pub struct Message {
    /// The attempt it was sent in.
    pub attempt: Attempt,
    /// The subtask that sent it or is to get it, as an index.
    pub subtask: usize,
    /// What it says.
    pub content: Content,
}

/// What a control message says.
#[derive(Clone, Debug)]
pub enum Content {
    /// Coordinator to subtask; of a savepoint, what becomes of the job.
    Trigger(Barrier, Option<SavepointMode>),
    /// Subtask to coordinator.
    Acknowledge(Acknowledgement),
    /// Subtask to coordinator.
    Decline(CheckpointId, DeclineReason),
    /// Coordinator to subtask: it completed.
    Complete(CheckpointId),
    /// Coordinator to subtask: nothing is on its loop, and nothing will be.
    LoopOver,
    /// Coordinator to subtask: it was aborted.
    Abort(CheckpointId),
    /// Sink to target.
    Commit(TransactionId),
    /// Target to sink: it is committed.
    Confirm(TransactionId),
}

/// What the network does to the next message of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It never arrives.
    Drop,
    /// It waits until `arrive`.
    Delay,
}

impl Content {
    /// The kinds that commands may name.
    pub const KINDS: [&str; 8] = [
        "trigger",
        "acknowledge",
        "decline",
        "complete",
        "loop-over",
        "abort",
        "commit",
        "confirm",
    ];

    /// The name of its kind in commands.
    pub fn kind(&self) -> &'static str {
        match self {
            Content::Trigger(..) => "trigger",
            Content::Acknowledge(_) => "acknowledge",
            Content::Decline(..) => "decline",
            Content::Complete(_) => "complete",
            Content::LoopOver => "loop-over",
            Content::Abort(_) => "abort",
            Content::Commit(_) => "commit",
            Content::Confirm(_) => "confirm",
        }
    }
}
