//! From an empty memory to leadership: the record, the term, the retained checkpoints.

use std::time::Duration;

use super::super::io::{CoordinatorWakeUp, Outbox, Timer};
use super::super::message::{JobRecord, Message, MetaOperation, ObjectOperation, ObjectResult};
use super::deployment::Deployment;
use super::ledger::{Answer, Change};
use super::{Coordinator, Purpose, State};
use crate::protocol::ordered::{VecMap, VecSet};
use crate::protocol::{CheckpointCoordinator, CheckpointId, Defect, ProcessId, VirtualTime};
use crate::trace::Event;

impl Coordinator {
    pub(super) fn read_record(&mut self, now: VirtualTime, outbox: &mut dyn Outbox) {
        let message = |request| Message::MetaStore { request, operation: MetaOperation::Read };
        self.requests.send(now, ProcessId::MetaStore, Purpose::Record, message, outbox);
    }

    /// Makes a change of the job's record durable.
    pub(super) fn change(&mut self, now: VirtualTime, change: Change, outbox: &mut dyn Outbox) {
        self.ledger.push(change);
        self.write_record(now, outbox);
    }

    fn write_record(&mut self, now: VirtualTime, outbox: &mut dyn Outbox) {
        if let Some((expected_version, record)) = self.ledger.next_write() {
            let operation = MetaOperation::Write { expected_version, record };
            let message = |request| Message::MetaStore { request, operation };
            self.requests.send(now, ProcessId::MetaStore, Purpose::Record, message, outbox);
        }
    }

    pub(super) fn handle_record(
        &mut self,
        now: VirtualTime,
        written: bool,
        version: u64,
        record: JobRecord,
        outbox: &mut dyn Outbox,
    ) {
        match self.ledger.handle_answer(self.incarnation, written, version, record) {
            Answer::Read => self.change(now, Change::TakeLeadership(self.incarnation), outbox),
            Answer::Durable(change) => self.handle_durable(now, change, outbox),
            Answer::Again => {}
            Answer::Deposed => self.state = State::Finished,
        }
        self.write_record(now, outbox);
    }

    fn handle_durable(&mut self, now: VirtualTime, change: Change, outbox: &mut dyn Outbox) {
        match change {
            Change::TakeLeadership(_) => self.load_checkpoints(now, outbox),
            Change::ReserveId(checkpoint) => {
                if let Some(checkpoints) = self.checkpoints() {
                    checkpoints.handle_reserved(now, checkpoint);
                }
            }
            Change::StartAttempt(attempt) => self.deploy(now, attempt, outbox),
            Change::Add { checkpoint, .. } => {
                if let Some(checkpoints) = self.checkpoints() {
                    checkpoints.handle_added(now, checkpoint);
                }
            }
            Change::Resume { .. } => self.resume(now, outbox),
            Change::Rescale(parallelism) => self.rescale(now, parallelism, outbox),
            Change::Finish => self.finish(),
        }
    }

    fn finish(&mut self) {
        self.farewell = Some(self.ledger.record().attempt);
        self.state = State::Finished;
    }

    /// The job has finished once all that was to be deleted is gone: nobody would look for it later.
    pub(super) fn say_farewell(&mut self, outbox: &mut dyn Outbox) {
        let cleans_up = |purpose: &Purpose| match purpose {
            Purpose::Delete | Purpose::List | Purpose::WriteMetadata(_) => true,
            Purpose::Record
            | Purpose::LoadMetadata(_)
            | Purpose::LoadSavepoint(..)
            | Purpose::Discover => false,
        };
        if self.farewell.is_some()
            && !self.requests.any(cleans_up)
            && let Some(attempt) = self.farewell.take()
        {
            outbox.event(Event::JobFinished { attempt });
        }
    }

    fn load_checkpoints(&mut self, now: VirtualTime, outbox: &mut dyn Outbox) {
        let record = self.ledger.record().clone();
        outbox.event(Event::LeadershipTaken { term: record.term });
        if record.finished {
            self.finish();
            return;
        }
        self.take_shape();
        if let Some(checkpoint) = record.savepoints.stopped {
            return self.find_stopped(checkpoint, outbox);
        }
        self.tell_resumed(outbox);
        self.load_retained(now, outbox);
    }

