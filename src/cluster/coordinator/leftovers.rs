//! What predecessors left in the object store, and nothing refers to: found by listing, and deleted.
//!
//! A checkpoint can be given up while its metadata is being written, and a coordinator can die between
//! taking a checkpoint out of its record and deleting it; nobody else knows of such objects.

use super::super::io::Outbox;
use super::super::message::{ObjectOperation, ObjectResult};
use super::{Coordinator, Purpose, State};
use crate::protocol::ordered::VecMap;
use crate::protocol::{CheckpointId, Defect, ObjectKey, VirtualTime};
use crate::trace::Event;

impl Coordinator {
    /// Once a reign, behind the start of its first attempt: what that starts from is known then.
    pub(super) fn look_for_leftovers(&mut self, now: VirtualTime, outbox: &mut dyn Outbox) {
        let seeded = self.defects.has(Defect::LeftoversNotSwept);
        if !seeded && !self.is_swept && self.inherited > CheckpointId::default() {
            self.list(now, outbox);
        }
        self.is_swept = true;
    }

    pub(super) fn list(&mut self, now: VirtualTime, outbox: &mut dyn Outbox) {
        self.object(now, Purpose::List, ObjectOperation::List, outbox);
    }

    pub(super) fn handle_listed(
        &mut self,
        now: VirtualTime,
        result: ObjectResult,
        outbox: &mut dyn Outbox,
    ) {
        let ObjectResult::Listed(keys) = result else { return };
        match &self.state {
            State::Loading { .. } if self.defects.has(Defect::LatestFromListing) => {
                let newest = keys.into_iter().filter_map(metadata_of).max();
                self.load_all(now, newest.into_iter().collect(), outbox);
            }
            State::TakingLeadership => {}
            State::Finished if self.farewell.is_none() => {}
            // Also where the answer is late: meanwhile the job was stopped, or has been resumed, or is about to finish.
            // Nobody asks a second time, and what predecessors left must go all the same.
            State::Leading { .. } | State::Stopped | State::Loading { .. } | State::Finished => {
                self.delete_leftovers(now, keys, outbox);
            }
        }
    }

    /// Only what predecessors wrote, and was not retained when this reign began: none of them can add a
    /// checkpoint any more, whoever lives on, since the record is written under a later term. So it does
    /// not matter how old the listing is. What this reign and later ones write has higher ids.
    fn delete_leftovers(
        &mut self,
        now: VirtualTime,
        keys: Vec<ObjectKey>,
        outbox: &mut dyn Outbox,
    ) {
        let mut leftovers: VecMap<CheckpointId, Vec<ObjectKey>> = VecMap::new();
        for key in keys {
            let checkpoint = checkpoint_of(key);
            if checkpoint <= self.inherited && !self.is_wanted(checkpoint) {
                leftovers.entry(checkpoint).or_default().push(key);
            }
        }
        for (checkpoint, mut keys) in leftovers {
            outbox.event(Event::Discarded { checkpoint });
            keys.sort_by_key(|key| metadata_of(*key).is_none());
            for key in keys {
                self.delete(now, key, outbox);
            }
        }
    }

    /// Whether recovery may need it, or somebody asked for it to be kept.
    pub(super) fn is_wanted(&self, checkpoint: CheckpointId) -> bool {
        let is_retained = match &self.state {
            State::Leading { checkpoints, .. } => checkpoints.is_retained(checkpoint),
            State::TakingLeadership | State::Loading { .. } | State::Stopped | State::Finished => {
                self.ledger.record().retained.contains(&checkpoint)
            }
        };
        is_retained || self.is_savepoint(checkpoint)
    }
}

pub(super) fn checkpoint_of(key: ObjectKey) -> CheckpointId {
    match key {
        ObjectKey::Snapshot { checkpoint, .. }
        | ObjectKey::Metadata { checkpoint }
        | ObjectKey::Savepoint { checkpoint } => checkpoint,
    }
}

fn metadata_of(key: ObjectKey) -> Option<CheckpointId> {
    match key {
        ObjectKey::Metadata { checkpoint } => Some(checkpoint),
        ObjectKey::Snapshot { .. } | ObjectKey::Savepoint { .. } => None,
    }
}
