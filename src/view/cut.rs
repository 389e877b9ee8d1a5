//! What lies on which side of a cut, channel by channel.
//!
//! A record is *before* a subtask's cut if the subtask had emitted it, or processed it, when it froze its state. So
//! what was in flight over the cut is what the sender's snapshot counts as emitted and the receiver's does not
//! count as processed (Chandy and Lamport 1985). It is decided by these counts and not by where an event stands
//! on the page: a record may wait for credit when its sender takes the snapshot, and be sent later.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::protocol::{Attempt, ChannelId, LineageId, SubtaskId, Topology};
use crate::trace::{self, ChannelStateCaptured, Event, InFlight, SnapshotTaken, Stamp};

use super::rows::Rows;

/// So many arrows over a cut are drawn of a channel, and so many records named; all of them are counted.
pub const SHOWN_MAX: usize = 200;

/// One channel at a cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelCut {
    /// The channel.
    pub channel: ChannelId,
    /// `lines/0->count/1`.
    pub name: String,
    /// The columns of its two ends.
    pub ends: (usize, usize),
    /// How many records the sender's snapshot counts as emitted.
    pub sent: Option<u64>,
    /// How many the receiver's counts as processed.
    pub received: Option<u64>,
    /// How many are in the channel state, at either end, that this attempt had sent.
    pub captured: Option<u64>,
    /// How many are in it that a restore had put back.
    pub put_back: u64,
    /// What that makes of the channel.
    pub flow: Flow,
    /// How many bytes cross the cut, where the trace tells the size of each record that does.
    pub bytes: Option<u64>,
    /// What crosses the cut, by row: where it was sent, and where it was received, if that is in the trace.
    pub arrows: Vec<(usize, Option<usize>)>,
    /// The records of the channel state, in order.
    pub state: Vec<LineageId>,
}

/// What crosses a cut in one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Flow {
    /// An end has taken no snapshot.
    Open,
    /// Nothing: all that was emitted before the cut was processed before it.
    Empty,
    /// These were in flight, and are in the channel state.
    Captured {
        /// How many.
        records: u64,
    },
    /// These are in flight, and nothing was captured yet.
    Overtaken {
        /// How many.
        records: u64,
    },
    /// Emitted before the cut, processed after it, and in no channel state: a restore loses them.
    Lost {
        /// How many.
        records: u64,
    },
    /// Processed before the cut and emitted after it: a restore counts them twice.
    Orphan {
        /// How many.
        records: u64,
    },
    /// More is in the channel state than was in flight: a restore counts it twice.
    Doubled {
        /// How many.
        records: u64,
    },
    /// As many as there must be, and not the same ones.
    Others,
}

impl Flow {
    /// How many records it is about.
    #[must_use]
    pub fn records(self) -> u64 {
        match self {
            Self::Captured { records }
            | Self::Overtaken { records }
            | Self::Lost { records }
            | Self::Orphan { records }
            | Self::Doubled { records } => records,
            Self::Open | Self::Empty | Self::Others => 0,
        }
    }
}

/// What the two ends of all channels say.
pub struct Ends<'a> {
    /// By subtask, what it knew when it froze its state.
    pub snapshots: &'a BTreeMap<SubtaskId, SnapshotTaken>,
    /// By subtask, what the barrier overtook.
    pub captures: &'a BTreeMap<SubtaskId, ChannelStateCaptured>,
    /// Whether the checkpoint completed, so that nothing can be captured any more.
    pub is_over: bool,
}

/// By channel and attempt, the rows in which records were sent and received.
pub type Logs = BTreeMap<(ChannelId, Attempt), Log>;

/// The records of one channel, with their sequence and row.
#[derive(Clone, Debug, Default)]
pub struct Log {
    sent: Vec<SentRecord>,
    received: Vec<(u64, usize)>,
}

/// One record that entered a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct SentRecord {
    sequence: u64,
    row: usize,
    bytes: Option<u32>,
}

