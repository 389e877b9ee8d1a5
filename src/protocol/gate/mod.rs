//! The input gate of a subtask: delivers items, and finds the cut of each checkpoint among them.
//!
//! What all protocols share is here and in `lanes`: channels, arrival order, ends, triggers by message, the hold
//! between the cut and the snapshot. How barriers lead to a cut is one file a protocol: `blocking`, `overtaking`
//! (with a `clock` or without), `counting`, `looping`.

mod alignment;
mod blocking;
mod capture;
mod clock;
mod counting;
mod cutter;
mod element;
mod lanes;
mod looping;
mod overtaking;
mod triggers;

pub use counting::COUNTED_MAX;
pub use element::{Element, GateOutput};
pub use looping::LOGS_MAX;

use alloc::vec::Vec;
use cutter::Cutter;
use lanes::Lanes;
use looping::Looping;
use triggers::Triggers;

use super::barrier::Barrier;
use super::defect::{Defect, DefectSet};
use super::error::ProtocolError;
use super::ids::CheckpointId;
use super::protocols::Protocol;
use super::step::ProtocolStep;

/// Finds cuts in a subtask's input channels and delivers their items in arrival order.
///
/// Handlers of markers are `#[cold]`: they are rare, and inlined they would double what an item costs.
#[derive(Clone, Debug)]
pub struct InputGate<T> {
    lanes: Lanes<T>,
    cutter: Cutter<T>,
    /// Triggers by message: they count as soon as all channels have ended.
    triggers: Triggers,
    /// Whether [`GateOutput::AllEnded`] was said.
    ended: bool,
}

impl<T: Clone> InputGate<T> {
    /// A gate with `channels` channels, none blocked, none ended, that aligns.
    #[must_use]
    pub fn new(channels: usize, defects: DefectSet) -> Self {
        Self::of(Protocol::Aligned, channels, defects)
    }

    /// A gate with `channels` channels, none blocked, none ended, that finds cuts as `protocol` wants. No channel
    /// leads back.
    #[must_use]
    pub fn of(protocol: Protocol, channels: usize, defects: DefectSet) -> Self {
        let has_loops = protocol.traits().has_loops;
        let triggers = if has_loops { Triggers::all() } else { Triggers::newest() };
        let cutter = Cutter::of(protocol, channels);
        Self { lanes: Lanes::new(channels, defects), cutter, triggers, ended: false }
    }

    /// A gate of the cyclic protocol. `back` tells, by channel, whether it leads back.
    #[must_use]
    pub fn looping(back: Vec<bool>, defects: DefectSet) -> Self {
        let lanes = Lanes::new(back.len(), defects);
        let cutter = Cutter::Looping(Looping::new(back));
        Self { lanes, cutter, triggers: Triggers::all(), ended: false }
    }

    /// Takes what a channel delivered. Nothing is dropped: what cannot be processed yet waits in the
    /// gate, bounded by the credits that the channel's sender was given.
    ///
    /// # Errors
    ///
    /// When there is no such channel, or it has delivered its end of input before.
    #[inline]
    pub fn handle_element(
        &mut self,
        channel: usize,
        element: Element<T>,
    ) -> Result<(), ProtocolError> {
        let lane = self.lanes.channel(channel)?;
        if lane.closed {
            return Err(ProtocolError::ElementAfterEnd { channel, what: element.what() });
        }
        match &element {
            Element::Item(item) => {
                lane.queued += 1;
                self.cutter.on_item_arrived(channel, item);
            }
            Element::End => {
                lane.closed = true;
                self.cutter.on_end_arrived(&mut self.lanes, channel);
            }
            Element::Barrier(barrier) => {
                if self.cutter.on_barrier_arrived(&mut self.lanes, channel, *barrier) {
                    return Ok(());
                }
            }
            Element::Cancel(_) => {}
        }
        self.lanes.arrivals.push_back((channel, element));
        Ok(())
    }

