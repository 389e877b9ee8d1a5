//! The loops of a job: which of its edges lead back, and which operators lie on loops together.
//!
//! After §4.3 of Carbone et al., "Lightweight Asynchronous Snapshots for Distributed Dataflows" (2015).

use super::defect::{Defect, DefectSet};
use super::ids::{ChannelId, OperatorId, SubtaskId};
use super::topology::Topology;
use crate::ordered::VecSet;
use alloc::vec;
use alloc::vec::Vec;

/// An edge between operators: all channels between their subtasks that belong to one consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edge {
    /// The operator that emits.
    pub from: OperatorId,
    /// Which of its edges.
    pub edge: u8,
    /// The operator that receives.
    pub to: OperatorId,
}

/// The back edges of a job and its components.
///
/// Without the back edges a job has no cycle; every cycle has at least one. Which edges they are depends on
/// the order of operators and edges alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loops {
    /// In order.
    back_edges: VecSet<Edge>,
    /// By channel, whether it belongs to a back edge.
    channels: Vec<bool>,
    /// By operator, the first operator of its component; none where it lies on no loop.
    components: Vec<Option<OperatorId>>,
}

impl Loops {
    /// The loops of this job.
    #[must_use]
    pub fn of(topology: &Topology, defects: DefectSet) -> Self {
        let edges = edges(topology);
        let back_edges = back_edges(topology.operators.len(), &edges, defects);
        let is_back = |channel: ChannelId| back_edges.contains(&edge_of(topology, channel));
        let channels = topology.channel_ids().map(is_back).collect();
        let components = components(topology.operators.len(), &edges);
        Self { back_edges, channels, components }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.back_edges.is_empty()
    }

    /// The edges that lead back, in order.
    pub fn back_edges(&self) -> impl Iterator<Item = Edge> + '_ {
        self.back_edges.iter().copied()
    }

    /// Whether this channel belongs to a back edge.
    #[must_use]
    pub fn leads_back(&self, channel: ChannelId) -> bool {
        self.channels.get(channel.index()).copied().unwrap_or(false)
    }

    /// Whether this channel enters a component from outside: what comes along it is not yet on its loops.
    #[must_use]
    pub fn enters(&self, topology: &Topology, channel: ChannelId) -> bool {
        let edge = edge_of(topology, channel);
        let (from, to) = (self.component(edge.from), self.component(edge.to));
        to.is_some() && from != to
    }

    /// The component of an operator, named after the first operator in it: all operators that it reaches
    /// and that reach it. None where it lies on no loop.
    #[must_use]
    pub fn component(&self, operator: OperatorId) -> Option<OperatorId> {
        self.components.get(operator.index()).copied().flatten()
    }

    /// The subtasks of each component all of whose subtasks are `quiet` in a consistent cut.
    ///
    /// A subtask on a loop is quiet in a cut if all channels that enter its component through it had
    /// ended, and nothing was on its back edges. In a cut whose other channels are empty, as they are
    /// where barriers are aligned, a component that is quiet as a whole holds no record and will get none:
    /// that is stable, so it is true now as well (Chandy and Lamport 1985, §4).
    #[must_use]
    pub fn quiet(&self, topology: &Topology, quiet: &VecSet<SubtaskId>) -> Vec<SubtaskId> {
        let component = |subtask: SubtaskId| {
            topology.subtasks.get(subtask.index()).and_then(|shape| self.component(shape.operator))
        };
        let unquiet: VecSet<_> =
            topology.subtask_ids().filter(|id| !quiet.contains(id)).filter_map(component).collect();
        let over = |id: &SubtaskId| component(*id).is_some_and(|own| !unquiet.contains(&own));
        topology.subtask_ids().filter(over).collect()
    }
}

fn edge_of(topology: &Topology, channel: ChannelId) -> Edge {
    let shape = topology.channels[channel.index()];
    let operator = |subtask: SubtaskId| topology.subtasks[subtask.index()].operator;
    Edge { from: operator(shape.from), edge: shape.edge, to: operator(shape.to) }
}

/// By operator, its edges, in order.
fn edges(topology: &Topology) -> Vec<Vec<Edge>> {
    let all: VecSet<Edge> =
        topology.channel_ids().map(|channel| edge_of(topology, channel)).collect();
    let mut edges = vec![Vec::new(); topology.operators.len()];
    for edge in all {
        edges[edge.from.index()].push(edge);
    }
    edges
}

/// How far the search has come with an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Visit {
    /// It was not there yet.
    Never,
    /// It came through here, and has not gone back past it.
    OnStack,
    /// It has been everywhere that can be reached from here.
    Left,
}

/// Edges to an operator on the stack of a depth-first search from the sources that takes operators and
/// edges in order. As it begins at the sources, whatever they lead to has an input that does not lead back.
///
/// The paper says "already visited", which a cross edge's target is as well: in a diamond without any cycle
/// one edge into the join would lead back.
fn back_edges(operators: usize, edges: &[Vec<Edge>], defects: DefectSet) -> VecSet<Edge> {
    let mut visits = vec![Visit::Never; operators];
    let mut found = VecSet::new();
    for root in roots(operators, edges) {
        if visits[root] != Visit::Never {
            continue;
        }
        visits[root] = Visit::OnStack;
        let mut stack = vec![(root, edges[root].iter())];
        while let Some((operator, left)) = stack.last_mut() {
            let Some(edge) = left.next() else {
                visits[*operator] = Visit::Left;
                stack.pop();
                continue;
            };
            let to = edge.to.index();
            match visits[to] {
                Visit::Never => {
                    visits[to] = Visit::OnStack;
                    stack.push((to, edges[to].iter()));
                }
                Visit::OnStack => drop(found.insert(*edge)),
                Visit::Left if defects.has(Defect::BackEdgeIfVisited) => drop(found.insert(*edge)),
                Visit::Left => {}
            }
        }
    }
    found
}

/// All operators, those without inputs first.
fn roots(operators: usize, edges: &[Vec<Edge>]) -> Vec<usize> {
    let fed: VecSet<_> = edges.iter().flatten().map(|edge| edge.to.index()).collect();
    let (fed, sources): (Vec<_>, Vec<_>) =
        (0..operators).partition(|operator| fed.contains(operator));
    [sources, fed].concat()
}

/// By operator, the first of those that it reaches and that reach it.
fn components(operators: usize, edges: &[Vec<Edge>]) -> Vec<Option<OperatorId>> {
    let reached: Vec<_> = (0..operators).map(|from| reached(from, edges)).collect();
    let first = |operator: usize| {
        let mutual = |other: &usize| {
            reached[operator].contains(other) && reached[*other].contains(&operator)
        };
        (0..operators).find(mutual).map(|first| OperatorId(first as u16))
    };
    (0..operators).map(first).collect()
}

/// The operators at the end of a way of one edge or more.
fn reached(from: usize, edges: &[Vec<Edge>]) -> VecSet<usize> {
    let mut reached = VecSet::new();
    let mut ahead = vec![from];
    while let Some(operator) = ahead.pop() {
        for edge in &edges[operator] {
            if reached.insert(edge.to.index()) {
                ahead.push(edge.to.index());
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests;
