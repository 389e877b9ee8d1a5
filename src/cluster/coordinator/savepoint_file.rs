//! The content of a savepoint's metadata object: complete in itself, and by name.
//!
//! Whoever starts a job from it may be another job, or a newer version of this one: subtasks are known by
//! operator and index, and enumerators by operator, not by their place in a topology.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::metadata;
use crate::dataflow::Job;
use crate::protocol::{
    CompletedCheckpoint, DefectSet, EnumeratorState, OperatorId, SnapshotHandle, SubtaskId,
    Topology,
};

/// A savepoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavepointFile {
    /// By snapshot: the operator and the index of its subtask.
    members: Vec<(String, u16)>,
    /// Where the snapshots lie.
    pub completed: CompletedCheckpoint,
    /// By operator that has one: the enumerator's part.
    enumerators: Vec<(String, EnumeratorState)>,
}

/// What lies in every file, ahead of the enumerators' parts, which most have none of.
#[derive(Serialize, Deserialize)]
struct Head {
    members: Vec<(String, u16)>,
    completed: CompletedCheckpoint,
}

impl SavepointFile {
    /// The savepoint of this job. `part` is that of its enumerators, in their order.
    pub fn new(job: &Job, completed: CompletedCheckpoint, part: Vec<EnumeratorState>) -> Self {
        let topology = job.topology();
        let member = |handle: &SnapshotHandle| member(topology, handle.subtask);
        let members = completed.snapshots.iter().map(member).collect();
        let enumerators = enumerated(job).into_iter().zip(part).collect();
        Self { members, completed, enumerators }
    }

    /// The bytes to store, and behind them the digest of them.
    ///
    /// # Panics
    ///
    /// Never: it is plain data.
    pub fn encode(&self) -> Arc<[u8]> {
        let head = Head { members: self.members.clone(), completed: self.completed.clone() };
        let enumerators = self.enumerators.iter().map(|(name, state)| (name, state));
        metadata::encode_with(&head, enumerators)
    }

    /// What was stored; none where these bytes are not it.
    pub fn decode(bytes: &[u8], defects: DefectSet) -> Option<Self> {
        let (Head { members, completed }, enumerators) = metadata::decode_with(bytes, defects)?;
        Some(Self { members, completed, enumerators })
    }

    /// What this job's enumerators start from, in their order.
    pub fn part_of(&self, job: &Job) -> Vec<EnumeratorState> {
        let part = |name: &String| self.enumerators.iter().find(|(of, _)| of == name);
        enumerated(job).iter().filter_map(part).map(|(_, state)| state.clone()).collect()
    }

    /// Whether this job can start from it.
    ///
    /// # Errors
    ///
    /// What it lacks, or has too much.
    pub fn check(&self, job: &Job) -> Result<(), String> {
        let savepoint = self.completed.checkpoint;
        let needed: Vec<_> =
            job.topology().subtask_ids().map(|id| member(job.topology(), id)).collect();
        if let Some((name, index)) = needed.iter().find(|one| !self.members.contains(one)) {
            return Err(format!("savepoint {savepoint} holds no state of {name}/{index}"));
        }
        if let Some((name, index)) = self.members.iter().find(|one| !needed.contains(one)) {
            return Err(format!(
                "savepoint {savepoint} holds state of {name}/{index}, which the job does not have"
            ));
        }
        let needed = enumerated(job);
        let held: Vec<_> = self.enumerators.iter().map(|(name, _)| name.clone()).collect();
        if let Some(name) = needed.iter().find(|name| !held.contains(name)) {
            return Err(format!(
                "savepoint {savepoint} holds no state of the enumerator of {name}"
            ));
        }
        match held.iter().find(|name| !needed.contains(name)) {
            Some(name) => Err(format!(
                "savepoint {savepoint} holds state of an enumerator of {name}, which the job does not have"
            )),
            None => Ok(()),
        }
    }
}

/// A subtask by name.
fn member(topology: &Topology, subtask: SubtaskId) -> (String, u16) {
    (topology.operator_of(subtask).name.clone(), topology.subtasks[subtask.index()].index)
}

