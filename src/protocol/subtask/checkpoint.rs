//! Which snapshots a subtask takes: exactly one a checkpoint; acknowledged, declined, or discarded.
//!
//! After Flink's `SubtaskCheckpointCoordinatorImpl` (the order of steps in `checkpointState`) and
//! `AsyncCheckpointRunnable`.

use alloc::collections::VecDeque;

use smallvec::SmallVec;

use crate::abort::DeclineReason;
use crate::barrier::Barrier;
use crate::defect::{Defect, DefectSet};
use crate::early_aborts::EarlyAborts;
use crate::ids::CheckpointId;
use crate::ordered::VecMap;
use crate::protocols::Protocol;

/// What a subtask must do for a checkpoint, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckpointOutput {
    /// Send the barrier on every output channel, past what waits there if it goes ahead.
    BroadcastBarrier(Barrier),
    /// Send a cancel marker on every output channel.
    BroadcastCancel(CheckpointId),
    /// Freeze the state (the synchronous part); then start the asynchronous part: the upload and,
    /// in a sink, the pre-commit.
    TakeSnapshot(CheckpointId),
    /// Let the gate deliver again.
    Release(CheckpointId),
    /// Both parts are durable.
    Durable(CheckpointId),
    /// Tell the coordinator that the snapshot is durable.
    Acknowledge(CheckpointId),
    /// Tell the coordinator that there will be no snapshot.
    Decline(CheckpointId, DeclineReason),
    /// Drop what is left of the asynchronous part, and delete what it wrote.
    DiscardSnapshot(CheckpointId),
}

/// Which asynchronous part of a snapshot became durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AsyncPart {
    /// The state is in the object store.
    Upload,
    /// The transaction of the epoch is prepared at the sink target.
    PreCommit,
}

/// How many snapshots of one subtask may have asynchronous parts under way; the oldest makes room.
///
/// Far above how many checkpoints are ever pending at once: it only bounds what a coordinator that no
/// longer says anything leaves behind.
pub const OUTSTANDING_MAX: usize = 32;

/// The parts of a snapshot that are not durable yet.
type MissingParts = SmallVec<[AsyncPart; 2]>;

/// Decides what a subtask does for each checkpoint, exactly once per id.
#[derive(Clone, Debug)]
pub struct SubtaskCheckpoint {
    /// The newest checkpoint snapshotted or given up. Never decreases; no snapshot of this one or an
    /// older one is ever taken (again).
    last: CheckpointId,
    /// Aborted, and newer than `last`.
    aborted: EarlyAborts,
    /// Snapshots taken whose asynchronous parts are under way; they may finish in any order.
    /// Never empty-valued, never more than [`OUTSTANDING_MAX`].
    outstanding: VecMap<CheckpointId, MissingParts>,
    parts: &'static [AsyncPart],
    hold: Hold,
    outputs: VecDeque<CheckpointOutput>,
    defects: DefectSet,
}

/// When the gate delivers again after a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    /// At once.
    UntilSnapshot,
    /// When the checkpoint is over, and there is none now.
    UntilResolved,
    /// When this one is over.
    Held(CheckpointId),
}

impl SubtaskCheckpoint {
    /// A subtask restored from `restored`: nothing at or below it is ever snapshotted again.
    /// `parts` are those that every snapshot of this subtask has.
    #[must_use]
    pub fn new(
        restored: Option<CheckpointId>,
        parts: &'static [AsyncPart],
        defects: DefectSet,
    ) -> Self {
        Self {
            last: restored.unwrap_or_default(),
            aborted: EarlyAborts::default(),
            outstanding: VecMap::new(),
            parts,
            hold: Hold::UntilSnapshot,
            outputs: VecDeque::new(),
            defects,
        }
    }

    /// The same under `protocol`: where the world stops, the gate stays held from a snapshot until its checkpoint
    /// is over.
    #[must_use]
    pub fn of(
        protocol: Protocol,
        restored: Option<CheckpointId>,
        parts: &'static [AsyncPart],
        defects: DefectSet,
    ) -> Self {
        let stops = protocol.traits().stops_the_world;
        let hold = if stops { Hold::UntilResolved } else { Hold::UntilSnapshot };
        Self { hold, ..Self::new(restored, parts, defects) }
    }

    /// The gate has found the cut of a checkpoint, or (in a source) the trigger's turn has come.
    pub fn handle_barrier(&mut self, barrier: Barrier) {
        let checkpoint = barrier.checkpoint;
        if checkpoint <= self.last {
            self.outputs.push_back(CheckpointOutput::Release(checkpoint));
        } else if self.mark_handled(checkpoint) {
            // Downstream must not wait for a barrier that will never come.
            self.outputs.push_back(CheckpointOutput::BroadcastCancel(checkpoint));
            self.outputs.push_back(CheckpointOutput::Release(checkpoint));
        } else {
            self.snapshot(barrier);
        }
    }

    /// The gate gave `checkpoint` up.
    pub fn handle_alignment_aborted(&mut self, checkpoint: CheckpointId) {
        if checkpoint <= self.last {
            return;
        }
        self.mark_handled(checkpoint);
        if !self.defects.has(Defect::AbortWithoutCancelMarker) {
            self.outputs.push_back(CheckpointOutput::BroadcastCancel(checkpoint));
        }
        self.outputs.push_back(CheckpointOutput::Decline(checkpoint, DeclineReason::Superseded));
    }

