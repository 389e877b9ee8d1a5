//! The two ends of a channel: counts, digests, credits.

use std::collections::VecDeque;

use super::super::message::Message;
use super::super::process::Outbox;
use super::Env;
use crate::dataflow::Item;
use crate::protocol::{
    Attempt, Barrier, ChannelId, CheckpointId, Defect, DefectSet, Digest, Element, ProcessId,
};
use crate::trace::{ChannelCut, Event};

/// The receiving end: what was processed, and how much the sender may send.
#[derive(Clone, Debug)]
pub struct InputChannel {
    cut: ChannelCut,
    from: ProcessId,
    /// The number of the next element.
    next: u32,
    /// Items processed for which the sender has not been given new credit.
    consumed: u32,
    /// How many items that a restore put back into the channel have not been processed.
    restored: usize,
}

impl InputChannel {
    pub fn new(channel: ChannelId, from: ProcessId) -> Self {
        let cut = ChannelCut { channel, records: 0, digest: Digest::default() };
        Self { cut, from, next: 0, consumed: 0, restored: 0 }
    }

    pub fn id(&self) -> ChannelId {
        self.cut.channel
    }

    pub fn cut(&self) -> ChannelCut {
        self.cut
    }

    /// Who sends.
    pub fn peer(&self) -> ProcessId {
        self.from
    }

    /// An element arrived.
    ///
    /// # Errors
    ///
    /// When another should have come before it: a connection that was restored in silence lost that one.
    pub fn arrive(&mut self, sequence: u32, defects: DefectSet) -> Result<(), String> {
        let expected = std::mem::replace(&mut self.next, sequence.wrapping_add(1));
        if sequence == expected || defects.has(Defect::ReconnectLossUnnoticed) {
            return Ok(());
        }
        let channel = self.cut.channel;
        Err(format!("element {sequence} of {channel} arrived, {expected} was next"))
    }

    /// The sender says how many elements it has sent.
    ///
    /// # Errors
    ///
    /// When some of them did not arrive.
    pub fn judge_tally(&self, elements: u32, defects: DefectSet) -> Result<(), String> {
        if elements == self.next || defects.has(Defect::ReconnectLossUnnoticed) {
            return Ok(());
        }
        let ChannelCut { channel, .. } = self.cut;
        Err(format!("{elements} elements were sent in {channel}, {} arrived", self.next))
    }

    pub fn grant(&mut self, credits: u32, attempt: Attempt, outbox: &mut impl Outbox) {
        outbox.send(self.from, Message::Credit { attempt, channel: self.cut.channel, credits });
    }

    /// A restore puts these many items back into the channel, ahead of everything that arrives.
    pub fn restore(&mut self, items: usize) {
        self.restored += items;
    }

    /// How many of those have not been processed.
    pub fn restored(&self) -> usize {
        self.restored
    }

    /// One that a restore put back left the channel: its sender, in this attempt, knows nothing of it.
    fn replay(&mut self, item: &Item, attempt: Attempt, env: &mut Env<'_, impl Outbox>) {
        self.restored -= 1;
        if let Item::Record(record) = item {
            let (channel, lineage) = (self.cut.channel, record.lineage);
            env.outbox.event(Event::Replayed { channel, attempt, lineage });
        }
    }

    /// An item left the channel. Credit goes back in batches of half of what the sender may have.
    pub fn consume(&mut self, item: &Item, attempt: Attempt, env: &mut Env<'_, impl Outbox>) {
        if self.restored > 0 {
            return self.replay(item, attempt, env);
        }
        if let Item::Record(record) = item {
            let (channel, sequence, lineage) = (self.cut.channel, self.cut.records, record.lineage);
            self.cut.records += 1;
            self.cut.digest.push(lineage.0);
            env.outbox.event(Event::Received { channel, attempt, sequence, lineage });
        }
        self.consumed += 1;
        if self.consumed >= env.settings.credits.div_ceil(2) {
            self.grant(self.consumed, attempt, env.outbox);
            self.consumed = 0;
        }
    }

