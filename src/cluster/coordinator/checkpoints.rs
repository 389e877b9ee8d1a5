//! Carries out what the checkpoint coordinator wants, in order.

use super::super::io::{CoordinatorWakeUp, Outbox, Timer};
use super::super::message::{Message, ObjectOperation, ObjectResult, RequestId, ToWorker};
use super::enumerator::Cut;
use super::ledger::Change;
use super::leftovers::checkpoint_of;
use super::savepoint_file::SavepointFile;
use super::{Coordinator, Purpose, State, metadata};
use crate::protocol::{
    Acknowledgement, Addition, Attempt, CheckpointId, CheckpointKind, CompletedCheckpoint,
    CoordinatorOutput, Defect, ObjectKey, ProcessId, SnapshotHandle, SubtaskId, VirtualTime,
};
use crate::trace::Event;

impl Coordinator {
    pub(super) fn carry_out_checkpoints(&mut self, now: VirtualTime, outbox: &mut dyn Outbox) {
        while let Some(output) =
            self.checkpoints().and_then(|checkpoints| checkpoints.poll_output())
        {
            self.carry_out(now, output, outbox);
        }
        self.start_when_possible(now, outbox);
    }

    fn carry_out(&mut self, now: VirtualTime, output: CoordinatorOutput, outbox: &mut dyn Outbox) {
        let attempt = self.ledger.record().attempt;
        match output {
            CoordinatorOutput::SetTimer { at, timer } => {
                outbox
                    .set_timer(at - now, Timer::Coordinator(CoordinatorWakeUp::Checkpoint(timer)));
            }
            CoordinatorOutput::ReserveId(checkpoint) => {
                self.change(now, Change::ReserveId(checkpoint), outbox);
            }
            CoordinatorOutput::Trigger { barrier, kind } => {
                outbox.event(triggered(attempt, barrier.checkpoint, kind));
                self.begin_cut(Cut { barrier, kind }, outbox);
            }
            CoordinatorOutput::Counted(acknowledgement) => {
                outbox.event(counted(&acknowledgement));
                self.reopen_gateway(&acknowledgement, outbox);
            }
            CoordinatorOutput::Ignored { acknowledgement, discard } => {
                outbox.event(ignored(&acknowledgement));
                if discard {
                    self.delete(now, acknowledgement.handle.key, outbox);
                }
            }
            CoordinatorOutput::WriteMetadata { completed, kind } => {
                self.write_metadata(now, completed, kind, outbox);
            }
            CoordinatorOutput::Add { checkpoint, addition } => {
                self.add(now, checkpoint, addition, outbox);
            }
            CoordinatorOutput::Completed { checkpoint, kind, terminal } => {
                outbox.event(completed(attempt, checkpoint, kind));
                self.settle_splits(checkpoint, kind);
                match kind {
                    CheckpointKind::Periodic if terminal => {
                        self.change(now, Change::Finish, outbox);
                    }
                    CheckpointKind::Periodic => self.rescale_after(now, checkpoint, outbox),
                    CheckpointKind::Savepoint(_) => {}
                }
            }
            CoordinatorOutput::NotifyComplete(checkpoint) => {
                outbox.event(Event::CompletionNotified { attempt, checkpoint });
                self.tell_hosts(&ToWorker::NotifyComplete { attempt, checkpoint }, outbox);
            }
            CoordinatorOutput::LoopsQuiet(quiet) => self.end_loops(&quiet, outbox),
            CoordinatorOutput::Aborted { checkpoint, reason } => {
                outbox.event(Event::Aborted { attempt, checkpoint, reason });
                self.request_again(now);
                self.abandon_cut(checkpoint, outbox);
            }
            CoordinatorOutput::NotifyAborted(checkpoint) => {
                self.tell_hosts(&ToWorker::NotifyAborted { attempt, checkpoint }, outbox);
            }
            CoordinatorOutput::DeleteSnapshots(handles) => {
                self.delete_snapshots(now, &handles, outbox);
            }
            CoordinatorOutput::Discard(completed) => self.discard(now, &completed, outbox),
            CoordinatorOutput::Stop(checkpoint) => self.begin_stop(checkpoint, outbox),
            CoordinatorOutput::Refused { reason, .. } => {
                outbox.event(Event::RequestRefused { reason });
            }
            CoordinatorOutput::FailAttempt => {
                self.fail_current(now, attempt, "too many checkpoints failed in a row", outbox);
            }
        }
    }

