//! Windows in event time: one value for each key and window, given when the watermark passes its end.
//!
//! The window is part of the key, so that a window needs no state but its value. A record is late, and
//! dropped, when the watermark has already passed the end of its window: every subtask that could hold
//! the window sees records and watermarks of one sender in the order in which they were sent.

use crate::dataflow::{Collector, Context, Data, Operator, StateDeclarations, ValueState};

/// What is computed over the records of a window.
pub(super) trait Aggregate: Clone + Send + 'static {
    /// A record.
    type In: Data;
    /// What is known of the window so far.
    type Total: Data;
    /// What the window gives.
    type Out: Data;

    /// The first instant after the window of `record`.
    fn end(&self, record: &Self::In) -> i64;

    /// The total with `record` added.
    fn add(&self, total: Option<Self::Total>, record: Self::In) -> Self::Total;

    /// What the window gives once nothing more comes.
    fn close(&self, total: Self::Total) -> Vec<Self::Out>;
}

/// Keyed windows over which `A` is computed.
#[derive(Clone)]
pub(super) struct Windows<A: Aggregate> {
    total: ValueState<A::Total>,
    aggregate: A,
}

impl<A: Aggregate> Windows<A> {
    /// Windows over which `aggregate` is computed; the stream's key must hold the window.
    pub(super) fn new(states: &mut StateDeclarations, aggregate: A) -> Self {
        Self { total: states.value("total"), aggregate }
    }
}

impl<A: Aggregate> Operator for Windows<A> {
    type In = A::In;
    type Out = A::Out;

    fn process(&mut self, record: A::In, ctx: &mut Context<'_>, _out: &mut Collector<'_, A::Out>) {
        let last_instant = self.aggregate.end(&record) - 1;
        if last_instant <= ctx.watermark() {
            return ctx.drop_late();
        }
        ctx.value(&self.total).update(|total| self.aggregate.add(total, record));
        ctx.register_timer(last_instant);
    }

    fn on_timer(&mut self, _: i64, ctx: &mut Context<'_>, out: &mut Collector<'_, A::Out>) {
        let mut state = ctx.value(&self.total);
        let total = state.get();
        state.clear();
        for result in total.into_iter().flat_map(|total| self.aggregate.close(total)) {
            out.emit(result);
        }
    }
}
