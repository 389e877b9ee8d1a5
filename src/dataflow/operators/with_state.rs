//! A function with one value of state per key.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::dataflow::{
    Collector, Context, Data, KeyedStream, Operator, Processed, StateDeclarations, ValueState,
};

/// The operator of [`KeyedStream::flat_map_with_state`].
pub struct WithState<T, S, I, F> {
    state: ValueState<S>,
    function: Arc<F>,
    _types: PhantomData<fn(T) -> I>,
}

impl<T, S, I, F> WithState<T, S, I, F> {
    /// What the function keeps of a key; for a conserved quantity.
    #[must_use]
    pub fn state(&self) -> &ValueState<S> {
        &self.state
    }
}

impl<T, S, I, F> Clone for WithState<T, S, I, F> {
    fn clone(&self) -> Self {
        let (state, function) = (self.state.clone(), Arc::clone(&self.function));
        Self { state, function, _types: PhantomData }
    }
}

impl<T, S, I, F> Operator for WithState<T, S, I, F>
where
    T: Data,
    S: Data,
    I: IntoIterator<Item: Data> + 'static,
    F: Fn(T, &mut Option<S>) -> I + Send + Sync + 'static,
{
    type In = T;
    type Out = I::Item;

    fn process(&mut self, record: T, ctx: &mut Context<'_>, out: &mut Collector<'_, I::Item>) {
        let mut held = ctx.value(&self.state);
        let mut state = held.get();
        let emitted = (self.function)(record, &mut state);
        match state {
            Some(state) => held.set(&state),
            None => held.clear(),
        }
        emitted.into_iter().for_each(|record| out.emit(record));
    }
}

impl<K: Data, T: Data> KeyedStream<K, T> {
    /// Any number of records for each record, with a value per key that `function` may read, replace and
    /// forget (Flink's Scala API: `flatMapWithState`). `function` must be pure.
    ///
    /// ```
    /// use cutwater::dataflow::{EncodedSink, Input, JobBuilder, Replay};
    /// use cutwater::explore::Check;
    ///
    /// // Passes on what differs from the last of its key.
    /// let job = JobBuilder::new("changes");
    /// job.source("readings", Replay::<(u8, u64)>::new(), 1, 1)
    ///     .key_by(|(meter, _)| *meter)
    ///     .flat_map_with_state("changed", 1, |reading: (u8, u64), last: &mut Option<u64>| {
    ///         let changed = last.replace(reading.1) != Some(reading.1);
    ///         changed.then_some(reading)
    ///     })
    ///     .transactional_sink("changes", 1, EncodedSink::new());
    /// let readings = [(1_u8, 4_u64), (1, 4), (2, 4), (1, 5)];
    /// let input = Input::dealt(readings.iter().map(Replay::entry), 1);
    /// Check::new(&job, input, &[(1_u8, 4_u64), (2, 4), (1, 5)])?.seeds(0..2).run()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn flat_map_with_state<S, I, F>(
        &self,
        name: &str,
        parallelism: u16,
        function: F,
    ) -> Processed<WithState<T, S, I, F>, I::Item>
    where
        S: Data,
        I: IntoIterator<Item: Data> + 'static,
        F: Fn(T, &mut Option<S>) -> I + Send + Sync + 'static,
    {
        let function = Arc::new(function);
        self.process(name, parallelism, move |states: &mut StateDeclarations| WithState {
            state: states.value("state"),
            function: Arc::clone(&function),
            _types: PhantomData,
        })
    }
}
