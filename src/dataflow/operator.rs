//! Operators with state: on one input or on two.

use super::collector::Collector;
use super::context::Context;
use super::data::Data;

/// Turns the records of one stream into records, with state and timers.
///
/// An operator is made by a constructor that declares its state, and keeps nothing in its fields but the
/// handles it was given and its settings: what a field learns is not in the snapshot, and is as new after a
/// failure. [`conformance`](super::conformance) finds such fields.
///
/// ```
/// use cutwater::dataflow::{Collector, Context, Operator, StateDeclarations, ValueState};
///
/// /// Counts the occurrences of each word.
/// #[derive(Clone)]
/// struct Count {
///     count: ValueState<u64>,
/// }
///
/// impl Count {
///     fn new(states: &mut StateDeclarations) -> Self {
///         Self { count: states.value("count") }
///     }
/// }
///
/// impl Operator for Count {
///     type In = String;
///     type Out = (String, u64);
///
///     fn process(
///         &mut self,
///         word: String,
///         ctx: &mut Context<'_>,
///         out: &mut Collector<'_, (String, u64)>,
///     ) {
///         let mut count = ctx.value(&self.count);
///         let seen = count.get().unwrap_or(0) + 1;
///         count.set(&seen);
///         out.emit((word, seen));
///     }
///
///     fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, (String, u64)>) {}
/// }
/// ```
pub trait Operator: Clone + Send + 'static {
    /// What it takes.
    type In: Data;
    /// What it emits.
    type Out: Data;

    /// Processes one record; what it emits has the record's time unless it says otherwise.
    fn process(
        &mut self,
        record: Self::In,
        ctx: &mut Context<'_>,
        out: &mut Collector<'_, Self::Out>,
    );

    /// A timer of the current key has fired: the watermark has reached `timestamp`.
    fn on_timer(
        &mut self,
        timestamp: i64,
        ctx: &mut Context<'_>,
        out: &mut Collector<'_, Self::Out>,
    );
}

/// Turns the records of two streams with the same key into records, with state and timers.
///
/// As with [`Operator`], all it learns must be in declared state.
pub trait TwoInputOperator: Clone + Send + 'static {
    /// What it takes from the first stream.
    type Left: Data;
    /// What it takes from the second stream.
    type Right: Data;
    /// What it emits.
    type Out: Data;

    /// Processes one record of the first stream.
    fn process_left(
        &mut self,
        record: Self::Left,
        ctx: &mut Context<'_>,
        out: &mut Collector<'_, Self::Out>,
    );

    /// Processes one record of the second stream.
    fn process_right(
        &mut self,
        record: Self::Right,
        ctx: &mut Context<'_>,
        out: &mut Collector<'_, Self::Out>,
    );

    /// A timer of the current key has fired: the watermark has reached `timestamp`.
    fn on_timer(
        &mut self,
        timestamp: i64,
        ctx: &mut Context<'_>,
        out: &mut Collector<'_, Self::Out>,
    );
}
