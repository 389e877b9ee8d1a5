use super::*;
use crate::cluster::io::{Output, QueuedOutbox};
use crate::cluster::message::Answer;
use crate::protocol::Term;

/// What the store says to a request, at once: whether it was written, the version, the term there.
fn ask(store: &mut MetaStore, operation: MetaOperation) -> (Option<(bool, u64, u64)>, Vec<Event>) {
    let message = Message::MetaStore { request: RequestId(1), operation };
    let mut inputs = vec![Input::Message { from: ProcessId::Coordinator, message }];
    let (mut answer, mut events) = (None, Vec::new());
    while let Some(input) = inputs.pop() {
        let mut outbox = QueuedOutbox::new();
        store.handle(input, &mut outbox);
        for output in outbox.drain() {
            match output {
                Output::Send {
                    message: Message::Answer(Answer::Meta { written, version, record, .. }),
                    ..
                } => answer = Some((written, version, record.term.0.into())),
                Output::Event(event) => events.push(event),
                Output::SetTimer { timer, .. } => inputs.push(Input::Timer(timer)),
                Output::Send { message, .. } => panic!("{message:?}"),
            }
        }
    }
    (answer, events)
}

fn write(expected_version: u64, term: u32) -> MetaOperation {
    let record = JobRecord { term: Term(term), ..JobRecord::default() };
    MetaOperation::Write { expected_version, record }
}

fn turn(store: &mut MetaStore, fault: impl Into<Option<StoreFault>>) {
    store.handle(Input::Trouble(Trouble::Store(fault.into())), &mut QueuedOutbox::new());
}

fn store() -> MetaStore {
    let mut store = MetaStore::new(StoreSettings::default());
    assert_eq!(ask(&mut store, write(0, 1)).0, Some((true, 1, 1)));
    store
}

#[test]
fn a_write_counts_once_and_for_the_expected_version() {
    let mut store = store();
    assert_eq!(ask(&mut store, write(0, 2)).0, Some((false, 1, 1)));
    assert_eq!(ask(&mut store, write(1, 2)).0, Some((true, 2, 2)));
    assert_eq!(ask(&mut store, write(2, 1)).0, Some((false, 2, 2)), "an older term is fenced");
}

#[test]
fn a_full_store_does_not_answer_writes() {
    let mut store = store();
    turn(&mut store, StoreFault::Full);
    assert_eq!(ask(&mut store, write(1, 2)), (None, Vec::new()));
    assert_eq!(ask(&mut store, MetaOperation::Read).0, Some((false, 1, 1)));
}

#[test]
fn a_mute_store_writes_and_says_nothing() {
    let mut store = store();
    turn(&mut store, StoreFault::Mute);
    let (answer, events) = ask(&mut store, write(1, 2));
    assert_eq!((answer, events.len()), (None, 1));
    turn(&mut store, None);
    assert_eq!(ask(&mut store, MetaOperation::Read).0, Some((false, 2, 2)));
}

#[test]
fn a_version_that_was_lost_with_the_power_is_never_used_again() {
    let mut store = store();
    turn(&mut store, StoreFault::Unsynced);
    assert_eq!(ask(&mut store, write(1, 2)), (None, Vec::new()));
    let seen = ask(&mut store, MetaOperation::Read).0;
    assert_eq!(seen, Some((false, 2, 2)), "it can be read");
    turn(&mut store, None);
    let after = ask(&mut store, MetaOperation::Read).0;
    assert_eq!(after, Some((false, 3, 1)), "the record before is back");
    assert_eq!(ask(&mut store, write(3, 3)).0, Some((true, 4, 3)));
    let late = ask(&mut store, write(2, 3)).0;
    assert_eq!(late, Some((false, 4, 3)), "who saw the lost record overwrites nothing");
}

#[test]
fn what_makes_no_sense_here_changes_nothing() {
    let mut store = store();
    for fault in [StoreFault::Torn, StoreFault::Corrupt, StoreFault::Lagging, StoreFault::Destroyed]
    {
        turn(&mut store, fault);
        assert_eq!(ask(&mut store, MetaOperation::Read).0, Some((false, 1, 1)));
    }
}
