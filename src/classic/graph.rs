//! Which processes there are, and which channels lead from one to another.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::protocol::ChannelId;
use crate::protocol::ordered::VecSet;

/// A process of a [`ProcessGraph`], as an index.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct ProcessIndex(pub u16);

impl ProcessIndex {
    /// As an index into a table.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// Processes and directed channels; cycles are welcome, and so are parts that nothing leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessGraph {
    names: Vec<String>,
    channels: Vec<(ProcessIndex, ProcessIndex)>,
}

/// At most so many processes, and so many channels.
pub const SIZE_MAX: usize = 1_000;

/// Why a graph cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GraphError {
    /// Two processes of one name.
    #[error("{0} is there already: expected a name of its own for each process")]
    NameTaken(String),
    /// A channel of a process that is not there.
    #[error("unknown process {0:?}")]
    UnknownProcess(String),
    /// Two channels from one process to the same other one.
    #[error("a channel leads from {0} to {1} already: expected at most one in each direction")]
    ChannelTaken(String, String),
    /// Too much of something.
    #[error("more than {SIZE_MAX} {0}")]
    TooMany(&'static str),
}

impl ProcessGraph {
    /// Adds a process.
    ///
    /// # Errors
    ///
    /// When its name is taken, or there are too many.
    pub fn add_process(&mut self, name: &str) -> Result<ProcessIndex, GraphError> {
        if self.process(name).is_some() {
            return Err(GraphError::NameTaken(name.to_owned()));
        }
        let index = u16::try_from(self.names.len()).unwrap_or(u16::MAX);
        if self.names.len() >= SIZE_MAX {
            return Err(GraphError::TooMany("processes"));
        }
        self.names.push(name.to_owned());
        Ok(ProcessIndex(index))
    }

    /// Adds a channel.
    ///
    /// # Errors
    ///
    /// When a process is not known, there is such a channel, or there are too many.
    pub fn add_channel(&mut self, from: &str, to: &str) -> Result<ChannelId, GraphError> {
        let find = |name: &str| {
            self.process(name).ok_or_else(|| GraphError::UnknownProcess(name.to_owned()))
        };
        let ends = (find(from)?, find(to)?);
        if self.channel_between(ends.0, ends.1).is_some() {
            return Err(GraphError::ChannelTaken(from.to_owned(), to.to_owned()));
        }
        let index = u16::try_from(self.channels.len()).unwrap_or(u16::MAX);
        if self.channels.len() >= SIZE_MAX {
            return Err(GraphError::TooMany("channels"));
        }
        self.channels.push(ends);
        Ok(ChannelId(index))
    }

    /// All processes, in order.
    pub fn processes(&self) -> impl Iterator<Item = ProcessIndex> + use<> {
        (0..u16::try_from(self.names.len()).unwrap_or(u16::MAX)).map(ProcessIndex)
    }

    /// All channels, in order.
    pub fn channels(&self) -> impl Iterator<Item = ChannelId> + use<> {
        (0..u16::try_from(self.channels.len()).unwrap_or(u16::MAX)).map(ChannelId)
    }

    /// The process of this name.
    #[must_use]
    pub fn process(&self, name: &str) -> Option<ProcessIndex> {
        self.processes().find(|process| self.name(*process) == name)
    }

    /// The channel from one process to another.
    #[must_use]
    pub fn channel_between(&self, from: ProcessIndex, to: ProcessIndex) -> Option<ChannelId> {
        self.channels().find(|channel| self.ends(*channel) == (from, to))
    }

    /// The name of a process.
    #[must_use]
    pub fn name(&self, process: ProcessIndex) -> &str {
        self.names.get(process.index()).map_or("?", String::as_str)
    }

    /// Who sends on a channel, and who receives.
    ///
    /// # Panics
    ///
    /// When the graph has no such channel.
    #[must_use]
    pub fn ends(&self, channel: ChannelId) -> (ProcessIndex, ProcessIndex) {
        self.channels[channel.index()]
    }

    /// The channels that lead to a process.
    pub fn inputs(&self, process: ProcessIndex) -> impl Iterator<Item = ChannelId> {
        self.channels().filter(move |channel| self.ends(*channel).1 == process)
    }

    /// The channels that lead away from a process.
    pub fn outputs(&self, process: ProcessIndex) -> impl Iterator<Item = ChannelId> {
        self.channels().filter(move |channel| self.ends(*channel).0 == process)
    }

    /// A channel as people read it, `N1->N2`.
    #[must_use]
    pub fn shown(&self, channel: ChannelId) -> ShownChannel<'_> {
        let (from, to) = self.ends(channel);
        ShownChannel { from: self.name(from), to: self.name(to) }
    }

    /// These processes, and all that a way leads to from one of them.
    #[must_use]
    pub fn reached_from(&self, start: &VecSet<ProcessIndex>) -> VecSet<ProcessIndex> {
        let mut reached = start.clone();
        let mut open: Vec<ProcessIndex> = start.iter().copied().collect();
        while let Some(process) = open.pop() {
            let next = self.outputs(process).map(|channel| self.ends(channel).1);
            open.extend(next.filter(|process| reached.insert(*process)));
        }
        reached
    }

    /// Whether every channel leads between two processes that are there.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let known = |process: &ProcessIndex| process.index() < self.names.len();
        self.names.len() <= SIZE_MAX
            && self.channels.len() <= SIZE_MAX
            && self.channels.iter().all(|(from, to)| known(from) && known(to))
    }
}

/// The name of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShownChannel<'a> {
    from: &'a str,
    to: &'a str,
}

impl fmt::Display for ShownChannel<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}->{}", self.from, self.to)
    }
}
