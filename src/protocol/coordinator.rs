//! The checkpoint coordinator: triggers, collects acknowledgements, completes, aborts, expires, subsumes.
//!
//! After Flink's `CheckpointCoordinator`, `PendingCheckpoint` and `CheckpointFailureManager`; the order
//! of completion is that of `completePendingCheckpoint` and `cleanupAfterCompletedCheckpoint`.

mod failures;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::abort::AbortReason;
use super::acknowledgement::Acknowledgement;
use super::barrier::Barrier;
use super::completed::{CompletedCheckpoint, SnapshotHandle};
use super::completed_store::CompletedStore;
use super::coordinator_output::{CoordinatorOutput, CoordinatorTimer};
use super::defect::{Defect, DefectSet};
use super::ids::{Attempt, CheckpointId, SubtaskId};
use super::pending::{Collection, PendingCheckpoint, PendingPhase};
use super::schedule::{Due, TriggerSchedule};
use super::settings::CheckpointSettings;
use super::time::VirtualTime;

/// What the coordinator knows of the running attempt.
#[derive(Clone, Debug)]
enum Job {
    /// No attempt runs.
    Stopped,
    /// All subtasks of `attempt` run; `failures` checkpoints have failed in a row.
    Running { attempt: Attempt, subtasks: Vec<SubtaskId>, failures: u32 },
}

/// Triggers checkpoints and decides, for each, whether it completes.
#[derive(Clone, Debug)]
pub struct CheckpointCoordinator {
    settings: CheckpointSettings,
    defects: DefectSet,
    job: Job,
    schedule: TriggerSchedule,
    /// The newest id that was ever asked for. Never decreases: ids are never reused.
    last_reserved: CheckpointId,
    /// The id being made durable, and the attempt that wants it; none other is asked for meanwhile.
    reserving: Option<(CheckpointId, Attempt)>,
    /// Somebody waits for a checkpoint: the next one does not wait for its turn.
    is_requested: bool,
    /// Never more than `concurrent_max` of one attempt, and at most one of all being added.
    pending: BTreeMap<CheckpointId, PendingCheckpoint>,
    store: CompletedStore,
    outputs: VecDeque<CoordinatorOutput>,
}

impl CheckpointCoordinator {
    /// A coordinator that knows the retained checkpoints (oldest first) and the last id ever reserved.
    ///
    /// # Panics
    ///
    /// When `settings` allow no pending or no retained checkpoint, or `retained` is out of order.
    #[must_use]
    pub fn new(
        settings: CheckpointSettings,
        last_reserved: CheckpointId,
        retained: Vec<CompletedCheckpoint>,
        defects: DefectSet,
    ) -> Self {
        assert!(settings.concurrent_max > 0, "without a pending checkpoint none completes");
        let schedule = TriggerSchedule::new(settings.interval_ms, settings.pause_min_ms, defects);
        let store = CompletedStore::new(settings.retained, retained);
        Self {
            settings,
            defects,
            job: Job::Stopped,
            schedule,
            last_reserved,
            reserving: None,
            is_requested: false,
            pending: BTreeMap::new(),
            store,
            outputs: VecDeque::new(),
        }
    }

    /// All subtasks of `attempt` run: periodic triggering begins, one interval from now.
    ///
    /// # Panics
    ///
    /// When the attempt before was not stopped, or there are no subtasks.
    pub fn start_attempt(&mut self, now: VirtualTime, attempt: Attempt, subtasks: Vec<SubtaskId>) {
        assert!(!subtasks.is_empty(), "a job has subtasks");
        assert!(matches!(self.job, Job::Stopped), "one attempt at a time");
        if self.defects.has(Defect::CheckpointIdReused) {
            self.last_reserved =
                self.store.newest().map(|newest| newest.checkpoint).unwrap_or_default();
        }
        self.job = Job::Running { attempt, subtasks, failures: 0 };
        if let Some(at) = self.schedule.start(now) {
            self.set_timer(at, CoordinatorTimer::Trigger);
        }
    }

    /// The attempt is over: what is pending is aborted, nothing is triggered, and what still arrives
    /// from it is ignored. A checkpoint whose addition to the store is under way is not aborted: its
    /// outcome decides.
    pub fn stop_attempt(&mut self, now: VirtualTime) {
        self.job = Job::Stopped;
        self.is_requested = false;
        self.schedule.stop();
        if self.defects.has(Defect::StaleAcknowledgementCounted) {
            return; // What is pending goes on collecting from the dead attempt.
        }
        for checkpoint in self.abortable(|_| true) {
            self.abort(now, checkpoint, AbortReason::AttemptFailed);
        }
        debug_assert!(self.pending.len() <= 1, "only what is being added outlives its attempt");
    }

