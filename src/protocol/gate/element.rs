//! What goes into a gate, and what comes out of it.

use serde::{Deserialize, Serialize};

use crate::barrier::Barrier;
use crate::ids::CheckpointId;
use crate::step::ProtocolStep;

/// What travels in a channel, in order. `T` is what the gate does not look into: records, watermarks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Element<T> {
    /// A record or a watermark.
    Item(T),
    /// Everything before it belongs to the checkpoint, nothing after it does.
    Barrier(Barrier),
    /// The sender has given this checkpoint up (Flink: `CancelCheckpointMarker`).
    Cancel(CheckpointId),
    /// Nothing follows.
    End,
}

impl<T> Element<T> {
    /// Its kind, for messages.
    pub(super) fn what(&self) -> &'static str {
        match self {
            Element::Item(_) => "an item",
            Element::Barrier(_) => "a barrier",
            Element::Cancel(_) => "a cancel marker",
            Element::End => "an end of input",
        }
    }
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
    /// The end of input left the channel.
    EndSeen {
        /// The index of the channel in the gate.
        channel: usize,
    },
    /// All channels have delivered the barrier or ended. The gate delivers nothing until
    /// [`InputGate::release`](super::InputGate::release) is called with this checkpoint.
    Aligned(Barrier),
    /// A barrier came ahead of what waits: the cut is here, whatever the other channels have delivered.
    /// The gate delivers nothing until [`InputGate::release`](super::InputGate::release) is called.
    Overtaken(Barrier),
    /// This barrier waits in its place in some channel, for the time being: at the time that it names,
    /// [`InputGate::handle_overdue`](super::InputGate::handle_overdue) is due.
    Announced(Barrier),
    /// The barrier has come on every channel that was recorded since
    /// [`InputGate::capture`](super::InputGate::capture): the channel state is whole.
    Captured(CheckpointId),
    /// The snapshot was taken, and its channel state will never be whole.
    CaptureAbandoned(CheckpointId),
    /// The checkpoint is given up before its snapshot: decline it and cancel it downstream.
    AlignmentAborted(CheckpointId),
    /// All channels have ended.
    AllEnded,
    /// This happened; nothing is to be done.
    Step(ProtocolStep),
}
