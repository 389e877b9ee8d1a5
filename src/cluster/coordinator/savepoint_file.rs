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
    ///
    /// # Panics
    ///
    /// Never: it is plain data.
    pub fn encode(&self) -> Arc<[u8]> {
        metadata::seal(postcard::to_allocvec(self).expect("plain data can be encoded"))
    }

    /// What was stored; none where these bytes are not it.
    pub fn decode(bytes: &[u8], defects: DefectSet) -> Option<Self> {
        postcard::from_bytes(metadata::open(bytes, defects)?).ok()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{
        Attempt, CheckpointId, Digest, ObjectKey, OperatorId, OperatorRole, OperatorShape,
        SnapshotHandle, SubtaskId, SubtaskShape,
    };

    /// A job of sources by these names, each with so many subtasks.
    fn job(operators: &[(&str, u16)]) -> Topology {
        let mut topology = Topology::default();
        for (place, (name, parallelism)) in operators.iter().enumerate() {
            let (name, role) = ((*name).to_owned(), OperatorRole::Source);
            topology.operators.push(OperatorShape { name, role, parallelism: *parallelism });
            let operator = OperatorId(u16::try_from(place).expect("few"));
            let members = (0..*parallelism).map(|index| SubtaskShape { operator, index });
            topology.subtasks.extend(members);
        }
        topology
    }

    fn savepoint(topology: &Topology) -> SavepointFile {
        let (checkpoint, attempt) = (CheckpointId(7), Attempt(2));
        let handle = |subtask: SubtaskId| {
            let key = ObjectKey::Snapshot { checkpoint, attempt, subtask };
            SnapshotHandle { subtask, key, digest: Digest(5), bytes: 3 }
        };
        let snapshots = topology.subtask_ids().map(handle).collect();
        let completed = CompletedCheckpoint {
            checkpoint,
            attempt,
            snapshots,
            terminal: false,
            quiet: Vec::new(),
        };
        SavepointFile::new(topology, completed)
    }

    #[test]
    fn what_was_stored_is_read_and_fits_its_job() {
        let topology = job(&[("lines", 2), ("words", 1)]);
        let bytes = savepoint(&topology).encode();
        let read = SavepointFile::decode(&bytes, DefectSet::NONE).expect("it is whole");
        assert_eq!(read, savepoint(&topology));
        assert_eq!(read.check(&topology), Ok(()));
        assert_eq!(SavepointFile::decode(&bytes[..bytes.len() - 1], DefectSet::NONE), None);
    }

    #[test]
    fn a_savepoint_of_another_job_is_refused() {
        let read = savepoint(&job(&[("lines", 2), ("words", 1)]));
        let missing = read.check(&job(&[("lines", 2), ("words", 1), ("count", 1)]));
        assert_eq!(missing, Err("savepoint ckpt-7 holds no state of count/0".to_owned()));
        let wider = read.check(&job(&[("lines", 3), ("words", 1)]));
        assert_eq!(wider, Err("savepoint ckpt-7 holds no state of lines/2".to_owned()));
        let unknown = read.check(&job(&[("lines", 2)]));
        let expected = "savepoint ckpt-7 holds state of words/0, which the job does not have";
        assert_eq!(unknown, Err(expected.to_owned()));
    }
}
