//! Unaligned barriers: the first one to arrive makes the cut, and overtakes what waits (FLIP-76).
//!
//! The snapshot is taken at once. What waits in the gate before the barriers, and what arrives until the
//! last of them, is channel state; nothing is ever blocked (Flink: `ChannelStatePersister`,
//! `AlternatingWaitingForFirstBarrierUnaligned`). Barriers overtake in queues, not on the wire: there,
//! they keep their place.

use super::capture::Capture;
use super::{Element, Flow, GateOutput, InputGate, Phase};
use crate::protocol::barrier::{Barrier, Passage};
use crate::protocol::defect::Defect;
use crate::protocol::ids::CheckpointId;

/// A checkpoint whose barrier came ahead.
#[derive(Clone, Debug)]
pub(super) enum Overtaking<T> {
    /// The subtask is about to take its snapshot.
    Holding {
        checkpoint: CheckpointId,
        /// By channel, how many of the items that wait lie before the barrier, where that has come.
        places: Vec<Option<usize>>,
    },
    /// It has: what still comes before a barrier is recorded.
    Recording(Capture<T>),
}

impl<T: Clone> Overtaking<T> {
    fn checkpoint(&self) -> CheckpointId {
        match self {
            Overtaking::Holding { checkpoint, .. } => *checkpoint,
            Overtaking::Recording(capture) => capture.checkpoint(),
        }
    }
}

impl<T: Clone> InputGate<T> {
    /// The subtask froze its state for `checkpoint`. Whether there is channel state to wait for: then
    /// [`GateOutput::Captured`] or [`GateOutput::CaptureAbandoned`] follows, unless the checkpoint is
    /// aborted before.
    pub fn capture(&mut self, checkpoint: CheckpointId) -> bool {
        if self.begin_log(checkpoint) {
            return true;
        }
        let Some(Overtaking::Holding { checkpoint: held, places }) = &mut self.overtaking else {
            return false;
        };
        if *held != checkpoint {
            return false;
        }
        let mut capture = Capture::new(checkpoint, std::mem::take(places), self.defects);
        for (channel, element) in self.parked.iter().chain(&self.arrivals) {
            if let Element::Item(item) = element {
                capture.record(*channel, item);
            }
        }
        for (channel, _) in self.channels.iter().enumerate().filter(|(_, input)| input.closed) {
            capture.close(channel);
        }
        self.overtaking = Some(Overtaking::Recording(capture));
        self.tell_if_whole();
        true
    }

    /// The channel state of `checkpoint`, by channel, once [`GateOutput::Captured`] was said.
    pub fn take_captured(&mut self, checkpoint: CheckpointId) -> Option<Vec<Vec<T>>> {
        if let Some(log) = self.take_log(checkpoint) {
            return Some(log);
        }
        let is_it = |capture: &Capture<T>| capture.checkpoint() == checkpoint;
        match self.overtaking.take() {
            Some(Overtaking::Recording(capture)) if is_it(&capture) => Some(capture.into_items()),
            other => {
                self.overtaking = other;
                None
            }
        }
    }

    /// Whether a barrier that has just arrived overtakes what waits here: it says so, or another of its
    /// checkpoint did.
    pub(super) fn comes_ahead(&self, barrier: Barrier) -> bool {
        let under_way = self.overtaking.as_ref().map(Overtaking::checkpoint);
        barrier.passage == Passage::Ahead || under_way == Some(barrier.checkpoint)
    }

    /// A barrier that overtakes has arrived. While the gate is held for an older checkpoint, it waits; one
    /// that is older still is stale, and must not wait: a newer one of its channel may come meanwhile.
    pub(super) fn hurry(&mut self, channel: usize, barrier: Barrier) {
        let before = self.channels[channel].queued;
        match self.phase {
            Phase::Held { checkpoint } if checkpoint < barrier.checkpoint => {
                self.early.push_back((channel, barrier, before));
            }
            Phase::Held { .. } | Phase::Open | Phase::Aligning { .. } => {
                self.overtake(channel, barrier, before);
            }
        }
    }

    /// The hold is over: a cut without a snapshot needs no channel state, and what waited goes on.
    pub(super) fn end_hold(&mut self, checkpoint: CheckpointId) {
        if let Some(Overtaking::Holding { checkpoint: held, .. }) = self.overtaking
            && held == checkpoint
        {
            self.overtaking = None;
        }
        while !self.is_held()
            && let Some((channel, barrier, before)) = self.early.pop_front()
        {
            self.overtake(channel, barrier, before);
        }
        self.hurry_overdue();
    }

    /// `before` items of the channel lie before the barrier.
    fn overtake(&mut self, channel: usize, barrier: Barrier, before: usize) {
        let checkpoint = barrier.checkpoint;
        self.outputs.push_back(GateOutput::BarrierOvertook { channel, checkpoint });
        self.urgent = true;
        if self.overtaking.as_ref().map(Overtaking::checkpoint) == Some(checkpoint) {
            self.place(channel, before);
        } else if self.aligning() == Some(checkpoint) {
            self.hurry_alignment(barrier);
            self.place(channel, before);
        } else if checkpoint > self.handled && self.supersede(barrier) {
            self.place(channel, before);
        }
    }

    /// The first barrier of a checkpoint came ahead. Whether anything begins: not if the abort came first.
    pub(super) fn supersede(&mut self, barrier: Barrier) -> bool {
        if let Some(older) = self.aligning() {
            self.abort_alignment(older);
        }
        self.abandon_older_capture(barrier.checkpoint);
        self.begin_ahead(barrier)
    }