    /// Takes back what was in a channel at the cut that the subtask is restored from. It is delivered
    /// before anything that arrives, and takes no credit. Only before the first element.
    ///
    /// # Errors
    ///
    /// When there is no such channel.
    pub fn restore(
        &mut self,
        channel: usize,
        items: impl IntoIterator<Item = T>,
    ) -> Result<(), ProtocolError> {
        let items: Vec<_> = items.into_iter().map(|item| (channel, Element::Item(item))).collect();
        self.lanes.channel(channel)?.queued += items.len();
        match self.lanes.defects.has(Defect::NewOvertakesRestored) {
            true => self.lanes.parked.extend(items),
            false => self.lanes.arrivals.extend(items),
        }
        Ok(())
    }

    /// Takes a trigger by message: it counts only where every channel has ended (or none exists),
    /// now or later; else the barriers decide.
    ///
    /// Only the newest is remembered: an older one that is still open then is subsumed by it. Not so in jobs
    /// with loops, where each counts.
    pub fn handle_trigger(&mut self, barrier: Barrier) {
        if self.lanes.is_news(barrier.checkpoint) {
            self.triggers.keep(barrier);
            self.settle();
        }
    }

    /// The time of the barrier of `checkpoint` in its place is over.
    pub fn handle_overdue(&mut self, checkpoint: CheckpointId) {
        self.cutter.on_overdue(&mut self.lanes, checkpoint);
    }

    /// Takes the news that the coordinator aborted `checkpoint`.
    pub fn handle_aborted(&mut self, checkpoint: CheckpointId) {
        if self.cutter.on_aborted(&mut self.lanes, checkpoint) {
            self.settle();
        } else {
            // Old news, or the gate is held and the subtask decides, or the barrier is yet to come.
            self.lanes.remember_abort(checkpoint);
        }
    }

    /// The loop that this gate is on is over: nothing is on it, and nothing will be. Heard once or often,
    /// while regular inputs have ended.
    pub fn handle_loop_over(&mut self) {
        self.cutter.on_loop_over(&self.lanes);
        self.settle();
    }

    /// The subtask froze its state for `checkpoint`. Whether there is channel state to wait for: then
    /// [`GateOutput::Captured`] or [`GateOutput::CaptureAbandoned`] follows, unless the checkpoint is
    /// aborted before.
    pub fn capture(&mut self, checkpoint: CheckpointId) -> bool {
        self.cutter.capture(&mut self.lanes, checkpoint)
    }

    /// The channel state of `checkpoint`, by channel, once [`GateOutput::Captured`] was said.
    pub fn take_captured(&mut self, checkpoint: CheckpointId) -> Option<Vec<Vec<T>>> {
        self.cutter.take_captured(checkpoint)
    }

    /// The snapshot of `checkpoint` was taken (or given up): the channels deliver again.
    ///
    /// # Panics
    ///
    /// When the gate is not held for `checkpoint`: only the subtask that was told so may release it.
    pub fn release(&mut self, checkpoint: CheckpointId) {
        let held = self.lanes.held.take();
        assert!(held == Some(checkpoint), "{checkpoint} is released, and {held:?} is held");
        self.lanes.unblock();
        self.cutter.on_released(&mut self.lanes, checkpoint);
        // Before the next trigger: one may always be waiting, where freezing takes longer than an interval.
        self.announce_end();
        self.settle();
    }

    /// What to do next, if anything. The caller stops polling while it cannot process an item
    /// (its outputs wait for credit); what it left is still there when it goes on.
    #[inline]
    pub fn poll_output(&mut self) -> Option<GateOutput<T>> {
        loop {
            if !self.lanes.outputs.is_empty() {
                return self.lanes.outputs.pop_front();
            }
            if self.lanes.held.is_some() {
                return None;
            }
            let (channel, element) = self.lanes.next()?;
            match element {
                Element::Item(item) => {
                    self.lanes.channels[channel].queued -= 1;
                    self.cutter.on_item_left(&self.lanes, channel, &item);
                    return Some(GateOutput::Item { channel, item });
                }
                Element::Barrier(barrier) => self.on_barrier(channel, barrier),
                Element::Cancel(checkpoint) => self.on_cancel(channel, checkpoint),
                Element::End => self.on_end(channel),
            }
        }
    }