    /// Of a checkpoint that was given up: what was acknowledged for it.
    fn delete_snapshots(
        &mut self,
        now: VirtualTime,
        handles: &[SnapshotHandle],
        outbox: &mut dyn Outbox,
    ) {
        if self.defects.has(Defect::AbortedSnapshotsKept) {
            return;
        }
        for handle in handles {
            self.delete(now, handle.key, outbox);
        }
    }

    fn add(
        &mut self,
        now: VirtualTime,
        checkpoint: CheckpointId,
        addition: Addition,
        outbox: &mut dyn Outbox,
    ) {
        if let Addition::Retain(retained) = &addition
            && self.defects.has(Defect::DiscardedBeforeRecorded)
        {
            self.delete_metadata_but_of(now, retained, outbox);
        }
        self.change(now, Change::Add { checkpoint, addition }, outbox);
    }

    /// Of what the record names, all that will not be named any more once it is written.
    fn delete_metadata_but_of(
        &mut self,
        now: VirtualTime,
        retained: &[CheckpointId],
        outbox: &mut dyn Outbox,
    ) {
        for checkpoint in self.ledger.record().retained.clone() {
            if !retained.contains(&checkpoint) {
                self.delete(now, ObjectKey::Metadata { checkpoint }, outbox);
            }
        }
    }

    /// Loops that are quiet as a whole stay so: their tasks are told. If the word is lost, the next
    /// checkpoint that completes says it again.
    fn end_loops(&mut self, quiet: &[SubtaskId], outbox: &mut dyn Outbox) {
        let quiet = quiet.iter().copied().collect();
        let over = self.job.loops().quiet(self.job.topology(), &quiet);
        if !over.is_empty() {
            let attempt = self.ledger.record().attempt;
            self.tell_hosts(&ToWorker::LoopsOver { attempt, over }, outbox);
        }
    }

    pub(super) fn tell_hosts(&mut self, message: &ToWorker, outbox: &mut dyn Outbox) {
        let Some(deploy) = self.deployment().and_then(|deployment| deployment.deploy()) else {
            return;
        };
        let mut hosts = deploy.placement.clone();
        hosts.sort_unstable();
        hosts.dedup();
        for worker in hosts {
            outbox.send(ProcessId::Worker(worker), Message::Worker(message.clone()));
        }
    }

    pub(super) fn write_metadata(
        &mut self,
        now: VirtualTime,
        completed: CompletedCheckpoint,
        kind: CheckpointKind,
        outbox: &mut dyn Outbox,
    ) {
        let key = kind.metadata_key(completed.checkpoint);
        let Some(part) = self.enumerators.part_of(&completed) else { return };
        outbox.event(assembled(&completed));
        let bytes = match kind {
            CheckpointKind::Periodic => metadata::encode(&completed, &part),
            CheckpointKind::Savepoint(_) => SavepointFile::new(&self.job, completed, part).encode(),
        };
        let operation = ObjectOperation::Put { key, bytes };
        self.object(now, Purpose::WriteMetadata(key), operation, outbox);
    }

    /// First the metadata, then what it lists: nothing ever refers to what is gone (FLINK-22014).
    fn discard(
        &mut self,
        now: VirtualTime,
        completed: &CompletedCheckpoint,
        outbox: &mut dyn Outbox,
    ) {
        let checkpoint = completed.checkpoint;
        outbox.event(Event::Discarded { checkpoint });
        self.enumerators.forget(checkpoint);
        self.delete(now, ObjectKey::Metadata { checkpoint }, outbox);
        if self.defects.has(Defect::DiscardedSnapshotsKept) {
            return;
        }
        for handle in &completed.snapshots {
            self.delete(now, handle.key, outbox);
        }
    }

    pub(super) fn delete(&mut self, now: VirtualTime, key: ObjectKey, outbox: &mut dyn Outbox) {
        self.object(now, Purpose::Delete, ObjectOperation::Delete { key }, outbox);
    }

    /// An answer that is of no use leaves its request unanswered: it is sent again in its time.
    pub(super) fn handle_object_answer(
        &mut self,
        now: VirtualTime,
        request: RequestId,
        result: ObjectResult,
        outbox: &mut dyn Outbox,
    ) {
        let purpose = self.requests.purpose(request).copied();
        if let Some(purpose) = purpose.filter(|purpose| self.can_use(*purpose, &result)) {
            self.requests.answered(request);
            self.handle_object(now, purpose, result, outbox);
        }
    }

