//! Why checkpoints fail, and why subtasks decline them.

use serde::{Deserialize, Serialize};
use strum::{EnumCount, EnumIter, EnumString, IntoStaticStr};

/// Why a checkpoint will never complete.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    EnumCount,
    EnumIter,
    EnumString,
    IntoStaticStr,
    strum::Display,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum AbortReason {
    /// A subtask declined.
    Declined,
    /// It was not complete in time.
    Expired,
    /// The attempt failed.
    AttemptFailed,
    /// Its metadata could not be written, or not be added to the store.
    FinalizationFailed,
    /// A newer checkpoint completed first.
    Subsumed,
    /// The job is over: somebody stopped it, or nothing is left to do.
    JobOver,
}

/// Why a subtask declines a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeclineReason {
    /// Its snapshot could not be made durable.
    SnapshotFailed,
    /// The barrier will not come: one of a newer checkpoint, or a cancel marker, was there first. Triggers
    /// may overtake each other, so that this happens where nothing fails.
    Superseded,
}
