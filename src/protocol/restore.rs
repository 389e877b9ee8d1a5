//! The restore plan: which subtask starts from which snapshots.
//!
//! A job of the same shape restores one to one. One of another shape is given its state anew: operators
//! are matched by uid, key groups go to whoever owns them, and all else is told of every old subtask
//! of the operator (Flink: `StateAssignmentOperation`).

use super::completed::{CompletedCheckpoint, SnapshotHandle};
use super::defect::{Defect, DefectSet};
use super::error::ProtocolError;
use super::ids::{CheckpointId, OperatorId, SubtaskId};
use super::key_group::KeyGroup;
use super::topology::{OperatorShape, Topology};
use crate::ordered::VecSet;
use alloc::vec;
use alloc::vec::Vec;

/// Which subtask starts from which snapshots; nothing at all where no checkpoint has completed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RestorePlan {
    checkpoint: Option<CheckpointId>,
    snapshots: Vec<Vec<SnapshotHandle>>,
    /// By subtask, the snapshots of those that sent to its operator; empty where nothing of theirs is needed.
    senders: Vec<Vec<SnapshotHandle>>,
}

/// Which snapshots of its operator a subtask must read when their number changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotRange {
    /// Those that hold key groups of its range.
    KeyRange,
    /// All: what it needs may lie in any.
    All,
    /// None: the operator is new, and starts anew.
    Nothing,
}

/// The shape in which a checkpoint was taken, and the one that goes on from it.
#[derive(Clone, Copy, Debug)]
pub struct Succession<'a> {
    /// The shape of the checkpoint.
    pub old: &'a Topology,
    /// The shape that goes on.
    pub new: &'a Topology,
    /// By operator of the new shape, what its subtasks must read.
    pub ranges: &'a [SnapshotRange],
    /// Operators of the old shape whose state nobody takes over, as somebody has said.
    pub left: &'a [OperatorId],
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
        check_whole(completed, subtasks)?;
        let snapshots = completed.snapshots.iter().map(|handle| vec![*handle]).collect();
        Ok(Self { checkpoint: Some(completed.checkpoint), snapshots, senders: Vec::new() })
    }

    /// The plan for a job that recovers from a checkpoint taken in another shape.
    ///
    /// # Errors
    ///
    /// When the checkpoint is not one of the old shape, when one of the shapes has an operator that the other
    /// lacks and nobody has said so, or a keyed one has more subtasks than there are key groups.
    pub fn rescaled(
        completed: &CompletedCheckpoint,
        succession: Succession<'_>,
        defects: DefectSet,
    ) -> Result<Self, ProtocolError> {
        let checkpoint = completed.checkpoint;
        let Succession { old, new, ranges, left } = succession;
        check_whole(completed, old.subtasks.len())?;
        check_nothing_left(checkpoint, old, new, left)?;
        let mut snapshots = Vec::with_capacity(new.subtasks.len());
        for shape in &new.subtasks {
            let operator = &new.operators[shape.operator.index()];
            let wanted = ranges.get(shape.operator.index()).copied().unwrap_or(SnapshotRange::All);
            if wanted == SnapshotRange::Nothing {
                snapshots.push(Vec::new());
                continue;
            }
            check_maximum(checkpoint, operator, wanted)?;
            let (first, before) = find(checkpoint, old, operator)?;
            let is_read =
                |index: &u16| reads(wanted, shape.index, operator, *index, before, defects);
            let read = (0..before).filter(is_read).map(|index| first + usize::from(index));
            snapshots.push(read.map(|subtask| completed.snapshots[subtask]).collect());
        }
        Ok(Self { checkpoint: Some(checkpoint), snapshots, senders: Vec::new() })
    }

    /// The checkpoint that all subtasks start from.
    #[must_use]
    pub fn checkpoint(&self) -> Option<CheckpointId> {
        self.checkpoint
    }

    /// What `subtask` starts from; the first of several.
    #[must_use]
    pub fn snapshot_of(&self, subtask: SubtaskId) -> Option<SnapshotHandle> {
        self.snapshots_of(subtask).first().copied()
    }

    /// Those who sent to an operator hold what they had emitted and not sent: each of its subtasks reads
    /// their snapshots as well, since it may fall to any of them.
    #[must_use]
    pub fn with_senders(
        mut self,
        completed: &CompletedCheckpoint,
        old: &Topology,
        new: &Topology,
    ) -> Self {
        let senders = new.subtask_ids().map(|subtask| senders_of(subtask, old, new));
        let handles = |subtasks: Vec<usize>| {
            subtasks.into_iter().filter_map(|subtask| completed.snapshots.get(subtask).copied())
        };
        self.senders = senders.map(|subtasks| handles(subtasks).collect()).collect();
        self
    }

    /// The snapshots of those that sent to the operator of `subtask`, as far as something of them is needed.
    #[must_use]
    pub fn senders_of(&self, subtask: SubtaskId) -> &[SnapshotHandle] {
        self.senders.get(subtask.index()).map_or(&[], Vec::as_slice)
    }

    /// All that `subtask` starts from, in the order of the subtasks that took them.
    #[must_use]
    pub fn snapshots_of(&self, subtask: SubtaskId) -> &[SnapshotHandle] {
        self.snapshots.get(subtask.index()).map_or(&[], Vec::as_slice)
    }
}

