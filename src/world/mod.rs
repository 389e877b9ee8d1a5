//! Worlds: they own time, links, crashes and scheduling, and carry outboxes out in order.

pub mod act;
pub mod aims;
pub mod clock;
pub mod faults;
mod injector;
pub mod kernel;
pub mod links;
#[cfg(madsim)]
pub mod madsim;
pub mod network;
pub mod observer;
pub mod planned_requests;
pub mod queue;
mod run_state;
pub mod troubles;
pub mod waiting;

pub use kernel::Kernel;
pub use observer::Observer;

use std::time::Duration;

use crate::cluster::Cluster;
use crate::plan::Plan;
use crate::protocol::{ProcessId, VirtualTime};
use crate::trace::RunStarted;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The job finished.
    Finished,
    /// The observer had seen enough.
    Stopped,
    /// The time was up.
    TimeLimit,
    /// So much happened that something must be going round in circles.
    StepLimit,
    /// Nothing was left to happen, and the job had not finished.
    Quiescent,
}

/// What a run was, beside its trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunEnd {
    /// How it ended.
    pub ending: Ending,
    /// The virtual time at which it ended.
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

/// The place of a process in the order of [`Cluster::processes`].
#[must_use]
pub fn slot_of(process: ProcessId) -> usize {
    match process {
        ProcessId::ObjectStore => 0,
        ProcessId::MetaStore => 1,
        ProcessId::SourceLog => 2,
        ProcessId::SinkTarget => 3,
        ProcessId::Coordinator => 4,
        ProcessId::Worker(worker) => 5 + usize::from(worker),
    }
}

/// How many channels the job has at most, in any of the shapes that `plan` asks for.
#[must_use]
pub fn channels_max(plan: &Plan, cluster: &Cluster) -> usize {
    let shapes = plan.revisions().filter_map(|revision| cluster.job.in_revision(revision).ok());
    shapes.map(|job| job.topology().channels.len()).max().unwrap_or(0)
}

/// What the first event of a trace says.
fn run_started(plan: &Plan, cluster: &Cluster) -> RunStarted {
    RunStarted {
        topology: cluster.job.topology().clone(),
        split_lengths: match cluster.input.is_queue() {
            true => vec![RunStarted::UNBOUNDED; usize::from(cluster.input.split_count())],
            false => cluster.input.lengths(),
        },
        retained: plan.cluster.checkpoints.retained,
        liveness_bound_ms: plan.liveness_ms,
        concurrent_max: plan.cluster.checkpoints.concurrent_max,
        protocol: plan.cluster.checkpoints.protocol,
    }
}
