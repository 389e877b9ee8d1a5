//! Counted barriers: no channel is ever blocked, and the last barrier makes the cut (at least once).
//!
//! Records behind a barrier go on into the state while others are awaited, so they are in the snapshot
//! and are read again after a restore. Nothing is lost: what is before all barriers is in it. After
//! Flink's `CheckpointBarrierTracker`.

use super::{Flow, GateOutput, InputGate, Method};
use crate::protocol::barrier::Barrier;
use crate::protocol::ids::CheckpointId;
use crate::protocol::ordered::VecMap;

/// How many checkpoints are counted at once; the oldest makes room.
pub const COUNTED_MAX: usize = 50;

/// The checkpoints some of whose barriers have come.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// Never more than [`COUNTED_MAX`].
    pending: VecMap<CheckpointId, Count>,
}

#[derive(Clone, Debug)]
struct Count {
    barrier: Barrier,
    /// By channel, whether it has delivered the barrier.
    arrived: Vec<bool>,
}

impl<T: Clone> InputGate<T> {
    /// Whether some barriers of this checkpoint were counted, and some are awaited.
    pub(super) fn is_counting(&self, checkpoint: CheckpointId) -> bool {
        match &self.method {
            Method::Count(tally) => tally.pending.contains_key(&checkpoint),
            Method::Block => false,
        }
    }

    /// A barrier was seen in its place.
    pub(super) fn count(&mut self, channel: usize, barrier: Barrier) {
        let checkpoint = barrier.checkpoint;
        if checkpoint <= self.handled {
            return;
        }
        if !self.is_counting(checkpoint) && !self.begin_count(barrier) {
            return;
        }
        if let Some(count) = self.tally().pending.get_mut(&checkpoint) {
            count.arrived[channel] = true;
        }
        self.end_counted();
    }

    /// The first barrier of a checkpoint: whether it is counted from here on. An older one than those
    /// counted has lost its barriers elsewhere.
    fn begin_count(&mut self, barrier: Barrier) -> bool {
        let checkpoint = barrier.checkpoint;
        let newest = self.tally().pending.last_key_value().map(|(id, _)| *id);
        if newest.is_some_and(|newest| newest > checkpoint) {
            return false;
        }
        if self.aborted.take(checkpoint) {
            self.abort_counts(checkpoint);
            self.give_up(checkpoint);
            return false;
        }
        let arrived = vec![false; self.channels.len()];
        let pending = &mut self.tally().pending;
        pending.insert(checkpoint, Count { barrier, arrived });
        let oldest = pending.first_key_value().map(|(id, _)| *id);
        let overflows = pending.len() > COUNTED_MAX;
        if let Some(oldest) = oldest.filter(|_| overflows) {
            self.abort_counts(oldest);
        }
        self.outputs.push_back(GateOutput::AlignmentStarted(checkpoint));
        true
    }

    /// The newest checkpoint whose barriers have all come, if any, makes the cut.
    pub(super) fn end_counted(&mut self) {
        let has_come = |channel: usize, count: &Count| {
            count.arrived[channel] || self.channels[channel].flow == Flow::Ended
        };
        let Method::Count(tally) = &self.method else { return };
        let mut newest_first = tally.pending.values().rev();
        let whole = newest_first
            .find(|count| (0..count.arrived.len()).all(|channel| has_come(channel, count)));
        let Some(barrier) = whole.map(|count| count.barrier) else { return };
        self.tally().pending.remove(&barrier.checkpoint);
        self.abort_counts(barrier.checkpoint);
        self.mark_handled(barrier.checkpoint);
        self.complete(barrier);
    }

    /// A cancel marker was seen.
    pub(super) fn cancel_count(&mut self, checkpoint: CheckpointId) {
        if checkpoint <= self.handled {
            return;
        }
        let was_counted = self.is_counting(checkpoint);
        self.abort_counts(checkpoint);
        if !was_counted {
            self.give_up(checkpoint);
        }
    }

    /// This checkpoint and all older ones that are counted are given up.
    pub(super) fn abort_counts(&mut self, checkpoint: CheckpointId) {
        let is_given_up = |oldest: &CheckpointId, _: &Count| *oldest <= checkpoint;
        while let Some((oldest, _)) = self.tally().pending.pop_first_if(is_given_up) {
            self.give_up(oldest);
        }
    }

    fn tally(&mut self) -> &mut Tally {
        match &mut self.method {
            Method::Count(tally) => tally,
            Method::Block => unreachable!("a gate that aligns counts nothing"),
        }
    }
}
