//! Keyed streams cut into windows.

use std::sync::Arc;

use super::aggregate::Aggregate;
use super::reduce::ReduceFn;
use super::window::Windows;
use super::window_operator::{WindowOperator, WindowResult, WindowSettings};
use crate::dataflow::{Data, KeyedStream, OutputTag, Processed, StateDeclarations};

/// A keyed stream cut into windows in event time (Flink: `WindowedStream`).
///
/// A window is given when the watermark has passed its end. With
/// [`allowed_lateness`](Self::allowed_lateness) it is given again for each record that comes later. A record
/// that no window takes any more is told as dropped ([`Context::drop_late`](super::super::Context::drop_late)),
/// unless [`side_output_late`](Self::side_output_late) says where it goes.
///
/// ```
/// use cutwater::dataflow::{EncodedSink, JobBuilder, OutputTag, Replay, Windows};
///
/// const LATE: OutputTag<(u8, u64)> = OutputTag::new("late");
///
/// let job = JobBuilder::new("maxima");
/// let maxima = job
///     .source("readings", Replay::<(u8, u64)>::new(), 1, 1)
///     .key_by(|(meter, _)| *meter)
///     .window(Windows::tumbling(1_000))
///     .allowed_lateness(200)
///     .side_output_late(LATE)
///     .reduce("maximum", 1, |one, other| if one.1 < other.1 { other } else { one });
/// maxima.side_output(LATE).transactional_sink("late", 1, EncodedSink::new());
/// maxima.transactional_sink("maxima", 1, EncodedSink::new());
/// job.build()?;
/// # Ok::<(), cutwater::dataflow::BuildError>(())
/// ```
#[must_use = "a stream that nothing consumes is a build error"]
pub struct WindowedStream<K, T> {
    keyed: KeyedStream<K, T>,
    settings: WindowSettings<T>,
}

/// The aggregate of [`WindowedStream::reduce`].
pub struct ReducedWindow<T> {
    function: ReduceFn<T>,
}

impl<T> Clone for ReducedWindow<T> {
    fn clone(&self) -> Self {
        Self { function: Arc::clone(&self.function) }
    }
}

impl<T: Data> Aggregate for ReducedWindow<T> {
    type In = T;
    /// None before the first record.
    type Accumulator = Option<T>;
    type Out = T;

    fn create(&self) -> Option<T> {
        None
    }

    fn add(&self, record: T, accumulator: Option<T>) -> Option<T> {
        self.merge(accumulator, Some(record))
    }

    fn merge(&self, one: Option<T>, other: Option<T>) -> Option<T> {
        match (one, other) {
            (Some(one), Some(other)) => Some((self.function)(one, other)),
            (one, other) => one.or(other),
        }
    }

    fn result(&self, accumulator: &Option<T>) -> T {
        accumulator.clone().expect("a window that is given holds a record")
    }
}

impl<K: Data, T: Data> KeyedStream<K, T> {
    /// Cuts the stream into windows in event time, for each key on its own.
    pub fn window(&self, windows: Windows) -> WindowedStream<K, T> {
        let settings = WindowSettings { windows, lateness_ms: 0, late: None };
        WindowedStream { keyed: self.clone(), settings }
    }
}

impl<K: Data, T: Data> WindowedStream<K, T> {
    /// How long after its end a window takes records, and is given again; not at all unless told otherwise.
    pub fn allowed_lateness(self, lateness_ms: u32) -> Self {
        Self { settings: WindowSettings { lateness_ms, ..self.settings }, ..self }
    }

    /// Where the records go that no window takes any more; to be consumed with
    /// [`Processed::side_output`].
    pub fn side_output_late(self, late: OutputTag<T>) -> Self {
        Self { settings: WindowSettings { late: Some(late), ..self.settings }, ..self }
    }

    /// What all records of a window come to, combined two by two. `function` must be pure and associative; a
    /// session may combine its parts in any order.
    pub fn reduce(
        &self,
        name: &str,
        parallelism: u16,
        function: impl Fn(T, T) -> T + Send + Sync + 'static,
    ) -> Processed<WindowOperator<K, ReducedWindow<T>>, WindowResult<K, T>> {
        self.aggregate(name, parallelism, ReducedWindow { function: Arc::new(function) })
    }

    /// What all records of a window come to.
    pub fn aggregate<A: Aggregate<In = T>>(
        &self,
        name: &str,
        parallelism: u16,
        aggregate: A,
    ) -> Processed<WindowOperator<K, A>, WindowResult<K, A::Out>> {
        let settings = self.settings;
        self.keyed.process(name, parallelism, move |states: &mut StateDeclarations| {
            WindowOperator::new(states, settings, aggregate.clone())
        })
    }
}
