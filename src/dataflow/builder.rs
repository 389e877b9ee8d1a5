//! The typed job builder.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use super::assignment::SplitAssignment;
use super::build_error::BuildError;
use super::feedback::Feedback;
use super::graph::{Graph, Node};
use super::job::Job;
use super::source::Source;
use super::source_task::SourceTask;
use super::stream::Stream;
use super::task::Task;
use crate::external::ExternalSystem;
use crate::protocol::{CheckpointSettings, Guarantee, OperatorRole};

/// The highest parallelism of an operator.
pub const PARALLELISM_MAX: u16 = 256;

/// How many consumers a stream can have.
pub const CONSUMERS_MAX: u16 = 255;

/// Collects sources, operators and sinks, and makes a [`Job`] of them.
///
/// Operators are declared on the streams they consume, so that records have the types that their consumers
/// expect, and a job has no cycle but through a [`feedback`](Self::feedback):
///
/// ```
/// use cutwater::dataflow::{EncodedSink, JobBuilder, Replay};
///
/// let job = JobBuilder::new("lengths");
/// job.source("lines", Replay::<String>::new(), 1, 1)
///     .map("length", 1, |line: String| line.len() as u64)
///     .rebalance()
///     .transactional_sink("out", 2, EncodedSink::new());
/// let job = job.build()?;
/// assert_eq!(job.topology().channels.len(), 3);
/// # Ok::<(), cutwater::dataflow::BuildError>(())
/// ```
///
/// A consumer of another type does not compile:
///
/// ```compile_fail,E0631
/// use cutwater::dataflow::{JobBuilder, Replay};
///
/// let job = JobBuilder::new("lengths");
/// job.source("lines", Replay::<String>::new(), 1, 1)
///     .map("length", 1, |line: u64| line + 1);
/// ```
pub struct JobBuilder {
    name: String,
    graph: Rc<RefCell<Graph>>,
}

impl JobBuilder {
    /// A builder of a job with this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), graph: Rc::default() }
    }

    /// Adds a source that reads the next `splits` splits of the source log: the first source's are
    /// numbered from 0, those of the next follow. The *s*-th split of a source with *k* subtasks belongs
    /// to its subtask *s* mod *k*.
    pub fn source<S: Source>(
        &self,
        name: &str,
        source: S,
        parallelism: u16,
        splits: u16,
    ) -> Stream<S::Out> {
        self.add_source(name, source, parallelism, splits, SplitAssignment::Static)
    }

    /// Adds a source like [`source`](Self::source), whose splits are assigned by an enumerator while the job
    /// runs: a subtask that has nothing left to read asks for one. There may be fewer splits than subtasks.
    ///
    /// No watermark passes such a source before all of its splits are assigned: what is in a split that nobody
    /// reads yet would be late.
    pub fn source_enumerated<S: Source>(
        &self,
        name: &str,
        source: S,
        parallelism: u16,
        splits: u16,
    ) -> Stream<S::Out> {
        self.add_source(name, source, parallelism, splits, SplitAssignment::Enumerated)
    }

    /// Adds a source like [`source_enumerated`](Self::source_enumerated), whose enumerator knows of no split when
    /// the job starts. It looks again and again which there are, of the next `splits` of the source log; when they
    /// come up and go away is the plan's (`DiscoverySettings`). The job ends when there can be no more and all are read.
    pub fn source_discovered<S: Source>(
        &self,
        name: &str,
        source: S,
        parallelism: u16,
        splits: u16,
    ) -> Stream<S::Out> {
        self.add_source(name, source, parallelism, splits, SplitAssignment::Discovered)
    }

    fn add_source<S: Source>(
        &self,
        name: &str,
        source: S,
        parallelism: u16,
        splits: u16,
        assignment: SplitAssignment,
    ) -> Stream<S::Out> {
        let prototype = Arc::new(source);
        let mut node = Node::new(
            name,
            OperatorRole::Source,
            parallelism,
            Arc::new(move |placement, consumers, defects| {
                let source = S::clone(&prototype);
                Task::Splits(Box::new(SourceTask::new(source, placement, consumers, defects)))
            }),
        );
        (node.splits, node.assignment) = (splits, assignment);
        node.is_indivisible = size_of::<S::State>() > 0;
        Stream::of_new(&self.graph, node, Vec::new())
    }

    /// Adds a stream that operators can read before it is known who emits it; [`Feedback::close`] says so.
    /// The name is for messages.
    pub fn feedback<T>(&self, name: &str) -> Feedback<T> {
        Feedback::of_new(&self.graph, name)
    }

    /// What committing sinks, converging sinks and staging writers of this job write to.
    pub fn external_system(&self, system: impl ExternalSystem + 'static) -> &Self {
        self.graph.borrow_mut().system = Some(Arc::new(system));
        self
    }

    /// The operator keeps its parallelism when the job is rescaled.
    pub fn fix(&self, operator: &str) {
        let mut graph = self.graph.borrow_mut();
        match graph.nodes.iter_mut().find(|node| node.name == operator) {
            Some(node) => node.is_fixed = true,
            None => {
                let mistake = BuildError::UnknownOperator { operator: operator.to_owned() };
                graph.mistake.get_or_insert(mistake);
            }
        }
    }

    /// The job is to take checkpoints in this way: one that it cannot have is refused by
    /// [`build`](Self::build), with the reason.
    pub fn checkpoints(&self, settings: &CheckpointSettings) -> &Self {
        self.graph.borrow_mut().checkpoints = Some(settings.clone());
        self
    }

    /// After a failure this must hold of the job's state, and a protocol that gives another guarantee is
    /// refused.
    pub fn requires(&self, guarantee: Guarantee) -> &Self {
        self.graph.borrow_mut().require(guarantee);
        self
    }

    /// Makes a job of what was declared so far.
    ///
    /// # Errors
    ///
    /// When something is wrong with it; see [`BuildError`].
    pub fn build(&self) -> Result<Job, BuildError> {
        let graph = self.graph.borrow().resolved()?;
        graph.check()?;
        Job::of(&self.name, &graph)
    }
}

impl fmt::Debug for JobBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobBuilder").field("name", &self.name).finish_non_exhaustive()
    }
}
