//! The input gate of a subtask: delivers items, and finds the cut of each checkpoint among them.
//!
//! What all protocols share is here: channels, arrival order, ends, triggers by message, the hold between
//! the cut and the snapshot. How barriers lead to a cut is one file a protocol.

mod aligned;
mod at_least_once;
mod capture;
mod cyclic;
mod element;
mod hybrid;
mod triggers;
mod unaligned;

pub use at_least_once::COUNTED_MAX;
pub use cyclic::LOGS_MAX;
pub use element::{Element, GateOutput};

use std::collections::VecDeque;
use std::mem;

use at_least_once::Tally;
use cyclic::Looping;
use triggers::Triggers;
use unaligned::Overtaking;

use super::barrier::Barrier;
use super::defect::{Defect, DefectSet};
use super::early_aborts::EarlyAborts;
use super::error::ProtocolError;
use super::ids::CheckpointId;
use super::settings::Protocol;

/// Whether a channel delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    /// It delivers in arrival order.
    Flowing,
    /// It has delivered the barrier of the alignment under way; what it holds stays in the gate.
    Blocked,
    /// Its end of input was seen; it counts as aligned for the current and every later checkpoint.
    Ended,
}

/// One input channel, as the gate knows it.
#[derive(Clone, Debug)]
struct Channel {
    flow: Flow,
    /// Whether the end of input was taken in, perhaps not yet seen: nothing may follow it.
    closed: bool,
    /// The last barrier that counted on this channel; what it is blocked for while it is blocked.
    barrier: CheckpointId,
    /// Items taken in and not yet delivered.
    queued: usize,
}

impl Channel {
    const OPEN: Self =
        Self { flow: Flow::Flowing, closed: false, barrier: CheckpointId(0), queued: 0 };
}

/// Where the gate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// No checkpoint is being aligned.
    Open,
    /// Some channel has delivered the barrier, `awaited` others neither have nor have ended.
    Aligning { barrier: Barrier, awaited: usize },
    /// The cut is here; nothing is delivered until the subtask releases the gate.
    Held { checkpoint: CheckpointId },
}

/// How barriers that come in their place lead to a cut.
#[derive(Clone, Debug)]
enum Method {
    /// A channel that has delivered the barrier is blocked until all have.
    Block,
    /// No channel is ever blocked; the last barrier makes the cut.
    Count(Tally),
}

/// Finds cuts in a subtask's input channels and delivers their items in arrival order.
///
/// An item of a channel that is not blocked costs two queue operations and no allocation. What is
/// found to be of a blocked channel is parked once per alignment, in arrival order, and goes back to
/// the front when the channels are unblocked (they always are all at once). Handlers of markers are
/// `#[cold]`: they are rare, and inlined they would double what an item costs.
#[derive(Clone, Debug)]
pub struct InputGate<T> {
    channels: Vec<Channel>,
    /// What channels delivered, in arrival order. Bounded by the senders' credits.
    arrivals: VecDeque<(usize, Element<T>)>,
    /// What arrived *before* everything in `arrivals` on channels found blocked, in arrival order.
    parked: VecDeque<(usize, Element<T>)>,
    /// What the subtask has not polled yet; everything here comes before the next arrival.
    outputs: VecDeque<GateOutput<T>>,
    /// Whether `outputs` must not wait until items can be processed.
    urgent: bool,
    phase: Phase,
    method: Method,
    /// The checkpoint whose barrier came ahead, until its channel state is whole.
    overtaking: Option<Overtaking<T>>,
    /// Where channels lead back: what is on its way on them.
    looping: Option<Looping<T>>,
    /// Barriers that came ahead while the gate was held for another checkpoint, each with how many
    /// items lie before it in its channel. At most one a channel and checkpoint.
    early: VecDeque<(usize, Barrier, usize)>,
    /// The newest barrier whose time in its place is over.
    overdue: CheckpointId,
    /// The newest checkpoint that an alignment was started for, or that was given up. Never
    /// decreases; no alignment of this one or an older one ever starts (again).
    handled: CheckpointId,
    aborted: EarlyAborts,
    /// Triggers by message: they count as soon as all channels have ended.
    triggers: Triggers,
    /// How many channels have not ended.
    open: usize,
    /// Whether [`GateOutput::AllEnded`] was said.
    ended: bool,
    defects: DefectSet,
}

