//! One task of an operator in a worker that is told everything by hand: what leaves it, in which order, and for when
//! it wants to be woken. Its source and its sink are elsewhere.

use std::sync::Arc;

use cutwater::cluster::message::{Answer, Deploy, ObjectOperation, ObjectResult, ToWorker};
use cutwater::cluster::worker::Worker;
use cutwater::cluster::{
    ClusterSettings, Delay, Input, Message, Output, Parcel, QueuedOutbox, TaskTimer, Timer,
};
use cutwater::dataflow::{
    Collector, Context, EncodedSink, Item, Job, JobBuilder, Operator, Payload, Record, Replay,
    StateDeclarations, ValueState,
};
use cutwater::protocol::{
    Attempt, Barrier, ChannelId, CheckpointId, DefectSet, Digest, Element, Incarnation, LineageId,
    ProcessId, SavepointMode, SnapshotHandle, SubtaskId, Term, VirtualTime,
};
use cutwater::trace::Event;

const HERE: u16 = 0;
const ELSEWHERE: u16 = 1;
const OPERATOR: SubtaskId = SubtaskId(1);
const INPUT: ChannelId = ChannelId(0);
const OUTPUT: ChannelId = ChannelId(1);
const CKPT: CheckpointId = CheckpointId(1);

/// What leaves the task, or happens in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Record,
    Watermark,
    Barrier,
    Cancel,
    End,
    Snapshot,
    /// It wants to be woken for its timers, so many milliseconds from now.
    Wake(u64),
}

/// A worker with the operator, in its first attempt unless it is restored.
struct Bench {
    worker: Worker,
    attempt: Attempt,
    now_ms: u64,
    sequence: u32,
    /// Everything since it was last asked.
    outputs: Vec<Output>,
}

impl Bench {
    fn new(job: Job) -> Self {
        let settings = Arc::new(ClusterSettings::default());
        let worker = Worker::new(HERE, settings, Arc::new(job), DefectSet::NONE);
        let (attempt, outputs) = (Attempt(1), Vec::new());
        let mut bench = Self { worker, attempt, now_ms: 0, sequence: 0, outputs };
        bench.handle(Input::Start(Incarnation(1)));
        bench.deploy(None);
        bench.run();
        bench
    }

    fn handle(&mut self, input: Input) {
        let mut outbox = QueuedOutbox::new();
        self.worker.handle(VirtualTime::from_ms(self.now_ms), input, &mut outbox);
        self.outputs.extend(outbox.drain());
    }

    fn receive(&mut self, message: Message) {
        self.handle(Input::Message { from: ProcessId::Coordinator, message });
    }

    fn deploy(&mut self, snapshot: Option<SnapshotHandle>) {
        let deploy = Deploy {
            attempt: self.attempt,
            term: Term(1),
            checkpoint: snapshot.map(|_| CKPT),
            placement: vec![ELSEWHERE, HERE, ELSEWHERE],
            // One of each subtask, of which it reads its own.
            snapshots: snapshot.map_or_else(Vec::new, |one| vec![one; 3]),
            unions: Vec::new(),
            shape: None,
        };
        self.receive(Message::Worker(ToWorker::Deploy {
            to: Incarnation(1),
            deploy: Arc::new(deploy),
        }));
    }

    /// It runs, and its receiver can take what it gives.
    fn run(&mut self) {
        let attempt = self.attempt;
        self.receive(Message::Worker(ToWorker::Run { attempt }));
        let message = Message::Worker(ToWorker::Credit { attempt, channel: OUTPUT, credits: 100 });
        self.handle(Input::Message { from: ProcessId::Worker(ELSEWHERE), message });
        self.outputs.clear();
    }

    fn give(&mut self, element: Element<Parcel>) {
        let (attempt, sequence) = (self.attempt, self.sequence);
        self.sequence += 1;
        let message =
            Message::Worker(ToWorker::Data { attempt, channel: INPUT, sequence, element });
        self.handle(Input::Message { from: ProcessId::Worker(ELSEWHERE), message });
    }

    fn give_record(&mut self, number: u64) {
        let payload = Payload::from_vec(postcard::to_stdvec(&number).unwrap());
        let record = Record { lineage: LineageId(number), timestamp: 0, payload };
        self.give(Element::Item(Parcel::Item(Item::Record(record))));
    }

    fn trigger(&mut self, barrier: Barrier) {
        self.receive(Message::Worker(ToWorker::Trigger { attempt: self.attempt, barrier }));
    }

    /// The mailbox comes to this barrier.
    fn mail(&mut self, barrier: Barrier) {
        let (subtask, attempt) = (OPERATOR, self.attempt);
        self.handle(Input::Timer(TaskTimer::Mail { barrier }.of(subtask, attempt)));
    }

    /// The checkpoint is given up.
    fn abort(&mut self) {
        let (attempt, checkpoint) = (self.attempt, CKPT);
        self.receive(Message::Worker(ToWorker::NotifyAborted { attempt, checkpoint }));
    }

