//! A subtask's part in checkpoints: snapshot, upload, acknowledge, decline; and remembering aborts.

use super::defect::DefectSet;
use super::ids::CheckpointId;

/// What a subtask must do for a checkpoint, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubtaskOutput {
    /// Send the barrier on every output channel.
    BroadcastBarrier(CheckpointId),
    /// Send a cancel marker on every output channel.
    BroadcastCancel(CheckpointId),
    /// Freeze the state (the synchronous part); then start the asynchronous part: the upload and,
    /// in a sink, the pre-commit.
    TakeSnapshot(CheckpointId),
    /// Let the gate deliver again.
    Release(CheckpointId),
    /// Both parts are durable.
    Durable(CheckpointId),
    /// Tell the coordinator that the snapshot is durable.
    Acknowledge(CheckpointId),
    /// Tell the coordinator that there will be no snapshot.
    Decline(CheckpointId),
    /// Drop what is left of the asynchronous part, and delete what it wrote.
    DiscardSnapshot(CheckpointId),
}

/// Which asynchronous part of a snapshot became durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AsyncPart {
    /// The state is in the object store.
    Upload,
    /// The transaction of the epoch is prepared at the sink target.
    PreCommit,
}

/// TODO(H2)
#[derive(Clone, Debug)]
pub struct SubtaskCheckpoint {}

impl SubtaskCheckpoint {
    /// A subtask restored from `restored`: nothing at or below it is ever snapshotted again.
    /// `parts` are those that every snapshot of this subtask has.
    #[must_use]
    pub fn new(
        restored: Option<CheckpointId>,
        parts: &'static [AsyncPart],
        defects: DefectSet,
    ) -> Self {
        let _ = (restored, parts, defects);
        panic!("stub")
    }

    /// The gate is aligned for `checkpoint`, or (in a source) the trigger's turn has come.
    pub fn handle_barrier(&mut self, checkpoint: CheckpointId) {
        let _ = checkpoint;
        panic!("stub")
    }

    /// The gate gave `checkpoint` up.
    pub fn handle_alignment_aborted(&mut self, checkpoint: CheckpointId) {
        let _ = checkpoint;
        panic!("stub")
    }

    /// The coordinator aborted `checkpoint`.
    pub fn handle_aborted(&mut self, checkpoint: CheckpointId) {
        let _ = checkpoint;
        panic!("stub")
    }

    /// One asynchronous part of `checkpoint` is durable.
    pub fn handle_part_durable(&mut self, checkpoint: CheckpointId, part: AsyncPart) {
        let _ = (checkpoint, part);
        panic!("stub")
    }

    /// An asynchronous part of `checkpoint` failed for good.
    pub fn handle_part_failed(&mut self, checkpoint: CheckpointId, part: AsyncPart) {
        let _ = (checkpoint, part);
        panic!("stub")
    }

    /// What to do next, if anything.
    pub fn poll_output(&mut self) -> Option<SubtaskOutput> {
        panic!("stub")
    }
}
