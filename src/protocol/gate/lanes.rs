//! The channels of a gate: what waits in them, which of them deliver, and what the gate says of it.

use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;
use core::mem;

use super::{Element, GateOutput};
use crate::barrier::Barrier;
use crate::defect::{Defect, DefectSet};
use crate::early_aborts::EarlyAborts;
use crate::error::ProtocolError;
use crate::ids::CheckpointId;
use crate::step::ProtocolStep;

/// Whether a channel delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// It delivers in arrival order.
    Flowing,
    /// It has delivered a barrier that others still owe; what it holds stays in the gate.
    Blocked,
    /// Its end of input was seen; it counts as aligned for the current and every later checkpoint.
    Ended,
}

/// One input channel, as the gate knows it.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    pub flow: Flow,
    /// Whether the end of input was taken in, perhaps not yet seen: nothing may follow it.
    pub closed: bool,
    /// The last barrier that counted on this channel; what it is blocked for while it is blocked.
    pub barrier: CheckpointId,
    /// Items taken in and not yet delivered.
    pub queued: usize,
}

impl Lane {
    const OPEN: Self =
        Self { flow: Flow::Flowing, closed: false, barrier: CheckpointId(0), queued: 0 };
}

/// What the gates of all protocols have in common.
///
/// An item of a channel that is not blocked costs two queue operations and no allocation. What is found to be of
/// a blocked channel is parked once per alignment, in arrival order, and goes back to the front when the channels
/// are unblocked (they always are all at once).
#[derive(Clone, Debug)]
pub(super) struct Lanes<T> {
    pub channels: Vec<Lane>,
    /// What channels delivered, in arrival order. Bounded by the senders' credits.
    pub arrivals: VecDeque<(usize, Element<T>)>,
    /// What arrived *before* everything in `arrivals` on channels found blocked, in arrival order.
    pub parked: VecDeque<(usize, Element<T>)>,
    /// What the subtask has not polled yet; everything here comes before the next arrival.
    pub outputs: VecDeque<GateOutput<T>>,
    /// Whether `outputs` must not wait until items can be processed.
    pub urgent: bool,
    /// The checkpoint whose cut is here: nothing is delivered until the subtask releases the gate.
    pub held: Option<CheckpointId>,
    /// How many channels have not ended.
    pub open: usize,
    /// The newest checkpoint that an alignment was started for, or that was given up. Never
    /// decreases; no alignment of this one or an older one ever starts (again).
    handled: CheckpointId,
    aborted: EarlyAborts,
    pub defects: DefectSet,
}

impl<T: Clone> Lanes<T> {
    /// So many channels, none blocked, none ended.
    pub fn new(channels: usize, defects: DefectSet) -> Self {
        Self {
            channels: vec![Lane::OPEN; channels],
            arrivals: VecDeque::new(),
            parked: VecDeque::new(),
            outputs: VecDeque::new(),
            urgent: false,
            held: None,
            open: channels,
            handled: CheckpointId(0),
            aborted: EarlyAborts::default(),
            defects,
        }
    }

    /// The channel, while it may deliver something.
    ///
    /// # Errors
    ///
    /// When there is no such channel.
    pub fn channel(&mut self, channel: usize) -> Result<&mut Lane, ProtocolError> {
        let channels = self.channels.len();
        self.channels.get_mut(channel).ok_or(ProtocolError::UnknownChannel { channel, channels })
    }

    /// The next element of a channel that delivers.
    #[inline]
    pub fn next(&mut self) -> Option<(usize, Element<T>)> {
        while let Some((channel, _)) = self.arrivals.front() {
            if self.channels[*channel].flow != Flow::Blocked {
                return self.arrivals.pop_front();
            }
            self.parked.extend(self.arrivals.pop_front());
        }
        None
    }

    pub fn say(&mut self, output: GateOutput<T>) {
        self.outputs.push_back(output);
    }

    pub fn step(&mut self, step: ProtocolStep) {
        self.say(GateOutput::Step(step));
    }

    /// Says what must not wait until items can be processed.
    pub fn say_urgently(&mut self, output: GateOutput<T>) {
        self.outputs.push_back(output);
        self.urgent = true;
    }

