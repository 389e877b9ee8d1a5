//! One task of a source with discovered splits, in a worker that is told everything by hand: what it fetches, what it
//! commits, and when it lets go of a split that it has read to its end. Its sink is elsewhere.

use std::sync::Arc;

use cutwater::cluster::message::{
    Answer, Deploy, Fetched, ObjectOperation, ObjectResult, ToCoordinator, ToSourceLog, ToWorker,
};
use cutwater::cluster::worker::Worker;
use cutwater::cluster::{
    ClusterSettings, Input, Message, Output, QueuedOutbox, RequestId, TaskTimer,
};
use cutwater::dataflow::{
    CompletedSource, EncodedSink, Entry, JobBuilder, Replay, Source, SourceCollector,
};
use cutwater::protocol::{
    Attempt, Barrier, ChannelId, CheckpointId, DefectSet, Digest, Incarnation, ProcessId,
    SavepointMode, SnapshotHandle, SplitEvent, SplitId, SubtaskId, Term, VirtualTime,
};
use cutwater::trace::{Event, SplitPosition};

const HERE: u16 = 0;
const ELSEWHERE: u16 = 1;
const SOURCE: SubtaskId = SubtaskId(0);
const SPLIT: SplitId = SplitId(0);
const ONE: CheckpointId = CheckpointId(1);
const TWO: CheckpointId = CheckpointId(2);

/// What the task does with its splits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    Fetch(u64),
    /// It has nothing to read.
    Ask,
    /// It took a snapshot, with the next entry at this offset.
    Freeze(u64),
    Commit(u64),
    Release,
}

/// A worker with the source, in its first attempt unless it is restored.
#[derive(Clone)]
struct Bench {
    worker: Worker,
    attempt: Attempt,
    /// Everything since it was last asked.
    outputs: Vec<Output>,
}

impl Bench {
    /// It reads as fast as it can.
    fn new<S: Source<Out = u64>>(source: S) -> Self {
        Self::paced(source, 0)
    }

    /// It reads once, and then when its pace allows.
    fn paced<S: Source<Out = u64>>(source: S, source_interval_us: u64) -> Self {
        let builder = JobBuilder::new("shards");
        let numbers = builder.source_discovered("numbers", source, 1, 2);
        numbers.transactional_sink("out", 1, EncodedSink::new());
        let settings = ClusterSettings { source_interval_us, ..ClusterSettings::default() };
        let job = Arc::new(builder.build().unwrap());
        let worker = Worker::new(HERE, Arc::new(settings), job, DefectSet::NONE);
        let mut bench = Self { worker, attempt: Attempt(1), outputs: Vec::new() };
        bench.handle(Input::Start(Incarnation(1)));
        bench.deploy(None);
        bench.run();
        bench
    }

    /// One that has read three entries of a split, of so many.
    fn with_split_of(split_end: u64) -> Self {
        Self::new(Replay::<u64>::new()).having_read(split_end)
    }

    fn having_read(mut self, split_end: u64) -> Self {
        let (attempt, subtask) = (self.attempt, SOURCE);
        let event = SplitEvent::Assign(SPLIT);
        self.receive(Message::Worker(ToWorker::TellReader { attempt, subtask, number: 0, event }));
        self.fetch(split_end);
        self.outputs.clear();
        self
    }

    /// What it has asked for comes: the first three entries.
    fn fetch(&mut self, split_end: u64) {
        let request = self.request(|message| match message {
            Message::SourceLog(ToSourceLog::Fetch { request, .. }) => Some(*request),
            _ => None,
        });
        let entries = [1, 2, 3].map(|number| Replay::<u64>::entry(&number));
        let mut fetched = Fetched {
            request: request.expect("the split is fetched"),
            split: SPLIT,
            requested: 0,
            offset: 0,
            bytes: Vec::new(),
            ends: Vec::new(),
            split_end,
        };
        for entry in &entries {
            fetched.bytes.extend(entry);
            fetched.ends.push(u32::try_from(fetched.bytes.len()).unwrap());
        }
        self.receive(Message::Answer(Answer::Fetched(Box::new(fetched))));
    }

    fn handle(&mut self, input: Input) {
        let mut outbox = QueuedOutbox::new();
        self.worker.handle(VirtualTime::ZERO, input, &mut outbox);
        self.outputs.extend(outbox.drain());
    }

    fn receive(&mut self, message: Message) {
        self.handle(Input::Message { from: ProcessId::Coordinator, message });
    }

