//! One snapshot at one process, from the recording of its state on.

use crate::ids::ChannelId;
use crate::ordered::VecMap;
use alloc::vec::Vec;

/// How far a process is with one snapshot. Before it has recorded its state there is no recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recording<M> {
    /// The state is recorded, and at least one channel still is.
    Open {
        /// The channels whose marker has not come, with what came on them since. Never empty.
        channels: VecMap<ChannelId, Vec<M>>,
    },
    /// Every incoming channel has brought its marker.
    Complete,
}

impl<M> Recording<M> {
    /// A recording of these channels.
    pub fn of(channels: VecMap<ChannelId, Vec<M>>) -> Self {
        if channels.is_empty() { Self::Complete } else { Self::Open { channels } }
    }

    /// Whether every channel has brought its marker.
    pub fn is_complete(&self) -> bool {
        match self {
            Self::Open { .. } => false,
            Self::Complete => true,
        }
    }

    /// Keeps a message that came on `channel`, if that is still recorded.
    pub fn keep(&mut self, channel: ChannelId, message: M) {
        match self {
            Self::Open { channels } => {
                if let Some(messages) = channels.get_mut(&channel) {
                    messages.push(message);
                }
            }
            Self::Complete => {}
        }
    }

    /// Stops recording `channel`; none where it was stopped before.
    pub fn stop(&mut self, channel: ChannelId) -> Option<Vec<M>> {
        match self {
            Self::Open { channels } => {
                let messages = channels.remove(&channel)?;
                if channels.is_empty() {
                    *self = Self::Complete;
                }
                Some(messages)
            }
            Self::Complete => None,
        }
    }
}