/// What went through which channel, as far as a trace tells.
#[must_use]
pub fn logs(trace: &[(Stamp, Event)], rows: &Rows) -> Logs {
    let mut logs = Logs::new();
    for (place, (_, event)) in trace.iter().enumerate() {
        let row = rows.of_event(place);
        if let Event::Sent { channel, attempt, sequence, bytes, lineage: _ } = event {
            let sent = SentRecord { sequence: *sequence, row, bytes: *bytes };
            logs.entry((*channel, *attempt)).or_default().sent.push(sent);
        } else if let Event::Received { channel, attempt, sequence, .. } = event {
            logs.entry((*channel, *attempt)).or_default().received.push((*sequence, row));
        }
    }
    for log in logs.values_mut() {
        log.sent.sort_unstable();
        log.received.sort_unstable();
    }
    logs
}

impl Log {
    /// The records with these sequences, as far as the trace has them.
    fn range(&self, from: u64, to: u64) -> &[SentRecord] {
        let place = |bound| self.sent.partition_point(|sent| sent.sequence < bound);
        &self.sent[place(from)..place(to)]
    }

    /// The first so many records with these sequences: where each was sent, and where it was received.
    fn between(&self, from: u64, to: u64) -> Vec<(usize, Option<usize>)> {
        let shown = self.range(from, to).iter().take(SHOWN_MAX);
        shown.map(|sent| (sent.row, self.receipt(sent.sequence))).collect()
    }

    fn receipt(&self, sequence: u64) -> Option<usize> {
        let at = self.received.partition_point(|(other, _)| *other < sequence);
        self.received.get(at).filter(|(other, _)| *other == sequence).map(|(_, row)| *row)
    }
}

/// All channels of a shape at a cut; `lane` tells the column of a subtask.
#[must_use]
pub fn channels(
    topology: &Topology,
    ends: &Ends<'_>,
    attempt: Attempt,
    logs: &Logs,
    lane: impl Fn(SubtaskId) -> Option<usize>,
) -> Vec<ChannelCut> {
    let listed = Listed::of(ends);
    let one = |channel: ChannelId| {
        let shape = topology.channels.get(channel.index())?;
        let lanes = (lane(shape.from)?, lane(shape.to)?);
        let sides = listed.sides(channel, shape.from, shape.to);
        let (flow, range) = sides.flow(ends.is_over);
        let log = logs.get(&(channel, attempt));
        let known = || log.zip(range);
        Some(ChannelCut {
            channel,
            name: topology.channel_name(channel),
            ends: lanes,
            sent: sides.sent.map(|cut| cut.records),
            received: sides.received.map(|cut| cut.records),
            captured: sides.captured.then(|| sides.fresh().count() as u64),
            put_back: sides.put_back() as u64,
            flow,
            bytes: range.and_then(|range| bytes(log, range)),
            arrows: known().map_or_else(Vec::new, |(log, (from, to))| log.between(from, to)),
            state: sides.state().take(SHOWN_MAX).collect(),
        })
    };
    topology.channel_ids().filter_map(one).collect()
}

/// How many bytes the records with these sequences have, if all of them are known.
fn bytes(log: Option<&Log>, (from, to): (u64, u64)) -> Option<u64> {
    let records = log.map_or(&[][..], |log| log.range(from, to));
    let is_whole = records.len() as u64 == to - from;
    let sum = || records.iter().map(|sent| sent.bytes.map(u64::from)).sum();
    is_whole.then(sum).flatten()
}

/// What each subtask says of each channel; the first time counts.
struct Listed<'a> {
    sent: BTreeMap<(SubtaskId, ChannelId), trace::ChannelCut>,
    received: BTreeMap<(SubtaskId, ChannelId), trace::ChannelCut>,
    at_receiver: BTreeMap<(SubtaskId, ChannelId), &'a InFlight>,
    at_sender: BTreeMap<(SubtaskId, ChannelId), &'a InFlight>,
    captured: &'a BTreeMap<SubtaskId, ChannelStateCaptured>,
}

