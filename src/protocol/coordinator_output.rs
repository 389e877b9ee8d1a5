//! What the coordinator asks of its surroundings, in order.

use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use super::abort::AbortReason;
use super::acknowledgement::Acknowledgement;
use super::barrier::Barrier;
use super::completed::{CompletedCheckpoint, SnapshotHandle};
use super::ids::{CheckpointId, SubtaskId};
use super::savepoint::{CheckpointKind, RequestNumber, SavepointRequest};
use super::time::VirtualTime;

/// Wake-ups that the coordinator asks for; those no longer of interest are ignored when they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CoordinatorTimer {
    /// A periodic trigger may be due.
    Trigger,
    /// The checkpoint's time is up.
    Expire(CheckpointId),
}

/// How a checkpoint is noted in the job's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Addition {
    /// These are retained from here on, oldest first.
    Retain(Vec<CheckpointId>),
    /// It is a savepoint, and belongs to whoever asked for it; where it is terminal the job is stopped.
    Savepoint(SavepointRequest),
}

/// What the coordinator wants done, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CoordinatorOutput {
    /// Call [`CheckpointCoordinator::handle_timer`](super::CheckpointCoordinator::handle_timer) then.
    SetTimer {
        /// The time at which it must be called back.
        at: VirtualTime,
        /// With this.
        timer: CoordinatorTimer,
    },
    /// Make durable that ids up to and including this one are used; then call `handle_reserved`.
    ReserveId(CheckpointId),
    /// Ask every subtask of the attempt for a snapshot.
    Trigger {
        /// What sources inject.
        barrier: Barrier,
        /// Why it is taken.
        kind: CheckpointKind,
    },
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
    WriteMetadata {
        /// What the metadata says.
        completed: CompletedCheckpoint,
        /// Why it was taken.
        kind: CheckpointKind,
    },
    /// The metadata is durable: add the checkpoint to the store, together with what stays retained
    /// (newest last, the new one included), or a savepoint to those that the job's record lists; then
    /// `handle_added` or `handle_add_failed`.
    Add {
        /// The new one.
        checkpoint: CheckpointId,
        /// What is added to the store, and what falls out of it.
        addition: Addition,
    },
    /// The checkpoint is in the store and cannot fail any more.
    Completed {
        /// The checkpoint that it is about.
        checkpoint: CheckpointId,
        /// Why it was taken.
        kind: CheckpointKind,
        /// Whether nothing is left to do after it: the job is finished.
        terminal: bool,
    },
    /// Tell every subtask that it completed.
    NotifyComplete(CheckpointId),
    /// In the cut of a completed checkpoint nothing was on the back edges of these subtasks, and nothing came
    /// into their loops through them.
    LoopsQuiet(Vec<SubtaskId>),
    /// The checkpoint will never complete.
    Aborted {
        /// The checkpoint that it is about.
        checkpoint: CheckpointId,
        /// What went wrong with it.
        reason: AbortReason,
    },
    /// Tell every subtask that it was aborted.
    NotifyAborted(CheckpointId),
    /// Delete these snapshots; nothing refers to them.
    DeleteSnapshots(Vec<SnapshotHandle>),
    /// The checkpoint fell out of retention: delete its metadata and then its snapshots.
    Discard(CompletedCheckpoint),
    /// Tell every subtask that the job is stopped at this savepoint: commit, and finish.
    Stop(CheckpointId),
    /// A request is not carried out.
    Refused {
        /// The request that is refused.
        request: RequestNumber,
        /// What went wrong with it.
        reason: String,
    },
    /// Too many checkpoints failed in a row: fail the attempt.
    FailAttempt,
}
