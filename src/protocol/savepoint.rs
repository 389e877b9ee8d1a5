//! Savepoints: checkpoints that somebody asks for and owns.
//!
//! They are aligned, taken beside the periodic ones, and are none of them: no savepoint is subsumed, evicted
//! or used by automatic recovery, and nothing is committed because of one that the job survives
//! (FLINK-10354, FLINK-25191).

use serde::{Deserialize, Serialize};

use super::ids::{CheckpointId, ObjectKey};

/// The number of a request among those of a run: who hears it twice does it once.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct RequestNumber(pub u16);

/// What becomes of the job at a savepoint.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::Display,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum SavepointMode {
    /// It goes on.
    GoOn,
    /// Sources stop at the barrier; when the savepoint has completed, all commit and finish.
    Stop,
    /// All input ends first, as if there were no more: such a job is not meant to be resumed.
    Drain,
}

impl SavepointMode {
    /// Whether the job is over once it has completed.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        match self {
            SavepointMode::GoOn => false,
            SavepointMode::Stop | SavepointMode::Drain => true,
        }
    }
}

/// Somebody wants a savepoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavepointRequest {
    /// Which request.
    pub number: RequestNumber,
    /// What becomes of the job.
    pub mode: SavepointMode,
}

/// Why a checkpoint is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CheckpointKind {
    /// For the job itself: recovery uses it, a newer one subsumes it, and sinks commit because of it.
    Periodic,
    /// Somebody asked for it, and owns it: none of this holds.
    Savepoint(SavepointRequest),
}

impl CheckpointKind {
    /// What becomes of the job at it, if it is a savepoint.
    #[must_use]
    pub fn savepoint(self) -> Option<SavepointMode> {
        match self {
            CheckpointKind::Periodic => None,
            CheckpointKind::Savepoint(request) => Some(request.mode),
        }
    }

    /// Whether the job is over once it has completed.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        self.savepoint().is_some_and(SavepointMode::is_terminal)
    }

    /// Where its metadata lies.
    #[must_use]
    pub fn metadata_key(self, checkpoint: CheckpointId) -> ObjectKey {
        match self {
            CheckpointKind::Periodic => ObjectKey::Metadata { checkpoint },
            CheckpointKind::Savepoint(_) => ObjectKey::Savepoint { checkpoint },
        }
    }
}

/// How many requests may wait for their turn.
pub const WANTED_MAX: usize = 16;
