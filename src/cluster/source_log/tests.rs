use super::*;
use crate::cluster::io::{Output, QueuedOutbox};
use crate::cluster::message::{Answer, ToSourceLog};

fn log() -> SourceLog {
    let entry = |text: &str| text.as_bytes().to_vec();
    let splits = vec![vec![entry("a"), entry("b"), entry("c")], vec![entry("x")]];
    SourceLog::new(Arc::new(dataflow::Input::new(splits)))
}

fn hand(log: &mut SourceLog, input: Input) -> (Vec<Fetched>, Vec<Event>) {
    let (mut answers, mut events) = (Vec::new(), Vec::new());
    let mut outbox = QueuedOutbox::new();
    log.handle(input, &mut outbox);
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
    let message = Message::SourceLog(ToSourceLog::Fetch { request, split, offset, entries_max: 2 });
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
