//! Streams: what a job's operators are declared on.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use super::async_queue::AnswerOrder;
use super::async_task::{AsyncTask, Wait};
use super::build_error::BuildError;
use super::committing_sink::{CommittingSink, StagingWriter};
use super::committing_task::CommittingTask;
use super::data::{Data, encode_into, show};
use super::graph::{Graph, Node, Origin, TaskFactory};
use super::keyed_stream::KeyedStream;
use super::operator::Operator;
use super::processed::{Processed, stateful};
use super::record::Payload;
use super::router::{HashKey, KeyFn, Partition};
use super::side_output::{Output, OutputTag};
use super::sink::Sink;
use super::sink_task::SinkTask;
use super::staging_task::StagingTask;
use super::state::StateDeclarations;
use super::stateful_logic::OneInput;
use super::task::Task;
use super::transform_task::{Filter, FlatMap, Map, Transform, TransformTask};
use crate::protocol::OperatorRole;

/// The records that an operator emits, and how they are spread over the subtasks of the next consumer.
///
/// A stream can have several consumers: each gets every record. Clones are the same stream.
#[must_use = "a stream that nothing consumes is a build error"]
pub struct Stream<T> {
    pub(crate) graph: Rc<RefCell<Graph>>,
    pub(crate) origin: Origin,
    pub(crate) partition: Partition,
    pub(crate) _records: PhantomData<fn() -> T>,
}

impl<T> Clone for Stream<T> {
    fn clone(&self) -> Self {
        self.partitioned(self.partition.clone())
    }
}

impl<T: Data> Stream<T> {
    /// Adds an operator to the graph; gives the stream of what it emits.
    pub(crate) fn of_new(
        graph: &Rc<RefCell<Graph>>,
        mut node: Node,
        inputs: Vec<(Origin, Partition)>,
    ) -> Self {
        node.show = Some(show::<T>);
        let origin = Origin::Node(graph.borrow_mut().add(node, inputs), Output::Main);
        let graph = Rc::clone(graph);
        Self { graph, origin, partition: Partition::Forward, _records: PhantomData }
    }
}

impl<T> Stream<T> {
    /// The state of the operator that emits this stream is found by `uid` in the snapshots of another version of
    /// the job, whatever its name and place ([`Job::starts_from`](super::Job::starts_from)). Without one it is
    /// found by its name.
    pub fn uid(&self, uid: &str) -> Self {
        let mut graph = self.graph.borrow_mut();
        match self.origin {
            Origin::Node(node, _) => uid.clone_into(&mut graph.nodes[node].uid),
            Origin::Feedback(feedback) => {
                let (feedback, uid) = (graph.feedback_name(feedback), uid.to_owned());
                graph.mistake.get_or_insert(BuildError::FeedbackWithUid { feedback, uid });
            }
        }
        drop(graph);
        self.clone()
    }

    /// To the subtask with the sender's index; what a stream does unless told otherwise. Both ends must
    /// have the same parallelism.
    pub fn forward(&self) -> Self {
        self.partitioned(Partition::Forward)
    }

    /// To each subtask in turn, from the first. How far it has come is in the sender's snapshot.
    pub fn rebalance(&self) -> Self {
        self.partitioned(Partition::Rebalance)
    }

    /// To each subtask in turn, from the one with the sender's index: record *i* of sender *s* goes to
    /// subtask *(s + i)* mod *k*. How far it has come is in the sender's snapshot.
    pub fn shift(&self) -> Self {
        self.partitioned(Partition::Shift)
    }

    /// To every subtask. Where there are several, each copy has a lineage of its own.
    pub fn broadcast(&self) -> Self {
        self.partitioned(Partition::Broadcast)
    }

    /// What the operator of this stream emits to a side output.
    pub(crate) fn of_side<S: 'static>(&self, tag: OutputTag<S>) -> Stream<S> {
        let origin = match self.origin {
            Origin::Node(node, _) => Origin::Node(node, tag.output()),
            Origin::Feedback(_) => self.origin,
        };
        let graph = Rc::clone(&self.graph);
        Stream { graph, origin, partition: Partition::Forward, _records: PhantomData }
    }

    fn partitioned(&self, partition: Partition) -> Self {
        let graph = Rc::clone(&self.graph);
        Self { graph, origin: self.origin, partition, _records: PhantomData }
    }

    pub(crate) fn as_input(&self) -> (Origin, Partition) {
        (self.origin, self.partition.clone())
    }
}

impl<T: Data> Stream<T> {
    /// To the subtask that owns the key group of the record's key.
    ///
    /// `key` must be a pure function.
    pub fn key_by<K: Data>(
        &self,
        key: impl Fn(&T) -> K + Send + Sync + 'static,
    ) -> KeyedStream<K, T> {
        let key_of: KeyFn<T> =
            Arc::new(move |record, bytes: &mut Payload| encode_into(&key(record), bytes));
        let partition = Partition::Hash(HashKey::new(&key_of));
        KeyedStream { stream: self.partitioned(partition), key_of, _keys: PhantomData }
    }

