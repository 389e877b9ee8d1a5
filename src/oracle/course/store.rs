//! What the object store holds, and what of it recovery needs.

use super::super::shape::Shape;
use crate::protocol::ordered::{VecMap, VecSet};
use crate::protocol::{CheckpointId, Digest, ObjectKey};
use crate::trace::Event;

/// How many objects that are gone are remembered per subtask at most.
const GONE_PER_SUBTASK_MAX: usize = 64;

/// Objects, and the checkpoints that list them.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Store {
    stored: VecMap<ObjectKey, Digest>,
    /// Was durable until it was deleted, or was destroyed and is outdated: a successor deletes what its predecessors
    /// left behind, and a subtask of a dead attempt may acknowledge it all the same, in vain.
    gone: VecSet<ObjectKey>,
    /// Was durable, and is not through no fault of the system; unless it was stored again, or is outdated.
    destroyed: VecSet<ObjectKey>,
    assembled: VecMap<CheckpointId, Assembled>,
    /// Savepoints: somebody asked for them.
    asked: VecSet<CheckpointId>,
    /// Completed savepoints, each with the snapshots that it lists.
    savepoints: VecMap<CheckpointId, Vec<ObjectKey>>,
    /// The newest completed checkpoint, with the snapshots that it lists.
    newest: Option<(CheckpointId, Vec<ObjectKey>)>,
    /// What recovery would need and is destroyed, if anything is.
    lost: Option<(CheckpointId, ObjectKey)>,
}

#[derive(Clone, Debug)]
struct Assembled {
    snapshots: Vec<ObjectKey>,
    /// Its coordinator is gone: it may have completed without a word.
    is_abandoned: bool,
}

impl Store {
    /// Selects what comes and goes, and what is listed.
    pub fn take(&mut self, shape: &Shape, event: &Event) {
        match event {
            Event::ObjectStored { key, digest, .. } => {
                self.stored.insert(*key, *digest);
                self.gone.remove(key);
                self.destroyed.remove(key);
                self.lost = self.unrecoverable();
            }
            Event::ObjectDeleted { key } => self.delete(shape, *key),
            Event::ObjectDestroyed { key } => {
                if self.stored.remove(key).is_some() {
                    self.destroyed.insert(*key);
                }
                self.lost = self.unrecoverable();
            }
            Event::Assembled { checkpoint, snapshots } => {
                let snapshots = snapshots.iter().map(|(_, key)| *key).collect();
                self.assembled.insert(*checkpoint, Assembled { snapshots, is_abandoned: false });
            }
            Event::Aborted { checkpoint, .. } => {
                self.assembled.remove(checkpoint);
            }
            Event::SavepointTriggered { checkpoint, .. } => {
                self.asked.insert(*checkpoint);
            }
            Event::LeadershipTaken { .. } => {
                self.assembled.values_mut().for_each(|assembled| assembled.is_abandoned = true);
                self.lost = self.unrecoverable();
            }
            _ => {}
        }
    }

    fn delete(&mut self, shape: &Shape, key: ObjectKey) {
        if self.stored.remove(&key).is_some() {
            self.remember_gone(shape, key);
        }
    }

    fn remember_gone(&mut self, shape: &Shape, key: ObjectKey) {
        self.gone.insert(key);
        if self.gone.len() > GONE_PER_SUBTASK_MAX * shape.subtasks().max(1) {
            self.gone.pop_first();
        }
    }

    /// The checkpoint completed, with what it had been assembled from.
    pub fn complete(&mut self, shape: &Shape, checkpoint: CheckpointId) {
        let listed = self.listed_by(checkpoint);
        let asked = &self.asked;
        self.assembled.retain(|id, _| *id > checkpoint || asked.contains(id));
        self.newest = Some((checkpoint, listed));
        self.outdate_below(shape, checkpoint);
        self.lost = self.unrecoverable();
    }

