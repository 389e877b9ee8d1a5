//! Side outputs: further streams of an operator, with records of other types than its main one.

use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;

/// Names a side output, and says of which type its records are (Flink: `OutputTag`).
///
/// An operator emits to it with [`Collector::emit_to`](super::Collector::emit_to); the stream is
/// [`Processed::side_output`](super::Processed::side_output). What is emitted to a side output that nobody
/// consumes is gone, as with Flink. Two tags are the same if both name and type are.
///
/// ```
/// use cutwater::dataflow::{
///     Collector, Context, EncodedSink, JobBuilder, Operator, OutputTag, Replay,
/// };
///
/// const REFUSED: OutputTag<String> = OutputTag::new("refused");
///
/// /// Reads numbers; what is none goes aside.
/// #[derive(Clone)]
/// struct Parse;
///
/// impl Operator for Parse {
///     type In = String;
///     type Out = i64;
///
///     fn process(&mut self, text: String, _: &mut Context<'_>, out: &mut Collector<'_, i64>) {
///         match text.parse() {
///             Ok(number) => out.emit(number),
///             Err(_) => out.emit_to(REFUSED, text),
///         }
///     }
/// }
///
/// let job = JobBuilder::new("parse");
/// let numbers = job.source("texts", Replay::<String>::new(), 1, 1).process("parse", 1, |_| Parse);
/// numbers.transactional_sink("numbers", 1, EncodedSink::new());
/// numbers.side_output(REFUSED).transactional_sink("refused", 1, EncodedSink::new());
/// assert_eq!(job.build()?.topology().channels.len(), 3);
/// # Ok::<(), cutwater::dataflow::BuildError>(())
/// ```
pub struct OutputTag<T> {
    name: &'static str,
    _records: PhantomData<fn(T)>,
}

/// Which of an operator's outputs an edge carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// What it emits.
    Main,
    /// What it emits to this side output.
    Side {
        /// What that is called.
        name: &'static str,
        /// The type of its records.
        records: TypeId,
    },
}

impl<T> OutputTag<T> {
    /// The side output of this name; unique among those of one operator.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, _records: PhantomData }
    }
}

impl<T: 'static> OutputTag<T> {
    /// What edges carry it.
    pub(crate) fn output(self) -> Output {
        Output::Side { name: self.name, records: TypeId::of::<T>() }
    }
}

impl<T> Clone for OutputTag<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for OutputTag<T> {}

impl<T> fmt::Debug for OutputTag<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OutputTag({})", self.name)
    }
}
