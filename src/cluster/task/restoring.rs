//! The beginning of a task: it reads what it starts from, and takes it over.
//!
//! In the shape in which the checkpoint was taken that is one snapshot. In another it is several, and
//! what the subtask starts from is made of them once all have been read.

use std::sync::Arc;

use super::super::message::{Deploy, DeployedShape, ObjectOperation};
use super::channel_state::ChannelState;
use super::snapshot::object_request;
use super::{Env, Phase, Purpose, Side, SourceReader, StoredSnapshot, Task};
use crate::dataflow::rescale::united;
use crate::dataflow::{Job, SubtaskState};
use crate::protocol::ordered::VecMap;
use crate::protocol::rescale::FormerName;
use crate::protocol::{Attempt, CheckpointId, Defect, Digest, SnapshotHandle, TransactionId};
use crate::trace::{Event, Ownership, Restored};

/// The job in the shape of what is deployed, and in that of the snapshots where it is another.
pub struct Shapes {
    /// As it is deployed.
    pub now: Arc<Job>,
    /// As the snapshots were taken.
    pub before: Option<Arc<Job>>,
}

/// What was read, by the place of the handle among those that the task reads, with the digest of its bytes.
pub type Read = VecMap<u16, (StoredSnapshot, ChannelState, Digest)>;

/// Transactions that a snapshot held prepared.
pub(super) type Committables = Vec<(CheckpointId, TransactionId)>;

impl Task {
    /// Asks for the snapshots it starts from, or starts from nothing.
    pub fn begin_restore(&mut self, deploy: &Deploy, env: &mut Env<'_>) {
        let handles = deploy.reads_of(self.id);
        for (part, handle) in (0..).zip(&handles) {
            let purpose = Purpose::Restore { subtask: self.id, part };
            object_request(purpose, ObjectOperation::Get { key: handle.key }, env);
        }
        if handles.is_empty() {
            self.restored(deploy, Digest::default(), Vec::new(), env);
        }
    }

    /// A snapshot arrived. The caller has held its bytes against the digest of the handle.
    ///
    /// # Errors
    ///
    /// When the bytes are not a snapshot of this subtask, or cannot be divided.
    pub fn handle_snapshot(
        &mut self,
        deploy: &Deploy,
        shapes: &Shapes,
        (part, handle): (u16, SnapshotHandle),
        bytes: &[u8],
        env: &mut Env<'_>,
    ) -> Result<(), String> {
        let problem = |error: &postcard::Error| format!("{}: {error}", handle.key);
        let (stored, rest): (StoredSnapshot, _) =
            postcard::take_from_bytes(bytes).map_err(|error| problem(&error))?;
        let in_flight = match rest.is_empty() {
            true => ChannelState::default(),
            false => postcard::from_bytes(rest).map_err(|error| problem(&error))?,
        };
        let read = (stored, in_flight, Digest::of(bytes));
        if shapes.before.is_none() && deploy.united_in(self.id).is_empty() {
            return self.restore_own(deploy, handle, read, env);
        }
        self.read.insert(part, read);
        if self.read.len() < deploy.reads_of(self.id).len() {
            return Ok(());
        }
        match &shapes.before {
            Some(before) => self.restore_divided(deploy, &shapes.now, before, env),
            None => self.restore_united(deploy, env),
        }
    }

    /// What it had itself is all that it starts from.
    fn restore_own(
        &mut self,
        deploy: &Deploy,
        handle: SnapshotHandle,
        (stored, in_flight, digest): (StoredSnapshot, ChannelState, Digest),
        env: &mut Env<'_>,
    ) -> Result<(), String> {
        let restored = self.subtask.restore(&stored.state);
        restored.map_err(|error| format!("{}: {error}", handle.key))?;
        if let Some(checkpoint) = deploy.checkpoint.filter(|_| !in_flight.is_empty()) {
            self.restore_channel_state(checkpoint, in_flight, env)?;
        }
        self.restored(deploy, digest, stored.transactions, env);
        Ok(())
    }

    /// It starts from what it had itself, and from the union lists of all. Its own snapshot was read first.
    fn restore_united(&mut self, deploy: &Deploy, env: &mut Env<'_>) -> Result<(), String> {
        let mut read = std::mem::take(&mut self.read).into_values();
        let (Some((mut stored, in_flight, digest)), Some(handle)) =
            (read.next(), deploy.snapshots_of(self.id).first())
        else {
            return Err("no snapshot of its own".to_owned());
        };
        let all: Vec<SubtaskState> = read.map(|(stored, ..)| stored.state).collect();
        stored.state = united(stored.state, &all, self.defects);
        self.restore_own(deploy, *handle, (stored, in_flight, digest), env)
    }

    pub(super) fn restored(
        &mut self,
        deploy: &Deploy,
        state: Digest,
        transactions: Committables,
        env: &mut Env<'_>,
    ) {
        assert_eq!(self.phase, Phase::Restoring, "a task is restored once");
        let (subtask, attempt, positions) = (self.id, self.attempt, self.positions());
        let checkpoint = deploy.checkpoint;
        self.is_restored = checkpoint.is_some();
        if let Side::Source(reader) = &mut self.side {
            let (mut from, ended) = (positions.clone(), self.subtask.ended_splits());
            if self.is_restored && self.defects.has(Defect::CommittedOffsetsRestored) {
                // The log keeps what was not committed, and no more.
                from.iter_mut().for_each(|position| position.offset = 0);
            }
            *reader = SourceReader::new(&from, &ended, self.subtask.awaits_splits());
        }
        self.protocol.handle_restored(checkpoint);
        let ownership = match self.tells_ownership {
            Some(_) => self.ownership(&self.subtask.freeze()),
            None => Ownership::default(),
        };
        let restored = Restored { subtask, attempt, checkpoint, state, positions, ownership };
        env.outbox.event(Event::Restored(Box::new(restored)));
        self.tell_restored(env);
        self.phase = Phase::Ready;
        if self.is_outside() {
            self.open_outside(checkpoint, env);
        } else if self.sink.is_some() {
            let (since, former) = self.names(deploy.shape.as_deref());
            let is_ours = |name: &TransactionId| {
                let own = FormerName { sink: subtask, from: since, until: attempt };
                let mut names = former.iter().chain([&own]);
                names.any(|known| known.covers(name.sink, name.attempt))
            };
            let transactions = transactions.into_iter().filter(|(_, id)| is_ours(id)).collect();
            self.open_sink(transactions, since, former, env);
        }
    }

    /// By which names the transactions of this sink go, and since when by its own.
    fn names(&self, shape: Option<&DeployedShape>) -> (Attempt, Vec<FormerName>) {
        let Some(shape) = shape else { return (Attempt::default(), Vec::new()) };
        let former = shape.former.get(self.id.index()).cloned().unwrap_or_default();
        (shape.since, former)
    }

    /// What of this state the subtask owns; nothing where nobody asks.
    pub(super) fn ownership(&self, state: &SubtaskState) -> Ownership {
        let job = self.tells_ownership.as_ref();
        job.map_or_else(Ownership::default, |job| job.ownership(self.id, state))
    }
}
