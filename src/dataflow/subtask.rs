//! A subtask's task side, as a worker drives it.

use std::fmt;

use super::outside::OutsideTask;
use super::record::{Item, Outputs, Record};
use super::source::Entry;
use super::subtask_state::{RestoreError, SubtaskState};
use super::task::{InputTask, Requests, SplitTask, Task};
use super::time::TimeStand;
use super::witness::Watch;
use super::witnessed::Witnessed;
use crate::protocol::{CheckpointId, SplitId, SubtaskId};
use crate::trace::SplitPosition;

/// The task side of one subtask: user code, its state, and where its output goes.
///
/// One call in, everything it produced in `out`, in order; the caller drains `out` before the next call.
/// A clone is independent of the original. User code that panics unwinds through these methods; the
/// subtask must not be used after that.
#[derive(Clone)]
pub struct Subtask {
    id: SubtaskId,
    inner: Witnessed,
}

/// The task of a source.
fn reader(task: &mut Task, id: SubtaskId) -> &mut dyn SplitTask {
    match task {
        Task::Splits(task) => task.as_mut(),
        Task::Inputs(_) => panic!("{id} reads no splits"),
    }
}

/// The task of an operator or a sink.
#[inline]
fn receiver(task: &mut Task, id: SubtaskId) -> &mut dyn InputTask {
    match task {
        Task::Inputs(task) => task.as_mut(),
        Task::Splits(_) => panic!("{id} has no input channels"),
    }
}

fn outside(task: &mut Task) -> Option<&mut dyn OutsideTask> {
    match task {
        Task::Inputs(task) => task.outside(),
        Task::Splits(_) => None,
    }
}

fn requests(task: &mut Task) -> Option<&mut dyn Requests> {
    match task {
        Task::Inputs(task) => task.requests_mut(),
        Task::Splits(_) => None,
    }
}

impl Subtask {
    pub(crate) fn new(id: SubtaskId, task: Task, watch: Option<Watch>) -> Self {
        Self { id, inner: Witnessed::new(task, watch) }
    }

    /// Reads the entry at `offset` of `split`; the position becomes the offset after it.
    ///
    /// # Panics
    ///
    /// When this is not a source, or the split is not one of its own or has ended.
    pub fn read(&mut self, split: SplitId, offset: u64, entry: &[u8], out: &mut Outputs) {
        while !self.read_part(split, offset, entry, out) {}
    }

    /// Reads an entry, or the rest of it, as far as the source pleases; whether it has read all of it. If not, it is to
    /// be handed the same entry once more, and may be frozen before. It emits something each time.
    ///
    /// # Panics
    ///
    /// As [`read`](Self::read).
    pub fn read_part(
        &mut self,
        split: SplitId,
        offset: u64,
        entry: &[u8],
        out: &mut Outputs,
    ) -> bool {
        let id = self.id;
        self.inner.give(
            Entry { split, offset, bytes: entry },
            out,
            |watch, entry| watch.begin_entry(entry.split, entry.offset),
            |task, entry, out| reader(task, id).read(entry, out),
        )
    }

    /// The splits whose next entry was read in part.
    #[must_use]
    pub fn paused(&self) -> Vec<SplitId> {
        match self.inner.task() {
            Task::Splits(task) => task.paused(),
            Task::Inputs(_) => Vec::new(),
        }
    }

    /// The splits of the subtask that have ended, ascending. Nothing of them must be read.
    #[must_use]
    pub fn ended_splits(&self) -> Vec<SplitId> {
        match self.inner.task() {
            Task::Splits(task) => task.ended_splits(),
            Task::Inputs(_) => Vec::new(),
        }
    }

    /// The split has no more entries; whether all splits of the subtask have ended, in which case the
    /// maximum watermark has been emitted, now or before. Telling it again does nothing.
    ///
    /// # Panics
    ///
    /// When this is not a source, or the split is not one of its own.
    pub fn end_split(&mut self, split: SplitId, out: &mut Outputs) -> bool {
        let id = self.id;
        let call =
            |task: &mut Task, split, out: &mut Outputs| reader(task, id).end_split(split, out);
        self.inner.give(split, out, |watch, _| watch.begin_end(), call)
    }

    /// The split ends where it stands, though it has more entries, since the job is drained: as
    /// [`end_split`](Self::end_split), but that the split is never [released](Self::release_splits).
    ///
    /// # Panics
    ///
    /// When this is not a source, or the split is not one of its own.
    pub fn cut_short(&mut self, split: SplitId, out: &mut Outputs) -> bool {
        let id = self.id;
        let call =
            |task: &mut Task, split, out: &mut Outputs| reader(task, id).cut_short(split, out);
        self.inner.give(split, out, |watch, _| watch.begin_end(), call)
    }