impl<'a> Listed<'a> {
    fn of(ends: &Ends<'a>) -> Self {
        let cuts = |side: fn(&SnapshotTaken) -> &[trace::ChannelCut]| {
            let of_one = |(subtask, taken): (&SubtaskId, &'a SnapshotTaken)| {
                let subtask = *subtask;
                side(taken).iter().rev().map(move |cut| ((subtask, cut.channel), *cut))
            };
            ends.snapshots.iter().flat_map(of_one).collect()
        };
        let states = |side: fn(&ChannelStateCaptured) -> &[InFlight]| {
            let of_one = |(subtask, own): (&SubtaskId, &'a ChannelStateCaptured)| {
                let subtask = *subtask;
                side(own).iter().rev().map(move |one| ((subtask, one.channel), one))
            };
            ends.captures.iter().flat_map(of_one).collect()
        };
        Self {
            sent: cuts(|taken| &taken.sent),
            received: cuts(|taken| &taken.received),
            at_receiver: states(|own| &own.inputs),
            at_sender: states(|own| &own.outputs),
            captured: ends.captures,
        }
    }

    fn sides(&self, channel: ChannelId, from: SubtaskId, to: SubtaskId) -> Sides<'a> {
        Sides {
            sent: self.sent.get(&(from, channel)).copied(),
            received: self.received.get(&(to, channel)).copied(),
            captured: self.captured.contains_key(&to),
            at_receiver: self.at_receiver.get(&(to, channel)).copied(),
            at_sender: self.at_sender.get(&(from, channel)).copied(),
        }
    }
}

/// What is known of one channel at a cut.
struct Sides<'a> {
    sent: Option<trace::ChannelCut>,
    received: Option<trace::ChannelCut>,
    /// Whether the receiver has told what the barrier overtook.
    captured: bool,
    at_receiver: Option<&'a InFlight>,
    at_sender: Option<&'a InFlight>,
}

impl Sides<'_> {
    /// The whole channel state, what was put back first.
    fn state(&self) -> impl Iterator<Item = LineageId> + '_ {
        [self.at_receiver, self.at_sender]
            .into_iter()
            .flatten()
            .flat_map(|one| one.records.iter().copied())
    }

    fn put_back(&self) -> usize {
        self.at_receiver.map_or(0, |one| {
            usize::try_from(one.restored).unwrap_or(usize::MAX).min(one.records.len())
        })
    }

    /// The channel state without what no count of this attempt has.
    fn fresh(&self) -> impl Iterator<Item = LineageId> + '_ {
        self.state().skip(self.put_back())
    }

    /// What crosses the cut, and which sequences do.
    fn flow(&self, is_over: bool) -> (Flow, Option<(u64, u64)>) {
        let (Some(sent), Some(received)) = (self.sent, self.received) else {
            return (Flow::Open, None);
        };
        let range = (sent.records.min(received.records), sent.records.max(received.records));
        let captured = self.fresh().count() as u64;
        let between = sent.records.saturating_sub(received.records);
        let flow = if received.records > sent.records {
            Flow::Orphan { records: received.records - sent.records }
        } else if captured > between {
            Flow::Doubled { records: captured - between }
        } else if captured < between {
            let records = between - captured;
            if is_over || self.captured {
                Flow::Lost { records }
            } else {
                Flow::Overtaken { records }
            }
        } else if self.is_same(sent, received) {
            if captured == 0 { Flow::Empty } else { Flow::Captured { records: captured } }
        } else {
            Flow::Others
        };
        (flow, Some(range))
    }

    /// Whether what was emitted is what was processed and what is on its way, record by record.
    fn is_same(&self, sent: trace::ChannelCut, received: trace::ChannelCut) -> bool {
        let mut all = received.digest;
        self.fresh().for_each(|record| all.push(record.0));
        all == sent.digest
    }
}
