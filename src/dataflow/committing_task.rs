//! The task side of a sink that commits: what it has promised, until that is visible.

use super::channels::{freeze_watermarks, restore_watermarks};
use super::committing_sink::{
    Batch, CheckpointOutcome, CommittableId, CommittingSink, SinkOutputs,
};
use super::conversation::{Conversation, element, read};
use super::data::decode;
use super::outside::{Heard, OutsideTask};
use super::placement::Placement;
use super::record::{Item, Outputs, Record};
use super::sink_task::note_risen;
use super::state::{StateKind, StateShape};
use super::subtask_state::{RestoreError, SubtaskState};
use super::task::InputTask;
use super::time::TimeStand;
use super::watermark::WatermarkMerger;
use crate::protocol::ordered::VecMap;
use crate::protocol::{Attempt, CheckpointId, Defect, DefectSet, TransactionId};

/// How many committables a sink may promise at one cut: each has a number of 16 bits.
const COMMITTABLES_MAX: usize = 1 << 16;

/// One subtask of a sink that commits.
#[derive(Clone)]
pub(crate) struct CommittingTask<S: CommittingSink> {
    sink: S,
    conversation: Conversation<S::Token, S::State>,
    watermarks: WatermarkMerger,
    defects: DefectSet,
    /// What is promised and not known to be visible, by what stands for it.
    held: VecMap<TransactionId, Held<S::Committable>>,
}

/// What one `pre_commit` gave, as far as it is not known to be visible.
#[derive(Clone)]
struct Held<C> {
    checkpoint: CheckpointId,
    parts: VecMap<u16, Part<C>>,
}

#[derive(Clone)]
struct Part<C> {
    committable: C,
    /// The sink has it, and has not said what became of it.
    is_asked: bool,
}

impl<S: CommittingSink> CommittingTask<S> {
    /// A fresh subtask.
    pub(crate) fn new(sink: S, placement: &Placement, defects: DefectSet) -> Self {
        Self {
            sink,
            conversation: Conversation::new(placement, defects),
            watermarks: WatermarkMerger::of(placement, defects),
            defects,
            held: VecMap::new(),
        }
    }

    /// The sink, and where it puts what it wants done.
    fn parts<'a>(&'a mut self, out: &'a mut Outputs) -> (&'a mut S, SinkOutputs<'a, S::Token>) {
        (&mut self.sink, self.conversation.outputs(out))
    }

    /// Those restored, oldest first.
    fn committables(&self) -> Vec<S::Committable> {
        let mut held: Vec<_> = self.held.values().collect();
        held.sort_by_key(|held| held.checkpoint);
        let parts = held.into_iter().flat_map(|held| held.parts.values());
        parts.map(|part| part.committable.clone()).collect()
    }

    fn asked(&mut self, part: CommittableId) -> Result<&mut Held<S::Committable>, String> {
        let CommittableId { transaction, index } = part;
        let unknown = format!("committable {index} of {transaction} was not to be committed");
        let held = self.held.get_mut(&transaction).ok_or_else(|| unknown.clone())?;
        match held.parts.get(&index) {
            Some(Part { is_asked: true, .. }) => Ok(held),
            Some(Part { is_asked: false, .. }) | None => Err(unknown),
        }
    }
}

/// What a snapshot holds of the sink: its states, and its committables.
fn shapes() -> Vec<StateShape> {
    let shape = |name: &str| StateShape { name: name.to_owned(), kind: StateKind::Operator };
    vec![shape("writer-states"), shape("committables")]
}

/// How a committable is kept, with what it belongs to.
type Kept<C> = (CheckpointId, TransactionId, u16, C);

impl<S: CommittingSink> InputTask for CommittingTask<S> {
    fn process(&mut self, channel: usize, item: Item, out: &mut Outputs) {
        match item {
            Item::Record(Record { lineage, timestamp, payload }) => {
                let row = self.conversation.row_maker(lineage, timestamp);
                let (sink, mut outputs) = self.parts(out);
                sink.write(decode(&payload), row, &mut outputs);
            }
            Item::Watermark(watermark) => {
                note_risen(self.watermarks.advance(channel, watermark), out);
            }
        }
    }

    fn end_channel(&mut self, channel: usize, out: &mut Outputs) {
        note_risen(self.watermarks.end(channel), out);
    }

    fn freeze(&self) -> SubtaskState {
        let mut kept = Vec::new();
        for (transaction, Held { checkpoint, parts }) in &self.held {
            for (index, Part { committable, .. }) in parts {
                kept.push((*checkpoint, *transaction, *index, committable));
            }
        }
        let states = self.conversation.freeze(|| self.sink.freeze());
        let mut state = SubtaskState {
            shapes: shapes(),
            operator_lists: vec![states, kept.iter().map(element).collect()],
            ..SubtaskState::default()
        };
        freeze_watermarks(&self.watermarks, &mut state);
        state
    }

