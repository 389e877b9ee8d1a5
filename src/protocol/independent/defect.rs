//! Seeded bugs of checkpoints without coordination, switchable, none by default.
//!
//! They are a set of their own: no plan of a job has them.

use crate::small_defect_set::small_defect_set;
use serde::{Deserialize, Serialize};
use strum::{EnumCount, EnumIter, EnumString, IntoStaticStr};

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

small_defect_set!(IndependentDefectSet of IndependentDefect);
