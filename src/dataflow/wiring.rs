//! From a graph of operators to subtasks, channels and splits.

use std::ops::Range;
use std::sync::Arc;

use super::build_error::BuildError;
use super::graph::{EdgeRef, Graph, Node};
use super::placement::Placement;
use super::router::Partition;
use crate::protocol::{
    ChannelShape, Defect, DefectSet, Loops, OperatorId, OperatorShape, SplitId, SubtaskId,
    SubtaskShape, Topology,
};

/// The shape of a job, and the place of each of its subtasks in it.
pub(crate) struct Wiring {
    pub(crate) topology: Topology,
    pub(crate) loops: Loops,
    /// The loops as [`Defect::BackEdgeIfVisited`] sees them.
    pub(crate) visited_loops: Loops,
    pub(crate) placements: Vec<Placement>,
    pub(crate) split_count: u16,
}

/// What is known of a subtask's outside while channels are gone through.
#[derive(Clone, Default)]
struct Ends {
    ports: Vec<u8>,
    back_inputs: Vec<bool>,
    onward: Vec<u16>,
    routes: Vec<Vec<u16>>,
    outputs: u16,
}

impl Wiring {
    /// Wires a graph that was [checked](Graph::check).
    pub(crate) fn of(graph: &Graph) -> Result<Self, BuildError> {
        let firsts = first_subtasks(graph)?;
        let topology = Topology {
            operators: graph.nodes.iter().map(operator_shape).collect(),
            subtasks: subtasks(graph),
            channels: channels(graph, &firsts)?,
        };
        let (splits, split_count) = deal_splits(graph)?;
        let loops = Loops::of(&topology, DefectSet::NONE);
        let visited_loops = Loops::of(&topology, DefectSet::only(Defect::BackEdgeIfVisited));
        let placements = placements(graph, &topology, &loops, splits);
        Ok(Self { topology, loops, visited_loops, placements, split_count })
    }
}

fn operator_shape(node: &Node) -> OperatorShape {
    let shape = OperatorShape::new(&node.name, node.role, node.parallelism);
    OperatorShape { uid: (node.uid != node.name).then(|| node.uid.clone()), ..shape }
}

/// The id of each operator's first subtask.
fn first_subtasks(graph: &Graph) -> Result<Vec<u16>, BuildError> {
    let mut next: u16 = 0;
    let mut firsts = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        firsts.push(next);
        next = next.checked_add(node.parallelism).ok_or(BuildError::TooManySubtasks)?;
    }
    Ok(firsts)
}

fn subtasks(graph: &Graph) -> Vec<SubtaskShape> {
    let operators = (0..).map(OperatorId).zip(&graph.nodes);
    let instances = |(operator, node): (OperatorId, &Node)| {
        (0..node.parallelism).map(move |index| SubtaskShape { operator, index })
    };
    operators.flat_map(instances).collect()
}

/// Grouped by receiving subtask; within, by input and then by sender.
fn channels(graph: &Graph, firsts: &[u16]) -> Result<Vec<ChannelShape>, BuildError> {
    let mut channels = Vec::new();
    for (node, first) in graph.nodes.iter().zip(firsts) {
        for index in 0..node.parallelism {
            for (input, edge) in (0..).zip(&node.inputs) {
                let to = SubtaskId(first + index);
                let from = senders(graph, *edge, index);
                let from = from.map(|sender| SubtaskId(firsts[edge.from] + sender));
                let edge = edge.edge as u8;
                channels.extend(from.map(|from| ChannelShape { from, to, input, edge }));
            }
        }
        if channels.len() > usize::from(u16::MAX) {
            return Err(BuildError::TooManyChannels);
        }
    }
    Ok(channels)
}

/// The indices of the subtasks that have a channel to receiver `index` along `edge`.
fn senders(graph: &Graph, edge: EdgeRef, index: u16) -> Range<u16> {
    let from = &graph.nodes[edge.from];
    match from.consumers[edge.edge].partition {
        Partition::Forward => index..index + 1,
        Partition::Rebalance | Partition::Shift | Partition::Broadcast | Partition::Hash(_) => {
            0..from.parallelism
        }
    }
}

/// The splits of each subtask, and how many there are.
fn deal_splits(graph: &Graph) -> Result<(Vec<Vec<SplitId>>, u16), BuildError> {
    let mut next: u16 = 0;
    let mut dealt = Vec::new();
    for node in &graph.nodes {
        let end = next.checked_add(node.splits).ok_or(BuildError::TooManySplits)?;
        for index in 0..node.parallelism {
            if !node.assignment.is_static() {
                dealt.push(Vec::new());
                continue;
            }
            let own = (next..end).skip(usize::from(index)).step_by(usize::from(node.parallelism));
            dealt.push(own.map(SplitId).collect());
        }
        next = end;
    }
    Ok((dealt, next))
}

fn placements(
    graph: &Graph,
    topology: &Topology,
    loops: &Loops,
    splits: Vec<Vec<SplitId>>,
) -> Vec<Placement> {
    let ends = ends(graph, topology, loops);
    let subtasks = topology.subtask_ids().zip(&topology.subtasks).zip(ends).zip(splits);
    let placement =
        |(((subtask, shape), ends), splits): (((_, &SubtaskShape), Ends), _)| Placement {
            subtask,
            operator: shape.operator,
            index: shape.index,
            parallelism: topology.operators[shape.operator.index()].parallelism,
            ports: ends.ports.into(),
            routes: ends.routes.into_iter().map(Into::into).collect(),
            back_inputs: if ends.back_inputs.contains(&true) {
                ends.back_inputs.into()
            } else {
                Arc::default()
            },
            onward: ends.onward.into(),
            splits,
            assignment: graph.nodes[shape.operator.index()].assignment,
        };
    subtasks.map(placement).collect()
}

/// Goes through the channels once, in the order that [`Topology::inputs`] and [`Topology::outputs`] have.
fn ends(graph: &Graph, topology: &Topology, loops: &Loops) -> Vec<Ends> {
    let fresh = |shape: &SubtaskShape| {
        let consumers = graph.nodes[shape.operator.index()].consumers.len();
        Ends { routes: vec![Vec::new(); consumers], ..Ends::default() }
    };
    let mut ends: Vec<Ends> = topology.subtasks.iter().map(fresh).collect();
    for (id, channel) in topology.channel_ids().zip(&topology.channels) {
        let leads_back = loops.leads_back(id);
        ends[channel.to.index()].ports.push(channel.input);
        ends[channel.to.index()].back_inputs.push(leads_back);
        let from = &mut ends[channel.from.index()];
        if !leads_back {
            from.onward.push(from.outputs);
        }
        from.routes[usize::from(channel.edge)].push(from.outputs);
        from.outputs += 1;
    }
    ends
}