    /// One record for each record. `function` must be pure.
    pub fn map<U: Data>(
        &self,
        name: &str,
        parallelism: u16,
        function: impl Fn(T) -> U + Send + Sync + 'static,
    ) -> Stream<U> {
        self.transform(name, parallelism, vec![self.as_input()], Map::new(function))
    }

    /// The records for which `predicate`, which must be pure, holds.
    pub fn filter(
        &self,
        name: &str,
        parallelism: u16,
        predicate: impl Fn(&T) -> bool + Send + Sync + 'static,
    ) -> Stream<T> {
        self.transform(name, parallelism, vec![self.as_input()], Filter::new(predicate))
    }

    /// Any number of records for each record, in order. `function` must be pure.
    pub fn flat_map<I>(
        &self,
        name: &str,
        parallelism: u16,
        function: impl Fn(T) -> I + Send + Sync + 'static,
    ) -> Stream<I::Item>
    where
        I: IntoIterator<Item: Data> + 'static,
    {
        self.transform(name, parallelism, vec![self.as_input()], FlatMap::new(function))
    }

    /// Asks a service for each record, and emits what it answers, in the order of the records (Flink:
    /// `AsyncDataStream.orderedWait`). See [`unordered_wait`](Self::unordered_wait).
    ///
    /// # Panics
    ///
    /// When `capacity` is 0.
    pub fn ordered_wait<I>(
        &self,
        name: &str,
        parallelism: u16,
        capacity: u16,
        answer: impl Fn(T) -> I + Send + Sync + 'static,
    ) -> Stream<I::Item>
    where
        I: IntoIterator<Item: Data> + 'static,
    {
        self.wait(
            name,
            parallelism,
            Wait::new(AnswerOrder::Ordered, capacity),
            FlatMap::new(answer),
        )
    }

    /// Asks a service for each record, and emits what it answers, as answers come (Flink:
    /// `AsyncDataStream.unorderedWait`). Watermarks keep their places between records.
    ///
    /// Up to `capacity` requests of a subtask are under way at once; when there are so many, it processes
    /// nothing. A snapshot holds what is under way, and a restored subtask asks again: requests are made at
    /// least once, and answered into the output exactly once.
    ///
    /// The service is simulated: `answer`, which must be pure, says what it answers, and the world decides when.
    ///
    /// ```
    /// use cutwater::dataflow::{EncodedSink, Input, JobBuilder, Replay};
    /// use cutwater::explore::Check;
    ///
    /// let job = JobBuilder::new("names");
    /// job.source("ids", Replay::<u32>::new(), 1, 1)
    ///     .unordered_wait("look-up", 1, 8, |id| [format!("user-{id}")])
    ///     .transactional_sink("names", 1, EncodedSink::new());
    /// let input = Input::dealt([3_u32, 1, 2].iter().map(Replay::entry), 1);
    /// let names = ["user-1", "user-2", "user-3"].map(str::to_owned);
    /// Check::new(&job, input, &names)?.seeds(0..2).run()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    ///
    /// When `capacity` is 0.
    pub fn unordered_wait<I>(
        &self,
        name: &str,
        parallelism: u16,
        capacity: u16,
        answer: impl Fn(T) -> I + Send + Sync + 'static,
    ) -> Stream<I::Item>
    where
        I: IntoIterator<Item: Data> + 'static,
    {
        let wait = Wait::new(AnswerOrder::Unordered, capacity);
        self.wait(name, parallelism, wait, FlatMap::new(answer))
    }

    fn wait<F: Transform<In = T>>(
        &self,
        name: &str,
        parallelism: u16,
        wait: Wait,
        ask: F,
    ) -> Stream<F::Out> {
        let ask = Arc::new(ask);
        let factory: TaskFactory = Arc::new(move |placement, consumers, defects| {
            let ask = Arc::clone(&ask);
            Task::Inputs(Box::new(AsyncTask::new(ask, wait, placement, consumers, defects)))
        });
        let mut node = Node::new(name, OperatorRole::Operator, parallelism, factory);
        node.is_asynchronous = true;
        Stream::of_new(&self.graph, node, vec![self.as_input()])
    }

    /// The records of this stream and of another, as they arrive.
    pub fn merge(&self, name: &str, parallelism: u16, other: &Stream<T>) -> Stream<T> {
        self.union(name, parallelism, &[other])
    }

