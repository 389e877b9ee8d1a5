//! How a checkpoint completes: metadata, store, side effects, in the order of Flink's
//! `completePendingCheckpoint` and `cleanupAfterCompletedCheckpoint`.

use super::{CheckpointCoordinator, Job};
use crate::abort::AbortReason;
use crate::completed::CompletedCheckpoint;
use crate::coordinator_output::{Addition, CoordinatorOutput};
use crate::defect::Defect;
use crate::ids::{Attempt, CheckpointId};
use crate::pending::{PendingCheckpoint, PendingPhase};
use crate::savepoint::CheckpointKind;
use crate::time::VirtualTime;

impl CheckpointCoordinator {
    /// The metadata object is durable.
    pub fn handle_metadata_durable(&mut self, _now: VirtualTime, checkpoint: CheckpointId) {
        let Some(pending) = self.pending.get_mut(&checkpoint) else { return };
        match &pending.phase {
            PendingPhase::WritingMetadata(completed) => {
                pending.phase = PendingPhase::AwaitingStore(completed.clone());
                self.add_next();
            }
            PendingPhase::Collecting(_)
            | PendingPhase::AwaitingStore(_)
            | PendingPhase::Adding(_) => {}
        }
    }

    /// The metadata object could not be written.
    pub fn handle_metadata_failed(&mut self, now: VirtualTime, checkpoint: CheckpointId) {
        let Some(pending) = self.pending.get(&checkpoint) else { return };
        match pending.phase {
            PendingPhase::WritingMetadata(_) => {
                self.abort(now, checkpoint, AbortReason::FinalizationFailed);
            }
            PendingPhase::Collecting(_)
            | PendingPhase::AwaitingStore(_)
            | PendingPhase::Adding(_) => {}
        }
        self.reserve_if_due(now);
    }

    /// The checkpoint is in the store.
    pub fn handle_added(&mut self, now: VirtualTime, checkpoint: CheckpointId) {
        if let Some((pending, completed)) = self.take_adding(checkpoint) {
            match pending.kind {
                CheckpointKind::Savepoint(request) => {
                    self.complete_savepoint(now, request, completed);
                }
                CheckpointKind::Periodic => self.complete(now, pending.attempt, completed),
            }
            self.add_next();
        }
        self.reserve_if_due(now);
    }

    /// The checkpoint is *certainly* not in the store, and never will be: the addition was refused.
    /// After a mere timeout this must not be called.
    pub fn handle_add_failed(&mut self, now: VirtualTime, checkpoint: CheckpointId) {
        if let Some((pending, _)) = self.take_adding(checkpoint) {
            self.give_up(now, checkpoint, &pending, AbortReason::FinalizationFailed);
            self.add_next();
        }
        self.reserve_if_due(now);
    }

    pub(super) fn write_metadata_if_complete(&mut self, checkpoint: CheckpointId) {
        let Some(pending) = self.pending.get_mut(&checkpoint) else { return };
        let PendingPhase::Collecting(collection) = &pending.phase else { return };
        if collection.is_complete(self.defects) {
            let completed = collection.assemble(checkpoint, pending.attempt);
            if self.defects.has(Defect::StoppedBeforeMetadata) && pending.kind.is_terminal() {
                pending.phase = PendingPhase::AwaitingStore(completed);
                return self.add_next();
            }
            pending.phase = PendingPhase::WritingMetadata(completed.clone());
            let kind = pending.kind;
            self.outputs.push_back(CoordinatorOutput::WriteMetadata { completed, kind });
        }
    }

    /// Starts the addition of the oldest checkpoint that awaits it, one at a time: so that those in
    /// the store only get newer.
    pub(super) fn add_next(&mut self) {
        if self.is_adding() {
            return;
        }
        let awaiting = |(id, pending): (&CheckpointId, &PendingCheckpoint)| match &pending.phase {
            PendingPhase::AwaitingStore(completed) => Some((*id, completed.clone())),
            PendingPhase::Collecting(_)
            | PendingPhase::WritingMetadata(_)
            | PendingPhase::Adding(_) => None,
        };
        let Some((checkpoint, completed)) = self.pending.iter().find_map(awaiting) else { return };
        let Some(pending) = self.pending.get_mut(&checkpoint) else { return };
        pending.phase = PendingPhase::Adding(completed);
        let addition = match pending.kind {
            CheckpointKind::Savepoint(request) => Addition::Savepoint(request),
            CheckpointKind::Periodic => Addition::Retain(self.store.retained_with(checkpoint)),
        };
        let is_hasty = self.defects.has(Defect::NotifyBeforeStore);
        if is_hasty && pending.kind == CheckpointKind::Periodic {
            self.outputs.push_back(CoordinatorOutput::NotifyComplete(checkpoint));
        }
        self.outputs.push_back(CoordinatorOutput::Add { checkpoint, addition });
    }

    /// Takes `checkpoint` out of the pending ones if its addition to the store is under way.
    pub(super) fn take_adding(
        &mut self,
        checkpoint: CheckpointId,
    ) -> Option<(PendingCheckpoint, CompletedCheckpoint)> {
        if !self.pending.get(&checkpoint)?.is_adding() {
            return None;
        }
        let pending = self.pending.remove(&checkpoint)?;
        let completed = match &pending.phase {
            PendingPhase::Adding(completed) => completed.clone(),
            PendingPhase::Collecting(_)
            | PendingPhase::WritingMetadata(_)
            | PendingPhase::AwaitingStore(_) => unreachable!("it is being added"),
        };
        Some((pending, completed))
    }

    /// The checkpoint is in the store. Only now its side effects may follow, notification last: what
    /// was announced must be what recovery finds.
    pub(super) fn complete(
        &mut self,
        now: VirtualTime,
        attempt: Attempt,
        completed: CompletedCheckpoint,
    ) {
        let CompletedCheckpoint { checkpoint, terminal, .. } = completed;
        let quiet = completed.quiet.clone();
        let evicted = self.store.add(completed);
        let kind = CheckpointKind::Periodic;
        self.outputs.push_back(CoordinatorOutput::Completed { checkpoint, kind, terminal });
        self.outputs.extend(evicted.into_iter().map(CoordinatorOutput::Discard));
        self.schedule.handle_ended(now);
        for older in self.subsumed_by(checkpoint) {
            self.abort(now, older, AbortReason::Subsumed);
        }
        if let Job::Running { failures, .. } = &mut self.job {
            *failures = 0;
        }
        // After its attempt is over nobody is left to tell; a restore implies completion.
        if self.is_current(attempt) && !self.defects.has(Defect::NotifyBeforeStore) {
            self.outputs.push_back(CoordinatorOutput::NotifyComplete(checkpoint));
        }
        if self.is_current(attempt) && !quiet.is_empty() {
            self.outputs.push_back(CoordinatorOutput::LoopsQuiet(quiet));
        }
        // What is taken behind the last one would be added to a record that nobody leads any more.
        if terminal {
            self.end_job(now);
        }
        debug_assert!(
            self.subsumed_by(checkpoint).is_empty(),
            "no checkpoint older than {checkpoint} may complete after it"
        );
    }
}
