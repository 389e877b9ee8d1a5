//! Alignment: a channel that has delivered the barrier waits for the others.
//!
//! Algorithm 1 of Carbone et al., "Lightweight Asynchronous Snapshots for Distributed Dataflows"
//! (2015), with what a running system adds: ids, supersession, cancel markers, aborts by message and
//! ended channels (Flink: `SingleCheckpointBarrierHandler`).

use super::GateOutput;
use super::lanes::{Flow, Lanes};
use crate::barrier::Barrier;
use crate::defect::Defect;
use crate::ids::CheckpointId;
use crate::step::ProtocolStep;

/// The checkpoint that is being aligned, if one is.
#[derive(Clone, Debug, Default)]
pub(super) struct Alignment(Option<Aligning>);

/// Some channel has delivered the barrier, `awaited` others neither have nor have ended.
#[derive(Clone, Copy, Debug)]
struct Aligning {
    barrier: Barrier,
    awaited: usize,
}

impl Alignment {
    /// The checkpoint being aligned.
    pub fn current(&self) -> Option<CheckpointId> {
        self.barrier().map(|barrier| barrier.checkpoint)
    }

    /// The barrier being aligned.
    pub fn barrier(&self) -> Option<Barrier> {
        self.0.map(|aligning| aligning.barrier)
    }

    /// Whether no checkpoint is being aligned.
    pub fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// A barrier was seen in its place, and `open` channels deliver barriers that the cut waits for.
    pub fn on_barrier<T: Clone>(
        &mut self,
        lanes: &mut Lanes<T>,
        channel: usize,
        barrier: Barrier,
        open: usize,
    ) {
        match self.current() {
            Some(current) if current == barrier.checkpoint => self.arrive(lanes, channel),
            _ if lanes.is_stale(barrier.checkpoint) => {}
            Some(_) if lanes.defects.has(Defect::NewerBarrierWaits) => {}
            Some(_) => {
                // Channels are FIFO: the older barrier will never come on this one.
                self.abort(lanes);
                self.begin(lanes, channel, barrier, open);
            }
            None => self.begin(lanes, channel, barrier, open),
        }
    }

    /// The first barrier of a checkpoint: the alignment starts, unless the abort came first.
    fn begin<T: Clone>(
        &mut self,
        lanes: &mut Lanes<T>,
        channel: usize,
        barrier: Barrier,
        open: usize,
    ) {
        let checkpoint = barrier.checkpoint;
        if lanes.mark_handled(checkpoint) {
            return lanes.say(GateOutput::AlignmentAborted(checkpoint));
        }
        let awaited = if ended_counts(lanes) { open } else { lanes.channels.len() };
        self.0 = Some(Aligning { barrier, awaited });
        lanes.step(ProtocolStep::AlignmentStarted(checkpoint));
        self.arrive(lanes, channel);
    }

    /// The barrier of the checkpoint being aligned: its channel is done until the release.
    fn arrive<T: Clone>(&mut self, lanes: &mut Lanes<T>, channel: usize) {
        let Some(checkpoint) = self.current() else { return };
        let lane = &mut lanes.channels[channel];
        assert!(lane.flow == Flow::Flowing, "only a flowing channel delivers a barrier");
        if lane.barrier == checkpoint {
            return; // The sender repeats itself; once is enough.
        }
        lane.barrier = checkpoint;
        if !lanes.defects.has(Defect::ChannelNotBlocked) {
            lanes.block(channel, checkpoint);
        }
        self.await_one_less();
    }

    /// One more channel has delivered the barrier or ended.
    fn await_one_less(&mut self) {
        let Some(Aligning { barrier, awaited }) = &mut self.0 else { return };
        assert!(*awaited > 0, "more channels arrive for {barrier} than there are");
        *awaited -= 1;
    }

    /// A channel has ended: it counts for the alignment under way, unless it had delivered the barrier.
    pub fn on_end<T: Clone>(&mut self, lanes: &Lanes<T>, channel: usize) {
        let has_delivered = |checkpoint| lanes.channels[channel].barrier == checkpoint;
        if self.current().is_some_and(|current| !has_delivered(current)) && ended_counts(lanes) {
            self.await_one_less();
        }
    }

    /// The barrier of the checkpoint under way, when no channel is awaited any more: the cut is here.
    pub fn take_whole(&mut self) -> Option<Barrier> {
        self.0.take_if(|aligning| aligning.awaited == 0).map(|aligning| aligning.barrier)
    }

    /// The alignment under way is over, without a word: something else takes its place.
    pub fn take(&mut self) -> Option<Barrier> {
        self.0.take().map(|aligning| aligning.barrier)
    }

    /// The alignment under way, if there is one, ends without a snapshot.
    pub fn abort<T: Clone>(&mut self, lanes: &mut Lanes<T>) {
        let Some(Barrier { checkpoint, .. }) = self.take() else { return };
        debug_assert!(!lanes.is_news(checkpoint), "what is aligned counts as handled");
        lanes.say(GateOutput::AlignmentAborted(checkpoint));
        if !lanes.defects.has(Defect::AbortLeavesBlocked) {
            lanes.unblock();
        }
    }

    /// A cancel marker was seen.
    pub fn on_cancel<T: Clone>(&mut self, lanes: &mut Lanes<T>, checkpoint: CheckpointId) {
        if self.current() == Some(checkpoint) {
            self.abort(lanes);
        } else if lanes.is_news(checkpoint) {
            // As with a newer barrier: the older one will never come on this channel.
            self.abort(lanes);
            lanes.give_up(checkpoint);
        }
    }

    /// The coordinator aborted `checkpoint`. Whether it was under way here.
    pub fn on_aborted<T: Clone>(&mut self, lanes: &mut Lanes<T>, checkpoint: CheckpointId) -> bool {
        let is_it = self.current() == Some(checkpoint);
        if is_it {
            self.abort(lanes);
        }
        is_it
    }
}

/// Whether an ended channel counts as aligned.
fn ended_counts<T>(lanes: &Lanes<T>) -> bool {
    !lanes.defects.has(Defect::EndedChannelStillExpected)
}
