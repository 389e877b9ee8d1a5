//! The graph that a builder collects: operators and edges, with the record types erased.

use std::sync::Arc;

use super::assignment::SplitAssignment;
use super::build_error::BuildError;
use super::builder::{CONSUMERS_MAX, PARALLELISM_MAX};
use super::data::Show;
use super::placement::Placement;
use super::router::{Consumer, Partition};
use super::side_output::Output;
use super::state::StateDeclarations;
use super::task::Task;
use super::witness::Witness;
use crate::external::ExternalSystem;
use crate::protocol::{CheckpointSettings, DefectSet, Guarantee, KeyGroup, OperatorRole};

/// Makes the task side of a subtask.
pub(crate) type TaskFactory = Arc<dyn Fn(&Placement, &[Consumer], DefectSet) -> Task + Send + Sync>;

/// Operators in the order of their declaration, which is topological but for feedbacks: an operator is
/// declared on streams that exist.
#[derive(Clone, Default)]
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Node>,
    feedbacks: Vec<DeclaredFeedback>,
    /// The first mistake that only the declaration could see.
    pub(crate) mistake: Option<BuildError>,
    /// What must hold of its state after a failure.
    pub(crate) required: Option<Guarantee>,
    /// How it is to take checkpoints, where that is known.
    pub(crate) checkpoints: Option<CheckpointSettings>,
    /// Who sees the values that its subtasks take and make.
    pub(crate) witness: Option<Witness>,
    /// What its sinks write to, where that is not the sink target itself.
    pub(crate) system: Option<Arc<dyn ExternalSystem>>,
}

/// One operator.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) name: String,
    /// By what its state is found in the snapshots of another job; its name, unless told otherwise.
    pub(crate) uid: String,
    pub(crate) role: OperatorRole,
    pub(crate) parallelism: u16,
    /// How many splits it reads.
    pub(crate) splits: u16,
    /// Who decides which of its subtasks reads which.
    pub(crate) assignment: SplitAssignment,
    /// Whether it has a key: keyed state is spread over its subtasks by key group.
    pub(crate) keyed: bool,
    /// Where its inputs come from.
    pub(crate) inputs: Vec<EdgeRef>,
    /// What each of its consumers takes, and how.
    pub(crate) consumers: Vec<Consumer>,
    pub(crate) factory: TaskFactory,
    /// The state it declares.
    pub(crate) states: StateDeclarations,
    /// Whether its parallelism stays as declared when the job is rescaled.
    pub(crate) is_fixed: bool,
    /// Whether it asks a service, and holds watermarks back until it has answered.
    pub(crate) is_asynchronous: bool,
    /// In a source, whether it knows more than its positions: nobody could say which subtask gets what.
    pub(crate) is_indivisible: bool,
    /// Shows a record that it emits; nothing where it emits none.
    pub(crate) show: Option<Show>,
}

/// Where a stream comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// An operator emits it, as its main output or as another.
    Node(usize, Output),
    /// Who emits it is said later.
    Feedback(usize),
}

/// A stream that leads back.
#[derive(Clone)]
struct DeclaredFeedback {
    name: String,
    /// The operator that emits it, once that is known, and as which of its outputs.
    from: Option<(usize, Output)>,
    /// Who reads it: the operator, which of its inputs, and how records are spread.
    readers: Vec<(usize, usize, Partition)>,
}

/// One edge, by the operator that emits and the number among its consumers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EdgeRef {
    pub(crate) from: usize,
    pub(crate) edge: usize,
}

impl Node {
    /// A node without inputs, consumers, splits, key and state.
    pub(crate) fn new(
        name: &str,
        role: OperatorRole,
        parallelism: u16,
        factory: TaskFactory,
    ) -> Self {
        Self {
            name: name.to_owned(),
            uid: name.to_owned(),
            role,
            parallelism,
            splits: 0,
            assignment: SplitAssignment::Static,
            keyed: false,
            inputs: Vec::new(),
            consumers: Vec::new(),
            factory,
            states: StateDeclarations::default(),
            is_fixed: false,
            is_asynchronous: false,
            is_indivisible: false,
            show: None,
        }
    }

