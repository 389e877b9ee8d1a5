use super::*;
use crate::cluster::Process;
use crate::cluster::io::{Output, QueuedOutbox};
use crate::cluster::message::{Answer, ToSinkTarget};
use crate::external::bucket::{BucketRequest, ObjectBucket};
use crate::external::{Caller, Request, Row, SystemOutputs};
use crate::protocol::{Incarnation, LineageId, OperatorId, VirtualTime};

/// A target and what it said last.
struct Bench {
    target: SinkTarget,
    timers: Vec<Timer>,
}

const SINK: SubtaskId = SubtaskId(3);

fn transaction(attempt: u32, number: u32) -> TransactionId {
    TransactionId { sink: SINK, attempt: Attempt(attempt), number }
}

impl Bench {
    /// Attempt 1 writes into its first transaction, and prepares it; it writes into its second.
    fn new() -> Self {
        let mut bench = Self { target: SinkTarget::new(DefectSet::NONE, None), timers: Vec::new() };
        bench.fence(1, &[]);
        bench.write(transaction(1, 0));
        assert_eq!(bench.prepare(transaction(1, 0)), Some(true));
        bench.write(transaction(1, 1));
        bench
    }

    fn handle(&mut self, input: Input) -> (Option<bool>, Vec<Event>) {
        let mut outbox = QueuedOutbox::new();
        self.target.handle(VirtualTime::ZERO, input, &mut outbox);
        let (mut answer, mut events) = (None, Vec::new());
        for output in outbox.drain() {
            match output {
                Output::Send {
                    message: Message::Answer(Answer::Sink { accepted, .. }), ..
                } => {
                    answer = Some(accepted);
                }
                Output::Event(event) => events.push(event),
                Output::SetTimer { timer, .. } => self.timers.push(timer),
                Output::Send { message, .. } => panic!("{message:?}"),
            }
        }
        (answer, events)
    }

    fn ask(&mut self, operation: SinkOperation) -> (Option<bool>, Vec<Event>) {
        let message =
            Message::SinkTarget(ToSinkTarget::Operation { request: RequestId(7), operation });
        self.handle(Input::Message { from: ProcessId::Worker(0), message })
    }

    fn write(&mut self, transaction: TransactionId) -> Vec<Event> {
        let payload = b"one"[..].into();
        let record = Record { lineage: LineageId(1), timestamp: 0, payload };
        let records = vec![record];
        let message = Message::SinkTarget(ToSinkTarget::Write {
            transaction,
            transactional: true,
            first: 0,
            records,
        });
        self.handle(Input::Message { from: ProcessId::Worker(0), message }).1
    }

    fn prepare(&mut self, transaction: TransactionId) -> Option<bool> {
        self.ask(SinkOperation::Prepare { transaction, records: 1 }).0
    }

    fn commit(&mut self, transaction: TransactionId) -> (Option<bool>, Vec<Event>) {
        self.ask(SinkOperation::Commit { transaction })
    }

    fn fence(&mut self, attempt: u32, keep: &[TransactionId]) -> (Option<bool>, Vec<Event>) {
        let (attempt, keep) = (Attempt(attempt), keep.to_vec());
        let (since, former) = (Attempt::default(), Vec::new());
        self.ask(SinkOperation::Fence { sink: SINK, attempt, keep, since, former })
    }

    fn turn(&mut self, fault: impl Into<Option<SinkFault>>) -> Vec<Event> {
        self.handle(Input::Trouble(Trouble::Sink(fault.into()))).1
    }
}

fn aborted(events: &[Event]) -> Vec<TransactionId> {
    let aborted = events.iter().filter_map(|event| match event {
        Event::TransactionAborted { transaction } => Some(*transaction),
        _ => None,
    });
    aborted.collect()
}

fn committed(events: &[Event]) -> bool {
    events.iter().any(|event| matches!(event, Event::TransactionCommitted { .. }))
}

#[test]
fn only_what_is_open_times_out_and_takes_nothing_more() {
    let mut bench = Bench::new();
    let events = bench.turn(SinkFault::TransactionTimeout);
    assert_eq!(aborted(&events), [transaction(1, 1)]);
    let refused = Event::ProducerRefused { transaction: transaction(1, 1) };
    assert_eq!(bench.write(transaction(1, 1)), [refused]);
    assert_eq!(bench.prepare(transaction(1, 1)), Some(false), "its records are missing");
    assert!(committed(&bench.commit(transaction(1, 0)).1), "what was prepared was promised");
}

#[test]
fn a_fenced_producer_is_refused_until_a_later_attempt_comes() {
    let mut bench = Bench::new();
    bench.turn(SinkFault::FencedProducer);
    bench.turn(None);
    bench.turn(SinkFault::FencedProducer);
    assert_eq!(bench.prepare(transaction(1, 1)), Some(false));
    assert_eq!(bench.fence(2, &[]).0, Some(false), "twice raised");
    assert_eq!(bench.fence(3, &[transaction(1, 0)]).0, Some(true));
    assert!(committed(&bench.commit(transaction(1, 0)).1));
    bench.write(transaction(3, 0));
    assert_eq!(bench.prepare(transaction(3, 0)), Some(true));
}

