//! What the processes compute: one file a workload.

mod bank;
mod locks;
mod member;
mod tokens;
mod work;

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{EnumIter, EnumString, IntoStaticStr};
use thiserror::Error;

pub use locks::LockState;
pub use member::{Command, Member, Refusal};

use super::graph::ProcessGraph;
use crate::protocol::ChannelId;

/// What a system computes.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    EnumIter,
    EnumString,
    IntoStaticStr,
    strum::Display,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Workload {
    /// Processes pass tokens; none is ever made or lost.
    #[default]
    Tokens,
    /// Accounts transfer money, and pass half of what they get on.
    Bank,
    /// Work is done, shared, and at some time over.
    Work,
    /// Each process has a lock, and may wait for those of others while it keeps its own.
    Locks,
}

/// The state of one process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LocalState {
    /// So many tokens.
    Tokens(u64),
    /// An account.
    Account {
        /// May be below zero.
        balance: i64,
        /// How often something was passed on: the next goes to the next channel.
        passed: u64,
    },
    /// A share of the work.
    Work {
        /// Units to do; active as long as there are any.
        left: u64,
        /// How often work was shared: the next share goes to the next channel.
        shared: u64,
    },
    /// A lock, and who waits for whom.
    Lock(LockState),
}

/// A workload that a graph cannot have.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0} has no channel back: expected one in each direction between processes with locks")]
pub struct NoAnswer(String);

impl Workload {
    /// Whether the graph can have it.
    ///
    /// # Errors
    ///
    /// When locks could be asked for, but not given.
    pub fn check(self, graph: &ProcessGraph) -> Result<(), NoAnswer> {
        let needs_answers = self == Self::Locks;
        let one_way = |channel: &ChannelId| {
            let (from, to) = graph.ends(*channel);
            graph.channel_between(to, from).is_none()
        };
        match graph.channels().find(|channel| needs_answers && one_way(channel)) {
            Some(channel) => Err(NoAnswer(graph.shown(channel).to_string())),
            None => Ok(()),
        }
    }

    /// The state of a process that begins with so many tokens.
    #[must_use]
    pub fn initial(self, tokens: u64) -> LocalState {
        match self {
            Self::Tokens => LocalState::Tokens(tokens),
            Self::Bank => {
                let balance = i64::try_from(tokens).unwrap_or(i64::MAX);
                LocalState::Account { balance, passed: 0 }
            }
            Self::Work => LocalState::Work { left: tokens, shared: 0 },
            Self::Locks => LocalState::Lock(LockState::default()),
        }
    }
}

impl fmt::Display for LocalState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tokens(tokens) => write!(f, "{tokens}"),
            Self::Account { balance, .. } => write!(f, "{balance}"),
            Self::Work { left, .. } => write!(f, "{left}"),
            Self::Lock(lock) => write!(f, "{}", lock.waits_for.len()),
        }
    }
}
