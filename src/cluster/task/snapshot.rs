//! Snapshots: frozen synchronously, uploaded asynchronously, read back at a restore.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::super::buffers::Parcel;
use super::super::io::TaskTimer;
use super::super::message::{Message, ObjectOperation, ToCoordinator};
use super::channel_state::{ChannelState, Unprocessed};
use super::{Env, Phase, Purpose, Side, Task};
use crate::dataflow::{Bytes, SubtaskState};
use crate::protocol::{
    Acknowledgement, Captured, CheckpointId, Defect, Digest, ObjectKey, ProcessId, SavepointMode,
    SnapshotHandle, SplitId, TransactionId,
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
    /// What a source knew besides.
    source: Bytes,
    uploading: bool,
    /// What of the state it owns, where that is told.
    ownership: Ownership,
    /// What the task had taken off its inputs at the cut, and not processed.
    pub(super) unprocessed: Unprocessed,
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
    /// The state is frozen: the synchronous part.
    pub(super) fn take_snapshot(&mut self, checkpoint: CheckpointId, env: &mut Env<'_>) {
        if self.defects.has(Defect::PositionAfterNextRecord) || self.is_moved_by_stop(checkpoint) {
            self.read_one(env);
        }
        let stored = self.freeze();
        let tokens = self.subtask.tokens_in(&stored.state).unwrap_or_default();
        let mut snapshotting = self.snapshotting(checkpoint, &stored);
        snapshotting.ownership = self.ownership(&stored.state);
        env.outbox.event(self.snapshot_taken(checkpoint, &snapshotting, tokens));
        if self.defects.has(Defect::OffsetCommittedEarly) {
            Self::commit_offsets(&snapshotting.positions, env);
        }
        let length = snapshotting.bytes.len();
        self.snapshots.insert(checkpoint, snapshotting);
        if self.snapshots.len() > SNAPSHOTS_MAX {
            self.snapshots.pop_first();
        }
        self.spend(|cost| cost.freeze(length), env);
    }

    /// Whether a source has moved on though it was told to stop at this savepoint, and not taken its cut.
    fn is_moved_by_stop(&self, checkpoint: CheckpointId) -> bool {
        self.defects.has(Defect::PositionMovedByStop)
            && self.protocol.stops_at(checkpoint) == Some(SavepointMode::Stop)
    }

    fn freeze(&self) -> StoredSnapshot {
        let transactions = self.uncommitted();
        let mut state = self.subtask.freeze();
        if self.defects.has(Defect::PrefetchedInPosition)
            && let Side::Source(reader) = &self.side
        {
            reader.move_to_fetched(state.positions.reading_mut());
        }
        StoredSnapshot { state, transactions }
    }

    /// What the sink target holds prepared. What an external system holds is in the state of its sink.
    fn uncommitted(&self) -> Vec<(CheckpointId, TransactionId)> {
        if self.is_outside() { Vec::new() } else { self.protocol.uncommitted() }
    }

    fn snapshotting(&self, checkpoint: CheckpointId, stored: &StoredSnapshot) -> Snapshotting {
        let bytes = stored.encode();
        let key = ObjectKey::Snapshot { checkpoint, attempt: self.attempt, subtask: self.id };
        let (digest, length) = (Digest::of(&bytes), bytes.len() as u64);
        let handle = SnapshotHandle { subtask: self.id, key, digest, bytes: length };
        Snapshotting {
            bytes,
            handle,
            terminal: self.has_ended() && self.is_settled(),
            quiet: self.protocol.is_quiet(),
            positions: self.positions(),
            source: stored.state.source.clone(),
            uploading: false,
            ownership: Ownership::default(),
            unprocessed: self.side.unprocessed(self.defects),
        }
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
            received: self.side.inputs().iter().map(|input| input.cut()).collect(),
            sent: self.outputs.cuts(),
            positions: taken.positions.clone(),
            state: taken.handle.digest,
            tokens,
            transactions: self.uncommitted(),
            ended: self.phase == Phase::Ended,
            ownership: taken.ownership.clone(),
        }))
    }

    /// What was frozen is written, with what was on its way: the asynchronous part, when its time has come.
    pub(super) fn persist(
        &mut self,
        checkpoint: CheckpointId,
        captured: Option<Box<Captured<Parcel>>>,
        env: &mut Env<'_>,
    ) {
        if let Some(captured) = captured {
            self.add_channel_state(checkpoint, *captured, env);
        }
        env.outbox.schedule(TaskTimer::Upload { checkpoint }.of(self.id, self.attempt));
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
        match stored {
            true => self.protocol.handle_uploaded(checkpoint),
            false => self.protocol.handle_upload_failed(checkpoint),
        }
        self.carry_out(env);
    }

    pub(super) fn acknowledge(&mut self, checkpoint: CheckpointId, env: &mut Env<'_>) {
        let (subtask, attempt) = (self.id, self.attempt);
        let Some(snapshotting) = self.snapshots.get_mut(&checkpoint) else { return };
        let Snapshotting { handle, terminal, quiet, .. } = *snapshotting;
        env.outbox.event(Event::Acknowledged { subtask, attempt, checkpoint });
        let acknowledgement = Acknowledgement { attempt, checkpoint, handle, terminal, quiet };
        let message = Message::Coordinator(ToCoordinator::Acknowledge(Box::new(acknowledgement)));
        env.outbox.send(ProcessId::Coordinator, message);
    }

    pub(super) fn discard(&mut self, checkpoint: CheckpointId, env: &mut Env<'_>) {
        let Some(snapshotting) = self.snapshots.remove(&checkpoint) else { return };
        if snapshotting.uploading {
            let operation = ObjectOperation::Delete { key: snapshotting.handle.key };
            object_request(Purpose::Delete, operation, env);
        }
    }

    /// A completed checkpoint's snapshot and all before it are the coordinator's now. Only now may
    /// the source log be told.
    pub(super) fn forget_completed(&mut self, completed: CheckpointId, env: &mut Env<'_>) {
        if let Some(Snapshotting { positions, source, .. }) = self.snapshots.get(&completed) {
            let committed = match self.defects.has(Defect::NewestPositionCommitted) {
                true => self.positions(),
                false => self.subtask.checkpoint_completed(completed, positions, source),
            };
            Self::commit_offsets(&committed, env);
            let covered = covered_by(&committed, positions);
            let told_before = self.side.source().map(|reader| reader.commit_again(covered));
            let over = match self.defects.has(Defect::SplitReleasedAtItsEnd) {
                true => self.positions(),
                false => told_before.unwrap_or_default(),
            };
            self.release_splits(completed, &over, env);
        }
        let protocol = &self.protocol;
        self.snapshots.retain(|checkpoint, _| protocol.outlives(*checkpoint, completed));
    }
}

