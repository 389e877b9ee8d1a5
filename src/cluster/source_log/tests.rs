use std::time::Duration;

use super::*;
use crate::cluster::io::{Delay, Output, QueuedOutbox};
use crate::cluster::message::{Answer, ToSourceLog};
use crate::protocol::{Incarnation, Listing};

fn log() -> SourceLog {
    let entry = |text: &str| text.as_bytes().to_vec();
    let splits = vec![vec![entry("a"), entry("b"), entry("c")], vec![entry("x")]];
    SourceLog::new(Arc::new(dataflow::Input::new(splits)), None)
}

fn hand(log: &mut SourceLog, input: Input) -> (Vec<Fetched>, Vec<Event>) {
    let (mut answers, mut events) = (Vec::new(), Vec::new());
    let mut outbox = QueuedOutbox::new();
    log.handle(VirtualTime::ZERO, input, &mut outbox);
    for output in outbox.drain() {
        match output {
            Output::Send { message: Message::Answer(Answer::Fetched(fetched)), .. } => {
                answers.push(*fetched)
            }
            Output::Event(event) => events.push(event),
            other => panic!("{other:?}"),
        }
    }
    (answers, events)
}

fn fetch(log: &mut SourceLog, request: u64, split: u16, offset: u64) -> Vec<Fetched> {
    let (request, split) = (RequestId(request), SplitId(split));
    let (attempt, entries_max) = (Attempt(1), 2);
    let message =
        Message::SourceLog(ToSourceLog::Fetch { request, attempt, split, offset, entries_max });
    hand(log, Input::Message { from: ProcessId::Worker(0), message }).0
}

fn trouble(log: &mut SourceLog, is_idle: bool) -> (Vec<Fetched>, Vec<Event>) {
    hand(log, Input::Trouble(Trouble::Split { split: SplitId(0), is_idle }))
}

#[test]
fn an_idle_split_answers_when_it_goes_on() {
    let mut log = log();
    assert_eq!(trouble(&mut log, true).1, [Event::SplitIdle { split: SplitId(0) }]);
    assert_eq!(fetch(&mut log, 1, 0, 0), []);
    assert_eq!(fetch(&mut log, 1, 0, 0), [], "asked again");
    assert_eq!(fetch(&mut log, 2, 1, 0).len(), 1, "the other split gives what it has");
    let (answers, events) = trouble(&mut log, false);
    assert_eq!(events, [Event::SplitResumed { split: SplitId(0) }]);
    assert_eq!(answers.len(), 1, "once, however often it was asked");
    assert_eq!((answers[0].request, answers[0].bytes.as_slice()), (RequestId(1), &b"ab"[..]));
    assert_eq!(fetch(&mut log, 3, 0, 2).len(), 1);
}

#[test]
fn idleness_is_told_once_and_only_of_splits_there_are() {
    let mut log = log();
    assert_eq!(trouble(&mut log, false).1, []);
    trouble(&mut log, true);
    assert_eq!(trouble(&mut log, true).1, []);
    let nowhere = Trouble::Split { split: SplitId(9), is_idle: true };
    assert_eq!(hand(&mut log, Input::Trouble(nowhere)).1, []);
}

/// A log of the same content: the second split comes up after 30 ms, and what is consumed stays for 5.
fn growing() -> SourceLog {
    let entry = |text: &str| text.as_bytes().to_vec();
    let splits = vec![vec![entry("a"), entry("b"), entry("c")], vec![entry("x")]];
    let discovery = DiscoverySettings { interval_ms: 10, appears_ms: vec![0, 30], retained_ms: 5 };
    SourceLog::new(Arc::new(dataflow::Input::new(splits)), Some(discovery))
}

fn outputs(log: &mut SourceLog, at_ms: u64, input: Input) -> Vec<Output> {
    let mut outbox = QueuedOutbox::new();
    log.handle(VirtualTime::from_us(at_ms * 1_000), input, &mut outbox);
    outbox.drain().collect()
}

fn listed(log: &mut SourceLog) -> Listing {
    let message = Message::SourceLog(ToSourceLog::ListSplits { request: RequestId(1) });
    let from = ProcessId::Coordinator;
    match &outputs(log, 0, Input::Message { from, message })[..] {
        [Output::Send { message: Message::Answer(Answer::SplitsListed { listing, .. }), .. }] => {
            (**listing).clone()
        }
        other => panic!("{other:?}"),
    }
}

fn listing(there: &[u16], removed: &[u16], is_complete: bool) -> Listing {
    let splits = |of: &[u16]| of.iter().copied().map(SplitId).collect();
    Listing { there: splits(there), removed: splits(removed), is_complete }
}

fn wake(after_ms: u64, split: u16) -> Output {
    let after = Delay::Exactly(Duration::from_millis(after_ms));
    Output::SetTimer { after, timer: Timer::Split(SplitId(split)) }
}

#[test]
fn a_split_comes_up_in_its_time_also_in_a_log_that_starts_late() {
    let mut log = growing();
    let start = |log: &mut SourceLog, at_ms| outputs(log, at_ms, Input::Start(Incarnation(0)));
    assert_eq!(start(&mut log, 0), [wake(0, 0), wake(30, 1)]);
    outputs(&mut log, 0, Input::Timer(Timer::Split(SplitId(0))));
    assert_eq!(start(&mut log, 20), [wake(10, 1)]);
    assert_eq!(listed(&mut log), listing(&[0], &[], false));
    let due = outputs(&mut log, 30, Input::Timer(Timer::Split(SplitId(1))));
    assert_eq!(due, [Output::Event(Event::SplitAppeared { split: SplitId(1) })]);
    assert_eq!(listed(&mut log), listing(&[0, 1], &[], true));
    trouble(&mut log, true);
    assert_eq!(listed(&mut log), listing(&[1], &[], false), "it may be back");
}

#[test]
fn of_a_split_that_has_not_come_up_nothing_is_heard() {
    let mut log = growing();
    assert_eq!(fetch(&mut log, 1, 0, 0), []);
    assert_eq!(trouble(&mut log, true).1, [], "it is as quiet without that");
    outputs(&mut log, 0, Input::Timer(Timer::Split(SplitId(0))));
    assert_eq!(fetch(&mut log, 1, 0, 0).len(), 1);
}

#[test]
fn what_is_committed_can_be_read_until_all_of_it_was_and_its_time_is_over() {
    let mut log = growing();
    outputs(&mut log, 0, Input::Timer(Timer::Split(SplitId(0))));
    let commit = |log: &mut SourceLog, offset| {
        let message = Message::SourceLog(ToSourceLog::CommitOffset { split: SplitId(0), offset });
        outputs(log, 0, Input::Message { from: ProcessId::Worker(0), message })
    };
    commit(&mut log, 2);
    assert_eq!(fetch(&mut log, 1, 0, 0)[0].offset, 0);
    assert_eq!(commit(&mut log, 3)[1..], [wake(5, 0)]);
    assert_eq!(commit(&mut log, 3), [], "told again");
    assert_eq!(fetch(&mut log, 2, 0, 0)[0].offset, 0);
    let due = outputs(&mut log, 5, Input::Timer(Timer::Split(SplitId(0))));
    assert_eq!(due, [Output::Event(Event::SplitRemoved { split: SplitId(0) })]);
    assert_eq!(listed(&mut log), listing(&[], &[0], false));
    let gone = &fetch(&mut log, 3, 0, 1)[0];
    assert_eq!((gone.offset, gone.split_end, gone.ends.len()), (3, 3, 0));
}
