//! The task side of an asynchronous operator.

use std::sync::Arc;

use super::async_queue::{AnswerOrder, AsyncQueue, Emission};
use super::channels::{freeze_watermarks, restore_watermarks};
use super::collector::Collector;
use super::data::{Bytes, decode, encode};
use super::outside::OutsideTask;
use super::placement::Placement;
use super::record::{Item, Outputs, Record};
use super::router::{Consumer, Router};
use super::state::{StateKind, StateShape};
use super::subtask_state::{RestoreError, SubtaskState};
use super::task::{InputTask, Requests};
use super::time::{TimeStand, TimeStep};
use super::transform_task::Transform;
use super::watermark::WatermarkMerger;
use crate::protocol::DefectSet;

/// One subtask of an operator that asks a service, whose answers are what `ask` says.
pub(crate) struct AsyncTask<F: Transform> {
    ask: Arc<F>,
    queue: AsyncQueue,
    watermarks: WatermarkMerger,
    router: Router<F::Out>,
}

/// How an asynchronous operator waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wait {
    pub(crate) order: AnswerOrder,
    pub(crate) capacity: u16,
}

impl Wait {
    /// With room for at least one request.
    pub(crate) fn new(order: AnswerOrder, capacity: u16) -> Self {
        assert!(capacity > 0, "an operator that may ask for nothing never goes on");
        Self { order, capacity }
    }
}

impl<F: Transform> AsyncTask<F> {
    /// A fresh subtask.
    pub(crate) fn new(
        ask: Arc<F>,
        wait: Wait,
        placement: &Placement,
        consumers: &[Consumer],
        defects: DefectSet,
    ) -> Self {
        let watermarks = WatermarkMerger::of(placement, defects);
        let queue = AsyncQueue::new(wait.order, wait.capacity, defects);
        Self { ask, queue, watermarks, router: Router::new(placement, consumers) }
    }

    fn advance(&mut self, risen: Option<i64>, out: &mut Outputs) {
        if let Some(watermark) = risen {
            self.queue.push_watermark(watermark);
            while let Some(emission) = self.next() {
                self.emit(emission, out);
            }
        }
    }

    fn emit_answer(&mut self, record: &Record, out: &mut Outputs) {
        let (parent, timestamp) = (record.lineage, record.timestamp);
        let mut collector =
            Collector { router: &mut self.router, out, parent, index: 0, timestamp };
        self.ask.apply(decode(&record.payload), &mut collector);
    }
}

impl<F: Transform> Clone for AsyncTask<F> {
    fn clone(&self) -> Self {
        Self {
            ask: Arc::clone(&self.ask),
            queue: self.queue.clone(),
            watermarks: self.watermarks.clone(),
            router: self.router.clone(),
        }
    }
}

/// What is under way is a list of the subtask, dealt out anew when the number of subtasks changes.
fn shapes() -> Vec<StateShape> {
    vec![StateShape { name: "under-way".to_owned(), kind: StateKind::Operator }]
}

impl<F: Transform> Requests for AsyncTask<F> {
    fn answer(&mut self, number: u64) {
        self.queue.answer(number);
    }

    fn next(&mut self) -> Option<Emission> {
        self.queue.poll()
    }

    fn emit(&mut self, emission: Emission, out: &mut Outputs) {
        match emission {
            Emission::Answer(record) => self.emit_answer(&record, out),
            Emission::Watermark(watermark) => {
                out.note(|| TimeStep::Advanced { watermark });
                self.router.edges().broadcast_watermark(watermark, out);
            }
        }
    }

    fn is_full(&self) -> bool {
        self.queue.is_full()
    }

    fn len(&self) -> usize {
        self.queue.len()
    }

    fn under_way(&self) -> Vec<u64> {
        self.queue.under_way()
    }
}

impl<F: Transform> InputTask for AsyncTask<F> {
    fn process(&mut self, channel: usize, item: Item, out: &mut Outputs) {
        match item {
            Item::Record(record) => out.requests.push(self.queue.push(record)),
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
        let under_way = self.queue.freeze();
        let mut state = SubtaskState {
            shapes: shapes(),
            operator_lists: vec![under_way.iter().map(|one| Bytes(encode(one))).collect()],
            counters: self.router.edges().counters(),
            ..SubtaskState::default()
        };
        freeze_watermarks(&self.watermarks, &mut state);
        state
    }

    fn restore(&mut self, state: &SubtaskState) -> Result<(), RestoreError> {
        state.check_shapes(&shapes())?;
        restore_watermarks(&mut self.watermarks, state)?;
        let corrupt = |_| RestoreError::Corrupt { what: "list of requests under way" };
        let under_way = state.operator_lists.iter().flatten();
        let under_way = under_way.map(|one| postcard::from_bytes(one).map_err(corrupt));
        let under_way = under_way.collect::<Result<Vec<_>, _>>()?;
        self.queue.restore(under_way, self.watermarks.current());
        self.router.edges_mut().restore(&state.counters)
    }

    fn time(&self) -> TimeStand {
        TimeStand { watermark: self.watermarks.current(), timers: 0 }
    }

    fn tokens(&self) -> Option<i64> {
        None
    }

    fn outside(&mut self) -> Option<&mut dyn OutsideTask> {
        None
    }

    fn is_settled(&self) -> bool {
        true
    }

    fn requests(&self) -> Option<&dyn Requests> {
        Some(self)
    }

    fn requests_mut(&mut self) -> Option<&mut dyn Requests> {
        Some(self)
    }

    fn boxed_clone(&self) -> Box<dyn InputTask> {
        Box::new(self.clone())
    }
}
