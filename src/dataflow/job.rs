//! A job that can run: its shape, and how to make each of its subtasks.

use std::fmt;
use std::sync::Arc;

use super::assignment::SplitAssignment;
use super::build_error::BuildError;
use super::data::Show;
use super::graph::{Graph, Node};
use super::placement::Placement;
use super::router::Partition;
use super::subtask::Subtask;
use super::wiring::Wiring;
use super::witness::{Watch, Witness};
use crate::external::ExternalSystem;
use crate::protocol::{
    ChannelId, CheckpointSettings, Defect, DefectSet, Loops, OperatorId, OperatorRole, Protocol,
    SnapshotRange, SplitId, SubtaskId, Topology,
};

/// A checked job; made by [`JobBuilder`](super::JobBuilder). Clones share everything.
#[derive(Clone)]
pub struct Job {
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    graph: Graph,
    wiring: Wiring,
    /// Whether its subtasks tell what they own.
    is_rescalable: bool,
    /// As what it may go on, version after version.
    later: Vec<Job>,
}

impl Job {
    /// The job of a graph that was [checked](Graph::check).
    pub(crate) fn of(name: &str, graph: &Graph) -> Result<Self, BuildError> {
        Self::of_kind(name, graph.clone(), false)
    }

    fn of_kind(name: &str, graph: Graph, is_rescalable: bool) -> Result<Self, BuildError> {
        let (name, wiring, later) = (name.to_owned(), Wiring::of(&graph)?, Vec::new());
        Ok(Self { inner: Arc::new(Inner { name, graph, wiring, is_rescalable, later }) })
    }

    /// The same job, with these later versions.
    pub(super) fn with_later(&self, later: Vec<Self>) -> Self {
        let Inner { name, graph, is_rescalable, .. } = &*self.inner;
        let wiring = Wiring::of(graph).expect("it was wired before");
        let (name, graph, is_rescalable) = (name.clone(), graph.clone(), *is_rescalable);
        Self { inner: Arc::new(Inner { name, graph, wiring, is_rescalable, later }) }
    }

    /// As what it may go on, version after version.
    pub(super) fn later(&self) -> &[Self] {
        &self.inner.later
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.inner.graph.nodes.iter()
    }

    pub(super) fn node(&self, operator: OperatorId) -> &Node {
        &self.inner.graph.nodes[operator.index()]
    }

    /// The same job, with so many subtasks of each operator but the
    /// [fixed](super::JobBuilder::fix) ones.
    ///
    /// # Errors
    ///
    /// When an operator cannot have so many: a keyed one more than there are key groups, a source more
    /// than it has splits, or a source that knows more than its positions another number; and when a
    /// forward edge would lead to another number of subtasks.
    pub fn at(&self, parallelism: u16) -> Result<Self, BuildError> {
        let graph = self.inner.graph.at(parallelism)?;
        graph.check()?;
        Self::of_kind(self.name(), graph, self.inner.is_rescalable)
    }

    /// The same job, whose subtasks tell at each snapshot and restore what state they own, piece by piece.
    #[must_use]
    pub fn rescalable(&self) -> Self {
        let Inner { name, graph, later, .. } = &*self.inner;
        let job = Self::of_kind(name, graph.clone(), true).expect("it was wired before");
        job.with_later(later.iter().map(Self::rescalable).collect())
    }

    /// Whether its subtasks tell what state they own.
    #[must_use]
    pub fn is_rescalable(&self) -> bool {
        self.inner.is_rescalable
    }

    /// By operator: which snapshots its subtasks read when their number has changed.
    #[must_use]
    pub fn snapshot_ranges(&self) -> Vec<SnapshotRange> {
        let wanted = |node: &Node| {
            let is_by_key = node.keyed && node.states.operator_count() == 0;
            if is_by_key { SnapshotRange::KeyRange } else { SnapshotRange::All }
        };
        self.inner.graph.nodes.iter().map(wanted).collect()
    }

    /// By operator: by what its state is found in the snapshots of another version of the job.
    pub fn uids(&self) -> impl Iterator<Item = &str> {
        self.inner.graph.nodes.iter().map(|node| node.uid.as_str())
    }

