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

use super::kind::Kind;
use super::shape::Scene;
use super::verdict::Violation;
use crate::protocol::ordered::{VecMap, VecSet};
use crate::protocol::{Attempt, CheckpointId, Digest, ObjectKey, SubtaskId, TransactionId};
use crate::trace::{ChannelStateCaptured, SnapshotTaken};

/// How many frozen digests are remembered per subtask at most.
const FROZEN_PER_SUBTASK_MAX: usize = 64;

/// Judges durability.
#[derive(Clone, Debug, Default)]
pub(super) struct DurabilityOracle {
    stored: VecMap<ObjectKey, Digest>,
    /// Was durable until it was deleted: a successor deletes what its predecessors left behind, and a
    /// subtask of a dead attempt may acknowledge it all the same, in vain.
    deleted: VecSet<ObjectKey>,
    /// By the key that the snapshot is stored under.
    frozen: VecMap<ObjectKey, Frozen>,
    prepared: VecSet<TransactionId>,
    /// Completed, not discarded and not destroyed, with the snapshots that each lists.
    retained: VecMap<CheckpointId, Vec<ObjectKey>>,
    assembled: VecMap<CheckpointId, Assembled>,
    /// Asked for.
    asked: VecSet<CheckpointId>,
    /// Completed savepoints, each with all that it needs.
    savepoints: VecMap<CheckpointId, Vec<ObjectKey>>,
    /// Was durable, and is not through no fault of the system; unless it was stored again.
    destroyed: VecSet<ObjectKey>,
    /// The newest completed checkpoint, with the snapshots that it lists.
    newest: Option<(CheckpointId, Vec<ObjectKey>)>,
    /// What the newest record of the job names.
    recorded: Vec<CheckpointId>,
    leftovers: Leftovers,
}

#[derive(Clone, Debug)]
struct Assembled {
    snapshots: Vec<ObjectKey>,
    /// Its coordinator is gone: it may have completed without a word.
    is_abandoned: bool,
}

#[derive(Clone, Debug)]
struct Frozen {
    state: Digest,
    transactions: Vec<TransactionId>,
}

impl DurabilityOracle {
    /// The run begins.
    pub fn start(&mut self) {
        *self = Self::default();
    }

    /// A subtask froze its state.
    pub fn handle_snapshot(&mut self, scene: &Scene, snapshot: &SnapshotTaken) {
        let (checkpoint, attempt) = (snapshot.checkpoint, snapshot.attempt);
        let key = ObjectKey::Snapshot { checkpoint, attempt, subtask: snapshot.subtask };
        let transactions = snapshot.transactions.iter().map(|(_, id)| *id).collect();
        self.frozen.insert(key, Frozen { state: snapshot.state, transactions });
        if self.frozen.len() > FROZEN_PER_SUBTASK_MAX * scene.shape.subtasks().max(1) {
            self.frozen.pop_first();
        }
    }

    /// What a barrier overtook is known: the object holds it behind the state.
    pub fn handle_captured(&mut self, captured: &ChannelStateCaptured) {
        let ChannelStateCaptured { subtask, attempt, checkpoint, state, .. } = *captured;
        let key = ObjectKey::Snapshot { checkpoint, attempt, subtask };
        if let Some(frozen) = self.frozen.get_mut(&key) {
            frozen.state = state;
        }
    }

    /// An object is durable.
    pub fn handle_stored(&mut self, scene: &mut Scene, key: ObjectKey, digest: Digest) {
        self.stored.insert(key, digest);
        self.deleted.remove(&key);
        self.destroyed.remove(&key);
        let Some(frozen) = self.frozen.get(&key).filter(|frozen| frozen.state != digest) else {
            return;
        };
        let text = format!("{} stored {digest}, frozen was {}", shown(scene, key), frozen.state);
        report(scene, Kind::StoredOtherState, key, text);
    }

    /// An object is gone.
    pub fn handle_deleted(&mut self, scene: &mut Scene, key: ObjectKey) {
        if self.stored.remove(&key).is_some() {
            self.deleted.insert(key);
        }
        if self.deleted.len() > FROZEN_PER_SUBTASK_MAX * scene.shape.subtasks().max(1) {
            self.deleted.pop_first();
        }
        let checkpoint = checkpoint_of(key);
        if self.savepoints.get(&checkpoint).is_some_and(|needed| needed.contains(&key)) {
            let text =
                format!("{} was deleted, which savepoint {checkpoint} needs", shown(scene, key));
            report(scene, Kind::SavepointDeleted, key, text);
        }
        self.leftovers.handle_deleted(key);
        self.judge_deleted(scene, checkpoint, key);
    }

