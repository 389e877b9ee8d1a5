//! The task side of stateless operators: map, filter, flat map.

use std::marker::PhantomData;
use std::sync::Arc;

use super::channels::{freeze_watermarks, restore_watermarks};
use super::collector::Collector;
use super::data::{Data, decode};
use super::outside::OutsideTask;
use super::placement::Placement;
use super::record::{Item, Outputs, Record};
use super::router::{Consumer, Router};
use super::subtask_state::{RestoreError, SubtaskState};
use super::task::InputTask;
use super::time::{TimeStand, TimeStep};
use super::watermark::WatermarkMerger;
use crate::protocol::DefectSet;

/// A function from one record to any number of records.
pub(crate) trait Transform: Send + Sync + 'static {
    type In: Data;
    type Out: Data;

    fn apply(&self, record: Self::In, out: &mut Collector<'_, Self::Out>);
}

/// One record to one.
pub(crate) struct Map<F, T, U> {
    function: F,
    _types: PhantomData<fn(T) -> U>,
}

/// One record to itself or to none.
pub(crate) struct Filter<F, T> {
    predicate: F,
    _types: PhantomData<fn(T)>,
}

/// One record to any number.
pub(crate) struct FlatMap<F, T, I> {
    function: F,
    _types: PhantomData<fn(T) -> I>,
}

impl<F, T, U> Map<F, T, U> {
    pub(crate) fn new(function: F) -> Self {
        Self { function, _types: PhantomData }
    }
}

impl<F, T> Filter<F, T> {
    pub(crate) fn new(predicate: F) -> Self {
        Self { predicate, _types: PhantomData }
    }
}

impl<F, T, I> FlatMap<F, T, I> {
    pub(crate) fn new(function: F) -> Self {
        Self { function, _types: PhantomData }
    }
}

impl<T: Data, U: Data, F: Fn(T) -> U + Send + Sync + 'static> Transform for Map<F, T, U> {
    type In = T;
    type Out = U;

    #[inline]
    fn apply(&self, record: T, out: &mut Collector<'_, U>) {
        out.emit((self.function)(record));
    }
}

impl<T: Data, F: Fn(&T) -> bool + Send + Sync + 'static> Transform for Filter<F, T> {
    type In = T;
    type Out = T;

    #[inline]
    fn apply(&self, record: T, out: &mut Collector<'_, T>) {
        if (self.predicate)(&record) {
            out.emit(record);
        }
    }
}

impl<T, I, F> Transform for FlatMap<F, T, I>
where
    T: Data,
    I: IntoIterator<Item: Data> + 'static,
    F: Fn(T) -> I + Send + Sync + 'static,
{
    type In = T;
    type Out = I::Item;

    #[inline]
    fn apply(&self, record: T, out: &mut Collector<'_, I::Item>) {
        (self.function)(record).into_iter().for_each(|item| out.emit(item));
    }
}

/// One subtask of a stateless operator.
pub(crate) struct TransformTask<F: Transform> {
    transform: Arc<F>,
    watermarks: WatermarkMerger,
    router: Router<F::Out>,
}

impl<F: Transform> TransformTask<F> {
    /// A fresh subtask.
    pub(crate) fn new(
        transform: Arc<F>,
        placement: &Placement,
        consumers: &[Consumer],
        defects: DefectSet,
    ) -> Self {
        let watermarks = WatermarkMerger::of(placement, defects);
        Self { transform, watermarks, router: Router::new(placement, consumers) }
    }

    #[inline]
    fn apply(&mut self, record: &Record, out: &mut Outputs) {
        let (parent, timestamp) = (record.lineage, record.timestamp);
        let mut collector =
            Collector { router: &mut self.router, out, parent, index: 0, timestamp };
        self.transform.apply(decode(&record.payload), &mut collector);
    }

    fn advance(&self, risen: Option<i64>, out: &mut Outputs) {
        if let Some(lowest) = risen {
            out.note(|| TimeStep::Advanced { watermark: lowest });
            self.router.edges().broadcast_watermark(lowest, out);
        }
    }
}

impl<F: Transform> Clone for TransformTask<F> {
    fn clone(&self) -> Self {
        Self {
            transform: Arc::clone(&self.transform),
            watermarks: self.watermarks.clone(),
            router: self.router.clone(),
        }
    }
}

impl<F: Transform> InputTask for TransformTask<F> {
    fn process(&mut self, channel: usize, item: Item, out: &mut Outputs) {
        match item {
            Item::Record(record) => self.apply(&record, out),
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
        let mut state =
            SubtaskState { counters: self.router.edges().counters(), ..SubtaskState::default() };
        freeze_watermarks(&self.watermarks, &mut state);
        state
    }

    fn restore(&mut self, state: &SubtaskState) -> Result<(), RestoreError> {
        state.check_shapes(&[])?;
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
        None
    }

    fn is_settled(&self) -> bool {
        true
    }

    fn boxed_clone(&self) -> Box<dyn InputTask> {
        Box::new(self.clone())
    }
}
