//! The sending side of a task: its output channels, and whether any of them waits for credit.

use super::super::buffers::Parcel;
use super::super::io::Outbox;
use super::channel_state::ChannelParcels;
use super::output_channel::OutputChannel;
use crate::dataflow::Item;
use crate::protocol::{
    Attempt, Barrier, ChannelId, CheckpointId, DefectSet, Element, Passage, ProcessId,
};
use crate::trace::{ChannelCut, Event};

/// All output channels of a task, by edge and then by receiver.
#[derive(Clone, Debug)]
pub struct OutputSide {
    channels: Vec<OutputChannel>,
    /// How many channels have elements waiting for credit.
    stalled: usize,
    attempt: Attempt,
    defects: DefectSet,
}

impl OutputSide {
    pub fn new(channels: Vec<OutputChannel>, attempt: Attempt, defects: DefectSet) -> Self {
        Self { channels, stalled: 0, attempt, defects }
    }

    /// Whether an element waits for credit: then nothing may be processed.
    pub fn is_stalled(&self) -> bool {
        self.stalled > 0
    }

    pub fn cuts(&self) -> Vec<ChannelCut> {
        self.channels.iter().map(OutputChannel::cut).collect()
    }

    /// Puts an item into one channel.
    pub fn emit(&mut self, output: usize, item: Item, outbox: &mut dyn Outbox) {
        let channel = &mut self.channels[output];
        let was_stalled = channel.is_stalled();
        channel.emit(item, self.attempt, self.defects, outbox);
        self.stalled += usize::from(channel.is_stalled() && !was_stalled);
    }

    /// Puts an element into one channel, behind all that was emitted.
    pub fn put(&mut self, output: usize, element: Element<Parcel>, outbox: &mut dyn Outbox) {
        let channel = &mut self.channels[output];
        let was_stalled = channel.is_stalled();
        channel.put(element, self.attempt, self.defects, outbox);
        self.stalled += usize::from(channel.is_stalled() && !was_stalled);
    }

    /// Whether anything waits for its buffer to be full.
    pub fn has_open(&self) -> bool {
        self.channels.iter().any(OutputChannel::has_open)
    }

    /// What waits for its buffer to be full has waited long enough.
    pub fn flush(&mut self, outbox: &mut dyn Outbox) {
        for channel in &mut self.channels {
            let was_stalled = channel.is_stalled();
            channel.flush(self.attempt, self.defects, outbox);
            self.stalled += usize::from(channel.is_stalled() && !was_stalled);
        }
    }

    /// A watermark is about to enter one channel.
    pub fn watermark_sent(&self, output: usize, watermark: i64) -> Event {
        let ChannelCut { channel, records: sequence, .. } = self.channels[output].cut();
        Event::WatermarkSent { channel, attempt: self.attempt, watermark, sequence }
    }

    /// Puts a marker into every channel.
    pub fn broadcast(&mut self, marker: &Element<Parcel>, outbox: &mut dyn Outbox) {
        for output in 0..self.channels.len() {
            self.put(output, marker.clone(), outbox);
        }
    }

    /// Puts a barrier into every channel: in its place, or past what waits there. What it overtakes, by output.
    pub fn broadcast_barrier(
        &mut self,
        barrier: Barrier,
        outbox: &mut dyn Outbox,
    ) -> Vec<(usize, Vec<Parcel>)> {
        match barrier.passage {
            Passage::InOrder | Passage::InOrderUntil(_) => {
                self.broadcast(&Element::Barrier(barrier), outbox);
                Vec::new()
            }
            Passage::Ahead => self.broadcast_ahead(barrier, outbox),
        }
    }

    fn broadcast_ahead(
        &mut self,
        barrier: Barrier,
        outbox: &mut dyn Outbox,
    ) -> Vec<(usize, Vec<Parcel>)> {
        let mut overtaken = Vec::new();
        for (output, channel) in self.channels.iter_mut().enumerate() {
            let was_stalled = channel.is_stalled();
            let parcels = channel.emit_ahead(barrier, self.attempt, self.defects, outbox);
            self.stalled += usize::from(channel.is_stalled() && !was_stalled);
            overtaken.push((output, parcels));
        }
        overtaken
    }

    /// Where the barrier of `checkpoint` still waits, it goes ahead. What it overtakes, by output.
    pub fn hurry(
        &mut self,
        checkpoint: CheckpointId,
        outbox: &mut dyn Outbox,
    ) -> Vec<(usize, Vec<Parcel>)> {
        let mut overtaken = Vec::new();
        for (output, channel) in self.channels.iter_mut().enumerate() {
            let was_stalled = channel.is_stalled();
            if let Some(parcels) = channel.hurry(checkpoint, self.attempt, outbox) {
                self.stalled -= usize::from(was_stalled && !channel.is_stalled());
                overtaken.push((output, parcels));
            }
        }
        overtaken
    }

    /// Whether the barrier of `checkpoint` waits in any channel.
    pub fn owes(&self, checkpoint: CheckpointId) -> bool {
        self.channels.iter().any(|channel| channel.owes(checkpoint))
    }

    /// What waits by output, as what waits by channel.
    pub fn by_channel(&self, outputs: Vec<(usize, Vec<Parcel>)>) -> ChannelParcels {
        let named = |(output, parcels): (usize, _)| (self.channels[output].id(), parcels);
        outputs.into_iter().map(named).collect()
    }

    /// The index of this channel among the outputs.
    pub fn index_of(&self, channel: ChannelId) -> Option<usize> {
        self.channels.iter().position(|output| output.id() == channel)
    }

    /// Whether any channel leads to this process.
    pub fn leads_to(&self, peer: ProcessId) -> bool {
        self.channels.iter().any(|channel| channel.peer() == peer)
    }

    /// Tells the receivers of quiet channels how many elements there were, but for those in the same
    /// process: nothing between them can be lost.
    pub fn tell_tallies(&mut self, here: ProcessId, outbox: &mut dyn Outbox) {
        for channel in self.channels.iter_mut().filter(|channel| channel.peer() != here) {
            channel.tell_tally(self.attempt, outbox);
        }
    }

    /// The receiver of `channel` can take more.
    pub fn handle_credit(&mut self, channel: ChannelId, credits: u32, outbox: &mut dyn Outbox) {
        let Some(channel) = self.channels.iter_mut().find(|output| output.id() == channel) else {
            return;
        };
        let was_stalled = channel.is_stalled();
        channel.handle_credit(credits, self.attempt, outbox);
        self.stalled -= usize::from(was_stalled && !channel.is_stalled());
    }
}
