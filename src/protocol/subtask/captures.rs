//! Channel state of snapshots: what was on its way in inputs and outputs, until all of it is known.
//!
//! The gate records the inputs. An output is recorded where a barrier overtakes what waits for credit there:
//! that was emitted before the cut, and no receiver has seen it (Flink: `ChannelStateWriter`).

use super::output::Captured;
use crate::barrier::{Barrier, Passage};
use crate::defect::{Defect, DefectSet};
use crate::ids::CheckpointId;
use crate::ordered::VecMap;
use alloc::vec::Vec;

/// What was overtaken, by output.
type Overtaken<T> = Vec<(usize, Vec<T>)>;

/// The channel state of a snapshot, while it is not whole.
#[derive(Clone, Debug)]
struct Capturing<T> {
    /// Whether the gate still records.
    inputs_missing: bool,
    /// Whether the barrier may still overtake something in an output queue.
    outputs_missing: bool,
    state: Captured<T>,
}

/// The channel state of all snapshots under way.
#[derive(Clone, Debug)]
pub(super) struct Captures<T> {
    /// By checkpoint, what its barrier overtook in output queues; one is listed while its barrier may overtake.
    overtaken: VecMap<CheckpointId, Overtaken<T>>,
    /// Those that were taken and are not whole.
    capturing: VecMap<CheckpointId, Capturing<T>>,
    /// What was captured for a checkpoint that was aborted; kept by a seeded bug alone.
    kept: Overtaken<T>,
    defects: DefectSet,
}

impl<T: Clone> Captures<T> {
    /// No snapshot is under way.
    pub fn new(defects: DefectSet) -> Self {
        Self { overtaken: VecMap::new(), capturing: VecMap::new(), kept: Vec::new(), defects }
    }

    /// The barrier enters the output queues.
    pub fn forward(&mut self, barrier: Barrier) {
        if barrier.passage != Passage::InOrder {
            self.overtaken.insert(barrier.checkpoint, Vec::new());
        }
    }

    /// The snapshot was taken. Whether there is channel state to wait for.
    pub fn begin(&mut self, checkpoint: CheckpointId, inputs_missing: bool) -> bool {
        let outputs_missing = self.overtaken.contains_key(&checkpoint);
        let outputs = core::mem::take(&mut self.kept);
        let awaits = inputs_missing || outputs_missing;
        if awaits {
            let state = Captured { inputs: Vec::new(), outputs };
            self.capturing.insert(checkpoint, Capturing { inputs_missing, outputs_missing, state });
        }
        awaits
    }

    /// The gate has recorded all that came before the barriers.
    pub fn record_inputs(&mut self, checkpoint: CheckpointId, inputs: Vec<Vec<T>>) {
        if let Some(capturing) = self.capturing.get_mut(&checkpoint) {
            capturing.state.inputs = inputs;
            capturing.inputs_missing = false;
        }
    }

    /// Whether the barrier of `checkpoint` may overtake what it waits behind: one of a checkpoint that was given
    /// up keeps its place, since nobody would capture what it overtakes.
    pub fn may_overtake(&self, checkpoint: CheckpointId) -> bool {
        self.owner_of_overtaken(checkpoint).is_some()
    }

    /// The barrier of `checkpoint` overtook this in an output queue.
    pub fn overtake(&mut self, checkpoint: CheckpointId, output: usize, items: Vec<T>) {
        if items.is_empty() || self.defects.has(Defect::OutputNotCaptured) {
            return;
        }
        let owner = self.owner_of_overtaken(checkpoint);
        if let Some(overtaken) = owner.and_then(|owner| self.overtaken.get_mut(&owner)) {
            overtaken.push((output, items));
        }
    }

    /// Whose channel state it is that the barrier of `checkpoint` overtakes: its own, if it may overtake.
    fn owner_of_overtaken(&self, checkpoint: CheckpointId) -> Option<CheckpointId> {
        let may_overtake = self.overtaken.contains_key(&checkpoint);
        let seeded = match may_overtake {
            true => Defect::SupersededOvertakes,
            false => Defect::AbortedOvertakes,
        };
        if self.defects.has(seeded) {
            return self.overtaken.keys().next_back().copied();
        }
        may_overtake.then_some(checkpoint)
    }

    /// Those whose barriers may still wait in an output queue, oldest first.
    pub fn forwarding(&self) -> impl Iterator<Item = CheckpointId> + '_ {
        self.overtaken.keys().copied()
    }

    /// The barrier has left every output queue: what it overtook there is known.
    pub fn record_outputs(&mut self, checkpoint: CheckpointId) {
        let Some(overtaken) = self.overtaken.remove(&checkpoint) else { return };
        if let Some(capturing) = self.capturing.get_mut(&checkpoint) {
            capturing.state.outputs.extend(overtaken);
            capturing.outputs_missing = false;
        }
    }

    /// The channel state of `checkpoint`, once it is whole.
    pub fn take_whole(&mut self, checkpoint: CheckpointId) -> Option<Captured<T>> {
        let capturing = self.capturing.get(&checkpoint)?;
        let is_whole = !capturing.inputs_missing && !capturing.outputs_missing;
        if !is_whole && !self.defects.has(Defect::AcknowledgeBeforeCaptured) {
            return None;
        }
        self.capturing.remove(&checkpoint).map(|capturing| capturing.state)
    }

    /// The snapshot is worth nothing, and so is what was captured for it.
    pub fn discard(&mut self, checkpoint: CheckpointId) {
        self.overtaken.remove(&checkpoint);
        let capturing = self.capturing.remove(&checkpoint);
        if self.defects.has(Defect::AbortedCaptureKept) {
            self.kept.extend(capturing.into_iter().flat_map(|capturing| capturing.state.outputs));
        }
    }

    /// Of the snapshots that are not whole, only those are wanted.
    pub fn retain(&mut self, wanted: impl Fn(CheckpointId) -> bool) {
        self.capturing.retain(|checkpoint, _| wanted(*checkpoint));
    }
}
