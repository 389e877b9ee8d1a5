//! A task on a loop: what leads back, what enters, and how the loop ends.
//!
//! Back edges need no credit. Every other channel leads onward in an order without cycles, and whoever is
//! last in it waits for nobody: so it takes what there is, gives credit, and whoever is before it goes on. A
//! back edge that waited for credit would close that order to a ring, in which all could wait for each other.
//! The price is that what goes round is bounded by the loop alone: by how many records it makes of one.
//! (The paper spills to disk.) A loop that makes more than [`BACK_EDGE_MAX`] wait ends the attempt.

use super::{Env, Task};
use crate::dataflow::Job;
use crate::protocol::{ChannelId, DefectSet, Protocol, SubtaskId};

/// How many items may wait at the end of one channel that leads back.
pub const BACK_EDGE_MAX: usize = 1 << 16;

/// Where a task lies on loops.
#[derive(Clone, Debug, Default)]
pub struct LoopPlace {
    /// By input, whether it leads back; empty where no loop is on.
    back: Vec<bool>,
    /// By input, whether it enters the task's loops from outside.
    enters: Vec<bool>,
    /// Whether the task is on a loop.
    on_loop: bool,
}

impl LoopPlace {
    /// The place of a subtask in its job, under a protocol that knows of loops.
    pub fn of(job: &Job, id: SubtaskId, protocol: Protocol, defects: DefectSet) -> Self {
        let (topology, loops) = (job.topology(), job.loops_seen(defects));
        if protocol != Protocol::Cyclic || loops.is_empty() {
            return Self::default();
        }
        let operator = topology.subtasks[id.index()].operator;
        Self {
            back: topology.inputs(id).map(|channel| loops.leads_back(channel)).collect(),
            enters: topology.inputs(id).map(|channel| loops.enters(topology, channel)).collect(),
            on_loop: loops.component(operator).is_some(),
        }
    }

    /// By input, whether it leads back.
    pub fn back(&self, inputs: usize) -> Vec<bool> {
        (0..inputs).map(|input| self.leads_back(input)).collect()
    }

    fn leads_back(&self, input: usize) -> bool {
        self.back.get(input).copied().unwrap_or(false)
    }
}

impl Task {
    /// Whether nothing enters the task's loops through it any more.
    pub(super) fn is_quiet(&self) -> bool {
        let entries = self.place.enters.iter().enumerate().filter(|(_, enters)| **enters);
        self.place.on_loop
            && entries.map(|(input, _)| input).all(|input| self.gate.has_ended(input))
    }

    /// Nothing is on the loops of these subtasks, and nothing will be.
    pub fn handle_loops_over(&mut self, over: &[SubtaskId], env: &mut Env<'_>) {
        if over.contains(&self.id) {
            self.gate.handle_loop_over();
            self.run(env);
        }
    }

    /// What leads back has ended, before its end has come: that comes round when this task has ended.
    pub(super) fn end_back_edges(&mut self, env: &mut Env<'_>) {
        for input in 0..self.inputs.len() {
            if self.place.leads_back(input) {
                self.subtask.end_channel(input, &mut self.produced);
                self.deliver(env);
            }
        }
    }

    /// Whether more waits at the end of a back edge than may.
    ///
    /// # Errors
    ///
    /// When it does.
    pub(super) fn check_back_edge(&self, input: usize, channel: ChannelId) -> Result<(), String> {
        if self.place.leads_back(input) && self.gate.queued(input) > BACK_EDGE_MAX {
            return Err(format!(
                "more than {BACK_EDGE_MAX} items wait in {channel}, which leads back"
            ));
        }
        Ok(())
    }
}