    /// What was destroyed of older checkpoints is needed no more. Whoever had stored it may not have said so yet.
    fn outdate_below(&mut self, shape: &Shape, checkpoint: CheckpointId) {
        let is_outdated = |key: &ObjectKey| checkpoint_of(*key) < checkpoint;
        let outdated: Vec<_> = self.destroyed.iter().copied().filter(is_outdated).collect();
        for key in outdated {
            self.destroyed.remove(&key);
            self.remember_gone(shape, key);
        }
    }

    /// A savepoint is there. A terminal one is what recovery needs.
    pub fn complete_savepoint(&mut self, checkpoint: CheckpointId, is_terminal: bool) {
        let listed = self.listed_by(checkpoint);
        if is_terminal {
            self.newest = Some((checkpoint, listed.clone()));
            self.lost = self.unrecoverable();
        }
        self.savepoints.insert(checkpoint, listed);
    }

    fn listed_by(&mut self, checkpoint: CheckpointId) -> Vec<ObjectKey> {
        self.assembled.remove(&checkpoint).map_or_else(Vec::new, |assembled| assembled.snapshots)
    }

    /// An object without which there is no recovery, if one was destroyed: of the newest completed
    /// checkpoint, or of one that may have completed without a word.
    fn unrecoverable(&self) -> Option<(CheckpointId, ObjectKey)> {
        if self.destroyed.is_empty() {
            return None;
        }
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

    fn metadata_of(&self, checkpoint: CheckpointId) -> ObjectKey {
        if self.is_savepoint(checkpoint) {
            ObjectKey::Savepoint { checkpoint }
        } else {
            ObjectKey::Metadata { checkpoint }
        }
    }

    /// Whether somebody asked for it.
    pub fn is_savepoint(&self, checkpoint: CheckpointId) -> bool {
        self.asked.contains(&checkpoint)
    }

    /// What recovery would need and is destroyed, if anything is.
    pub fn lost(&self) -> Option<(CheckpointId, ObjectKey)> {
        self.lost
    }

    /// What an object holds, where it is there.
    pub fn content(&self, key: ObjectKey) -> Option<Digest> {
        self.stored.get(&key).copied()
    }

    /// All that is there.
    pub fn keys(&self) -> impl Iterator<Item = ObjectKey> + '_ {
        self.stored.keys().copied()
    }

    /// Whether it is gone, and that is nobody's fault.
    pub fn is_destroyed(&self, key: ObjectKey) -> bool {
        self.destroyed.contains(&key)
    }

    /// Whether it is there, or would be if it had not been destroyed.
    pub fn was_durable(&self, key: ObjectKey) -> bool {
        self.stored.contains_key(&key) || self.is_destroyed(key)
    }

    /// Whether it was there, and was deleted since, or destroyed and outdated.
    pub fn is_gone(&self, key: ObjectKey) -> bool {
        self.gone.contains(&key)
    }

    /// The snapshots of a checkpoint that was assembled, and has no outcome yet.
    pub fn assembled(&self, checkpoint: CheckpointId) -> Option<&[ObjectKey]> {
        self.assembled.get(&checkpoint).map(|assembled| &*assembled.snapshots)
    }

    /// The snapshots of a savepoint that has completed.
    pub fn savepoint(&self, checkpoint: CheckpointId) -> Option<&[ObjectKey]> {
        self.savepoints.get(&checkpoint).map(Vec::as_slice)
    }

    /// The snapshots of the newest completed checkpoint.
    pub fn newest(&self) -> &[ObjectKey] {
        self.newest.as_ref().map_or(&[], |(_, snapshots)| snapshots)
    }
}

/// Of which checkpoint an object is.
pub(in super::super) fn checkpoint_of(key: ObjectKey) -> CheckpointId {
    match key {
        ObjectKey::Snapshot { checkpoint, .. }
        | ObjectKey::Metadata { checkpoint }
        | ObjectKey::Savepoint { checkpoint } => checkpoint,
    }
}
