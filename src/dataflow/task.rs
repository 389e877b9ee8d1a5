//! What the runtime asks of a subtask's task side; the record types are erased here.

use super::record::{Item, Outputs};
use super::source::Entry;
use super::subtask_state::{RestoreError, SubtaskState};
use super::time::TimeStand;
use crate::protocol::SplitId;
use crate::trace::SplitPosition;

/// A subtask with input channels.
pub(crate) trait InputTask: Send {
    fn process(&mut self, channel: usize, item: Item, out: &mut Outputs);
    fn end_channel(&mut self, channel: usize, out: &mut Outputs);
    fn freeze(&self) -> SubtaskState;
    fn restore(&mut self, state: &SubtaskState) -> Result<(), RestoreError>;
    fn time(&self) -> TimeStand;
    fn tokens(&self) -> Option<i64>;
    fn boxed_clone(&self) -> Box<dyn InputTask>;
}

/// A subtask with splits of the source log.
pub(crate) trait SplitTask: Send {
    fn positions(&self) -> &[SplitPosition];
    fn awaits_splits(&self) -> bool;
    fn read(&mut self, entry: Entry<'_>, out: &mut Outputs);
    fn add_split(&mut self, split: SplitId);
    fn end_assignment(&mut self, out: &mut Outputs) -> bool;
    fn end_split(&mut self, split: SplitId, out: &mut Outputs) -> bool;
    fn freeze(&self) -> SubtaskState;
    fn restore(&mut self, state: &SubtaskState) -> Result<(), RestoreError>;
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
