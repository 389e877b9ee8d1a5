//! O21, I6: what is acknowledged is durable, is what was frozen, and stays until it is discarded.
//!
//! An object's content is the digest frozen at the cut (FLINK-9269: the upload read live state); an
//! acknowledgement comes after the object and after the transactions of the cut are durable
//! (FLINK-36421, FLINK-20675); a completed checkpoint has all its objects and its metadata, and none
//! is deleted before it is discarded, which the newest `retained` ones never are.
//!
//! What the newest record of the job names stays as well, whether anybody was told that it completed.
//!
//! When the job finishes nothing may be left behind: not what its last coordinator discarded, nor the counted
//! snapshots of a checkpoint that it gave up, nor what was there and named by nobody when it took over
//! (its first attempt sweeps that). What an attempt that failed in between was writing is not its debt: nobody
//! knows of it until the next coordinator lists the store.
//!
//! What is destroyed, every copy of it, was durable all the same: the system is not to blame.

mod leftovers;

use leftovers::Leftovers;

use super::course::{Fact, checkpoint_of};
use super::kind::Kind;
use super::oracles::{Oracle, listens};
use super::shape::Scene;
use super::verdict::Violation;
use crate::protocol::ordered::{VecMap, VecSet};
use crate::protocol::{
    Attempt, CheckpointId, Digest, ObjectKey, ProcessId, SubtaskId, TransactionId,
};
use crate::trace::{ChannelStateCaptured, Event, SnapshotTaken, StoreTrouble};

/// How many frozen digests are remembered per subtask at most.
const FROZEN_PER_SUBTASK_MAX: usize = 64;

/// Judges durability.
#[derive(Clone, Debug, Default)]
pub(super) struct DurabilityOracle {
    /// By the key that the snapshot is stored under.
    frozen: VecMap<ObjectKey, Frozen>,
    prepared: VecSet<TransactionId>,
    /// Completed and not discarded, whatever was destroyed of it: its coordinator cannot know.
    completed: VecSet<CheckpointId>,
    /// Of these, the ones of which nothing was destroyed, with the snapshots that each lists.
    retained: VecMap<CheckpointId, Vec<ObjectKey>>,
    /// What the newest record of the job names.
    recorded: Vec<CheckpointId>,
    /// Of the retained ones, those that were when the coordinator took over, though the record named as many newer ones
    /// as are to be retained: the predecessor died before it discarded them.
    outdated: VecSet<CheckpointId>,
    leftovers: Leftovers,
}

#[derive(Clone, Debug)]
struct Frozen {
    state: Digest,
    transactions: Vec<TransactionId>,
}

listens! { DurabilityOracle(self, scene, event) {
    Event::SnapshotTaken(ref snapshot) => { self.handle_snapshot(scene, snapshot) }
    Event::ChannelStateCaptured(ref captured) => { self.handle_captured(captured) }
    Event::Acknowledged { subtask, attempt, checkpoint } => {
        self.handle_acknowledged(scene, subtask, attempt, checkpoint)
    }
    Event::AcknowledgementCounted { subtask, from_attempt: attempt, checkpoint } => {
        self.leftovers.handle_counted(ObjectKey::Snapshot { checkpoint, attempt, subtask });
    }
    Event::ObjectStored { key, digest, .. } => { self.handle_stored(scene, key, digest) }
    Event::ObjectDeleted { key } => { self.handle_deleted(scene, key) }
    Event::ObjectDestroyed { key } => { self.handle_destroyed(key) }
    Event::StoreTroubled { process, trouble } => {
        if process == ProcessId::ObjectStore {
            let misleads = matches!(trouble, StoreTrouble::Lagging | StoreTrouble::Unsynced);
            self.leftovers.handle_listings(misleads);
        }
    }
    Event::StoreRecovered { process } => {
        if process == ProcessId::ObjectStore {
            self.leftovers.handle_listings(false);
        }
    }
    Event::RecordWritten { ref retained, .. } => { self.recorded.clone_from(retained) }
    Event::LeadershipTaken { .. } => { self.handle_leadership_taken(scene) }
    Event::Aborted { checkpoint, .. } => { self.leftovers.handle_aborted(checkpoint) }
    Event::Discarded { checkpoint } => { self.handle_discarded(scene, checkpoint) }
    Event::TransactionPrepared { transaction, .. } => { self.prepared.insert(transaction); }
} }

impl Oracle for DurabilityOracle {
    fn start(&mut self, _scene: &Scene) {
        *self = Self::default();
    }

    fn learn(&mut self, scene: &mut Scene, fact: Fact) {
        match fact {
            // The first one of a reign sweeps.
            Fact::AttemptStarted { .. } => self.leftovers.handle_attempt_started(),
            Fact::SavepointCompleted { checkpoint, .. } => self.handle_savepoint(scene, checkpoint),
            Fact::Newest { checkpoint, is_savepoint: false } => {
                self.handle_completed(scene, checkpoint);
            }
            Fact::Finished => self.handle_finished(scene),
            _ => {}
        }
    }

