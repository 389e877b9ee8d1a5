//! A completed checkpoint: what recovery needs.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use super::ids::{Attempt, CheckpointId, ObjectKey, SubtaskId};
use super::lineage::Digest;

/// Where a subtask's snapshot lies, and how to know that it is the right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SnapshotHandle {
    /// The subtask whose state it is.
    pub subtask: SubtaskId,
    /// Where it lies.
    pub key: ObjectKey,
    /// The digest of its bytes; a reader that finds another must refuse it.
    pub digest: Digest,
    /// Its size in bytes.
    pub bytes: u64,
}

/// A checkpoint that every subtask acknowledged: the content of its metadata object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CompletedCheckpoint {
    /// The checkpoint that completed.
    pub checkpoint: CheckpointId,
    /// The attempt that took it.
    pub attempt: Attempt,
    /// One handle a subtask, in subtask order.
    pub snapshots: Vec<SnapshotHandle>,
    /// Whether every subtask had ended, and every sink had nothing left to commit, at its cut:
    /// nothing would be done after a restore from it.
    pub terminal: bool,
    /// The subtasks on whose back edges nothing was, and into whose loops nothing comes any more. Told when
    /// the checkpoint completes; no part of the metadata.
    #[serde(skip)]
    pub quiet: Vec<SubtaskId>,
}
