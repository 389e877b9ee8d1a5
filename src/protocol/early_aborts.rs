//! Remembers aborts that arrive before the barrier they are about.

use super::ids::CheckpointId;
use crate::ordered::VecSet;

/// How many early aborts are remembered; far above how many checkpoints are ever pending at once.
///
/// When it overflows, the oldest and everything before it count as aborted: so many newer checkpoints
/// have been resolved since that none of those can be pending. Forgetting it instead is FLINK-28474:
/// where barriers are slower than that many checkpoints, one would be snapshotted after its abort.
pub const EARLY_ABORTS_MAX: usize = 32;

/// Checkpoints that the coordinator aborted and whose barrier has not come yet.
///
/// An abort travels by message and may overtake the barrier, which travels in the channels. If it were
/// forgotten (FLINK-28474) the barrier would start an alignment that nobody ends, or a snapshot that
/// nobody wants (Flink: `SubtaskCheckpointCoordinatorImpl.abortedCheckpointIds`).
#[derive(Clone, Debug, Default)]
pub struct EarlyAborts {
    /// Never more than [`EARLY_ABORTS_MAX`], and nothing at or below what has been handled.
    checkpoints: VecSet<CheckpointId>,
    /// This and everything below it was resolved long ago; none of it completes any more.
    floor: CheckpointId,
}

impl EarlyAborts {
    /// Remembers that `checkpoint` was aborted.
    pub fn remember(&mut self, checkpoint: CheckpointId) {
        self.checkpoints.insert(checkpoint);
        if self.checkpoints.len() > EARLY_ABORTS_MAX
            && let Some(oldest) = self.checkpoints.pop_first()
        {
            self.floor = self.floor.max(oldest);
        }
        assert!(
            self.checkpoints.len() <= EARLY_ABORTS_MAX,
            "the memory of early aborts is bounded"
        );
    }

    /// `checkpoint` is handled now: forgets it and all older ones, and tells whether it was aborted.
    pub fn take(&mut self, checkpoint: CheckpointId) -> bool {
        let aborted = self.checkpoints.remove(&checkpoint) || checkpoint <= self.floor;
        while self.checkpoints.first().is_some_and(|oldest| *oldest < checkpoint) {
            self.checkpoints.pop_first();
        }
        aborted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taking_one_forgets_the_older_ones_and_keeps_the_newer() {
        let mut aborts = EarlyAborts::default();
        for id in [3, 5, 7] {
            aborts.remember(CheckpointId(id));
        }
        assert!(aborts.take(CheckpointId(5)), "it was aborted");
        assert!(!aborts.take(CheckpointId(5)), "it is told once");
        assert!(!aborts.take(CheckpointId(3)), "older ones are forgotten");
        assert!(aborts.take(CheckpointId(7)), "newer ones are kept");
    }

    #[test]
    fn the_oldest_still_counts_as_aborted_when_there_are_too_many() {
        let mut aborts = EarlyAborts::default();
        let newest = EARLY_ABORTS_MAX as u64 + 10;
        (10..=newest).for_each(|id| aborts.remember(CheckpointId(id)));
        assert!(aborts.clone().take(CheckpointId(10)), "the oldest made room, and is still known");
        assert!(aborts.clone().take(CheckpointId(3)), "so is everything before it");
        assert!(aborts.clone().take(CheckpointId(11)), "the others are still there");
        assert!(!aborts.take(CheckpointId(newest + 1)), "newer ones are not aborted");
    }
}
