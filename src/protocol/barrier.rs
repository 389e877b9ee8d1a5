//! Barriers: what separates the records of a checkpoint from those after it, and how it travels.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::ids::CheckpointId;
use super::savepoint::SavepointMode;
use super::time::VirtualTime;

/// How a barrier gets past the records before it (Flink: `CheckpointOptions.AlignmentType`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Passage {
    /// In its place: it overtakes nothing.
    #[default]
    InOrder,
    /// In its place until this time, and ahead from then on. The time is that of the coordinator's
    /// clock, and everybody compares it with their own (Flink: `aligned-checkpoint-timeout`).
    InOrderUntil(VirtualTime),
    /// Ahead of what waits in output queues and gates. What it overtakes is channel state (FLIP-76).
    Ahead,
}

impl Passage {
    /// Whether a barrier overtakes what it finds waiting at `now`.
    #[must_use]
    pub fn is_ahead(self, now: VirtualTime) -> bool {
        match self {
            Passage::InOrder => false,
            Passage::InOrderUntil(at) => now >= at,
            Passage::Ahead => true,
        }
    }
}

/// The checkpoint marker: everything before it belongs to the checkpoint, nothing after it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Barrier {
    /// Whose marker it is.
    pub checkpoint: CheckpointId,
    /// How it travels.
    pub passage: Passage,
    /// What becomes of the job at it, where it is that of a savepoint. It says so itself, since it may be faster
    /// than the trigger by message (Flink: the type of the snapshot is in `CheckpointOptions`).
    pub savepoint: Option<SavepointMode>,
}

impl Barrier {
    /// A barrier that overtakes nothing, of a periodic checkpoint.
    #[must_use]
    pub fn in_order(checkpoint: CheckpointId) -> Self {
        Self { checkpoint, passage: Passage::InOrder, savepoint: None }
    }

    /// The barrier of a savepoint: it overtakes nothing.
    #[must_use]
    pub fn of_savepoint(checkpoint: CheckpointId, mode: SavepointMode) -> Self {
        Self { savepoint: Some(mode), ..Self::in_order(checkpoint) }
    }

    /// The same barrier, ahead of what waits.
    #[must_use]
    pub fn hurried(self) -> Self {
        Self { passage: Passage::Ahead, ..self }
    }
}

impl fmt::Display for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.passage {
            Passage::InOrder => write!(f, "|{}|", self.checkpoint),
            Passage::InOrderUntil(at) => write!(f, "|{} until {at}|", self.checkpoint),
            Passage::Ahead => write!(f, ">{}>", self.checkpoint),
        }
    }
}
