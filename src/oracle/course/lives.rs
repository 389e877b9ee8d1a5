//! What becomes of checkpoints: under way, completed, or in nobody's hands.

use crate::protocol::CheckpointId;
use crate::protocol::ordered::{VecMap, VecSet};
use crate::trace::Event;

/// How many settled ids are remembered.
const SETTLED_MAX: usize = 256;

/// Lives of checkpoints.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Lives {
    pending: VecMap<CheckpointId, Life>,
    completed: VecSet<CheckpointId>,
    /// Not assembled when their coordinator was deposed: their successor knows nothing of them.
    abandoned: VecSet<CheckpointId>,
}

/// How far a checkpoint without an outcome has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Triggered,
    Assembled,
    /// It was assembled, and its coordinator is gone: it may have completed without a word.
    Silent,
}

impl Lives {
    /// Selects what checkpoints come to.
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::Triggered { checkpoint, .. } | Event::SavepointTriggered { checkpoint, .. } => {
                self.pending.insert(*checkpoint, Life::Triggered);
            }
            Event::Assembled { checkpoint, .. } => {
                if let Some(life @ Life::Triggered) = self.pending.get_mut(checkpoint) {
                    *life = Life::Assembled;
                }
            }
            Event::Aborted { checkpoint, .. } => {
                self.pending.remove(checkpoint);
            }
            Event::LeadershipTaken { .. } => self.succeed(),
            _ => {}
        }
    }

    /// A coordinator took over: nothing is pending any more.
    fn succeed(&mut self) {
        let lost = self.pending.iter().filter(|(_, life)| **life == Life::Triggered);
        self.abandoned.extend(lost.map(|(checkpoint, _)| *checkpoint));
        trim(&mut self.abandoned);
        self.pending.retain(|_, life| *life != Life::Triggered);
        self.pending.values_mut().for_each(|life| *life = Life::Silent);
    }

    /// `checkpoint` was triggered by a coordinator that does not know that it has been deposed.
    pub fn abandon(&mut self, checkpoint: CheckpointId) {
        self.abandoned.insert(checkpoint);
        trim(&mut self.abandoned);
    }

    /// Whether `checkpoint` is none of the coordinator that reigns.
    pub fn is_abandoned(&self, checkpoint: CheckpointId) -> bool {
        self.abandoned.contains(&checkpoint)
    }

    /// Whether `checkpoint` may have completed without a word.
    pub fn is_silent(&self, checkpoint: CheckpointId) -> bool {
        self.pending.get(&checkpoint) == Some(&Life::Silent)
    }

    /// The checkpoint completed.
    pub fn complete(&mut self, checkpoint: CheckpointId) {
        self.pending.remove(&checkpoint);
        self.completed.insert(checkpoint);
        trim(&mut self.completed);
    }

    /// A savepoint is there; among completed checkpoints it counts where the job is over with it.
    pub fn complete_savepoint(&mut self, checkpoint: CheckpointId, is_terminal: bool) {
        self.pending.remove(&checkpoint);
        if is_terminal {
            self.complete(checkpoint);
        }
    }

    /// Whether its completion is known.
    pub fn has_completed(&self, checkpoint: CheckpointId) -> bool {
        self.completed.contains(&checkpoint)
    }

    /// The newest that has completed.
    pub fn newest(&self) -> Option<CheckpointId> {
        self.completed.last().copied()
    }

    /// Whether it completed; so it is for ids too old to be remembered.
    pub fn may_have_completed(&self, checkpoint: CheckpointId) -> bool {
        let is_forgotten = self.completed.len() >= SETTLED_MAX
            && self.completed.first().is_some_and(|oldest| checkpoint < *oldest);
        is_forgotten || self.has_completed(checkpoint)
    }
}

fn trim(ids: &mut VecSet<CheckpointId>) {
    while ids.len() > SETTLED_MAX {
        ids.pop_first();
    }
}