    pub fn barrier_seen(&self, attempt: Attempt, checkpoint: CheckpointId) -> Event {
        let ChannelCut { channel, records: sequence, .. } = self.cut;
        Event::BarrierReceived { channel, attempt, checkpoint, sequence }
    }

    pub fn barrier_overtook(&self, attempt: Attempt, checkpoint: CheckpointId) -> Event {
        let ChannelCut { channel, records: sequence, .. } = self.cut;
        Event::BarrierOvertook { channel, attempt, checkpoint, sequence }
    }

    pub fn cancel_seen(&self, attempt: Attempt, checkpoint: CheckpointId) -> Event {
        let ChannelCut { channel, records: sequence, .. } = self.cut;
        Event::CancelReceived { channel, attempt, checkpoint, sequence }
    }

    pub fn end_seen(&self, attempt: Attempt) -> Event {
        let ChannelCut { channel, records: sequence, .. } = self.cut;
        Event::EndReceived { channel, attempt, sequence }
    }
}

/// The sending end: what was emitted, and what waits for credit.
#[derive(Clone, Debug)]
pub struct OutputChannel {
    cut: ChannelCut,
    to: ProcessId,
    /// Whether its items need no credit: it leads back.
    free: bool,
    credits: u32,
    /// How many elements were sent.
    sent: u32,
    /// How many there were when last looked at.
    seen: u32,
    /// How many the receiver has been told of.
    told: u32,
    /// In order; bounded by what one step produces, since nothing is processed while it holds anything.
    backlog: VecDeque<Element<Item>>,
    ended: bool,
}

impl OutputChannel {
    /// A channel to `to`, whose items need credit unless it is `free` of it.
    pub fn new(channel: ChannelId, to: ProcessId, free: bool) -> Self {
        let cut = ChannelCut { channel, records: 0, digest: Digest::default() };
        Self {
            cut,
            to,
            free,
            credits: 0,
            sent: 0,
            seen: 0,
            told: 0,
            backlog: VecDeque::new(),
            ended: false,
        }
    }

    pub fn id(&self) -> ChannelId {
        self.cut.channel
    }

    pub fn cut(&self) -> ChannelCut {
        self.cut
    }

    /// Who receives.
    pub fn peer(&self) -> ProcessId {
        self.to
    }

    /// Tells the receiver how many elements there were, once the channel has been quiet from one look to
    /// the next. Only then can a loss go unnoticed: behind it nothing follows, when it was the last
    /// element or took the last credit (Jet #2532).
    pub fn tell_tally(&mut self, attempt: Attempt, outbox: &mut impl Outbox) {
        let elements = self.sent;
        if std::mem::replace(&mut self.seen, elements) == elements && self.told != elements {
            self.told = elements;
            outbox.send(self.to, Message::Tally { attempt, channel: self.cut.channel, elements });
        }
    }

