//! What a coordinator does with savepoints that do not fit its job, and with listings of splits that come late.

use std::sync::Arc;

use super::super::io::{Output, QueuedOutbox};
use super::super::message::{
    Answer, Heartbeat, JobRecord, Message, MetaOperation, ObjectOperation, ObjectResult, Request,
    RequestId, ToCoordinator, ToSourceLog,
};
use super::super::settings::StoreSettings;
use super::savepoint_file::SavepointFile;
use super::*;
use crate::dataflow::{EncodedSink, JobBuilder, Replay};
use crate::protocol::{
    Attempt, CheckpointSettings, Digest, Listing, ObjectKey, OperatorId, ProcessId, Protocol,
    SnapshotHandle, SplitId, SubtaskId,
};
use crate::trace::Event;

const SAVEPOINT: CheckpointId = CheckpointId(7);

/// A job whose splits are discovered.
fn shards() -> Job {
    let job = JobBuilder::new("shards");
    let numbers = job.source_discovered("numbers", Replay::<u64>::new(), 1, 2);
    numbers.transactional_sink("out", 1, EncodedSink::new());
    job.build().expect("it is a job")
}

fn job(source: &str) -> Job {
    let job = JobBuilder::new("copy");
    let lines = job.source(source, Replay::<u64>::new(), 2, 2);
    lines.transactional_sink("out", 2, EncodedSink::new());
    job.build().expect("it is a job")
}

fn settings() -> ClusterSettings {
    let store = StoreSettings::default();
    let checkpoints = CheckpointSettings {
        protocol: Protocol::Aligned,
        aligned_timeout_ms: 0,
        interval_ms: 100,
        pause_min_ms: 0,
        timeout_ms: 1000,
        concurrent_max: 1,
        failures_tolerated: 0,
        retained: 1,
    };
    ClusterSettings {
        workers: 1,
        slots: 8,
        heartbeat_ms: 50,
        heartbeat_timeout_ms: 200,
        session_timeout_ms: 800,
        restart_delay_ms: 20,
        request_retry_ms: 100,
        credits: 4,
        buffers: None,
        source_interval_us: 0,
        discovery: None,
        fetch_max: 64,
        sink_batch: 1,
        object_store: store,
        meta_store: store,
        cost: None,
        checkpoints,
        final_at_once: false,
        observe_time: false,
    }
}

/// The savepoint of a job, with the snapshots of its first `subtasks` only.
fn savepoint(job: &Job, subtasks: usize) -> Arc<[u8]> {
    let handle = |subtask: SubtaskId| {
        let key = ObjectKey::Snapshot { checkpoint: SAVEPOINT, attempt: Attempt(1), subtask };
        SnapshotHandle { subtask, key, digest: Digest(5), bytes: 3 }
    };
    let completed = CompletedCheckpoint {
        checkpoint: SAVEPOINT,
        attempt: Attempt(1),
        snapshots: job.topology().subtask_ids().take(subtasks).map(handle).collect(),
        terminal: false,
        quiet: Vec::new(),
    };
    SavepointFile::new(job, completed, Vec::new()).encode()
}

/// A coordinator whose job is stopped, and all that it has sent and told.
struct Bench {
    coordinator: Coordinator,
    outputs: Vec<Output>,
    record: JobRecord,
}

impl Bench {
    fn stopped() -> Self {
        let mut record = JobRecord { last_checkpoint: SAVEPOINT, ..JobRecord::default() };
        record.savepoints.completed.push(SAVEPOINT);
        record.savepoints.stopped = Some(SAVEPOINT);
        Self::of(job("lines"), record)
    }

    /// A coordinator that has deployed a job whose splits are discovered, and has asked which there are; its reader
    /// waits for one.
    fn discovering() -> (Self, RequestId) {
        let mut bench = Self::of(shards(), JobRecord::default());
        bench.handle(Input::Timer(Timer::Coordinator(CoordinatorWakeUp::Restart)));
        let (incarnation, sequence, attempt) = (Incarnation(1), 1, None);
        let sign = ToCoordinator::Heartbeat(Heartbeat { incarnation, sequence, attempt });
        bench.receive(ProcessId::Worker(0), Message::Coordinator(sign));
        bench.serve_meta_store();
        let (attempt, subtask) = (bench.record.attempt, SubtaskId(0));
        let asks = ToCoordinator::RequestSplit { attempt, subtask, taken: 0 };
        bench.receive(ProcessId::Worker(0), Message::Coordinator(asks));
        let listing = bench.take(|message| match message {
            Message::SourceLog(ToSourceLog::ListSplits { request }) => Some(*request),
            _ => None,
        });
        let listing = listing.expect("it asks which splits there are");
        bench.outputs.clear();
        (bench, listing)
    }

