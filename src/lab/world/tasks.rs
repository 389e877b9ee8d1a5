//! Subtasks' threads: what they process, what they emit, and what waits meanwhile.

use super::super::backend::{Background, Task};
use super::super::run::Batch;
use super::super::subtask::Thread;
use super::checkpoints::PARTS;
use super::{Event, Work, World};
use crate::protocol::{CheckpointId, Element, SubtaskOutput};

impl World<'_> {
    /// A subtask does what it can, until its thread is taken or there is nothing to do.
    pub(super) fn go_on(&mut self, index: usize) {
        if !self.is_up {
            return;
        }
        self.begin_own_if_due(index);
        while let Some(output) = self.poll(index) {
            self.carry_out(index, output);
        }
        self.read(index);
    }

    /// What is to be done next: with the thread taken only what was decided before, with outputs full only what
    /// cannot wait. A thread that freezes does nothing, so that what follows a freeze follows it.
    fn poll(&mut self, index: usize) -> Option<SubtaskOutput<Batch>> {
        let is_stalled = self.is_stalled(index);
        let subtask = &mut self.subtasks[index];
        match subtask.thread {
            Thread::Freezing(_) | Thread::Syncing(_) => None,
            Thread::Reading(_) | Thread::Processing(..) => subtask.protocol.poll_step(),
            Thread::Idle | Thread::Stalled => {
                if let Some(barrier) = subtask.mail.pop_front() {
                    subtask.protocol.handle_mail(barrier);
                }
                if is_stalled || subtask.thread == Thread::Stalled {
                    subtask.protocol.poll_urgent()
                } else {
                    subtask.protocol.poll_output()
                }
            }
        }
    }

    fn is_stalled(&self, index: usize) -> bool {
        let outputs = &self.subtasks[index].outputs;
        outputs.iter().any(|channel| self.channels[*channel].is_stalled())
    }

    fn carry_out(&mut self, index: usize, output: SubtaskOutput<Batch>) {
        match output {
            SubtaskOutput::Process { input, item } => self.process(index, input, item),
            other => self.handle_output(index, other),
        }
    }

    /// A batch is processed: for as long as it costs.
    fn process(&mut self, index: usize, input: usize, batch: Batch) {
        if self.is_forced(index, input) {
            return self.begin_forced(index, input, batch);
        }
        self.process_now(index, input, batch);
    }

    pub(super) fn process_now(&mut self, index: usize, input: usize, batch: Batch) {
        self.take_in(index, input, batch);
        let now = self.now;
        let subtask = &mut self.subtasks[index];
        let state = subtask.backend.as_mut().map_or(0.0, |state| state.access(batch.records, now));
        let ns = f64::from(batch.records) * subtask.record_ns + state;
        self.occupy(index, ns, Thread::Processing(input, batch));
        self.begin_background(index);
    }

    /// The thread is taken, for so long and for what it owes.
    pub(super) fn occupy(&mut self, index: usize, ns: f64, thread: Thread) {
        let subtask = &mut self.subtasks[index];
        let ns = (ns + std::mem::take(&mut subtask.owed_ns)) as u64;
        subtask.thread = thread;
        self.processors[subtask.worker].start(self.now, ns.max(1), Work::Thread(index));
    }

    /// The thread of a subtask is done with what it did.
    pub(super) fn finish_thread(&mut self, index: usize) {
        let thread = std::mem::replace(&mut self.subtasks[index].thread, Thread::Idle);
        match thread {
            Thread::Reading(batch) => {
                self.batches += 1;
                self.emit(index, batch);
            }
            Thread::Processing(input, batch) => self.finish_batch(index, input, batch),
            Thread::Freezing(checkpoint) => return self.sync(index, checkpoint),
            Thread::Syncing(checkpoint) => {
                self.meter.handle_frozen(self.now, index, checkpoint);
                if self.end_own_freeze(index, checkpoint) {
                    return;
                }
            }
            Thread::Idle | Thread::Stalled => unreachable!("an idle thread ends nothing"),
        }
        let is_stalled =
            self.subtasks[index].backend.as_ref().is_some_and(|state| state.is_stalled());
        if is_stalled {
            self.subtasks[index].thread = Thread::Stalled;
        }
        self.begin_background(index);
        self.go_on(index);
    }

    /// What was frozen must be on disk before the thread goes on.
    fn sync(&mut self, index: usize, checkpoint: CheckpointId) {
        let subtask = &mut self.subtasks[index];
        subtask.thread = Thread::Syncing(checkpoint);
        let (worker, bytes) = (subtask.worker, subtask.unwritten_bytes);
        self.write(worker, bytes, Work::Written(index));
    }

    /// It is written, and has to be made durable.
    pub(super) fn written(&mut self, index: usize) {
        let syncs = f64::from(self.subtasks[index].syncs);
        let ns = syncs * self.settings.engine.disk.sync_ms * 1e6;
        self.push_after(ns as u64, Event::Synced { subtask: index });
    }

    fn finish_batch(&mut self, index: usize, input: usize, batch: Batch) {
        self.batches += 1;
        let subtask = &mut self.subtasks[index];
        subtask.processed_bytes += batch.bytes;
        let channel = subtask.inputs[input];
        self.channels[channel].handle_processed(batch.bytes);
        self.emit(index, batch);
        self.send(channel);
        self.go_on(self.channels[channel].from);
    }

    /// A batch leaves a subtask: into a channel, or out of the job.
    fn emit(&mut self, index: usize, batch: Batch) {
        // What it carried on its way here stays here.
        let bytes = u64::from(batch.records) * u64::from(self.settings.job.record_bytes);
        let batch = Batch { bytes, ..batch };
        match self.subtasks[index].next_output() {
            Some(output) => {
                let channel = self.subtasks[index].outputs[output];
                let batch = self.load(index, output, batch);
                self.channels[channel].put(Element::Item(batch));
                self.send(channel);
            }
            None => {
                self.subtasks[index].left += u64::from(batch.records);
                self.meter.handle_output(self.now, batch);
            }
        }
    }

    /// What the receiver has room for is sent.
    pub(super) fn send(&mut self, channel: usize) {
        while let Some(element) = self.channels[channel].poll_send() {
            self.deliver(channel, element);
        }
    }

    /// An element is on its way.
    pub(super) fn deliver(&mut self, channel: usize, element: Element<Batch>) {
        match self.channels[channel].latency_ns {
            0 => self.arrive(channel, element),
            latency => self.push_after(latency, Event::Arrive { channel, element }),
        }
    }

    pub(super) fn arrive(&mut self, channel: usize, element: Element<Batch>) {
        let (to, input, now) =
            (self.channels[channel].to, self.channels[channel].input, self.time());
        let subtask = &mut self.subtasks[to];
        if let Element::Barrier(_) = element {
            subtask.owed_ns += self.settings.engine.task.barrier_us * 1e3;
        }
        let taken = subtask.protocol.handle_element(input, element, now);
        taken.expect("the inputs are those of the gate, and none ends");
        self.go_on(to);
    }

    /// A source reads on, if it may.
    fn read(&mut self, index: usize) {
        let may = {
            let subtask = &self.subtasks[index];
            subtask.is_free() && !subtask.protocol.is_held() && subtask.mail.is_empty()
        };
        if !may || self.is_stalled(index) {
            return;
        }
        let (records, now) = (self.batch_records, self.now);
        let Some(source) = &mut self.subtasks[index].source else { return };
        let (first, end) = (source.read, source.read + u64::from(records));
        let due = match (source.due(first), source.due(end)) {
            (Some(_), Some(complete)) if complete > now => {
                if !std::mem::replace(&mut source.waits, true) {
                    self.push(complete, Event::Due { subtask: index });
                }
                return;
            }
            (Some(first), Some(complete)) => first.midpoint(complete),
            (None, _) | (_, None) => now,
        };
        source.read = end;
        let bytes = u64::from(records) * u64::from(self.settings.job.record_bytes);
        self.meter.handle_read(now, due, u64::from(records));
        let ns = f64::from(records) * self.subtasks[index].record_ns;
        self.occupy(index, ns, Thread::Reading(Batch { records, bytes, due }));
    }

    pub(super) fn handle_due(&mut self, index: usize) {
        if let Some(source) = &mut self.subtasks[index].source {
            source.waits = false;
        }
        self.go_on(index);
    }

    /// What a state backend does beside its subtask's thread begins.
    pub(super) fn begin_background(&mut self, index: usize) {
        let worker = self.subtasks[index].worker;
        while let Some(backend) = &mut self.subtasks[index].backend {
            let Some(Task { what, cpu_ns, disk_bytes }) = backend.poll_background() else { return };
            let requests = match what {
                Background::Upload { bytes } => {
                    self.meter.handle_uploaded(self.now, bytes);
                    1
                }
                Background::Flush | Background::Compact => 0,
            };
            let cpu_ns = cpu_ns + self.store.cpu_ns(requests);
            let work = Work::Background(index, what);
            self.subtasks[index].background.push((what, PARTS));
            self.processors[worker].start(self.now, cpu_ns as u64, work);
            self.write(worker, disk_bytes, work);
        }
    }

    pub(super) fn finish_background(&mut self, index: usize, done: Background) {
        let subtask = &mut self.subtasks[index];
        let mut tasks = subtask.background.iter_mut();
        let Some(task) = tasks.find(|(what, _)| *what == done) else { return };
        task.1 -= 1;
        if task.1 > 0 {
            return;
        }
        subtask.background.retain(|(_, parts)| *parts > 0);
        let Some(backend) = &mut subtask.backend else { return };
        backend.handle_done(done);
        if subtask.thread == Thread::Stalled && !backend.is_stalled() {
            subtask.thread = Thread::Idle;
        }
        self.begin_background(index);
        self.go_on(index);
    }
}
