//! Worlds: they own time, links, crashes and scheduling, and carry outboxes out in order.

pub mod faults;
pub mod kernel;
pub mod links;
pub mod observer;
pub mod queue;

pub use kernel::Kernel;
pub use observer::Observer;

use std::time::Duration;

use crate::protocol::VirtualTime;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The job finished.
    Finished,
    /// The observer had seen enough.
    Stopped,
    /// The time was up.
    TimeLimit,
    /// Nothing was left to happen, and the job had not finished.
    Quiescent,
}

/// What a run was, beside its trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunEnd {
    /// How it ended.
    pub ending: Ending,
    /// When.
    pub at: VirtualTime,
    /// How many inputs processes took.
    pub steps: u64,
    /// How many events the trace has.
    pub events: u64,
}

impl RunEnd {
    /// How long the run took in virtual time.
    #[must_use]
    pub fn virtual_duration(&self) -> Duration {
        self.at.since(VirtualTime::ZERO)
    }
}
