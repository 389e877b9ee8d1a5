//! A keyed stream beside one that all subtasks are told alike.

use std::marker::PhantomData;
use std::rc::Rc;

use super::broadcast_state::{BroadcastAccess, BroadcastState};
use super::build_error::BuildError;
use super::collector::Collector;
use super::context::Context;
use super::data::{Data, decode};
use super::keyed_store::KeyedStore;
use super::keyed_stream::KeyedStream;
use super::operator::unasked_timer;
use super::processed::{Processed, stateful};
use super::record::{Outputs, Payload, Record};
use super::router::{KeyFn, Router};
use super::state::StateDeclarations;
use super::stateful_logic::{Logic, calls_operator, extract, step_of};
use super::stream::Stream;
use super::subtask_context::SubtaskContext;
use crate::protocol::LineageId;

/// Turns the records of a keyed stream into records, with keyed state, timers, and a state that is the same
/// in all subtasks (Flink: `KeyedBroadcastProcessFunction`).
///
/// What is broadcast comes to every subtask, and must change the [broadcast state](BroadcastState) in each in
/// the same way. One subtask only must emit it: from several it would come in another order everywhere.
///
/// ```
/// use cutwater::dataflow::{
///     BroadcastContext, BroadcastState, Collector, Context, EncodedSink, JobBuilder,
///     KeyedBroadcastOperator, Replay, StateDeclarations,
/// };
///
/// /// Converts amounts at the rate of their currency, as far as it is known.
/// #[derive(Clone)]
/// struct Convert {
///     rates: BroadcastState<String, u64>,
/// }
///
/// impl KeyedBroadcastOperator for Convert {
///     type In = (String, u64);
///     type Broadcast = (String, u64);
///     type Out = u64;
///
///     fn process(
///         &mut self,
///         (currency, amount): (String, u64),
///         ctx: &mut Context<'_>,
///         out: &mut Collector<'_, u64>,
///     ) {
///         let rate = ctx.broadcast_state(&self.rates).get(&currency).unwrap_or(1);
///         out.emit(amount * rate);
///     }
///
///     fn process_broadcast(
///         &mut self,
///         (currency, rate): (String, u64),
///         ctx: &mut BroadcastContext<'_, '_>,
///         _: &mut Collector<'_, u64>,
///     ) {
///         ctx.state(&self.rates).insert(&currency, &rate);
///     }
/// }
///
/// let job = JobBuilder::new("convert");
/// let rates = job.source("rates", Replay::<(String, u64)>::new(), 1, 1);
/// job.source("amounts", Replay::<(String, u64)>::new(), 2, 2)
///     .key_by(|(currency, _)| currency.clone())
///     .connect_broadcast(&rates)
///     .process("convert", 2, |states: &mut StateDeclarations| Convert {
///         rates: states.broadcast_map("rates"),
///     })
///     .transactional_sink("converted", 2, EncodedSink::new());
/// job.build()?;
/// # Ok::<(), cutwater::dataflow::BuildError>(())
/// ```
pub trait KeyedBroadcastOperator: Clone + Send + 'static {
    /// What it takes from the keyed stream.
    type In: Data;
    /// What all subtasks are told.
    type Broadcast: Data;
    /// What it emits.
    type Out: Data;

    /// Processes one record of the keyed stream.
    fn process(
        &mut self,
        record: Self::In,
        ctx: &mut Context<'_>,
        out: &mut Collector<'_, Self::Out>,
    );

    /// Processes one element that is broadcast. Every subtask emits what this emits.
    fn process_broadcast(
        &mut self,
        element: Self::Broadcast,
        ctx: &mut BroadcastContext<'_, '_>,
        out: &mut Collector<'_, Self::Out>,
    );

    /// The subtask goes on from a snapshot, and has not been given anything yet. Keyed state is what it was; a
    /// union list has the elements of all subtasks, of which each must keep what is its own. Nothing to do in
    /// an operator without such a list.
    fn on_restore(&mut self, _ctx: &mut SubtaskContext<'_>) {}

    /// A timer of the current key has fired: the watermark has reached `timestamp`.
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

/// The surroundings of an element that is broadcast: it has no key, and so neither keyed state nor timers.
pub struct BroadcastContext<'a, 'b> {
    context: &'a mut Context<'b>,
}

impl BroadcastContext<'_, '_> {
    /// The broadcast state.
    ///
    /// # Panics
    ///
    /// When another operator declared the state.
    pub fn state<K: Data + Ord, V: Data>(
        &mut self,
        state: &BroadcastState<K, V>,
    ) -> BroadcastAccess<'_, K, V> {
        let entries = &mut self.context.lists[usize::from(state.slot)];
        BroadcastAccess { entries, _entries: PhantomData }
    }

    /// The event time of the element.
    #[must_use]
    pub fn timestamp(&self) -> i64 {
        self.context.timestamp()
    }

    /// The current watermark, of both streams together.
    #[must_use]
    pub fn watermark(&self) -> i64 {
        self.context.watermark()
    }

    /// The index of the subtask within its operator.
    #[must_use]
    pub fn subtask_index(&self) -> u16 {
        self.context.subtask_index()
    }

    /// How many subtasks the operator has.
    #[must_use]
    pub fn parallelism(&self) -> u16 {
        self.context.parallelism()
    }
}

