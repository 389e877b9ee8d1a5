//! Which nodes can be reached from which roots, while links and roots are added to a graph.
//!
//! A node keeps its links and the roots that it is known to be reached from; a new pair of the two sends word
//! round a loop to the link's end. The graph only grows, and a node tells of a root once: so the output is the
//! set of all pairs (node, root) of the whole graph, whatever came first. Most links begin nowhere that
//! matters, so that about one word goes round for ten records of input (the query is from CheckMate,
//! Siachamis et al. 2024, without its deletions).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::draw::Draw;
use super::records::Records;
use super::{Build, Experiment, Workload, WorkloadError, WorkloadSettings, encoded};
use crate::dataflow::{
    Collector, Context, EncodedSink, Input, JobBuilder, ListState, MapState, StateDeclarations,
    TwoInputOperator,
};
use crate::protocol::ordered::{VecMap, VecSet};

pub(super) const WORKLOAD: Workload = Workload {
    name: Cow::Borrowed("reachability"),
    about: Cow::Borrowed("which nodes can be reached from which roots of a growing graph: a loop"),
    unit: Cow::Borrowed("links and roots"),
    records_usual: 2_000,
    records_max: 10_000_000,
    single_split: false,
    build: Build::Function(build),
};

/// How many nodes there are: far more than are ever named, so that a graph stays sparse.
const NODES: u64 = 1_000_000;

/// What is added to the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Addition {
    Link(Link),
    /// The node is one whose reach is asked for.
    Root(u32),
}

/// One can go from here to there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Link {
    from: u32,
    to: u32,
}

/// The node can be reached from the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Reached {
    node: u32,
    root: u32,
}

/// What a node says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Word {
    /// To the world: I can be reached.
    Found(Reached),
    /// To the end of a link: so can you.
    Onward(Reached),
}

fn build(settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
    let count = settings.records.unwrap_or(WORKLOAD.records_usual);
    let additions = additions(count, settings.seed);
    let input = Input::dealt_as(additions.iter().map(encoded), settings.splits, settings.deal);
    Experiment::new(&job(settings), input, &reference(&additions))
}

fn job(settings: &WorkloadSettings) -> JobBuilder {
    let parallelism = settings.parallelism;
    let job = JobBuilder::new(&WORKLOAD.name);
    let onward = job.feedback::<Reached>("onward");
    let additions =
        job.source("additions", Records::<Addition>::new(), parallelism, settings.splits);
    let links = additions.flat_map("links", parallelism, link);
    let reached = additions.flat_map("roots", parallelism, root).merge(
        "reached",
        parallelism,
        &onward.stream(),
    );
    let words = links
        .key_by(|link| link.from)
        .connect(reached.key_by(|reached| reached.node))
        .process2("nodes", parallelism, Node::new);
    onward.close(&words.flat_map("onward", parallelism, going_onward));
    words.flat_map("found", parallelism, found).transactional_sink(
        "pairs",
        parallelism,
        EncodedSink::new(),
    );
    job
}

fn link(addition: Addition) -> Option<Link> {
    match addition {
        Addition::Link(link) => Some(link),
        Addition::Root(_) => None,
    }
}

/// A root is reached from itself.
fn root(addition: Addition) -> Option<Reached> {
    match addition {
        Addition::Link(_) => None,
        Addition::Root(root) => Some(Reached { node: root, root }),
    }
}

fn going_onward(word: Word) -> Option<Reached> {
    match word {
        Word::Found(_) => None,
        Word::Onward(reached) => Some(reached),
    }
}

fn found(word: Word) -> Option<Reached> {
    match word {
        Word::Found(reached) => Some(reached),
        Word::Onward(_) => None,
    }
}

/// Keeps the links of each node, and the roots that it is reached from.
#[derive(Clone)]
struct Node {
    links: ListState<u32>,
    roots: MapState<u32, ()>,
}

impl Node {
    fn new(states: &mut StateDeclarations) -> Self {
        Self { links: states.list("links"), roots: states.map("roots") }
    }
}

impl TwoInputOperator for Node {
    type Left = Link;
    type Right = Reached;
    type Out = Word;

