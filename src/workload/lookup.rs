//! A join in which each record of one stream meets the one record of its key in the other, once.
//!
//! A pair is emitted when the later of the two comes, so that the pairs are a multiset whichever it is.

use crate::dataflow::{
    Collector, Context, Data, ListState, StateDeclarations, TwoInputOperator, ValueState,
};

/// Joins any number of `L` with the one `R` of the same key.
#[derive(Clone)]
pub(super) struct Lookup<L, R, O> {
    /// The record of the second stream, once it has come.
    known: ValueState<R>,
    /// Records of the first stream that came before it, in order.
    waiting: ListState<L>,
    pair: fn(&L, &R) -> O,
}

impl<L, R, O> Lookup<L, R, O> {
    /// A join that emits what `pair` makes of two records.
    pub(super) fn new(states: &mut StateDeclarations, pair: fn(&L, &R) -> O) -> Self {
        Self { known: states.value("known"), waiting: states.list("waiting"), pair }
    }
}

impl<L: Data, R: Data, O: Data> TwoInputOperator for Lookup<L, R, O> {
    type Left = L;
    type Right = R;
    type Out = O;

    fn process_left(&mut self, record: L, ctx: &mut Context<'_>, out: &mut Collector<'_, O>) {
        match ctx.value(&self.known).get() {
            Some(known) => out.emit((self.pair)(&record, &known)),
            None => ctx.list(&self.waiting).push(&record),
        }
    }

    fn process_right(&mut self, known: R, ctx: &mut Context<'_>, out: &mut Collector<'_, O>) {
        ctx.value(&self.known).set(&known);
        let mut waiting = ctx.list(&self.waiting);
        for record in waiting.iter() {
            out.emit((self.pair)(&record, &known));
        }
        waiting.clear();
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, O>) {}
}
