//! What a judgement is made of: names, violations, how the run ended, the verdict.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::kind::{Kind, OracleName};
use super::shape::Shape;
use crate::protocol::{ChannelId, CheckpointId, LineageId, SubtaskId, VirtualTime};
use crate::trace::Stamp;

/// One broken property: where, and what about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Violation {
    /// Which oracle found it.
    pub oracle: OracleName,
    /// What kind of violation it is.
    pub kind: Kind,
    /// The number of the event at which it showed.
    pub event: u64,
    /// The time of that event.
    pub at: VirtualTime,
    /// What is wrong, in the job's own names.
    pub text: String,
    /// The checkpoint it concerns.
    pub checkpoint: Option<CheckpointId>,
    /// The channel it concerns.
    pub channel: Option<ChannelId>,
    /// The record it concerns.
    pub record: Option<LineageId>,
    /// The subtask it concerns.
    pub subtask: Option<SubtaskId>,
    /// What people call these.
    #[serde(default)]
    pub names: Names,
}

/// What people call the places of a violation, in the shape that the job had when it was found: a later
/// shape may give the same numbers to others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// Such as `lines/0->count/1`; nothing where no channel is concerned.
    pub channel: Option<String>,
    /// Such as `count/1`; nothing where no subtask is concerned.
    pub subtask: Option<String>,
}

/// What was found out about a record that is missing, by running its plan again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The record, as the output would have had it.
    pub record: LineageId,
    /// The checkpoint whose transaction had it.
    pub checkpoint: Option<CheckpointId>,
    /// Who had it last.
    pub subtask: SubtaskId,
    /// What people call that subtask.
    pub name: String,
    /// The story, as a clause.
    pub text: String,
}

impl Names {
    /// Each with what it is: `channel lines/0->count/1`, `subtask count/1`.
    pub fn places(&self) -> impl Iterator<Item = String> {
        let channel = self.channel.iter().map(|name| format!("channel {name}"));
        channel.chain(self.subtask.iter().map(|name| format!("subtask {name}")))
    }
}

impl Violation {
    /// A violation that is not placed yet: the judge adds the event and its time.
    pub(super) fn new(kind: Kind, text: String) -> Self {
        Self {
            oracle: kind.oracle(),
            kind,
            event: 0,
            at: VirtualTime::ZERO,
            text,
            checkpoint: None,
            channel: None,
            record: None,
            subtask: None,
            names: Names::default(),
        }
    }

    /// Names the checkpoint.
    pub(super) fn of(mut self, checkpoint: CheckpointId) -> Self {
        self.checkpoint = Some(checkpoint);
        self
    }

    /// Names the channel.
    pub(super) fn on(mut self, channel: ChannelId) -> Self {
        self.channel = Some(channel);
        self
    }

    /// Names the record.
    pub(super) fn with(mut self, record: LineageId) -> Self {
        self.record = Some(record);
        self
    }

    /// Names the subtask.
    pub(super) fn by(mut self, subtask: SubtaskId) -> Self {
        self.subtask = Some(subtask);
        self
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (event {} at {})", self.oracle, self.text, self.event, self.at)
    }
}

/// The violations of one run, in the order found. The first is what counts; later ones may follow from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Violations {
    kept: Vec<Violation>,
    fired: Vec<OracleName>,
    total: u64,
}

impl Violations {
    /// How many are kept in full; later ones are only counted.
    pub const KEPT_MAX: usize = 16;

    /// Adds one, found at `stamp` in a job of this shape.
    pub(super) fn add(&mut self, shape: &Shape, stamp: Stamp, violation: Violation) {
        self.total += 1;
        if !self.fired.contains(&violation.oracle) {
            self.fired.push(violation.oracle);
        }
        if self.kept.len() < Self::KEPT_MAX {
            let names = Names {
                channel: violation.channel.map(|channel| shape.channel_name(channel)),
                subtask: violation.subtask.map(|subtask| shape.name(subtask)),
            };
            let (event, at) = (stamp.number, stamp.at);
            self.kept.push(Violation { event, at, names, ..violation });
        }
    }

