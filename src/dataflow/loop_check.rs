//! Whether the loops of a graph have an entry and an exit.

use super::build_error::BuildError;
use super::graph::Graph;
use crate::protocol::OperatorRole;
use crate::protocol::ordered::VecSet;

impl Graph {
    /// What a loop holds must come from a source, and lead to a sink.
    pub(crate) fn check_loops(&self) -> Result<(), BuildError> {
        let sources = self.all(|node| self.nodes[node].role == OperatorRole::Source);
        let reached = self.closure(sources, |node| self.consumers_of(node));
        let sinks = self.all(|node| self.nodes[node].is_sink());
        let leading = self.closure(sinks, |node| self.producers_of(node));
        for (index, node) in self.nodes.iter().enumerate() {
            let operator = node.name.clone();
            if !reached.contains(&index) {
                return Err(BuildError::LoopWithoutInput { operator });
            }
            if !leading.contains(&index) {
                return Err(BuildError::LoopWithoutExit { operator });
            }
        }
        Ok(())
    }

    /// Whether records can come from one operator to another, or they are the same.
    pub(crate) fn leads_to(&self, from: usize, to: usize) -> bool {
        self.closure(vec![from], |node| self.consumers_of(node)).contains(&to)
    }

    fn all(&self, fits: impl Fn(usize) -> bool) -> Vec<usize> {
        (0..self.nodes.len()).filter(|node| fits(*node)).collect()
    }

    fn closure(&self, mut ahead: Vec<usize>, next: impl Fn(usize) -> Vec<usize>) -> VecSet<usize> {
        let mut found: VecSet<usize> = ahead.iter().copied().collect();
        while let Some(node) = ahead.pop() {
            ahead.extend(next(node).into_iter().filter(|other| found.insert(*other)));
        }
        found
    }

    fn consumers_of(&self, from: usize) -> Vec<usize> {
        self.all(|node| self.nodes[node].inputs.iter().any(|input| input.from == from))
    }

    fn producers_of(&self, node: usize) -> Vec<usize> {
        self.nodes[node].inputs.iter().map(|input| input.from).collect()
    }
}
