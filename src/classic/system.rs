//! A system: a graph, what its processes compute, and how they begin.

use std::sync::Arc;

use super::graph::{ProcessGraph, ProcessIndex};
use super::workload::{LocalState, NoAnswer, Workload};

/// What a run begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct System {
    /// Who is joined to whom.
    pub graph: Arc<ProcessGraph>,
    /// What they compute.
    pub workload: Workload,
    /// The tokens that each process begins with, or whatever the workload has in their place.
    pub tokens: Vec<u64>,
}

/// No process begins with more than this, and no command is about more.
pub const TOKENS_MAX: u64 = 1_000_000_000;

impl System {
    /// A system. A process that `tokens` says nothing of has none.
    ///
    /// # Errors
    ///
    /// When the graph cannot have this workload.
    pub fn new(
        graph: ProcessGraph,
        workload: Workload,
        tokens: Vec<u64>,
    ) -> Result<Self, NoAnswer> {
        workload.check(&graph)?;
        Ok(Self { graph: Arc::new(graph), workload, tokens })
    }

    /// The first state of every process.
    pub fn initial(&self) -> impl Iterator<Item = (ProcessIndex, LocalState)> {
        let tokens = |process: ProcessIndex| self.tokens.get(process.index()).copied().unwrap_or(0);
        self.graph.processes().map(move |process| (process, self.workload.initial(tokens(process))))
    }
}