    /// Somebody wants a checkpoint that is triggered after this: as soon as there is room.
    pub fn request(&mut self, now: VirtualTime) {
        self.is_requested = true;
        self.reserve_if_due(now);
    }

    /// A timer that was asked for.
    pub fn handle_timer(&mut self, now: VirtualTime, timer: CoordinatorTimer) {
        match timer {
            CoordinatorTimer::Trigger => {
                if let Some(at) = self.schedule.handle_timer(now) {
                    self.set_timer(at, CoordinatorTimer::Trigger);
                }
            }
            CoordinatorTimer::Expire(checkpoint) => self.expire(now, checkpoint),
        }
        self.reserve_if_due(now);
    }

    /// The id is durable.
    pub fn handle_reserved(&mut self, now: VirtualTime, checkpoint: CheckpointId) {
        let Some((_, wanted_by)) = self.reserving.take_if(|(id, _)| *id == checkpoint) else {
            return;
        };
        match &self.job {
            Job::Running { attempt, subtasks, .. } if *attempt == wanted_by => {
                let collection = Collection::new(subtasks);
                self.trigger(now, checkpoint, wanted_by, collection);
            }
            // Wanted by an attempt that is over: the id stays unused.
            Job::Running { .. } | Job::Stopped => {}
        }
        self.reserve_if_due(now);
    }

    /// A subtask acknowledges.
    pub fn handle_acknowledge(&mut self, _now: VirtualTime, acknowledgement: Acknowledgement) {
        let checkpoint = acknowledgement.checkpoint;
        let attributed = self.is_current(acknowledgement.attempt)
            || self.defects.has(Defect::StaleAcknowledgementCounted);
        let counted = attributed
            && self
                .collection_of(checkpoint, acknowledgement.attempt)
                .is_some_and(|(collection, defects)| collection.count(&acknowledgement, defects));
        if !counted {
            return self.ignore(acknowledgement);
        }
        self.outputs.push_back(CoordinatorOutput::Counted(acknowledgement));
        self.write_metadata_if_complete(checkpoint);
    }