    /// Adds a consumer of this operator, the `from`-th; gives the edge to it.
    fn consumed(&mut self, from: usize, output: Output, partition: Partition) -> EdgeRef {
        self.consumers.push(Consumer { partition, output });
        EdgeRef { from, edge: self.consumers.len() - 1 }
    }

    pub(crate) fn is_sink(&self) -> bool {
        self.role.is_sink()
    }
}

/// The input of a feedback, until it is known who emits it.
const OPEN: EdgeRef = EdgeRef { from: usize::MAX, edge: usize::MAX };

impl Graph {
    /// Adds an operator that consumes these streams; gives its index.
    pub(crate) fn add(&mut self, mut node: Node, inputs: Vec<(Origin, Partition)>) -> usize {
        let index = self.nodes.len();
        for (input, (origin, partition)) in inputs.into_iter().enumerate() {
            node.inputs.push(match origin {
                Origin::Node(from, output) => self.nodes[from].consumed(from, output, partition),
                Origin::Feedback(feedback) => {
                    self.feedbacks[feedback].readers.push((index, input, partition));
                    OPEN
                }
            });
        }
        self.nodes.push(node);
        index
    }

    /// Adds a stream that nobody emits yet; gives its index.
    pub(crate) fn add_feedback(&mut self, name: &str) -> usize {
        let feedback = DeclaredFeedback { name: name.to_owned(), from: None, readers: Vec::new() };
        self.feedbacks.push(feedback);
        self.feedbacks.len() - 1
    }

    /// An operator emits it, as this output.
    pub(crate) fn close_feedback(&mut self, feedback: usize, from: (usize, Output)) {
        self.feedbacks[feedback].from = Some(from);
    }

    pub(crate) fn feedback_name(&self, feedback: usize) -> String {
        self.feedbacks[feedback].name.clone()
    }

    /// The graph with its feedbacks as edges, behind all others of the operators that emit them.
    pub(crate) fn resolved(&self) -> Result<Self, BuildError> {
        self.mistake.clone().map_or(Ok(()), Err)?;
        let mut graph = self.clone();
        for DeclaredFeedback { name, from, readers } in std::mem::take(&mut graph.feedbacks) {
            let Some((from, output)) = from else {
                return Err(BuildError::FeedbackOpen { feedback: name });
            };
            if readers.is_empty() {
                return Err(BuildError::FeedbackUnread { feedback: name });
            }
            for (reader, input, partition) in readers {
                if !graph.leads_to(reader, from) {
                    return Err(graph.no_loop(name, reader, from));
                }
                graph.nodes[reader].inputs[input] =
                    graph.nodes[from].consumed(from, output, partition);
            }
        }
        Ok(graph)
    }

    fn no_loop(&self, feedback: String, reader: usize, from: usize) -> BuildError {
        let (reader, from) = (self.nodes[reader].name.clone(), self.nodes[from].name.clone());
        BuildError::FeedbackWithoutLoop { feedback, reader, from }
    }

    /// The same operators, with so many subtasks each, but for those that are fixed.
    pub(crate) fn at(&self, parallelism: u16) -> Result<Self, BuildError> {
        let is_stuck =
            |node: &&Node| node.is_indivisible && !node.is_fixed && node.parallelism != parallelism;
        if let Some(node) = self.nodes.iter().find(is_stuck) {
            return Err(BuildError::SourceStateIndivisible { source_name: node.name.clone() });
        }
        let mut graph = self.clone();
        for node in graph.nodes.iter_mut().filter(|node| !node.is_fixed) {
            node.parallelism = parallelism;
        }
        Ok(graph)
    }

    /// Whether a job can be made of it.
    pub(crate) fn check(&self) -> Result<(), BuildError> {
        self.mistake.clone().map_or(Ok(()), Err)?;
        for (index, node) in self.nodes.iter().enumerate() {
            self.check_name(index, node)?;
            self.check_uid(index, node)?;
            check_parallelism(node)?;
            check_splits(node)?;
            check_states(node)?;
            self.check_edges(node)?;
        }
        self.check_ends()?;
        self.check_system()?;
        self.checkpoints.as_ref().map_or(Ok(()), |settings| self.admits(settings))
    }

