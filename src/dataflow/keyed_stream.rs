//! Keyed streams: what operators with keyed state are declared on.

use std::marker::PhantomData;
use std::ops::Deref;
use std::rc::Rc;

use super::broadcast::BroadcastConnectedStream;
use super::build_error::BuildError;
use super::data::Data;
use super::operator::{Operator, TwoInputOperator};
use super::processed::{Processed, stateful};
use super::router::KeyFn;
use super::state::StateDeclarations;
use super::stateful_logic::{OneInput, TwoInputs};
use super::stream::Stream;

/// A stream whose records have a key: all records with one key go to one subtask.
#[must_use = "a stream that nothing consumes is a build error"]
pub struct KeyedStream<K, T> {
    pub(crate) stream: Stream<T>,
    pub(crate) key_of: KeyFn<T>,
    pub(crate) _keys: PhantomData<fn() -> K>,
}

impl<K, T> Clone for KeyedStream<K, T> {
    fn clone(&self) -> Self {
        let (stream, key_of) = (self.stream.clone(), self.key_of.clone());
        Self { stream, key_of, _keys: PhantomData }
    }
}

/// As a [`Stream`], it has the records of a key come to one subtask: `map`, `filter`, a sink and whatever else
/// consumes it has them together, without state per key.
impl<K, T> Deref for KeyedStream<K, T> {
    type Target = Stream<T>;

    fn deref(&self) -> &Stream<T> {
        &self.stream
    }
}

impl<K: Data, T: Data> KeyedStream<K, T> {
    /// An operator with state and timers per key.
    ///
    /// `make` declares the state, and is called for each subtask; see [`Operator`].
    pub fn process<O: Operator<In = T>>(
        &self,
        name: &str,
        parallelism: u16,
        make: impl Fn(&mut StateDeclarations) -> O + Send + Sync + 'static,
    ) -> Processed<O, O::Out> {
        let key_of = self.key_of.clone();
        let logic = move |operator| OneInput::new(operator, Some(key_of.clone()));
        let inputs = vec![self.stream.as_input()];
        stateful(&self.stream.graph, name, parallelism, inputs, true, make, logic)
    }

    /// This stream and another with keys of the same type, for an operator that takes both.
    ///
    /// Streams with keys of different types do not connect:
    ///
    /// ```compile_fail,E0308
    /// use cutwater::dataflow::{JobBuilder, Replay};
    ///
    /// let job = JobBuilder::new("join");
    /// let left = job.source("left", Replay::<u64>::new(), 1, 1).key_by(|n| *n);
    /// let right = job.source("right", Replay::<u64>::new(), 1, 1).key_by(|n| n.to_string());
    /// let _ = left.connect(right);
    /// ```
    pub fn connect<U: Data>(&self, other: KeyedStream<K, U>) -> ConnectedStreams<K, T, U> {
        ConnectedStreams { left: self.clone(), right: other }
    }

    /// This stream, and one that all subtasks are told alike; see
    /// [`KeyedBroadcastOperator`](super::KeyedBroadcastOperator). How that stream spreads its records plays
    /// no part.
    pub fn connect_broadcast<B: Data>(
        &self,
        broadcast: &Stream<B>,
    ) -> BroadcastConnectedStream<K, T, B> {
        BroadcastConnectedStream { keyed: self.clone(), broadcast: broadcast.clone() }
    }
}

/// Two streams with keys of one type.
#[must_use = "a stream that nothing consumes is a build error"]
pub struct ConnectedStreams<K, L, R> {
    left: KeyedStream<K, L>,
    right: KeyedStream<K, R>,
}

impl<K: Data, L: Data, R: Data> ConnectedStreams<K, L, R> {
    /// An operator on both streams, with state and timers per key.
    ///
    /// `make` declares the state, and is called for each subtask; see [`TwoInputOperator`].
    pub fn process2<O: TwoInputOperator<Left = L, Right = R>>(
        &self,
        name: &str,
        parallelism: u16,
        make: impl Fn(&mut StateDeclarations) -> O + Send + Sync + 'static,
    ) -> Processed<O, O::Out> {
        let (left, right) = (&self.left, &self.right);
        let mut inputs = vec![left.stream.as_input()];
        if Rc::ptr_eq(&left.stream.graph, &right.stream.graph) {
            inputs.push(right.stream.as_input());
        } else {
            self.report_foreign(name);
        }
        let (left_key, right_key) = (left.key_of.clone(), right.key_of.clone());
        let logic = move |operator| TwoInputs::new(operator, left_key.clone(), right_key.clone());
        stateful(&left.stream.graph, name, parallelism, inputs, true, make, logic)
    }

    fn report_foreign(&self, name: &str) {
        for graph in [&self.left.stream.graph, &self.right.stream.graph] {
            let mistake = BuildError::ForeignStream { operator: name.to_owned() };
            graph.borrow_mut().mistake.get_or_insert(mistake);
        }
    }
}
