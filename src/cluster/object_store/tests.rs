use std::time::Duration;

use super::*;
use crate::cluster::io::{Delay, Output, QueuedOutbox};
use crate::cluster::message::Answer;
use crate::protocol::CheckpointId;

/// A store that takes no time, and one client.
struct Bench {
    store: ObjectStore,
    next: u64,
}

const CLIENT: ProcessId = ProcessId::Worker(0);

fn key(checkpoint: u64) -> ObjectKey {
    ObjectKey::Metadata { checkpoint: CheckpointId(checkpoint) }
}

fn put(checkpoint: u64, bytes: &[u8]) -> ObjectOperation {
    ObjectOperation::Put { key: key(checkpoint), bytes: bytes.into() }
}

fn get(checkpoint: u64) -> ObjectOperation {
    ObjectOperation::Get { key: key(checkpoint) }
}

fn delete(checkpoint: u64) -> ObjectOperation {
    ObjectOperation::Delete { key: key(checkpoint) }
}

impl Bench {
    fn new(defects: DefectSet) -> Self {
        Self { store: ObjectStore::new(StoreSettings::default(), defects), next: 0 }
    }

    /// Hands an input in, and everything that is due at once after it.
    fn handle(&mut self, input: Input) -> (Vec<ObjectResult>, Vec<Event>) {
        let (mut answers, mut events) = (Vec::new(), Vec::new());
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let mut outbox = QueuedOutbox::new();
            self.store.handle(input, &mut outbox);
            for output in outbox.drain() {
                match output {
                    Output::Send {
                        message: Message::Answer(Answer::Object { result, .. }),
                        ..
                    } => {
                        answers.push(result);
                    }
                    Output::Event(event) => events.push(event),
                    Output::SetTimer { after: Delay::Exactly(Duration::ZERO), timer } => {
                        inputs.push(Input::Timer(timer));
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        (answers, events)
    }

    fn ask(&mut self, operation: ObjectOperation) -> (Vec<ObjectResult>, Vec<Event>) {
        self.next += 1;
        let message = Message::ObjectStore { request: RequestId(self.next), operation };
        self.handle(Input::Message { from: CLIENT, message })
    }

    fn answer(&mut self, operation: ObjectOperation) -> Option<ObjectResult> {
        let (mut answers, _) = self.ask(operation);
        assert!(answers.len() < 2, "one answer a request");
        answers.pop()
    }

    fn turn(&mut self, fault: impl Into<Option<StoreFault>>) -> (Vec<ObjectResult>, Vec<Event>) {
        self.handle(Input::Trouble(Trouble::Store(fault.into())))
    }
}

fn healthy() -> Bench {
    let mut bench = Bench::new(DefectSet::NONE);
    assert_eq!(bench.answer(put(1, b"whole")), Some(ObjectResult::Done));
    bench
}

fn read(bytes: &[u8]) -> Option<ObjectResult> {
    Some(ObjectResult::Read(bytes.into()))
}

fn stored(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event, Event::ObjectStored { .. })).count()
}

#[test]
fn a_stalled_store_serves_what_waited_when_it_recovers() {
    let mut bench = healthy();
    bench.turn(StoreFault::Stalled);
    assert_eq!(bench.answer(get(1)), None);
    assert_eq!(bench.answer(put(2, b"later")), None);
    let (answers, events) = bench.turn(None);
    assert_eq!((answers.len(), stored(&events)), (2, 1));
}

#[test]
fn a_full_store_refuses_only_what_needs_room() {
    let mut bench = healthy();
    bench.turn(StoreFault::Full);
    assert_eq!(bench.answer(put(2, b"more")), Some(ObjectResult::Failed));
    assert_eq!(bench.answer(get(1)), read(b"whole"));
    assert_eq!(bench.answer(delete(1)), Some(ObjectResult::Done));
}

#[test]
fn a_torn_write_leaves_its_beginning_but_where_something_whole_lies() {
    let mut bench = healthy();
    bench.turn(StoreFault::Torn);
    let (answers, events) = bench.ask(put(2, b"abcdef"));
    assert_eq!((answers.len(), stored(&events)), (0, 0));
    assert_eq!(bench.answer(get(2)), read(b"abc"));
    assert_eq!(bench.answer(put(1, b"other")), None);
    assert_eq!(bench.answer(get(1)), read(b"whole"), "what was acknowledged stays");
    bench.turn(None);
    assert_eq!(bench.answer(put(2, b"abcdef")), Some(ObjectResult::Done));
    assert_eq!(bench.answer(get(2)), read(b"abcdef"), "the next write is whole");
}

#[test]
fn a_corrupt_read_has_one_wrong_bit_and_the_next_after_it_none() {
    let mut bench = healthy();
    bench.turn(StoreFault::Corrupt);
    for _ in 0..8 {
        let Some(ObjectResult::Read(bytes)) = bench.answer(get(1)) else { panic!("it is read") };
        let bits: u32 = bytes.iter().zip(b"whole").map(|(a, b)| (a ^ b).count_ones()).sum();
        assert_eq!((bytes.len(), bits), (5, 1));
    }
    bench.turn(None);
    assert_eq!(bench.answer(get(1)), read(b"whole"));
}

#[test]
fn a_mute_store_applies_and_says_nothing() {
    let mut bench = healthy();
    bench.turn(StoreFault::Mute);
    let (answers, events) = bench.ask(put(2, b"unheard"));
    assert_eq!((answers.len(), stored(&events)), (0, 1));
    bench.turn(None);
    assert_eq!(bench.answer(get(2)), read(b"unheard"));
}

#[test]
fn a_lagging_listing_shows_what_was_there_when_it_began() {
    let mut bench = healthy();
    bench.turn(StoreFault::Lagging);
    bench.answer(put(2, b"new"));
    bench.answer(delete(1));
    let listed =
        |keys: &[u64]| Some(ObjectResult::Listed(keys.iter().map(|id| key(*id)).collect()));
    assert_eq!(bench.answer(ObjectOperation::List), listed(&[1]));
    assert_eq!(bench.answer(get(2)), read(b"new"), "only listings lag");
    bench.turn(None);
    assert_eq!(bench.answer(ObjectOperation::List), listed(&[2]));
}

#[test]
fn what_was_not_synced_can_be_read_and_is_lost_with_the_power() {
    let mut bench = healthy();
    bench.turn(StoreFault::Unsynced);
    for operation in [put(1, b"other"), put(2, b"new"), delete(1)] {
        let (answers, events) = bench.ask(operation);
        assert_eq!((answers.len(), events.len()), (0, 0), "neither durable nor answered");
    }
    assert_eq!(bench.answer(get(2)), read(b"new"));
    assert_eq!(bench.answer(get(1)), Some(ObjectResult::Missing), "it is deleted, to a reader");
    assert_eq!(bench.answer(ObjectOperation::List), Some(ObjectResult::Listed(vec![key(2)])));
    bench.turn(StoreFault::Slow { extra_ms: 0 });
    assert_eq!(bench.answer(get(2)), Some(ObjectResult::Missing));
    assert_eq!(bench.answer(get(1)), read(b"whole"));
}

#[test]
fn a_store_that_answers_before_it_syncs_loses_what_it_acknowledged() {
    let mut bench = Bench::new(DefectSet::only(Defect::AnsweredBeforeSynced));
    bench.turn(StoreFault::Unsynced);
    assert_eq!(bench.answer(put(2, b"new")), Some(ObjectResult::Done));
    bench.turn(None);
    assert_eq!(bench.answer(get(2)), Some(ObjectResult::Missing));
}

#[test]
fn a_destroyed_store_says_of_each_object_that_it_is_gone_and_goes_on() {
    let mut bench = healthy();
    let (_, events) = bench.turn(StoreFault::Destroyed);
    assert!(events.contains(&Event::ObjectDestroyed { key: key(1) }));
    assert_eq!(bench.answer(get(1)), Some(ObjectResult::Missing));
    assert_eq!(bench.answer(put(2, b"new")), Some(ObjectResult::Done));
    assert_eq!(bench.answer(get(2)), read(b"new"));
}

#[test]
fn a_recovery_is_told_once_and_only_of_what_was_troubled() {
    let mut bench = healthy();
    assert_eq!(bench.turn(None).1, []);
    bench.turn(StoreFault::Full);
    let process = ProcessId::ObjectStore;
    assert_eq!(bench.turn(None).1, [Event::StoreRecovered { process }]);
}
