//! What a peer can do wrong: a closed set.

use thiserror::Error;

use crate::ids::{ChannelId, SnapshotId};

/// A marker that no peer sends which keeps to the algorithm.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MarkerError {
    /// A channel brings one marker of each snapshot, not two.
    #[error("{channel} brings a second marker of {snapshot}")]
    SecondMarker {
        /// The snapshot.
        snapshot: SnapshotId,
        /// The channel.
        channel: ChannelId,
    },
}
