//! Recovery lines: the newest checkpoints, one a process, that form a consistent cut.

use alloc::vec;
use alloc::vec::Vec;

use super::defect::{IndependentDefect, IndependentDefectSet};

/// A channel from one process to another, both as indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Who sends.
    pub from: usize,
    /// Who receives.
    pub to: usize,
    /// Whether both live on one worker.
    pub is_local: bool,
}

/// What one process knew at a checkpoint: by channel, how many messages it had sent and received. Counts of
/// channels that are not its own are 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelCounts {
    /// By channel.
    pub sent: Vec<u64>,
    /// By channel.
    pub received: Vec<u64>,
}

impl ChannelCounts {
    /// Nothing sent and nothing received, over so many channels.
    #[must_use]
    pub fn none(channels: usize) -> Self {
        Self { sent: vec![0; channels], received: vec![0; channels] }
    }
}

/// A checkpoint of a process, and a channel of it: where a count is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// Which process.
    pub process: usize,
    /// Which of its checkpoints, the initial state at 0.
    pub checkpoint: usize,
    /// Which channel: an index of the edges.
    pub channel: usize,
}

/// By process, which of its checkpoints the newest consistent cut has: for each channel, what its receiver had
/// received its sender had sent. What was sent and not received is replayed from the sender's log.
///
/// `checkpoints` are by process, oldest first, and the first of each is its initial state, so that there is
/// always a line. A set of lines has a greatest one: where two lines have different checkpoints of a process,
/// taking the newer of each process gives a line as well. It is found by going back, process by process, as far
/// as orphans demand (the rollback propagation of Randell and of Wang, as a fixpoint).
///
/// # Panics
///
/// When a process has no checkpoint, or an edge is of no process.
#[must_use]
pub fn recovery_line(
    edges: &[Edge],
    checkpoints: &[Vec<ChannelCounts>],
    defects: IndependentDefectSet,
) -> Vec<usize> {
    let newest = checkpoints.iter().map(|own| own.len() - 1).collect();
    let counts = |at: Lookup| &checkpoints[at.process][at.checkpoint];
    recovery_line_from(
        edges,
        newest,
        |at| counts(at).sent[at.channel],
        |at| counts(at).received[at.channel],
        defects,
    )
}

/// The same for whoever keeps counts another way: `newest` is by process the newest checkpoint that may be taken, and
/// `sent` and `received` look counts up, of which those of an initial state must be 0.
///
/// # Panics
///
/// When an edge is of no process.
#[must_use]
pub fn recovery_line_from(
    edges: &[Edge],
    newest: Vec<usize>,
    sent: impl Fn(Lookup) -> u64,
    received: impl Fn(Lookup) -> u64,
    defects: IndependentDefectSet,
) -> Vec<usize> {
    let mut line = newest;
    let skips = defects.has(IndependentDefect::LocalEdgesSkipped);
    let followed = || edges.iter().enumerate().filter(|(_, edge)| !(skips && edge.is_local));
    let at = |line: &[usize], process: usize, channel| Lookup {
        process,
        checkpoint: line[process],
        channel,
    };
    let mut is_settled = false;
    while !is_settled {
        is_settled = true;
        for (channel, edge) in followed() {
            let sent = sent(at(&line, edge.from, channel));
            while received(at(&line, edge.to, channel)) > sent {
                line[edge.to] -= 1;
                is_settled = false;
            }
        }
    }
    if defects.has(IndependentDefect::LineTooOld) {
        line.iter_mut().for_each(|place| *place = place.saturating_sub(1));
    }
    line
}