    fn deploy(&mut self, snapshot: Option<SnapshotHandle>) {
        let deploy = Deploy {
            attempt: self.attempt,
            term: Term(1),
            checkpoint: snapshot.map(|_| ONE),
            placement: vec![HERE, ELSEWHERE],
            // One of each subtask, of which it reads its own.
            snapshots: snapshot.map_or_else(Vec::new, |one| vec![one; 2]),
            unions: Vec::new(),
            shape: None,
        };
        let (to, deploy) = (Incarnation(1), Arc::new(deploy));
        self.receive(Message::Worker(ToWorker::Deploy { to, deploy }));
    }

    /// It runs, and its receiver can take what it gives.
    fn run(&mut self) {
        let (attempt, channel) = (self.attempt, ChannelId(0));
        self.receive(Message::Worker(ToWorker::Run { attempt }));
        let message = Message::Worker(ToWorker::Credit { attempt, channel, credits: 100 });
        self.handle(Input::Message { from: ProcessId::Worker(ELSEWHERE), message });
    }

    /// The request among the outputs that this finds.
    fn request(&self, found: impl Fn(&Message) -> Option<RequestId>) -> Option<RequestId> {
        self.outputs.iter().find_map(|output| match output {
            Output::Send { message, .. } => found(message),
            _ => None,
        })
    }

    fn snapshot(&mut self, barrier: Barrier) {
        let (attempt, checkpoint) = (self.attempt, barrier.checkpoint);
        self.receive(Message::Worker(ToWorker::Trigger { attempt, barrier }));
        self.handle(Input::Timer(TaskTimer::Mail { barrier }.of(SOURCE, attempt)));
        self.handle(Input::Timer(TaskTimer::Upload { checkpoint }.of(SOURCE, attempt)));
    }

    fn complete(&mut self, checkpoint: CheckpointId) {
        let attempt = self.attempt;
        self.receive(Message::Worker(ToWorker::NotifyComplete { attempt, checkpoint }));
    }

    /// The next attempt goes on from the snapshot that was written.
    fn restart(&mut self) {
        let put =
            self.outputs.iter().find_map(|output| match output {
                Output::Send {
                    message:
                        Message::ObjectStore { operation: ObjectOperation::Put { key, bytes }, .. },
                    ..
                } => Some((*key, Arc::clone(bytes))),
                _ => None,
            });
        let (key, bytes) = put.expect("the snapshot is written");
        let length = bytes.len() as u64;
        let digest = Digest::of(&bytes);
        let handle = SnapshotHandle { subtask: SOURCE, key, digest, bytes: length };
        self.attempt = Attempt(self.attempt.0 + 1);
        self.outputs.clear();
        self.deploy(Some(handle));
        let request = self.request(|message| match message {
            Message::ObjectStore { request, .. } => Some(*request),
            _ => None,
        });
        let (request, result) = (request.expect("it is read"), ObjectResult::Read(bytes));
        self.receive(Message::Answer(Answer::Object { request, result }));
        self.run();
    }

    /// What was done since this was last asked.
    fn done(&mut self) -> Vec<Done> {
        let done = std::mem::take(&mut self.outputs).iter().filter_map(done).collect::<Vec<_>>();
        done.into_iter().filter(|done| !matches!(done, Done::Freeze(_))).collect()
    }

    /// Where it stood in the snapshots that it took since this was last asked.
    fn frozen(&mut self) -> Vec<u64> {
        let done = std::mem::take(&mut self.outputs).iter().filter_map(done).collect::<Vec<_>>();
        let offset = |done| match done {
            Done::Freeze(offset) => Some(offset),
            Done::Fetch(_) | Done::Ask | Done::Commit(_) | Done::Release => None,
        };
        done.into_iter().filter_map(offset).collect()
    }
}

fn done(output: &Output) -> Option<Done> {
    match output {
        Output::Send { message: Message::SourceLog(message), .. } => match message {
            ToSourceLog::Fetch { offset, .. } => Some(Done::Fetch(*offset)),
            ToSourceLog::CommitOffset { offset, .. } => Some(Done::Commit(*offset)),
            ToSourceLog::ListSplits { .. } => None,
        },
        Output::Send {
            message: Message::Coordinator(ToCoordinator::RequestSplit { .. }), ..
        } => Some(Done::Ask),
        Output::Event(Event::SnapshotTaken(taken)) => {
            Some(Done::Freeze(taken.positions.first().map_or(0, |at| at.offset)))
        }
        Output::Event(Event::SplitReleased { .. }) => Some(Done::Release),
        _ => None,
    }
}