    /// The splits of an operator, from the first on; they are numbered from one source to the next.
    pub(crate) fn first_split(&self, operator: OperatorId) -> u16 {
        self.inner.graph.nodes[..operator.index()].iter().map(|node| node.splits).sum()
    }

    /// How many splits an operator has, whoever assigns them.
    pub(crate) fn splits_declared(&self, operator: OperatorId) -> u16 {
        self.inner.graph.nodes[operator.index()].splits
    }

    /// Whether an operator has a union list.
    #[must_use]
    pub fn has_union_list(&self) -> bool {
        self.inner.graph.nodes.iter().any(|node| node.states.has_union())
    }

    /// The subtasks whose snapshots make the union lists of this one: all of its operator, or none where that
    /// has no such list.
    #[must_use]
    pub fn united_with(&self, subtask: SubtaskId) -> Vec<SubtaskId> {
        let operator = self.placement(subtask).operator;
        match self.inner.graph.nodes[operator.index()].states.has_union() {
            true => self.subtasks_of(operator),
            false => Vec::new(),
        }
    }

    /// Whether an operator asks a service. It holds watermarks in its snapshots, which the oracle of event time
    /// takes for lost: nothing is told of event time in such a job.
    #[must_use]
    pub fn is_asynchronous(&self) -> bool {
        self.inner.graph.nodes.iter().any(|node| node.is_asynchronous)
    }

    /// Where a subtask sits.
    pub(crate) fn placement(&self, subtask: SubtaskId) -> &Placement {
        &self.inner.wiring.placements[subtask.index()]
    }

    /// How the edge that this channel belongs to spreads records.
    pub(crate) fn partition(&self, channel: ChannelId) -> &Partition {
        let shape = self.topology().channels[channel.index()];
        let sender = self.topology().subtasks[shape.from.index()].operator;
        &self.inner.graph.nodes[sender.index()].consumers[usize::from(shape.edge)].partition
    }

    /// Whether what `protocol` leaves in flight can be dealt out anew when the job goes on as `now`.
    ///
    /// # Errors
    ///
    /// When an edge has no rule for it.
    pub fn can_deal_in_flight(&self, now: &Self, protocol: Protocol) -> Result<(), BuildError> {
        let keeps =
            |channel: &ChannelId| protocol.may_overtake() || self.loops().leads_back(*channel);
        for channel in self.topology().channel_ids().filter(keeps) {
            self.resized_into(now, channel)?;
        }
        Ok(())
    }

    fn resized_into(&self, now: &Self, channel: ChannelId) -> Result<(), BuildError> {
        let topology = self.topology();
        let shape = topology.channels[channel.index()];
        let name = |subtask| topology.operator_of(subtask).name.clone();
        now.resized(self, channel).judge().map_err(|refusal| BuildError::InFlightIndivisible {
            from: name(shape.from),
            to: name(shape.to),
            refusal,
        })
    }

    /// Whether the operator of this subtask spreads its state over its subtasks by key.
    pub(crate) fn is_keyed(&self, subtask: SubtaskId) -> bool {
        self.inner.graph.nodes[self.placement(subtask).operator.index()].keyed
    }

    /// Whether it can take checkpoints in this way.
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn admits(&self, settings: &CheckpointSettings) -> Result<(), BuildError> {
        self.inner.graph.admits(settings)
    }

    /// The system that its sinks write to, as it is before anything was written.
    #[must_use]
    pub fn external_system(&self) -> Option<Box<dyn ExternalSystem>> {
        self.inner.graph.system.as_ref().map(|system| system.boxed_clone())
    }

    /// What the job is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Its operators, subtasks and channels.
    #[must_use]
    pub fn topology(&self) -> &Topology {
        &self.inner.wiring.topology
    }

    /// Its loops.
    #[must_use]
    pub fn loops(&self) -> &Loops {
        &self.inner.wiring.loops
    }

    /// Its loops as an engine with these defects sees them.
    #[must_use]
    pub fn loops_seen(&self, defects: DefectSet) -> &Loops {
        if defects.has(Defect::BackEdgeIfVisited) {
            return &self.inner.wiring.visited_loops;
        }
        self.loops()
    }

    /// How many splits its sources read in all.
    #[must_use]
    pub fn split_count(&self) -> u16 {
        self.inner.wiring.split_count
    }

