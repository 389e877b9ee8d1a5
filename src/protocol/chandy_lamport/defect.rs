//! Seeded bugs of snapshots on process graphs, switchable, none by default.
//!
//! They are a set of their own: [`Defect`](crate::Defect) lists what a plan of a job can
//! have, and no job has these. Most break one of the paper's two rules, "marker-sending rule for a
//! process p" and "marker-receiving rule for a process q".

use crate::small_defect_set::small_defect_set;
use serde::{Deserialize, Serialize};
use strum::{EnumCount, EnumIter, EnumString, IntoStaticStr};

/// A wrong decision about a marker, a recording or a channel.
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
pub enum MarkerDefect {
    /// B1, the sending rule ("before p sends further messages along c"): the marker follows the next message.
    MarkerAfterNextMessage,
    /// B3, the sending rule ("for each channel c"): one outgoing channel gets no marker (FLINK-4985 in its shape).
    MarkerNotForwarded,
    /// B4, FLINK-20654: the state of one incoming channel is not captured.
    ChannelNotRecorded,
    /// B4, the receiving rule ("before q received the marker"): recording goes on for one message more.
    RecordingStoppedLate,
    /// B4, the receiving rule ("after q's state was recorded"): what came just before the state was recorded
    /// is recorded with the channel as well.
    RecordingStartedEarly,
    /// B6, FLINK-9269 in its shape: the state is copied when the next message has been processed already.
    StateRecordedLate,
    /// B2, the receiving rule ("if q has not recorded its state"): every marker records the state again.
    StateRecordedAgain,
    /// B2, FLINK-29730: with several snapshots under way, a marker counts for the oldest, whatever its id.
    SnapshotIdsIgnored,
    /// The model ("channels … deliver messages in the order sent"): what is in a channel overtakes.
    ChannelOutOfOrder,
}

small_defect_set!(MarkerDefectSet of MarkerDefect);