    fn can_use(&self, purpose: Purpose, result: &ObjectResult) -> bool {
        match purpose {
            Purpose::LoadMetadata(checkpoint) => self.is_loaded_by(checkpoint, result),
            Purpose::WriteMetadata(_) | Purpose::Record | Purpose::Discover => true,
            Purpose::LoadSavepoint(..) => self.is_savepoint_read(result),
            Purpose::Delete => *result != ObjectResult::Failed,
            Purpose::List => matches!(result, ObjectResult::Listed(_)),
        }
    }

    fn handle_object(
        &mut self,
        now: VirtualTime,
        purpose: Purpose,
        result: ObjectResult,
        outbox: &mut dyn Outbox,
    ) {
        match purpose {
            Purpose::LoadMetadata(checkpoint) => {
                self.handle_loaded(checkpoint, &result, outbox);
            }
            Purpose::WriteMetadata(key) => self.handle_metadata(now, key, &result, outbox),
            Purpose::LoadSavepoint(number, resumption) => {
                self.handle_savepoint_read(now, number, resumption, &result, outbox);
            }
            Purpose::List => self.handle_listed(now, result, outbox),
            Purpose::Record | Purpose::Delete | Purpose::Discover => {}
        }
    }

    fn handle_metadata(
        &mut self,
        now: VirtualTime,
        key: ObjectKey,
        result: &ObjectResult,
        outbox: &mut dyn Outbox,
    ) {
        let checkpoint = checkpoint_of(key);
        let State::Leading { checkpoints, .. } = &mut self.state else {
            return self.handle_late_metadata(now, key, result, outbox);
        };
        match result {
            ObjectResult::Done if checkpoints.awaits_metadata(checkpoint) => {
                checkpoints.handle_metadata_durable(now, checkpoint);
            }
            // Given up meanwhile: nothing refers to it.
            ObjectResult::Done => self.delete(now, key, outbox),
            ObjectResult::Read(_)
            | ObjectResult::Listed(_)
            | ObjectResult::Missing
            | ObjectResult::Failed => {
                checkpoints.handle_metadata_failed(now, checkpoint);
            }
        }
    }

    /// The job is over, and with it the checkpoint. Who was deposed does not know what its successor reads.
    fn handle_late_metadata(
        &mut self,
        now: VirtualTime,
        key: ObjectKey,
        result: &ObjectResult,
        outbox: &mut dyn Outbox,
    ) {
        let is_deposed = matches!(self.state, State::Finished) && self.farewell.is_none();
        if *result == ObjectResult::Done && !is_deposed && !self.is_wanted(checkpoint_of(key)) {
            self.delete(now, key, outbox);
        }
    }
}

/// A savepoint has events of its own.
fn triggered(attempt: Attempt, checkpoint: CheckpointId, kind: CheckpointKind) -> Event {
    match kind.savepoint() {
        None => Event::Triggered { attempt, checkpoint },
        Some(mode) => Event::SavepointTriggered { attempt, checkpoint, mode },
    }
}

fn completed(attempt: Attempt, checkpoint: CheckpointId, kind: CheckpointKind) -> Event {
    match kind.savepoint() {
        None => Event::Completed { attempt, checkpoint },
        Some(mode) => Event::SavepointCompleted { attempt, checkpoint, mode },
    }
}

fn assembled(completed: &CompletedCheckpoint) -> Event {
    let snapshots = completed.snapshots.iter().map(|handle| (handle.subtask, handle.key)).collect();
    Event::Assembled { checkpoint: completed.checkpoint, snapshots }
}

fn counted(acknowledgement: &Acknowledgement) -> Event {
    let Acknowledgement { attempt, checkpoint, handle, .. } = acknowledgement;
    let (subtask, from_attempt, checkpoint) = (handle.subtask, *attempt, *checkpoint);
    Event::AcknowledgementCounted { subtask, from_attempt, checkpoint }
}

fn ignored(acknowledgement: &Acknowledgement) -> Event {
    let Acknowledgement { attempt, checkpoint, handle, .. } = acknowledgement;
    let (subtask, from_attempt, checkpoint) = (handle.subtask, *attempt, *checkpoint);
    Event::AcknowledgementIgnored { subtask, from_attempt, checkpoint }
}
