//! The receiving end of a channel: counts, digests, credits, and what was not read.

use super::super::buffers::{Buffer, BufferReader, Parcel};
use super::super::io::Outbox;
use super::super::message::{Message, ToWorker};
use super::Env;
use crate::dataflow::Item;
use crate::protocol::{Attempt, ChannelId, CheckpointId, Defect, DefectSet, Digest, ProcessId};
use crate::trace::{ChannelCut, Event};

/// The receiving end: what was processed, and how much the sender may send.
#[derive(Clone, Debug)]
pub struct InputChannel {
    cut: ChannelCut,
    from: ProcessId,
    /// The number of the next element.
    next: u32,
    /// Parcels processed for which the sender has not been given new credit.
    consumed: u32,
    /// What a restore put back into the channel and nobody has processed.
    restored: Restored,
    /// What was taken off the channel and not read.
    reader: BufferReader,
    /// What was taken off it last; kept for a seeded bug alone.
    latest: Option<Parcel>,
}

/// How much a restore put back.
#[derive(Clone, Copy, Debug, Default)]
struct Restored {
    /// Parcels: none of them gives credit back.
    parcels: usize,
    /// Items that end in them: their sender, in this attempt, knows nothing of them.
    items: usize,
}

impl InputChannel {
    pub fn new(channel: ChannelId, from: ProcessId) -> Self {
        let cut = ChannelCut { channel, records: 0, digest: Digest::default() };
        let (restored, reader) = (Restored::default(), BufferReader::default());
        Self { cut, from, next: 0, consumed: 0, restored, reader, latest: None }
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

    pub fn grant(&mut self, credits: u32, attempt: Attempt, outbox: &mut dyn Outbox) {
        outbox.send(
            self.from,
            Message::Worker(ToWorker::Credit { attempt, channel: self.cut.channel, credits }),
        );
    }

    /// A restore puts these back into the channel, ahead of everything that arrives.
    pub fn restore(&mut self, parcels: &[Parcel]) {
        self.restored.parcels += parcels.len();
        self.restored.items += parcels.iter().flat_map(Parcel::ends).count();
    }

    /// How many items of those have not been processed.
    pub fn restored(&self) -> usize {
        self.restored.items
    }

    /// A buffer is taken off the channel, to be read.
    pub fn open(&mut self, buffer: &Buffer) {
        self.reader.take(buffer);
    }

    /// The next item of what was taken off.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn read(&mut self) -> Result<Option<Item>, String> {
        let problem = |error| format!("{}: {error}", self.cut.channel);
        self.reader.next_item().map_err(problem)
    }

    /// What was taken off the channel and not read.
    pub fn unread(&self) -> Option<Buffer> {
        self.reader.rest()
    }

    /// This was taken off the channel last.
    pub fn keep_latest(&mut self, parcel: &Parcel) {
        self.latest = Some(parcel.clone());
    }

    /// What was taken off the channel last.
    pub fn latest(&self) -> Option<Parcel> {
        self.latest.clone()
    }

    /// Nothing follows in the channel.
    ///
    /// # Errors
    ///
    /// When it ends within an item.
    pub fn expect_read(&self) -> Result<(), String> {
        self.reader.expect_boundary().map_err(|error| format!("{}: {error}", self.cut.channel))
    }

    /// An item left the channel, to be processed.
    #[inline]
    pub fn consume(&mut self, item: &Item, attempt: Attempt, outbox: &mut dyn Outbox) {
        let (channel, lineage) = (self.cut.channel, item.lineage());
        if self.restored.items > 0 {
            self.restored.items -= 1;
            if let Some(lineage) = lineage {
                outbox.event(Event::Replayed { channel, attempt, lineage });
            }
        } else if let Some(lineage) = lineage {
            let sequence = self.cut.records;
            self.cut.records += 1;
            self.cut.digest.push(lineage.0);
            outbox.event(Event::Received { channel, attempt, sequence, lineage });
        }
    }

    /// A parcel has been read. Credit goes back in batches of half of what the sender may have.
    #[inline]
    pub fn free(&mut self, attempt: Attempt, defects: DefectSet, env: &mut Env<'_>) {
        if self.restored.parcels > 0 {
            self.restored.parcels -= 1;
            if self.restored.parcels == 0 && defects.has(Defect::RestoredRestForgotten) {
                self.reader.clear();
            }
            return;
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