    fn check_name(&self, index: usize, node: &Node) -> Result<(), BuildError> {
        let name = node.name.clone();
        let shown = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if name.is_empty() {
            Err(BuildError::EmptyName { index })
        } else if !name.chars().all(shown) {
            Err(BuildError::InvalidName { name })
        } else if self.nodes[..index].iter().any(|other| other.name == name) {
            Err(BuildError::DuplicateName { name })
        } else {
            Ok(())
        }
    }

    fn check_uid(&self, index: usize, node: &Node) -> Result<(), BuildError> {
        let is_taken = self.nodes[..index].iter().any(|other| other.uid == node.uid);
        if is_taken { Err(BuildError::DuplicateUid { uid: node.uid.clone() }) } else { Ok(()) }
    }

    fn check_edges(&self, node: &Node) -> Result<(), BuildError> {
        if node.consumers.len() > usize::from(CONSUMERS_MAX) {
            return Err(BuildError::TooManyConsumers { operator: node.name.clone() });
        }
        node.inputs.iter().try_for_each(|input| self.check_edge(*input, node))
    }

    fn check_edge(&self, input: EdgeRef, node: &Node) -> Result<(), BuildError> {
        let from = &self.nodes[input.from];
        let forward = matches!(from.consumers[input.edge].partition, Partition::Forward);
        if !forward || from.parallelism == node.parallelism {
            return Ok(());
        }
        Err(BuildError::ForwardBetweenParallelisms {
            from: from.name.clone(),
            from_parallelism: from.parallelism,
            to: node.name.clone(),
            to_parallelism: node.parallelism,
        })
    }

    /// A sink with a protocol of its own needs somebody to speak with.
    fn check_system(&self) -> Result<(), BuildError> {
        let lonely = self.nodes.iter().find(|node| node.role.is_outside());
        match (lonely, &self.system) {
            (Some(node), None) => Err(BuildError::NoExternalSystem { operator: node.name.clone() }),
            (Some(_), Some(_)) | (None, _) => Ok(()),
        }
    }

    /// Every stream must lead to a sink, and come from a source.
    fn check_ends(&self) -> Result<(), BuildError> {
        if !self.nodes.iter().any(|node| node.role == OperatorRole::Source) {
            return Err(BuildError::NoSource);
        }
        if !self.nodes.iter().any(Node::is_sink) {
            return Err(BuildError::NoSink);
        }
        let dangling = self.nodes.iter().find(|node| node.consumers.is_empty() && !node.is_sink());
        dangling
            .map_or(Ok(()), |node| Err(BuildError::Dangling { operator: node.name.clone() }))?;
        self.check_loops()
    }
}

fn check_parallelism(node: &Node) -> Result<(), BuildError> {
    let (operator, parallelism) = (node.name.clone(), node.parallelism);
    if parallelism == 0 {
        Err(BuildError::ParallelismZero { operator })
    } else if node.keyed && parallelism > KeyGroup::COUNT {
        Err(BuildError::KeyedParallelismTooHigh { operator, parallelism })
    } else if parallelism > PARALLELISM_MAX {
        Err(BuildError::ParallelismTooHigh { operator, parallelism })
    } else {
        Ok(())
    }
}

fn check_splits(node: &Node) -> Result<(), BuildError> {
    if node.role != OperatorRole::Source {
        return Ok(());
    }
    let (source_name, splits, subtasks) = (node.name.clone(), node.splits, node.parallelism);
    if splits == 0 {
        Err(BuildError::NoSplits { source_name })
    } else if splits < subtasks && node.assignment.is_static() {
        Err(BuildError::FewerSplitsThanSubtasks { source_name, splits, subtasks })
    } else {
        Ok(())
    }
}

fn check_states(node: &Node) -> Result<(), BuildError> {
    let operator = node.name.clone();
    if let Some(state) = node.states.duplicate() {
        return Err(BuildError::DuplicateState { operator, state });
    }
    match node.states.first_keyed() {
        Some(shape) if !node.keyed => {
            Err(BuildError::KeyedStateWithoutKey { operator, state: shape.name.clone() })
        }
        Some(_) | None => Ok(()),
    }
}