    /// Makes the cut here, though no barrier was seen in its place.
    fn begin_ahead(&mut self, barrier: Barrier) -> bool {
        let checkpoint = barrier.checkpoint;
        if self.mark_handled(checkpoint) {
            self.outputs.push_back(GateOutput::AlignmentAborted(checkpoint));
            return false;
        }
        self.outputs.push_back(GateOutput::AlignmentStarted(checkpoint));
        self.hold_ahead(barrier);
        true
    }

    /// An alignment waits no longer: its channels flow again, and what is behind their barriers lies
    /// behind the cut.
    pub(super) fn hurry_alignment(&mut self, barrier: Barrier) {
        let checkpoint = barrier.checkpoint;
        let arrived = |flow| flow == Flow::Blocked;
        let seen: Vec<bool> = self.channels.iter().map(|input| arrived(input.flow)).collect();
        self.phase = Phase::Open;
        self.unblock();
        self.hold_ahead(barrier);
        for (channel, _) in seen.iter().enumerate().filter(|(_, seen)| **seen) {
            debug_assert_eq!(self.channels[channel].barrier, checkpoint, "blocked for another");
            let captured = self.defects.has(Defect::BehindBarrierCaptured);
            self.place(channel, if captured { self.channels[channel].queued } else { 0 });
        }
    }

    /// The cut is here. Barriers of it that wait in their place come ahead now.
    fn hold_ahead(&mut self, barrier: Barrier) {
        let checkpoint = barrier.checkpoint;
        let places = vec![None; self.channels.len()];
        self.overtaking = Some(Overtaking::Holding { checkpoint, places });
        for (channel, before) in self.pull_barriers(checkpoint) {
            self.outputs.push_back(GateOutput::BarrierOvertook { channel, checkpoint });
            self.place(channel, before);
        }
        self.phase = Phase::Held { checkpoint };
        self.outputs.push_back(GateOutput::Overtaken(barrier.hurried()));
        self.urgent = true;
    }

    /// Takes the barriers of `checkpoint` out of the queue, each with how many items of its channel lie
    /// before it.
    fn pull_barriers(&mut self, checkpoint: CheckpointId) -> Vec<(usize, usize)> {
        let mut before = vec![0_usize; self.channels.len()];
        let mut pulled = Vec::new();
        self.arrivals.retain(|(channel, element)| match element {
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

    /// The barrier of the checkpoint under way has come in this channel.
    fn place(&mut self, channel: usize, before: usize) {
        self.channels[channel].barrier = match &mut self.overtaking {
            Some(Overtaking::Holding { checkpoint, places }) => {
                places[channel].get_or_insert(before);
                *checkpoint
            }
            Some(Overtaking::Recording(capture)) => {
                capture.close(channel);
                capture.checkpoint()
            }
            None => return,
        };
        self.tell_if_whole();
    }

    /// An item arrives: where the channel is being recorded, it is part of the channel state.
    #[inline]
    pub(super) fn record_arrival(&mut self, channel: usize, item: &T) {
        if let Some(Overtaking::Recording(capture)) = &mut self.overtaking
            && capture.awaits(channel)
        {
            capture.record_arrival(channel, item);
        }
    }

    /// No barrier comes any more in this channel.
    pub(super) fn close_lane(&mut self, channel: usize) {
        if let Some(Overtaking::Recording(capture)) = &mut self.overtaking
            && capture.awaits(channel)
        {
            capture.close(channel);
            self.tell_if_whole();
        }
    }

    fn tell_if_whole(&mut self) {
        if let Some(Overtaking::Recording(capture)) = &self.overtaking
            && capture.is_whole()
        {
            self.outputs.push_back(GateOutput::Captured(capture.checkpoint()));
            self.urgent = true;
        }
    }

    /// The checkpoint was aborted: nobody waits for its channel state.
    pub(super) fn forget_capture(&mut self, checkpoint: CheckpointId) {
        if let Some(Overtaking::Recording(capture)) = &self.overtaking
            && capture.checkpoint() == checkpoint
        {
            self.overtaking = None;
        }
    }

    /// The sender of a channel gave `checkpoint` up: its barrier will not come there.
    pub(super) fn abandon_capture(&mut self, checkpoint: CheckpointId) {
        if let Some(Overtaking::Recording(capture)) = &self.overtaking
            && capture.checkpoint() == checkpoint
            && !capture.is_whole()
        {
            self.overtaking = None;
            self.outputs.push_back(GateOutput::CaptureAbandoned(checkpoint));
        }
    }

    /// A newer barrier arrives: channels are FIFO, so that an older one will never come on this channel.
    pub(super) fn abandon_owed(&mut self, channel: usize, newer: CheckpointId) {
        if let Some(Overtaking::Recording(capture)) = &self.overtaking
            && capture.checkpoint() < newer
            && capture.awaits(channel)
        {
            self.abandon_capture(capture.checkpoint());
        }
    }

    /// There is one channel state under way at a time.
    fn abandon_older_capture(&mut self, newer: CheckpointId) {
        if let Some(older) = self.overtaking.as_ref().map(Overtaking::checkpoint) {
            debug_assert!(older < newer, "{newer} begins after {older}");
            self.abandon_capture(older);
            // A whole one was told and not taken yet: the subtask is asked for it no more.
            self.overtaking = None;
        }
    }
}