    /// The splits that a subtask reads from the beginning, ascending; none where it is not a source, or an
    /// enumerator assigns them.
    ///
    /// # Panics
    ///
    /// When the job has no such subtask.
    #[must_use]
    pub fn splits_of(&self, subtask: SubtaskId) -> &[SplitId] {
        &self.inner.wiring.placements[subtask.index()].splits
    }

    /// The sources whose splits an enumerator assigns: each with its subtasks and its splits.
    pub fn enumerated(&self) -> impl Iterator<Item = (OperatorId, Vec<SubtaskId>, Vec<SplitId>)> {
        let mut first: u16 = 0;
        let nodes = (0..).map(OperatorId).zip(&self.inner.graph.nodes);
        nodes.filter_map(move |(operator, node)| {
            let splits = (first..first + node.splits).map(SplitId).collect();
            first += node.splits;
            (!node.assignment.is_static()).then(|| (operator, self.subtasks_of(operator), splits))
        })
    }

    /// Whether the splits of this source are discovered while the job runs.
    #[must_use]
    pub fn discovers(&self, source: OperatorId) -> bool {
        let node = self.inner.graph.nodes.get(source.index());
        node.is_some_and(|node| node.assignment == SplitAssignment::Discovered)
    }

    pub(crate) fn subtasks_of(&self, operator: OperatorId) -> Vec<SubtaskId> {
        let topology = self.topology();
        let all = topology.subtask_ids().zip(&topology.subtasks);
        all.filter(|(_, shape)| shape.operator == operator).map(|(subtask, _)| subtask).collect()
    }

    /// The same job with this assignment of splits in all of its sources.
    ///
    /// # Errors
    ///
    /// When a source has not a split for each of its subtasks, and they are to be assigned statically.
    pub fn with_assignment(&self, assignment: SplitAssignment) -> Result<Self, BuildError> {
        let mut graph = self.inner.graph.clone();
        for node in graph.nodes.iter_mut().filter(|node| node.role == OperatorRole::Source) {
            node.assignment = assignment;
        }
        graph.check()?;
        let later = self.later().iter().map(|job| job.with_assignment(assignment));
        Ok(Self::of(self.name(), &graph)?.with_later(later.collect::<Result<_, _>>()?))
    }

    /// A fresh task side of this subtask, with the defects that are switched on.
    ///
    /// # Panics
    ///
    /// When the job has no such subtask.
    #[must_use]
    pub fn subtask(&self, id: SubtaskId, defects: DefectSet) -> Subtask {
        let placement = &self.inner.wiring.placements[id.index()];
        let node = &self.inner.graph.nodes[placement.operator.index()];
        let watch = self.inner.graph.witness.clone();
        let name = || self.topology().name(id).into();
        let watch = watch.map(|witness| {
            let inputs = self.shows_of(id);
            // Most sinks write what they take.
            let output = node.show.or_else(|| inputs.first().copied().flatten());
            Watch::new(witness, name(), inputs, output)
        });
        Subtask::new(id, (node.factory)(placement, &node.consumers, defects), watch)
    }

    /// The same job, whose subtasks show `witness` what they take and make. It behaves as it does without.
    #[must_use]
    pub fn witnessed(&self, witness: Witness) -> Self {
        let Inner { name, graph, is_rescalable, later, .. } = &*self.inner;
        let mut graph = graph.clone();
        let later = later.iter().map(|job| job.witnessed(witness.clone())).collect();
        graph.witness = Some(witness);
        let job = Self::of_kind(name, graph, *is_rescalable).expect("it was wired before");
        job.with_later(later)
    }

    /// How the records of each input channel of a subtask are shown.
    fn shows_of(&self, subtask: SubtaskId) -> Arc<[Option<Show>]> {
        let topology = self.topology();
        let show = |channel: ChannelId| {
            let sender = topology.channels[channel.index()].from;
            let operator = topology.subtasks[sender.index()].operator;
            self.inner.graph.nodes[operator.index()].show
        };
        topology.inputs(subtask).map(show).collect()
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("name", &self.name())
            .field("topology", self.topology())
            .finish_non_exhaustive()
    }
}
