//! A rolling reduce: each record is combined with all before it that have its key.

use std::sync::Arc;

use crate::dataflow::{
    Collector, Context, Data, KeyedStream, Operator, Processed, StateDeclarations, ValueState,
};
use crate::protocol::Defect;

/// Combines two records to one.
pub(super) type ReduceFn<T> = Arc<dyn Fn(T, T) -> T + Send + Sync>;

/// The operator of [`KeyedStream::reduce`].
pub struct Reduce<T> {
    reduced: ValueState<T>,
    function: ReduceFn<T>,
}

impl<T> Reduce<T> {
    /// What the records of a key have come to; for a conserved quantity.
    #[must_use]
    pub fn state(&self) -> &ValueState<T> {
        &self.reduced
    }
}

impl<T> Clone for Reduce<T> {
    fn clone(&self) -> Self {
        Self { reduced: self.reduced.clone(), function: Arc::clone(&self.function) }
    }
}

impl<T: Data> Operator for Reduce<T> {
    type In = T;
    type Out = T;

    fn process(&mut self, record: T, ctx: &mut Context<'_>, out: &mut Collector<'_, T>) {
        let last = ctx.defects.has(Defect::ReducedReplaced).then(|| record.clone());
        let reduced = ctx.value(&self.reduced).update(|before| match before {
            Some(before) => (self.function)(before, record),
            None => record,
        });
        if let Some(last) = last {
            ctx.value(&self.reduced).set(&last);
        }
        out.emit(reduced);
    }
}

impl<K: Data, T: Data> KeyedStream<K, T> {
    /// Emits, for each record, what `function` makes of it and of what all before it with its key have come
    /// to (Flink: `KeyedStream.reduce`). `function` must be pure.
    ///
    /// ```
    /// use cutwater::dataflow::{EncodedSink, Input, JobBuilder, Replay};
    /// use cutwater::explore::Check;
    ///
    /// let job = JobBuilder::new("totals");
    /// job.source("payments", Replay::<(u8, u64)>::new(), 1, 1)
    ///     .key_by(|(account, _)| *account)
    ///     .reduce("total", 2, |(account, total), (_, amount)| (account, total + amount))
    ///     .rebalance()
    ///     .transactional_sink("totals", 1, EncodedSink::new());
    /// let payments = [(1_u8, 10_u64), (2, 5), (1, 7)];
    /// let input = Input::dealt(payments.iter().map(Replay::entry), 1);
    /// Check::new(&job, input, &[(1_u8, 10_u64), (2, 5), (1, 17)])?.seeds(0..2).run()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reduce(
        &self,
        name: &str,
        parallelism: u16,
        function: impl Fn(T, T) -> T + Send + Sync + 'static,
    ) -> Processed<Reduce<T>, T> {
        let function: ReduceFn<T> = Arc::new(function);
        self.process(name, parallelism, move |states: &mut StateDeclarations| Reduce {
            reduced: states.value("reduced"),
            function: Arc::clone(&function),
        })
    }
}
