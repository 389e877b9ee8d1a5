//! What the runtime asks of a subtask's task side; the record types are erased here.

use super::async_queue::Emission;
use super::outside::OutsideTask;
use super::record::{Item, Outputs};
use super::source::Entry;
use super::subtask_state::{RestoreError, SubtaskState};
use super::time::TimeStand;
use crate::protocol::{CheckpointId, SplitId};
use crate::trace::SplitPosition;

/// A subtask with input channels.
pub(crate) trait InputTask: Send {
    fn process(&mut self, channel: usize, item: Item, out: &mut Outputs);
    fn end_channel(&mut self, channel: usize, out: &mut Outputs);
    fn freeze(&self) -> SubtaskState;
    fn restore(&mut self, state: &SubtaskState) -> Result<(), RestoreError>;
    fn time(&self) -> TimeStand;
    fn tokens(&self) -> Option<i64>;

    /// Fires the timers in processing time that are due; only stateful operators have any.
    fn fire_processing_timers(&mut self, _out: &mut Outputs) {}

    /// When the first timer in processing time is due.
    fn next_processing_timer(&self) -> Option<i64> {
        None
    }

    /// It goes on from a snapshot, and its user code is told; nothing to do where that has no state.
    fn open(&mut self) {}

    /// What it has asked a service for, where it asks one.
    fn requests(&self) -> Option<&dyn Requests> {
        None
    }

    /// What it has asked a service for, where it asks one.
    fn requests_mut(&mut self) -> Option<&mut dyn Requests> {
        None
    }

    /// Itself, if it speaks with an external system.
    fn outside(&mut self) -> Option<&mut dyn OutsideTask>;
    /// Whether everything it wrote is visible, or will be when nothing more is done.
    fn is_settled(&self) -> bool;
    fn boxed_clone(&self) -> Box<dyn InputTask>;
}

/// The requests of a subtask that asks a service.
pub(crate) trait Requests {
    /// The request was answered.
    fn answer(&mut self, number: u64);

    /// Takes out what may be emitted next, if anything.
    fn next(&mut self) -> Option<Emission>;

    /// Emits it.
    fn emit(&mut self, emission: Emission, out: &mut Outputs);

    /// Whether no more requests may be made: nothing must be processed.
    fn is_full(&self) -> bool;

    /// How many were made and their answers not emitted.
    fn len(&self) -> usize;

    /// Those that were not answered: after a restore all, and all must be made again.
    fn under_way(&self) -> Vec<u64>;
}

/// A subtask with splits of the source log.
pub(crate) trait SplitTask: Send {
    fn positions(&self) -> &[SplitPosition];
    fn awaits_splits(&self) -> bool;
    /// Whether all of the entry was read.
    fn read(&mut self, entry: Entry<'_>, out: &mut Outputs) -> bool;
    /// The splits whose next entry was read in part.
    fn paused(&self) -> Vec<SplitId>;
    /// The splits that have ended, ascending.
    fn ended_splits(&self) -> Vec<SplitId>;
    fn add_split(&mut self, split: SplitId);
    fn end_assignment(&mut self, out: &mut Outputs) -> bool;
    /// The split was read to its end: whether all have ended.
    fn end_split(&mut self, split: SplitId, out: &mut Outputs) -> bool;
    /// The split ends where it stands: whether all have ended.
    fn cut_short(&mut self, split: SplitId, out: &mut Outputs) -> bool;
    fn freeze(&self) -> SubtaskState;
    fn restore(&mut self, state: &SubtaskState) -> Result<(), RestoreError>;
    fn checkpoint_completed(
        &mut self,
        checkpoint: CheckpointId,
        positions: &[SplitPosition],
        state: &[u8],
    ) -> Vec<SplitPosition>;

    /// Lets go of the splits that were read to their end, as the completed checkpoint that holds these positions
    /// knows; gives them.
    fn release_splits(&mut self, held: &[SplitPosition]) -> Vec<SplitId>;
    fn time(&self) -> TimeStand;
    fn boxed_clone(&self) -> Box<dyn SplitTask>;
}

/// The task side of a subtask.
pub(crate) enum Task {
    /// Of a source.
    Splits(Box<dyn SplitTask>),
    /// Of an operator or a sink.
    Inputs(Box<dyn InputTask>),
}

impl Clone for Task {
    fn clone(&self) -> Self {
        match self {
            Task::Splits(task) => Task::Splits(task.boxed_clone()),
            Task::Inputs(task) => Task::Inputs(task.boxed_clone()),
        }
    }
}
