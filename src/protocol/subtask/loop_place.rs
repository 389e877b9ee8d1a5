//! Where a subtask lies on loops: which of its inputs lead back, and which enter.

use crate::ids::SubtaskId;
use crate::loops::Loops;
use crate::topology::Topology;
use alloc::vec::Vec;

/// Where a subtask lies on loops. By default, on none.
#[derive(Clone, Debug, Default)]
pub struct LoopPlace {
    /// By input, whether it leads back; empty where the job has no loop.
    back: Vec<bool>,
    /// By input, whether it enters the subtask's loops from outside.
    enters: Vec<bool>,
    /// Whether the subtask is on a loop.
    on_loop: bool,
}

impl LoopPlace {
    /// The place of a subtask in its job.
    #[must_use]
    pub fn of(topology: &Topology, loops: &Loops, id: SubtaskId) -> Self {
        if loops.is_empty() {
            return Self::default();
        }
        let operator = topology.subtasks[id.index()].operator;
        Self {
            back: topology.inputs(id).map(|channel| loops.leads_back(channel)).collect(),
            enters: topology.inputs(id).map(|channel| loops.enters(topology, channel)).collect(),
            on_loop: loops.component(operator).is_some(),
        }
    }

    /// A place on a loop, for whoever builds jobs without a [`Topology`]: by input, whether it leads back, and whether
    /// it enters from outside.
    #[must_use]
    pub fn on_loop(back: Vec<bool>, enters: Vec<bool>) -> Self {
        Self { back, enters, on_loop: true }
    }

    /// By input, whether it leads back.
    pub(super) fn back(&self, inputs: usize) -> Vec<bool> {
        (0..inputs).map(|input| self.leads_back(input)).collect()
    }

    /// Whether this input leads back.
    #[must_use]
    pub fn leads_back(&self, input: usize) -> bool {
        self.back.get(input).copied().unwrap_or(false)
    }

    /// Whether the subtask is on a loop, and all that enters it from outside has ended.
    pub(super) fn is_quiet(&self, has_ended: impl Fn(usize) -> bool) -> bool {
        let entries = self.enters.iter().enumerate().filter(|(_, enters)| **enters);
        self.on_loop && entries.map(|(input, _)| input).all(has_ended)
    }
}