    /// What cannot wait until items can be processed, if anything: a barrier that came ahead must get
    /// past a subtask whose outputs are full. Never an item.
    pub fn poll_urgent(&mut self) -> Option<GateOutput<T>> {
        if !self.lanes.urgent {
            return None;
        }
        let output = self.lanes.outputs.pop_front();
        self.lanes.urgent = output.is_some();
        output
    }

    /// How many items wait in the gate for this channel; markers do not count.
    #[must_use]
    pub fn queued(&self, channel: usize) -> usize {
        self.lanes.channels.get(channel).map_or(0, |lane| lane.queued)
    }

    /// Whether this channel has ended.
    #[must_use]
    pub fn has_ended(&self, channel: usize) -> bool {
        self.lanes.has_ended(channel)
    }

    /// Whether nothing is delivered until the subtask releases the gate.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.lanes.held.is_some()
    }

    /// Whether the subtask was told of a cut and has not released the gate. A trigger by message may hold the
    /// gate while the subtask is busy with what it polled before: that lies before the cut, of which it has not
    /// been told yet, and so it must go on with it.
    #[must_use]
    pub fn awaits_release(&self) -> bool {
        let is_untold = |output: &GateOutput<T>| matches!(output, GateOutput::Aligned(_));
        self.is_held() && !self.lanes.outputs.iter().any(is_untold)
    }

    /// A barrier has come to the head of a channel that is not blocked.
    #[cold]
    fn on_barrier(&mut self, channel: usize, barrier: Barrier) {
        let checkpoint = barrier.checkpoint;
        self.lanes.step(ProtocolStep::BarrierSeen { input: channel, checkpoint });
        self.cutter.on_barrier(&mut self.lanes, channel, barrier);
    }

    /// A cancel marker has come to the head of a channel that is not blocked.
    #[cold]
    fn on_cancel(&mut self, channel: usize, checkpoint: CheckpointId) {
        self.lanes.step(ProtocolStep::CancelSeen { input: channel, checkpoint });
        self.cutter.on_cancel(&mut self.lanes, channel, checkpoint);
        self.settle();
    }

    /// The end of input has come to the head of a channel that is not blocked.
    #[cold]
    fn on_end(&mut self, channel: usize) {
        self.lanes.say(GateOutput::EndSeen { channel });
        self.lanes.end(channel);
        self.cutter.on_end(&mut self.lanes, channel);
        self.settle();
    }

    /// Once all channels have ended, but for those that lead back: a trigger by message counts. When those
    /// have as well, or nothing is on them any more, the end is announced.
    fn settle(&mut self) {
        let is_open = self.lanes.held.is_none() && !self.cutter.is_aligning();
        if !is_open || self.cutter.regular_open(&self.lanes) > 0 {
            return;
        }
        while let Some(barrier) = self.triggers.next(self.lanes.handled()) {
            if !self.lanes.mark_handled(barrier.checkpoint) {
                return self.lanes.hold(barrier);
            }
            self.lanes.say(GateOutput::AlignmentAborted(barrier.checkpoint));
        }
        self.announce_end();
    }

    fn announce_end(&mut self) {
        // A gate without channels belongs to a source, which knows its end itself.
        let has_channels = !self.lanes.channels.is_empty();
        if !self.ended && has_channels && self.cutter.is_over(&self.lanes) {
            self.ended = true;
            self.lanes.say(GateOutput::AllEnded);
        }
    }
}

#[cfg(test)]
mod tests;
