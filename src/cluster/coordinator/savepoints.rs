//! Savepoints and what else somebody may ask of a job: to be stopped at one, and to be resumed from it.

use super::super::io::Outbox;
use super::super::message::{Heartbeat, ObjectOperation, ObjectResult, Request, ToWorker};
use super::deployment::{Deployment, hosts};
use super::enumerator::Enumerators;
use super::ledger::Change;
use super::savepoint_file::SavepointFile;
use super::{Coordinator, Purpose, State, metadata};
use crate::protocol::ordered::VecSet;
use crate::protocol::{
    CheckpointId, CheckpointKind, CompletedCheckpoint, Defect, EnumeratorState, ObjectKey,
    ProcessId, RequestNumber, Resumption, SavepointRequest, VirtualTime,
};
use crate::trace::Event;

impl Coordinator {
    /// What was assigned before a completed checkpoint is settled. Recovery does not go back to a savepoint: what
    /// was assigned before its cut and since the last checkpoint would be handed back all the same
    /// (FLINK-20290), and its part of the enumerators lies in the savepoint.
    pub(super) fn settle_splits(&mut self, checkpoint: CheckpointId, kind: CheckpointKind) {
        let is_ours = kind == CheckpointKind::Periodic;
        if is_ours || self.defects.has(Defect::SavepointSettlesSplits) {
            self.enumerators.handle_completed(checkpoint);
        }
        if !is_ours {
            self.enumerators.forget(checkpoint);
        }
    }

    /// Somebody asks. What was carried out before is not done again.
    pub(super) fn handle_request(
        &mut self,
        now: VirtualTime,
        number: RequestNumber,
        request: Request,
        outbox: &mut dyn Outbox,
    ) {
        if self.ledger.record().savepoints.requests.contains(&number) {
            return;
        }
        if let Some(reason) = self.never_takes(request) {
            return refuse(reason, outbox);
        }
        match (&mut self.state, request) {
            (State::Leading { checkpoints, .. }, Request::Savepoint { mode }) => {
                checkpoints.handle_request(now, SavepointRequest { number, mode });
            }
            (state, Request::Resume | Request::ResumeAt { .. } | Request::ResumeAs { .. }) => {
                match (state, request.resumption()) {
                    (State::Stopped, Some(resumption)) => {
                        self.consider_resumption(now, number, resumption, outbox);
                    }
                    _ => refuse("the job is not stopped", outbox),
                }
            }
            (State::Stopped | State::Finished, Request::Savepoint { .. }) => {
                refuse("the job does not run", outbox);
            }
            (State::TakingLeadership | State::Loading { .. }, Request::Savepoint { .. }) => {
                refuse("the coordinator does not lead the job yet", outbox);
            }
        }
    }

    /// The job is stopped, and somebody wants it to go on.
    fn consider_resumption(
        &mut self,
        now: VirtualTime,
        number: RequestNumber,
        resumption: Resumption,
        outbox: &mut dyn Outbox,
    ) {
        if self.ledger.record().savepoints.is_drained {
            return refuse("the job was drained: its input has ended for good", outbox);
        }
        match self.judge_resumption(resumption) {
            Ok(()) => self.read_savepoint(now, number, resumption, outbox),
            Err(reason) => refuse(&reason, outbox),
        }
    }

    /// Whether the job can be resumed so. Nothing is in flight in a savepoint, but on loops.
    fn judge_resumption(&self, resumption: Resumption) -> Result<(), String> {
        if resumption == Resumption::default() {
            return Ok(());
        }
        if self.settings.checkpoints.protocol.traits().has_loops {
            return Err("what is on its way round a loop stays with its subtasks".to_owned());
        }
        let before = self.ledger.record().revision;
        let revision = resumption.of(before);
        let job = self.declared.in_revision(revision).map_err(|error| error.to_string())?;
        if revision.version != before.version {
            job.check_succeeds(&self.job).map_err(|error| error.to_string())?;
        }
        self.judge_slots(&job)
    }

