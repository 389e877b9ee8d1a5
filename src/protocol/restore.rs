//! The restore plan: which subtask starts from which snapshot.

use super::completed::{CompletedCheckpoint, SnapshotHandle};
use super::error::ProtocolError;
use super::ids::{CheckpointId, SubtaskId};

/// Which subtask starts from which snapshot; nothing at all where no checkpoint has completed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RestorePlan {
    checkpoint: Option<CheckpointId>,
    snapshots: Vec<SnapshotHandle>,
}

impl RestorePlan {
    /// The plan for a job of `subtasks` subtasks that recovers from `latest`.
    ///
    /// # Errors
    ///
    /// When the checkpoint lists another number of subtasks, or lacks one.
    pub fn new(
        latest: Option<&CompletedCheckpoint>,
        subtasks: usize,
    ) -> Result<Self, ProtocolError> {
        let Some(completed) = latest else { return Ok(Self::default()) };
        let checkpoint = completed.checkpoint;
        if completed.snapshots.len() != subtasks {
            let found = completed.snapshots.len();
            return Err(ProtocolError::ParallelismChanged {
                checkpoint,
                found,
                expected: subtasks,
            });
        }
        for (index, handle) in completed.snapshots.iter().enumerate() {
            if handle.subtask.index() != index {
                let subtask = SubtaskId(u16::try_from(index).unwrap_or(u16::MAX));
                return Err(ProtocolError::SnapshotMissing { checkpoint, subtask });
            }
        }
        Ok(Self { checkpoint: Some(checkpoint), snapshots: completed.snapshots.clone() })
    }

    /// The checkpoint that all subtasks start from.
    #[must_use]
    pub fn checkpoint(&self) -> Option<CheckpointId> {
        self.checkpoint
    }

    /// What `subtask` starts from.
    #[must_use]
    pub fn snapshot_of(&self, subtask: SubtaskId) -> Option<SnapshotHandle> {
        self.snapshots.get(subtask.index()).copied()
    }
}