    /// The answer, that there is a split; what comes of it.
    fn list(&mut self, request: RequestId) -> Vec<Event> {
        let there = vec![SplitId(0)];
        let listing = Box::new(Listing { there, ..Listing::default() });
        self.receive(
            ProcessId::SourceLog,
            Message::Answer(Answer::SplitsListed { request, listing }),
        );
        let outputs = std::mem::take(&mut self.outputs).into_iter();
        let event = |output| match output {
            Output::Event(event) => Some(event),
            _ => None,
        };
        outputs.filter_map(event).collect()
    }

    fn of(job: Job, record: JobRecord) -> Self {
        let coordinator = Coordinator::new(Arc::new(settings()), Arc::new(job), DefectSet::NONE);
        let mut bench = Self { coordinator, outputs: Vec::new(), record };
        bench.handle(Input::Start(Incarnation(1)));
        bench.serve_meta_store();
        bench
    }

    fn handle(&mut self, input: Input) {
        let mut outbox = QueuedOutbox::new();
        self.coordinator.handle(VirtualTime::from_ms(1), input, &mut outbox);
        self.outputs.extend(outbox.drain());
    }

    fn receive(&mut self, from: ProcessId, message: Message) {
        self.handle(Input::Message { from, message });
    }

    /// Answers the meta store's requests until there are none.
    fn serve_meta_store(&mut self) {
        while let Some((request, operation)) = self.take(|message| match message {
            Message::MetaStore { request, operation } => Some((*request, operation.clone())),
            _ => None,
        }) {
            let written = match operation {
                MetaOperation::Read => false,
                MetaOperation::Write { record, .. } => {
                    self.record = record;
                    true
                }
            };
            let (version, record) = (1, self.record.clone());
            let answer = Message::Answer(Answer::Meta { request, written, version, record });
            self.receive(ProcessId::MetaStore, answer);
        }
    }

    fn take<T>(&mut self, wanted: impl Fn(&Message) -> Option<T>) -> Option<T> {
        let place = self.outputs.iter().position(
            |output| matches!(output, Output::Send { message, .. } if wanted(message).is_some()),
        )?;
        match self.outputs.remove(place) {
            Output::Send { message, .. } => wanted(&message),
            _ => None,
        }
    }

    fn ask(&mut self, request: Request) {
        let number = RequestNumber(3);
        self.receive(
            ProcessId::Coordinator,
            Message::Coordinator(ToCoordinator::Request { number, request }),
        );
    }

    /// The request to read the savepoint, if there is one.
    fn read(&mut self) -> Option<RequestId> {
        self.take(|message| match message {
            Message::ObjectStore { request, operation: ObjectOperation::Get { key } } => {
                assert_eq!(*key, ObjectKey::Savepoint { checkpoint: SAVEPOINT });
                Some(*request)
            }
            _ => None,
        })
    }

    /// Resumes from what lies where the savepoint was; why not, and nothing may have changed then.
    fn refusal_of(mut self, result: ObjectResult) -> String {
        self.ask(Request::Resume);
        let request = self.read().expect("the savepoint is read");
        self.receive(ProcessId::ObjectStore, Message::Answer(Answer::Object { request, result }));
        self.refusal()
    }

    fn refusal(self) -> String {
        let mut reason = None;
        for output in self.outputs {
            match output {
                Output::Event(Event::RequestRefused { reason: told }) => reason = Some(told),
                Output::Send {
                    message: Message::ObjectStore { .. } | Message::MetaStore { .. },
                    ..
                } => {
                    panic!("nothing is written or deleted: {output:?}")
                }
                _ => {}
            }
        }
        assert!(matches!(self.coordinator.state, State::Stopped), "the job stays as it was");
        reason.expect("it is refused")
    }
}

#[test]
fn a_savepoint_of_another_job_is_refused_and_untouched() {
    let bytes = savepoint(&job("words"), 4);
    let refusal = Bench::stopped().refusal_of(ObjectResult::Read(bytes));
    assert_eq!(refusal, "savepoint ckpt-7 holds no state of lines/0");
}

#[test]
fn a_savepoint_without_the_state_of_an_operator_is_refused_and_untouched() {
    let bytes = savepoint(&job("lines"), 2);
    let refusal = Bench::stopped().refusal_of(ObjectResult::Read(bytes));
    assert_eq!(refusal, "savepoint ckpt-7 holds no state of out/0");
}

#[test]
fn a_savepoint_that_is_gone_is_refused() {
    assert_eq!(Bench::stopped().refusal_of(ObjectResult::Missing), "the savepoint is gone");
}

