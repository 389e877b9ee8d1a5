//! The task side of stateful operators, on one input or on two.

use std::sync::Arc;

use super::channels::{freeze_watermarks, restore_watermarks};
use super::collector::Collector;
use super::context::Context;
use super::data::Bytes;
use super::keyed_store::{KeyedStore, Step};
use super::outside::OutsideTask;
use super::placement::Placement;
use super::processing_timers::ProcessingTimer;
use super::record::{Item, Outputs, Record};
use super::router::{Consumer, Router};
use super::state::StateDeclarations;
use super::state_view::StateView;
use super::stateful_logic::Logic;
use super::subtask_state::{RestoreError, SubtaskState};
use super::task::InputTask;
use super::time::{TimeStand, TimeStep, TimerId};
use super::watermark::WatermarkMerger;
use crate::protocol::{DefectSet, Digest, LineageId};

/// How many timers may be registered and fire again within one advance of the watermark, or at one time of the clock.
///
/// A timer that registers the next one, for ever, would never end once the watermark is at its maximum; nor would one
/// that registers itself for a time at which the clock has been.
pub const TIMER_CASCADE_MAX: usize = 100_000;

/// Timers that fire one after the other, by one clock: those that were pending, and so many that they register.
struct Cascade {
    left: usize,
}

impl Cascade {
    fn new(pending: usize) -> Self {
        Self { left: pending.saturating_add(TIMER_CASCADE_MAX) }
    }

    /// The timer of this key, for this time, is about to fire.
    ///
    /// # Panics
    ///
    /// When there is no end of them.
    fn fire<O>(&mut self, (at, key): (i64, &[u8]), clock: impl FnOnce() -> String) {
        if self.left == 0 {
            let (clock, operator) = (clock(), std::any::type_name::<O>());
            panic!(
                "timers register timers without end at {clock}: more than {TIMER_CASCADE_MAX}, at last one for {at} of \
                 the key with the bytes {key:?}, in {operator}"
            );
        }
        self.left -= 1;
    }
}

/// Which timers time has passed already. One of those is registered again where a record is late, or by a timer; what
/// it does then is not what it did before.
struct Passed {
    /// The watermark before this one.
    before: i64,
    /// The timer that fired last of all that do when the watermark rises.
    last: Option<(i64, Bytes)>,
    fired: u64,
}

impl Passed {
    fn up_to(before: i64) -> Self {
        Self { before, last: None, fired: 0 }
    }

    /// A timer fires. If its time had passed: how many have fired since the watermark rose.
    fn pass(&mut self, timestamp: i64, key: &Bytes) -> Option<u64> {
        self.fired += 1;
        let at = (timestamp, key.clone());
        if timestamp <= self.before || self.last.as_ref().is_some_and(|last| at <= *last) {
            return Some(self.fired);
        }
        self.last = Some(at);
        None
    }
}