    fn answer(&mut self, request: u64) {
        let (subtask, attempt) = (OPERATOR, self.attempt);
        self.handle(Input::Timer(TaskTimer::Answer { request }.of(subtask, attempt)));
    }

    /// The wake-up for timers comes, when the clock says this.
    fn wake_at(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
        let (subtask, attempt) = (OPERATOR, self.attempt);
        self.handle(Input::Timer(TaskTimer::Processing.of(subtask, attempt)));
    }

    /// What was seen since this was last asked.
    fn seen(&mut self) -> Vec<Seen> {
        std::mem::take(&mut self.outputs).iter().filter_map(seen).collect()
    }

    /// The snapshot is written, and the next attempt goes on from it.
    fn restart(&mut self) {
        let (subtask, attempt, checkpoint) = (OPERATOR, self.attempt, CKPT);
        self.handle(Input::Timer(TaskTimer::Upload { checkpoint }.of(subtask, attempt)));
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
        let handle = SnapshotHandle { subtask, key, digest: Digest::of(&bytes), bytes: length };
        self.attempt = Attempt(attempt.0 + 1);
        self.outputs.clear();
        self.deploy(Some(handle));
        let read = self.outputs.iter().find_map(|output| match output {
            Output::Send { message: Message::ObjectStore { request, .. }, .. } => Some(*request),
            _ => None,
        });
        let (request, result) = (read.expect("it is read"), ObjectResult::Read(bytes));
        self.receive(Message::Answer(Answer::Object { request, result }));
    }
}

fn seen(output: &Output) -> Option<Seen> {
    match output {
        Output::Send { message: Message::Worker(ToWorker::Data { element, .. }), .. } => {
            Some(match element {
                Element::Item(Parcel::Item(Item::Watermark(_))) => Seen::Watermark,
                Element::Item(_) => Seen::Record,
                Element::Barrier(_) => Seen::Barrier,
                Element::Cancel(_) => Seen::Cancel,
                Element::End => Seen::End,
            })
        }
        Output::SetTimer {
            after: Delay::Exactly(after),
            timer: Timer::Task { what: TaskTimer::Processing, .. },
        } => Some(Seen::Wake(u64::try_from(after.as_millis()).unwrap())),
        Output::Event(Event::SnapshotTaken(_)) => Some(Seen::Snapshot),
        _ => None,
    }
}

/// Asks a service for each number, twice at once at most.
fn asking() -> Bench {
    let builder = JobBuilder::new("asking");
    builder
        .source("numbers", Replay::<u64>::new(), 1, 1)
        .unordered_wait("ask", 1, 2, |number| [number])
        .transactional_sink("out", 1, EncodedSink::new());
    Bench::new(builder.build().unwrap())
}

fn drain() -> Barrier {
    Barrier::of_savepoint(CKPT, SavepointMode::Drain)
}

#[test]
fn the_cut_of_a_drain_waits_until_everything_that_was_asked_for_is_answered() {
    let mut bench = asking();
    bench.give_record(1);
    bench.give_record(2);
    bench.trigger(drain());
    bench.give(Element::End);
    bench.mail(drain());
    assert_eq!(bench.seen(), []);
    bench.answer(1);
    assert_eq!(bench.seen(), [Seen::Record], "the other is under way");
    bench.answer(0);
    let rest = [Seen::Record, Seen::Watermark, Seen::Barrier, Seen::Snapshot, Seen::End];
    assert_eq!(bench.seen(), rest);
}

#[test]
fn so_does_one_whose_barrier_comes_behind_other_operators() {
    let mut bench = asking();
    bench.give_record(1);
    bench.give(Element::Barrier(drain()));
    bench.answer(0);
    assert_eq!(bench.seen(), [], "a cut is due: nothing is emitted before its turn has come");
    bench.mail(drain());
    assert_eq!(bench.seen(), [Seen::Record, Seen::Barrier, Seen::Snapshot]);
}

#[test]
fn a_drain_that_fails_while_its_cut_waits_is_given_up_and_the_answers_are_awaited() {
    let mut bench = asking();
    bench.give_record(1);
    bench.trigger(drain());
    bench.give(Element::End);
    bench.mail(drain());
    bench.abort();
    assert_eq!(bench.seen(), [Seen::Cancel]);
    bench.answer(0);
    assert_eq!(bench.seen(), [Seen::Record, Seen::Watermark, Seen::End]);
}

#[test]
fn a_cut_that_was_given_up_lets_nothing_out_ahead_of_the_next() {
    let mut bench = asking();
    bench.give_record(1);
    bench.give(Element::Barrier(drain()));
    bench.mail(drain());
    bench.abort();
    let next = Barrier::in_order(CKPT.next());
    bench.give(Element::Barrier(next));
    bench.answer(0);
    assert_eq!(bench.seen(), [Seen::Cancel], "the turn of the next cut has not come");
    bench.mail(next);
    assert_eq!(bench.seen(), [Seen::Barrier, Seen::Snapshot, Seen::Record]);
}

