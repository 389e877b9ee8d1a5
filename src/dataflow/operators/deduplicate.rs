//! Deduplication: the first record of each key, and no other for a while.

use std::marker::PhantomData;

use crate::dataflow::{
    Collector, Context, Data, KeyedStream, Operator, Processed, StateDeclarations, ValueState,
};
use crate::protocol::Defect;

/// For how long a key is remembered, from the record on that was let through. By which clock is part of it: event time
/// gives the same output whatever fails, as long as no record is late; processing time bounds the state whatever the
/// watermark does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeToLive {
    /// Until a record of the key comes that is so much later, or the watermark is: what comes then is let through
    /// again, whatever its own time.
    EventTime {
        /// In milliseconds; at least 1.
        ms: u32,
    },
    /// Until so much time has passed on the clock of the worker.
    ProcessingTime {
        /// In milliseconds; at least 1.
        ms: u32,
    },
}

impl TimeToLive {
    /// By event time, so long from the time of the record that was let through.
    ///
    /// # Panics
    ///
    /// When that is no time at all.
    #[must_use]
    pub fn event_time(ms: u32) -> Self {
        assert!(ms > 0, "what is remembered for no time is not remembered");
        Self::EventTime { ms }
    }

    /// By the clock, so long from the moment at which the record was processed that was let through. What is let
    /// through depends on how fast records come, and on failures.
    ///
    /// # Panics
    ///
    /// When that is no time at all.
    #[must_use]
    pub fn processing_time(ms: u32) -> Self {
        assert!(ms > 0, "what is remembered for no time is not remembered");
        Self::ProcessingTime { ms }
    }
}

/// The operator of [`KeyedStream::deduplicate`].
pub struct Deduplicate<T> {
    /// Until when the key is remembered.
    until: ValueState<i64>,
    ttl: TimeToLive,
    _records: PhantomData<fn(T)>,
}

impl<T> Clone for Deduplicate<T> {
    fn clone(&self) -> Self {
        Self { until: self.until.clone(), ttl: self.ttl, _records: PhantomData }
    }
}

impl<T> Deduplicate<T> {
    /// The time by the clock that counts, and until when a key is remembered from then on.
    fn now_and_expiry(&self, ctx: &Context<'_>) -> (i64, i64) {
        let (now, ms) = match self.ttl {
            TimeToLive::EventTime { ms } => (ctx.timestamp(), ms),
            TimeToLive::ProcessingTime { ms } => (ctx.processing_time(), ms),
        };
        (now, now.saturating_add(i64::from(ms)))
    }

    /// A key of which a record was let through again meanwhile is remembered longer.
    fn forget(&self, at: i64, ctx: &mut Context<'_>) {
        let mut until = ctx.value(&self.until);
        if until.get().is_some_and(|until| until <= at) {
            until.clear();
        }
    }
}

impl<T: Data> Operator for Deduplicate<T> {
    type In = T;
    type Out = T;

    fn process(&mut self, record: T, ctx: &mut Context<'_>, out: &mut Collector<'_, T>) {
        let known = ctx.value(&self.until).get();
        let (now, expiry) = self.now_and_expiry(ctx);
        let is_new = known.is_none_or(|until| until <= now);
        if is_new || ctx.defects.has(Defect::DuplicateMovesExpiry) {
            ctx.value(&self.until).set(&expiry);
            match self.ttl {
                TimeToLive::EventTime { .. } => ctx.register_timer(expiry),
                TimeToLive::ProcessingTime { .. } => ctx.register_processing_timer(expiry),
            }
        }
        if is_new {
            out.emit(record);
        }
    }

    fn on_timer(&mut self, at: i64, ctx: &mut Context<'_>, _: &mut Collector<'_, T>) {
        self.forget(at, ctx);
    }

    fn on_processing_timer(&mut self, at: i64, ctx: &mut Context<'_>, _: &mut Collector<'_, T>) {
        self.forget(at, ctx);
    }
}

impl<K: Data, T: Data> KeyedStream<K, T> {
    /// The first record of each key; those that follow are dropped as long as the key is remembered. A record that is
    /// dropped makes that no longer.
    ///
    /// Which is the first of several depends on the order in which they come: where two records of a key
    /// differ, it is the same after a failure only if they come from one split.
    ///
    /// ```
    /// use cutwater::dataflow::{EncodedSink, Input, JobBuilder, Replay, TimeToLive};
    /// use cutwater::explore::Check;
    ///
    /// let job = JobBuilder::new("once");
    /// job.source("orders", Replay::<u64>::new(), 1, 1)
    ///     .key_by(|order| *order)
    ///     .deduplicate("once", 1, TimeToLive::event_time(3))
    ///     .transactional_sink("orders-once", 1, EncodedSink::new());
    /// // The time of each is its place: the last 7 comes 4 ms after the first.
    /// let orders = [7_u64, 8, 7, 8, 7];
    /// let input = Input::dealt(orders.iter().map(Replay::entry), 1);
    /// Check::new(&job, input, &[7_u64, 8, 7])?.seeds(0..2).run()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn deduplicate(
        &self,
        name: &str,
        parallelism: u16,
        ttl: TimeToLive,
    ) -> Processed<Deduplicate<T>, T> {
        self.process(name, parallelism, move |states: &mut StateDeclarations| Deduplicate {
            until: states.value("until"),
            ttl,
            _records: PhantomData,
        })
    }
}
