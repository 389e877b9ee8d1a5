//! What a run did.

use serde::Serialize;

use super::kernel::Kernel;
use crate::protocol::independent::{ChannelCounts, useless};

/// What was counted in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Measured {
    /// Checkpoints that nothing forced.
    pub basic: u64,
    /// Forced ones.
    pub forced: u64,
    /// Messages sent, those of a second life included.
    pub messages: u64,
    /// What they carried beside their content, in bytes.
    pub carried_bytes: u64,
    /// Of the checkpoints that there were at the failure, those that no consistent cut has.
    pub useless: u64,
    /// Those that the recovery line left behind it.
    pub discarded: u64,
    /// All of them.
    pub at_failure: u64,
    /// Processes that began anew, sources included.
    pub from_nothing: u64,
    /// How far the processes fell back: the mean, in microseconds.
    pub rollback_mean_us: u64,
    /// The one that fell back farthest, in microseconds.
    pub rollback_max_us: u64,
    /// Messages that were replayed.
    pub replayed: u64,
}

/// What a failure led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fallback {
    pub line: Vec<usize>,
    pub counts: Vec<Vec<ChannelCounts>>,
    pub measured: Measured,
}

impl Fallback {
    pub fn of(
        kernel: &Kernel<'_>,
        counts: &[Vec<ChannelCounts>],
        line: &[usize],
        now_us: u64,
    ) -> Self {
        let edges = kernel.settings.shape.edges();
        let now: Vec<_> = kernel.processes.iter().map(|own| own.counts.clone()).collect();
        let at =
            |(process, place): (usize, &usize)| kernel.processes[process].checkpoints[*place].at_us;
        let rollbacks = || line.iter().enumerate().map(|own| now_us - at(own));
        let flight = |(channel, edge): (usize, &crate::protocol::independent::Edge)| {
            let sent = counts[edge.from][line[edge.from]].sent[channel];
            sent.saturating_sub(counts[edge.to][line[edge.to]].received[channel])
        };
        let behind = |(own, place): (&Vec<ChannelCounts>, &usize)| (own.len() - 1 - place) as u64;
        let measured = Measured {
            useless: useless(edges, counts, &now).iter().map(|own| own.len() as u64).sum(),
            discarded: counts.iter().zip(line).map(behind).sum(),
            at_failure: counts.iter().map(|own| own.len() as u64 - 1).sum(),
            from_nothing: line.iter().filter(|place| **place == 0).count() as u64,
            rollback_mean_us: rollbacks().sum::<u64>() / line.len().max(1) as u64,
            rollback_max_us: rollbacks().max().unwrap_or(0),
            replayed: edges.iter().enumerate().map(flight).sum(),
            ..Measured::default()
        };
        Self { line: line.to_vec(), counts: counts.to_vec(), measured }
    }
}
