//! How often checkpoints are taken, and how many may be under way or kept.

use serde::{Deserialize, Serialize};

/// When to trigger, when to give up, what to keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointSettings {
    /// From one periodic trigger to the next; 0 switches checkpoints off.
    pub interval_ms: u64,
    /// From the end of a checkpoint to the next trigger, at least.
    pub pause_min_ms: u64,
    /// A checkpoint not complete within this after its trigger expires.
    pub timeout_ms: u64,
    /// How many checkpoints may be pending at once, at least 1.
    pub concurrent_max: u32,
    /// How many checkpoints in a row may fail before the attempt does.
    pub failures_tolerated: u32,
    /// How many completed checkpoints are kept, at least 1.
    pub retained: u32,
}