#[test]
fn no_other_cut_waits_for_answers() {
    let stop = Barrier::of_savepoint(CKPT, SavepointMode::Stop);
    for (barrier, behind) in [(Barrier::in_order(CKPT), vec![Seen::Record]), (stop, Vec::new())] {
        let mut bench = asking();
        bench.give_record(1);
        bench.give(Element::Barrier(barrier));
        bench.mail(barrier);
        assert_eq!(bench.seen(), [Seen::Barrier, Seen::Snapshot]);
        bench.answer(0);
        assert_eq!(
            bench.seen(),
            behind,
            "behind the savepoint that the job stops at nothing is emitted"
        );
    }
}

/// Emits each number when the clock has gone so far: 20 ms, or 5 for numbers above 100.
#[derive(Clone)]
struct Later {
    number: ValueState<u64>,
}

impl Operator for Later {
    type In = u64;
    type Out = u64;

    fn process(&mut self, number: u64, ctx: &mut Context<'_>, _: &mut Collector<'_, u64>) {
        ctx.value(&self.number).set(&number);
        let wait_ms = if number > 100 { 5 } else { 20 };
        ctx.register_processing_timer(ctx.processing_time() + wait_ms);
    }

    fn on_processing_timer(&mut self, _: i64, ctx: &mut Context<'_>, out: &mut Collector<'_, u64>) {
        if let Some(number) = ctx.value(&self.number).get() {
            out.emit(number);
        }
    }
}

fn waiting() -> Bench {
    let builder = JobBuilder::new("waiting");
    builder
        .source("numbers", Replay::<u64>::new(), 1, 1)
        .key_by(|number| *number)
        .process("later", 1, |states: &mut StateDeclarations| Later {
            number: states.value("number"),
        })
        .transactional_sink("out", 1, EncodedSink::new());
    Bench::new(builder.build().unwrap())
}

#[test]
fn a_timer_fires_when_the_clock_of_the_worker_has_come_to_it() {
    let mut bench = waiting();
    bench.now_ms = 5;
    bench.give_record(1);
    assert_eq!(bench.seen(), [Seen::Wake(20)]);
    bench.wake_at(10);
    assert_eq!(bench.seen(), [Seen::Wake(15)], "the clock was set back: it is waited for on");
    bench.wake_at(24);
    assert_eq!(bench.seen(), [Seen::Wake(1)]);
    bench.wake_at(25);
    assert_eq!(bench.seen(), [Seen::Record]);
}

#[test]
fn the_first_timer_decides_when_it_is_woken_and_the_next_is_not_forgotten() {
    let mut bench = waiting();
    bench.give_record(1);
    assert_eq!(bench.seen(), [Seen::Wake(20)]);
    bench.give_record(2);
    assert_eq!(bench.seen(), [], "it will be awake then");
    bench.give_record(101);
    assert_eq!(bench.seen(), [Seen::Wake(5)]);
    bench.wake_at(5);
    assert_eq!(bench.seen(), [Seen::Record, Seen::Wake(15)]);
    bench.wake_at(20);
    assert_eq!(bench.seen(), [Seen::Record, Seen::Record]);
}

#[test]
fn a_timer_that_is_due_while_a_cut_waits_fires_behind_it() {
    let mut bench = waiting();
    bench.give_record(1);
    let barrier = Barrier::in_order(CKPT);
    bench.give(Element::Barrier(barrier));
    bench.wake_at(30);
    assert_eq!(bench.seen(), [Seen::Wake(20)], "the cut is here, and the snapshot is not");
    bench.mail(barrier);
    assert_eq!(bench.seen(), [Seen::Barrier, Seen::Snapshot, Seen::Record]);
}

#[test]
fn a_timer_that_is_due_behind_the_savepoint_that_the_job_stops_at_does_not_fire() {
    for mode in [SavepointMode::Stop, SavepointMode::Drain] {
        let mut bench = waiting();
        bench.give_record(1);
        let barrier = Barrier::of_savepoint(CKPT, mode);
        bench.give(Element::Barrier(barrier));
        bench.mail(barrier);
        bench.wake_at(30);
        assert_eq!(bench.seen(), [Seen::Wake(20), Seen::Barrier, Seen::Snapshot]);
    }
}

#[test]
fn a_restored_task_is_woken_for_the_timers_of_its_snapshot() {
    let mut bench = waiting();
    bench.give_record(1);
    let barrier = Barrier::in_order(CKPT);
    bench.give(Element::Barrier(barrier));
    bench.mail(barrier);
    bench.now_ms = 12;
    bench.restart();
    let attempt = bench.attempt;
    bench.receive(Message::Worker(ToWorker::Run { attempt }));
    assert_eq!(bench.seen(), [Seen::Wake(8)]);
    bench.run();
    bench.wake_at(20);
    assert_eq!(bench.seen(), [Seen::Record]);
}
