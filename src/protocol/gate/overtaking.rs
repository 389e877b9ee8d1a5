//! Unaligned barriers: the first one to arrive makes the cut, and overtakes what waits (FLIP-76).
//!
//! The snapshot is taken at once. What waits in the gate before the barriers, and what arrives until the
//! last of them, is channel state; nothing is ever blocked (Flink: `ChannelStatePersister`,
//! `AlternatingWaitingForFirstBarrierUnaligned`). Barriers overtake in queues, not on the wire: there,
//! they keep their place. A barrier that is to keep its place everywhere, as that of a savepoint, is aligned.

use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;

use super::alignment::Alignment;
use super::capture::Capture;
use super::clock::Clock;
use super::lanes::{Flow, Lanes};
use super::{Element, GateOutput};
use crate::barrier::{Barrier, Passage};
use crate::defect::Defect;
use crate::ids::CheckpointId;
use crate::step::ProtocolStep;

/// Lets barriers overtake: those that say so, and with a clock those whose time in their place is over.
#[derive(Clone, Debug)]
pub(super) struct Overtaking<T> {
    /// The checkpoint whose barriers keep their place, if there is one.
    pub(super) alignment: Alignment,
    /// The checkpoint whose barrier came ahead, until its channel state is whole.
    ahead: Option<Ahead<T>>,
    /// Barriers that came ahead while the gate was held for another checkpoint, each with how many
    /// items lie before it in its channel. At most one a channel and checkpoint.
    early: VecDeque<(usize, Barrier, usize)>,
    /// Where a barrier keeps its place for a time.
    pub(super) clock: Option<Clock>,
}

/// A checkpoint whose barrier came ahead.
#[derive(Clone, Debug)]
enum Ahead<T> {
    /// The subtask is about to take its snapshot.
    Holding {
        checkpoint: CheckpointId,
        /// By channel, how many of the items that wait lie before the barrier, where that has come.
        places: Vec<Option<usize>>,
    },
    /// It has: what still comes before a barrier is recorded.
    Recording(Capture<T>),
}

impl<T: Clone> Ahead<T> {
    fn checkpoint(&self) -> CheckpointId {
        match self {
            Ahead::Holding { checkpoint, .. } => *checkpoint,
            Ahead::Recording(capture) => capture.checkpoint(),
        }
    }
}

impl<T: Clone> Overtaking<T> {
    /// Barriers overtake when they say so, and with a `clock` when it says so.
    pub fn new(clock: Option<Clock>) -> Self {
        Self { alignment: Alignment::default(), ahead: None, early: VecDeque::new(), clock }
    }

    pub fn is_aligning(&self) -> bool {
        !self.alignment.is_none()
    }

    // ---- barriers in their place

    pub fn on_barrier(&mut self, lanes: &mut Lanes<T>, channel: usize, barrier: Barrier) {
        let open = lanes.open;
        self.alignment.on_barrier(lanes, channel, barrier, open);
        self.hold_if_whole(lanes);
    }

    pub fn on_cancel(&mut self, lanes: &mut Lanes<T>, checkpoint: CheckpointId) {
        self.abandon(lanes, checkpoint);
        self.alignment.on_cancel(lanes, checkpoint);
    }

    pub fn on_end(&mut self, lanes: &mut Lanes<T>, channel: usize) {
        self.alignment.on_end(lanes, channel);
        self.hold_if_whole(lanes);
    }

    /// Whether the checkpoint was being aligned.
    pub fn on_aborted(&mut self, lanes: &mut Lanes<T>, checkpoint: CheckpointId) -> bool {
        if self.recording().is_some_and(|capture| capture.checkpoint() == checkpoint) {
            self.ahead = None; // Nobody waits for its channel state.
        }
        self.alignment.on_aborted(lanes, checkpoint)
    }

    fn hold_if_whole(&mut self, lanes: &mut Lanes<T>) {
        if let Some(barrier) = self.alignment.take_whole() {
            lanes.hold(barrier);
        }
    }

    // ---- what arrives

    /// An item arrives: where the channel is being recorded, it is part of the channel state.
    #[inline]
    pub fn on_item_arrived(&mut self, channel: usize, item: &T) {
        if let Some(Ahead::Recording(capture)) = &mut self.ahead
            && capture.awaits(channel)
        {
            capture.record_arrival(channel, item);
        }
    }

    /// A barrier arrives. Whether it leaves its channel at once, ahead of what waits there; else it joins the
    /// queue.
    pub fn on_barrier_arrived(
        &mut self,
        lanes: &mut Lanes<T>,
        channel: usize,
        barrier: Barrier,
    ) -> bool {
        let comes_ahead =
            barrier.passage == Passage::Ahead || self.under_way() == Some(barrier.checkpoint);
        match comes_ahead {
            true => self.hurry(lanes, channel, barrier),
            false => {
                self.abandon_owed(lanes, channel, barrier.checkpoint);
                self.announce(lanes, barrier);
            }
        }
        comes_ahead
    }

