//! The sending side of a task: its output channels, and whether any of them waits for credit.

use super::super::process::Outbox;
use super::channels::OutputChannel;
use crate::dataflow::Item;
use crate::protocol::{Attempt, ChannelId, DefectSet, Element, ProcessId};
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

    /// Puts an element into one channel.
    pub fn emit(&mut self, output: usize, element: Element<Item>, outbox: &mut impl Outbox) {
        let channel = &mut self.channels[output];
        let was_stalled = channel.is_stalled();
        channel.emit(element, self.attempt, self.defects, outbox);
        self.stalled += usize::from(channel.is_stalled() && !was_stalled);
    }

    /// A watermark is about to enter one channel.
    pub fn watermark_sent(&self, output: usize, watermark: i64) -> Event {
        let ChannelCut { channel, records: sequence, .. } = self.channels[output].cut();
        Event::WatermarkSent { channel, attempt: self.attempt, watermark, sequence }
    }

    /// Puts an element into every channel.
    pub fn broadcast(&mut self, element: &Element<Item>, outbox: &mut impl Outbox) {
        for output in 0..self.channels.len() {
            self.emit(output, element.clone(), outbox);
        }
    }

    /// Whether any channel leads to this process.
    pub fn leads_to(&self, peer: ProcessId) -> bool {
        self.channels.iter().any(|channel| channel.peer() == peer)
    }

    /// Tells the receivers of quiet channels how many elements there were, but for those in the same
    /// process: nothing between them can be lost.
    pub fn tell_tallies(&mut self, here: ProcessId, outbox: &mut impl Outbox) {
        for channel in self.channels.iter_mut().filter(|channel| channel.peer() != here) {
            channel.tell_tally(self.attempt, outbox);
        }
    }

    /// The receiver of `channel` can take more.
    pub fn handle_credit(&mut self, channel: ChannelId, credits: u32, outbox: &mut impl Outbox) {
        let Some(channel) = self.channels.iter_mut().find(|output| output.id() == channel) else {
            return;
        };
        let was_stalled = channel.is_stalled();
        channel.handle_credit(credits, self.attempt, outbox);
        self.stalled -= usize::from(was_stalled && !channel.is_stalled());
    }
}
