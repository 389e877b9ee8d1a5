//! The two kinds of user operators behind one interface.

use super::collector::Collector;
use super::context::Context;
use super::data::{Data, decode};
use super::keyed_store::{KeyedStore, Step};
use super::operator::{Operator, TwoInputOperator};
use super::record::{Outputs, Payload, Record};
use super::router::{KeyFn, Router};
use super::subtask_context::SubtaskContext;
use crate::protocol::LineageId;

/// What is no matter of inputs goes to the operator as it is; the traits of operators have it in common by name.
macro_rules! calls_operator {
    () => {
        fn on_timer(
            &mut self,
            timestamp: i64,
            ctx: &mut Context<'_>,
            out: &mut Collector<'_, Self::Out>,
        ) {
            self.operator.on_timer(timestamp, ctx, out);
        }

        fn on_processing_timer(
            &mut self,
            at_ms: i64,
            ctx: &mut Context<'_>,
            out: &mut Collector<'_, Self::Out>,
        ) {
            self.operator.on_processing_timer(at_ms, ctx, out);
        }

        fn on_restore(&mut self, ctx: &mut SubtaskContext<'_>) {
            self.operator.on_restore(ctx);
        }

        fn operator(&self) -> &Self::Operator {
            &self.operator
        }
    };
}

pub(super) use calls_operator;

/// User code with state.
pub(crate) trait Logic: Clone + Send + 'static {
    type Operator;
    type Out: Data;

    /// Processes one record of input `port`.
    fn process(
        &mut self,
        port: u8,
        record: &Record,
        watermark: i64,
        store: &mut KeyedStore,
        router: &mut Router<Self::Out>,
        out: &mut Outputs,
    );

    fn on_timer(
        &mut self,
        timestamp: i64,
        ctx: &mut Context<'_>,
        out: &mut Collector<'_, Self::Out>,
    );

    fn on_processing_timer(
        &mut self,
        at_ms: i64,
        ctx: &mut Context<'_>,
        out: &mut Collector<'_, Self::Out>,
    );

    /// The subtask goes on from a snapshot.
    fn on_restore(&mut self, ctx: &mut SubtaskContext<'_>);

    fn operator(&self) -> &Self::Operator;
}

/// One input; keyed where there is a key function.
pub(crate) struct OneInput<O: Operator> {
    operator: O,
    key_of: Option<KeyFn<O::In>>,
    /// Scratch for keys.
    key: Payload,
}

impl<O: Operator> OneInput<O> {
    pub(crate) fn new(operator: O, key_of: Option<KeyFn<O::In>>) -> Self {
        Self { operator, key_of, key: Payload::new() }
    }
}

impl<O: Operator> Clone for OneInput<O> {
    fn clone(&self) -> Self {
        Self::new(self.operator.clone(), self.key_of.clone())
    }
}

impl<O: Operator> Logic for OneInput<O> {
    type Operator = O;
    type Out = O::Out;

    #[inline]
    fn process(
        &mut self,
        _port: u8,
        record: &Record,
        watermark: i64,
        store: &mut KeyedStore,
        router: &mut Router<O::Out>,
        out: &mut Outputs,
    ) {
        let Self { operator, key_of, key } = self;
        let value = decode(&record.payload);
        let key = key_of.as_ref().map(|key_of| extract(key_of, &value, key));
        let step = step_of(record, key, watermark, 0);
        store.step(&step, router, out, |ctx, out| operator.process(value, ctx, out));
    }

    calls_operator!();
}

/// Two inputs with one key.
pub(crate) struct TwoInputs<O: TwoInputOperator> {
    operator: O,
    left: KeyFn<O::Left>,
    right: KeyFn<O::Right>,
    /// Scratch for keys.
    key: Payload,
}

impl<O: TwoInputOperator> TwoInputs<O> {
    pub(crate) fn new(operator: O, left: KeyFn<O::Left>, right: KeyFn<O::Right>) -> Self {
        Self { operator, left, right, key: Payload::new() }
    }
}

impl<O: TwoInputOperator> Clone for TwoInputs<O> {
    fn clone(&self) -> Self {
        Self::new(self.operator.clone(), self.left.clone(), self.right.clone())
    }
}

impl<O: TwoInputOperator> Logic for TwoInputs<O> {
    type Operator = O;
    type Out = O::Out;

    #[inline]
    fn process(
        &mut self,
        port: u8,
        record: &Record,
        watermark: i64,
        store: &mut KeyedStore,
        router: &mut Router<O::Out>,
        out: &mut Outputs,
    ) {
        let Self { operator, left, right, key } = self;
        if port == 0 {
            let value = decode(&record.payload);
            let step = step_of(record, Some(extract(left, &value, key)), watermark, 0);
            store.step(&step, router, out, |ctx, out| operator.process_left(value, ctx, out));
        } else {
            let value = decode(&record.payload);
            let key = extract(right, &value, key);
            let step = step_of(record, Some(key), watermark, LineageId::SECOND_INPUT);
            store.step(&step, router, out, |ctx, out| operator.process_right(value, ctx, out));
        }
    }

    calls_operator!();
}

/// The encoded key of `value`, in the scratch buffer.
#[inline]
pub(crate) fn extract<'a, T>(key_of: &KeyFn<T>, value: &T, key: &'a mut Payload) -> &'a [u8] {
    key.clear();
    key_of(value, key);
    key
}

#[inline]
pub(crate) fn step_of<'a>(
    record: &'a Record,
    key: Option<&'a [u8]>,
    watermark: i64,
    index: u32,
) -> Step<'a> {
    let Record { lineage: parent, timestamp, ref payload } = *record;
    Step { key, timestamp, watermark, parent, index, payload }
}
