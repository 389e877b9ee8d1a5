//! Snapshots: frozen synchronously, uploaded asynchronously, read back at a restore.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::super::message::{Message, ObjectOperation};
use super::super::process::Timer;
use super::channel_state::{Capturing, ChannelState};
use super::{Env, Phase, Purpose, Task};
use crate::dataflow::SubtaskState;
use crate::protocol::subtask::AsyncPart;
use crate::protocol::{
    Acknowledgement, CheckpointId, Defect, Digest, Element, ObjectKey, ProcessId, SnapshotHandle,
    SubtaskOutput, TransactionId,
};
use crate::trace::{Event, Ownership, SnapshotTaken, SplitPosition};

/// How many snapshots a task remembers whose checkpoints it has heard nothing of; when more
/// notifications than this are lost, the oldest is the coordinator's alone.
const SNAPSHOTS_MAX: usize = 64;

/// The content of a snapshot object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSnapshot {
    /// The state of the subtask.
    pub state: SubtaskState,
    /// In a sink, what was prepared and not known to be committed.
    pub transactions: Vec<(CheckpointId, TransactionId)>,
}

impl StoredSnapshot {
    /// The snapshot as bytes.
    ///
    /// # Panics
    ///
    /// Never: it is plain data.
    #[must_use]
    pub fn encode(&self) -> Arc<[u8]> {
        postcard::to_allocvec(self).expect("plain data can be encoded").into()
    }
}

/// A snapshot that was taken, from its cut until its checkpoint is resolved.
#[derive(Clone, Debug)]
pub struct Snapshotting {
    /// What was frozen.
    bytes: Arc<[u8]>,
    handle: SnapshotHandle,
    terminal: bool,
    /// Whether nothing enters the subtask's loops any more, and nothing was on its back edges.
    pub(super) quiet: bool,
    /// Where a source stood.
    positions: Vec<SplitPosition>,
    uploading: bool,
    /// What of the state it owns, where that is told.
    ownership: Ownership,
    /// What has to be captured before it is uploaded.
    pub(super) capturing: Option<Capturing>,
}

impl Snapshotting {
    /// What was on its way at the cut is behind the state in the same object. Nothing where there is
    /// nothing: a snapshot without channel state has the bytes it always had.
    pub(super) fn add(&mut self, state: &ChannelState) {
        if state.is_empty() {
            return;
        }
        let state = postcard::to_allocvec(state).expect("plain data can be encoded");
        self.bytes = [&self.bytes[..], &state].concat().into();
        self.handle.digest = Digest::of(&self.bytes);
        self.handle.bytes = self.bytes.len() as u64;
    }

    /// The digest of the object that is uploaded.
    pub(super) fn digest(&self) -> Digest {
        self.handle.digest
    }
}

impl Task {
    /// What the checkpoint protocol wants done, in order.
    pub(super) fn carry_out(&mut self, env: &mut Env<'_>) {
        let (subtask, attempt) = (self.id, self.attempt);
        while let Some(output) = self.checkpoint.poll_output() {
            match output {
                SubtaskOutput::BroadcastBarrier(barrier) => {
                    self.outputs.broadcast_barrier(barrier, env.outbox);
                    if self.outputs.is_stalled() {
                        self.watch(barrier, env);
                    }
                }
                SubtaskOutput::BroadcastCancel(checkpoint) => {
                    self.outputs.broadcast(&Element::Cancel(checkpoint), env.outbox);
                }
                SubtaskOutput::TakeSnapshot(checkpoint) => self.take_snapshot(checkpoint, env),
                SubtaskOutput::Release(checkpoint) => self.gate.release(checkpoint),
                SubtaskOutput::Durable(checkpoint) => {
                    env.outbox.event(Event::SnapshotDurable { subtask, attempt, checkpoint });
                }
                SubtaskOutput::Acknowledge(checkpoint) => self.acknowledge(checkpoint, env),
                SubtaskOutput::Decline(checkpoint, reason) => {
                    env.outbox.event(Event::Declined { subtask, attempt, checkpoint });
                    let message = Message::Decline { attempt, subtask, checkpoint, reason };
                    env.outbox.send(ProcessId::Coordinator, message);
                }
                SubtaskOutput::DiscardSnapshot(checkpoint) => self.discard(checkpoint, env),
            }
        }
    }

    fn take_snapshot(&mut self, checkpoint: CheckpointId, env: &mut Env<'_>) {
        if self.defects.has(Defect::PositionAfterNextRecord) || self.is_moved_by_stop(checkpoint) {
            self.read_one(env);
        }
        self.pre_commit(checkpoint, env);
        let stored = self.freeze();
        let tokens = self.subtask.tokens_in(&stored.state).unwrap_or_default();
        let mut snapshotting = self.snapshotting(checkpoint, stored.encode());
        snapshotting.ownership = self.ownership(&stored.state);
        env.outbox.event(self.snapshot_taken(checkpoint, &snapshotting, tokens));
        if self.defects.has(Defect::OffsetCommittedEarly) {
            Self::commit_offsets(&snapshotting.positions, env);
        }
        let (subtask, attempt) = (self.id, self.attempt);
        snapshotting.capturing = self.begin_capture(checkpoint);
        if snapshotting.capturing.is_none() {
            env.outbox.schedule(Timer::Upload { subtask, attempt, checkpoint });
        }
        let length = snapshotting.bytes.len();
        self.snapshots.insert(checkpoint, snapshotting);
        if self.snapshots.len() > SNAPSHOTS_MAX
            && let Some((oldest, _)) = self.snapshots.pop_first()
        {
            self.outputs.give_up(oldest);
        }
        self.look_for_captured_outputs(env);
        self.spend(|cost| cost.freeze(length), env);
    }

