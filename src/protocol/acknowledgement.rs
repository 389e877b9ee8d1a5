//! What a subtask reports to the coordinator when its snapshot is durable.

use serde::{Deserialize, Serialize};

use super::completed::SnapshotHandle;
use super::ids::{Attempt, CheckpointId};

/// A subtask says: my snapshot is durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// The attempt in which it was taken.
    pub attempt: Attempt,
    /// For which checkpoint.
    pub checkpoint: CheckpointId,
    /// Where it lies; names the subtask.
    pub handle: SnapshotHandle,
    /// Whether nothing is left for the subtask to do after this cut
    /// (input ended; in a sink, all before it committed).
    pub terminal: bool,
    /// Whether all that enters the subtask's loops from outside had ended at the cut, and nothing was on its
    /// back edges.
    pub quiet: bool,
}
