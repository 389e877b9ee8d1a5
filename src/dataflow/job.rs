//! A job that can run: its shape, and how to make each of its subtasks.

use std::fmt;
use std::sync::Arc;

use super::build_error::BuildError;
use super::graph::Graph;
use super::subtask::Subtask;
use super::wiring::Wiring;
use crate::protocol::{CheckpointSettings, DefectSet, SplitId, SubtaskId, Topology};

/// A checked job; made by [`JobBuilder`](super::JobBuilder). Clones share everything.
#[derive(Clone)]
pub struct Job {
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    graph: Graph,
    wiring: Wiring,
}

impl Job {
    /// The job of a graph that was [checked](Graph::check).
    pub(crate) fn of(name: &str, graph: &Graph) -> Result<Self, BuildError> {
        let inner =
            Inner { name: name.to_owned(), graph: graph.clone(), wiring: Wiring::of(graph)? };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Whether it can take checkpoints in this way.
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn admits(&self, settings: &CheckpointSettings) -> Result<(), BuildError> {
        self.inner.graph.admits(settings)
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

    /// How many splits its sources read in all.
    #[must_use]
    pub fn split_count(&self) -> u16 {
        self.inner.wiring.split_count
    }

    /// The splits that a subtask reads, ascending; none where it is not a source.
    ///
    /// # Panics
    ///
    /// When the job has no such subtask.
    #[must_use]
    pub fn splits_of(&self, subtask: SubtaskId) -> &[SplitId] {
        &self.inner.wiring.placements[subtask.index()].splits
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
        Subtask::new(id, (node.factory)(placement, &node.consumers, defects))
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
