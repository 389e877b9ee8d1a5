//! The completed checkpoints that are retained: what recovery chooses from.

use super::completed::CompletedCheckpoint;
use super::ids::{CheckpointId, ObjectKey};
use alloc::vec::Vec;

/// The newest completed checkpoints, as the coordinator knows them (Flink: `CompletedCheckpointStore`).
#[derive(Clone, Debug)]
pub struct CompletedStore {
    /// Oldest first, ids strictly increasing, never more than `retained`.
    checkpoints: Vec<CompletedCheckpoint>,
    retained: usize,
}

impl CompletedStore {
    /// A store that keeps the newest `retained`, and holds `checkpoints` (oldest first).
    #[must_use]
    pub fn new(retained: u32, checkpoints: Vec<CompletedCheckpoint>) -> Self {
        assert!(retained > 0, "without a completed checkpoint there is no recovery");
        let increasing =
            checkpoints.is_sorted_by(|older, newer| older.checkpoint < newer.checkpoint);
        assert!(increasing, "the retained checkpoints come oldest first");
        Self { checkpoints, retained: retained as usize }
    }

    /// What will be retained once `checkpoint` is added, oldest first.
    #[must_use]
    pub fn retained_with(&self, checkpoint: CheckpointId) -> Vec<CheckpointId> {
        let held = self.checkpoints.iter().map(|completed| completed.checkpoint);
        let all: Vec<_> = held.chain([checkpoint]).collect();
        all[all.len().saturating_sub(self.retained)..].to_vec()
    }

    /// Adds a checkpoint newer than all others; returns those that it pushes out, oldest first.
    pub fn add(&mut self, completed: CompletedCheckpoint) -> Vec<CompletedCheckpoint> {
        let newest = self.checkpoints.last().map(|newest| newest.checkpoint);
        assert!(newest < Some(completed.checkpoint), "completed checkpoints only get newer");
        self.checkpoints.push(completed);
        let surplus = self.checkpoints.len().saturating_sub(self.retained);
        let evicted = self.checkpoints.drain(..surplus).collect();
        assert!(!self.checkpoints.is_empty(), "the newest is always retained");
        evicted
    }

    /// The newest.
    #[must_use]
    pub fn newest(&self) -> Option<&CompletedCheckpoint> {
        self.checkpoints.last()
    }

    /// The oldest that is still there.
    #[must_use]
    pub fn oldest(&self) -> Option<&CompletedCheckpoint> {
        self.checkpoints.first()
    }

    /// Whether this checkpoint is retained.
    #[must_use]
    pub fn holds(&self, checkpoint: CheckpointId) -> bool {
        self.checkpoints.iter().any(|completed| completed.checkpoint == checkpoint)
    }

    /// Whether a retained checkpoint refers to this object.
    #[must_use]
    pub fn refers_to(&self, key: ObjectKey) -> bool {
        let handles = self.checkpoints.iter().flat_map(|completed| &completed.snapshots);
        handles.into_iter().any(|handle| handle.key == key)
    }
}
