//! What a scenario is for: protocol points and situations that its sweeps must reach sometimes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use strum::{EnumCount, EnumIter, EnumString, IntoStaticStr};

use crate::trace::Point;

/// What a sweep of a scenario must reach in at least one of its runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Expectation {
    /// An event of this kind.
    Point(Point),
    /// More than one event tells.
    Situation(Situation),
}

/// Situations that take more than one event to tell.
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
pub enum Situation {
    /// An acknowledgement arrived for a checkpoint that had been aborted.
    AcknowledgementAfterAbort,
    /// An acknowledgement of an attempt that had ended arrived.
    AcknowledgementOfDeadAttempt,
    /// A checkpoint was aborted because a subtask declined it.
    CheckpointDeclined,
    /// A checkpoint was aborted because it took too long.
    CheckpointExpired,
    /// A checkpoint was aborted because a newer one had completed.
    CheckpointSubsumed,
    /// A checkpoint was aborted because its metadata could not be written, or not be added.
    FinalizationFailed,
    /// A transaction that an earlier attempt had prepared was committed.
    CommitOfDeadAttempt,
    /// The coordinator was lost between the last acknowledgement and the write that completes.
    CoordinatorLostWhileCompleting,
    /// The coordinator was lost between that write and its telling the subtasks.
    CoordinatorLostBeforeNotifying,
    /// A barrier came ahead to a subtask that was aligning an older checkpoint.
    OvertakenWhileAligning,
    /// A savepoint was given up.
    SavepointAborted,
    /// A savepoint and a checkpoint were pending at once.
    SavepointBesideCheckpoint,
    /// A worker or the coordinator was lost between the start of an attempt and its running.
    CrashInRecovery,
    /// A worker or the coordinator was lost after a restart, before a checkpoint had completed since.
    CrashBeforeFirstCheckpoint,
    /// A channel ended at a subtask that was waiting for a barrier on others.
    EndedWhileAligning,
    /// A subtask learned of a completion from a notification that was meant for an earlier attempt.
    NotificationAcrossRestart,
    /// An attempt was started after one that never ran.
    RecoveryRepeated,
    /// An attempt was restored from a checkpoint.
    RestartFromCheckpoint,
    /// The job was started again from nothing.
    RestartWithoutCheckpoint,
    /// A subtask took a snapshot after all of its input had ended.
    SnapshotAfterEnd,
    /// Two checkpoints were pending at once.
    TwoCheckpointsPending,
    /// A worker was lost while another one was.
    TwoWorkersDown,
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Point(point) => point.fmt(f),
            Self::Situation(situation) => situation.fmt(f),
        }
    }
}

impl FromStr for Expectation {
    type Err = UnknownExpectation;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let point = name.parse().map(Self::Point);
        let expectation = point.or_else(|_| name.parse().map(Self::Situation));
        expectation.map_err(|_| UnknownExpectation { name: name.to_owned() })
    }
}

/// A name that is neither a protocol point's nor a situation's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown expectation {name:?}: neither the name of an event, like \"alignment-aborted\", nor of a \
     situation, like \"crash-in-recovery\""
)]
pub struct UnknownExpectation {
    name: String,
}

impl Serialize for Expectation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Expectation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator as _;

    use super::*;

    #[test]
    fn no_situation_has_the_name_of_a_point() {
        for situation in Situation::iter() {
            let name = situation.to_string();
            assert!(name.parse::<Point>().is_err(), "{name} means two things");
            assert_eq!(name.parse(), Ok(Expectation::Situation(situation)));
        }
    }

    #[test]
    fn an_unknown_name_is_told_with_examples() {
        let error = "algnment-aborted".parse::<Expectation>().unwrap_err().to_string();
        assert!(error.starts_with("unknown expectation \"algnment-aborted\""), "{error}");
    }
}
