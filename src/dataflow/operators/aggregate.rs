//! Aggregates: what is computed over many records, in windows or rolling.

use crate::dataflow::data::encode;
use crate::dataflow::{
    Collector, Context, Data, KeyedStream, Operator, Processed, StateDeclarations, ValueState,
};
use crate::protocol::Defect;

/// What is computed over many records (Flink: `AggregateFunction`). All methods must be pure.
///
/// ```
/// use cutwater::dataflow::Aggregate;
///
/// /// The mean of numbers.
/// #[derive(Clone)]
/// struct Mean;
///
/// impl Aggregate for Mean {
///     type In = u64;
///     type Accumulator = (u64, u64);
///     type Out = u64;
///
///     fn create(&self) -> (u64, u64) {
///         (0, 0)
///     }
///
///     fn add(&self, number: u64, (sum, count): (u64, u64)) -> (u64, u64) {
///         (sum + number, count + 1)
///     }
///
///     fn merge(&self, one: (u64, u64), other: (u64, u64)) -> (u64, u64) {
///         (one.0 + other.0, one.1 + other.1)
///     }
///
///     fn result(&self, (sum, count): &(u64, u64)) -> u64 {
///         sum / count.max(&1)
///     }
/// }
///
/// let both = Mean.merge(Mean.add(4, Mean.create()), Mean.add(8, Mean.create()));
/// assert_eq!(Mean.result(&both), 6);
/// ```
pub trait Aggregate: Clone + Send + Sync + 'static {
    /// A record.
    type In: Data;
    /// What is known of the records so far.
    type Accumulator: Data;
    /// What they come to.
    type Out: Data;

    /// What is known of no records.
    fn create(&self) -> Self::Accumulator;

    /// What is known with one record more.
    fn add(&self, record: Self::In, accumulator: Self::Accumulator) -> Self::Accumulator;

    /// What is known of the records of both; session windows that merge ask for it.
    fn merge(&self, one: Self::Accumulator, other: Self::Accumulator) -> Self::Accumulator;

    /// What the records so far come to.
    fn result(&self, accumulator: &Self::Accumulator) -> Self::Out;
}

/// The operator of [`KeyedStream::aggregate`].
#[derive(Clone)]
pub struct Aggregating<A: Aggregate> {
    accumulated: ValueState<A::Accumulator>,
    aggregate: A,
}

impl<A: Aggregate> Aggregating<A> {
    /// What is known of the records of a key; for a conserved quantity.
    #[must_use]
    pub fn state(&self) -> &ValueState<A::Accumulator> {
        &self.accumulated
    }
}

impl<A: Aggregate> Operator for Aggregating<A> {
    type In = A::In;
    type Out = A::Out;

    fn process(&mut self, record: A::In, ctx: &mut Context<'_>, out: &mut Collector<'_, A::Out>) {
        let Self { accumulated, aggregate } = self;
        let before = ctx.value(accumulated).get();
        let skips = ctx.defects.has(Defect::UnchangedNotAccumulated);
        let shown = before.as_ref().filter(|_| skips).map(|one| encode(&aggregate.result(one)));
        let accumulator = aggregate.add(record, before.unwrap_or_else(|| aggregate.create()));
        let result = aggregate.result(&accumulator);
        if shown.is_none_or(|shown| shown != encode(&result)) {
            ctx.value(accumulated).set(&accumulator);
        }
        out.emit(result);
    }
}

impl<K: Data, T: Data> KeyedStream<K, T> {
    /// Emits, for each record, what all so far with its key come to.
    ///
    /// ```
    /// # use cutwater::dataflow::Aggregate;
    /// use cutwater::dataflow::{EncodedSink, JobBuilder, Replay};
    /// # #[derive(Clone)]
    /// # struct Longest;
    /// # impl Aggregate for Longest {
    /// #     type In = String;
    /// #     type Accumulator = u64;
    /// #     type Out = u64;
    /// #     fn create(&self) -> u64 { 0 }
    /// #     fn add(&self, text: String, longest: u64) -> u64 { longest.max(text.len() as u64) }
    /// #     fn merge(&self, one: u64, other: u64) -> u64 { one.max(other) }
    /// #     fn result(&self, longest: &u64) -> u64 { *longest }
    /// # }
    ///
    /// let job = JobBuilder::new("longest");
    /// job.source("texts", Replay::<String>::new(), 1, 1)
    ///     .key_by(|text| text.chars().next())
    ///     .aggregate("longest", 2, Longest)
    ///     .rebalance()
    ///     .transactional_sink("lengths", 1, EncodedSink::new());
    /// job.build()?;
    /// # Ok::<(), cutwater::dataflow::BuildError>(())
    /// ```
    pub fn aggregate<A: Aggregate<In = T>>(
        &self,
        name: &str,
        parallelism: u16,
        aggregate: A,
    ) -> Processed<Aggregating<A>, A::Out> {
        self.process(name, parallelism, move |states: &mut StateDeclarations| Aggregating {
            accumulated: states.value("accumulated"),
            aggregate: aggregate.clone(),
        })
    }
}