    /// Whether a checkpoint is newer than all that were started or given up.
    pub fn is_news(&self, checkpoint: CheckpointId) -> bool {
        checkpoint > self.handled
    }

    /// Whether a barrier comes too late to start anything: it was aligned, superseded or given up.
    pub fn is_stale(&self, checkpoint: CheckpointId) -> bool {
        !self.is_news(checkpoint) && !self.defects.has(Defect::StaleBarrierAccepted)
    }

    /// Nothing starts for this or an older checkpoint from here on. Tells whether it was aborted early.
    pub fn mark_handled(&mut self, checkpoint: CheckpointId) -> bool {
        debug_assert!(
            self.is_news(checkpoint) || self.defects.has(Defect::StaleBarrierAccepted),
            "{checkpoint} starts after {}",
            self.handled
        );
        self.handled = self.handled.max(checkpoint);
        self.aborted.take(checkpoint)
    }

    /// The newest checkpoint that was started or given up.
    pub fn handled(&self) -> CheckpointId {
        self.handled
    }

    /// An abort came before the barrier that it is about.
    pub fn remember_abort(&mut self, checkpoint: CheckpointId) {
        if self.is_news(checkpoint) && !self.defects.has(Defect::EarlyAbortForgotten) {
            self.aborted.remember(checkpoint);
        }
    }

    /// Whether an abort of this checkpoint came first; it is told once.
    pub fn take_abort(&mut self, checkpoint: CheckpointId) -> bool {
        self.aborted.take(checkpoint)
    }

    /// A checkpoint whose alignment never started is cancelled: said once, so that the marker goes
    /// downstream once, however many channels bring it (FLINK-5285).
    pub fn give_up(&mut self, checkpoint: CheckpointId) {
        self.mark_handled(checkpoint);
        self.say(GateOutput::AlignmentAborted(checkpoint));
    }

    /// The cut is here: every channel has delivered the barrier or ended.
    pub fn hold(&mut self, barrier: Barrier) {
        self.held = Some(barrier.checkpoint);
        self.say(GateOutput::Aligned(barrier));
    }

    /// The channel delivers nothing from here on, on behalf of a checkpoint.
    pub fn block(&mut self, channel: usize, checkpoint: CheckpointId) {
        self.channels[channel].flow = Flow::Blocked;
        self.step(ProtocolStep::Blocked { input: channel, checkpoint });
    }

    /// All blocked channels deliver again; what was parked comes first. A back edge that is blocked for a
    /// checkpoint to come stays so.
    pub fn unblock(&mut self) {
        let handled = self.handled;
        self.unblock_those(|barrier| barrier <= handled);
    }

    /// Those that are blocked for a checkpoint that fits deliver again.
    pub fn unblock_those(&mut self, fits: impl Fn(CheckpointId) -> bool) {
        assert!(self.held.is_none(), "channels are unblocked when no cut needs them");
        for (channel, lane) in self.channels.iter_mut().enumerate() {
            match lane.flow {
                Flow::Flowing | Flow::Ended => continue,
                Flow::Blocked if !fits(lane.barrier) => continue,
                Flow::Blocked => lane.flow = Flow::Flowing,
            }
            let step = ProtocolStep::Unblocked { input: channel, checkpoint: lane.barrier };
            self.outputs.push_back(GateOutput::Step(step));
        }
        self.parked.append(&mut self.arrivals);
        mem::swap(&mut self.parked, &mut self.arrivals);
        debug_assert!(self.parked.is_empty(), "nothing is parked when nothing is blocked");
    }

    /// The end of input has come to the head of a channel.
    pub fn end(&mut self, channel: usize) {
        let lane = &mut self.channels[channel];
        assert!(lane.flow == Flow::Flowing, "a channel ends once, while it flows");
        assert!(self.open > 0, "more channels end than there are");
        lane.flow = Flow::Ended;
        self.open -= 1;
    }

    /// Whether this channel has ended.
    pub fn has_ended(&self, channel: usize) -> bool {
        self.channels.get(channel).is_some_and(|lane| lane.flow == Flow::Ended)
    }
}
