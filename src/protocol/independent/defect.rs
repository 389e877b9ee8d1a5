//! Seeded bugs of checkpoints without coordination, switchable, none by default.
//!
//! They are a set of their own: no plan of a job has them.

use core::fmt;

use serde::{Deserialize, Serialize};
use strum::{EnumCount, EnumIter, EnumString, IntoEnumIterator, IntoStaticStr};

/// A wrong decision about a forced checkpoint, a recovery line, a log or what is received.
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
    EnumIter,
    EnumCount,
    EnumString,
    IntoStaticStr,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum IndependentDefect {
    /// HMNR without its first condition: a message that its receiver's own messages have overtaken forces nothing.
    OvertakenMessageForcesNothing,
    /// HMNR without its second condition: a cycle back into the receiver's own interval forces nothing.
    OwnIntervalForcesNothing,
    /// HMNR: of two messages that know of the same checkpoint, what the second knows of it is dropped.
    KnowledgeNotMerged,
    /// The forced checkpoint is taken once the message has been processed.
    ForcedAfterDelivery,
    /// CheckMate (Siachamis et al. 2024), `add_edges_between_workers` as released: dependencies between processes
    /// of one worker are left out of the recovery graph, so that the line has orphans.
    LocalEdgesSkipped,
    /// CheckMate, `last_messages_processed` as released: a channel that was idle since the last checkpoint has no
    /// entry in the next one, and nothing of it is replayed.
    IdleChannelNotReplayed,
    /// CheckMate, as released: a receiver takes what was under way when the failure came, although it is replayed.
    StaleMessageTaken,
    /// The line is one checkpoint older than it must be.
    LineTooOld,
}

impl IndependentDefect {
    /// Every defect, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::iter()
    }

    /// Its name: `local-edges-skipped`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl fmt::Display for IndependentDefect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which defects are switched on; empty in every run that means it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IndependentDefectSet {
    bits: u8,
}

const _: () = assert!(IndependentDefect::COUNT <= 8, "the set holds one bit per defect");

impl IndependentDefectSet {
    /// No defect.
    pub const NONE: Self = Self { bits: 0 };

    /// Only `defect`.
    #[must_use]
    pub fn only(defect: IndependentDefect) -> Self {
        Self { bits: 1 << (defect as u8) }
    }

    /// Whether `defect` is switched on.
    #[must_use]
    pub fn has(self, defect: IndependentDefect) -> bool {
        self.bits & (1 << (defect as u8)) != 0
    }
}
