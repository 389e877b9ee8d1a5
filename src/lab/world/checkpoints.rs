//! Checkpoints: what the protocol of subtasks and coordinator wants done, and what that takes.

use super::super::coordinator::{Chore, attempt};
use super::super::meter::Persisting;
use super::super::run::Batch;
use super::super::subtask::Thread;
use super::{Event, Work, World, subtask_id};
use crate::protocol::{
    Acknowledgement, Addition, Barrier, Captured, CheckpointId, CoordinatorOutput,
    CoordinatorTimer, DeclineReason, Digest, Element, ObjectKey, Passage, ProtocolStep,
    SnapshotHandle, SubtaskOutput,
};

/// A snapshot is written by cores and store at once: it is durable when both are done.
pub(super) const PARTS: u8 = 2;

impl World<'_> {
    /// Whatever a subtask's protocol wants done that is no batch.
    pub(super) fn handle_output(&mut self, index: usize, output: SubtaskOutput<Batch>) {
        match output {
            SubtaskOutput::Post(barrier) => self.subtasks[index].mail.push_back(barrier),
            SubtaskOutput::Watch(barrier) => self.watch(index, barrier),
            SubtaskOutput::Forward(barrier) => self.forward(index, barrier),
            SubtaskOutput::Hurry(checkpoint) => self.hurry(index, checkpoint),
            SubtaskOutput::Cancel(checkpoint) => self.put_all(index, &Element::Cancel(checkpoint)),
            SubtaskOutput::Freeze(checkpoint) => self.freeze(index, checkpoint),
            SubtaskOutput::Persist { checkpoint, captured } => {
                self.persist(index, checkpoint, captured);
            }
            SubtaskOutput::Acknowledge(checkpoint) => self.acknowledge(index, checkpoint),
            SubtaskOutput::Decline(checkpoint, reason) => {
                let latency = self.coordinator.latency_ns();
                self.push_after(latency, Event::Declined { checkpoint, reason });
            }
            SubtaskOutput::Discard(checkpoint) => self.discard(index, checkpoint),
            SubtaskOutput::Step(step) => self.tell(index, step),
            SubtaskOutput::Process { .. }
            | SubtaskOutput::EndInput { .. }
            | SubtaskOutput::End
            | SubtaskOutput::EndSource
            | SubtaskOutput::Flush(_)
            | SubtaskOutput::PreCommit { .. }
            | SubtaskOutput::Commit { .. } => {
                unreachable!(
                    "batches are processed elsewhere, no input ends, and no sink has transactions"
                )
            }
        }
    }

    fn tell(&mut self, index: usize, step: ProtocolStep) {
        let now = self.now;
        match step {
            ProtocolStep::Blocked { input, .. } => {
                let channel = self.subtasks[index].inputs[input];
                self.channels[channel].blocked_since.get_or_insert(now);
            }
            ProtocolStep::Unblocked { input, .. } => {
                let channel = self.subtasks[index].inputs[input];
                if let Some(since) = self.channels[channel].blocked_since.take() {
                    self.channels[channel].blocked_ns += self.meter.within(since, now);
                }
            }
            ProtocolStep::BarrierSeen { checkpoint, .. }
            | ProtocolStep::BarrierOvertook { checkpoint, .. }
            | ProtocolStep::AlignmentStarted(checkpoint) => {
                let processed = self.subtasks[index].processed_bytes;
                self.meter.handle_barrier(now, index, checkpoint, processed);
            }
            ProtocolStep::AlignmentCompleted(checkpoint)
            | ProtocolStep::AlignmentOvertaken(checkpoint) => {
                self.meter.handle_cut(now, index, checkpoint);
            }
            ProtocolStep::SnapshotDurable(checkpoint) => {
                self.meter.handle_durable(now, index, checkpoint);
            }
            ProtocolStep::CancelSeen { .. }
            | ProtocolStep::Announced(_)
            | ProtocolStep::AlignmentAborted(_)
            | ProtocolStep::CaptureAbandoned(_) => {}
        }
    }

    fn watch(&mut self, index: usize, barrier: Barrier) {
        let Passage::InOrderUntil(at) = barrier.passage else { return };
        self.push(at.0.max(self.now), Event::Overdue { subtask: index, barrier });
    }

    pub(super) fn handle_overdue(&mut self, index: usize, barrier: Barrier) {
        let now = self.time();
        self.subtasks[index].protocol.handle_overdue(barrier, now);
        self.go_on(index);
    }

    /// A barrier leaves on every output: in its place, or past what waits for room.
    fn forward(&mut self, index: usize, barrier: Barrier) {
        let outputs = self.subtasks[index].outputs.len() as f64;
        self.subtasks[index].owed_ns += outputs * self.settings.engine.task.barrier_us * 1e3;
        match barrier.passage {
            Passage::InOrder | Passage::InOrderUntil(_) => {
                self.put_all(index, &Element::Barrier(barrier));
            }
            Passage::Ahead => self.overtake(index, barrier),
        }
        if self.owes(index, barrier.checkpoint) {
            self.subtasks[index].protocol.handle_waiting(barrier);
        }
        self.look_for_forwarded(index);
    }

    fn put_all(&mut self, index: usize, element: &Element<Batch>) {
        for output in 0..self.subtasks[index].outputs.len() {
            let channel = self.subtasks[index].outputs[output];
            self.channels[channel].put(element.clone());
            self.send(channel);
        }
    }

    fn overtake(&mut self, index: usize, barrier: Barrier) {
        for output in 0..self.subtasks[index].outputs.len() {
            let channel = self.subtasks[index].outputs[output];
            let overtaken = self.channels[channel].overtaken();
            self.deliver(channel, Element::Barrier(barrier));
            let protocol = &mut self.subtasks[index].protocol;
            protocol.handle_overtaken(barrier.checkpoint, output, overtaken);
        }
    }

    /// Where a barrier still waits, it goes ahead.
    fn hurry(&mut self, index: usize, checkpoint: CheckpointId) {
        for output in 0..self.subtasks[index].outputs.len() {
            let channel = self.subtasks[index].outputs[output];
            if let Some((barrier, overtaken)) = self.channels[channel].hurry(checkpoint) {
                self.deliver(channel, Element::Barrier(barrier));
                self.subtasks[index].protocol.handle_overtaken(checkpoint, output, overtaken);
            }
        }
        self.look_for_forwarded(index);
    }

    fn owes(&self, index: usize, checkpoint: CheckpointId) -> bool {
        let outputs = &self.subtasks[index].outputs;
        outputs.iter().any(|channel| self.channels[*channel].owes(checkpoint))
    }

    /// Whether barriers have left every output queue: what they overtook there is known then.
    pub(super) fn look_for_forwarded(&mut self, index: usize) {
        loop {
            let forwarding = self.subtasks[index].protocol.forwarding();
            let left: Vec<CheckpointId> = forwarding.collect();
            let left = left.into_iter().find(|checkpoint| !self.owes(index, *checkpoint));
            let Some(checkpoint) = left else { return };
            self.subtasks[index].protocol.handle_forwarded(checkpoint);
        }
    }

    /// The synchronous part of a snapshot: the thread does nothing else.
    pub(super) fn freeze(&mut self, index: usize, checkpoint: CheckpointId) {
        self.meter.handle_freezing(self.now, index, checkpoint);
        let subtask = &mut self.subtasks[index];
        subtask.handle_snapshot(checkpoint);
        let freeze = subtask.backend.as_mut().map(|backend| backend.freeze()).unwrap_or_default();
        subtask.unwritten_bytes = freeze.disk_bytes;
        subtask.syncs = freeze.syncs;
        let ns = self.settings.engine.task.freeze_us * 1e3 + freeze.cpu_ns;
        self.occupy(index, ns, Thread::Freezing(checkpoint));
    }

    /// The asynchronous part: beside the thread, on the same cores, and in the store.
    pub(super) fn persist(
        &mut self,
        index: usize,
        checkpoint: CheckpointId,
        captured: Option<Box<Captured<Batch>>>,
    ) {
        let in_flight = captured.as_ref().map_or(0, |captured| bytes_of(captured));
        let subtask = &mut self.subtasks[index];
        if let Some(captured) = captured {
            subtask.handle_captured(checkpoint, captured);
        }
        let mut upload =
            subtask.backend.as_mut().map(|backend| backend.persist()).unwrap_or_default();
        upload.requests = upload.requests.max(1);
        let copied = in_flight as f64 * self.settings.engine.task.byte_ns;
        let persist_ns = self.settings.engine.task.persist_us * 1e3;
        let cpu_ns = persist_ns + upload.cpu_ns + copied + self.store.cpu_ns(upload.requests);
        let bytes = upload.bytes + in_flight as f64;
        subtask.uploads.push((checkpoint, PARTS, bytes));
        let work = Work::Persist(index, checkpoint);
        self.processors[subtask.worker].start(self.now, cpu_ns as u64, work);
        self.store(index, checkpoint, bytes, upload.requests);
        let processed = self.subtasks[index].processed_bytes;
        let bytes = Persisting { state: upload.bytes as u64, in_flight, processed };
        self.meter.handle_persisting(index, checkpoint, bytes);
    }

    /// The store answers, and has it; or it is the worker's own disk, and has it when that has written it.
    fn store(&mut self, index: usize, checkpoint: CheckpointId, bytes: f64, requests: u32) {
        let is_local = self.settings.store.local;
        let byte_ns = is_local.then_some(self.settings.engine.disk.stream_byte_ns);
        let ns = self.store.upload_ns((bytes, byte_ns), requests, index, checkpoint.0);
        let event = match is_local {
            true => Event::Opened { subtask: index, checkpoint, bytes },
            false => Event::Stored { subtask: index, checkpoint },
        };
        self.push_after(ns, event);
    }

    pub(super) fn handle_opened(&mut self, index: usize, checkpoint: CheckpointId, bytes: f64) {
        let worker = self.subtasks[index].worker;
        self.write(worker, bytes, Work::Stored(index, checkpoint));
    }

    pub(super) fn part_durable(&mut self, index: usize, checkpoint: CheckpointId) {
        let subtask = &mut self.subtasks[index];
        let mut uploads = subtask.uploads.iter_mut();
        let Some(upload) = uploads.find(|(held, ..)| *held == checkpoint) else { return };
        upload.1 -= 1;
        if upload.1 > 0 {
            return;
        }
        if let Some(backend) = &mut subtask.backend {
            backend.handle_persisted();
        }
        if subtask.autonomy.is_some() {
            return self.own_durable(index, checkpoint);
        }
        subtask.protocol.handle_uploaded(checkpoint);
        self.go_on(index);
    }

    fn discard(&mut self, index: usize, checkpoint: CheckpointId) {
        let subtask = &mut self.subtasks[index];
        subtask.forget(checkpoint);
        subtask.uploads.retain(|(held, ..)| *held != checkpoint);
        if let Some(backend) = &mut subtask.backend {
            backend.handle_persisted();
        }
    }

    fn acknowledge(&mut self, index: usize, checkpoint: CheckpointId) {
        let uploads = &mut self.subtasks[index].uploads;
        let bytes =
            uploads.iter().find(|(held, ..)| *held == checkpoint).map_or(0.0, |held| held.2);
        uploads.retain(|(held, ..)| *held != checkpoint);
        let (attempt, subtask) = (attempt(self.restarts), subtask_id(index));
        let key = ObjectKey::Snapshot { checkpoint, attempt, subtask };
        let handle =
            SnapshotHandle { subtask, key, digest: Digest::default(), bytes: bytes as u64 };
        let acknowledgement =
            Acknowledgement { attempt, checkpoint, handle, terminal: false, quiet: false };
        let latency = self.coordinator.latency_ns();
        self.push_after(latency, Event::Acknowledged(Box::new(acknowledgement)));
    }

    // ---- what subtasks hear

    pub(super) fn handle_trigger(&mut self, index: usize, barrier: Barrier) {
        self.subtasks[index].protocol.handle_trigger(barrier);
        self.go_on(index);
    }

    pub(super) fn handle_completed(&mut self, index: usize, checkpoint: CheckpointId) {
        let subtask = &mut self.subtasks[index];
        subtask.owed_ns += self.settings.engine.task.notify_us * 1e3;
        subtask.forget_before(checkpoint);
        subtask.protocol.handle_completed(checkpoint);
        self.go_on(index);
    }

    pub(super) fn handle_aborted(&mut self, index: usize, checkpoint: CheckpointId) {
        self.subtasks[index].protocol.handle_aborted(checkpoint);
        self.go_on(index);
    }

    // ---- what the coordinator hears, and does

    pub(super) fn handle_acknowledged(&mut self, acknowledgement: Box<Acknowledgement>) {
        self.coordinator.add(Chore::Count(acknowledgement));
        self.begin_chore();
    }

    pub(super) fn handle_declined(&mut self, checkpoint: CheckpointId, reason: DeclineReason) {
        let (now, attempt) = (self.time(), attempt(self.restarts));
        self.coordinator.protocol.handle_decline(now, attempt, checkpoint, reason);
        self.drain_coordinator();
    }

    pub(super) fn handle_metadata(&mut self, checkpoint: CheckpointId) {
        let now = self.time();
        self.coordinator.protocol.handle_metadata_durable(now, checkpoint);
        self.drain_coordinator();
    }

    pub(super) fn handle_timer(&mut self, timer: CoordinatorTimer) {
        let now = self.time();
        self.coordinator.protocol.handle_timer(now, timer);
        self.drain_coordinator();
    }

    /// The coordinator's thread begins what is next, if it is free.
    fn begin_chore(&mut self) {
        let sources = self.settings.sources() * usize::from(self.settings.job.parallelism);
        if let Some(ns) = self.coordinator.begin(sources, self.subtasks.len()) {
            let machine = self.coordinator_machine();
            self.processors[machine].start(self.now, ns, Work::Coordinator);
        }
    }

    pub(super) fn coordinator_machine(&self) -> usize {
        if self.settings.engine.coordinator.apart { self.machines() - 1 } else { 0 }
    }

    fn clean_up(&mut self) {
        let (ns, machine) =
            (self.settings.engine.coordinator.cleanup_us * 1e3, self.coordinator_machine());
        self.processors[machine].start(self.now, ns as u64, Work::Cleanup);
    }

    pub(super) fn finish_chore(&mut self) {
        let (now, latency) = (self.time(), self.coordinator.latency_ns());
        match self.coordinator.finish() {
            None => {}
            Some(Chore::Reserve(checkpoint)) => {
                self.coordinator.protocol.handle_reserved(now, checkpoint);
            }
            Some(Chore::Trigger(barrier)) => {
                for subtask in 0..self.subtasks.len() {
                    if self.subtasks[subtask].source.is_some() {
                        self.push_after(latency, Event::Trigger { subtask, barrier });
                    }
                }
            }
            Some(Chore::Count(acknowledgement)) => {
                self.coordinator.protocol.handle_acknowledge(now, *acknowledgement);
            }
            Some(Chore::Complete(checkpoint)) => {
                let ns = self.store.read_ns(0.0);
                self.push_after(ns, Event::MetadataStored(checkpoint));
            }
            Some(Chore::NotifyComplete(checkpoint)) => {
                for subtask in 0..self.subtasks.len() {
                    self.push_after(latency, Event::Completed { subtask, checkpoint });
                }
            }
            Some(Chore::NotifyAborted(checkpoint)) => {
                for subtask in 0..self.subtasks.len() {
                    self.push_after(latency, Event::Aborted { subtask, checkpoint });
                }
            }
        }
        self.drain_coordinator();
        self.begin_chore();
    }

    /// What the coordinator's protocol wants done.
    pub(super) fn drain_coordinator(&mut self) {
        while let Some(output) = self.coordinator.protocol.poll_output() {
            self.handle_coordinator(output);
        }
        self.begin_chore();
    }

    fn handle_coordinator(&mut self, output: CoordinatorOutput) {
        match output {
            CoordinatorOutput::SetTimer { at, timer } => {
                self.push(at.0.max(self.now), Event::Timer(timer));
            }
            CoordinatorOutput::ReserveId(id) => self.coordinator.add(Chore::Reserve(id)),
            CoordinatorOutput::Trigger { barrier, .. } => {
                self.meter.handle_triggered(self.now, barrier.checkpoint);
                self.coordinator.add(Chore::Trigger(barrier));
            }
            CoordinatorOutput::WriteMetadata { completed, .. } => {
                self.coordinator.add(Chore::Complete(completed.checkpoint));
            }
            CoordinatorOutput::Add {
                checkpoint,
                addition: Addition::Retain(_) | Addition::Savepoint(_),
            } => {
                let now = self.time();
                self.coordinator.protocol.handle_added(now, checkpoint);
            }
            CoordinatorOutput::Completed { checkpoint, .. } => {
                self.meter.handle_completed(self.now, checkpoint);
                self.clean_up();
            }
            CoordinatorOutput::NotifyComplete(id) => {
                self.coordinator.add(Chore::NotifyComplete(id));
            }
            CoordinatorOutput::Aborted { checkpoint, reason } => {
                self.meter.handle_aborted(self.now, checkpoint, reason);
            }
            CoordinatorOutput::NotifyAborted(id) => self.coordinator.add(Chore::NotifyAborted(id)),
            CoordinatorOutput::Counted(_)
            | CoordinatorOutput::Ignored { .. }
            | CoordinatorOutput::DeleteSnapshots(_)
            | CoordinatorOutput::Discard(_) => {}
            CoordinatorOutput::LoopsQuiet(_)
            | CoordinatorOutput::Stop(_)
            | CoordinatorOutput::Refused { .. }
            | CoordinatorOutput::FailAttempt => {
                unreachable!(
                    "no input ends, no savepoints, and any number of failed checkpoints is tolerated"
                )
            }
        }
    }
}

fn bytes_of(captured: &Captured<Batch>) -> u64 {
    let outputs = captured.outputs.iter().map(|(_, batches)| batches);
    captured.inputs.iter().chain(outputs).flatten().map(|batch| batch.bytes).sum()
}