/// Computes a conserved quantity from all state of a subtask.
pub(crate) type Conserved<O> = Arc<dyn Fn(&O, &StateView<'_>) -> i64 + Send + Sync>;

/// One subtask of a stateful operator.
pub(crate) struct StatefulTask<L: Logic> {
    logic: L,
    store: KeyedStore,
    /// For each channel, the input it belongs to.
    ports: Arc<[u8]>,
    watermarks: WatermarkMerger,
    router: Router<L::Out>,
    conserved: Option<Conserved<L::Operator>>,
}

impl<L: Logic> StatefulTask<L> {
    /// A fresh subtask.
    pub(crate) fn new(
        logic: L,
        states: &StateDeclarations,
        conserved: Option<Conserved<L::Operator>>,
        placement: &Placement,
        consumers: &[Consumer],
        defects: DefectSet,
    ) -> Self {
        Self {
            logic,
            store: KeyedStore::new(placement, states, defects),
            ports: Arc::clone(&placement.ports),
            watermarks: WatermarkMerger::of(placement, defects),
            router: Router::new(placement, consumers),
            conserved,
        }
    }

    #[inline]
    fn process_record(&mut self, channel: usize, record: &Record, out: &mut Outputs) {
        let Self { logic, store, router, .. } = self;
        let watermark = self.watermarks.current();
        logic.process(self.ports[channel], record, watermark, store, router, out);
    }

    /// `before` is the watermark that has risen.
    fn advance(&mut self, before: i64, risen: Option<i64>, out: &mut Outputs) {
        let Some(lowest) = risen else { return };
        out.note(|| TimeStep::Advanced { watermark: lowest });
        self.fire_timers(before, lowest, out);
        self.router.edges().broadcast_watermark(lowest, out);
    }

    fn fire_timers(&mut self, before: i64, watermark: i64, out: &mut Outputs) {
        let mut cascade = Cascade::new(self.store.timers_pending());
        let mut passed = Passed::up_to(before);
        while let Some((timestamp, key)) = self.store.pop_timer(watermark) {
            cascade.fire::<L::Operator>((timestamp, &key), || format!("watermark {watermark}"));
            let id = LineageId::of_timer(self.router.operator(), Digest::of(&key).0, timestamp);
            let parent = match passed.pass(timestamp, &key) {
                None => id,
                Some(number) => id.fired_late(watermark, number),
            };
            self.fire_timer(parent, (timestamp, &key), watermark, out);
        }
    }

    fn fire_timer(
        &mut self,
        parent: LineageId,
        (timestamp, key): (i64, &[u8]),
        watermark: i64,
        out: &mut Outputs,
    ) {
        let Self { logic, store, router, .. } = self;
        out.note(|| TimeStep::Fired(TimerId::new(timestamp, key)));
        let step = Step { key: Some(key), timestamp, watermark, parent, index: 0, payload: &[] };
        let fire = |ctx: &mut Context<'_>, out: &mut Collector<'_, L::Out>| {
            logic.on_timer(timestamp, ctx, out);
        };
        store.step(&step, router, out, fire);
    }
}

impl<L: Logic> StatefulTask<L> {
    fn fire_processing_timer(&mut self, timer: &ProcessingTimer, out: &mut Outputs) {
        let watermark = self.watermarks.current();
        let Self { logic, store, router, .. } = self;
        let ProcessingTimer { at_ms, ref key, registered_by } = *timer;
        let (operator, hash) = (router.operator(), Digest::of(key).0);
        let parent = LineageId::of_processing_timer(operator, hash, at_ms, registered_by);
        let timestamp = at_ms;
        let step = Step { key: Some(key), timestamp, watermark, parent, index: 0, payload: &[] };
        let fire = |ctx: &mut Context<'_>, out: &mut Collector<'_, L::Out>| {
            logic.on_processing_timer(at_ms, ctx, out);
        };
        store.step(&step, router, out, fire);
    }
}

impl<L: Logic> Clone for StatefulTask<L> {
    fn clone(&self) -> Self {
        Self {
            logic: self.logic.clone(),
            store: self.store.clone(),
            ports: Arc::clone(&self.ports),
            watermarks: self.watermarks.clone(),
            router: self.router.clone(),
            conserved: self.conserved.clone(),
        }
    }
}

impl<L: Logic> InputTask for StatefulTask<L> {
    fn process(&mut self, channel: usize, item: Item, out: &mut Outputs) {
        match item {
            Item::Record(record) => self.process_record(channel, &record, out),
            Item::Watermark(watermark) => {
                let before = self.watermarks.current();
                let risen = self.watermarks.advance(channel, watermark);
                self.advance(before, risen, out);
            }
        }
    }

    fn end_channel(&mut self, channel: usize, out: &mut Outputs) {
        let before = self.watermarks.current();
        let risen = self.watermarks.end(channel);
        self.advance(before, risen, out);
    }

    fn freeze(&self) -> SubtaskState {
        let mut state =
            SubtaskState { counters: self.router.edges().counters(), ..SubtaskState::default() };
        self.store.freeze(&mut state);
        freeze_watermarks(&self.watermarks, &mut state);
        state
    }

    fn restore(&mut self, state: &SubtaskState) -> Result<(), RestoreError> {
        self.store.restore(state)?;
        restore_watermarks(&mut self.watermarks, state)?;
        self.router.edges_mut().restore(&state.counters)
    }

    fn fire_processing_timers(&mut self, out: &mut Outputs) {
        let (now_ms, mut cascade) = (out.now_ms, Cascade::new(self.store.processing_pending()));
        while let Some(timer) = self.store.pop_processing_timer(now_ms) {
            let at = (timer.at_ms, &*timer.key);
            cascade.fire::<L::Operator>(at, || format!("{now_ms} ms on the clock"));
            self.fire_processing_timer(&timer, out);
        }
        out.wake_at_ms = self.store.next_processing_timer();
    }

    fn next_processing_timer(&self) -> Option<i64> {
        self.store.next_processing_timer()
    }

    fn open(&mut self) {
        self.logic.on_restore(&mut self.store.subtask_context());
    }

    fn time(&self) -> TimeStand {
        let timers = self.store.timers_pending() as u64;
        TimeStand { watermark: self.watermarks.current(), timers }
    }

    fn tokens(&self) -> Option<i64> {
        let conserved = self.conserved.as_ref()?;
        Some(conserved(self.logic.operator(), &self.store.view()))
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