impl Task {
    /// What was read to its end, as these positions of a completed checkpoint say: later ones need not hold it.
    fn release_splits(
        &mut self,
        checkpoint: CheckpointId,
        positions: &[SplitPosition],
        env: &mut Env<'_>,
    ) {
        let (subtask, attempt) = (self.id, self.attempt);
        for split in self.subtask.release_splits(positions) {
            env.outbox.event(Event::SplitReleased { subtask, attempt, checkpoint, split });
        }
    }
}

/// Those positions before which the outside was told that it may forget everything.
fn covered_by(committed: &[SplitPosition], positions: &[SplitPosition]) -> BTreeSet<SplitPosition> {
    let mut told: BTreeMap<SplitId, u64> = BTreeMap::new();
    for SplitPosition { split, offset } in committed {
        let most = told.entry(*split).or_default();
        *most = (*most).max(*offset);
    }
    let is_covered =
        |at: &&SplitPosition| told.get(&at.split).is_some_and(|offset| *offset >= at.offset);
    positions.iter().filter(is_covered).copied().collect()
}

pub(super) fn object_request(purpose: Purpose, operation: ObjectOperation, env: &mut Env<'_>) {
    let message = |request| Message::ObjectStore { request, operation };
    env.requests.send(env.now, ProcessId::ObjectStore, purpose, message, env.outbox);
}