    /// No barrier comes any more in this channel.
    pub fn on_end_arrived(&mut self, lanes: &mut Lanes<T>, channel: usize) {
        if let Some(Ahead::Recording(capture)) = &mut self.ahead
            && capture.awaits(channel)
        {
            capture.close(channel);
            self.tell_if_whole(lanes);
        }
    }

    // ---- barriers that come ahead

    /// The checkpoint whose barrier came ahead.
    fn under_way(&self) -> Option<CheckpointId> {
        self.ahead.as_ref().map(Ahead::checkpoint)
    }

    fn recording(&self) -> Option<&Capture<T>> {
        match &self.ahead {
            Some(Ahead::Recording(capture)) => Some(capture),
            Some(Ahead::Holding { .. }) | None => None,
        }
    }

    /// A barrier that overtakes has arrived. While the gate is held for an older checkpoint, it waits; one
    /// that is older still is stale, and must not wait: a newer one of its channel may come meanwhile.
    fn hurry(&mut self, lanes: &mut Lanes<T>, channel: usize, barrier: Barrier) {
        let before = lanes.channels[channel].queued;
        match lanes.held {
            Some(checkpoint) if checkpoint < barrier.checkpoint => {
                self.early.push_back((channel, barrier, before));
            }
            Some(_) | None => self.overtake(lanes, channel, barrier, before),
        }
    }

    /// `before` items of the channel lie before the barrier.
    fn overtake(&mut self, lanes: &mut Lanes<T>, channel: usize, barrier: Barrier, before: usize) {
        let checkpoint = barrier.checkpoint;
        let step = ProtocolStep::BarrierOvertook { input: channel, checkpoint };
        lanes.say_urgently(GateOutput::Step(step));
        if self.under_way() == Some(checkpoint) {
            self.place(lanes, channel, before);
        } else if self.alignment.current() == Some(checkpoint) {
            self.hurry_alignment(lanes, barrier);
            self.place(lanes, channel, before);
        } else if lanes.is_news(checkpoint) && self.supersede(lanes, barrier) {
            self.place(lanes, channel, before);
        }
    }

    /// The first barrier of a checkpoint came ahead. Whether anything begins: not if the abort came first.
    pub(super) fn supersede(&mut self, lanes: &mut Lanes<T>, barrier: Barrier) -> bool {
        self.alignment.abort(lanes);
        self.abandon_older(lanes, barrier.checkpoint);
        let checkpoint = barrier.checkpoint;
        if lanes.mark_handled(checkpoint) {
            lanes.say(GateOutput::AlignmentAborted(checkpoint));
            return false;
        }
        lanes.step(ProtocolStep::AlignmentStarted(checkpoint));
        self.hold_ahead(lanes, barrier);
        true
    }

    /// An alignment waits no longer: its channels flow again, and what is behind their barriers lies
    /// behind the cut.
    pub(super) fn hurry_alignment(&mut self, lanes: &mut Lanes<T>, barrier: Barrier) {
        let checkpoint = barrier.checkpoint;
        let arrived = lanes.channels.iter().enumerate();
        let arrived = arrived.filter(|(_, lane)| lane.flow == Flow::Blocked);
        let arrived: Vec<usize> = arrived.map(|(channel, _)| channel).collect();
        self.alignment.take();
        lanes.unblock();
        self.hold_ahead(lanes, barrier);
        for channel in arrived {
            let lane = &lanes.channels[channel];
            debug_assert_eq!(lane.barrier, checkpoint, "blocked for another");
            let captured = lanes.defects.has(Defect::BehindBarrierCaptured);
            let before = if captured { lane.queued } else { 0 };
            self.place(lanes, channel, before);
        }
    }

    /// The cut is here. Barriers of it that wait in their place come ahead now.
    fn hold_ahead(&mut self, lanes: &mut Lanes<T>, barrier: Barrier) {
        let checkpoint = barrier.checkpoint;
        let places = vec![None; lanes.channels.len()];
        self.ahead = Some(Ahead::Holding { checkpoint, places });
        for (channel, before) in pull_barriers(lanes, checkpoint) {
            lanes.step(ProtocolStep::BarrierOvertook { input: channel, checkpoint });
            self.place(lanes, channel, before);
        }
        self.place_early(lanes, checkpoint);
        lanes.held = Some(checkpoint);
        lanes.say_urgently(GateOutput::Overtaken(barrier.hurried()));
    }

    /// Other barriers of the checkpoint may have come ahead as early as the one that begins it. They take their
    /// places before its snapshot: what has arrived behind them since is not part of its channel state.
    fn place_early(&mut self, lanes: &mut Lanes<T>, checkpoint: CheckpointId) {
        let is_its = |(_, barrier, _): &(usize, Barrier, usize)| barrier.checkpoint == checkpoint;
        let (its, others): (VecDeque<_>, VecDeque<_>) = self.early.drain(..).partition(is_its);
        self.early = others;
        for (channel, _, before) in its {
            let step = ProtocolStep::BarrierOvertook { input: channel, checkpoint };
            lanes.say_urgently(GateOutput::Step(step));
            self.place(lanes, channel, before);
        }
    }

