use super::*;
use crate::{ChannelShape, OperatorRole, OperatorShape, SubtaskShape};
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// A job of operators with one subtask each, from edges such as `a>b`.
fn topology(edges: &[&str]) -> Topology {
    let ends = |edge: &&str| -> [String; 2] {
        let (from, to) = edge.split_once('>').expect("an edge has two ends");
        [from.to_owned(), to.to_owned()]
    };
    let mut names: Vec<String> = edges.iter().flat_map(ends).collect();
    names.sort_unstable();
    names.dedup();
    let number =
        |name: &String| names.iter().position(|other| other == name).expect("named") as u16;
    let mut topology = Topology::default();
    for (index, name) in (0..).zip(&names) {
        let role = OperatorRole::Operator;
        topology.operators.push(OperatorShape::new(name, role, 1));
        topology.subtasks.push(SubtaskShape { operator: OperatorId(index), index: 0 });
    }
    for [from, to] in edges.iter().map(ends) {
        let (from, to) = (SubtaskId(number(&from)), SubtaskId(number(&to)));
        let edge = topology.channels.iter().filter(|channel| channel.from == from).count() as u8;
        let input = topology.channels.iter().filter(|channel| channel.to == to).count() as u8;
        topology.channels.push(ChannelShape { from, to, input, edge });
    }
    topology
}

fn back(edges: &[&str]) -> Vec<String> {
    back_with(edges, DefectSet::NONE)
}

fn back_with(edges: &[&str], defects: DefectSet) -> Vec<String> {
    let topology = topology(edges);
    let name = |operator: OperatorId| topology.operators[operator.index()].name.clone();
    let shown = |edge: Edge| format!("{}>{}", name(edge.from), name(edge.to));
    Loops::of(&topology, defects).back_edges().map(shown).collect()
}

#[test]
fn a_chain_has_no_back_edge() {
    assert!(back(&["a>b", "b>c"]).is_empty());
}

#[test]
fn a_diamond_has_none_but_by_the_words_of_the_paper() {
    let diamond = ["a>b", "a>c", "b>d", "c>d"];
    assert!(back(&diamond).is_empty());
    assert_eq!(back_with(&diamond, DefectSet::only(Defect::BackEdgeIfVisited)), ["c>d"]);
}

#[test]
fn the_edge_that_closes_a_loop_leads_back() {
    assert_eq!(back(&["a>b", "b>c", "c>b", "c>d"]), ["c>b"]);
    assert_eq!(back(&["a>b", "b>b", "b>c"]), ["b>b"]);
}

#[test]
fn nested_loops_have_one_back_edge_each() {
    let nested = ["a>b", "b>c", "c>d", "d>c", "d>e", "e>b", "e>f"];
    assert_eq!(back(&nested), ["d>c", "e>b"]);
}

#[test]
fn overlapping_loops_have_one_back_edge_each() {
    // b c d, and c d e.
    let overlapping = ["a>b", "b>c", "c>d", "d>b", "d>e", "e>c", "e>f"];
    assert_eq!(back(&overlapping), ["d>b", "e>c"]);
}

#[test]
fn two_sources_may_enter_a_loop_at_different_places() {
    let edges = ["a>c", "b>d", "c>d", "d>c", "d>e"];
    assert_eq!(back(&edges), ["d>c"], "the first source leads to c");
}

#[test]
fn the_search_begins_at_the_sources() {
    assert_eq!(back(&["z>b", "b>c", "c>a", "a>b", "c>d"]), ["a>b"], "a has no other input");
}

/// Without its back edges no graph has a cycle, and every back edge lies on one.
#[test]
fn in_all_graphs_of_four_operators_the_back_edges_break_every_cycle() {
    let pairs: Vec<(usize, usize)> =
        (0..4).flat_map(|from| (0..4).map(move |to| (from, to))).collect();
    for graph in 1_u32..1 << 16 {
        let chosen = pairs.iter().zip(0..).filter(|(_, bit)| graph & (1 << bit) != 0);
        let mut edges = vec![Vec::new(); 4];
        for ((from, to), _) in chosen {
            let edge = edges[*from].len() as u8;
            let (from, to) = (OperatorId(*from as u16), OperatorId(*to as u16));
            edges[from.index()].push(Edge { from, edge, to });
        }
        let back = back_edges(4, &edges, DefectSet::NONE);
        let components = components(4, &edges);
        for edge in &back {
            assert_eq!(components[edge.from.index()], components[edge.to.index()]);
            assert!(components[edge.to.index()].is_some(), "{edge:?} lies on a cycle");
        }
        edges.iter_mut().for_each(|own| own.retain(|edge| !back.contains(edge)));
        let cyclic = (0..4).any(|operator| reached(operator, &edges).contains(&operator));
        assert!(!cyclic, "graph {graph:x} without {back:?}");
    }
}

#[test]
fn a_component_is_what_reaches_each_other() {
    let topology = topology(&["a>b", "b>c", "c>b", "c>d", "d>e", "e>d", "e>f"]);
    let loops = Loops::of(&topology, DefectSet::NONE);
    let components: Vec<_> = (0..6).map(|operator| loops.component(OperatorId(operator))).collect();
    let (first, second) = (Some(OperatorId(1)), Some(OperatorId(3)));
    assert_eq!(components, [None, first, first, second, second, None]);
    let entering = topology.channel_ids().filter(|channel| loops.enters(&topology, *channel));
    let entering: Vec<_> = entering.map(|channel| topology.channel_name(channel)).collect();
    assert_eq!(entering, ["a/0->b/0", "c/0->d/0"]);
}

#[test]
fn a_component_is_over_when_all_of_it_is_quiet() {
    let topology = topology(&["a>b", "b>c", "c>b", "c>d", "d>e", "e>d", "e>f"]);
    let loops = Loops::of(&topology, DefectSet::NONE);
    let over = |quiet: &[u16]| {
        let quiet = quiet.iter().map(|subtask| SubtaskId(*subtask)).collect();
        loops.quiet(&topology, &quiet).iter().map(|subtask| subtask.0).collect::<Vec<_>>()
    };
    assert!(over(&[]).is_empty());
    assert!(over(&[1, 4]).is_empty(), "one of each is not");
    assert_eq!(over(&[1, 2]), [1, 2]);
    assert_eq!(over(&[1, 2, 4]), [1, 2]);
    assert_eq!(over(&[1, 2, 3, 4]), [1, 2, 3, 4]);
    assert_eq!(over(&[0, 1, 2, 5]), [1, 2], "who lies on no loop is not asked");
}
