//! What a process does, in order.

use super::application::Application;
use crate::ids::{ChannelId, SnapshotId};
use alloc::vec::Vec;

/// One thing that a process does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output<A: Application> {
    /// Put a message into a channel.
    Send {
        /// The channel.
        channel: ChannelId,
        /// The message.
        message: A::Message,
    },
    /// Put a marker into a channel.
    SendMarker {
        /// The channel.
        channel: ChannelId,
        /// The snapshot it belongs to.
        snapshot: SnapshotId,
    },
    /// Keep the state of the process for a snapshot.
    RecordState {
        /// The snapshot.
        snapshot: SnapshotId,
        /// The state at this point.
        state: A,
    },
    /// Keep the state of an incoming channel for a snapshot.
    RecordChannel {
        /// The snapshot.
        snapshot: SnapshotId,
        /// The channel.
        channel: ChannelId,
        /// What was in it, in order.
        messages: Vec<A::Message>,
    },
    /// The part of this process in a snapshot is recorded.
    Complete {
        /// The snapshot.
        snapshot: SnapshotId,
    },
}