    /// The barrier of the checkpoint under way has come in this channel.
    fn place(&mut self, lanes: &mut Lanes<T>, channel: usize, before: usize) {
        lanes.channels[channel].barrier = match &mut self.ahead {
            Some(Ahead::Holding { checkpoint, places }) => {
                places[channel].get_or_insert(before);
                *checkpoint
            }
            Some(Ahead::Recording(capture)) => {
                capture.close(channel);
                capture.checkpoint()
            }
            None => return,
        };
        self.tell_if_whole(lanes);
    }

    /// The hold is over: a cut without a snapshot needs no channel state, and what waited goes on.
    pub fn on_released(&mut self, lanes: &mut Lanes<T>, checkpoint: CheckpointId) {
        if let Some(Ahead::Holding { checkpoint: held, .. }) = self.ahead
            && held == checkpoint
        {
            self.ahead = None;
        }
        while lanes.held.is_none()
            && let Some((channel, barrier, before)) = self.early.pop_front()
        {
            self.overtake(lanes, channel, barrier, before);
        }
        self.hurry_overdue(lanes);
    }

    // ---- channel state

    /// The subtask froze its state: recording begins, if a barrier came ahead. Whether it does.
    pub fn capture(&mut self, lanes: &mut Lanes<T>, checkpoint: CheckpointId) -> bool {
        let Some(Ahead::Holding { checkpoint: held, places }) = &mut self.ahead else {
            return false;
        };
        if *held != checkpoint {
            return false;
        }
        let mut capture = Capture::new(checkpoint, core::mem::take(places), lanes.defects);
        for (channel, element) in lanes.parked.iter().chain(&lanes.arrivals) {
            if let Element::Item(item) = element {
                capture.record(*channel, item);
            }
        }
        for (channel, _) in lanes.channels.iter().enumerate().filter(|(_, lane)| lane.closed) {
            capture.close(channel);
        }
        self.ahead = Some(Ahead::Recording(capture));
        self.tell_if_whole(lanes);
        true
    }

    /// The channel state of `checkpoint`, by channel.
    pub fn take_captured(&mut self, checkpoint: CheckpointId) -> Option<Vec<Vec<T>>> {
        let is_it = |capture: &Capture<T>| capture.checkpoint() == checkpoint;
        match self.ahead.take() {
            Some(Ahead::Recording(capture)) if is_it(&capture) => Some(capture.into_items()),
            other => {
                self.ahead = other;
                None
            }
        }
    }

    fn tell_if_whole(&mut self, lanes: &mut Lanes<T>) {
        if let Some(capture) = self.recording().filter(|capture| capture.is_whole()) {
            lanes.say_urgently(GateOutput::Captured(capture.checkpoint()));
        }
    }

    /// The sender of a channel gave `checkpoint` up: its barrier will not come there.
    fn abandon(&mut self, lanes: &mut Lanes<T>, checkpoint: CheckpointId) {
        let is_it =
            |capture: &Capture<T>| capture.checkpoint() == checkpoint && !capture.is_whole();
        if self.recording().is_some_and(is_it) {
            self.ahead = None;
            lanes.say(GateOutput::CaptureAbandoned(checkpoint));
        }
    }

    /// A newer barrier arrives: channels are FIFO, so that an older one will never come on this channel.
    fn abandon_owed(&mut self, lanes: &mut Lanes<T>, channel: usize, newer: CheckpointId) {
        let is_owed =
            |capture: &&Capture<T>| capture.checkpoint() < newer && capture.awaits(channel);
        if let Some(owed) = self.recording().filter(is_owed).map(Capture::checkpoint) {
            self.abandon(lanes, owed);
        }
    }

    /// There is one channel state under way at a time.
    fn abandon_older(&mut self, lanes: &mut Lanes<T>, newer: CheckpointId) {
        if let Some(older) = self.under_way() {
            debug_assert!(older < newer, "{newer} begins after {older}");
            self.abandon(lanes, older);
            // A whole one was told and not taken yet: the subtask is asked for it no more.
            self.ahead = None;
        }
    }
}

/// Takes the barriers of `checkpoint` out of the queue, each with how many items of its channel lie
/// before it.
fn pull_barriers<T>(lanes: &mut Lanes<T>, checkpoint: CheckpointId) -> Vec<(usize, usize)> {
    let mut before = vec![0_usize; lanes.channels.len()];
    let mut pulled = Vec::new();
    lanes.arrivals.retain(|(channel, element)| match element {
        Element::Item(_) => {
            before[*channel] += 1;
            true
        }
        Element::Barrier(barrier) if barrier.checkpoint == checkpoint => {
            pulled.push((*channel, before[*channel]));
            false
        }
        Element::Barrier(_) | Element::Cancel(_) | Element::End => true,
    });
    pulled
}
