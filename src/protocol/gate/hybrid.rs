//! Aligned until a timeout, unaligned from then on (Flink: `AlternatingCollectingBarriers`).
//!
//! A barrier that may become urgent is announced when it arrives, behind whatever waits before it
//! (Flink: `EventAnnouncement`). When its time is over it overtakes that; a subtask that has aligned it
//! by then never knows. Subtasks and channels decide by themselves, and the cut is one all the same:
//! wherever a barrier overtakes, what it overtakes is channel state.

use super::{Element, GateOutput, InputGate, Phase};
use crate::protocol::barrier::{Barrier, Passage};
use crate::protocol::ids::CheckpointId;

impl<T: Clone> InputGate<T> {
    /// The time of the barrier of `checkpoint` in its place is over.
    pub fn handle_overdue(&mut self, checkpoint: CheckpointId) {
        self.overdue = self.overdue.max(checkpoint);
        self.hurry_overdue();
    }

    /// A barrier joins the queue. Whoever waits for an older one on this channel waits in vain.
    pub(super) fn announce(&mut self, channel: usize, barrier: Barrier) {
        self.abandon_owed(channel, barrier.checkpoint);
        match barrier.passage {
            Passage::InOrderUntil(_)
                if barrier.checkpoint > self.handled || self.is_aligning(barrier) =>
            {
                self.outputs.push_back(GateOutput::Announced(barrier));
            }
            Passage::InOrderUntil(_) | Passage::InOrder | Passage::Ahead => {}
        }
    }

    fn is_aligning(&self, barrier: Barrier) -> bool {
        self.aligning() == Some(barrier.checkpoint)
    }

    /// What is overdue and waits in its place comes ahead; while the gate is held it waits on.
    pub(super) fn hurry_overdue(&mut self) {
        match self.phase {
            _ if self.overdue == CheckpointId(0) => {}
            Phase::Held { .. } => {}
            Phase::Aligning { barrier, .. } if barrier.checkpoint <= self.overdue => {
                self.hurry_alignment(barrier);
            }
            Phase::Aligning { .. } | Phase::Open => {
                if let Some(barrier) = self.newest_overdue() {
                    self.supersede(barrier);
                }
            }
        }
    }

    /// The newest barrier in the queue that is overdue and has started nothing yet.
    fn newest_overdue(&self) -> Option<Barrier> {
        let waiting = self.arrivals.iter().filter_map(|(_, element)| match element {
            Element::Barrier(barrier) => Some(*barrier),
            Element::Item(_) | Element::Cancel(_) | Element::End => None,
        });
        let overdue = |barrier: &Barrier| {
            let checkpoint = barrier.checkpoint;
            let is_timed = matches!(barrier.passage, Passage::InOrderUntil(_));
            is_timed && checkpoint <= self.overdue && checkpoint > self.handled
        };
        waiting.filter(overdue).max_by_key(|barrier| barrier.checkpoint)
    }
}