    fn judge_deleted(&self, scene: &mut Scene, checkpoint: CheckpointId, key: ObjectKey) {
        let is_metadata = key == ObjectKey::Metadata { checkpoint };
        let is_of = |listed: &Vec<ObjectKey>| is_metadata || listed.contains(&key);
        if self.retained.get(&checkpoint).is_some_and(is_of) {
            let text = format!("{} was deleted while {checkpoint} is retained", shown(scene, key));
            report(scene, Kind::DeletedWhileRetained, key, text);
            return;
        }
        let assembled = self.assembled.get(&checkpoint).map(|assembled| &assembled.snapshots);
        if self.recorded.contains(&checkpoint) && assembled.is_some_and(is_of) {
            let what = shown(scene, key);
            let text = format!("{what} was deleted, and the job's record names {checkpoint}");
            report(scene, Kind::DeletedWhileRecorded, key, text);
        }
    }

    /// The job's record was replaced, and names these checkpoints.
    pub fn handle_recorded(&mut self, retained: &[CheckpointId]) {
        self.recorded = retained.to_vec();
    }

    /// The coordinator knows of a snapshot.
    pub fn handle_counted(
        &mut self,
        subtask: SubtaskId,
        attempt: Attempt,
        checkpoint: CheckpointId,
    ) {
        self.leftovers.handle_counted(ObjectKey::Snapshot { checkpoint, attempt, subtask });
    }

    /// The store's listings begin to mislead, or are right again.
    pub fn handle_listings(&mut self, misleads: bool) {
        self.leftovers.handle_listings(misleads);
    }

    /// An attempt begins: the first one of a reign sweeps.
    pub fn handle_attempt_started(&mut self) {
        self.leftovers.handle_attempt_started();
    }

    /// The job finished: what had to be deleted is gone.
    pub fn handle_finished(&mut self, scene: &mut Scene) {
        let is_named = |key: &ObjectKey| {
            let checkpoint = checkpoint_of(*key);
            // A savepoint may be there though its coordinator did not live to say so.
            self.retained.contains_key(&checkpoint) || self.asked.contains(&checkpoint)
        };
        let left =
            self.leftovers.owed().find(|(key, _)| self.stored.contains_key(key) && !is_named(key));
        if let Some((key, why)) = left {
            let text = format!("the job finished with {} in the store: {why}", shown(scene, key));
            report(scene, Kind::LeftInStore, key, text);
        }
    }

    /// Every copy of an object is gone, and that is nobody's fault: nothing is owed of it any more.
    pub fn handle_destroyed(&mut self, key: ObjectKey) {
        if self.stored.remove(&key).is_some() {
            self.destroyed.insert(key);
        }
        self.retained.remove(&checkpoint_of(key));
        self.leftovers.forgive();
    }

    /// An object without which there is no recovery, if one was destroyed: of the newest completed
    /// checkpoint, or of one that may have completed without a word.
    pub fn unrecoverable(&self) -> Option<(CheckpointId, ObjectKey)> {
        let newest = self.newest.iter().map(|(id, snapshots)| (*id, snapshots));
        let silent = self.assembled.iter().filter(|(_, assembled)| assembled.is_abandoned);
        let silent = silent.map(|(id, assembled)| (*id, &assembled.snapshots));
        newest.chain(silent).find_map(|(checkpoint, snapshots)| {
            let metadata = [self.metadata_of(checkpoint)];
            let mut keys = metadata.iter().chain(snapshots);
            let destroyed = keys.find(|key| self.destroyed.contains(*key))?;
            Some((checkpoint, *destroyed))
        })
    }

    /// A coordinator took over.
    pub fn handle_leadership_taken(&mut self) {
        self.assembled.values_mut().for_each(|assembled| assembled.is_abandoned = true);
        let is_unnamed = |checkpoint: &CheckpointId| !self.recorded.contains(checkpoint);
        let unnamed = self.retained.keys().copied().filter(is_unnamed);
        self.leftovers.handle_leadership_taken(self.stored.keys().copied(), unnamed);
    }

    /// A transaction is durable.
    pub fn handle_prepared(&mut self, transaction: TransactionId) {
        self.prepared.insert(transaction);
    }

    /// A subtask acknowledges: its snapshot and its transactions must be durable.
    pub fn handle_acknowledged(
        &mut self,
        scene: &mut Scene,
        subtask: SubtaskId,
        attempt: Attempt,
        checkpoint: CheckpointId,
    ) {
        let key = ObjectKey::Snapshot { checkpoint, attempt, subtask };
        let name = scene.name(subtask);
        if !self.was_durable(key) && !self.deleted.contains(&key) {
            let text = format!("{name} acknowledged {checkpoint} before its snapshot was durable");
            report(scene, Kind::AcknowledgedBeforeDurable, key, text);
        }
        let transactions = self.frozen.get(&key).map_or(&[][..], |frozen| &frozen.transactions);
        if let Some(open) = transactions.iter().find(|open| !self.prepared.contains(*open)) {
            let text = format!("{name} acknowledged {checkpoint} before {open} was prepared");
            report(scene, Kind::AcknowledgedBeforePrepared, key, text);
        }
    }

