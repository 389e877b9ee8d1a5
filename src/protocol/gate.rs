//! The input gate of a subtask: aligns barriers across its channels (exactly-once mode).
//!
//! Algorithm 1 of Carbone et al., "Lightweight Asynchronous Snapshots for Distributed Dataflows"
//! (2015), with what a running system adds: ids, supersession, cancel markers, aborts by message and
//! ended channels (Flink: `SingleCheckpointBarrierHandler`).

use std::collections::VecDeque;
use std::mem;

use serde::{Deserialize, Serialize};

use super::defect::{Defect, DefectSet};
use super::early_aborts::EarlyAborts;
use super::error::ProtocolError;
use super::ids::CheckpointId;

/// What travels in a channel, in order. `T` is what the gate does not look into: records, watermarks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Element<T> {
    /// A record or a watermark.
    Item(T),
    /// Everything before it belongs to the checkpoint, nothing after it does.
    Barrier(CheckpointId),
    /// The sender has given this checkpoint up (Flink: `CancelCheckpointMarker`).
    Cancel(CheckpointId),
    /// Nothing follows.
    End,
}

impl<T> Element<T> {
    /// Its kind, for messages.
    fn what(&self) -> &'static str {
        match self {
            Element::Item(_) => "an item",
            Element::Barrier(_) => "a barrier",
            Element::Cancel(_) => "a cancel marker",
            Element::End => "an end of input",
        }
    }
}

/// What a gate says to its subtask, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GateOutput<T> {
    /// Process this item of this channel.
    Item {
        /// The index of the channel in the gate.
        channel: usize,
        /// The item.
        item: T,
    },
    /// The barrier left the channel.
    BarrierSeen {
        /// The index of the channel in the gate.
        channel: usize,
        /// The barrier.
        checkpoint: CheckpointId,
    },
    /// The cancel marker left the channel.
    CancelSeen {
        /// The index of the channel in the gate.
        channel: usize,
        /// The marker.
        checkpoint: CheckpointId,
    },
    /// The end of input left the channel.
    EndSeen {
        /// The index of the channel in the gate.
        channel: usize,
    },
    /// The channel delivers nothing for now.
    Blocked {
        /// The index of the channel in the gate.
        channel: usize,
        /// On behalf of which checkpoint.
        checkpoint: CheckpointId,
    },
    /// The channel delivers again.
    Unblocked {
        /// The index of the channel in the gate.
        channel: usize,
        /// On behalf of which checkpoint it was blocked.
        checkpoint: CheckpointId,
    },
    /// The first barrier of a checkpoint arrived.
    AlignmentStarted(CheckpointId),
    /// All channels have delivered the barrier or ended. The gate delivers nothing until
    /// [`InputGate::release`] is called with this checkpoint.
    Aligned(CheckpointId),
    /// The checkpoint is given up before its snapshot: decline it and cancel it downstream.
    AlignmentAborted(CheckpointId),
    /// All channels have ended.
    AllEnded,
}

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
    Aligning { checkpoint: CheckpointId, awaited: usize },
    /// All channels have; nothing is delivered until the subtask releases the gate.
    Aligned { checkpoint: CheckpointId },
}

/// Aligns the barriers of a subtask's input channels and delivers their items in arrival order.
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
    phase: Phase,
    /// The newest checkpoint that an alignment was started for, or that was given up. Never
    /// decreases; no alignment of this one or an older one ever starts (again).
    handled: CheckpointId,
    aborted: EarlyAborts,
    /// The newest trigger by message; it counts as soon as all channels have ended.
    trigger: Option<CheckpointId>,
    /// How many channels have not ended.
    open: usize,
    /// Whether [`GateOutput::AllEnded`] was said.
    ended: bool,
    defects: DefectSet,
}

