//! The stream of a stateful operator, on which its conserved quantity can be declared.

use std::cell::RefCell;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use super::data::Data;
use super::graph::{Graph, Node, Origin, TaskFactory};
use super::router::Partition;
use super::side_output::OutputTag;
use super::state::StateDeclarations;
use super::state_view::StateView;
use super::stateful_logic::Logic;
use super::stateful_task::{Conserved, StatefulTask};
use super::stream::Stream;
use super::task::Task;
use crate::protocol::OperatorRole;

/// The [`Stream`] of what a stateful operator emits; it can be used as one.
#[must_use = "a stream that nothing consumes is a build error"]
pub struct Processed<O, T> {
    stream: Stream<T>,
    /// Shared with the operator's factory.
    conserved: Arc<OnceLock<Conserved<O>>>,
}

impl<O, T> Processed<O, T> {
    /// Declares the quantity that this operator conserves: computed over all state of each subtask at
    /// each snapshot. An oracle adds it up over the subtasks of a checkpoint.
    pub fn conserving(
        self,
        quantity: impl Fn(&O, &StateView<'_>) -> i64 + Send + Sync + 'static,
    ) -> Stream<T> {
        let quantity: Conserved<O> = Arc::new(quantity);
        assert!(self.conserved.set(quantity).is_ok(), "an operator is declared once");
        self.stream
    }

    /// What the operator emits to a side output.
    pub fn side_output<S: Data>(&self, tag: OutputTag<S>) -> Stream<S> {
        self.stream.of_side(tag)
    }

    /// The stream itself.
    pub fn into_stream(self) -> Stream<T> {
        self.stream
    }
}

impl<O, T> Deref for Processed<O, T> {
    type Target = Stream<T>;

    fn deref(&self) -> &Stream<T> {
        &self.stream
    }
}

impl<O, T> From<Processed<O, T>> for Stream<T> {
    fn from(processed: Processed<O, T>) -> Self {
        processed.stream
    }
}

/// Adds a stateful operator to the graph.
///
/// The constructor runs once now, to learn what state it declares, and once for each subtask.
pub(crate) fn stateful<L, T>(
    graph: &Rc<RefCell<Graph>>,
    name: &str,
    parallelism: u16,
    inputs: Vec<(Origin, Partition)>,
    keyed: bool,
    make: impl Fn(&mut StateDeclarations) -> L::Operator + Send + Sync + 'static,
    logic: impl Fn(L::Operator) -> L + Send + Sync + 'static,
) -> Processed<L::Operator, T>
where
    L: Logic<Out = T>,
    L::Operator: 'static,
    T: Data,
{
    let conserved: Arc<OnceLock<Conserved<L::Operator>>> = Arc::default();
    let mut states = StateDeclarations::default();
    drop(make(&mut states));
    let shared = Arc::clone(&conserved);
    let factory: TaskFactory = Arc::new(move |placement, consumers, defects| {
        let mut states = StateDeclarations::default();
        let logic = logic(make(&mut states));
        let conserved = shared.get().cloned();
        let task = StatefulTask::new(logic, &states, conserved, placement, consumers, defects);
        Task::Inputs(Box::new(task))
    });
    let mut node = Node::new(name, OperatorRole::Operator, parallelism, factory);
    (node.keyed, node.states) = (keyed, states);
    Processed { stream: Stream::of_new(graph, node, inputs), conserved }
}
