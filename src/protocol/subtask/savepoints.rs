//! A subtask's part in savepoints: a source stops reading at the barrier of a terminal one; all finish when
//! they learn that it has completed.

use crate::ids::CheckpointId;
use crate::ordered::VecSet;
use crate::savepoint::SavepointMode;

/// How many savepoints a subtask remembers.
const KNOWN_MAX: usize = 16;

/// What a subtask knows of savepoints in its attempt.
#[derive(Clone, Debug, Default)]
pub(super) struct SavepointSide {
    /// The newest that it was asked for: a newer checkpoint does not make their snapshots superfluous.
    known: VecSet<CheckpointId>,
    /// The newest that failed: a trigger or a barrier that comes late does not revive them.
    failed: VecSet<CheckpointId>,
    /// At and below this nothing stops the subtask any more.
    over: CheckpointId,
    /// The savepoint that the job is to stop at.
    terminal: Option<(CheckpointId, SavepointMode)>,
    /// Its barrier has passed: a source reads no more, and nobody emits anything of itself.
    halted: bool,
    /// It has completed.
    stopped: bool,
}

impl SavepointSide {
    /// Whether a source must not read, and an operator not emit anything of itself.
    pub fn halts(&self) -> bool {
        self.halted
    }

    /// Whether the savepoint that the job stops at has completed.
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Whether the snapshot of this checkpoint is wanted, now that another has completed.
    pub fn outlives(&self, checkpoint: CheckpointId, completed: CheckpointId) -> bool {
        checkpoint > completed || (checkpoint < completed && self.known.contains(&checkpoint))
    }

    /// How the job is to stop at this checkpoint, if it is.
    pub fn mode_of(&self, checkpoint: CheckpointId) -> Option<SavepointMode> {
        self.terminal.filter(|(id, _)| *id == checkpoint).map(|(_, mode)| mode)
    }

    /// A savepoint is asked for.
    pub fn ask(&mut self, checkpoint: CheckpointId, mode: SavepointMode) {
        if self.failed.contains(&checkpoint) {
            return;
        }
        remember(&mut self.known, checkpoint);
        if mode.is_terminal() && checkpoint > self.over {
            self.terminal = Some((checkpoint, mode));
        }
    }

    /// The savepoint has failed, and whatever the subtask was to stop at up to it.
    pub fn give_up(&mut self, checkpoint: CheckpointId) {
        self.known.remove(&checkpoint);
        remember(&mut self.failed, checkpoint);
        self.go_on(checkpoint);
    }

    /// Whatever the subtask was to stop at up to this checkpoint has failed. A savepoint that the job survives has not:
    /// others are triggered beside it.
    pub fn go_on(&mut self, checkpoint: CheckpointId) {
        self.over = self.over.max(checkpoint);
        if self.terminal.is_some_and(|(id, _)| id <= self.over) {
            self.terminal = None;
            self.halted = false;
        }
    }

    /// The subtask has passed the barrier at which the job is to stop.
    pub fn halt(&mut self) {
        self.halted = true;
    }

    /// The savepoint that the job stops at has completed. Whether that is news.
    pub fn stop(&mut self) -> bool {
        self.halted = true;
        !core::mem::replace(&mut self.stopped, true)
    }
}

/// One more; the oldest makes room.
fn remember(newest: &mut VecSet<CheckpointId>, checkpoint: CheckpointId) {
    newest.insert(checkpoint);
    if newest.len() > KNOWN_MAX {
        newest.pop_first();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_savepoint_that_failed_is_not_revived_by_who_asks_late() {
        let [one, two, three] = [1, 2, 3].map(CheckpointId);
        let mut savepoints = SavepointSide::default();
        savepoints.ask(one, SavepointMode::GoOn);
        savepoints.ask(two, SavepointMode::GoOn);
        savepoints.give_up(two);
        savepoints.ask(two, SavepointMode::GoOn);
        assert!(
            savepoints.outlives(one, three),
            "it has not failed, and is wanted beside a newer one"
        );
        assert!(!savepoints.outlives(two, three));
    }
}
