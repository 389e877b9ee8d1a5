//! The task side of the first stage of a sink with a global committer.

use super::channels::{freeze_watermarks, restore_watermarks};
use super::collector::Collector;
use super::committing_sink::{CheckpointOutcome, CommittableId, SinkOutputs, StagingWriter};
use super::conversation::Conversation;
use super::data::decode;
use super::outside::{Heard, OutsideTask};
use super::placement::Placement;
use super::record::{Item, Outputs, Record};
use super::router::{Consumer, Router};
use super::state::{StateKind, StateShape};
use super::subtask_state::{RestoreError, SubtaskState};
use super::task::InputTask;
use super::time::{TimeStand, TimeStep};
use super::watermark::WatermarkMerger;
use crate::protocol::{Attempt, CheckpointId, DefectSet, LineageId, TransactionId};

/// One subtask of a staging writer.
#[derive(Clone)]
pub(crate) struct StagingTask<W: StagingWriter> {
    writer: W,
    conversation: Conversation<W::Token, W::State>,
    attempt: Attempt,
    watermarks: WatermarkMerger,
    router: Router<W::Staged>,
}

impl<W: StagingWriter> StagingTask<W> {
    /// A fresh subtask.
    pub(crate) fn new(
        writer: W,
        placement: &Placement,
        consumers: &[Consumer],
        defects: DefectSet,
    ) -> Self {
        Self {
            writer,
            conversation: Conversation::new(placement, defects),
            attempt: Attempt::default(),
            watermarks: WatermarkMerger::of(placement, defects),
            router: Router::new(placement, consumers),
        }
    }

    fn parts<'a>(&'a mut self, out: &'a mut Outputs) -> (&'a mut W, SinkOutputs<'a, W::Token>) {
        (&mut self.writer, self.conversation.outputs(out))
    }

    fn advance(&self, risen: Option<i64>, out: &mut Outputs) {
        if let Some(lowest) = risen {
            out.note(|| TimeStep::Advanced { watermark: lowest });
            self.router.edges().broadcast_watermark(lowest, out);
        }
    }

    /// Where what is staged for a checkpoint comes from: no record, so it is named after who staged it, and when.
    fn lineage(&self, checkpoint: Option<CheckpointId>) -> LineageId {
        let who = u64::from(self.attempt.0) << 16 | u64::from(self.conversation.index);
        let when = checkpoint.map_or(u64::MAX, |checkpoint| checkpoint.0);
        LineageId::of_timer(self.conversation.operator, who, when.cast_signed())
    }
}

fn shapes() -> Vec<StateShape> {
    vec![StateShape { name: "writer-states".to_owned(), kind: StateKind::Operator }]
}

impl<W: StagingWriter> InputTask for StagingTask<W> {
    fn process(&mut self, channel: usize, item: Item, out: &mut Outputs) {
        match item {
            Item::Record(Record { lineage, timestamp, payload }) => {
                let row = self.conversation.row_maker(lineage, timestamp);
                let (writer, mut outputs) = self.parts(out);
                writer.write(decode(&payload), row, &mut outputs);
            }
            Item::Watermark(watermark) => {
                let risen = self.watermarks.advance(channel, watermark);
                self.advance(risen, out);
            }
        }
    }

    fn end_channel(&mut self, channel: usize, out: &mut Outputs) {
        let risen = self.watermarks.end(channel);
        self.advance(risen, out);
    }

    fn freeze(&self) -> SubtaskState {
        let states = self.conversation.freeze(|| self.writer.freeze());
        let mut state = SubtaskState {
            shapes: shapes(),
            operator_lists: vec![states],
            counters: self.router.edges().counters(),
            ..SubtaskState::default()
        };
        freeze_watermarks(&self.watermarks, &mut state);
        state
    }

    fn restore(&mut self, state: &SubtaskState) -> Result<(), RestoreError> {
        state.check_shapes(&shapes())?;
        let [states] = &state.operator_lists[..] else {
            return Err(RestoreError::Corrupt { what: "state of a sink" });
        };
        self.conversation.restore(states)?;
        restore_watermarks(&mut self.watermarks, state)?;
        self.router.edges_mut().restore(&state.counters)
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
        true
    }

    fn boxed_clone(&self) -> Box<dyn InputTask> {
        Box::new(self.clone())
    }
}

impl<W: StagingWriter> OutsideTask for StagingTask<W> {
    fn open(&mut self, attempt: Attempt, checkpoint: Option<CheckpointId>, out: &mut Outputs) {
        self.attempt = attempt;
        let opening = self.conversation.begin(attempt, checkpoint, Vec::new());
        let (writer, mut outputs) = self.parts(out);
        writer.open(opening, &mut outputs);
    }

    fn restored(&self) -> Vec<(CheckpointId, TransactionId)> {
        Vec::new()
    }

    fn stage(&mut self, checkpoint: Option<CheckpointId>, out: &mut Outputs) {
        let (writer, mut outputs) = self.parts(out);
        let staged = writer.stage(checkpoint, &mut outputs);
        let parent = self.lineage(checkpoint);
        let timestamp = self.watermarks.current().saturating_add(1);
        let router = &mut self.router;
        let mut collector = Collector { router, out, parent, index: 0, timestamp };
        staged.into_iter().for_each(|staged| collector.emit(staged));
    }

    fn pre_commit(
        &mut self,
        checkpoint: CheckpointId,
        _: Option<TransactionId>,
        out: &mut Outputs,
    ) {
        self.conversation.prepare(checkpoint);
        let (writer, mut outputs) = self.parts(out);
        writer.flush(checkpoint, &mut outputs);
    }

    fn holds(&self, _: TransactionId) -> bool {
        false
    }

    fn commit(&mut self, _: TransactionId, _: &mut Outputs) {}

    fn handle_heard(&mut self, number: u64, heard: Heard, out: &mut Outputs) -> Result<(), String> {
        let Some((token, answer)) = self.conversation.hear(number, heard)? else { return Ok(()) };
        let (writer, mut outputs) = self.parts(out);
        writer.handle_answer(token, answer, &mut outputs);
        Ok(())
    }

    fn handle_timer(&mut self, number: u64, out: &mut Outputs) {
        let Some(token) = self.conversation.take(number) else { return };
        let (writer, mut outputs) = self.parts(out);
        writer.handle_timer(token, &mut outputs);
    }

    fn settle(&mut self, _: CheckpointId, _: CheckpointOutcome, _: &mut Outputs) {}

    fn confirm_prepared(&mut self, checkpoint: CheckpointId) -> Result<(), String> {
        self.conversation.confirm_prepared(checkpoint)
    }

    fn confirm_committed(&mut self, part: CommittableId) -> Result<bool, String> {
        Err(format!("{} is committed by nobody here", part.transaction))
    }

    fn put_off(&mut self, part: CommittableId) -> Result<(), String> {
        Err(format!("{} is committed by nobody here", part.transaction))
    }
}
