//! How often checkpoints are taken, by which protocol, and how many may be under way or kept.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::barrier::Passage;
use super::protocols::{BarrierTravel, Protocol};
use super::time::VirtualTime;

/// When to trigger, when to give up, what to keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointSettings {
    /// How the cut is made.
    #[serde(default, skip_serializing_if = "Protocol::is_aligned")]
    pub protocol: Protocol,
    /// In the hybrid protocol, how long after its trigger a barrier stays in its place.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub aligned_timeout_ms: u64,
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

/// Aligned checkpoints, one at a time, every 100 ms, that have a second each; none may fail, one is kept.
impl Default for CheckpointSettings {
    fn default() -> Self {
        Self {
            protocol: Protocol::Aligned,
            aligned_timeout_ms: 0,
            interval_ms: 100,
            pause_min_ms: 0,
            timeout_ms: 1_000,
            concurrent_max: 1,
            failures_tolerated: 0,
            retained: 1,
        }
    }
}

impl CheckpointSettings {
    /// How the barriers of a checkpoint travel that is triggered at `now`.
    #[must_use]
    pub fn passage(&self, now: VirtualTime) -> Passage {
        match self.protocol.traits().travel {
            BarrierTravel::InOrder => Passage::InOrder,
            BarrierTravel::InOrderAtFirst => {
                Passage::InOrderUntil(now + Duration::from_millis(self.aligned_timeout_ms))
            }
            BarrierTravel::Ahead => Passage::Ahead,
        }
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}
