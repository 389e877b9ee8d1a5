//! Aligned barriers: a channel that has delivered the barrier waits for the others (exactly once).
//!
//! Algorithm 1 of Carbone et al., "Lightweight Asynchronous Snapshots for Distributed Dataflows"
//! (2015), with what a running system adds: ids, supersession, cancel markers, aborts by message and
//! ended channels (Flink: `SingleCheckpointBarrierHandler`).

use super::{Flow, GateOutput, InputGate, Phase};
use crate::protocol::barrier::Barrier;
use crate::protocol::defect::Defect;
use crate::protocol::ids::CheckpointId;

impl<T: Clone> InputGate<T> {
    /// A barrier was seen in its place.
    pub(super) fn align(&mut self, channel: usize, barrier: Barrier) {
        let checkpoint = barrier.checkpoint;
        match self.aligning() {
            Some(current) if current == checkpoint => self.arrive(channel, checkpoint),
            _ if self.is_stale(checkpoint) => {}
            Some(_) if self.defects.has(Defect::NewerBarrierWaits) => {}
            Some(current) => {
                // Channels are FIFO: the older barrier will never come on this one.
                self.abort_alignment(current);
                self.begin(channel, barrier);
            }
            None => self.begin(channel, barrier),
        }
    }

    /// The first barrier of a checkpoint: the alignment starts, unless the abort came first.
    fn begin(&mut self, channel: usize, barrier: Barrier) {
        let checkpoint = barrier.checkpoint;
        if self.mark_handled(checkpoint) {
            self.outputs.push_back(GateOutput::AlignmentAborted(checkpoint));
            return;
        }
        let awaited = if self.ended_counts() { self.regular_open() } else { self.channels.len() };
        self.phase = Phase::Aligning { barrier, awaited };
        self.outputs.push_back(GateOutput::AlignmentStarted(checkpoint));
        self.arrive(channel, checkpoint);
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
        let Phase::Aligning { barrier, awaited } = &mut self.phase else {
            unreachable!("only an alignment awaits channels");
        };
        let barrier = *barrier;
        assert!(
            barrier.checkpoint == checkpoint,
            "{checkpoint} arrives while {barrier} is aligned"
        );
        assert!(*awaited > 0, "more channels arrive for {checkpoint} than there are");
        *awaited -= 1;
        if *awaited == 0 && self.is_marked(checkpoint) {
            self.complete(barrier);
        }
    }

    /// A channel has ended: it counts for the alignment under way, unless it had delivered the barrier.
    pub(super) fn end_aligned(&mut self, channel: usize) {
        let barrier = self.channels[channel].barrier;
        match self.aligning() {
            Some(current) if barrier != current && self.ended_counts() => {
                self.await_one_less(current);
            }
            Some(_) | None => {}
        }
    }

    /// A cancel marker was seen.
    pub(super) fn cancel_alignment(&mut self, checkpoint: CheckpointId) {
        match self.aligning() {
            Some(current) if current == checkpoint => self.abort_alignment(current),
            _ if checkpoint <= self.handled => {}
            Some(current) => {
                // As with a newer barrier: the older one will never come on this channel.
                self.abort_alignment(current);
                self.give_up(checkpoint);
            }
            None => self.give_up(checkpoint),
        }
    }

    /// The alignment under way ends without a snapshot.
    pub(super) fn abort_alignment(&mut self, checkpoint: CheckpointId) {
        assert!(self.aligning() == Some(checkpoint), "{checkpoint} is not being aligned");
        debug_assert!(checkpoint <= self.handled, "what is aligned counts as handled");
        self.phase = Phase::Open;
        self.outputs.push_back(GateOutput::AlignmentAborted(checkpoint));
        if !self.defects.has(Defect::AbortLeavesBlocked) {
            self.unblock();
        }
    }

    /// Whether an ended channel counts as aligned.
    fn ended_counts(&self) -> bool {
        !self.defects.has(Defect::EndedChannelStillExpected)
    }
}