    /// Why a job with these barriers never does what is asked.
    fn never_takes(&self, request: Request) -> Option<&'static str> {
        let Request::Savepoint { mode } = request else { return None };
        self.settings.checkpoints.protocol.refuses_savepoint(mode)
    }

    /// The savepoint that the job stops at is there: all are told to commit and finish, again and again.
    pub(super) fn begin_stop(&mut self, checkpoint: CheckpointId, outbox: &mut dyn Outbox) {
        let State::Leading { deployment, .. } = &mut self.state else { return };
        let Deployment::Running { deploy, .. } = deployment else {
            return self.stopped(checkpoint, false, outbox);
        };
        let (deploy, finished) = (std::sync::Arc::clone(deploy), VecSet::new());
        *deployment = Deployment::Stopping { deploy, checkpoint, finished };
        self.repeat_deployment(outbox);
    }

    pub(super) fn handle_finished(
        &mut self,
        from: ProcessId,
        sign: Heartbeat,
        outbox: &mut dyn Outbox,
    ) {
        let ProcessId::Worker(worker) = from else { return };
        let Some(Deployment::Stopping { deploy, checkpoint, finished }) = self.deployment() else {
            return;
        };
        if sign.attempt == Some(deploy.attempt) {
            finished.insert(worker);
            if finished.is_superset(&hosts(deploy)) {
                let checkpoint = *checkpoint;
                self.stopped(checkpoint, true, outbox);
            }
        }
    }

    /// The job is stopped. Where somebody failed on the way it is all the same: its savepoint is whole,
    /// and what was not committed is committed by who resumes from it (FLINK-26783).
    pub(super) fn stopped(
        &mut self,
        checkpoint: CheckpointId,
        clean: bool,
        outbox: &mut dyn Outbox,
    ) {
        let (attempt, term) = (self.ledger.record().attempt, self.ledger.record().term);
        outbox.event(Event::JobStopped { attempt, term, checkpoint, clean });
        self.tell_hosts(&ToWorker::Cancel { attempt }, outbox);
        // Who resumes takes them from the savepoint, as a coordinator would that knows nothing else.
        self.enumerators = Enumerators::default();
        self.state = State::Stopped;
    }

    /// A predecessor has stopped the job, or was about to.
    pub(super) fn find_stopped(&mut self, checkpoint: CheckpointId, outbox: &mut dyn Outbox) {
        let (attempt, term) = (self.ledger.record().attempt, self.ledger.record().term);
        outbox.event(Event::JobStopped { attempt, term, checkpoint, clean: false });
        self.state = State::Stopped;
    }

    fn read_savepoint(
        &mut self,
        now: VirtualTime,
        number: RequestNumber,
        resumption: Resumption,
        outbox: &mut dyn Outbox,
    ) {
        let Some(checkpoint) = self.ledger.record().savepoints.stopped else { return };
        let operation = ObjectOperation::Get { key: ObjectKey::Savepoint { checkpoint } };
        self.object(now, Purpose::LoadSavepoint(number, resumption), operation, outbox);
    }

    /// What cannot be read, or is not whole, is read again.
    pub(super) fn is_savepoint_read(&self, result: &ObjectResult) -> bool {
        match result {
            ObjectResult::Read(bytes) => SavepointFile::decode(bytes, self.defects).is_some(),
            ObjectResult::Missing => true,
            ObjectResult::Done | ObjectResult::Listed(_) | ObjectResult::Failed => false,
        }
    }

    /// Only what fits the job is taken; the savepoint is untouched whatever comes of it.
    pub(super) fn handle_savepoint_read(
        &mut self,
        now: VirtualTime,
        number: RequestNumber,
        resumption: Resumption,
        result: &ObjectResult,
        outbox: &mut dyn Outbox,
    ) {
        if !matches!(self.state, State::Stopped) {
            return;
        }
        let ObjectResult::Read(bytes) = result else {
            return refuse("the savepoint is gone", outbox);
        };
        let Some(file) = SavepointFile::decode(bytes, self.defects) else { return };
        match file.check(&self.job_of(&file.completed)) {
            Ok(()) => self.change(now, Change::Resume { number, resumption }, outbox),
            Err(reason) => refuse(&reason, outbox),
        }
    }

    /// The job starts again: from its savepoint until a checkpoint of its own completes. A request that
    /// came twice, and was written twice, starts it once.
    pub(super) fn resume(&mut self, now: VirtualTime, outbox: &mut dyn Outbox) {
        if matches!(self.state, State::Stopped) {
            self.take_shape();
            self.tell_resumed(outbox);
            self.load_retained(now, outbox);
        }
    }

    /// Says what recovery would start from, if that is the savepoint: whoever made that durable may have
    /// died before it could say so.
    pub(super) fn tell_resumed(&self, outbox: &mut dyn Outbox) {
        let record = self.ledger.record();
        let origin =
            record.savepoints.origin.filter(|origin| record.retained.last() < Some(origin));
        if let Some(checkpoint) = origin {
            outbox.event(Event::JobResumed { checkpoint });
        }
    }

    pub(super) fn is_origin(&self, checkpoint: CheckpointId) -> bool {
        self.ledger.record().savepoints.origin == Some(checkpoint)
    }

    /// Whether it belongs to whoever asked for it.
    pub(super) fn is_savepoint(&self, checkpoint: CheckpointId) -> bool {
        self.ledger.record().savepoints.completed.contains(&checkpoint)
            && !self.defects.has(Defect::SavepointTakenForLeftover)
    }

    pub(super) fn metadata_key(&self, checkpoint: CheckpointId) -> ObjectKey {
        if self.is_origin(checkpoint) {
            ObjectKey::Savepoint { checkpoint }
        } else {
            ObjectKey::Metadata { checkpoint }
        }
    }

    pub(super) fn decode(
        &self,
        checkpoint: CheckpointId,
        bytes: &[u8],
    ) -> Option<(CompletedCheckpoint, Vec<EnumeratorState>)> {
        if self.is_origin(checkpoint) {
            let file = SavepointFile::decode(bytes, self.defects)?;
            let part = file.part_of(&self.job);
            return Some((file.completed, part));
        }
        metadata::decode(bytes, self.defects)
    }
}

fn refuse(reason: &str, outbox: &mut dyn Outbox) {
    outbox.event(Event::RequestRefused { reason: reason.to_owned() });
}