/// A keyed stream and one that is broadcast.
#[must_use = "a stream that nothing consumes is a build error"]
pub struct BroadcastConnectedStream<K, T, B> {
    pub(crate) keyed: KeyedStream<K, T>,
    pub(crate) broadcast: Stream<B>,
}

impl<K: Data, T: Data, B: Data> BroadcastConnectedStream<K, T, B> {
    /// An operator on both.
    ///
    /// `make` declares the state, and is called for each subtask; see [`KeyedBroadcastOperator`].
    pub fn process<O: KeyedBroadcastOperator<In = T, Broadcast = B>>(
        &self,
        name: &str,
        parallelism: u16,
        make: impl Fn(&mut StateDeclarations) -> O + Send + Sync + 'static,
    ) -> Processed<O, O::Out> {
        let graph = &self.keyed.stream.graph;
        let mut inputs = vec![self.keyed.stream.as_input()];
        if Rc::ptr_eq(graph, &self.broadcast.graph) {
            inputs.push(self.broadcast.broadcast().as_input());
        } else {
            let mistake = BuildError::ForeignStream { operator: name.to_owned() };
            graph.borrow_mut().mistake.get_or_insert(mistake);
        }
        let key_of = self.keyed.key_of.clone();
        let logic = move |operator| WithBroadcast::new(operator, key_of.clone());
        stateful(graph, name, parallelism, inputs, true, make, logic)
    }
}

/// The first input has a key, what comes on the second is for all.
struct WithBroadcast<O: KeyedBroadcastOperator> {
    operator: O,
    key_of: KeyFn<O::In>,
    /// Scratch for keys.
    key: Payload,
}

impl<O: KeyedBroadcastOperator> WithBroadcast<O> {
    fn new(operator: O, key_of: KeyFn<O::In>) -> Self {
        Self { operator, key_of, key: Payload::new() }
    }
}

impl<O: KeyedBroadcastOperator> Clone for WithBroadcast<O> {
    fn clone(&self) -> Self {
        Self::new(self.operator.clone(), self.key_of.clone())
    }
}

impl<O: KeyedBroadcastOperator> Logic for WithBroadcast<O> {
    type Operator = O;
    type Out = O::Out;

    fn process(
        &mut self,
        port: u8,
        record: &Record,
        watermark: i64,
        store: &mut KeyedStore,
        router: &mut Router<O::Out>,
        out: &mut Outputs,
    ) {
        let Self { operator, key_of, key } = self;
        if port == 0 {
            let value = decode(&record.payload);
            let step = step_of(record, Some(extract(key_of, &value, key)), watermark, 0);
            store.step(&step, router, out, |ctx, out| operator.process(value, ctx, out));
        } else {
            let element = decode(&record.payload);
            let step = step_of(record, None, watermark, LineageId::SECOND_INPUT);
            store.step(&step, router, out, |context, out| {
                operator.process_broadcast(element, &mut BroadcastContext { context }, out);
            });
        }
    }

    calls_operator!();
}
