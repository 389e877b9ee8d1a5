//! What happens to a system from outside, in order.

use super::graph::ProcessIndex;
use super::workload::Command;
use crate::protocol::ordered::VecSet;

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// A process is told to send.
    Send {
        /// The process that is told to.
        process: ProcessIndex,
        /// What, and where to.
        command: Command,
    },
    /// These processes start one snapshot, each by itself and all at once.
    Snapshot {
        /// At least one.
        initiators: VecSet<ProcessIndex>,
    },
    /// Time goes by.
    Tick {
        /// By how many ticks of virtual time.
        ticks: u64,
    },
}

/// All that happens, each with the line it was read from; 0 where it was not read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// In order.
    pub acts: Vec<(usize, Act)>,
}

impl FromIterator<Act> for Script {
    fn from_iter<I: IntoIterator<Item = Act>>(acts: I) -> Self {
        Self { acts: acts.into_iter().map(|act| (0, act)).collect() }
    }
}
