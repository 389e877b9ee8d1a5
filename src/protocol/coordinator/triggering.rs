//! When a checkpoint begins: a trigger is due, its id is made durable, subtasks are asked; and when its
//! time is up.

use core::time::Duration;

use super::{CheckpointCoordinator, Job, Reserving};
use crate::Defect;
use crate::abort::AbortReason;
use crate::barrier::{Barrier, Passage};
use crate::coordinator_output::{CoordinatorOutput, CoordinatorTimer};
use crate::ids::{Attempt, CheckpointId};
use crate::pending::{Collection, PendingCheckpoint, PendingPhase};
use crate::savepoint::CheckpointKind;
use crate::schedule::Due;
use crate::time::VirtualTime;

impl CheckpointCoordinator {
    /// The id is durable.
    pub fn handle_reserved(&mut self, now: VirtualTime, checkpoint: CheckpointId) {
        let Some(reserved) = self.reserving.take_if(|wanted| wanted.checkpoint == checkpoint)
        else {
            return;
        };
        match &self.job {
            Job::Running { attempt, subtasks, .. } if *attempt == reserved.attempt => {
                let collection = Collection::new(subtasks);
                self.trigger(now, reserved, collection);
            }
            // Wanted by an attempt that is over: the id stays unused; a savepoint gets another.
            Job::Running { .. } | Job::Stopped => match reserved.kind {
                CheckpointKind::Periodic => {}
                CheckpointKind::Savepoint(request) => self.wanted.push_back(request),
            },
        }
        self.reserve_if_due(now);
    }

    /// Asks for the next id if a trigger is due, nothing else is being reserved, and there is room.
    pub(super) fn reserve_if_due(&mut self, now: VirtualTime) {
        let Job::Running { attempt, .. } = self.job else { return };
        if self.reserving.is_some() || self.is_stopping() {
            return;
        }
        if let Some(request) = self.wanted.pop_front() {
            return self.reserve_for_savepoint(attempt, request);
        }
        if self.pending_beside() >= self.settings.concurrent_max as usize {
            return; // The one due is made up for when this one has ended.
        }
        let due = if self.is_requested { Due::Now } else { self.schedule.due(now) };
        match due {
            Due::No => {}
            Due::From(at) => self.set_timer(at, CoordinatorTimer::Trigger),
            Due::Now => {
                if !core::mem::take(&mut self.is_requested) {
                    self.schedule.triggered();
                }
                self.reserve(attempt, CheckpointKind::Periodic);
            }
        }
    }

    /// How many are pending that the next checkpoint must leave room for. A savepoint is beside the others,
    /// but where barriers overtake: the next ones would overtake its barriers, and it would be given up.
    fn pending_beside(&self) -> usize {
        let is_apart = !self.settings.protocol.may_overtake();
        let pending = self.pending.values();
        pending.filter(|pending| pending.kind == CheckpointKind::Periodic || !is_apart).count()
    }

    pub(super) fn reserve(&mut self, attempt: Attempt, kind: CheckpointKind) {
        self.last_reserved = self.last_reserved.next();
        let checkpoint = self.last_reserved;
        self.reserving = Some(Reserving { checkpoint, attempt, kind });
        self.outputs.push_back(CoordinatorOutput::ReserveId(checkpoint));
    }

    pub(super) fn trigger(
        &mut self,
        now: VirtualTime,
        Reserving { checkpoint, attempt, kind }: Reserving,
        collection: Collection,
    ) {
        let tenth = if self.defects.has(Defect::ExpiresEarly) { 10 } else { 1 };
        let expires_at = now + Duration::from_millis(self.settings.timeout_ms) / tenth;
        let phase = PendingPhase::Collecting(collection);
        let pending = PendingCheckpoint { attempt, expires_at, kind, phase };
        let earlier = self.pending.insert(checkpoint, pending);
        assert!(earlier.is_none(), "{checkpoint} is triggered twice");
        assert!(
            checkpoint <= self.last_reserved,
            "{checkpoint} is triggered before it is reserved"
        );
        let passage = match kind {
            CheckpointKind::Savepoint(_) => Passage::InOrder,
            CheckpointKind::Periodic if self.keeps_in_order => Passage::InOrder,
            CheckpointKind::Periodic => self.settings.passage(now),
        };
        let barrier = Barrier { checkpoint, passage, savepoint: kind.savepoint() };
        self.outputs.push_back(CoordinatorOutput::Trigger { barrier, kind });
        self.set_timer(expires_at, CoordinatorTimer::Expire(checkpoint));
    }

    /// A wake-up before its time means that the clock was set back: it comes again, no later than a
    /// timeout from now.
    pub(super) fn expire(&mut self, now: VirtualTime, checkpoint: CheckpointId) {
        let latest = now + Duration::from_millis(self.settings.timeout_ms);
        let Some(pending) = self.pending.get_mut(&checkpoint) else { return };
        if pending.is_adding() {
            return;
        }
        if now >= pending.expires_at {
            return self.abort(now, checkpoint, AbortReason::Expired);
        }
        pending.expires_at = pending.expires_at.min(latest);
        let at = pending.expires_at;
        self.set_timer(at, CoordinatorTimer::Expire(checkpoint));
    }
}
