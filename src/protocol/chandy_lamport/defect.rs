//! Seeded bugs of snapshots on process graphs, switchable, none by default.
//!
//! They are a set of their own: [`Defect`](crate::Defect) lists what a plan of a job can
//! have, and no job has these. Most break one of the paper's two rules, "marker-sending rule for a
//! process p" and "marker-receiving rule for a process q".

use core::fmt;

use serde::{Deserialize, Serialize};
use strum::{EnumCount, EnumIter, EnumString, IntoEnumIterator, IntoStaticStr};

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

impl MarkerDefect {
    /// Every defect, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::iter()
    }

    /// The name on the command line: `marker-after-next-message`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl fmt::Display for MarkerDefect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which defects are switched on; empty in every run that means it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MarkerDefectSet {
    bits: u16,
}

const _: () = assert!(MarkerDefect::COUNT <= 16, "MarkerDefectSet holds one bit per defect");

impl MarkerDefectSet {
    /// No defect.
    pub const NONE: Self = Self { bits: 0 };

    /// Only `defect`.
    #[must_use]
    pub fn only(defect: MarkerDefect) -> Self {
        Self { bits: 1 << (defect as u16) }
    }

    /// Whether `defect` is switched on.
    #[must_use]
    pub fn has(self, defect: MarkerDefect) -> bool {
        self.bits & (1 << (defect as u16)) != 0
    }
}

impl FromIterator<MarkerDefect> for MarkerDefectSet {
    fn from_iter<I: IntoIterator<Item = MarkerDefect>>(defects: I) -> Self {
        let bits = defects.into_iter().fold(0, |bits, defect| bits | 1 << (defect as u16));
        Self { bits }
    }
}