    /// The channel state of `checkpoint` will never be whole: its snapshot is worth nothing.
    pub fn handle_capture_abandoned(&mut self, checkpoint: CheckpointId) {
        if self.outstanding.remove(&checkpoint).is_some() {
            self.give_up_snapshot(checkpoint, DeclineReason::Superseded);
        }
    }

    /// `checkpoint` is over, one way or the other, and so are those before it: whoever was held for
    /// one of them goes on. A newer trigger says so as well, where nothing is triggered before the
    /// last one is over.
    pub fn handle_resolved(&mut self, checkpoint: CheckpointId) {
        match self.hold {
            Hold::Held(held) if held <= checkpoint => {
                self.hold = Hold::UntilResolved;
                self.outputs.push_back(CheckpointOutput::Release(held));
            }
            Hold::Held(_) | Hold::UntilResolved | Hold::UntilSnapshot => {}
        }
    }

    /// The coordinator aborted `checkpoint`.
    pub fn handle_aborted(&mut self, checkpoint: CheckpointId) {
        if self.outstanding.remove(&checkpoint).is_some() {
            self.outputs.push_back(CheckpointOutput::DiscardSnapshot(checkpoint));
        } else if checkpoint > self.last && !self.defects.has(Defect::EarlyAbortForgotten) {
            self.aborted.remember(checkpoint);
        }
        // Otherwise it was given up here too, or acknowledged: then the coordinator deletes it.
    }

    /// One asynchronous part of `checkpoint` is durable.
    pub fn handle_part_durable(&mut self, checkpoint: CheckpointId, part: AsyncPart) {
        let Some(missing) = self.outstanding.get_mut(&checkpoint) else {
            return; // It was aborted meanwhile, and is discarded.
        };
        missing.retain(|other| *other != part);
        if missing.is_empty() {
            self.outstanding.remove(&checkpoint);
            self.finish(checkpoint);
        }
    }

    /// An asynchronous part of `checkpoint` failed for good.
    ///
    /// The checkpoint fails, the subtask does not: it may have been given up anyway (FLINK-20331).
    pub fn handle_part_failed(&mut self, checkpoint: CheckpointId, part: AsyncPart) {
        if self.defects.has(Defect::UploadFailureSwallowed) {
            return self.handle_part_durable(checkpoint, part);
        }
        if self.outstanding.remove(&checkpoint).is_some() {
            self.give_up_snapshot(checkpoint, DeclineReason::SnapshotFailed);
        }
    }

    /// What to do next, if anything.
    pub fn poll_output(&mut self) -> Option<CheckpointOutput> {
        self.outputs.pop_front()
    }

    /// No snapshot of this or an older checkpoint from here on. Tells whether it was aborted early.
    fn mark_handled(&mut self, checkpoint: CheckpointId) -> bool {
        assert!(checkpoint > self.last, "{checkpoint} is handled after {}", self.last);
        self.last = checkpoint;
        self.aborted.take(checkpoint)
    }

    /// One atomic step: forward, freeze, release. Barriers leave first, so that downstream does not
    /// wait for the freezing (Carbone et al. 2015, Algorithm 1).
    fn snapshot(&mut self, barrier: Barrier) {
        let checkpoint = barrier.checkpoint;
        assert!(!self.outstanding.contains_key(&checkpoint), "{checkpoint} is snapshotted once");
        self.outputs.push_back(CheckpointOutput::BroadcastBarrier(barrier));
        self.outputs.push_back(CheckpointOutput::TakeSnapshot(checkpoint));
        if self.defects.has(Defect::AcknowledgeBeforeDurable) {
            self.outputs.push_back(CheckpointOutput::Acknowledge(checkpoint));
        }
        self.hold_or_release(checkpoint);
        if self.parts.is_empty() {
            return self.finish(checkpoint);
        }
        self.outstanding.insert(checkpoint, SmallVec::from_slice(self.parts));
        self.bound_outstanding();
    }

    fn hold_or_release(&mut self, checkpoint: CheckpointId) {
        match self.hold {
            Hold::UntilSnapshot => self.outputs.push_back(CheckpointOutput::Release(checkpoint)),
            Hold::UntilResolved if self.defects.has(Defect::WorldGoesOn) => {
                self.outputs.push_back(CheckpointOutput::Release(checkpoint));
            }
            Hold::UntilResolved => self.hold = Hold::Held(checkpoint),
            Hold::Held(other) => unreachable!("{checkpoint} is snapshotted while {other} holds"),
        }
    }

    /// All parts are durable: the snapshot counts.
    fn finish(&mut self, checkpoint: CheckpointId) {
        assert!(checkpoint <= self.last, "{checkpoint} is durable before it was taken");
        self.outputs.push_back(CheckpointOutput::Durable(checkpoint));
        if !self.defects.has(Defect::AcknowledgeBeforeDurable) {
            self.outputs.push_back(CheckpointOutput::Acknowledge(checkpoint));
        }
    }

    fn bound_outstanding(&mut self) {
        if self.outstanding.len() <= OUTSTANDING_MAX {
            return;
        }
        if let Some((oldest, _)) = self.outstanding.pop_first() {
            self.give_up_snapshot(oldest, DeclineReason::SnapshotFailed);
        }
        assert!(self.outstanding.len() <= OUTSTANDING_MAX, "outstanding snapshots are bounded");
    }

    fn give_up_snapshot(&mut self, checkpoint: CheckpointId, reason: DeclineReason) {
        self.outputs.push_back(CheckpointOutput::Decline(checkpoint, reason));
        self.outputs.push_back(CheckpointOutput::DiscardSnapshot(checkpoint));
    }
}

#[cfg(test)]
mod tests;
