//! The checkpoint coordinator: triggers, collects acknowledgements, completes, aborts, expires, subsumes.

use serde::{Deserialize, Serialize};

use super::abort::AbortReason;
use super::completed::{CompletedCheckpoint, SnapshotHandle};
use super::defect::DefectSet;
use super::ids::{Attempt, CheckpointId, SubtaskId};
use super::time::VirtualTime;

/// When to trigger, when to give up, what to keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointSettings {
    /// From one periodic trigger to the next; 0 switches checkpoints off.
    pub interval_ms: u64,
    /// From the end of a checkpoint to the next trigger, at least.
    pub pause_min_ms: u64,
    /// A checkpoint not complete within this after its trigger expires.
    pub timeout_ms: u64,
    /// How many checkpoints may be pending at once, at least 1.
    pub concurrent_max: u32,
    /// How many checkpoints in a row may fail before the attempt does.
    pub failures_tolerated: u32,
    /// How many completed checkpoints are kept, at least 1.
    pub retained: u32,
}

/// A subtask says: my snapshot is durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// The attempt in which it was taken.
    pub attempt: Attempt,
    /// For which checkpoint.
    pub checkpoint: CheckpointId,
    /// Where it lies; names the subtask.
    pub handle: SnapshotHandle,
    /// Whether nothing is left for the subtask to do after this cut
    /// (input ended; in a sink, all before it committed).
    pub terminal: bool,
}

/// Wake-ups that the coordinator asks for; those no longer of interest are ignored when they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CoordinatorTimer {
    /// A periodic trigger may be due.
    Trigger,
    /// The checkpoint's time is up.
    Expire(CheckpointId),
}

/// What the coordinator wants done, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CoordinatorOutput {
    /// Call [`CheckpointCoordinator::handle_timer`] then.
    SetTimer {
        /// When.
        at: VirtualTime,
        /// With this.
        timer: CoordinatorTimer,
    },
    /// Make durable that ids up to and including this one are used; then call `handle_reserved`.
    ReserveId(CheckpointId),
    /// Ask every subtask of the attempt for a snapshot.
    Trigger(CheckpointId),
    /// The acknowledgement counts.
    Counted(Acknowledgement),
    /// The acknowledgement is late, duplicate, unknown or of another attempt. Its snapshot must be
    /// deleted where `discard` says so (it belongs to nothing that may still complete).
    Ignored {
        /// What was ignored.
        acknowledgement: Acknowledgement,
        /// Whether to delete its snapshot.
        discard: bool,
    },
    /// All have acknowledged: write the metadata object; then `handle_metadata_durable` or `…_failed`.
    WriteMetadata(CompletedCheckpoint),
    /// The metadata is durable: add the checkpoint to the store, together with what stays retained
    /// (newest last, the new one included); then `handle_added` or `handle_add_failed`.
    AddToStore {
        /// The new one.
        completed: CompletedCheckpoint,
        /// All that stay, in order.
        retained: Vec<CheckpointId>,
    },
    /// The checkpoint is in the store and cannot fail any more.
    Completed {
        /// Which.
        checkpoint: CheckpointId,
        /// Whether nothing is left to do after it: the job is finished.
        terminal: bool,
    },
    /// Tell every subtask that it completed.
    NotifyComplete(CheckpointId),
    /// The checkpoint will never complete.
    Aborted {
        /// Which.
        checkpoint: CheckpointId,
        /// Why.
        reason: AbortReason,
    },
    /// Tell every subtask that it was aborted.
    NotifyAborted(CheckpointId),
    /// Delete these snapshots; nothing refers to them.
    DeleteSnapshots(Vec<SnapshotHandle>),
    /// The checkpoint fell out of retention: delete its metadata and then its snapshots.
    Discard(CompletedCheckpoint),
    /// Too many checkpoints failed in a row: fail the attempt.
    FailAttempt,
}

/// TODO(H2)
#[derive(Clone, Debug)]
pub struct CheckpointCoordinator {}

impl CheckpointCoordinator {
    /// A coordinator that knows the retained checkpoints (oldest first) and the last id ever reserved.
    #[must_use]
    pub fn new(
        settings: CheckpointSettings,
        last_reserved: CheckpointId,
        retained: Vec<CompletedCheckpoint>,
        defects: DefectSet,
    ) -> Self {
        let _ = (settings, last_reserved, retained, defects);
        panic!("stub")
    }

    /// All subtasks of `attempt` run: periodic triggering begins, one interval from now.
    pub fn start_attempt(&mut self, now: VirtualTime, attempt: Attempt, subtasks: Vec<SubtaskId>) {
        let _ = (now, attempt, subtasks);
        panic!("stub")
    }

    /// The attempt is over: what is pending is aborted, nothing is triggered, and what still arrives
    /// from it is ignored. A checkpoint whose addition to the store is under way is not aborted: its
    /// outcome decides.
    pub fn stop_attempt(&mut self, now: VirtualTime) {
        let _ = now;
        panic!("stub")
    }

    /// A timer that was asked for.
    pub fn handle_timer(&mut self, now: VirtualTime, timer: CoordinatorTimer) {
        let _ = (now, timer);
        panic!("stub")
    }

    /// The id is durable.
    pub fn handle_reserved(&mut self, now: VirtualTime, checkpoint: CheckpointId) {
        let _ = (now, checkpoint);
        panic!("stub")
    }

    /// A subtask acknowledges.
    pub fn handle_acknowledge(&mut self, now: VirtualTime, acknowledgement: Acknowledgement) {
        let _ = (now, acknowledgement);
        panic!("stub")
    }

    /// A subtask declines.
    pub fn handle_decline(&mut self, now: VirtualTime, attempt: Attempt, checkpoint: CheckpointId) {
        let _ = (now, attempt, checkpoint);
        panic!("stub")
    }

    /// The metadata object is durable.
    pub fn handle_metadata_durable(&mut self, now: VirtualTime, checkpoint: CheckpointId) {
        let _ = (now, checkpoint);
        panic!("stub")
    }

    /// The metadata object could not be written.
    pub fn handle_metadata_failed(&mut self, now: VirtualTime, checkpoint: CheckpointId) {
        let _ = (now, checkpoint);
        panic!("stub")
    }

    /// The checkpoint is in the store.
    pub fn handle_added(&mut self, now: VirtualTime, checkpoint: CheckpointId) {
        let _ = (now, checkpoint);
        panic!("stub")
    }

    /// What to do next, if anything.
    pub fn poll_output(&mut self) -> Option<CoordinatorOutput> {
        panic!("stub")
    }

    /// What recovery would use: the newest completed checkpoint.
    #[must_use]
    pub fn latest(&self) -> Option<&CompletedCheckpoint> {
        panic!("stub")
    }

    /// Whether an addition to the store is under way: recovery must wait for its outcome.
    #[must_use]
    pub fn is_adding(&self) -> bool {
        panic!("stub")
    }
}
