//! Savepoints: checkpoints that somebody asks for and owns.
//!
//! They are aligned, taken beside the periodic ones, and are none of them: no savepoint is subsumed, evicted
//! or used by automatic recovery, and nothing is committed because of one that the job survives
//! (FLINK-10354, FLINK-25191).

use serde::{Deserialize, Serialize};

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

/// How many requests may wait for their turn.
pub const WANTED_MAX: usize = 16;