    /// A source whose splits are assigned by an enumerator reads this one from its start from here on.
    ///
    /// # Panics
    ///
    /// When this is not a source.
    pub fn add_split(&mut self, split: SplitId) {
        reader(self.inner.quiet(), self.id).add_split(split);
    }

    /// The enumerator has no more splits for this source; whether all that it has have ended.
    ///
    /// # Panics
    ///
    /// When this is not a source.
    pub fn end_assignment(&mut self, out: &mut Outputs) -> bool {
        let id = self.id;
        let call = |task: &mut Task, (), out: &mut Outputs| reader(task, id).end_assignment(out);
        self.inner.give((), out, |watch, ()| watch.begin_end(), call)
    }

    /// Whether an enumerator may assign it more splits.
    #[must_use]
    pub fn awaits_splits(&self) -> bool {
        match self.inner.task() {
            Task::Splits(task) => task.awaits_splits(),
            Task::Inputs(_) => false,
        }
    }

    /// Processes an item from an input channel, by its index in
    /// [`Topology::inputs`](crate::protocol::Topology::inputs).
    ///
    /// # Panics
    ///
    /// When this is a source, or has no such channel.
    #[inline]
    pub fn process(&mut self, channel: usize, item: Item, out: &mut Outputs) {
        let id = self.id;
        self.inner.give(
            item,
            out,
            |watch, item| watch.begin_item(channel, item),
            |task, item, out| receiver(task, id).process(channel, item, out),
        );
    }

    /// The channel has delivered its end: its watermark becomes the maximum. Telling it again does nothing.
    ///
    /// # Panics
    ///
    /// When this is a source, or has no such channel.
    pub fn end_channel(&mut self, channel: usize, out: &mut Outputs) {
        let id = self.id;
        let call = |task: &mut Task, (), out: &mut Outputs| {
            receiver(task, id).end_channel(channel, out);
        };
        self.inner.give((), out, |watch, ()| watch.begin_end(), call);
    }

    /// The service has answered a request ([`Outputs::requests`]). What comes of it is emitted by
    /// [`emit_answered`](Self::emit_answered). An answer to what is not asked is of no interest.
    pub fn answer(&mut self, request: u64) {
        if let Some(requests) = requests(self.inner.quiet()) {
            requests.answer(request);
        }
    }

    /// Emits what requests that were answered have come to, as far as nothing must go before it. No snapshot
    /// may fall between a barrier's way out and this.
    pub fn emit_answered(&mut self, out: &mut Outputs) {
        while let Some(emission) = requests(self.inner.quiet()).and_then(Requests::next) {
            self.inner.give(
                emission,
                out,
                |watch, emission| watch.begin_emission(emission),
                |task, emission, out| {
                    if let Some(requests) = requests(task) {
                        requests.emit(emission, out);
                    }
                },
            );
        }
    }

    /// Lets a subtask that speaks with an external system do something; nothing in any other.
    pub fn drive(
        &mut self,
        out: &mut Outputs,
        call: impl FnOnce(&mut dyn OutsideTask, &mut Outputs),
    ) {
        let drive = |task: &mut Task, (), out: &mut Outputs| {
            if let Some(sink) = outside(task) {
                call(sink, out);
            }
        };
        self.inner.give((), out, |watch, ()| watch.begin_outside(), drive);
    }

    /// Takes over what a snapshot of this subtask holds.
    ///
    /// # Errors
    ///
    /// When the snapshot is corrupt, or was taken of another subtask or job; this subtask is then
    /// unusable.
    pub fn restore(&mut self, state: &SubtaskState) -> Result<(), RestoreError> {
        match self.inner.quiet() {
            Task::Splits(task) => task.restore(state),
            Task::Inputs(_) if !state.positions.is_empty() => {
                Err(RestoreError::NotASource { subtask: self.id })
            }
            Task::Inputs(task) => task.restore(state),
        }
    }

    /// A record of an input channel, or of what the subtask gives out where no channel is named, as its type shows
    /// it; nothing where the job is not witnessed.
    pub(crate) fn shown(&self, channel: Option<usize>, record: &Record) -> Option<String> {
        let watch = self.inner.watch()?;
        Some(match channel {
            Some(channel) => watch.shown_item(channel, record),
            None => watch.shown_output(record),
        })
    }

    /// Whether it asks a service.
    #[must_use]
    pub fn is_asynchronous(&self) -> bool {
        self.requests().is_some()
    }

