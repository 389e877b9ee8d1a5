//! What follows from events for the job.

use crate::protocol::{Attempt, CheckpointId, SavepointMode, SplitId, SubtaskId};

/// What follows from an event for the job. Who judges by it hears of it after all have heard of the event, except
/// that what an event reveals comes before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Fact {
    /// A new attempt counts from here on, in another shape or in the same.
    AttemptStarted { attempt: Attempt, restored: Option<CheckpointId>, is_reshaped: bool },
    /// A checkpoint has completed: its cut is whole, and its snapshots are there. A silent one had, and nobody said so.
    Completed { checkpoint: CheckpointId, is_silent: bool },
    /// A savepoint has: the same, whatever other checkpoints have completed.
    SavepointCompleted { checkpoint: CheckpointId, mode: SavepointMode },
    /// Recovery goes back to this from here on.
    Newest { checkpoint: CheckpointId, is_savepoint: bool },
    /// A reader has let go of a split, and the source is judged by what is left.
    Released { reader: SubtaskId, split: SplitId },
    /// The job has stopped, and is judged by what it leaves.
    Stopped { clean: bool },
    /// The job has finished, its work has been judged, and it is judged by what it leaves.
    Finished,
}