impl<T: Clone> InputGate<T> {
    /// A gate with `channels` channels, none blocked, none ended, that aligns.
    #[must_use]
    pub fn new(channels: usize, defects: DefectSet) -> Self {
        Self::of(Protocol::Aligned, channels, defects)
    }

    /// A gate with `channels` channels, none blocked, none ended, that finds cuts as `protocol` wants.
    #[must_use]
    pub fn of(protocol: Protocol, channels: usize, defects: DefectSet) -> Self {
        let method = match protocol {
            Protocol::AtLeastOnce => Method::Count(Tally::default()),
            Protocol::Aligned
            | Protocol::Unaligned
            | Protocol::Hybrid
            | Protocol::Cyclic
            | Protocol::StopTheWorld => Method::Block,
        };
        Self {
            channels: vec![Channel::OPEN; channels],
            arrivals: VecDeque::new(),
            parked: VecDeque::new(),
            outputs: VecDeque::new(),
            urgent: false,
            phase: Phase::Open,
            method,
            overtaking: None,
            looping: None,
            early: VecDeque::new(),
            overdue: CheckpointId(0),
            handled: CheckpointId(0),
            aborted: EarlyAborts::default(),
            triggers: if protocol == Protocol::Cyclic {
                Triggers::all()
            } else {
                Triggers::newest()
            },
            open: channels,
            ended: false,
            defects,
        }
    }

    /// Takes what a channel delivered. Nothing is dropped: what cannot be processed yet waits in the
    /// gate, bounded by the credits that the channel's sender was given.
    ///
    /// # Errors
    ///
    /// When there is no such channel, or it has delivered its end of input before.
    pub fn handle_element(
        &mut self,
        channel: usize,
        element: Element<T>,
    ) -> Result<(), ProtocolError> {
        let channels = self.channels.len();
        let Some(input) = self.channels.get_mut(channel) else {
            return Err(ProtocolError::UnknownChannel { channel, channels });
        };
        if input.closed {
            return Err(ProtocolError::ElementAfterEnd { channel, what: element.what() });
        }
        match &element {
            Element::Item(item) => {
                input.queued += 1;
                self.record_arrival(channel, item);
            }
            Element::End => {
                input.closed = true;
                self.close_lane(channel);
            }
            Element::Barrier(barrier) if self.comes_ahead(*barrier) => {
                self.hurry(channel, *barrier);
                return Ok(());
            }
            Element::Barrier(barrier) => self.announce(channel, *barrier),
            Element::Cancel(_) => {}
        }
        self.arrivals.push_back((channel, element));
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
        let channels = self.channels.len();
        let Some(input) = self.channels.get_mut(channel) else {
            return Err(ProtocolError::UnknownChannel { channel, channels });
        };
        let late = self.defects.has(Defect::NewOvertakesRestored);
        let queue = if late { &mut self.parked } else { &mut self.arrivals };
        for item in items {
            input.queued += 1;
            queue.push_back((channel, Element::Item(item)));
        }
        Ok(())
    }

    /// Takes a trigger by message: it counts only where every channel has ended (or none exists),
    /// now or later; else the barriers decide.
    ///
    /// Only the newest is remembered: an older one that is still open then is subsumed by it. Not so in jobs
    /// with loops, where each counts.
    pub fn handle_trigger(&mut self, barrier: Barrier) {
        if barrier.checkpoint <= self.handled {
            return;
        }
        self.triggers.keep(barrier);
        self.settle();
    }

