//! The checkpoint coordinator: triggers, collects acknowledgements, completes, aborts, expires, subsumes.
//!
//! After Flink's `CheckpointCoordinator`, `PendingCheckpoint` and `CheckpointFailureManager`; the order
//! of completion is that of `completePendingCheckpoint` and `cleanupAfterCompletedCheckpoint`.

mod completion;
mod failure;
mod savepoints;
mod triggering;

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::abort::{AbortReason, DeclineReason};
use crate::acknowledgement::Acknowledgement;
use crate::completed::{CompletedCheckpoint, SnapshotHandle};
use crate::completed_store::CompletedStore;
use crate::coordinator_output::{CoordinatorOutput, CoordinatorTimer};
use crate::defect::{Defect, DefectSet};
use crate::ids::{Attempt, CheckpointId, SubtaskId};
use crate::ordered::{VecMap, VecSet};
use crate::pending::{Collection, PendingCheckpoint, PendingPhase};
use crate::savepoint::{CheckpointKind, RequestNumber, SavepointRequest};
use crate::schedule::TriggerSchedule;
use crate::settings::CheckpointSettings;
use crate::time::VirtualTime;

/// What the coordinator knows of the running attempt.
#[derive(Clone, Debug)]
enum Job {
    /// No attempt runs.
    Stopped,
    /// All subtasks of `attempt` run; `failures` checkpoints have failed in a row.
    Running { attempt: Attempt, subtasks: Vec<SubtaskId>, failures: u32 },
}

/// An id on its way to be made durable.
#[derive(Clone, Copy, Debug)]
struct Reserving {
    checkpoint: CheckpointId,
    /// Who wants it.
    attempt: Attempt,
    /// Why it is taken.
    kind: CheckpointKind,
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
    /// The id being made durable; none other is asked for meanwhile.
    reserving: Option<Reserving>,
    /// Somebody waits for a checkpoint: the next one does not wait for its turn.
    is_requested: bool,
    /// Until the attempt ends, barriers keep their place whatever the protocol.
    keeps_in_order: bool,
    /// Never more than `concurrent_max` of one attempt beside savepoints, and at most one of all being added.
    pending: VecMap<CheckpointId, PendingCheckpoint>,
    store: CompletedStore,
    /// Savepoints that wait for an attempt to run, or for their turn.
    wanted: VecDeque<SavepointRequest>,
    /// Requests that were heard.
    heard: VecSet<RequestNumber>,
    /// All completed savepoints. They belong to whoever asked for them.
    savepoints: VecSet<CheckpointId>,
    /// The savepoint that the job was started from.
    origin: Option<CompletedCheckpoint>,
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
            keeps_in_order: false,
            pending: VecMap::new(),
            store,
            wanted: VecDeque::new(),
            heard: VecSet::new(),
            savepoints: VecSet::new(),
            origin: None,
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
        self.keeps_in_order = false;
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

    /// What is triggered from here on, until the attempt ends, leaves nothing in flight: its barriers overtake
    /// nothing.
    pub fn keep_barriers_in_order(&mut self) {
        self.keeps_in_order = true;
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
    pub fn handle_decline(
        &mut self,
        now: VirtualTime,
        attempt: Attempt,
        checkpoint: CheckpointId,
        reason: DeclineReason,
    ) {
        if self.is_current(attempt) && self.collection_of(checkpoint, attempt).is_some() {
            match reason {
                DeclineReason::SnapshotFailed => self.abort(now, checkpoint, AbortReason::Declined),
                DeclineReason::Superseded => self.pass_over(now, checkpoint),
            }
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
        let checkpoints = self.store.newest().into_iter();
        checkpoints.chain(&self.origin).max_by_key(|completed| completed.checkpoint)
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

    /// The snapshots of the checkpoint that is being added to the store, if one is.
    pub fn adding(&self) -> Option<Vec<SnapshotHandle>> {
        let adding = self.pending.values().find(|pending| pending.is_adding());
        adding.map(PendingCheckpoint::handles)
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
            || self.savepoints.contains(&acknowledgement.checkpoint)
            || self.pending.values().any(|pending| pending.refers_to(key));
        self.outputs.push_back(CoordinatorOutput::Ignored { acknowledgement, discard: !in_use });
    }
}

#[cfg(test)]
mod tests;
