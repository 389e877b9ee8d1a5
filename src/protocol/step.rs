//! The steps of a subtask's protocol: what happens, and needs nothing to be done.

use super::ids::CheckpointId;

/// What a trace tells of a subtask's part in checkpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the index of an input, and a checkpoint")]
pub enum ProtocolStep {
    /// The barrier left the input in its place.
    BarrierSeen { input: usize, checkpoint: CheckpointId },
    /// The barrier left the input ahead of what waits there.
    BarrierOvertook { input: usize, checkpoint: CheckpointId },
    /// The cancel marker left the input.
    CancelSeen { input: usize, checkpoint: CheckpointId },
    /// The input delivers nothing for now.
    Blocked { input: usize, checkpoint: CheckpointId },
    /// The input delivers again.
    Unblocked { input: usize, checkpoint: CheckpointId },
    /// A barrier waits in its place for the time being, and may overtake later.
    Announced(CheckpointId),
    /// The first barrier of a checkpoint arrived.
    AlignmentStarted(CheckpointId),
    /// All inputs have delivered the barrier or ended: the cut is here.
    AlignmentCompleted(CheckpointId),
    /// A barrier came ahead: the cut is here, whatever the other inputs have delivered.
    AlignmentOvertaken(CheckpointId),
    /// The checkpoint is given up before its snapshot.
    AlignmentAborted(CheckpointId),
    /// The snapshot was taken, and its channel state will never be whole.
    CaptureAbandoned(CheckpointId),
    /// Every part of the snapshot is durable.
    SnapshotDurable(CheckpointId),
}