    /// An attempt that is over may still store what it froze.
    fn overhear(&mut self, scene: &mut Scene, event: &Event) {
        if let Event::SnapshotTaken(snapshot) = event {
            self.handle_snapshot(scene, snapshot);
        } else if let Event::ChannelStateCaptured(captured) = event {
            self.handle_captured(captured);
        }
    }
}

impl DurabilityOracle {
    /// A subtask froze its state.
    fn handle_snapshot(&mut self, scene: &Scene, snapshot: &SnapshotTaken) {
        let (checkpoint, attempt) = (snapshot.checkpoint, snapshot.attempt);
        let key = ObjectKey::Snapshot { checkpoint, attempt, subtask: snapshot.subtask };
        let transactions = snapshot.transactions.iter().map(|(_, id)| *id).collect();
        self.frozen.insert(key, Frozen { state: snapshot.state, transactions });
        if self.frozen.len() > FROZEN_PER_SUBTASK_MAX * scene.shape.subtasks().max(1) {
            self.frozen.pop_first();
        }
    }

    /// What a barrier overtook is known: the object holds it behind the state.
    fn handle_captured(&mut self, captured: &ChannelStateCaptured) {
        let ChannelStateCaptured { subtask, attempt, checkpoint, state, .. } = *captured;
        let key = ObjectKey::Snapshot { checkpoint, attempt, subtask };
        if let Some(frozen) = self.frozen.get_mut(&key) {
            frozen.state = state;
        }
    }

    /// An object is durable.
    fn handle_stored(&mut self, scene: &mut Scene, key: ObjectKey, digest: Digest) {
        let Some(frozen) = self.frozen.get(&key).filter(|frozen| frozen.state != digest) else {
            return;
        };
        let text = format!("{} stored {digest}, frozen was {}", shown(scene, key), frozen.state);
        report(scene, Kind::StoredOtherState, key, text);
    }

    /// An object is gone.
    fn handle_deleted(&mut self, scene: &mut Scene, key: ObjectKey) {
        let checkpoint = checkpoint_of(key);
        let savepoint = scene.course.store.savepoint(checkpoint);
        let metadata = ObjectKey::Savepoint { checkpoint };
        if savepoint.is_some_and(|snapshots| key == metadata || snapshots.contains(&key)) {
            let text =
                format!("{} was deleted, which savepoint {checkpoint} needs", shown(scene, key));
            report(scene, Kind::SavepointDeleted, key, text);
        }
        self.leftovers.handle_deleted(key);
        self.judge_deleted(scene, checkpoint, key);
    }

    fn judge_deleted(&self, scene: &mut Scene, checkpoint: CheckpointId, key: ObjectKey) {
        let is_metadata = key == ObjectKey::Metadata { checkpoint };
        let is_of = |listed: &[ObjectKey]| is_metadata || listed.contains(&key);
        let is_retained = self.retained.get(&checkpoint).is_some_and(|listed| is_of(listed));
        if is_retained && !self.outdated.contains(&checkpoint) {
            let text = format!("{} was deleted while {checkpoint} is retained", shown(scene, key));
            report(scene, Kind::DeletedWhileRetained, key, text);
            return;
        }
        let assembled = scene.course.store.assembled(checkpoint);
        if self.recorded.contains(&checkpoint) && assembled.is_some_and(is_of) {
            let what = shown(scene, key);
            let text = format!("{what} was deleted, and the job's record names {checkpoint}");
            report(scene, Kind::DeletedWhileRecorded, key, text);
        }
    }

    /// The job finished: what had to be deleted is gone.
    fn handle_finished(&mut self, scene: &mut Scene) {
        let store = &scene.course.store;
        let is_named = |key: &ObjectKey| {
            let checkpoint = checkpoint_of(*key);
            // A savepoint may be there though its coordinator did not live to say so.
            self.retained.contains_key(&checkpoint) || store.is_savepoint(checkpoint)
        };
        let is_there = |key: &ObjectKey| store.content(*key).is_some();
        let left = self.leftovers.owed().find(|(key, _)| is_there(key) && !is_named(key));
        if let Some((key, why)) = left {
            let text = format!("the job finished with {} in the store: {why}", shown(scene, key));
            report(scene, Kind::LeftInStore, key, text);
        }
    }

    /// Every copy of an object is gone, and that is nobody's fault: nothing is owed of it any more.
    fn handle_destroyed(&mut self, key: ObjectKey) {
        self.retained.remove(&checkpoint_of(key));
        self.leftovers.forgive();
    }

    /// A coordinator took over.
    fn handle_leadership_taken(&mut self, scene: &Scene) {
        let is_unnamed = |checkpoint: &CheckpointId| !self.recorded.contains(checkpoint);
        let unnamed = self.retained.keys().copied().filter(is_unnamed);
        self.leftovers.handle_leadership_taken(scene.course.store.keys(), unnamed);
        let most = scene.shape.retained.max(1);
        let newer = |checkpoint| self.recorded.iter().filter(|named| **named > checkpoint).count();
        let ids = self.retained.keys().copied();
        self.outdated = ids.filter(|checkpoint| newer(*checkpoint) >= most).collect();
    }

