//! The task side of the first stage of a sink with a global committer.

use super::channels::{freeze_watermarks, restore_watermarks};
use super::collector::Collector;
use super::committing_sink::{
    CheckpointOutcome, CommittableId, Opening, RowMaker, SinkOutputs, StagingWriter,
};
use super::data::{Bytes, decode, encode};
use super::outside::{Heard, Numbers, OutsideTask, understood};
use super::placement::Placement;
use super::record::{Item, Outputs, Record};
use super::router::{Consumer, Router};
use super::state::{StateKind, StateShape};
use super::subtask_state::{RestoreError, SubtaskState};
use super::task::InputTask;
use super::time::{TimeStand, TimeStep};
use super::watermark::WatermarkMerger;
use crate::protocol::ordered::VecSet;
use crate::protocol::{Attempt, CheckpointId, DefectSet, LineageId, OperatorId, TransactionId};

/// One subtask of a staging writer.
#[derive(Clone)]
pub(crate) struct StagingTask<W: StagingWriter> {
    writer: W,
    operator: OperatorId,
    index: u16,
    parallelism: u16,
    attempt: Attempt,
    watermarks: WatermarkMerger,
    router: Router<W::Staged>,
    defects: DefectSet,
    numbers: Numbers<W::Token>,
    /// Whether the writer has begun: before that, its state is what it was restored with.
    has_begun: bool,
    /// What it was restored with, until it begins.
    states: Vec<W::State>,
    /// Checkpoints for which not everything is known to be durable.
    preparing: VecSet<CheckpointId>,
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
            operator: placement.operator,
            index: placement.index,
            parallelism: placement.parallelism,
            attempt: Attempt::default(),
            watermarks: WatermarkMerger::of(placement, defects),
            router: Router::new(placement, consumers),
            defects,
            numbers: Numbers::new(),
            has_begun: false,
            states: Vec::new(),
            preparing: VecSet::new(),
        }
    }

    fn parts<'a>(&'a mut self, out: &'a mut Outputs) -> (&'a mut W, SinkOutputs<'a, W::Token>) {
        let (numbers, defects) = (&mut self.numbers, self.defects);
        (&mut self.writer, SinkOutputs { defects, numbers, out })
    }

    fn advance(&self, risen: Option<i64>, out: &mut Outputs) {
        if let Some(lowest) = risen {
            out.note(|| TimeStep::Advanced { watermark: lowest });
            self.router.edges().broadcast_watermark(lowest, out);
        }
    }

    /// Where what is staged for a checkpoint comes from: no record, so it is named after who staged it, and when.
    fn lineage(&self, checkpoint: Option<CheckpointId>) -> LineageId {
        let who = u64::from(self.attempt.0) << 16 | u64::from(self.index);
        let when = checkpoint.map_or(u64::MAX, |checkpoint| checkpoint.0);
        LineageId::of_timer(self.operator, who, when.cast_signed())
    }
}

fn shapes() -> Vec<StateShape> {
    vec![StateShape { name: "writer-states".to_owned(), kind: StateKind::Operator }]
}

impl<W: StagingWriter> InputTask for StagingTask<W> {
    fn process(&mut self, channel: usize, item: Item, out: &mut Outputs) {
        match item {
            Item::Record(Record { lineage, timestamp, payload }) => {
                let row = RowMaker { operator: self.operator, lineage, timestamp };
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
        let own = if self.has_begun { self.writer.freeze() } else { Vec::new() };
        let states = [self.states.clone(), own].concat();
        let mut state = SubtaskState {
            shapes: shapes(),
            operator_lists: vec![states.iter().map(|state| Bytes(encode(state))).collect()],
            counters: self.router.edges().counters(),
            ..SubtaskState::default()
        };
        freeze_watermarks(&self.watermarks, &mut state);
        state
    }

    fn restore(&mut self, state: &SubtaskState) -> Result<(), RestoreError> {
        state.check_shapes(&shapes())?;
        let corrupt = RestoreError::Corrupt { what: "state of a sink" };
        for bytes in state.operator_lists.iter().flatten() {
            self.states.push(postcard::from_bytes(bytes).map_err(|_| corrupt.clone())?);
        }
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
        (self.attempt, self.has_begun) = (attempt, true);
        let opening = Opening {
            operator: self.operator,
            index: self.index,
            parallelism: self.parallelism,
            attempt,
            checkpoint,
            states: std::mem::take(&mut self.states),
            committables: Vec::new(),
        };
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
        self.preparing.insert(checkpoint);
        let (writer, mut outputs) = self.parts(out);
        writer.flush(checkpoint, &mut outputs);
    }

    fn holds(&self, _: TransactionId) -> bool {
        false
    }

    fn commit(&mut self, _: TransactionId, _: &mut Outputs) {}

    fn handle_heard(&mut self, number: u64, heard: Heard, out: &mut Outputs) -> Result<(), String> {
        let Some(token) = self.numbers.take(number) else { return Ok(()) };
        let answer = understood(heard)?;
        let (writer, mut outputs) = self.parts(out);
        writer.handle_answer(token, answer, &mut outputs);
        Ok(())
    }

    fn handle_timer(&mut self, _: u64, _: &mut Outputs) {}

    fn settle(&mut self, _: CheckpointId, _: CheckpointOutcome, _: &mut Outputs) {}

    fn confirm_prepared(&mut self, checkpoint: CheckpointId) -> Result<(), String> {
        let is_awaited = self.preparing.remove(&checkpoint);
        is_awaited
            .then_some(())
            .ok_or_else(|| format!("nothing is being prepared for {checkpoint}"))
    }

    fn confirm_committed(&mut self, part: CommittableId) -> Result<bool, String> {
        Err(format!("{} is committed by nobody here", part.transaction))
    }

    fn put_off(&mut self, part: CommittableId) -> Result<(), String> {
        Err(format!("{} is committed by nobody here", part.transaction))
    }
}