    fn process_left(&mut self, link: Link, ctx: &mut Context<'_>, out: &mut Collector<'_, Word>) {
        ctx.list(&self.links).push(&link.to);
        let roots: Vec<u32> = ctx.map(&self.roots).iter().map(|(root, ())| root).collect();
        for root in roots {
            out.emit(Word::Onward(Reached { node: link.to, root }));
        }
    }

    fn process_right(
        &mut self,
        reached: Reached,
        ctx: &mut Context<'_>,
        out: &mut Collector<'_, Word>,
    ) {
        let root = reached.root;
        if ctx.map(&self.roots).contains_key(&root) {
            return;
        }
        ctx.map(&self.roots).insert(&root, &());
        out.emit(Word::Found(reached));
        let ends: Vec<u32> = ctx.list(&self.links).iter().collect();
        for node in ends {
            out.emit(Word::Onward(Reached { node, root }));
        }
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, Word>) {}
}

/// Four links for each root. Of the links one in ten begins at a root, one in five at the end of another
/// link, and one in twenty ends at a root, so that some ways lead back to where they began.
fn additions(count: u64, seed: u64) -> Vec<Addition> {
    let mut draw = Draw::new(&WORKLOAD.name, seed);
    let (mut roots, mut ends) = (Vec::new(), Vec::new());
    let mut additions = Vec::new();
    for _ in 0..count {
        additions.push(if draw.below(5) == 0 || roots.is_empty() {
            let root = draw.below(NODES) as u32;
            roots.push(root);
            Addition::Root(root)
        } else {
            let link = drawn_link(&mut draw, &roots, &ends);
            ends.push(link.to);
            Addition::Link(link)
        });
    }
    additions
}

fn drawn_link(draw: &mut Draw, roots: &[u32], ends: &[u32]) -> Link {
    let one_of = |draw: &mut Draw, nodes: &[u32]| nodes[draw.below(nodes.len() as u64) as usize];
    let from = match draw.below(10) {
        0 => one_of(draw, roots),
        1 | 2 if !ends.is_empty() => one_of(draw, ends),
        _ => draw.below(NODES) as u32,
    };
    let to = if draw.below(20) == 0 { one_of(draw, roots) } else { draw.below(NODES) as u32 };
    Link { from, to }
}

/// From each root, breadth first over the whole graph.
fn reference(additions: &[Addition]) -> Vec<Reached> {
    let mut ends = VecMap::<u32, Vec<u32>>::new();
    let mut roots = VecSet::new();
    for addition in additions {
        match addition {
            Addition::Link(link) => ends.entry(link.from).or_default().push(link.to),
            Addition::Root(root) => drop(roots.insert(*root)),
        }
    }
    let mut pairs = Vec::new();
    for root in roots {
        let mut seen = VecSet::from([root]);
        let mut front = vec![root];
        while !front.is_empty() {
            let next = front.iter().flat_map(|node| ends.get(node).into_iter().flatten());
            front = next.copied().filter(|node| seen.insert(*node)).collect();
        }
        pairs.extend(seen.into_iter().map(|node| Reached { node, root }));
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(links: &[(u32, u32)], roots: &[u32]) -> Vec<Addition> {
        let links = links.iter().map(|(from, to)| Addition::Link(Link { from: *from, to: *to }));
        links.chain(roots.iter().copied().map(Addition::Root)).collect()
    }

    #[test]
    fn a_root_reaches_what_its_links_lead_to() {
        let additions = added(&[(1, 2), (2, 3), (3, 1), (3, 4), (5, 1), (6, 7)], &[1, 6]);
        let pairs: Vec<_> =
            reference(&additions).iter().map(|pair| (pair.root, pair.node)).collect();
        assert_eq!(pairs, [(1, 1), (1, 2), (1, 3), (1, 4), (6, 6), (6, 7)]);
    }

    #[test]
    fn little_goes_round() {
        for seed in 0..10 {
            let additions = additions(2_000, seed);
            let roots = additions.iter().filter(|added| matches!(added, Addition::Root(_))).count();
            let round = reference(&additions).len() - roots;
            assert!((100..500).contains(&round), "{round} of {roots} roots' words go round");
        }
    }
}