#[test]
fn a_split_that_had_ended_is_not_fetched_again_and_a_reader_that_has_no_other_asks() {
    let mut bench = Bench::with_split_of(3);
    bench.snapshot(Barrier::in_order(ONE));
    bench.restart();
    assert_eq!(bench.done(), [Done::Ask]);
}

#[test]
fn a_split_that_had_not_ended_is_fetched_from_where_it_stood() {
    let mut bench = Bench::with_split_of(4);
    bench.snapshot(Barrier::in_order(ONE));
    bench.restart();
    assert_eq!(bench.done(), [Done::Fetch(3)]);
}

#[test]
fn a_split_is_released_when_its_end_was_committed_twice_since_one_commit_may_be_lost() {
    let mut bench = Bench::with_split_of(3);
    bench.outputs.clear();
    bench.snapshot(Barrier::in_order(ONE));
    bench.complete(ONE);
    assert_eq!(bench.done(), [Done::Commit(3)]);
    bench.complete(ONE);
    assert_eq!(bench.done(), [], "told again");
    bench.snapshot(Barrier::in_order(TWO));
    bench.complete(TWO);
    assert_eq!(bench.done(), [Done::Commit(3), Done::Release]);
}

#[test]
fn a_drain_lets_go_of_what_was_read_to_its_end_and_of_nothing_that_it_cut_short() {
    let drain = Barrier::of_savepoint(ONE, SavepointMode::Drain);
    for (split_end, expected) in [(3, vec![Done::Release]), (4, Vec::new())] {
        let mut bench = Bench::with_split_of(split_end);
        bench.snapshot(drain);
        bench.complete(ONE);
        bench.snapshot(Barrier::in_order(TWO));
        bench.complete(TWO);
        let mut done = bench.done();
        done.retain(|done| *done == Done::Release);
        assert_eq!(done, expected, "of {split_end} entries three were read");
    }
}

/// Needs all of what it has read once more after a restore.
#[derive(Clone, Default)]
struct Needy(Replay<u64>);

impl Source for Needy {
    type Out = u64;
    type State = ();

    fn read(&mut self, entry: Entry<'_>, out: &mut SourceCollector<'_, u64>) {
        self.0.read(entry, out);
    }

    fn snapshot(&self) {}

    fn restore(&mut self, (): ()) {}

    fn on_checkpoint_complete(&mut self, held: CompletedSource<'_, ()>) -> Vec<SplitPosition> {
        held.positions.iter().map(|at| SplitPosition { offset: 0, ..*at }).collect()
    }
}

#[test]
fn a_split_of_which_its_source_needs_entries_is_kept() {
    let mut bench = Bench::new(Needy::default()).having_read(3);
    bench.outputs.clear();
    for checkpoint in [ONE, TWO] {
        bench.snapshot(Barrier::in_order(checkpoint));
        bench.complete(checkpoint);
    }
    assert_eq!(bench.done(), [Done::Commit(0), Done::Commit(0)]);
}

/// Emits each number twice, and pauses in between.
#[derive(Clone, Default)]
struct Halved(Replay<u64>);

impl Source for Halved {
    type Out = u64;
    type State = ();

    fn read(&mut self, entry: Entry<'_>, out: &mut SourceCollector<'_, u64>) {
        self.0.read(entry, out);
        if out.emitted() == 1 {
            out.pause();
        }
    }

    fn snapshot(&self) {}

    fn restore(&mut self, (): ()) {}
}

#[test]
fn a_drain_cuts_no_entry_in_two_and_waits_for_one_that_has_to_be_fetched_again() {
    let mut bench = Bench::paced(Halved::default(), 1_000).having_read(4);
    bench.snapshot(Barrier::in_order(ONE));
    let mut amid = bench.clone();
    amid.outputs.clear();
    amid.snapshot(Barrier::of_savepoint(TWO, SavepointMode::Drain));
    assert_eq!(amid.frozen(), [1], "the rest of the entry is here, and is read");
    bench.restart();
    bench.snapshot(Barrier::of_savepoint(TWO, SavepointMode::Drain));
    let mut given_up = bench.clone();
    assert!(given_up.frozen().is_empty(), "half of the first entry was read");
    bench.fetch(4);
    assert_eq!(bench.frozen(), [1]);
    let (attempt, checkpoint) = (given_up.attempt, TWO);
    given_up.receive(Message::Worker(ToWorker::NotifyAborted { attempt, checkpoint }));
    let three = CheckpointId(3);
    given_up.snapshot(Barrier::in_order(three));
    assert_eq!(given_up.frozen(), [0], "nothing waits for the entry any more");
}
