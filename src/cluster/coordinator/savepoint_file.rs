//! The content of a savepoint's metadata object: complete in itself, and by name.
//!
//! Whoever starts a job from it may be another job, or a newer version of this one: subtasks are known by
//! operator and index, not by their place in a topology.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::metadata;
use crate::protocol::{CompletedCheckpoint, DefectSet, Topology};

/// A savepoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavepointFile {
    /// By snapshot: the operator and the index of its subtask.
    members: Vec<(String, u16)>,
    /// Where the snapshots lie.
    pub completed: CompletedCheckpoint,
}

impl SavepointFile {
    /// The savepoint of a job of this shape.
    pub fn new(topology: &Topology, completed: CompletedCheckpoint) -> Self {
        let member = |handle: &crate::protocol::SnapshotHandle| {
            let shape = topology.subtasks[handle.subtask.index()];
            (topology.operator_of(handle.subtask).name.clone(), shape.index)
        };
        let members = completed.snapshots.iter().map(member).collect();
        Self { members, completed }
    }

    /// The bytes to store, and behind them the digest of them.
    pub fn encode(&self) -> Arc<[u8]> {
        metadata::seal(self)
    }

    /// What was stored; none where these bytes are not it.
    pub fn decode(bytes: &[u8], defects: DefectSet) -> Option<Self> {
        metadata::open(bytes, defects)
    }

    /// Whether a job of this shape can start from it.
    ///
    /// # Errors
    ///
    /// What it lacks, or has too much.
    pub fn check(&self, topology: &Topology) -> Result<(), String> {
        let savepoint = self.completed.checkpoint;
        for id in topology.subtask_ids() {
            let (name, index) =
                (&topology.operator_of(id).name, topology.subtasks[id.index()].index);
            if !self.members.iter().any(|(held, at)| held == name && *at == index) {
                return Err(format!("savepoint {savepoint} holds no state of {name}/{index}"));
            }
        }
        let is_known = |name: &String, index: u16| {
            let mut ids = topology.subtask_ids();
            ids.any(|id| {
                topology.operator_of(id).name == *name
                    && topology.subtasks[id.index()].index == index
            })
        };
        match self.members.iter().find(|(name, index)| !is_known(name, *index)) {
            Some((name, index)) => Err(format!(
                "savepoint {savepoint} holds state of {name}/{index}, which the job does not have"
            )),
            None => Ok(()),
        }
    }
}