impl<T> InputGate<T> {
    /// A gate with `channels` channels, none blocked, none ended.
    #[must_use]
    pub fn new(channels: usize, defects: DefectSet) -> Self {
        Self {
            channels: vec![Channel::OPEN; channels],
            arrivals: VecDeque::new(),
            parked: VecDeque::new(),
            outputs: VecDeque::new(),
            phase: Phase::Open,
            handled: CheckpointId(0),
            aborted: EarlyAborts::default(),
            trigger: None,
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
        match element {
            Element::Item(_) => input.queued += 1,
            Element::End => input.closed = true,
            Element::Barrier(_) | Element::Cancel(_) => {}
        }
        self.arrivals.push_back((channel, element));
        Ok(())
    }

    /// Takes a trigger by message: it counts only where every channel has ended (or none exists),
    /// now or later; else the barriers decide.
    ///
    /// Only the newest is remembered: an older one that is still open then is subsumed by it.
    pub fn handle_trigger(&mut self, checkpoint: CheckpointId) {
        if checkpoint <= self.handled {
            return;
        }
        self.trigger = self.trigger.max(Some(checkpoint));
        self.settle();
    }

    /// Takes the news that the coordinator aborted `checkpoint`.
    pub fn handle_aborted(&mut self, checkpoint: CheckpointId) {
        if self.aligning() == Some(checkpoint) {
            self.abort_alignment(checkpoint);
            self.settle();
        } else if checkpoint > self.handled && !self.defects.has(Defect::EarlyAbortForgotten) {
            self.aborted.remember(checkpoint);
        }
        // Otherwise it is old news, or the gate is aligned and the subtask decides.
    }

    /// The snapshot of `checkpoint` was taken (or given up): the channels deliver again.
    ///
    /// # Panics
    ///
    /// When the gate is not aligned for `checkpoint`: only the subtask that was told so may release it.
    pub fn release(&mut self, checkpoint: CheckpointId) {
        let aligned = Phase::Aligned { checkpoint };
        assert!(self.phase == aligned, "{checkpoint} is released in {:?}", self.phase);
        self.phase = Phase::Open;
        self.unblock();
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
                Phase::Aligned { .. } => return None,
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
                    return Some(GateOutput::Item { channel, item });
                }
                Element::Barrier(checkpoint) => self.on_barrier(channel, checkpoint),
                Element::Cancel(checkpoint) => self.on_cancel(channel, checkpoint),
                Element::End => self.on_end(channel),
            }
        }
    }

    /// How many items wait in the gate for this channel; markers do not count.
    #[must_use]
    pub fn queued(&self, channel: usize) -> usize {
        self.channels.get(channel).map_or(0, |input| input.queued)
    }

    /// The checkpoint being aligned, if one is.
    fn aligning(&self) -> Option<CheckpointId> {
        match self.phase {
            Phase::Aligning { checkpoint, .. } => Some(checkpoint),
            Phase::Open | Phase::Aligned { .. } => None,
        }
    }

    /// A barrier has come to the head of a channel that is not blocked.
    #[cold]
    fn on_barrier(&mut self, channel: usize, checkpoint: CheckpointId) {
        self.outputs.push_back(GateOutput::BarrierSeen { channel, checkpoint });
        match self.aligning() {
            Some(current) if current == checkpoint => self.arrive(channel, checkpoint),
            _ if self.is_stale(checkpoint) => {}
            Some(_) if self.defects.has(Defect::NewerBarrierWaits) => {}
            Some(current) => {
                // Channels are FIFO: the older barrier will never come on this one.
                self.abort_alignment(current);
                self.begin(channel, checkpoint);
            }
            None => self.begin(channel, checkpoint),
        }
    }

    /// Whether a barrier comes too late to start anything: it was aligned, superseded or given up.
    fn is_stale(&self, checkpoint: CheckpointId) -> bool {
        checkpoint <= self.handled && !self.defects.has(Defect::StaleBarrierAccepted)
    }

    /// The first barrier of a checkpoint: the alignment starts, unless the abort came first.
    fn begin(&mut self, channel: usize, checkpoint: CheckpointId) {
        if self.mark_handled(checkpoint) {
            self.outputs.push_back(GateOutput::AlignmentAborted(checkpoint));
            return;
        }
        let awaited = if self.ended_counts() { self.open } else { self.channels.len() };
        self.phase = Phase::Aligning { checkpoint, awaited };
        self.outputs.push_back(GateOutput::AlignmentStarted(checkpoint));
        self.arrive(channel, checkpoint);
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

    /// The barrier of the checkpoint being aligned: its channel is done until the release.
    fn arrive(&mut self, channel: usize, checkpoint: CheckpointId) {
        let input = &mut self.channels[channel];
        assert!(input.flow == Flow::Flowing, "only a flowing channel delivers a barrier");
        if input.barrier == checkpoint {
            return; // The sender repeats itself; once is enough.
        }
        input.barrier = checkpoint;
        if !self.defects.has(Defect::ChannelNotBlocked) {
            input.flow = Flow::Blocked;
            self.outputs.push_back(GateOutput::Blocked { channel, checkpoint });
        }
        self.await_one_less(checkpoint);
    }

    /// One more channel has delivered the barrier or ended.
    fn await_one_less(&mut self, checkpoint: CheckpointId) {
        let Phase::Aligning { checkpoint: current, awaited } = &mut self.phase else {
            unreachable!("only an alignment awaits channels");
        };
        assert!(*current == checkpoint, "{checkpoint} arrives while {current} is aligned");
        assert!(*awaited > 0, "more channels arrive for {checkpoint} than there are");
        *awaited -= 1;
        if *awaited == 0 {
            self.complete(checkpoint);
        }
    }

    /// Nothing is awaited any more.
    fn complete(&mut self, checkpoint: CheckpointId) {
        self.phase = Phase::Aligned { checkpoint };
        self.outputs.push_back(GateOutput::Aligned(checkpoint));
    }

    /// A cancel marker has come to the head of a channel that is not blocked.
    #[cold]
    fn on_cancel(&mut self, channel: usize, checkpoint: CheckpointId) {
        self.outputs.push_back(GateOutput::CancelSeen { channel, checkpoint });
        match self.aligning() {
            Some(current) if current == checkpoint => self.abort_alignment(current),
            _ if checkpoint <= self.handled => return,
            Some(current) => {
                // As with a newer barrier: the older one will never come on this channel.
                self.abort_alignment(current);
                self.give_up(checkpoint);
            }
            None => self.give_up(checkpoint),
        }
        self.settle();
    }

    /// A checkpoint whose alignment never started is cancelled: said once, so that the marker goes
    /// downstream once, however many channels bring it (FLINK-5285).
    fn give_up(&mut self, checkpoint: CheckpointId) {
        self.mark_handled(checkpoint);
        self.outputs.push_back(GateOutput::AlignmentAborted(checkpoint));
    }

    /// The alignment under way ends without a snapshot.
    fn abort_alignment(&mut self, checkpoint: CheckpointId) {
        assert!(self.aligning() == Some(checkpoint), "{checkpoint} is not being aligned");
        debug_assert!(checkpoint <= self.handled, "what is aligned counts as handled");
        self.phase = Phase::Open;
        self.outputs.push_back(GateOutput::AlignmentAborted(checkpoint));
        if !self.defects.has(Defect::AbortLeavesBlocked) {
            self.unblock();
        }
    }

    /// All blocked channels deliver again; what was parked comes first.
    fn unblock(&mut self) {
        assert!(self.phase == Phase::Open, "channels are unblocked when no alignment needs them");
        for (channel, input) in self.channels.iter_mut().enumerate() {
            match input.flow {
                Flow::Flowing | Flow::Ended => continue,
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
        let barrier = input.barrier;
        match self.aligning() {
            Some(current) if barrier != current && self.ended_counts() => {
                self.await_one_less(current);
            }
            Some(_) | None => {}
        }
        self.settle();
    }

    /// Whether an ended channel counts as aligned.
    fn ended_counts(&self) -> bool {
        !self.defects.has(Defect::EndedChannelStillExpected)
    }

    /// Once all channels have ended: a trigger by message counts; then the end is announced.
    fn settle(&mut self) {
        if self.open > 0 || self.phase != Phase::Open {
            return;
        }
        if let Some(checkpoint) = self.trigger.take().filter(|newest| *newest > self.handled) {
            if !self.mark_handled(checkpoint) {
                return self.complete(checkpoint);
            }
            self.outputs.push_back(GateOutput::AlignmentAborted(checkpoint));
        }
        // A gate without channels belongs to a source, which knows its end itself.
        if !self.ended && !self.channels.is_empty() {
            self.ended = true;
            self.outputs.push_back(GateOutput::AllEnded);
        }
    }
}

#[cfg(test)]
mod tests;
