//! The protocols, and what tells them apart. Whoever asks about a protocol, except for its cutter, asks its
//! [`Traits`]: a new protocol answers here, and nowhere else.

use serde::{Deserialize, Serialize};
use strum::{EnumCount, EnumIter, EnumString, IntoStaticStr};

use super::savepoint::SavepointMode;

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

/// How barriers get past the records that were sent before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BarrierTravel {
    /// They do not: they stay in their place.
    InOrder,
    /// They stay in their place for [a time](super::CheckpointSettings::aligned_timeout_ms), and overtake then.
    InOrderAtFirst,
    /// They overtake at once.
    Ahead,
}

/// What may be in a channel at a cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtCut {
    /// Nothing: what was sent before the sender's cut was taken before the receiver's.
    Nothing,
    /// Nothing that the checkpoint has: a receiver may have taken what was sent behind the barrier.
    Repeats,
    /// Records, which the checkpoint has as channel state.
    ChannelState,
    /// Nothing, except on channels that lead back, whose records the checkpoint has as a log.
    Logs,
}

/// What distinguishes a protocol from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traits {
    /// What holds of state and output after a failure.
    pub guarantee: Guarantee,
    /// How its barriers travel.
    pub travel: BarrierTravel,
    /// What may be in a channel at a cut.
    pub at_cut: AtCut,
    /// Whether it has an answer to loops. Elsewhere a loop's barrier would wait for itself to come round, or what
    /// is on its way round would be in no checkpoint.
    pub has_loops: bool,
    /// Whether nothing is processed until the checkpoint is over.
    pub stops_the_world: bool,
}

impl Protocol {
    /// What distinguishes it.
    #[must_use]
    pub const fn traits(self) -> Traits {
        let aligned = Traits {
            guarantee: Guarantee::ExactlyOnce,
            travel: BarrierTravel::InOrder,
            at_cut: AtCut::Nothing,
            has_loops: false,
            stops_the_world: false,
        };
        match self {
            Self::Aligned => aligned,
            Self::AtLeastOnce => {
                Traits { guarantee: Guarantee::AtLeastOnce, at_cut: AtCut::Repeats, ..aligned }
            }
            Self::Unaligned => {
                Traits { travel: BarrierTravel::Ahead, at_cut: AtCut::ChannelState, ..aligned }
            }
            Self::Hybrid => {
                let travel = BarrierTravel::InOrderAtFirst;
                Traits { travel, at_cut: AtCut::ChannelState, ..aligned }
            }
            Self::Cyclic => Traits { at_cut: AtCut::Logs, has_loops: true, ..aligned },
            Self::StopTheWorld => Traits { stops_the_world: true, ..aligned },
        }
    }

    /// Whether it is the usual one.
    #[must_use]
    pub fn is_aligned(&self) -> bool {
        *self == Self::Aligned
    }

    /// What holds of state and output after a failure.
    #[must_use]
    pub const fn guarantee(self) -> Guarantee {
        self.traits().guarantee
    }

    /// Whether no checkpoint may begin before the last one is over.
    #[must_use]
    pub fn is_one_at_a_time(self) -> bool {
        self.may_overtake() || self.traits().stops_the_world
    }

    /// Whether a barrier may overtake records, so that a cut has channel state.
    #[must_use]
    pub fn may_overtake(self) -> bool {
        self.traits().travel != BarrierTravel::InOrder
    }

    /// Why a job takes no such savepoint, if it does not.
    #[must_use]
    pub fn refuses_savepoint(self, mode: SavepointMode) -> Option<&'static str> {
        let Traits { has_loops, stops_the_world, .. } = self.traits();
        if stops_the_world {
            return Some(
                "a stopped world goes on when its checkpoint is over, and of a savepoint nobody says so",
            );
        }
        (has_loops && mode == SavepointMode::Drain).then_some(
            "the end of input goes round a loop only behind a checkpoint in which it was quiet, \
             and a drain has no time for one",
        )
    }
}