    /// Whether as many requests are under way as may be: then it must not be given a record.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.requests().is_some_and(|requests| requests.is_full())
    }

    /// How many requests were made whose answers were not emitted. While there are any, its output has not
    /// ended.
    #[must_use]
    pub fn requests_pending(&self) -> usize {
        self.requests().map_or(0, |requests| requests.len())
    }

    /// The requests that were not answered; those of a restored subtask must be made again.
    #[must_use]
    pub fn requests_under_way(&self) -> Vec<u64> {
        self.requests().map_or_else(Vec::new, |requests| requests.under_way())
    }

    fn requests(&self) -> Option<&dyn Requests> {
        match self.inner.task() {
            Task::Inputs(task) => task.requests(),
            Task::Splits(_) => None,
        }
    }

    /// A checkpoint completed that holds this of the subtask: its positions, and what its source knew, as it was
    /// frozen ([`SubtaskState::source`]). Says up to where the outside may forget each split.
    pub fn checkpoint_completed(
        &mut self,
        checkpoint: CheckpointId,
        positions: &[SplitPosition],
        state: &[u8],
    ) -> Vec<SplitPosition> {
        match self.inner.quiet() {
            Task::Splits(task) => task.checkpoint_completed(checkpoint, positions, state),
            Task::Inputs(_) => Vec::new(),
        }
    }

    /// A source whose splits are discovered lets go of those that were read to their end: a checkpoint that
    /// holds these positions has completed, and the outside may forget what is before them. Gives them.
    pub fn release_splits(&mut self, held: &[SplitPosition]) -> Vec<SplitId> {
        match self.inner.quiet() {
            Task::Splits(task) => task.release_splits(held),
            Task::Inputs(_) => Vec::new(),
        }
    }

    /// Fires the timers in processing time that are due at [`Outputs::now_ms`].
    pub fn fire_processing_timers(&mut self, out: &mut Outputs) {
        self.inner.give(
            out.now_ms,
            out,
            |watch, now_ms| watch.begin_clock(*now_ms),
            |task, _, out| match task {
                Task::Inputs(task) => task.fire_processing_timers(out),
                Task::Splits(_) => {}
            },
        );
    }

    /// When the first timer in processing time is due, if one is pending.
    #[must_use]
    pub fn next_processing_timer(&self) -> Option<i64> {
        match self.inner.task() {
            Task::Inputs(task) => task.next_processing_timer(),
            Task::Splits(_) => None,
        }
    }

    /// Tells user code that the subtask goes on from a snapshot: once, after [`restore`](Self::restore) and
    /// before anything is processed.
    pub fn open(&mut self) {
        match self.inner.quiet() {
            Task::Inputs(task) => task.open(),
            Task::Splits(_) => {}
        }
    }

    /// Itself, if it speaks with an external system. What is given room for steps goes by [`drive`](Self::drive).
    pub fn outside(&mut self) -> Option<&mut dyn OutsideTask> {
        outside(self.inner.quiet())
    }

    /// Whether everything that it wrote to an external system is visible, or will be when nothing more is done.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        match self.inner.task() {
            Task::Splits(_) => true,
            Task::Inputs(task) => task.is_settled(),
        }
    }

    /// Which subtask this is.
    #[must_use]
    pub fn id(&self) -> SubtaskId {
        self.id
    }

    /// In a source, its splits, each with the offset of the next entry to read; elsewhere nothing.
    #[must_use]
    pub fn splits(&self) -> &[SplitPosition] {
        match self.inner.task() {
            Task::Splits(task) => task.positions(),
            Task::Inputs(_) => &[],
        }
    }

    /// A copy of the state at this moment, encoded: the synchronous part of a snapshot.
    #[must_use]
    pub fn freeze(&self) -> SubtaskState {
        match self.inner.task() {
            Task::Splits(task) => task.freeze(),
            Task::Inputs(task) => task.freeze(),
        }
    }

    /// The conserved quantity in a snapshot of this subtask, where the job declares one: computed from
    /// what was frozen, so that what freezing loses is missing from it.
    ///
    /// # Errors
    ///
    /// When the snapshot is corrupt, or was taken of another subtask or job.
    pub fn tokens_in(&self, state: &SubtaskState) -> Result<Option<i64>, RestoreError> {
        if self.tokens().is_none() {
            return Ok(None);
        }
        let mut copy = self.clone();
        copy.restore(state)?;
        Ok(copy.tokens())
    }

    /// Where it stands in event time.
    #[must_use]
    pub fn time(&self) -> TimeStand {
        match self.inner.task() {
            Task::Splits(task) => task.time(),
            Task::Inputs(task) => task.time(),
        }
    }

    /// The conserved quantity in the state, where the job declares one.
    #[must_use]
    pub fn tokens(&self) -> Option<i64> {
        match self.inner.task() {
            Task::Splits(_) => None,
            Task::Inputs(task) => task.tokens(),
        }
    }
}

impl fmt::Debug for Subtask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subtask").field("id", &self.id).finish_non_exhaustive()
    }
}
