//! Counted barriers: no channel is ever blocked, and the last barrier makes the cut (at least once).
//!
//! Records behind a barrier go on into the state while others are awaited, so they are in the snapshot
//! and are read again after a restore. Nothing is lost: what is before all barriers is in it. After
//! Flink's `CheckpointBarrierTracker`.

use super::lanes::Lanes;
use crate::barrier::Barrier;
use crate::ids::CheckpointId;
use crate::ordered::VecMap;
use crate::step::ProtocolStep;
use alloc::vec;
use alloc::vec::Vec;

/// How many checkpoints are counted at once; the oldest makes room.
pub const COUNTED_MAX: usize = 50;

/// Counts the barriers of each checkpoint, some of which have come.
#[derive(Clone, Debug, Default)]
pub(super) struct Counting {
    /// Never more than [`COUNTED_MAX`].
    pending: VecMap<CheckpointId, Count>,
}

#[derive(Clone, Debug)]
struct Count {
    barrier: Barrier,
    /// By channel, whether it has delivered the barrier.
    arrived: Vec<bool>,
}

impl Counting {
    pub fn on_barrier<T: Clone>(&mut self, lanes: &mut Lanes<T>, channel: usize, barrier: Barrier) {
        let checkpoint = barrier.checkpoint;
        if !lanes.is_news(checkpoint) {
            return;
        }
        if !self.is_counting(checkpoint) && !self.begin(lanes, barrier) {
            return;
        }
        if let Some(count) = self.pending.get_mut(&checkpoint) {
            count.arrived[channel] = true;
        }
        self.on_end(lanes);
    }

    fn is_counting(&self, checkpoint: CheckpointId) -> bool {
        self.pending.contains_key(&checkpoint)
    }

    /// The first barrier of a checkpoint: whether it is counted from here on. An older one than those
    /// counted has lost its barriers elsewhere.
    fn begin<T: Clone>(&mut self, lanes: &mut Lanes<T>, barrier: Barrier) -> bool {
        let checkpoint = barrier.checkpoint;
        let newest = self.pending.last_key_value().map(|(id, _)| *id);
        if newest.is_some_and(|newest| newest > checkpoint) {
            return false;
        }
        if lanes.take_abort(checkpoint) {
            self.give_up(lanes, checkpoint);
            lanes.give_up(checkpoint);
            return false;
        }
        let arrived = vec![false; lanes.channels.len()];
        self.pending.insert(checkpoint, Count { barrier, arrived });
        let oldest = self.pending.first_key_value().map(|(id, _)| *id);
        let overflows = self.pending.len() > COUNTED_MAX;
        if let Some(oldest) = oldest.filter(|_| overflows) {
            self.give_up(lanes, oldest);
        }
        lanes.step(ProtocolStep::AlignmentStarted(checkpoint));
        true
    }

    /// The newest checkpoint whose barriers have all come, if any, makes the cut; an ended channel owes none.
    pub fn on_end<T: Clone>(&mut self, lanes: &mut Lanes<T>) {
        let has_come =
            |channel: usize, count: &Count| count.arrived[channel] || lanes.has_ended(channel);
        let mut newest_first = self.pending.values().rev();
        let whole = newest_first
            .find(|count| (0..count.arrived.len()).all(|channel| has_come(channel, count)));
        let Some(barrier) = whole.map(|count| count.barrier) else { return };
        self.pending.remove(&barrier.checkpoint);
        self.give_up(lanes, barrier.checkpoint);
        lanes.mark_handled(barrier.checkpoint);
        lanes.hold(barrier);
    }

    pub fn on_cancel<T: Clone>(&mut self, lanes: &mut Lanes<T>, checkpoint: CheckpointId) {
        if !lanes.is_news(checkpoint) {
            return;
        }
        let was_counted = self.is_counting(checkpoint);
        self.give_up(lanes, checkpoint);
        if !was_counted {
            lanes.give_up(checkpoint);
        }
    }

    /// Whether some barriers of the checkpoint had come.
    pub fn on_aborted<T: Clone>(&mut self, lanes: &mut Lanes<T>, checkpoint: CheckpointId) -> bool {
        let is_counting = self.is_counting(checkpoint);
        if is_counting {
            self.give_up(lanes, checkpoint);
        }
        is_counting
    }

    /// This checkpoint and all older ones that are counted are given up.
    fn give_up<T: Clone>(&mut self, lanes: &mut Lanes<T>, checkpoint: CheckpointId) {
        let is_given_up = |oldest: &CheckpointId, _: &Count| *oldest <= checkpoint;
        while let Some((oldest, _)) = self.pending.pop_first_if(is_given_up) {
            lanes.give_up(oldest);
        }
    }
}
