//! What a scenario says about swarms: which classes of faults they must and must not draw, and which
//! settings they leave as the scenario has them.

use serde::Deserialize;
use strum::{EnumIter, IntoStaticStr};

use super::fault_class::FaultClass;
use crate::protocol::ordered::VecSet;

/// The `[swarm]` table of a scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SwarmScenario {
    /// Classes that every seed draws at least one fault of.
    pub mandatory: VecSet<FaultClass>,
    /// Classes that no seed draws.
    pub suppressed: VecSet<FaultClass>,
    /// What no seed varies.
    pub pinned: VecSet<Setting>,
}

/// What a swarm varies: groups of settings, named after the tables of a scenario, and single ones.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Deserialize,
    EnumIter,
    IntoStaticStr,
    strum::Display,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Setting {
    /// All of the job.
    Job,
    /// How many records.
    Records,
    /// Subtasks of each operator that may have several.
    Parallelism,
    /// Splits of each source.
    Splits,
    /// How entries are dealt out to splits.
    Deal,
    /// All of the processes.
    Cluster,
    /// How many workers.
    Workers,
    /// Items under way in a channel.
    Credits,
    /// From one source entry to the next.
    SourceInterval,
    /// Records that a sink collects.
    SinkBatch,
    /// How long mail waits.
    Mailbox,
    /// What requests to the stores take.
    Stores,
    /// All of checkpoints.
    Checkpoints,
    /// From one trigger to the next, and from the end of one checkpoint to the next trigger.
    Interval,
    /// When a checkpoint expires.
    Timeout,
    /// How many checkpoints at once.
    Concurrency,
    /// How many may fail in a row.
    FailuresTolerated,
    /// How many are kept.
    Retained,
    /// All of the links.
    Links,
    /// What channels take.
    Channels,
    /// What control messages take.
    Control,
    /// What a channel takes more for each byte.
    Bandwidth,
    /// Channels that are slower than the others.
    SlowLinks,
    /// When and how faults strike.
    Nemesis,
    /// How many faults of each class, and of which classes.
    Faults,
    /// Control links with delays of their own.
    SlowControl,
    /// How long buffers are, where there are any. Last: a setting's number decides what is drawn for it.
    Buffers,
}

impl Setting {
    /// The group it belongs to; its own group where it is one.
    #[must_use]
    pub fn group(self) -> Self {
        match self {
            Self::Job | Self::Records | Self::Parallelism | Self::Splits | Self::Deal => Self::Job,
            Self::Cluster
            | Self::Workers
            | Self::Credits
            | Self::Buffers
            | Self::SourceInterval
            | Self::SinkBatch
            | Self::Mailbox
            | Self::Stores => Self::Cluster,
            Self::Checkpoints
            | Self::Interval
            | Self::Timeout
            | Self::Concurrency
            | Self::FailuresTolerated
            | Self::Retained => Self::Checkpoints,
            Self::Links
            | Self::Channels
            | Self::Control
            | Self::Bandwidth
            | Self::SlowLinks
            | Self::SlowControl => Self::Links,
            Self::Nemesis => Self::Nemesis,
            Self::Faults => Self::Faults,
        }
    }
}

impl SwarmScenario {
    /// Whether a setting stays as the scenario has it.
    #[must_use]
    pub fn is_pinned(&self, setting: Setting) -> bool {
        self.pinned.contains(&setting) || self.pinned.contains(&setting.group())
    }
}
