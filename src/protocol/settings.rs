//! How often checkpoints are taken, by which protocol, and how many may be under way or kept.

use core::time::Duration;

use serde::{Deserialize, Serialize};
use strum::{EnumCount, EnumIter, EnumString, IntoStaticStr};

use super::barrier::Passage;
use super::savepoint::SavepointMode;
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
        match self.protocol {
            Protocol::Aligned
            | Protocol::AtLeastOnce
            | Protocol::Cyclic
            | Protocol::StopTheWorld => Passage::InOrder,
            Protocol::Hybrid => {
                Passage::InOrderUntil(now + Duration::from_millis(self.aligned_timeout_ms))
            }
            Protocol::Unaligned => Passage::Ahead,
        }
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// How the subtasks of a job come to a cut together.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
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
pub enum Protocol {
    /// A channel that has delivered the barrier waits for the others (Carbone et al. 2015, Algorithm 1).
    #[default]
    Aligned,
    /// Barriers are counted, and no channel ever waits (Flink: `CheckpointBarrierTracker`).
    AtLeastOnce,
    /// Barriers overtake records, and what they overtake is part of the checkpoint (FLIP-76).
    Unaligned,
    /// Aligned until a timeout, unaligned from then on (Flink: `aligned-checkpoint-timeout`).
    Hybrid,
    /// Aligned on regular inputs; what is on its way round a loop is logged (Carbone et al. 2015,
    /// Algorithm 2).
    Cyclic,
    /// From the barrier until the checkpoint is over, nothing is processed (Naiad).
    StopTheWorld,
}

impl Protocol {
    /// Whether it is the usual one.
    #[must_use]
    pub fn is_aligned(&self) -> bool {
        *self == Self::Aligned
    }

    /// What holds of state and output after a failure.
    #[must_use]
    pub fn guarantee(self) -> Guarantee {
        match self {
            Protocol::AtLeastOnce => Guarantee::AtLeastOnce,
            Protocol::Aligned
            | Protocol::Unaligned
            | Protocol::Hybrid
            | Protocol::Cyclic
            | Protocol::StopTheWorld => Guarantee::ExactlyOnce,
        }
    }

    /// Whether no checkpoint may begin before the last one is over.
    #[must_use]
    pub fn is_one_at_a_time(self) -> bool {
        self.may_overtake() || self == Self::StopTheWorld
    }

    /// Why a job takes no such savepoint, if it does not.
    #[must_use]
    pub fn refuses_savepoint(self, mode: SavepointMode) -> Option<&'static str> {
        match (self, mode) {
            (Protocol::StopTheWorld, _) => Some(
                "a stopped world goes on when its checkpoint is over, and of a savepoint nobody says so",
            ),
            (Protocol::Cyclic, SavepointMode::Drain) => Some(
                "the end of input goes round a loop only behind a checkpoint in which it was quiet, \
                 and a drain has no time for one",
            ),
            (
                Protocol::Aligned
                | Protocol::AtLeastOnce
                | Protocol::Unaligned
                | Protocol::Hybrid
                | Protocol::Cyclic,
                SavepointMode::GoOn | SavepointMode::Stop | SavepointMode::Drain,
            ) => None,
        }
    }

    /// Whether a barrier may overtake records, so that a cut has channel state.
    #[must_use]
    pub fn may_overtake(self) -> bool {
        match self {
            Protocol::Unaligned | Protocol::Hybrid => true,
            Protocol::Aligned
            | Protocol::AtLeastOnce
            | Protocol::Cyclic
            | Protocol::StopTheWorld => false,
        }
    }
}

/// How often a record counts, whatever fails.
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
    EnumString,
    IntoStaticStr,
    strum::Display,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Guarantee {
    /// Once or more.
    AtLeastOnce,
    /// Each record changes the state once.
    ExactlyOnce,
}
