//! The shape of a job: operators, their subtasks, and the channels between them.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt::Write as _;
use core::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

use super::ids::{ChannelId, OperatorId, SubtaskId};

/// Operators, subtasks and channels of one job, each a dense table; the naming authority.
///
/// Channels lead from earlier to later operators, but for those that close a loop: see
/// [`Loops`](super::loops::Loops).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topology {
    /// No operator precedes one that feeds it, but along a loop.
    pub operators: Vec<OperatorShape>,
    /// Grouped by operator, in the order of `operators`, by index within.
    pub subtasks: Vec<SubtaskShape>,
    /// Grouped by receiving subtask, in the order of its inputs.
    pub channels: Vec<ChannelShape>,
}

/// What an operator does to the outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperatorRole {
    /// Reads splits of the source log.
    Source,
    /// Turns records into records.
    Operator,
    /// Writes to the sink target, in transactions.
    TransactionalSink,
    /// Writes to the sink target at once; duplicates after a failure are allowed.
    AtLeastOnceSink,
    /// Writes to an external system by a protocol of its own: a reader sees each record once, when a checkpoint that
    /// holds it has completed.
    CommittingSink,
    /// Writes to an external system at once; after a failure a reader may see again what was there before, and in
    /// the end sees what is expected.
    ConvergingSink,
    /// Writes to an external system what somebody downstream commits; for readers it is a committing sink.
    StagingWriter,
}

impl OperatorRole {
    /// Whether it speaks with an external system by a protocol of its own.
    #[must_use]
    pub fn is_outside(self) -> bool {
        match self {
            Self::CommittingSink | Self::ConvergingSink | Self::StagingWriter => true,
            Self::Source | Self::Operator | Self::TransactionalSink | Self::AtLeastOnceSink => {
                false
            }
        }
    }

    /// Whether nothing leads on from it.
    #[must_use]
    pub fn is_sink(self) -> bool {
        match self {
            Self::TransactionalSink
            | Self::AtLeastOnceSink
            | Self::CommittingSink
            | Self::ConvergingSink => true,
            Self::Source | Self::Operator | Self::StagingWriter => false,
        }
    }
}

/// One operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorShape {
    /// Unique in the job, lower case.
    pub name: String,
    /// By what its state is found in another version of the job, where that is not its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// What it does to the outside.
    pub role: OperatorRole,
    /// How many subtasks it has.
    pub parallelism: u16,
}

impl OperatorShape {
    /// An operator whose uid is its name.
    #[must_use]
    pub fn new(name: &str, role: OperatorRole, parallelism: u16) -> Self {
        Self { name: name.to_owned(), uid: None, role, parallelism }
    }

    /// By what its state is found in another version of the job.
    #[must_use]
    pub fn uid(&self) -> &str {
        self.uid.as_deref().unwrap_or(&self.name)
    }
}

/// A uid that is the name adds nothing.
impl Hash for OperatorShape {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { name, uid, role, parallelism } = self;
        (name, role, parallelism).hash(state);
        if let Some(uid) = uid {
            uid.hash(state);
        }
    }
}

/// One subtask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubtaskShape {
    /// The operator it is an instance of.
    pub operator: OperatorId,
    /// Which instance, from 0.
    pub index: u16,
}

/// One channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelShape {
    /// The subtask that sends.
    pub from: SubtaskId,
    /// The subtask that receives.
    pub to: SubtaskId,
    /// Which input of the receiving operator this belongs to: 0, or 1 for the second input of a join.
    pub input: u8,
    /// Which of the sender's outgoing edges this belongs to, from 0.
    pub edge: u8,
}

impl Topology {
    /// The form people read: `count/1`.
    #[must_use]
    pub fn name(&self, subtask: SubtaskId) -> String {
        match self.subtasks.get(subtask.index()) {
            Some(shape) => format!("{}/{}", self.operator_of(subtask).name, shape.index),
            None => subtask.to_string(),
        }
    }

    /// The form people read: `lines/0->count/1`.
    #[must_use]
    pub fn channel_name(&self, channel: ChannelId) -> String {
        match self.channels.get(channel.index()) {
            Some(shape) => {
                let mut name = self.name(shape.from);
                let _ = write!(name, "->{}", self.name(shape.to));
                name
            }
            None => channel.to_string(),
        }
    }

    /// The operator that `subtask` is an instance of.
    ///
    /// # Panics
    ///
    /// When `subtask` is not of this topology.
    #[must_use]
    pub fn operator_of(&self, subtask: SubtaskId) -> &OperatorShape {
        &self.operators[self.subtasks[subtask.index()].operator.index()]
    }

    /// The operator with this uid.
    #[must_use]
    pub fn operator_with_uid(&self, uid: &str) -> Option<OperatorId> {
        let mut operators = (0..).map(OperatorId).zip(&self.operators);
        operators.find(|(_, operator)| operator.uid() == uid).map(|(id, _)| id)
    }

    /// The subtask with this name, such as `count/1`.
    #[must_use]
    pub fn subtask_named(&self, name: &str) -> Option<SubtaskId> {
        self.subtask_ids().find(|subtask| self.name(*subtask) == name)
    }

    /// All subtasks, in order.
    pub fn subtask_ids(&self) -> impl DoubleEndedIterator<Item = SubtaskId> + use<> {
        (0..u16::try_from(self.subtasks.len()).unwrap_or(u16::MAX)).map(SubtaskId)
    }

    /// All channels, in order.
    pub fn channel_ids(&self) -> impl DoubleEndedIterator<Item = ChannelId> + use<> {
        (0..u16::try_from(self.channels.len()).unwrap_or(u16::MAX)).map(ChannelId)
    }

    /// The channels into `subtask`, in the order of its gate.
    pub fn inputs(&self, subtask: SubtaskId) -> impl Iterator<Item = ChannelId> + '_ {
        self.channel_ids().filter(move |channel| self.channels[channel.index()].to == subtask)
    }

    /// The channels out of `subtask`, by edge and then by receiver.
    pub fn outputs(&self, subtask: SubtaskId) -> impl Iterator<Item = ChannelId> + '_ {
        self.channel_ids().filter(move |channel| self.channels[channel.index()].from == subtask)
    }

    /// Whether `subtask` reads the source log.
    #[must_use]
    pub fn is_source(&self, subtask: SubtaskId) -> bool {
        self.operator_of(subtask).role == OperatorRole::Source
    }

    /// Whether `subtask` writes to the sink target.
    #[must_use]
    pub fn is_sink(&self, subtask: SubtaskId) -> bool {
        self.operator_of(subtask).role.is_sink()
    }
}
