//! The coordinator of the laboratory: the shipped one, with a thread that costs.

use std::collections::VecDeque;

use super::profile::CoordinatorCost;
use super::settings::Settings;
use crate::protocol::{
    Acknowledgement, Attempt, Barrier, CheckpointCoordinator, CheckpointId, DefectSet,
};

/// What the coordinator's thread does, one after another.
#[derive(Clone, Debug)]
pub(super) enum Chore {
    /// Makes an id durable, and a place for its checkpoint.
    Reserve(CheckpointId),
    /// Sends the trigger to every source.
    Trigger(Barrier),
    /// Counts an acknowledgement.
    Count(Box<Acknowledgement>),
    /// Completes a checkpoint: metadata, store.
    Complete(CheckpointId),
    /// Tells every subtask that a checkpoint completed.
    NotifyComplete(CheckpointId),
    /// Tells every subtask that a checkpoint was aborted.
    NotifyAborted(CheckpointId),
}

/// The coordinator.
#[derive(Debug)]
pub(super) struct Coordinator {
    pub(super) protocol: CheckpointCoordinator,
    cost: CoordinatorCost,
    chores: VecDeque<Chore>,
    /// Whether the first of them is under way.
    is_busy: bool,
}

impl Coordinator {
    pub(super) fn new(settings: &Settings) -> Self {
        let checkpoints = settings.checkpoints.clone();
        let none = CheckpointId::default();
        Self {
            protocol: CheckpointCoordinator::new(checkpoints, none, Vec::new(), DefectSet::NONE),
            cost: settings.engine.coordinator,
            chores: VecDeque::new(),
            is_busy: false,
        }
    }

    /// There is this to do, when all before it is done.
    pub(super) fn add(&mut self, chore: Chore) {
        self.chores.push_back(chore);
    }

    /// The next chore begins, if none is under way: what it costs, in nanoseconds; with so many sources and
    /// subtasks.
    pub(super) fn begin(&mut self, sources: usize, subtasks: usize) -> Option<u64> {
        if self.is_busy {
            return None;
        }
        let cost = &self.cost;
        let us = match self.chores.front()? {
            Chore::Reserve(_) => cost.trigger_us,
            Chore::Trigger(_) => cost.message_us * sources as f64,
            Chore::Count(_) => cost.acknowledge_us,
            Chore::Complete(_) => cost.complete_us,
            Chore::NotifyComplete(_) | Chore::NotifyAborted(_) => cost.message_us * subtasks as f64,
        };
        self.is_busy = true;
        Some((us * 1e3) as u64)
    }

    /// The chore under way is done.
    pub(super) fn finish(&mut self) -> Option<Chore> {
        self.is_busy = false;
        self.chores.pop_front()
    }

    /// The machine died with the coordinator's thread in the middle of something: it is begun anew elsewhere, and
    /// what subtasks of the dead attempt wait for is dropped.
    pub(super) fn interrupt(&mut self) {
        self.is_busy = false;
        self.chores.retain(|chore| matches!(chore, Chore::Reserve(_)));
    }

    /// How long a message is on its way, in nanoseconds.
    pub(super) fn latency_ns(&self) -> u64 {
        (self.cost.latency_us * 1e3) as u64
    }
}

/// The number of an attempt, from how often the job was restarted.
pub(super) fn attempt(restarts: u32) -> Attempt {
    Attempt(restarts + 1)
}