    /// Whether elements wait for credit.
    pub fn is_stalled(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// Puts an element into the channel; markers of checkpoints after the end of input are dropped.
    pub fn emit(
        &mut self,
        element: Element<Item>,
        attempt: Attempt,
        defects: DefectSet,
        outbox: &mut impl Outbox,
    ) {
        if self.ended {
            return;
        }
        self.record(&element, attempt, outbox);
        let overtakes =
            defects.has(Defect::BarrierOvertakesBacklog) && matches!(element, Element::Barrier(_));
        if overtakes || (self.backlog.is_empty() && self.may_send(&element)) {
            self.send(element, attempt, outbox);
        } else {
            self.wait(element, defects);
        }
    }

    /// Takes its place behind what waits for credit.
    fn wait(&mut self, element: Element<Item>, defects: DefectSet) {
        let is_watermark =
            |element: &Element<Item>| matches!(element, Element::Item(Item::Watermark(_)));
        let mut place = self.backlog.len();
        if defects.has(Defect::WatermarkOvertakesBacklog) && is_watermark(&element) {
            place = 0;
        }
        if defects.has(Defect::BarrierOvertakesWatermark) && matches!(element, Element::Barrier(_))
        {
            place -= usize::from(self.backlog.back().is_some_and(is_watermark));
        }
        self.backlog.insert(place, element);
    }

    /// What enters the channel is emitted, whether it can be sent now or waits for credit.
    fn record(&mut self, element: &Element<Item>, attempt: Attempt, outbox: &mut impl Outbox) {
        let ChannelCut { channel, records: sequence, .. } = self.cut;
        match element {
            Element::Item(Item::Record(record)) => {
                let lineage = record.lineage;
                self.cut.records += 1;
                self.cut.digest.push(lineage.0);
                outbox.event(Event::Sent { channel, attempt, sequence, lineage });
            }
            Element::Item(Item::Watermark(_)) => {}
            Element::Barrier(barrier) => {
                let checkpoint = barrier.checkpoint;
                outbox.event(Event::BarrierSent { channel, attempt, checkpoint, sequence });
            }
            Element::Cancel(checkpoint) => {
                let checkpoint = *checkpoint;
                outbox.event(Event::CancelSent { channel, attempt, checkpoint, sequence });
            }
            Element::End => {
                self.ended = true;
                outbox.event(Event::EndSent { channel, attempt, sequence });
            }
        }
    }

    /// Only items need credit: markers are few, and must not wait behind a full receiver.
    fn may_send(&self, element: &Element<Item>) -> bool {
        match element {
            Element::Item(_) => self.free || self.credits > 0,
            Element::Barrier(_) | Element::Cancel(_) | Element::End => true,
        }
    }

    fn send(&mut self, element: Element<Item>, attempt: Attempt, outbox: &mut impl Outbox) {
        if let Element::Item(_) = element
            && !self.free
        {
            self.credits -= 1;
        }
        let (channel, sequence) = (self.cut.channel, self.sent);
        self.sent = sequence.wrapping_add(1);
        outbox.send(self.to, Message::Data { attempt, channel, sequence, element });
    }

    /// Puts a barrier into the channel, past what waits for credit: tells what that is.
    pub fn emit_ahead(
        &mut self,
        barrier: Barrier,
        attempt: Attempt,
        outbox: &mut impl Outbox,
    ) -> Vec<Item> {
        if self.ended {
            return Vec::new();
        }
        let element = Element::Barrier(barrier);
        self.record(&element, attempt, outbox);
        self.send(element, attempt, outbox);
        self.backlog.iter().filter_map(item_of).collect()
    }

    /// Whether the barrier of `checkpoint` waits in its place.
    pub fn owes(&self, checkpoint: CheckpointId) -> bool {
        self.position_of(checkpoint).is_some()
    }

    /// Sends the barrier of `checkpoint` past what waits before it, if it waits: tells what that is.
    pub fn hurry(
        &mut self,
        checkpoint: CheckpointId,
        attempt: Attempt,
        outbox: &mut impl Outbox,
    ) -> Option<Vec<Item>> {
        let position = self.position_of(checkpoint)?;
        let overtaken = self.backlog.iter().take(position).filter_map(item_of).collect();
        if let Some(Element::Barrier(barrier)) = self.backlog.remove(position) {
            self.send(Element::Barrier(barrier.hurried()), attempt, outbox);
        }
        Some(overtaken)
    }

    fn position_of(&self, checkpoint: CheckpointId) -> Option<usize> {
        self.backlog.iter().position(|element| match element {
            Element::Barrier(barrier) => barrier.checkpoint == checkpoint,
            Element::Item(_) | Element::Cancel(_) | Element::End => false,
        })
    }

    pub fn handle_credit(&mut self, credits: u32, attempt: Attempt, outbox: &mut impl Outbox) {
        self.credits += credits;
        while let Some(element) = self.backlog.front() {
            if !self.may_send(element) {
                break;
            }
            if let Some(element) = self.backlog.pop_front() {
                self.send(element, attempt, outbox);
            }
        }
    }
}

fn item_of(element: &Element<Item>) -> Option<Item> {
    match element {
        Element::Item(item) => Some(item.clone()),
        Element::Barrier(_) | Element::Cancel(_) | Element::End => None,
    }
}
