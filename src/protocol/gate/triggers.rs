//! Triggers by message that have not counted yet.

use crate::barrier::Barrier;
use crate::ids::CheckpointId;
use crate::ordered::VecMap;

/// How many triggers are kept; the oldest makes room. Far above how many checkpoints are ever pending.
const TRIGGERS_MAX: usize = 32;

/// Triggers by message, until all channels have ended.
#[derive(Clone, Debug)]
pub(super) struct Triggers {
    /// Never more than [`TRIGGERS_MAX`], or than one.
    kept: VecMap<CheckpointId, Barrier>,
    most: usize,
}

impl Triggers {
    /// Only the newest is kept: an older one that is still open then is subsumed by it.
    pub fn newest() -> Self {
        Self { kept: VecMap::new(), most: 1 }
    }

    /// All are kept: if one were passed over, the barrier of a newer one would tell the subtasks on a loop that
    /// its own will not come round, and they would decline.
    pub fn all() -> Self {
        Self { kept: VecMap::new(), most: TRIGGERS_MAX }
    }

    /// Keeps a trigger.
    pub fn keep(&mut self, barrier: Barrier) {
        self.kept.insert(barrier.checkpoint, barrier);
        if self.kept.len() > self.most {
            self.kept.pop_first();
        }
    }

    /// The next one behind `handled`, if there is any.
    pub fn next(&mut self, handled: CheckpointId) -> Option<Barrier> {
        self.kept.retain(|checkpoint, _| *checkpoint > handled);
        self.kept.pop_first().map(|(_, barrier)| barrier)
    }
}