    /// Adds to the first one what was found out about it afterwards.
    pub fn complete_first(&mut self, loss: Loss) {
        if let Some(first) = self.kept.first_mut() {
            let Loss { record, checkpoint, subtask, name, text } = loss;
            first.text.push_str("; ");
            first.text.push_str(&text);
            (first.record, first.subtask) = (Some(record), Some(subtask));
            first.checkpoint = checkpoint;
            first.names.subtask = Some(name);
        }
    }

    /// The first one.
    #[must_use]
    pub fn first(&self) -> Option<&Violation> {
        self.kept.first()
    }

    /// Those kept, in the order found.
    #[must_use]
    pub fn kept(&self) -> &[Violation] {
        &self.kept
    }

    /// The oracles that found something, in the order in which each did first.
    #[must_use]
    pub fn fired(&self) -> &[OracleName] {
        &self.fired
    }

    /// How many there were, kept or not.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Whether there was none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }
}

/// How a run ended, as its world knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum End {
    /// The job finished.
    Finished,
    /// Virtual time was up.
    TimeLimit {
        /// Then.
        at: VirtualTime,
    },
    /// So much happened that something must be going round in circles; virtual time may stand still.
    StepLimit {
        /// How many inputs processes took.
        steps: u64,
    },
    /// Nothing was left to happen, though the job had not finished.
    Quiescent,
    /// The system under test panicked.
    Panicked {
        /// With these words.
        message: String,
    },
    /// The run was stopped because a violation had been found already.
    Stopped,
}

/// The judgement on one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every property held, and the job finished.
    Held,
    /// Every property held, and the job did not finish because it cannot: what recovery needs is gone.
    NotOwed {
        /// What is gone.
        why: String,
    },
    /// At least one property was broken; the first violation decides the class.
    Violated(Violations),
    /// The system under test panicked, and no property was seen broken before.
    Panicked {
        /// With these words.
        message: String,
    },
    /// No property was broken, but the run ended before it owed its end: it says nothing on liveness.
    Undecided,
}

/// The class of a verdict, as exit codes tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictClass {
    /// All held.
    Held,
    /// All held, and recovery is no longer owed.
    NotOwed,
    /// Something happened that must not.
    Safety,
    /// Something that must happen did not.
    Liveness,
    /// The system under test panicked.
    Panicked,
    /// Too short to say.
    Undecided,
}

impl Verdict {
    /// Which class it is.
    #[must_use]
    pub fn class(&self) -> VerdictClass {
        match self {
            Self::Held => VerdictClass::Held,
            Self::NotOwed { .. } => VerdictClass::NotOwed,
            Self::Violated(violations) => match violations.first() {
                Some(first) if first.oracle.is_liveness() => VerdictClass::Liveness,
                Some(_) | None => VerdictClass::Safety,
            },
            Self::Panicked { .. } => VerdictClass::Panicked,
            Self::Undecided => VerdictClass::Undecided,
        }
    }

    /// What the process should exit with: 0 held or not owed, 1 violated, 2 undecided, 3 liveness, 101 panic.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.class() {
            VerdictClass::Held | VerdictClass::NotOwed => 0,
            VerdictClass::Safety => 1,
            VerdictClass::Undecided => 2,
            VerdictClass::Liveness => 3,
            VerdictClass::Panicked => 101,
        }
    }

    /// Whether all held that was owed: it is no failure.
    #[must_use]
    pub fn is_held(&self) -> bool {
        matches!(self, Self::Held | Self::NotOwed { .. })
    }

    /// The violations; none unless violated.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        match self {
            Self::Violated(violations) => violations.kept(),
            Self::Held | Self::NotOwed { .. } | Self::Panicked { .. } | Self::Undecided => &[],
        }
    }

    /// The oracles that found something, in order.
    #[must_use]
    pub fn fired(&self) -> &[OracleName] {
        match self {
            Self::Violated(violations) => violations.fired(),
            Self::Held | Self::NotOwed { .. } | Self::Panicked { .. } | Self::Undecided => &[],
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held => f.write_str("held"),
            Self::NotOwed { why } => write!(f, "not owed: {why}"),
            Self::Violated(violations) => match violations.first() {
                Some(first) => first.fmt(f),
                None => f.write_str("violated"),
            },
            Self::Panicked { message } => write!(f, "panicked: {message}"),
            Self::Undecided => f.write_str("undecided: the run ended before it owed its end"),
        }
    }
}
