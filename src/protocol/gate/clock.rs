//! Aligned until a timeout, unaligned from then on (Flink: `AlternatingCollectingBarriers`).
//!
//! A barrier that may become urgent is announced when it arrives, behind whatever waits before it
//! (Flink: `EventAnnouncement`). When its time is over it overtakes that; a subtask that has aligned it
//! by then never knows. Subtasks and channels decide by themselves, and the cut is one all the same:
//! wherever a barrier overtakes, what it overtakes is channel state.

use super::lanes::Lanes;
use super::overtaking::Overtaking;
use super::{Element, GateOutput};
use crate::barrier::{Barrier, Passage};
use crate::ids::CheckpointId;

/// Whose time in its place is over.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    /// The newest barrier that is overdue.
    overdue: CheckpointId,
}

impl Clock {
    /// Whether this barrier may wait in its place no longer.
    fn is_overdue(self, barrier: Barrier) -> bool {
        barrier.checkpoint <= self.overdue
    }
}

impl<T: Clone> Overtaking<T> {
    /// The time of the barrier of `checkpoint` in its place is over.
    pub fn on_overdue(&mut self, lanes: &mut Lanes<T>, checkpoint: CheckpointId) {
        if let Some(clock) = &mut self.clock {
            clock.overdue = clock.overdue.max(checkpoint);
        }
        self.hurry_overdue(lanes);
    }

    /// A barrier joins the queue: if it may overtake later, somebody has to watch the time.
    pub(super) fn announce(&mut self, lanes: &mut Lanes<T>, barrier: Barrier) {
        let is_aligned = self.alignment.current() == Some(barrier.checkpoint);
        match barrier.passage {
            Passage::InOrderUntil(_) if lanes.is_news(barrier.checkpoint) || is_aligned => {
                lanes.say(GateOutput::Announced(barrier));
            }
            Passage::InOrderUntil(_) | Passage::InOrder | Passage::Ahead => {}
        }
    }

    /// What is overdue and waits in its place comes ahead; while the gate is held it waits on.
    pub(super) fn hurry_overdue(&mut self, lanes: &mut Lanes<T>) {
        let Some(clock) = self.clock.filter(|_| lanes.held.is_none()) else { return };
        match self.alignment.barrier() {
            Some(barrier) if clock.is_overdue(barrier) => self.hurry_alignment(lanes, barrier),
            Some(_) | None => {
                if let Some(barrier) = newest_overdue(lanes, clock) {
                    self.supersede(lanes, barrier);
                }
            }
        }
    }
}

/// The newest barrier in the queue that is overdue and has started nothing yet.
fn newest_overdue<T: Clone>(lanes: &Lanes<T>, clock: Clock) -> Option<Barrier> {
    let waiting = lanes.arrivals.iter().filter_map(|(_, element)| match element {
        Element::Barrier(barrier) => Some(*barrier),
        Element::Item(_) | Element::Cancel(_) | Element::End => None,
    });
    let overdue = |barrier: &Barrier| {
        let is_timed = matches!(barrier.passage, Passage::InOrderUntil(_));
        is_timed && clock.is_overdue(*barrier) && lanes.is_news(barrier.checkpoint)
    };
    waiting.filter(overdue).max_by_key(|barrier| barrier.checkpoint)
}