#[test]
fn a_parallelism_that_the_job_cannot_have_is_refused_and_nothing_is_read() {
    for (parallelism, expected) in [
        (3, "`lines` has 3 subtasks for 2 splits: give it at least one split each"),
        (0, "`lines` has parallelism 0"),
    ] {
        let mut bench = Bench::stopped();
        bench.ask(Request::ResumeAt { parallelism });
        assert_eq!(bench.read(), None, "a savepoint is not read in vain");
        assert_eq!(bench.refusal(), expected);
    }
}

#[test]
fn a_savepoint_that_fits_is_taken_once_though_it_is_asked_for_twice() {
    let mut bench = Bench::stopped();
    for _ in 0..2 {
        bench.ask(Request::Resume);
    }
    while let Some(request) = bench.read() {
        let result = ObjectResult::Read(savepoint(&job("lines"), 4));
        bench.receive(ProcessId::ObjectStore, Message::Answer(Answer::Object { request, result }));
    }
    bench.serve_meta_store();
    let is_resumed = |output: &&Output| matches!(output, Output::Event(Event::JobResumed { .. }));
    assert_eq!(bench.outputs.iter().filter(is_resumed).count(), 1);
    assert_eq!(bench.record.savepoints.origin, Some(SAVEPOINT));
}

/// The metadata of a checkpoint is written while the job ends: whether it is deleted then.
fn is_deleted_when_late(end: impl FnOnce(&mut Coordinator)) -> bool {
    let (mut bench, _) = Bench::discovering();
    let key = ObjectKey::Metadata { checkpoint: CheckpointId(1) };
    let mut outbox = QueuedOutbox::new();
    let operation = ObjectOperation::Put { key, bytes: Arc::new([]) };
    let (now, purpose) = (VirtualTime::from_ms(1), Purpose::WriteMetadata(key));
    bench.coordinator.object(now, purpose, operation, &mut outbox);
    bench.outputs.extend(outbox.drain());
    let request = bench.take(|message| match message {
        Message::ObjectStore { request, operation: ObjectOperation::Put { .. } } => Some(*request),
        _ => None,
    });
    end(&mut bench.coordinator);
    let (request, result) = (request.expect("it is written"), ObjectResult::Done);
    bench.receive(ProcessId::ObjectStore, Message::Answer(Answer::Object { request, result }));
    let deleted = bench.take(|message| match message {
        Message::ObjectStore { operation: ObjectOperation::Delete { key }, .. } => Some(*key),
        _ => None,
    });
    deleted == Some(key)
}

#[test]
fn metadata_that_lands_when_the_job_is_over_is_deleted() {
    assert!(is_deleted_when_late(|coordinator| coordinator.state = State::Stopped));
    assert!(is_deleted_when_late(|coordinator| {
        coordinator.farewell = Some(Attempt(1));
        coordinator.state = State::Finished;
    }));
    let is_deposed = |coordinator: &mut Coordinator| coordinator.state = State::Finished;
    assert!(!is_deleted_when_late(is_deposed), "its successor may need it");
}

#[test]
fn a_split_that_is_listed_is_discovered_and_assigned_to_who_waits() {
    let (mut bench, request) = Bench::discovering();
    let (operator, attempt, split) = (OperatorId(0), bench.record.attempt, SplitId(0));
    let subtask = SubtaskId(0);
    let expected = [
        Event::SplitDiscovered { operator, attempt, split },
        Event::SplitAssigned { subtask, attempt, split },
    ];
    assert_eq!(bench.list(request), expected);
    assert_eq!(bench.list(request), [], "the answer comes twice");
}

#[test]
fn a_deposed_coordinator_discovers_nothing() {
    let (mut bench, request) = Bench::discovering();
    bench.coordinator.state = State::Finished;
    assert_eq!(bench.list(request), []);
}

#[test]
fn between_two_attempts_nothing_is_assigned_and_what_is_discovered_is_of_the_last() {
    let (mut bench, request) = Bench::discovering();
    let (attempt, subtask) = (bench.record.attempt, SubtaskId(0));
    let reason = "it is lost".to_owned();
    let failed = ToCoordinator::SubtaskFailed { attempt, subtask, reason };
    bench.receive(ProcessId::Worker(0), Message::Coordinator(failed));
    bench.handle(Input::Timer(Timer::Coordinator(CoordinatorWakeUp::Restart)));
    bench.outputs.clear();
    assert_eq!(bench.coordinator.ledger.record().attempt, attempt);
    let discovered = Event::SplitDiscovered { operator: OperatorId(0), attempt, split: SplitId(0) };
    assert_eq!(bench.list(request), [discovered]);
}
