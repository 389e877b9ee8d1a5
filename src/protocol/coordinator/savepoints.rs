//! Savepoints: asked for by somebody, beside the periodic checkpoints.
//!
//! After Flink's `CheckpointRequestDecider` (a savepoint is forced: it may exceed the number of pending
//! checkpoints) and `StopWithSavepoint`.

use super::CheckpointCoordinator;
use crate::completed::CompletedCheckpoint;
use crate::coordinator_output::{CoordinatorOutput, CoordinatorTimer};
use crate::defect::Defect;
use crate::ids::{Attempt, CheckpointId};
use crate::savepoint::{
    CheckpointKind, RequestNumber, SavepointMode, SavepointRequest, WANTED_MAX,
};
use crate::time::VirtualTime;
use alloc::format;

impl CheckpointCoordinator {
    /// The same coordinator of a job that was started from `origin`, has completed these savepoints, and
    /// was asked these requests before.
    #[must_use]
    pub fn with_savepoints(
        mut self,
        origin: Option<CompletedCheckpoint>,
        savepoints: impl IntoIterator<Item = CheckpointId>,
        heard: impl IntoIterator<Item = RequestNumber>,
    ) -> Self {
        self.origin = origin;
        self.savepoints.extend(savepoints);
        self.heard.extend(heard);
        self
    }

    /// Somebody asks for a savepoint: taken as soon as an attempt runs, once for each request.
    pub fn handle_request(&mut self, now: VirtualTime, request: SavepointRequest) {
        let SavepointRequest { number, .. } = request;
        if !self.heard.insert(number) {
            return;
        }
        if self.wanted.len() == WANTED_MAX {
            let reason = format!("{WANTED_MAX} requests wait already");
            self.outputs.push_back(CoordinatorOutput::Refused { request: number, reason });
            return;
        }
        self.wanted.push_back(request);
        self.reserve_if_due(now);
    }

    /// Whether a savepoint is pending that the job stops at: nothing else is triggered meanwhile.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.pending.values().any(|pending| pending.kind.is_terminal())
    }

    pub(super) fn reserve_for_savepoint(&mut self, attempt: Attempt, request: SavepointRequest) {
        if request.mode.is_terminal() {
            self.schedule.stop();
            if self.defects.has(Defect::FinalCheckpointSkipped) && !self.pending.is_empty() {
                return self.outputs.push_back(CoordinatorOutput::Stop(self.last_reserved));
            }
        }
        self.reserve(attempt, CheckpointKind::Savepoint(request));
    }

    /// The savepoint is there. One that the job survives has no side effects: what would be committed for
    /// it recovery would not find (FLINK-10354).
    pub(super) fn complete_savepoint(
        &mut self,
        now: VirtualTime,
        request: SavepointRequest,
        completed: CompletedCheckpoint,
    ) {
        let checkpoint = completed.checkpoint;
        self.savepoints.insert(checkpoint);
        let kind = CheckpointKind::Savepoint(request);
        self.outputs.push_back(CoordinatorOutput::Completed { checkpoint, kind, terminal: false });
        if kind.is_terminal() {
            return self.stop_job(now, checkpoint);
        }
        if self.defects.has(Defect::SavepointAnnounced) {
            self.outputs.push_back(CoordinatorOutput::NotifyComplete(checkpoint));
        }
        if self.defects.has(Defect::SavepointUsedInRecovery) {
            self.origin = Some(completed);
        }
    }

    /// From here on the job is over, whatever fails: there is no failover behind its last savepoint
    /// (FLINK-26783).
    fn stop_job(&mut self, now: VirtualTime, checkpoint: CheckpointId) {
        self.end_job(now);
        self.outputs.push_back(CoordinatorOutput::Stop(checkpoint));
    }

    /// A savepoint failed. Where the job was to stop at it the job goes on: sources read again, and
    /// checkpoints are triggered again (FLINK-15152). Input that was ended cannot be taken up again but
    /// by a restart.
    pub(super) fn fail_savepoint(
        &mut self,
        now: VirtualTime,
        attempt: Attempt,
        request: SavepointRequest,
    ) {
        if !self.is_current(attempt) {
            return;
        }
        match request.mode {
            SavepointMode::GoOn => {}
            SavepointMode::Stop if self.defects.has(Defect::FailedStopHaltsTriggers) => {}
            SavepointMode::Stop => {
                if let Some(at) = self.schedule.start(now) {
                    self.set_timer(at, CoordinatorTimer::Trigger);
                }
            }
            SavepointMode::Drain => self.outputs.push_back(CoordinatorOutput::FailAttempt),
        }
    }
}