    /// The records of this stream and of others, as they arrive (Flink: `DataStream.union`). The streams must
    /// be others: what comes twice from one operator could not be told apart.
    ///
    /// ```
    /// use cutwater::dataflow::{EncodedSink, Input, JobBuilder, Replay};
    /// use cutwater::explore::Check;
    ///
    /// let job = JobBuilder::new("all");
    /// let [north, east, west] =
    ///     ["north", "east", "west"].map(|name| job.source(name, Replay::<u64>::new(), 1, 1));
    /// north
    ///     .union("all", 1, &[&east, &west])
    ///     .transactional_sink("out", 1, EncodedSink::new());
    /// let splits = [vec![1_u64, 2], vec![3], vec![4, 5]];
    /// let entries = |numbers: &Vec<u64>| numbers.iter().map(Replay::entry).collect();
    /// let input = Input::new(splits.iter().map(entries).collect());
    /// Check::new(&job, input, &[1_u64, 2, 3, 4, 5])?.seeds(0..2).run()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn union(&self, name: &str, parallelism: u16, others: &[&Stream<T>]) -> Stream<T> {
        let mut inputs = vec![self.as_input()];
        for other in others {
            if Rc::ptr_eq(&self.graph, &other.graph) {
                inputs.push(other.as_input());
            } else {
                self.report_foreign(name);
            }
        }
        self.transform(name, parallelism, inputs, Map::new(|record| record))
    }

    /// An operator without a key: it has operator state, but neither keyed state nor timers.
    ///
    /// `make` is called for each subtask; see [`Operator`].
    pub fn process<O: Operator<In = T>>(
        &self,
        name: &str,
        parallelism: u16,
        make: impl Fn(&mut StateDeclarations) -> O + Send + Sync + 'static,
    ) -> Processed<O, O::Out> {
        let logic = |operator| OneInput::new(operator, None);
        stateful(&self.graph, name, parallelism, vec![self.as_input()], false, make, logic)
    }

    /// Writes the records in transactions that become visible when a checkpoint completes: exactly once.
    pub fn transactional_sink<S: Sink<In = T>>(&self, name: &str, parallelism: u16, sink: S) {
        self.sink(name, parallelism, OperatorRole::TransactionalSink, sink);
    }

    /// Writes the records at once; after a failure some are written again.
    pub fn at_least_once_sink<S: Sink<In = T>>(&self, name: &str, parallelism: u16, sink: S) {
        self.sink(name, parallelism, OperatorRole::AtLeastOnceSink, sink);
    }

    /// Writes the records to the job's external system, by a protocol of the sink's own: each is to be seen once, and
    /// only when a checkpoint that holds it has completed.
    pub fn committing_sink<S: CommittingSink<In = T>>(
        &self,
        name: &str,
        parallelism: u16,
        sink: S,
    ) {
        self.sink_outside(name, parallelism, OperatorRole::CommittingSink, sink);
    }

    /// Writes the records to the job's external system, which shows them before their checkpoint completes: after a
    /// failure readers may see older rows again, and in the end they see what is expected.
    pub fn converging_sink<S: CommittingSink<In = T>>(
        &self,
        name: &str,
        parallelism: u16,
        sink: S,
    ) {
        self.sink_outside(name, parallelism, OperatorRole::ConvergingSink, sink);
    }

    /// Writes the records to the job's external system, and gives what is to be committed of them.
    pub fn staging_writer<W: StagingWriter<In = T>>(
        &self,
        name: &str,
        parallelism: u16,
        writer: W,
    ) -> Stream<W::Staged> {
        let factory: TaskFactory = Arc::new(move |placement, partitions, defects| {
            Task::Inputs(Box::new(StagingTask::new(writer.clone(), placement, partitions, defects)))
        });
        let node = Node::new(name, OperatorRole::StagingWriter, parallelism, factory);
        Stream::of_new(&self.graph, node, vec![self.as_input()])
    }

    fn sink_outside<S: CommittingSink<In = T>>(
        &self,
        name: &str,
        parallelism: u16,
        role: OperatorRole,
        sink: S,
    ) {
        let factory: TaskFactory = Arc::new(move |placement, _, defects| {
            Task::Inputs(Box::new(CommittingTask::new(sink.clone(), placement, defects)))
        });
        let node = Node::new(name, role, parallelism, factory);
        self.graph.borrow_mut().add(node, vec![self.as_input()]);
    }

    fn transform<F: Transform<In = T>>(
        &self,
        name: &str,
        parallelism: u16,
        inputs: Vec<(Origin, Partition)>,
        transform: F,
    ) -> Stream<F::Out> {
        let transform = Arc::new(transform);
        let factory: TaskFactory = Arc::new(move |placement, consumers, defects| {
            let transform = Arc::clone(&transform);
            Task::Inputs(Box::new(TransformTask::new(transform, placement, consumers, defects)))
        });
        let node = Node::new(name, OperatorRole::Operator, parallelism, factory);
        Stream::of_new(&self.graph, node, inputs)
    }

    fn report_foreign(&self, name: &str) {
        let mistake = BuildError::ForeignStream { operator: name.to_owned() };
        self.graph.borrow_mut().mistake.get_or_insert(mistake);
    }

    fn sink<S: Sink<In = T>>(&self, name: &str, parallelism: u16, role: OperatorRole, sink: S) {
        let factory: TaskFactory = Arc::new(move |placement, _, defects| {
            Task::Inputs(Box::new(SinkTask::new(sink.clone(), placement, defects)))
        });
        let node = Node::new(name, role, parallelism, factory);
        self.graph.borrow_mut().add(node, vec![self.as_input()]);
    }
}
