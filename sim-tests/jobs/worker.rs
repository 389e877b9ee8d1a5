//! What a worker does with messages that come late, twice, or to another life of it.
//!
//! Two of these rules were broken once: generated jobs under late deployments found an attempt that ran
//! twice, and a crash after the end of a source with several splits found one that ended twice.

use std::sync::Arc;

use cutwater::cluster::message::{
    Answer, Deploy, Fetched, ObjectOperation, ObjectResult, ToCoordinator, ToSourceLog, ToWorker,
};
use cutwater::cluster::worker::Worker;
use cutwater::cluster::{Input, Message, Output, QueuedOutbox, TaskTimer, Timer};
use cutwater::dataflow::Replay;
use cutwater::dataflow::{EncodedSink, Job, JobBuilder};
use cutwater::explore::Experiments;
use cutwater::plan::scenario;
use cutwater::protocol::{
    Attempt, Barrier, CheckpointId, DefectSet, Digest, Incarnation, ProcessId, SnapshotHandle,
    SubtaskId, Term, VirtualTime,
};
use cutwater::trace::Event;

/// A worker that hosts a source with two empty splits; the sink is elsewhere.
struct Bench {
    worker: Worker,
}

const HERE: u16 = 0;
const ELSEWHERE: u16 = 1;

fn job() -> Arc<Job> {
    let builder = JobBuilder::new("pair");
    builder.source("numbers", Replay::<u64>::new(), 1, 2).at_least_once_sink(
        "out",
        1,
        EncodedSink::new(),
    );
    Arc::new(builder.build().expect("two operators make a job"))
}

fn deploy(attempt: u32, snapshot: Option<SnapshotHandle>) -> Arc<Deploy> {
    let checkpoint = snapshot.map(|_| CheckpointId(1));
    Arc::new(Deploy {
        attempt: Attempt(attempt),
        term: Term(1),
        checkpoint,
        placement: vec![HERE, ELSEWHERE],
        snapshots: snapshot.into_iter().collect(),
        unions: Vec::new(),
        shape: None,
    })
}

impl Bench {
    fn new() -> Self {
        let relay = scenario::built_in().into_iter().next().expect("there is a first scenario");
        let plan = Experiments::new().draw(&relay, 1, DefectSet::NONE).expect("it can be drawn");
        let worker = Worker::new(HERE, Arc::new(plan.cluster), job(), DefectSet::NONE);
        let mut bench = Self { worker };
        bench.handle(Input::Start(Incarnation(1)));
        bench
    }

    fn handle(&mut self, input: Input) -> Vec<Output> {
        self.handle_at(VirtualTime::from_ms(1), input)
    }

    fn handle_at(&mut self, now: VirtualTime, input: Input) -> Vec<Output> {
        let mut outbox = QueuedOutbox::new();
        self.worker.handle(now, input, &mut outbox);
        outbox.drain().collect()
    }

    fn receive(&mut self, message: Message) -> Vec<Output> {
        self.handle(Input::Message { from: ProcessId::Coordinator, message })
    }

    fn deploy(&mut self, to: u32, deploy: Arc<Deploy>) -> Vec<Output> {
        self.receive(Message::Worker(ToWorker::Deploy { to: Incarnation(to), deploy }))
    }

    /// Answers every fetch of these outputs: the split is empty.
    fn answer_fetches(&mut self, outputs: &[Output]) -> Vec<Output> {
        let fetches = outputs.iter().filter_map(|output| match output {
            Output::Send {
                message: Message::SourceLog(ToSourceLog::Fetch { request, split, offset, .. }),
                ..
            } => Some(Fetched {
                request: *request,
                split: *split,
                requested: *offset,
                offset: *offset,
                bytes: Vec::new(),
                ends: Vec::new(),
                split_end: 0,
            }),
            _ => None,
        });
        let fetches: Vec<_> = fetches.collect();
        fetches
            .into_iter()
            .flat_map(|fetched| self.receive(Message::Answer(Answer::Fetched(Box::new(fetched)))))
            .collect()
    }
}

fn restored(outputs: &[Output]) -> usize {
    let restored = |output: &&Output| matches!(output, Output::Event(Event::Restored(_)));
    outputs.iter().filter(restored).count()
}

fn ended(outputs: &[Output]) -> usize {
    let ended = |output: &&Output| matches!(output, Output::Event(Event::SubtaskEnded { .. }));
    outputs.iter().filter(ended).count()
}

#[test]
fn a_deployment_that_comes_after_its_cancellation_runs_nothing() {
    let mut bench = Bench::new();
    assert_eq!(restored(&bench.deploy(1, deploy(3, None))), 1, "the deployment is taken");
    bench.receive(Message::Worker(ToWorker::Cancel { attempt: Attempt(3) }));
    assert_eq!(restored(&bench.deploy(1, deploy(3, None))), 0, "its late copy is not");
    assert_eq!(restored(&bench.deploy(1, deploy(2, None))), 0, "nor is an older one");
    assert_eq!(restored(&bench.deploy(1, deploy(4, None))), 1, "the next attempt is");
}