    fn freeze(&self) -> StoredSnapshot {
        let transactions = self.sink.as_ref().map_or(Vec::new(), |sink| sink.uncommitted());
        StoredSnapshot { state: self.subtask.freeze(), transactions }
    }

    fn snapshotting(&self, checkpoint: CheckpointId, bytes: Arc<[u8]>) -> Snapshotting {
        let key = ObjectKey::Snapshot { checkpoint, attempt: self.attempt, subtask: self.id };
        let (digest, length) = (Digest::of(&bytes), bytes.len() as u64);
        let handle = SnapshotHandle { subtask: self.id, key, digest, bytes: length };
        let terminal = self.has_ended() && self.is_settled();
        let (positions, ownership) = (self.positions(), Ownership::default());
        let (quiet, uploading, capturing) = (self.is_quiet(), false, None);
        Snapshotting { bytes, handle, terminal, quiet, positions, uploading, ownership, capturing }
    }

    fn snapshot_taken(
        &self,
        checkpoint: CheckpointId,
        taken: &Snapshotting,
        tokens: Option<i64>,
    ) -> Event {
        Event::SnapshotTaken(Box::new(SnapshotTaken {
            subtask: self.id,
            attempt: self.attempt,
            checkpoint,
            received: self.inputs.iter().map(|input| input.cut()).collect(),
            sent: self.outputs.cuts(),
            positions: taken.positions.clone(),
            state: taken.handle.digest,
            tokens,
            transactions: self.sink.as_ref().map_or(Vec::new(), |sink| sink.uncommitted()),
            ended: self.phase == Phase::Ended,
            ownership: taken.ownership.clone(),
        }))
    }

    /// The asynchronous part starts.
    pub fn handle_upload(&mut self, checkpoint: CheckpointId, env: &mut Env<'_>) {
        let live = self.defects.has(Defect::LiveStateInUpload).then(|| self.freeze().encode());
        let Some(snapshotting) = self.snapshots.get_mut(&checkpoint) else { return };
        snapshotting.uploading = true;
        let key = snapshotting.handle.key;
        let bytes = live.unwrap_or_else(|| Arc::clone(&snapshotting.bytes));
        let operation = ObjectOperation::Put { key, bytes };
        object_request(Purpose::Upload { subtask: self.id, checkpoint }, operation, env);
    }

    /// The upload is over.
    pub fn handle_uploaded(&mut self, checkpoint: CheckpointId, stored: bool, env: &mut Env<'_>) {
        if stored {
            self.checkpoint.handle_part_durable(checkpoint, AsyncPart::Upload);
        } else {
            self.checkpoint.handle_part_failed(checkpoint, AsyncPart::Upload);
        }
        self.carry_out(env);
    }

    fn acknowledge(&mut self, checkpoint: CheckpointId, env: &mut Env<'_>) {
        let (subtask, attempt) = (self.id, self.attempt);
        let Some(snapshotting) = self.snapshots.get_mut(&checkpoint) else { return };
        let Snapshotting { handle, terminal, quiet, .. } = *snapshotting;
        env.outbox.event(Event::Acknowledged { subtask, attempt, checkpoint });
        let acknowledgement = Acknowledgement { attempt, checkpoint, handle, terminal, quiet };
        let message = Message::Acknowledge(Box::new(acknowledgement));
        env.outbox.send(ProcessId::Coordinator, message);
    }

    fn discard(&mut self, checkpoint: CheckpointId, env: &mut Env<'_>) {
        self.outputs.give_up(checkpoint);
        let Some(snapshotting) = self.snapshots.remove(&checkpoint) else { return };
        if snapshotting.uploading {
            let operation = ObjectOperation::Delete { key: snapshotting.handle.key };
            object_request(Purpose::Delete, operation, env);
        }
        self.discard_captured(snapshotting.capturing);
    }

    /// A completed checkpoint's snapshot and all before it are the coordinator's now. Only now may
    /// the source log be told.
    pub(super) fn forget_completed(&mut self, checkpoint: CheckpointId, env: &mut Env<'_>) {
        if let Some(snapshotting) = self.snapshots.get(&checkpoint) {
            Self::commit_offsets(&snapshotting.positions, env);
        }
        let savepoint = &self.savepoint;
        self.snapshots
            .retain(|id, _| *id > checkpoint || (*id < checkpoint && savepoint.keeps(*id)));
    }
}

pub(super) fn object_request(purpose: Purpose, operation: ObjectOperation, env: &mut Env<'_>) {
    let message = |request| Message::Object { request, operation };
    env.requests.send(env.now, ProcessId::ObjectStore, purpose, message, env.outbox);
}