    /// Takes the news that the coordinator aborted `checkpoint`.
    pub fn handle_aborted(&mut self, checkpoint: CheckpointId) {
        self.forget_capture(checkpoint);
        self.forget_log(checkpoint);
        if self.aligning() == Some(checkpoint) {
            self.abort_alignment(checkpoint);
            self.settle();
        } else if self.is_counting(checkpoint) {
            self.abort_counts(checkpoint);
        } else if checkpoint > self.handled && !self.defects.has(Defect::EarlyAbortForgotten) {
            self.aborted.remember(checkpoint);
        }
        // Otherwise it is old news, or the gate is held and the subtask decides.
    }

    /// The snapshot of `checkpoint` was taken (or given up): the channels deliver again.
    ///
    /// # Panics
    ///
    /// When the gate is not held for `checkpoint`: only the subtask that was told so may release it.
    pub fn release(&mut self, checkpoint: CheckpointId) {
        let held = Phase::Held { checkpoint };
        assert!(self.phase == held, "{checkpoint} is released in {:?}", self.phase);
        self.phase = Phase::Open;
        self.unblock();
        self.end_hold(checkpoint);
        // Before the next trigger: one may always be waiting, where freezing takes longer than an interval.
        self.announce_end();
        self.settle();
    }

    /// What to do next, if anything. The caller stops polling while it cannot process an item
    /// (its outputs wait for credit); what it left is still there when it goes on.
    pub fn poll_output(&mut self) -> Option<GateOutput<T>> {
        loop {
            if let Some(output) = self.outputs.pop_front() {
                return Some(output);
            }
            match self.phase {
                Phase::Open | Phase::Aligning { .. } => {}
                Phase::Held { .. } => return None,
            }
            let (channel, element) = self.arrivals.pop_front()?;
            let input = &mut self.channels[channel];
            if input.flow == Flow::Blocked {
                self.parked.push_back((channel, element));
                continue;
            }
            match element {
                Element::Item(item) => {
                    input.queued -= 1;
                    self.log(channel, &item);
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
        if !self.urgent {
            return None;
        }
        let output = self.outputs.pop_front();
        self.urgent = output.is_some();
        output
    }

    /// How many items wait in the gate for this channel; markers do not count.
    #[must_use]
    pub fn queued(&self, channel: usize) -> usize {
        self.channels.get(channel).map_or(0, |input| input.queued)
    }

    /// Whether nothing is delivered until the subtask releases the gate.
    #[must_use]
    pub fn is_held(&self) -> bool {
        match self.phase {
            Phase::Held { .. } => true,
            Phase::Open | Phase::Aligning { .. } => false,
        }
    }

    /// Whether the subtask was told of a cut and has not released the gate. A trigger by message may hold the
    /// gate while the subtask is busy with what it polled before: that lies before the cut, of which it has not
    /// been told yet, and so it must go on with it.
    #[must_use]
    pub fn awaits_release(&self) -> bool {
        let is_untold = |output: &GateOutput<T>| matches!(output, GateOutput::Aligned(_));
        self.is_held() && !self.outputs.iter().any(is_untold)
    }

    /// The checkpoint being aligned, if one is.
    fn aligning(&self) -> Option<CheckpointId> {
        match self.phase {
            Phase::Aligning { barrier, .. } => Some(barrier.checkpoint),
            Phase::Open | Phase::Held { .. } => None,
        }
    }

    /// Nothing starts for this or an older checkpoint from here on. Tells whether it was aborted early.
    fn mark_handled(&mut self, checkpoint: CheckpointId) -> bool {
        debug_assert!(
            checkpoint > self.handled || self.defects.has(Defect::StaleBarrierAccepted),
            "{checkpoint} starts after {}",
            self.handled
        );
        self.handled = self.handled.max(checkpoint);
        self.aborted.take(checkpoint)
    }

    /// Whether a barrier comes too late to start anything: it was aligned, superseded or given up.
    fn is_stale(&self, checkpoint: CheckpointId) -> bool {
        checkpoint <= self.handled && !self.defects.has(Defect::StaleBarrierAccepted)
    }

    /// A barrier has come to the head of a channel that is not blocked.
    #[cold]
    fn on_barrier(&mut self, channel: usize, barrier: Barrier) {
        let checkpoint = barrier.checkpoint;
        self.outputs.push_back(GateOutput::BarrierSeen { channel, checkpoint });
        match self.method {
            Method::Block if self.looping.is_some() => self.align_in_loop(channel, barrier),
            Method::Block => self.align(channel, barrier),
            Method::Count(_) => self.count(channel, barrier),
        }
    }

    /// A cancel marker has come to the head of a channel that is not blocked.
    #[cold]
    fn on_cancel(&mut self, channel: usize, checkpoint: CheckpointId) {
        self.outputs.push_back(GateOutput::CancelSeen { channel, checkpoint });
        self.abandon_capture(checkpoint);
        if self.leads_back(channel) {
            self.abandon_log(checkpoint);
        }
        match self.method {
            Method::Block => self.cancel_alignment(checkpoint),
            Method::Count(_) => self.cancel_count(checkpoint),
        }
        self.settle();
    }

    /// The cut is here: every channel has delivered the barrier or ended.
    fn complete(&mut self, barrier: Barrier) {
        self.phase = Phase::Held { checkpoint: barrier.checkpoint };
        self.outputs.push_back(GateOutput::Aligned(barrier));
    }

    /// A checkpoint whose alignment never started is cancelled: said once, so that the marker goes
    /// downstream once, however many channels bring it (FLINK-5285).
    fn give_up(&mut self, checkpoint: CheckpointId) {
        self.mark_handled(checkpoint);
        self.outputs.push_back(GateOutput::AlignmentAborted(checkpoint));
    }

    /// All blocked channels deliver again; what was parked comes first.
    fn unblock(&mut self) {
        let handled = self.handled;
        self.unblock_those(|input| input.barrier <= handled);
    }

    /// A back edge that is blocked for a checkpoint to come stays so.
    fn unblock_those(&mut self, fits: impl Fn(&Channel) -> bool) {
        assert!(self.phase == Phase::Open, "channels are unblocked when no alignment needs them");
        for (channel, input) in self.channels.iter_mut().enumerate() {
            match input.flow {
                Flow::Flowing | Flow::Ended => continue,
                Flow::Blocked if !fits(input) => continue,
                Flow::Blocked => input.flow = Flow::Flowing,
            }
            let checkpoint = input.barrier;
            self.outputs.push_back(GateOutput::Unblocked { channel, checkpoint });
        }
        self.parked.append(&mut self.arrivals);
        mem::swap(&mut self.parked, &mut self.arrivals);
        debug_assert!(self.parked.is_empty(), "nothing is parked when nothing is blocked");
    }

    /// The end of input has come to the head of a channel that is not blocked.
    #[cold]
    fn on_end(&mut self, channel: usize) {
        self.outputs.push_back(GateOutput::EndSeen { channel });
        let input = &mut self.channels[channel];
        assert!(input.flow == Flow::Flowing, "a channel ends once, while it flows");
        assert!(self.open > 0, "more channels end than there are");
        input.flow = Flow::Ended;
        self.open -= 1;
        match self.method {
            Method::Block if self.leads_back(channel) => self.end_log(channel),
            Method::Block => self.end_aligned(channel),
            Method::Count(_) => self.end_counted(),
        }
        self.settle();
    }

    /// Once all channels have ended, but for those that lead back: a trigger by message counts. When those
    /// have as well, or nothing is on them any more, the end is announced.
    fn settle(&mut self) {
        if self.regular_open() > 0 || self.phase != Phase::Open {
            return;
        }
        while let Some(barrier) = self.triggers.next(self.handled) {
            if !self.mark_handled(barrier.checkpoint) {
                return self.complete(barrier);
            }
            self.outputs.push_back(GateOutput::AlignmentAborted(barrier.checkpoint));
        }
        self.announce_end();
    }

    fn announce_end(&mut self) {
        // A gate without channels belongs to a source, which knows its end itself.
        if !self.ended && !self.channels.is_empty() && self.is_over() {
            self.ended = true;
            self.outputs.push_back(GateOutput::AllEnded);
        }
    }
}

#[cfg(test)]
mod tests;
