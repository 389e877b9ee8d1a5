//! The input gate of a subtask: aligns barriers across its channels (exactly-once mode).

use serde::{Deserialize, Serialize};

use super::defect::DefectSet;
use super::error::ProtocolError;
use super::ids::CheckpointId;

/// What travels in a channel, in order. `T` is what the gate does not look into: records, watermarks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Element<T> {
    /// A record or a watermark.
    Item(T),
    /// Everything before it belongs to the checkpoint, nothing after it does.
    Barrier(CheckpointId),
    /// The sender has given this checkpoint up (Flink: `CancelCheckpointMarker`).
    Cancel(CheckpointId),
    /// Nothing follows.
    End,
}

/// What a gate says to its subtask, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GateOutput<T> {
    /// Process this item of this channel.
    Item {
        /// The index of the channel in the gate.
        channel: usize,
        /// The item.
        item: T,
    },
    /// The barrier left the channel.
    BarrierSeen {
        /// The index of the channel in the gate.
        channel: usize,
        /// The barrier.
        checkpoint: CheckpointId,
    },
    /// The cancel marker left the channel.
    CancelSeen {
        /// The index of the channel in the gate.
        channel: usize,
        /// The marker.
        checkpoint: CheckpointId,
    },
    /// The end of input left the channel.
    EndSeen {
        /// The index of the channel in the gate.
        channel: usize,
    },
    /// The channel delivers nothing for now.
    Blocked {
        /// The index of the channel in the gate.
        channel: usize,
        /// On behalf of which checkpoint.
        checkpoint: CheckpointId,
    },
    /// The channel delivers again.
    Unblocked {
        /// The index of the channel in the gate.
        channel: usize,
        /// On behalf of which checkpoint it was blocked.
        checkpoint: CheckpointId,
    },
    /// The first barrier of a checkpoint arrived.
    AlignmentStarted(CheckpointId),
    /// All channels have delivered the barrier or ended. The gate delivers nothing until
    /// [`InputGate::release`] is called with this checkpoint.
    Aligned(CheckpointId),
    /// The checkpoint is given up before its snapshot: decline it and cancel it downstream.
    AlignmentAborted(CheckpointId),
    /// All channels have ended.
    AllEnded,
}

/// TODO(H2)
#[derive(Clone, Debug)]
pub struct InputGate<T> {
    _t: Vec<T>,
}

impl<T> InputGate<T> {
    /// A gate with `channels` channels, none blocked, none ended.
    #[must_use]
    pub fn new(channels: usize, defects: DefectSet) -> Self {
        let _ = (channels, defects);
        panic!("stub")
    }

    /// Takes what a channel delivered. Nothing is dropped: what cannot be processed yet waits in the
    /// gate, bounded by the credits that the channel's sender was given.
    pub fn handle_element(
        &mut self,
        channel: usize,
        element: Element<T>,
    ) -> Result<(), ProtocolError> {
        let _ = (channel, element);
        panic!("stub")
    }

    /// Takes a trigger by message: it counts only where every channel has ended (or none exists),
    /// now or later; else the barriers decide.
    pub fn handle_trigger(&mut self, checkpoint: CheckpointId) {
        let _ = checkpoint;
        panic!("stub")
    }

    /// Takes the news that the coordinator aborted `checkpoint`.
    pub fn handle_aborted(&mut self, checkpoint: CheckpointId) {
        let _ = checkpoint;
        panic!("stub")
    }

    /// The snapshot of `checkpoint` was taken (or given up): the channels deliver again.
    pub fn release(&mut self, checkpoint: CheckpointId) {
        let _ = checkpoint;
        panic!("stub")
    }

    /// What to do next, if anything. The caller stops polling while it cannot process an item
    /// (its outputs wait for credit); what it left is still there when it goes on.
    pub fn poll_output(&mut self) -> Option<GateOutput<T>> {
        panic!("stub")
    }

    /// How many items wait in the gate for this channel.
    #[must_use]
    pub fn queued(&self, channel: usize) -> usize {
        let _ = channel;
        panic!("stub")
    }
}