    /// The snapshots of a checkpoint were listed.
    pub fn handle_assembled(
        &mut self,
        checkpoint: CheckpointId,
        snapshots: &[(SubtaskId, ObjectKey)],
    ) {
        let snapshots = snapshots.iter().map(|(_, key)| *key).collect();
        self.assembled.insert(checkpoint, Assembled { snapshots, is_abandoned: false });
    }

    /// The checkpoint will never complete.
    pub fn handle_aborted(&mut self, checkpoint: CheckpointId) {
        self.assembled.remove(&checkpoint);
        self.leftovers.handle_aborted(checkpoint);
    }

    /// The checkpoint completed: all of it must be durable, as it was frozen.
    pub fn handle_completed(&mut self, scene: &mut Scene, checkpoint: CheckpointId) {
        let assembled = self.assembled.remove(&checkpoint);
        let listed = assembled.map_or_else(Vec::new, |assembled| assembled.snapshots);
        let asked = &self.asked;
        self.assembled.retain(|id, _| *id > checkpoint || asked.contains(id));
        for key in &listed {
            self.judge_object(scene, checkpoint, *key);
        }
        let metadata = ObjectKey::Metadata { checkpoint };
        if !self.was_durable(metadata) {
            let text = format!("{checkpoint} completed before its metadata was durable");
            report(scene, Kind::CompletedBeforeMetadata, metadata, text);
        }
        self.newest = Some((checkpoint, listed.clone()));
        self.destroyed.retain(|key| checkpoint_of(*key) >= checkpoint);
        if self.unrecoverable().is_none() {
            self.retained.insert(checkpoint, listed);
        }
        self.forget_below(checkpoint);
    }

    /// A savepoint was triggered.
    pub fn handle_savepoint_triggered(&mut self, checkpoint: CheckpointId) {
        self.asked.insert(checkpoint);
    }

    /// A savepoint is there: all of it must be durable, for ever. A terminal one is what recovery needs.
    pub fn handle_savepoint(
        &mut self,
        scene: &mut Scene,
        checkpoint: CheckpointId,
        is_terminal: bool,
    ) {
        let assembled = self.assembled.remove(&checkpoint);
        let mut needed = assembled.map_or_else(Vec::new, |assembled| assembled.snapshots);
        for key in &needed {
            self.judge_object(scene, checkpoint, *key);
        }
        let metadata = ObjectKey::Savepoint { checkpoint };
        if !self.was_durable(metadata) {
            let text = format!("savepoint {checkpoint} completed before its metadata was durable");
            report(scene, Kind::CompletedBeforeMetadata, metadata, text);
        }
        if is_terminal {
            self.newest = Some((checkpoint, needed.clone()));
        }
        needed.push(metadata);
        self.savepoints.insert(checkpoint, needed);
    }

    fn metadata_of(&self, checkpoint: CheckpointId) -> ObjectKey {
        if self.asked.contains(&checkpoint) {
            ObjectKey::Savepoint { checkpoint }
        } else {
            ObjectKey::Metadata { checkpoint }
        }
    }

    /// A completed checkpoint fell out of retention: none of the newest may.
    pub fn handle_discarded(&mut self, scene: &mut Scene, checkpoint: CheckpointId) {
        let most = scene.shape.retained.max(1);
        let newest: Vec<_> = self.retained.keys().rev().take(most).collect();
        if newest.contains(&&checkpoint) {
            let text = format!("{checkpoint} was discarded, though {most} are to be retained");
            report(scene, Kind::DiscardedTooEarly, ObjectKey::Metadata { checkpoint }, text);
        }
        let listed = self.retained.remove(&checkpoint).unwrap_or_default();
        self.leftovers.handle_discarded(checkpoint, listed);
    }

    fn judge_object(&self, scene: &mut Scene, checkpoint: CheckpointId, key: ObjectKey) {
        let frozen = self.frozen.get(&key).map(|frozen| frozen.state);
        let (kind, what) = match self.stored.get(&key) {
            None if self.destroyed.contains(&key) => return,
            None => (Kind::CompletedBeforeDurable, "is not durable"),
            Some(digest) if frozen.is_some_and(|frozen| frozen != *digest) => {
                (Kind::CompletedWithOtherState, "is not what was frozen")
            }
            Some(_) => return,
        };
        let text = format!("{checkpoint} completed, but {} {what}", shown(scene, key));
        report(scene, kind, key, text);
    }

    fn was_durable(&self, key: ObjectKey) -> bool {
        self.stored.contains_key(&key) || self.destroyed.contains(&key)
    }

    /// What was frozen for older checkpoints has had its use.
    fn forget_below(&mut self, checkpoint: CheckpointId) {
        let first = ObjectKey::Snapshot { checkpoint, attempt: Attempt(0), subtask: SubtaskId(0) };
        self.frozen = self.frozen.split_off(&first);
    }
}

pub(super) fn checkpoint_of(key: ObjectKey) -> CheckpointId {
    match key {
        ObjectKey::Snapshot { checkpoint, .. }
        | ObjectKey::Metadata { checkpoint }
        | ObjectKey::Savepoint { checkpoint } => checkpoint,
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
