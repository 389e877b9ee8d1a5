//! What messages carry that is more than a few fields.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::message::RequestId;
use super::savepoint_record::SavepointRecord;
use crate::protocol::rescale::FormerName;
use crate::protocol::{
    Attempt, CheckpointId, Incarnation, ObjectKey, Revision, ShapeHistory, SnapshotHandle, SplitId,
    SubtaskId, Term, TransactionId,
};

/// A sign of life: who speaks, and what it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Which life of the worker.
    pub incarnation: Incarnation,
    /// Counts the signs of this life, so that one that was overtaken is recognised.
    pub sequence: u64,
    /// What it holds or runs, if anything.
    pub attempt: Option<Attempt>,
}

/// What a worker needs to hold its share of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deploy {
    /// The attempt.
    pub attempt: Attempt,
    /// Under whose reign.
    pub term: Term,
    /// What all subtasks start from.
    pub checkpoint: Option<CheckpointId>,
    /// By subtask: the worker that hosts it.
    pub placement: Vec<u16>,
    /// By subtask: its snapshot; empty where there is no checkpoint, or several make one.
    pub snapshots: Vec<SnapshotHandle>,
    /// By subtask: the snapshots of all subtasks of its operator, where that has a union list and starts from
    /// snapshots of its own shape. Empty where no operator has one.
    pub unions: Vec<Vec<SnapshotHandle>>,
    /// The shape, once the job has been rescaled, or is resumed as another version.
    pub shape: Option<Box<DeployedShape>>,
}

/// The shape of an attempt of a job that does not run as it was declared first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeployedShape {
    /// As what the job runs.
    pub revision: Revision,
    /// The first attempt in this shape.
    pub since: Attempt,
    /// By subtask: what its sink's transactions were called in older shapes, those it takes over included.
    pub former: Vec<Vec<FormerName>>,
    /// Where its state comes from, if it was taken in another shape.
    pub redistribution: Option<Redistribution>,
}

/// Snapshots of another shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redistribution {
    /// As what the job ran when they were taken.
    pub revision: Revision,
    /// By subtask: those of its operator that it must read.
    pub snapshots: Vec<Vec<SnapshotHandle>>,
    /// By subtask: those of whoever sent to its operator, where something of theirs may be in flight.
    pub senders: Vec<Vec<SnapshotHandle>>,
}

impl Deploy {
    /// What a subtask starts from, in the order of the subtasks that took it.
    #[must_use]
    pub fn snapshots_of(&self, subtask: SubtaskId) -> &[SnapshotHandle] {
        let index = subtask.index();
        match self.redistribution() {
            Some(redistribution) => redistribution.snapshots.get(index).map_or(&[], Vec::as_slice),
            None => self.snapshots.get(index).map_or(&[], std::slice::from_ref),
        }
    }

    /// All that a subtask reads: what it starts from, and then what its senders had in flight, or what of all
    /// subtasks of its operator is united.
    #[must_use]
    pub fn reads_of(&self, subtask: SubtaskId) -> Vec<SnapshotHandle> {
        let senders = self.redistribution().and_then(|other| other.senders.get(subtask.index()));
        let senders = senders.map_or(&[][..], Vec::as_slice);
        [self.snapshots_of(subtask), senders, self.united_in(subtask)].concat()
    }

    /// The snapshots of all subtasks of its operator, where a union list is made of them.
    #[must_use]
    pub fn united_in(&self, subtask: SubtaskId) -> &[SnapshotHandle] {
        self.unions.get(subtask.index()).map_or(&[], Vec::as_slice)
    }

    fn redistribution(&self) -> Option<&Redistribution> {
        self.shape.as_ref().and_then(|shape| shape.redistribution.as_ref())
    }
}

/// A request to the object store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are named after what they hold")]
pub enum ObjectOperation {
    /// Make these bytes durable under this key.
    Put { key: ObjectKey, bytes: Arc<[u8]> },
    /// Send me what lies there.
    Get { key: ObjectKey },
    /// Remove it; it may be gone already.
    Delete { key: ObjectKey },
    /// Tell me what there is. The answer may be older than the request.
    List,
}

/// What the object store did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ObjectResult {
    /// Put or deleted.
    Done,
    /// Read.
    Read(Arc<[u8]>),
    /// The keys under which something lies, or lay a while ago.
    Listed(Vec<ObjectKey>),
    /// There is nothing under this key.
    Missing,
    /// Not done; trying again may help.
    Failed,
}

/// What a job knows about itself, durably: one record, replaced whole, so that every change is atomic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRecord {
    /// The newest reign.
    pub term: Term,
    /// Which life of the coordinator reigns.
    pub leader: Incarnation,
    /// The newest attempt.
    pub attempt: Attempt,
    /// The highest checkpoint id that may have been used.
    pub last_checkpoint: CheckpointId,
    /// The completed checkpoints, oldest first: the completed-checkpoint store.
    pub retained: Vec<CheckpointId>,
    /// Nothing is left to do.
    pub finished: bool,
    /// As what the next attempt runs.
    pub revision: Revision,
    /// In which shapes attempts have run.
    pub shapes: ShapeHistory,
    /// What is asked of this job, the savepoints that were taken, and whether it is stopped at one.
    pub savepoints: Box<SavepointRecord>,
}

/// A request to the meta store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are named after what they hold")]
pub enum MetaOperation {
    /// Send me the record.
    Read,
    /// Replace the record, if its version is still the expected one and no later term has written.
    Write { expected_version: u64, record: JobRecord },
}

/// Entries of a split, back to back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetched {
    /// What it answers.
    pub request: RequestId,
    /// The split.
    pub split: SplitId,
    /// What was asked for.
    pub requested: u64,
    /// The offset of the first entry: higher than asked for where the log has let go of older ones.
    pub offset: u64,
    /// The content of all entries.
    pub bytes: Vec<u8>,
    /// Where each entry ends in `bytes`.
    pub ends: Vec<u32>,
    /// Where the split ends: no entry has this offset or a higher one.
    pub split_end: u64,
}

/// A request to the sink target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are named after the ids they hold")]
pub enum SinkOperation {
    /// Refuse producers of this sink older than `attempt`, and abort their transactions but `keep`: those
    /// that go by its name since attempt `since`, and by a former one.
    Fence {
        sink: SubtaskId,
        attempt: Attempt,
        keep: Vec<TransactionId>,
        since: Attempt,
        former: Vec<FormerName>,
    },
    /// Make what was written durable, still invisible. `records` is how many there must be.
    Prepare { transaction: TransactionId, records: u64 },
    /// Make it visible; again and again has the same effect as once.
    Commit { transaction: TransactionId },
    /// Answer when everything written before, outside transactions, is visible. `records` is how many
    /// the attempt has written.
    Flush { sink: SubtaskId, attempt: Attempt, records: u64 },
}