    pub(super) fn load_retained(&mut self, now: VirtualTime, outbox: &mut dyn Outbox) {
        let record = self.ledger.record();
        let mut wanted = record.retained.clone();
        wanted.extend(record.savepoints.origin);
        self.state = State::Loading { wanted: VecSet::new(), loaded: VecMap::new() };
        if self.defects.has(Defect::LatestFromListing) {
            return self.list(now, outbox);
        }
        self.load_all(now, wanted, outbox);
    }

    pub(super) fn load_all(
        &mut self,
        now: VirtualTime,
        checkpoints: Vec<CheckpointId>,
        outbox: &mut dyn Outbox,
    ) {
        if let State::Loading { wanted, .. } = &mut self.state {
            wanted.extend(&checkpoints);
        }
        for checkpoint in checkpoints {
            self.load(now, checkpoint, outbox);
        }
        self.lead_when_loaded(outbox);
    }

    fn load(&mut self, now: VirtualTime, checkpoint: CheckpointId, outbox: &mut dyn Outbox) {
        let operation = ObjectOperation::Get { key: self.metadata_key(checkpoint) };
        self.object(now, Purpose::LoadMetadata(checkpoint), operation, outbox);
    }

    /// A metadata object that cannot be read, or is not whole, is read again: going on without the newest
    /// would fall back behind what may have been committed. An older one that is gone is not needed.
    pub(super) fn is_loaded_by(&self, checkpoint: CheckpointId, result: &ObjectResult) -> bool {
        match result {
            ObjectResult::Read(bytes) => self.decode(checkpoint, bytes).is_some(),
            ObjectResult::Missing => self.ledger.record().retained.last() > Some(&checkpoint),
            ObjectResult::Done | ObjectResult::Listed(_) | ObjectResult::Failed => false,
        }
    }

    pub(super) fn handle_loaded(
        &mut self,
        checkpoint: CheckpointId,
        result: &ObjectResult,
        outbox: &mut dyn Outbox,
    ) {
        let decoded = match result {
            ObjectResult::Read(bytes) => self.decode(checkpoint, bytes),
            ObjectResult::Done
            | ObjectResult::Listed(_)
            | ObjectResult::Missing
            | ObjectResult::Failed => None,
        };
        let State::Loading { wanted, loaded } = &mut self.state else { return };
        wanted.remove(&checkpoint);
        if let Some((completed, enumerators)) = decoded {
            self.enumerators.remember(checkpoint, enumerators);
            loaded.insert(checkpoint, completed);
        }
        self.lead_when_loaded(outbox);
    }

    fn lead_when_loaded(&mut self, outbox: &mut dyn Outbox) {
        let State::Loading { wanted, loaded } = &mut self.state else { return };
        let record = self.ledger.record();
        if !wanted.is_empty() {
            return;
        }
        let mut loaded = std::mem::take(loaded);
        let savepoints = record.savepoints.clone();
        let origin = savepoints.origin.and_then(|origin| loaded.remove(&origin));
        let retained: Vec<_> = loaded.into_values().collect();
        let settings = self.settings.checkpoints.clone();
        let checkpoints =
            CheckpointCoordinator::new(settings, record.last_checkpoint, retained, self.defects);
        let checkpoints =
            checkpoints.with_savepoints(origin, savepoints.completed, savepoints.requests);
        self.inherited = record.last_checkpoint;
        let deployment = Deployment::Waiting { delayed: true };
        self.state = State::Leading { checkpoints: Box::new(checkpoints), deployment };
        let delay = Duration::from_millis(self.settings.restart_delay_ms);
        outbox.set_timer(delay, Timer::Coordinator(CoordinatorWakeUp::Restart));
    }

    pub(super) fn object(
        &mut self,
        now: VirtualTime,
        purpose: Purpose,
        operation: ObjectOperation,
        outbox: &mut dyn Outbox,
    ) {
        let message = |request| Message::ObjectStore { request, operation };
        self.requests.send(now, ProcessId::ObjectStore, purpose, message, outbox);
    }
}