/// The operators of a job that have an enumerator, by name, in the order of their parts.
fn enumerated(job: &Job) -> Vec<String> {
    let name = |operator: OperatorId| job.topology().operators[operator.index()].name.clone();
    job.enumerated().map(|(operator, ..)| name(operator)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataflow::{EncodedSink, JobBuilder, Replay, SplitAssignment};
    use crate::protocol::{Attempt, CheckpointId, Digest, ObjectKey, SplitId};

    /// A job that reads these streams, each with so many subtasks.
    fn job(sources: &[(&str, u16)], assignment: SplitAssignment) -> Job {
        let job = JobBuilder::new("copies");
        for (name, parallelism) in sources {
            let replay = Replay::<u64>::new();
            let stream = match assignment {
                SplitAssignment::Static => job.source(name, replay, *parallelism, 4),
                SplitAssignment::Enumerated => job.source_enumerated(name, replay, *parallelism, 4),
                SplitAssignment::Discovered => job.source_discovered(name, replay, *parallelism, 4),
            };
            stream.transactional_sink(&format!("{name}-out"), *parallelism, EncodedSink::new());
        }
        job.build().expect("it is a job")
    }

    fn fixed(sources: &[(&str, u16)]) -> Job {
        job(sources, SplitAssignment::Static)
    }

    fn savepoint(job: &Job) -> SavepointFile {
        let (checkpoint, attempt) = (CheckpointId(7), Attempt(2));
        let handle = |subtask: SubtaskId| {
            let key = ObjectKey::Snapshot { checkpoint, attempt, subtask };
            SnapshotHandle { subtask, key, digest: Digest(5), bytes: 3 }
        };
        let snapshots = job.topology().subtask_ids().map(handle).collect();
        let (terminal, quiet) = (false, Vec::new());
        let completed = CompletedCheckpoint { checkpoint, attempt, snapshots, terminal, quiet };
        let part = |(operator, ..): (OperatorId, Vec<_>, Vec<_>)| {
            let known = if job.discovers(operator) { vec![SplitId(1), SplitId(3)] } else { vec![] };
            EnumeratorState { unassigned: vec![SplitId(3)], known }
        };
        SavepointFile::new(job, completed, job.enumerated().map(part).collect())
    }

    #[test]
    fn what_was_stored_is_read_and_fits_its_job() {
        use SplitAssignment as By;
        for assignment in [By::Static, By::Enumerated, By::Discovered] {
            let job = job(&[("lines", 2), ("words", 1)], assignment);
            let bytes = savepoint(&job).encode();
            let read = SavepointFile::decode(&bytes, DefectSet::NONE).expect("it is whole");
            assert_eq!(read, savepoint(&job));
            assert_eq!(read.check(&job), Ok(()));
            assert_eq!(read.part_of(&job).len(), job.enumerated().count());
            assert_eq!(SavepointFile::decode(&bytes[..bytes.len() - 1], DefectSet::NONE), None);
        }
    }

    #[test]
    fn a_savepoint_of_another_job_is_refused() {
        let read = savepoint(&fixed(&[("lines", 2), ("words", 1)]));
        let missing = read.check(&fixed(&[("lines", 2), ("words", 1), ("counts", 1)]));
        assert_eq!(missing, Err("savepoint ckpt-7 holds no state of counts/0".to_owned()));
        let wider = read.check(&fixed(&[("lines", 3), ("words", 1)]));
        assert_eq!(wider, Err("savepoint ckpt-7 holds no state of lines/2".to_owned()));
        let unknown = read.check(&fixed(&[("lines", 2)]));
        let expected = "savepoint ckpt-7 holds state of words/0, which the job does not have";
        assert_eq!(unknown, Err(expected.to_owned()));
    }

    #[test]
    fn a_savepoint_without_the_enumerators_of_the_job_is_refused() {
        let (fixed, enumerated) =
            (fixed(&[("lines", 2)]), job(&[("lines", 2)], SplitAssignment::Enumerated));
        let missing = savepoint(&fixed).check(&enumerated);
        let expected = "savepoint ckpt-7 holds no state of the enumerator of lines";
        assert_eq!(missing, Err(expected.to_owned()));
        let unknown = savepoint(&enumerated).check(&fixed);
        let expected =
            "savepoint ckpt-7 holds state of an enumerator of lines, which the job does not have";
        assert_eq!(unknown, Err(expected.to_owned()));
    }
}