#[test]
fn a_late_commit_is_one_commit_however_often_it_is_asked_for() {
    let mut bench = Bench::new();
    bench.turn(SinkFault::DelayedCommit { extra_ms: 5 });
    assert_eq!(bench.commit(transaction(1, 0)), (None, Vec::new()));
    assert_eq!(bench.commit(transaction(1, 0)), (None, Vec::new()), "it is under way");
    let timer = bench.timers.pop().expect("it has a time");
    assert!(bench.timers.is_empty());
    let (answer, events) = bench.handle(Input::Timer(timer));
    assert!(answer == Some(true) && committed(&events));
    assert_eq!(bench.handle(Input::Timer(timer)), (None, Vec::new()));
}

#[test]
fn late_commits_are_not_later_than_the_recovery() {
    let mut bench = Bench::new();
    bench.turn(SinkFault::DelayedCommit { extra_ms: u64::MAX });
    bench.commit(transaction(1, 0));
    assert!(committed(&bench.turn(None)));
}

#[test]
fn a_hanging_transaction_is_neither_aborted_nor_committed_until_the_recovery() {
    let mut bench = Bench::new();
    bench.turn(SinkFault::HangingTransaction);
    let (accepted, events) = bench.fence(2, &[]);
    assert_eq!((accepted, aborted(&events)), (Some(true), Vec::new()));
    assert_eq!(bench.commit(transaction(1, 0)), (Some(false), Vec::new()));
    let both = [transaction(1, 0), transaction(1, 1)];
    assert_eq!(aborted(&bench.turn(None)), both);
}

#[test]
fn what_is_refused_stays_prepared_and_what_is_committed_is_not_refused() {
    let mut bench = Bench::new();
    assert!(committed(&bench.commit(transaction(1, 0)).1));
    bench.prepare(transaction(1, 1));
    bench.turn(SinkFault::RefusedCommit);
    assert_eq!(bench.commit(transaction(1, 1)), (Some(false), Vec::new()));
    assert_eq!(bench.commit(transaction(1, 0)), (Some(true), Vec::new()), "it is done already");
    bench.turn(None);
    assert!(committed(&bench.commit(transaction(1, 1)).1));
}

#[test]
fn what_is_prepared_expires_and_can_be_neither_committed_nor_prepared_again() {
    let mut bench = Bench::new();
    let events = bench.turn(SinkFault::ExpiredTransaction);
    assert_eq!(aborted(&events), [transaction(1, 0)], "what is open stays");
    assert_eq!(bench.commit(transaction(1, 0)), (Some(false), Vec::new()));
    assert_eq!(bench.prepare(transaction(1, 0)), Some(false));
    assert_eq!(bench.prepare(transaction(1, 1)), Some(true));
}

/// What it was asked for dies with it; what was prepared does not.
#[test]
fn a_target_that_is_down_carries_out_nothing_that_it_had_delayed() {
    let mut bench = Bench::new();
    bench.turn(SinkFault::DelayedCommit { extra_ms: 5 });
    bench.commit(transaction(1, 0));
    let mut process = Process::SinkTarget(bench.target);
    let healthy = Trouble::Sink(None);
    let events: Vec<_> = process.handle_trouble_while_down(VirtualTime::ZERO, healthy).collect();
    assert_eq!(events, [Event::SinkRecovered]);
    let Process::SinkTarget(target) = process else { panic!("it is a sink target") };
    let mut bench = Bench { target, timers: Vec::new() };
    assert_eq!(aborted(&bench.handle(Input::Start(Incarnation(1))).1), [transaction(1, 1)]);
    assert!(committed(&bench.commit(transaction(1, 0)).1));
}

/// What a trouble brings about in the system that is hosted has a reason in the trace.
#[test]
fn a_trouble_is_told_before_what_it_brings_about() {
    let mut bucket = ObjectBucket::new();
    let mut ask = |request: &BucketRequest| {
        let bytes = postcard::to_stdvec(request).expect("plain data");
        let caller = Caller { process: ProcessId::Worker(0), request: None };
        let mut out = SystemOutputs::new(VirtualTime::ZERO);
        bucket.handle_request(Request { caller, bytes: &bytes }, &mut out);
    };
    ask(&BucketRequest::Create { key: "a".to_owned() });
    let row = Row { operator: OperatorId(1), lineage: LineageId(1), payload: Vec::new() };
    ask(&BucketRequest::Upload { upload: 1, part: 0, rows: vec![row] });
    let target = SinkTarget::new(DefectSet::NONE, Some(Box::new(bucket)));
    let mut bench = Bench { target, timers: Vec::new() };
    let events = bench.turn(SinkFault::ExpiredTransaction);
    let told = matches!(events[..], [Event::SinkTroubled { .. }, Event::OutputExpired { .. }]);
    assert!(told, "{events:?}");
}
