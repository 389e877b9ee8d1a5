//! The sending end of a channel: what was emitted, what waits for its buffer to be full, what for credit.

use std::collections::VecDeque;

use super::super::buffers::{BufferWriter, Parcel};
use super::super::io::Outbox;
use super::super::message::{Message, ToWorker};
use super::super::settings::BufferSettings;
use crate::dataflow::Item;
use crate::protocol::{
    Attempt, Barrier, ChannelId, CheckpointId, Defect, DefectSet, Digest, Element, LineageId,
    ProcessId,
};
use crate::trace::{ChannelCut, Event};

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
    /// Where items travel together: what waits for its buffer to be full.
    writer: Option<BufferWriter>,
    /// In order; bounded by what one step produces, since nothing is processed while it holds anything.
    backlog: VecDeque<Element<Parcel>>,
    ended: bool,
}

impl OutputChannel {
    /// A channel to `to`, whose items need credit unless it is `free` of it.
    pub fn new(
        channel: ChannelId,
        to: ProcessId,
        free: bool,
        buffers: Option<BufferSettings>,
    ) -> Self {
        let cut = ChannelCut { channel, records: 0, digest: Digest::default() };
        Self {
            cut,
            to,
            free,
            credits: 0,
            sent: 0,
            seen: 0,
            told: 0,
            writer: buffers.map(|buffers| BufferWriter::new(buffers.bytes as usize)),
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
    pub fn tell_tally(&mut self, attempt: Attempt, outbox: &mut dyn Outbox) {
        let elements = self.sent;
        if std::mem::replace(&mut self.seen, elements) == elements && self.told != elements {
            self.told = elements;
            outbox.send(
                self.to,
                Message::Worker(ToWorker::Tally { attempt, channel: self.cut.channel, elements }),
            );
        }
    }

    /// Whether elements wait for credit.
    pub fn is_stalled(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// Whether anything waits for its buffer to be full.
    pub fn has_open(&self) -> bool {
        self.writer.as_ref().is_some_and(BufferWriter::has_open)
    }

    /// Puts an item into the channel.
    #[inline]
    pub fn emit(
        &mut self,
        item: Item,
        attempt: Attempt,
        defects: DefectSet,
        outbox: &mut dyn Outbox,
    ) {
        let Some(writer) = &mut self.writer else {
            return self.put(Element::Item(Parcel::Item(item)), attempt, defects, outbox);
        };
        if self.ended {
            return;
        }
        let full = writer.write(&item);
        self.count(&item, attempt, outbox);
        for buffer in full {
            self.forward(Element::Item(Parcel::Buffer(buffer)), attempt, defects, outbox);
        }
    }

    /// Puts an element into the channel, behind all that was emitted; markers of checkpoints after the end of
    /// input are dropped.
    pub fn put(
        &mut self,
        element: Element<Parcel>,
        attempt: Attempt,
        defects: DefectSet,
        outbox: &mut dyn Outbox,
    ) {
        if self.ended {
            return;
        }
        let hasty = defects.has(Defect::BarrierBeforeOpenBuffer);
        if !(hasty && matches!(element, Element::Barrier(_))) {
            self.flush(attempt, defects, outbox);
        }
        self.record(&element, attempt, outbox);
        self.forward(element, attempt, defects, outbox);
    }

    /// What waits for its buffer to be full goes as it is.
    pub fn flush(&mut self, attempt: Attempt, defects: DefectSet, outbox: &mut dyn Outbox) {
        if let Some(buffer) = self.writer.as_mut().and_then(BufferWriter::flush) {
            self.forward(Element::Item(Parcel::Buffer(buffer)), attempt, defects, outbox);
        }
    }

    /// Sends an element, or lets it wait.
    #[inline]
    fn forward(
        &mut self,
        element: Element<Parcel>,
        attempt: Attempt,
        defects: DefectSet,
        outbox: &mut dyn Outbox,
    ) {
        let overtakes =
            defects.has(Defect::BarrierOvertakesBacklog) && matches!(element, Element::Barrier(_));
        if overtakes || (self.backlog.is_empty() && self.may_send(&element)) {
            self.send(element, attempt, outbox);
        } else {
            self.wait(element, defects);
        }
    }

    /// Takes its place behind what waits for credit.
    fn wait(&mut self, element: Element<Parcel>, defects: DefectSet) {
        let is_watermark = |element: &Element<Parcel>| {
            matches!(element, Element::Item(Parcel::Item(Item::Watermark(_))))
        };
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
    #[inline]
    fn record(&mut self, element: &Element<Parcel>, attempt: Attempt, outbox: &mut dyn Outbox) {
        let ChannelCut { channel, records: sequence, .. } = self.cut;
        match element {
            // The usual case by itself: a record alone is no list of records.
            Element::Item(Parcel::Item(item)) => self.count(item, attempt, outbox),
            Element::Item(Parcel::Buffer(buffer)) => {
                // A record may span several buffers: none knows its size.
                let ended = buffer.ends().flatten();
                ended.for_each(|lineage| self.count_record(lineage, None, attempt, outbox));
            }
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

    /// An item was emitted: if it is a record, it counts.
    fn count(&mut self, item: &Item, attempt: Attempt, outbox: &mut dyn Outbox) {
        if let Item::Record(record) = item {
            let bytes = u32::try_from(record.payload.len()).ok();
            self.count_record(record.lineage, bytes, attempt, outbox);
        }
    }

    fn count_record(
        &mut self,
        lineage: LineageId,
        bytes: Option<u32>,
        attempt: Attempt,
        outbox: &mut dyn Outbox,
    ) {
        let ChannelCut { channel, records: sequence, .. } = self.cut;
        self.cut.records += 1;
        self.cut.digest.push(lineage.0);
        outbox.event(Event::Sent { channel, attempt, sequence, lineage, bytes });
    }

    /// Only items need credit: markers are few, and must not wait behind a full receiver.
    fn may_send(&self, element: &Element<Parcel>) -> bool {
        match element {
            Element::Item(_) => self.free || self.credits > 0,
            Element::Barrier(_) | Element::Cancel(_) | Element::End => true,
        }
    }

    #[inline]
    fn send(&mut self, element: Element<Parcel>, attempt: Attempt, outbox: &mut dyn Outbox) {
        if let Element::Item(_) = element
            && !self.free
        {
            self.credits -= 1;
        }
        let (channel, sequence) = (self.cut.channel, self.sent);
        self.sent = sequence.wrapping_add(1);
        outbox
            .send(self.to, Message::Worker(ToWorker::Data { attempt, channel, sequence, element }));
    }

    /// Puts a barrier into the channel, past what waits for credit: tells what that is.
    pub fn emit_ahead(
        &mut self,
        barrier: Barrier,
        attempt: Attempt,
        defects: DefectSet,
        outbox: &mut dyn Outbox,
    ) -> Vec<Parcel> {
        if self.ended {
            return Vec::new();
        }
        if !defects.has(Defect::OpenBufferNotCaptured) {
            self.flush(attempt, defects, outbox);
        }
        let element = Element::Barrier(barrier);
        self.record(&element, attempt, outbox);
        self.send(element, attempt, outbox);
        self.backlog.iter().filter_map(parcel_of).collect()
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
        outbox: &mut dyn Outbox,
    ) -> Option<Vec<Parcel>> {
        let position = self.position_of(checkpoint)?;
        let overtaken = self.backlog.iter().take(position).filter_map(parcel_of).collect();
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

    pub fn handle_credit(&mut self, credits: u32, attempt: Attempt, outbox: &mut dyn Outbox) {
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

fn parcel_of(element: &Element<Parcel>) -> Option<Parcel> {
    match element {
        Element::Item(parcel) => Some(parcel.clone()),
        Element::Barrier(_) | Element::Cancel(_) | Element::End => None,
    }
}
