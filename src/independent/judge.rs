//! Holds a run against the definitions, and against the reference.

use std::fmt;

use super::Outcome;
use super::kernel::Kernel;
use super::measured::{Fallback, Measured};
use super::reference;
use crate::protocol::independent::{ChannelCounts, Edge, Scheme};

/// What is wrong in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// The line has a message that was received and not sent.
    Orphans {
        /// In which channel.
        channel: usize,
        /// How many.
        messages: u64,
    },
    /// A newer line is consistent as well.
    NeedlesslyOld {
        /// Which process could have fallen back less far.
        process: usize,
    },
    /// Forced checkpoints must see to it that none is useless.
    Useless {
        /// How many are.
        checkpoints: u64,
    },
    /// Messages of a channel came twice, or after one that never came.
    Misplaced {
        /// In which channel.
        channel: usize,
        /// How many.
        messages: u64,
    },
    /// Fewer messages of a channel came than were sent.
    Missing {
        /// In which channel.
        channel: usize,
        /// How many.
        messages: u64,
    },
    /// A process has not processed every record once.
    State {
        /// Which process.
        process: usize,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Orphans { channel, messages } => write!(
                f,
                "the recovery line has {messages} orphans in channel {channel}: received, and not sent"
            ),
            Self::NeedlesslyOld { process } => {
                write!(f, "process {process} fell back farther than a consistent cut needs")
            }
            Self::Useless { checkpoints } => {
                write!(f, "{checkpoints} checkpoints are in no consistent cut")
            }
            Self::Misplaced { channel, messages } => write!(
                f,
                "{messages} messages of channel {channel} came twice or after one that never came"
            ),
            Self::Missing { channel, messages } => {
                write!(f, "{messages} messages of channel {channel} never came")
            }
            Self::State { process } => {
                write!(f, "process {process} has not processed every record exactly once")
            }
        }
    }
}

/// The verdict on a run that is over.
pub(super) fn conclude(kernel: &Kernel<'_>) -> Outcome {
    let mut violations = Vec::new();
    if let Some(fallback) = &kernel.fallback {
        judge_line(kernel, fallback, &mut violations);
    }
    judge_channels(kernel, &mut violations);
    judge_states(kernel, &mut violations);
    let counters = kernel.counters;
    let at_failure = kernel.fallback.as_ref().map(|fallback| fallback.measured);
    let measured = Measured {
        basic: counters.basic,
        forced: counters.forced,
        messages: counters.sent,
        carried_bytes: counters.carried_bytes,
        ..at_failure.unwrap_or_default()
    };
    Outcome { measured, violations }
}

fn judge_line(kernel: &Kernel<'_>, fallback: &Fallback, violations: &mut Vec<Violation>) {
    let (edges, Fallback { line, counts, measured }) = (kernel.settings.shape.edges(), fallback);
    for (channel, edge) in edges.iter().enumerate() {
        let messages = orphans(edge, channel, counts, line);
        if messages > 0 {
            violations.push(Violation::Orphans { channel, messages });
        }
    }
    let greatest = greatest_line(edges, counts);
    let older = (0..line.len()).find(|process| line[*process] < greatest[*process]);
    violations.extend(older.map(|process| Violation::NeedlesslyOld { process }));
    let may_be_useless = kernel.settings.scheme == Scheme::Uncoordinated;
    if measured.useless > 0 && !may_be_useless {
        violations.push(Violation::Useless { checkpoints: measured.useless });
    }
}

fn orphans(edge: &Edge, channel: usize, counts: &[Vec<ChannelCounts>], line: &[usize]) -> u64 {
    let sent = counts[edge.from][line[edge.from]].sent[channel];
    counts[edge.to][line[edge.to]].received[channel].saturating_sub(sent)
}

/// The greatest consistent line by another way than the engine's: a checkpoint is out if it depends on an interval
/// that a checkpoint that is out begins; at first the one that nobody has taken yet is (the checkpoint graph of
/// Wang, and of CheckMate's Algorithm 1).
fn greatest_line(edges: &[Edge], counts: &[Vec<ChannelCounts>]) -> Vec<usize> {
    let mut out: Vec<Vec<bool>> = counts.iter().map(|own| vec![false; own.len()]).collect();
    let mut lost: Vec<(usize, usize)> =
        (0..counts.len()).map(|own| (own, counts[own].len())).collect();
    while let Some((process, place)) = lost.pop() {
        // What was sent after the last one that stays is an orphan wherever it was received.
        let sent = &counts[process][place - 1].sent;
        for (channel, edge) in edges.iter().enumerate().filter(|(_, edge)| edge.from == process) {
            let received = counts[edge.to].iter().map(|own| own.received[channel]);
            for (place, received) in received.enumerate() {
                if received > sent[channel] && !out[edge.to][place] {
                    out[edge.to][place] = true;
                    lost.push((edge.to, place));
                }
            }
        }
    }
    let newest = |own: &Vec<bool>| own.iter().take_while(|is_out| !**is_out).count() - 1;
    out.iter().map(newest).collect()
}

fn judge_channels(kernel: &Kernel<'_>, violations: &mut Vec<Violation>) {
    for (channel, own) in kernel.channels.iter().enumerate() {
        let misplaced = kernel.misplaced[channel];
        if misplaced > 0 {
            violations.push(Violation::Misplaced { channel, messages: misplaced });
        }
        let received = kernel.processes[own.edge.to].counts.received[channel];
        let missing = (own.log.len() as u64).saturating_sub(received);
        if missing > 0 {
            violations.push(Violation::Missing { channel, messages: missing });
        }
    }
}

fn judge_states(kernel: &Kernel<'_>, violations: &mut Vec<Violation>) {
    let reference = reference::states(kernel.settings);
    for (process, (own, expected)) in kernel.processes.iter().zip(&reference).enumerate() {
        if own.state != *expected {
            violations.push(Violation::State { process });
        }
    }
}