#[test]
fn a_deployment_after_a_cancellation_that_came_first_runs_nothing() {
    let mut bench = Bench::new();
    bench.receive(Message::Worker(ToWorker::Cancel { attempt: Attempt(3) }));
    assert_eq!(restored(&bench.deploy(1, deploy(3, None))), 0, "it was cancelled before it came");
}

#[test]
fn a_deployment_meant_for_an_earlier_life_runs_nothing() {
    let mut bench = Bench::new();
    assert_eq!(restored(&bench.deploy(0, deploy(3, None))), 0, "life 0 is over");
    assert_eq!(restored(&bench.deploy(1, deploy(3, None))), 1, "life 1 is this one");
}

#[test]
fn a_repeated_deployment_is_answered_but_not_restored_again() {
    let mut bench = Bench::new();
    bench.deploy(1, deploy(3, None));
    let again = bench.deploy(1, deploy(3, None));
    let ready = |output: &Output| {
        matches!(
            output,
            Output::Send { message: Message::Coordinator(ToCoordinator::Ready(_)), .. }
        )
    };
    assert_eq!(restored(&again), 0, "it holds its state already");
    assert!(again.iter().any(ready), "the first answer may have been lost");
}

/// The snapshot of a source that has ended, as the worker puts it into the store.
fn snapshot_after_the_end(bench: &mut Bench) -> (SnapshotHandle, Arc<[u8]>) {
    bench.deploy(1, deploy(1, None));
    let outputs = bench.receive(Message::Worker(ToWorker::Run { attempt: Attempt(1) }));
    assert_eq!(ended(&bench.answer_fetches(&outputs)), 1, "both splits are empty");
    let (subtask, attempt, checkpoint) = (SubtaskId(0), Attempt(1), CheckpointId(1));
    let barrier = Barrier::in_order(checkpoint);
    bench.receive(Message::Worker(ToWorker::Trigger { attempt, barrier }));
    bench.handle(Input::Timer(TaskTimer::Mail { barrier }.of(subtask, attempt)));
    let outputs = bench.handle(Input::Timer(TaskTimer::Upload { checkpoint }.of(subtask, attempt)));
    let put = outputs.into_iter().find_map(|output| match output {
        Output::Send {
            message: Message::ObjectStore { operation: ObjectOperation::Put { key, bytes }, .. },
            ..
        } => Some((key, bytes)),
        _ => None,
    });
    let (key, bytes) = put.expect("the snapshot is uploaded");
    let handle =
        SnapshotHandle { subtask, key, digest: Digest::of(&bytes), bytes: bytes.len() as u64 };
    (handle, bytes)
}

#[test]
fn a_source_restored_after_its_end_ends_once() {
    let mut bench = Bench::new();
    let (handle, bytes) = snapshot_after_the_end(&mut bench);
    let outputs = bench.deploy(1, deploy(2, Some(handle)));
    let request = outputs.iter().find_map(|output| match output {
        Output::Send { message: Message::ObjectStore { request, .. }, .. } => Some(*request),
        _ => None,
    });
    let request = request.expect("the snapshot is read");
    let result = ObjectResult::Read(bytes);
    assert_eq!(restored(&bench.receive(Message::Answer(Answer::Object { request, result }))), 1);
    let outputs = bench.receive(Message::Worker(ToWorker::Run { attempt: Attempt(2) }));
    assert_eq!(ended(&outputs), 1, "it says its end once an attempt");
    assert!(bench.answer_fetches(&outputs).is_empty(), "and fetches nothing");
}

#[test]
fn a_snapshot_with_other_bytes_than_acknowledged_is_asked_for_again() {
    let mut bench = Bench::new();
    let (handle, bytes) = snapshot_after_the_end(&mut bench);
    let outputs = bench.deploy(1, deploy(2, Some(handle)));
    let request = outputs.iter().find_map(|output| match output {
        Output::Send { message: Message::ObjectStore { request, .. }, .. } => Some(*request),
        _ => None,
    });
    let mut torn = bytes.to_vec();
    torn.pop();
    let result = ObjectResult::Read(torn.into());
    let outputs =
        bench.receive(Message::Answer(Answer::Object { request: request.expect("read"), result }));
    assert_eq!(restored(&outputs), 0, "nothing starts from a torn snapshot");
    let read = |output: &&Output| {
        let Output::Send { message: Message::ObjectStore { operation, .. }, .. } = output else {
            return false;
        };
        *operation == ObjectOperation::Get { key: handle.key }
    };
    let outputs = bench.handle_at(VirtualTime::from_ms(10_000), Input::Timer(Timer::Retry));
    assert_eq!(outputs.iter().filter(read).count(), 1, "it is asked for again, in its time");
}
