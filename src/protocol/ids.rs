//! Names of things: newtypes whose `Display` is what traces, fixtures and messages show.

use core::fmt;

use serde::{Deserialize, Serialize};

/// Defines a numeric id newtype whose `Display` is a prefix and the number.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty), $shown:literal) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($shown, "{}"), self.0)
            }
        }

        impl $name {
            /// The id as an index into a dense table.
            #[must_use]
            pub fn index(self) -> usize {
                self.0 as usize
            }

            /// The id that follows this one.
            #[must_use]
            pub fn next(self) -> Self {
                Self(self.0 + 1)
            }
        }
    };
}

id! {
    /// The global consistent cut number *N*.
    ///
    /// Ids strictly increase over the whole life of a job and are never reused, not across attempts,
    /// restores or coordinator restarts (Flink: `CheckpointIDCounter`). The first is `ckpt-1`.
    CheckpointId(u64), "ckpt-"
}

impl CheckpointId {
    /// The id before this one; nothing comes before `ckpt-0`, which is none.
    #[must_use]
    pub fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

id! {
    /// One execution of the whole job; a restart after a failure is the next attempt.
    ///
    /// Everything a subtask says carries it, so that a dead attempt is recognised (Flink: `ExecutionAttemptID`).
    Attempt(u32), "attempt-"
}
id! {
    /// The reign of one coordinator process; a restarted coordinator reigns under the next term.
    Term(u32), "term-"
}
id! {
    /// How often a process has been started, counted from 0.
    Incarnation(u32), "incarnation-"
}
id! {
    /// An operator, as a dense index into [`Topology::operators`](super::Topology::operators).
    OperatorId(u16), "operator-"
}
id! {
    /// A parallel instance of an operator, as a dense index into [`Topology::subtasks`](super::Topology::subtasks).
    ///
    /// [`Topology::name`](super::Topology::name) turns it into the form people read, `count/1`.
    SubtaskId(u16), "subtask-"
}
id! {
    /// A FIFO channel between two subtasks, as a dense index into [`Topology::channels`](super::Topology::channels).
    ChannelId(u16), "ch-"
}
id! {
    /// A partition of the source log.
    SplitId(u16), "split-"
}
id! {
    /// A message of a queue, by the order in which they were published.
    MessageId(u64), "message-"
}
id! {
    /// One global snapshot of Chandy and Lamport; the first is `snap-0`, as in the course's files.
    SnapshotId(u32), "snap-"
}

/// A process of the simulated cluster: the unit that crashes, restarts, pauses and is disconnected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProcessId {
    /// Triggers checkpoints, deploys subtasks, restarts the job.
    Coordinator,
    /// Durable storage of snapshots and checkpoint metadata.
    ObjectStore,
    /// Durable, fenced record of what the job knows about itself.
    MetaStore,
    /// The replayable input, in splits.
    SourceLog,
    /// The external system that sinks write to, with transactions.
    SinkTarget,
    /// Hosts subtasks.
    Worker(u16),
}

impl ProcessId {
    /// Whether what it has done outlives it: a service keeps what it has, and the job's own processes keep nothing.
    #[must_use]
    pub fn is_durable(self) -> bool {
        match self {
            ProcessId::ObjectStore
            | ProcessId::MetaStore
            | ProcessId::SourceLog
            | ProcessId::SinkTarget => true,
            ProcessId::Coordinator | ProcessId::Worker(_) => false,
        }
    }
}

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProcessId::Coordinator => f.write_str("coordinator"),
            ProcessId::ObjectStore => f.write_str("object-store"),
            ProcessId::MetaStore => f.write_str("meta-store"),
            ProcessId::SourceLog => f.write_str("source-log"),
            ProcessId::SinkTarget => f.write_str("sink-target"),
            ProcessId::Worker(n) => write!(f, "worker-{n}"),
        }
    }
}

/// A transaction at the sink target: the `number`-th that one sink subtask opened in one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TransactionId {
    /// The sink subtask that opened it.
    pub sink: SubtaskId,
    /// The attempt that opened it; also the producer epoch that fences older attempts.
    pub attempt: Attempt,
    /// Counts the transactions of this sink within the attempt, from 0.
    pub number: u32,
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "txn-{}.{}.{}", self.sink.0, self.attempt.0, self.number)
    }
}

/// Names one object in the object store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectKey {
    /// What one subtask wrote for one checkpoint.
    Snapshot {
        /// The checkpoint it belongs to.
        checkpoint: CheckpointId,
        /// The attempt that wrote it.
        attempt: Attempt,
        /// The subtask whose state it is.
        subtask: SubtaskId,
    },
    /// The list of a checkpoint's snapshots; its presence in the store means the checkpoint is whole
    /// (Flink: the `_metadata` file).
    Metadata {
        /// The checkpoint it describes.
        checkpoint: CheckpointId,
    },
    /// The same of a savepoint, which belongs to whoever asked for it: nobody here deletes it.
    Savepoint {
        /// The savepoint it describes.
        checkpoint: CheckpointId,
    },
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ObjectKey::Snapshot { checkpoint, attempt, subtask } => {
                write!(f, "{checkpoint}/{attempt}/{subtask}")
            }
            ObjectKey::Metadata { checkpoint } => write!(f, "{checkpoint}/metadata"),
            ObjectKey::Savepoint { checkpoint } => write!(f, "{checkpoint}/savepoint"),
        }
    }
}
