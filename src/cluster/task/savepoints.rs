//! A task's part in savepoints: a source stops reading at the barrier of a terminal one, or ends before it;
//! all finish when they learn that it has completed.

use super::{Env, Phase, Task};
use crate::protocol::ordered::VecSet;
use crate::protocol::{Barrier, CheckpointId, Defect, SavepointMode};

/// How many savepoints a task remembers.
const KNOWN_MAX: usize = 16;

/// What a task knows of savepoints in its attempt.
#[derive(Clone, Debug, Default)]
pub struct SavepointSide {
    /// The newest that it was asked for: a newer checkpoint does not make their snapshots superfluous.
    known: VecSet<CheckpointId>,
    /// At and below this nothing stops the task any more.
    over: CheckpointId,
    /// The savepoint that the job is to stop at.
    terminal: Option<(CheckpointId, SavepointMode)>,
    /// Its barrier has passed: a source reads no more.
    is_halted: bool,
    /// All splits have ended before their time: not even a stop that fails brings them back.
    is_drained: bool,
    /// It has completed.
    is_stopped: bool,
}

impl SavepointSide {
    /// Whether a source must not read.
    pub fn halts(&self) -> bool {
        self.is_halted || self.is_drained
    }

    /// Whether the snapshot of this checkpoint is wanted, though a newer one has completed.
    pub fn keeps(&self, checkpoint: CheckpointId) -> bool {
        self.known.contains(&checkpoint)
    }

    fn ask(&mut self, checkpoint: CheckpointId, mode: SavepointMode) {
        self.known.insert(checkpoint);
        if self.known.len() > KNOWN_MAX {
            self.known.pop_first();
        }
        if mode.is_terminal() && checkpoint > self.over {
            self.terminal = Some((checkpoint, mode));
        }
    }

    /// Whatever the task was to stop at up to this checkpoint has failed.
    pub fn give_up(&mut self, checkpoint: CheckpointId) {
        self.over = self.over.max(checkpoint);
        self.known.remove(&checkpoint);
        if self.terminal.is_some_and(|(id, _)| id <= self.over) {
            self.terminal = None;
            self.is_halted = false;
        }
    }

    fn mode_of(&self, checkpoint: CheckpointId) -> Option<SavepointMode> {
        self.terminal.filter(|(id, _)| *id == checkpoint).map(|(_, mode)| mode)
    }
}

impl Task {
    /// A trigger of a savepoint by message.
    pub fn handle_savepoint(
        &mut self,
        checkpoint: CheckpointId,
        mode: SavepointMode,
        env: &mut Env<'_>,
    ) {
        self.savepoint.ask(checkpoint, mode);
        let barrier = Barrier::in_order(checkpoint);
        if self.defects.has(Defect::SavepointOvertakes) {
            return self.take_trigger(barrier.hurried(), env);
        }
        self.take_trigger(barrier, env);
    }

    /// The turn of a source's trigger has come: with a drain all input ends before it.
    pub(super) fn drain_before(&mut self, checkpoint: CheckpointId, env: &mut Env<'_>) {
        if self.savepoint.mode_of(checkpoint) == Some(SavepointMode::Drain)
            && !self.defects.has(Defect::NoEndInputOnDrain)
        {
            self.end_early(env);
        }
    }

    /// Whether a source has moved on though it was told to stop at this savepoint, and not taken its cut.
    pub(super) fn is_moved_by_stop(&self, checkpoint: CheckpointId) -> bool {
        self.defects.has(Defect::PositionMovedByStop)
            && self.savepoint.mode_of(checkpoint) == Some(SavepointMode::Stop)
    }

    /// The cut of this checkpoint was taken: a source that is to stop at it reads no more.
    pub(super) fn halt_behind(&mut self, checkpoint: CheckpointId, env: &mut Env<'_>) {
        if self.source.is_none() || self.savepoint.mode_of(checkpoint).is_none() {
            return;
        }
        self.savepoint.is_halted = !self.defects.has(Defect::ReadsOnAfterStop);
        if self.defects.has(Defect::EndInputOnStop) {
            self.end_early(env);
        }
    }

    /// All splits end where they stand.
    fn end_early(&mut self, env: &mut Env<'_>) {
        if self.phase != Phase::Running || self.source.is_none() {
            return;
        }
        self.savepoint.is_drained = true;
        for position in self.positions() {
            self.subtask.end_split(position.split, &mut self.produced);
            self.deliver(env);
        }
        self.end(env);
    }

    /// The savepoint that the job stops at has completed: nothing is left to do but to commit.
    pub fn handle_stopped(&mut self, checkpoint: CheckpointId, env: &mut Env<'_>) {
        if !self.savepoint.is_stopped {
            self.savepoint.is_stopped = true;
            self.savepoint.is_halted = true;
            self.handle_completed(checkpoint, self.attempt, env);
        }
    }

    /// Whether it has nothing left to do.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        let is_committed = self.sink.as_ref().is_none_or(|sink| sink.uncommitted().is_empty());
        self.savepoint.is_stopped
            && (is_committed || self.defects.has(Defect::FinishedBeforeCommitted))
    }
}