    /// A subtask declines.
    pub fn handle_decline(&mut self, now: VirtualTime, attempt: Attempt, checkpoint: CheckpointId) {
        if self.is_current(attempt) && self.collection_of(checkpoint, attempt).is_some() {
            self.abort(now, checkpoint, AbortReason::Declined);
        }
        self.reserve_if_due(now);
    }

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
        if let Some((attempt, completed)) = self.take_adding(checkpoint) {
            self.complete(now, attempt, completed);
            self.add_next();
        }
        self.reserve_if_due(now);
    }

    /// The checkpoint is *certainly* not in the store, and never will be: the addition was refused.
    /// After a mere timeout this must not be called.
    pub fn handle_add_failed(&mut self, now: VirtualTime, checkpoint: CheckpointId) {
        if let Some((attempt, completed)) = self.take_adding(checkpoint) {
            self.give_up(
                now,
                checkpoint,
                attempt,
                completed.snapshots,
                AbortReason::FinalizationFailed,
            );
            self.add_next();
        }
        self.reserve_if_due(now);
    }

    /// What to do next, if anything.
    pub fn poll_output(&mut self) -> Option<CoordinatorOutput> {
        self.outputs.pop_front()
    }

    /// What recovery would use: the newest completed checkpoint.
    #[must_use]
    pub fn latest(&self) -> Option<&CompletedCheckpoint> {
        if self.defects.has(Defect::OlderCheckpointRestored) {
            return self.store.oldest();
        }
        self.store.newest()
    }

    /// The newest id that was ever asked for.
    #[must_use]
    pub fn last_reserved(&self) -> CheckpointId {
        self.last_reserved
    }

    /// Whether a checkpoint is under way.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.reserving.is_some() || !self.pending.is_empty()
    }

    /// Whether this checkpoint is completed and kept.
    #[must_use]
    pub fn is_retained(&self, checkpoint: CheckpointId) -> bool {
        self.store.holds(checkpoint)
    }

    /// Whether this checkpoint may still complete.
    #[must_use]
    pub fn is_pending(&self, checkpoint: CheckpointId) -> bool {
        self.pending.contains_key(&checkpoint)
    }

    /// Whether the metadata of this checkpoint is being written, and is still wanted.
    #[must_use]
    pub fn awaits_metadata(&self, checkpoint: CheckpointId) -> bool {
        self.pending.get(&checkpoint).is_some_and(PendingCheckpoint::is_writing)
    }

    /// Whether an addition to the store is under way: recovery must wait for its outcome.
    #[must_use]
    pub fn is_adding(&self) -> bool {
        self.pending.values().any(PendingCheckpoint::is_adding)
    }

    fn set_timer(&mut self, at: VirtualTime, timer: CoordinatorTimer) {
        self.outputs.push_back(CoordinatorOutput::SetTimer { at, timer });
    }

    fn is_current(&self, attempt: Attempt) -> bool {
        match &self.job {
            Job::Running { attempt: current, .. } => *current == attempt,
            Job::Stopped => false,
        }
    }

    /// Asks for the next id if a trigger is due, nothing else is being reserved, and there is room.
    fn reserve_if_due(&mut self, now: VirtualTime) {
        let Job::Running { attempt, .. } = self.job else { return };
        if self.reserving.is_some() || self.pending.len() >= self.settings.concurrent_max as usize {
            return; // The one due is made up for when this one has ended.
        }
        let due = if self.is_requested { Due::Now } else { self.schedule.due(now) };
        match due {
            Due::No => {}
            Due::From(at) => self.set_timer(at, CoordinatorTimer::Trigger),
            Due::Now => {
                if !std::mem::take(&mut self.is_requested) {
                    self.schedule.triggered();
                }
                self.last_reserved = self.last_reserved.next();
                self.reserving = Some((self.last_reserved, attempt));
                self.outputs.push_back(CoordinatorOutput::ReserveId(self.last_reserved));
            }
        }
    }

    fn trigger(
        &mut self,
        now: VirtualTime,
        checkpoint: CheckpointId,
        attempt: Attempt,
        collection: Collection,
    ) {
        let expires_at = now + Duration::from_millis(self.settings.timeout_ms);
        let phase = PendingPhase::Collecting(collection);
        let earlier =
            self.pending.insert(checkpoint, PendingCheckpoint { attempt, expires_at, phase });
        assert!(earlier.is_none(), "{checkpoint} is triggered twice");
        assert!(
            checkpoint <= self.last_reserved,
            "{checkpoint} is triggered before it is reserved"
        );
        let passage = self.settings.passage(now);
        self.outputs.push_back(CoordinatorOutput::Trigger(Barrier { checkpoint, passage }));
        self.set_timer(expires_at, CoordinatorTimer::Expire(checkpoint));
    }

    /// A wake-up before its time means that the clock was set back: it comes again, no later than a
    /// timeout from now.
    fn expire(&mut self, now: VirtualTime, checkpoint: CheckpointId) {
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

    /// The acknowledgements of `checkpoint`, if it still collects them from `attempt`.
    fn collection_of(
        &mut self,
        checkpoint: CheckpointId,
        attempt: Attempt,
    ) -> Option<(&mut Collection, DefectSet)> {
        let pending = self.pending.get_mut(&checkpoint)?;
        match &mut pending.phase {
            PendingPhase::Collecting(collection) if pending.attempt == attempt => {
                Some((collection, self.defects))
            }
            PendingPhase::Collecting(_)
            | PendingPhase::WritingMetadata(_)
            | PendingPhase::AwaitingStore(_)
            | PendingPhase::Adding(_) => None,
        }
    }

    /// An acknowledgement that does not count leaves a snapshot behind, unless it is one in use.
    fn ignore(&mut self, acknowledgement: Acknowledgement) {
        let key = acknowledgement.handle.key;
        let in_use = self.store.refers_to(key)
            || self.pending.values().any(|pending| pending.refers_to(key));
        self.outputs.push_back(CoordinatorOutput::Ignored { acknowledgement, discard: !in_use });
    }

    fn write_metadata_if_complete(&mut self, checkpoint: CheckpointId) {
        let Some(pending) = self.pending.get_mut(&checkpoint) else { return };
        let PendingPhase::Collecting(collection) = &pending.phase else { return };
        if collection.is_complete(self.defects) {
            let completed = collection.assemble(checkpoint, pending.attempt);
            pending.phase = PendingPhase::WritingMetadata(completed.clone());
            self.outputs.push_back(CoordinatorOutput::WriteMetadata(completed));
        }
    }

    /// Starts the addition of the oldest checkpoint that awaits it, one at a time: so that those in
    /// the store only get newer.
    fn add_next(&mut self) {
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
        if let Some(pending) = self.pending.get_mut(&checkpoint) {
            pending.phase = PendingPhase::Adding(completed.clone());
        }
        if self.defects.has(Defect::NotifyBeforeStore) {
            self.outputs.push_back(CoordinatorOutput::NotifyComplete(checkpoint));
        }
        let retained = self.store.retained_with(checkpoint);
        self.outputs.push_back(CoordinatorOutput::AddToStore { completed, retained });
    }

    /// Takes `checkpoint` out of the pending ones if its addition to the store is under way.
    fn take_adding(&mut self, checkpoint: CheckpointId) -> Option<(Attempt, CompletedCheckpoint)> {
        if !self.pending.get(&checkpoint)?.is_adding() {
            return None;
        }
        let pending = self.pending.remove(&checkpoint)?;
        match pending.phase {
            PendingPhase::Adding(completed) => Some((pending.attempt, completed)),
            PendingPhase::Collecting(_)
            | PendingPhase::WritingMetadata(_)
            | PendingPhase::AwaitingStore(_) => unreachable!("it is being added"),
        }
    }

    /// The checkpoint is in the store. Only now its side effects may follow, notification last: what
    /// was announced must be what recovery finds.
    fn complete(&mut self, now: VirtualTime, attempt: Attempt, completed: CompletedCheckpoint) {
        let CompletedCheckpoint { checkpoint, terminal, .. } = completed;
        let quiet = CoordinatorOutput::loops_quiet(completed.quiet.clone());
        let evicted = self.store.add(completed);
        self.outputs.push_back(CoordinatorOutput::Completed { checkpoint, terminal });
        self.outputs.extend(evicted.into_iter().map(CoordinatorOutput::Discard));
        self.schedule.handle_ended(now);
        for older in self.abortable(|other| other < checkpoint) {
            self.abort(now, older, AbortReason::Subsumed);
        }
        if let Job::Running { failures, .. } = &mut self.job {
            *failures = 0;
        }
        // After its attempt is over nobody is left to tell; a restore implies completion.
        if self.is_current(attempt) && !self.defects.has(Defect::NotifyBeforeStore) {
            self.outputs.push_back(CoordinatorOutput::NotifyComplete(checkpoint));
        }
        self.outputs.extend(quiet.filter(|_| self.is_current(attempt)));
        debug_assert!(
            self.pending.keys().all(|other| *other > checkpoint),
            "no checkpoint older than {checkpoint} may complete after it"
        );
    }

    /// The pending checkpoints chosen, but the one being added.
    fn abortable(&self, chosen: impl Fn(CheckpointId) -> bool) -> Vec<CheckpointId> {
        let abortable = self.pending.iter().filter(|(_, pending)| !pending.is_adding());
        abortable.map(|(checkpoint, _)| *checkpoint).filter(|id| chosen(*id)).collect()
    }

    fn abort(&mut self, now: VirtualTime, checkpoint: CheckpointId, reason: AbortReason) {
        let Some(pending) = self.pending.remove(&checkpoint) else {
            unreachable!("{checkpoint} is aborted but not pending");
        };
        assert!(!pending.is_adding(), "{checkpoint} is aborted while its outcome is not known");
        let handles = pending.handles();
        self.give_up(now, checkpoint, pending.attempt, handles, reason);
    }

    /// The checkpoint will never complete: everybody forgets it, and its snapshots go.
    fn give_up(
        &mut self,
        now: VirtualTime,
        checkpoint: CheckpointId,
        attempt: Attempt,
        snapshots: Vec<SnapshotHandle>,
        reason: AbortReason,
    ) {
        self.outputs.push_back(CoordinatorOutput::Aborted { checkpoint, reason });
        if self.is_current(attempt) {
            self.outputs.push_back(CoordinatorOutput::NotifyAborted(checkpoint));
        }
        if !snapshots.is_empty() {
            self.outputs.push_back(CoordinatorOutput::DeleteSnapshots(snapshots));
        }
        self.schedule.handle_ended(now);
        self.count_failure(attempt, reason);
    }
}

#[cfg(test)]
mod tests;
