//! What was in flight, on its way into another number of subtasks.
//!
//! Whoever receives takes its share of both parts of an old channel: of what had arrived there, and of what
//! its sender had not sent. All of it goes to the first channel of the input, one old channel after another,
//! so that in whatever cut or restore comes next it is ahead of anything newer. No sender of the new shape
//! knows of it; the other channels of the input hold only what is new.
//!
//! A watermark in an old channel speaks for that channel alone. The first channel of the input passes on
//! what all old channels have come to (Flink: `DemultiplexingRecordDeserializer`); the others have come to
//! what all had been told, since what follows there is newer than all of that.

use super::job::Job;
use super::record::Item;
use super::rescale::Part;
use super::router::Partition;
use super::subtask_state::{RestoreError, SubtaskState};
use crate::protocol::ordered::VecMap;
use crate::protocol::{
    ChannelId, Defect, DefectSet, EdgeWidth, KeyGroup, OperatorId, ResizedEdge, SubtaskId,
};

/// What falls to a subtask of one old channel.
#[derive(Clone, Debug)]
pub struct Share {
    /// The channel of the old shape.
    pub from: ChannelId,
    /// The channel of the subtask that takes it, by its place among the inputs.
    pub input: usize,
    /// In order; watermarks are those of the input as a whole.
    pub items: Vec<Item>,
    /// By record, the key group that decided; empty where none did.
    pub groups: Vec<KeyGroup>,
}

/// An old channel into an input.
#[derive(Clone, Copy, Debug)]
struct OldChannel {
    id: ChannelId,
    /// What its receiver knew of it.
    watermark: i64,
}

/// What the old channels of an input have come to, while they are gone through.
struct Valve {
    known: Vec<i64>,
    lowest: i64,
    defects: DefectSet,
}

impl Job {
    /// What of that which was in flight falls to `subtask`; `state`, which it starts from, is told what its
    /// inputs have come to. `parts` are the snapshots of its operator that it reads, `found` is what they and
    /// those of its senders hold, by old channel and in order.
    ///
    /// # Errors
    ///
    /// When something was in flight on an edge that has no rule for it.
    pub fn share_in_flight(
        &self,
        subtask: SubtaskId,
        before: &Job,
        (parts, state): (&[Part], &mut SubtaskState),
        mut found: VecMap<ChannelId, Vec<Item>>,
        defects: DefectSet,
    ) -> Result<Vec<Share>, RestoreError> {
        let ports = &self.placement(subtask).ports;
        let mut shares = Vec::new();
        for (input, port) in ports.iter().enumerate() {
            if ports[..input].contains(port) {
                continue;
            }
            let old = old_channels(*port, before, parts);
            let mut valve = Valve::new(&old, defects);
            for (place, channel) in old.iter().enumerate() {
                let Some(items) = found.remove(&channel.id) else { continue };
                let (from, groups) = (channel.id, Vec::new());
                let mut share = Share { from, input, items: Vec::new(), groups };
                self.take(subtask, before, items, (place, &mut valve), &mut share)?;
                shares.push(share);
            }
            for (other, _) in ports.iter().enumerate().filter(|(_, other)| *other == port).skip(1) {
                state.watermarks[other] = state.watermarks[other].max(valve.lowest);
            }
        }
        shares.retain(|share| !share.items.is_empty());
        Ok(shares)
    }

    /// Goes through what was in flight in one old channel.
    fn take(
        &self,
        subtask: SubtaskId,
        before: &Job,
        items: Vec<Item>,
        (place, valve): (usize, &mut Valve),
        share: &mut Share,
    ) -> Result<(), RestoreError> {
        let edge = self.resized(before, share.from);
        if !items.is_empty() && !valve.defects.has(Defect::ForwardStateDealtOut) {
            edge.judge()?;
        }
        let shape = before.topology().channels[share.from.index()];
        let index_of = |end| before.placement(end).index;
        let (ends, index) =
            ((index_of(shape.from), index_of(shape.to)), self.placement(subtask).index);
        for item in items {
            match item {
                Item::Watermark(watermark) => {
                    share.items.extend(valve.advance(place, watermark).map(Item::Watermark));
                }
                Item::Record(record) => {
                    let group = before.group_in(share.from, &record.payload);
                    let owner = || group.unwrap_or(KeyGroup(0));
                    if edge.takes(index, ends, owner, valve.defects) {
                        share.groups.extend(group);
                        share.items.push(Item::Record(record));
                    }
                }
            }
        }
        Ok(())
    }

    /// The edge that a channel of the shape `before` belongs to, as it was and is.
    pub(crate) fn resized(&self, before: &Job, channel: ChannelId) -> ResizedEdge {
        let shape = before.topology().channels[channel.index()];
        let operator = |end: SubtaskId| before.topology().subtasks[end.index()].operator;
        let (from, to) = (operator(shape.from), operator(shape.to));
        let kind = before.partition(channel).kind();
        ResizedEdge { kind, before: before.width(from, to), now: self.width(from, to) }
    }

    /// How many subtasks an edge between these operators connects.
    fn width(&self, from: OperatorId, to: OperatorId) -> EdgeWidth {
        let parallelism =
            |operator: OperatorId| self.topology().operators[operator.index()].parallelism;
        EdgeWidth { senders: parallelism(from), receivers: parallelism(to) }
    }

    /// The key group by which a record found its way into a channel; none where that is not by key.
    fn group_in(&self, channel: ChannelId, payload: &[u8]) -> Option<KeyGroup> {
        match self.partition(channel) {
            Partition::Hash(key) => Some(key.group_of(payload)),
            Partition::Forward | Partition::Rebalance | Partition::Shift | Partition::Broadcast => {
                None
            }
        }
    }
}

/// The channels into an input of the old subtasks, one subtask after another.
fn old_channels(port: u8, before: &Job, parts: &[Part]) -> Vec<OldChannel> {
    let of_part = |part: &Part| -> Vec<OldChannel> {
        let ports = before.placement(part.subtask).ports.iter();
        let inputs = before.topology().inputs(part.subtask);
        let known = inputs.zip(ports).zip(part.state.watermarks.iter());
        let known = known.filter(|((_, other), _)| **other == port);
        known.map(|((id, _), watermark)| OldChannel { id, watermark: *watermark }).collect()
    };
    parts.iter().flat_map(of_part).collect()
}

impl Valve {
    fn new(old: &[OldChannel], defects: DefectSet) -> Self {
        let known: Vec<i64> = old.iter().map(|channel| channel.watermark).collect();
        let lowest = known.iter().copied().min().unwrap_or(i64::MIN);
        Self { known, lowest, defects }
    }

    /// The old channel has come to `watermark`; gives what all have come to, if that rises.
    fn advance(&mut self, place: usize, watermark: i64) -> Option<i64> {
        self.known[place] = self.known[place].max(watermark);
        if self.defects.has(Defect::DealtWatermarkPassedOn) {
            return Some(watermark);
        }
        let lowest = self.known.iter().copied().min()?;
        (std::mem::replace(&mut self.lowest, lowest) < lowest).then_some(lowest)
    }
}