    /// A subtask acknowledges: its snapshot and its transactions must be durable.
    fn handle_acknowledged(
        &mut self,
        scene: &mut Scene,
        subtask: SubtaskId,
        attempt: Attempt,
        checkpoint: CheckpointId,
    ) {
        let key = ObjectKey::Snapshot { checkpoint, attempt, subtask };
        let store = &scene.course.store;
        if !store.was_durable(key) && !store.is_gone(key) {
            let name = scene.name(subtask);
            let text = format!("{name} acknowledged {checkpoint} before its snapshot was durable");
            report(scene, Kind::AcknowledgedBeforeDurable, key, text);
        }
        let transactions = self.frozen.get(&key).map_or(&[][..], |frozen| &frozen.transactions);
        if let Some(open) = transactions.iter().find(|open| !self.prepared.contains(*open)) {
            let name = scene.name(subtask);
            let text = format!("{name} acknowledged {checkpoint} before {open} was prepared");
            report(scene, Kind::AcknowledgedBeforePrepared, key, text);
        }
    }

    /// The checkpoint completed: all of it must be durable, as it was frozen.
    fn handle_completed(&mut self, scene: &mut Scene, checkpoint: CheckpointId) {
        let store = &scene.course.store;
        let listed = store.newest();
        for key in listed {
            self.judge_object(scene, checkpoint, *key);
        }
        let metadata = ObjectKey::Metadata { checkpoint };
        if !store.was_durable(metadata) {
            let text = format!("{checkpoint} completed before its metadata was durable");
            report(scene, Kind::CompletedBeforeMetadata, metadata, text);
        }
        self.completed.insert(checkpoint);
        if store.lost().is_none() {
            self.retained.insert(checkpoint, listed.to_vec());
        }
        self.forget_below(checkpoint);
    }

    /// A savepoint is there: all of it must be durable, for ever.
    fn handle_savepoint(&self, scene: &mut Scene, checkpoint: CheckpointId) {
        let store = &scene.course.store;
        for key in store.savepoint(checkpoint).unwrap_or_default() {
            self.judge_object(scene, checkpoint, *key);
        }
        let metadata = ObjectKey::Savepoint { checkpoint };
        if !store.was_durable(metadata) {
            let text = format!("savepoint {checkpoint} completed before its metadata was durable");
            report(scene, Kind::CompletedBeforeMetadata, metadata, text);
        }
    }

    /// A completed checkpoint fell out of retention: none of the newest may.
    fn handle_discarded(&mut self, scene: &mut Scene, checkpoint: CheckpointId) {
        let most = scene.shape.retained.max(1);
        let is_among_newest = self.completed.iter().rev().take(most).any(|id| *id == checkpoint);
        if is_among_newest && self.retained.contains_key(&checkpoint) {
            let text = format!("{checkpoint} was discarded, though {most} are to be retained");
            report(scene, Kind::DiscardedTooEarly, ObjectKey::Metadata { checkpoint }, text);
        }
        self.completed.remove(&checkpoint);
        let listed = self.retained.remove(&checkpoint).unwrap_or_default();
        self.leftovers.handle_discarded(checkpoint, listed);
    }

    fn judge_object(&self, scene: &mut Scene, checkpoint: CheckpointId, key: ObjectKey) {
        let frozen = self.frozen.get(&key).map(|frozen| frozen.state);
        let store = &scene.course.store;
        let (kind, what) = match store.content(key) {
            None if store.is_destroyed(key) => return,
            None => (Kind::CompletedBeforeDurable, "is not durable"),
            Some(digest) if frozen.is_some_and(|frozen| frozen != digest) => {
                (Kind::CompletedWithOtherState, "is not what was frozen")
            }
            Some(_) => return,
        };
        let text = format!("{checkpoint} completed, but {} {what}", shown(scene, key));
        report(scene, kind, key, text);
    }

    /// What was frozen for older checkpoints has had its use.
    fn forget_below(&mut self, checkpoint: CheckpointId) {
        let first = ObjectKey::Snapshot { checkpoint, attempt: Attempt(0), subtask: SubtaskId(0) };
        self.frozen = self.frozen.split_off(&first);
    }
}

fn shown(scene: &Scene, key: ObjectKey) -> String {
    match key {
        ObjectKey::Snapshot { checkpoint, attempt, subtask } => {
            format!("the snapshot of {} for {checkpoint} in {attempt}", scene.name(subtask))
        }
        ObjectKey::Metadata { checkpoint } => format!("the metadata of {checkpoint}"),
        ObjectKey::Savepoint { checkpoint } => format!("the metadata of savepoint {checkpoint}"),
    }
}

#[cold]
fn report(scene: &mut Scene, kind: Kind, key: ObjectKey, text: String) {
    let violation = Violation::new(kind, text);
    scene.report(match key {
        ObjectKey::Snapshot { checkpoint, subtask, .. } => violation.of(checkpoint).by(subtask),
        ObjectKey::Metadata { checkpoint } | ObjectKey::Savepoint { checkpoint } => {
            violation.of(checkpoint)
        }
    });
}