/// The subtasks of the old shape that sent to the operator of `subtask`, in order.
fn senders_of(subtask: SubtaskId, old: &Topology, new: &Topology) -> Vec<usize> {
    let senders = new.inputs(subtask).map(|channel| new.channels[channel.index()].from);
    let uids: VecSet<&str> = senders.map(|sender| new.operator_of(sender).uid()).collect();
    let is_one = |sender: &SubtaskId| uids.contains(old.operator_of(*sender).uid());
    old.subtask_ids().filter(is_one).map(SubtaskId::index).collect()
}

/// The key groups that are restored into subtask `index` of `parallelism`.
#[must_use]
pub fn restored_range(index: u16, parallelism: u16, defects: DefectSet) -> core::ops::Range<u16> {
    let mut range = KeyGroup::range(index, parallelism);
    if defects.has(Defect::KeyGroupsOfOtherMaximum) {
        range = range.start.div_ceil(2)..range.end.div_ceil(2); // As of half the maximum.
    }
    if defects.has(Defect::KeyGroupDroppedAtBoundary) && index > 0 {
        range.start += 1;
    }
    range
}

/// Whether a subtask of the new shape reads the snapshot of subtask `old` of `before`.
fn reads(
    wanted: SnapshotRange,
    index: u16,
    operator: &OperatorShape,
    old: u16,
    before: u16,
    defects: DefectSet,
) -> bool {
    // The state is looked up by an identity that is made of all the operator is, its parallelism included.
    let is_lost = defects.has(Defect::StateOfOtherIdentity) && before != operator.parallelism;
    match wanted {
        SnapshotRange::Nothing => false,
        SnapshotRange::KeyRange if is_lost => false,
        SnapshotRange::All => true,
        SnapshotRange::KeyRange => {
            let own = restored_range(index, operator.parallelism, defects);
            let held = KeyGroup::range(old, before);
            own.start < held.end && held.start < own.end
        }
    }
}

fn check_whole(completed: &CompletedCheckpoint, subtasks: usize) -> Result<(), ProtocolError> {
    let checkpoint = completed.checkpoint;
    let found = completed.snapshots.len();
    if found != subtasks {
        return Err(ProtocolError::ParallelismChanged { checkpoint, found, expected: subtasks });
    }
    for (index, handle) in completed.snapshots.iter().enumerate() {
        if handle.subtask.index() != index {
            let subtask = SubtaskId(u16::try_from(index).unwrap_or(u16::MAX));
            return Err(ProtocolError::SnapshotMissing { checkpoint, subtask });
        }
    }
    Ok(())
}

/// The first subtask of `operator` in the old shape, and how many it had.
fn find(
    checkpoint: CheckpointId,
    old: &Topology,
    operator: &OperatorShape,
) -> Result<(usize, u16), ProtocolError> {
    let mut first = 0;
    for known in &old.operators {
        if known.uid() == operator.uid() {
            return Ok((first, known.parallelism));
        }
        first += usize::from(known.parallelism);
    }
    let operator = operator.name.clone();
    Err(ProtocolError::OperatorMissing { checkpoint, operator })
}

/// State that nobody would take over must not be forgotten in silence.
fn check_nothing_left(
    checkpoint: CheckpointId,
    old: &Topology,
    new: &Topology,
    left: &[OperatorId],
) -> Result<(), ProtocolError> {
    let mut operators = (0..).map(OperatorId).zip(&old.operators);
    let is_forgotten = |(id, operator): &(OperatorId, &OperatorShape)| {
        new.operator_with_uid(operator.uid()).is_none() && !left.contains(id)
    };
    match operators.find(is_forgotten) {
        None => Ok(()),
        Some((_, left)) => {
            Err(ProtocolError::OperatorLeftBehind { checkpoint, operator: left.name.clone() })
        }
    }
}

fn check_maximum(
    checkpoint: CheckpointId,
    operator: &OperatorShape,
    wanted: SnapshotRange,
) -> Result<(), ProtocolError> {
    let parallelism = operator.parallelism;
    if wanted == SnapshotRange::All || parallelism <= KeyGroup::COUNT {
        return Ok(());
    }
    let (operator, maximum) = (operator.name.clone(), KeyGroup::COUNT);
    Err(ProtocolError::ParallelismAboveMaximum { checkpoint, operator, parallelism, maximum })
}

#[cfg(test)]
mod tests;
