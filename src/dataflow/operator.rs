//! Operators with state: on one input or on two.

use std::any::type_name;

use super::collector::Collector;
use super::context::Context;
use super::data::Data;
use super::subtask_context::SubtaskContext;

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

    /// The subtask goes on from a snapshot, and has not been given anything yet. Keyed state is what it was; a
    /// union list has the elements of all subtasks, of which each must keep what is its own. Nothing to do in
    /// an operator without such a list.
    fn on_restore(&mut self, _ctx: &mut SubtaskContext<'_>) {}

    /// A timer of the current key has fired: the watermark has reached `timestamp`.
    ///
    /// Whoever registers timers must say what they are for; without that, the first one that fires is told.
    ///
    /// # Panics
    ///
    /// Unless it is overridden.
    fn on_timer(
        &mut self,
        timestamp: i64,
        _ctx: &mut Context<'_>,
        _out: &mut Collector<'_, Self::Out>,
    ) {
        unasked_timer::<Self>(timestamp)
    }

    /// A timer of the current key has fired: the clock has reached `at_ms`. What it emits has that time unless
    /// it says otherwise.
    ///
    /// # Panics
    ///
    /// Unless it is overridden.
    fn on_processing_timer(
        &mut self,
        at_ms: i64,
        _ctx: &mut Context<'_>,
        _out: &mut Collector<'_, Self::Out>,
    ) {
        unasked_timer::<Self>(at_ms)
    }
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

    /// The subtask goes on from a snapshot, and has not been given anything yet. Keyed state is what it was; a
    /// union list has the elements of all subtasks, of which each must keep what is its own. Nothing to do in
    /// an operator without such a list.
    fn on_restore(&mut self, _ctx: &mut SubtaskContext<'_>) {}

    /// A timer of the current key has fired: the watermark has reached `timestamp`.
    ///
    /// Whoever registers timers must say what they are for; without that, the first one that fires is told.
    ///
    /// # Panics
    ///
    /// Unless it is overridden.
    fn on_timer(
        &mut self,
        timestamp: i64,
        _ctx: &mut Context<'_>,
        _out: &mut Collector<'_, Self::Out>,
    ) {
        unasked_timer::<Self>(timestamp)
    }

    /// A timer of the current key has fired: the clock has reached `at_ms`. What it emits has that time unless
    /// it says otherwise.
    ///
    /// # Panics
    ///
    /// Unless it is overridden.
    fn on_processing_timer(
        &mut self,
        at_ms: i64,
        _ctx: &mut Context<'_>,
        _out: &mut Collector<'_, Self::Out>,
    ) {
        unasked_timer::<Self>(at_ms)
    }
}

/// A timer fired in an operator that does not say what it is for.
pub(crate) fn unasked_timer<O>(timestamp: i64) -> ! {
    panic!("a timer for {timestamp} fired in {}, which has no on_timer", type_name::<O>())
}