    fn restore(&mut self, state: &SubtaskState) -> Result<(), RestoreError> {
        state.check_shapes(&shapes())?;
        let [states, kept] = &state.operator_lists[..] else {
            return Err(RestoreError::Corrupt { what: "state of a sink" });
        };
        self.conversation.restore(states)?;
        for bytes in kept {
            let (checkpoint, transaction, index, committable): Kept<S::Committable> = read(bytes)?;
            let fresh = || Held { checkpoint, parts: VecMap::new() };
            let held = self.held.entry(transaction).or_insert_with(fresh);
            held.parts.insert(index, Part { committable, is_asked: false });
        }
        if self.defects.has(Defect::OnlyNewestRestored) {
            let newest = self.held.values().map(|held| held.checkpoint).max();
            self.held.retain(|_, held| Some(held.checkpoint) == newest);
        }
        restore_watermarks(&mut self.watermarks, state)
    }

    fn time(&self) -> TimeStand {
        TimeStand { watermark: self.watermarks.current(), timers: 0 }
    }

    fn tokens(&self) -> Option<i64> {
        None
    }

    fn outside(&mut self) -> Option<&mut dyn OutsideTask> {
        Some(self)
    }

    fn is_settled(&self) -> bool {
        self.held.is_empty() && self.sink.is_settled()
    }

    fn boxed_clone(&self) -> Box<dyn InputTask> {
        Box::new(self.clone())
    }
}

impl<S: CommittingSink> OutsideTask for CommittingTask<S> {
    fn open(&mut self, attempt: Attempt, checkpoint: Option<CheckpointId>, out: &mut Outputs) {
        let opening = self.conversation.begin(attempt, checkpoint, self.committables());
        let (sink, mut outputs) = self.parts(out);
        sink.open(opening, &mut outputs);
    }

    fn restored(&self) -> Vec<(CheckpointId, TransactionId)> {
        self.held.iter().map(|(transaction, held)| (held.checkpoint, *transaction)).collect()
    }

    fn stage(&mut self, _: Option<CheckpointId>, _: &mut Outputs) {}

    fn pre_commit(
        &mut self,
        checkpoint: CheckpointId,
        transaction: Option<TransactionId>,
        out: &mut Outputs,
    ) {
        self.conversation.prepare(checkpoint);
        let (sink, mut outputs) = self.parts(out);
        let given = sink.pre_commit(checkpoint, &mut outputs);
        let (count, most) = (given.len(), COMMITTABLES_MAX);
        if count > most {
            return outputs.fail(format!(
                "it promises {count} committables for {checkpoint}; {most} at most fit a snapshot"
            ));
        }
        let part = |committable| Part { committable, is_asked: false };
        let parts: VecMap<u16, _> = (0..=u16::MAX).zip(given.into_iter().map(part)).collect();
        if let Some(transaction) = transaction.filter(|_| !parts.is_empty()) {
            self.held.insert(transaction, Held { checkpoint, parts });
        }
    }

    fn holds(&self, transaction: TransactionId) -> bool {
        self.held.contains_key(&transaction)
    }

    fn commit(&mut self, transaction: TransactionId, out: &mut Outputs) {
        let Some(Held { checkpoint, parts }) = self.held.get_mut(&transaction) else { return };
        let mut batch = Batch { checkpoint: *checkpoint, parts: Vec::new() };
        for (index, part) in parts.iter_mut().filter(|(_, part)| !part.is_asked) {
            part.is_asked = true;
            let id = CommittableId { transaction, index: *index };
            batch.parts.push((id, part.committable.clone()));
        }
        if !batch.parts.is_empty() {
            let (sink, mut outputs) = self.parts(out);
            sink.commit(batch, &mut outputs);
        }
    }

    fn handle_heard(&mut self, number: u64, heard: Heard, out: &mut Outputs) -> Result<(), String> {
        let Some((token, answer)) = self.conversation.hear(number, heard)? else { return Ok(()) };
        let (sink, mut outputs) = self.parts(out);
        sink.handle_answer(token, answer, &mut outputs);
        Ok(())
    }

    fn handle_timer(&mut self, number: u64, out: &mut Outputs) {
        let Some(token) = self.conversation.take(number) else { return };
        let (sink, mut outputs) = self.parts(out);
        sink.handle_timer(token, &mut outputs);
    }

    fn settle(&mut self, checkpoint: CheckpointId, outcome: CheckpointOutcome, out: &mut Outputs) {
        let (sink, mut outputs) = self.parts(out);
        sink.handle_outcome(checkpoint, outcome, &mut outputs);
    }

    fn confirm_prepared(&mut self, checkpoint: CheckpointId) -> Result<(), String> {
        self.conversation.confirm_prepared(checkpoint)
    }

    fn confirm_committed(&mut self, part: CommittableId) -> Result<bool, String> {
        let held = self.asked(part)?;
        held.parts.remove(&part.index);
        let is_over = held.parts.is_empty();
        if is_over {
            self.held.remove(&part.transaction);
        }
        Ok(is_over)
    }

    fn put_off(&mut self, part: CommittableId) -> Result<(), String> {
        let held = self.asked(part)?;
        if let Some(part) = held.parts.get_mut(&part.index) {
            part.is_asked = false;
        }
        Ok(())
    }
}
