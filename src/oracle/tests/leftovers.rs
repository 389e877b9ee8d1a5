//! What nobody needs is deleted, and what the job's record names is not.

use super::super::Kind;
use super::super::testing::{SUM, key};
use super::*;
use crate::protocol::{Attempt, Digest, ObjectKey, ProcessId, Term};
use crate::trace::StoreTrouble;

/// The healthy run without the deletion of this object.
fn without_deletion(of: ObjectKey) -> Vec<Event> {
    let mut events = healthy();
    let deleted = at(&events, |event| matches!(event, Event::ObjectDeleted { key } if *key == of));
    events.remove(deleted);
    events
}

#[test]
fn what_was_discarded_is_gone_when_the_job_finishes() {
    let events = without_deletion(key(ONE, Attempt(1), SUM));
    let words = "with the snapshot of sum/0 for ckpt-1 in attempt-1 in the store: its checkpoint was discarded";
    expect(OracleName::Durability, words, &events, &End::Finished);
    let events = without_deletion(ObjectKey::Metadata { checkpoint: ONE });
    includes(OracleName::Durability, "with the metadata of ckpt-1 in the store", &events);
}

#[test]
fn what_was_acknowledged_in_vain_is_gone_when_the_job_finishes() {
    let events = without_deletion(key(TWO, Attempt(1), SUM));
    let words = "in the store: it had been acknowledged, and its checkpoint was aborted";
    expect(OracleName::Durability, words, &events, &End::Finished);
}

/// Its successor owes it, once its first attempt has swept.
#[test]
fn what_a_coordinator_leaves_is_its_successors() {
    let take_over = |events: &mut Vec<Event>| {
        let restarted =
            at(events, |event| matches!(event, Event::AttemptStarted { attempt: Attempt(2), .. }));
        let term = Term(2);
        for event in &mut events[restarted..] {
            if let Event::AttemptStarted { term, .. } | Event::RecordWritten { term, .. } = event {
                *term = Term(2);
            }
        }
        events.insert(restarted, Event::LeadershipTaken { term });
    };
    let mut events = without_deletion(key(TWO, Attempt(1), SUM));
    take_over(&mut events);
    let words = "it was there when the coordinator took over, and nothing names it";
    includes(OracleName::Durability, words, &events);
    let mut events = healthy();
    take_over(&mut events);
    let verdict = judged(&events, &End::Finished);
    assert_eq!(verdict, Verdict::Held, "{:#?}", verdict.violations());
}

/// A coordinator dies when a second checkpoint has taken the place of the first, and before it deletes that. Its
/// successor finds the first in a listing, and says that it is discarded; a snapshot of it stays in the store.
fn found_by_sweep(listing: Option<StoreTrouble>) -> Vec<Event> {
    let mut script = started();
    script.pass();
    script.checkpoint(1);
    script.pass();
    script.checkpoint(2);
    let is_discarded = |event: &Event| matches!(event, Event::Discarded { checkpoint: ONE });
    script.events.truncate(at(&script.events, is_discarded));
    script.events.push(Event::LeadershipTaken { term: Term(2) });
    let process = ProcessId::ObjectStore;
    script.events.extend(listing.map(|trouble| Event::StoreTroubled { process, trouble }));
    let (attempt, term, restored) = (Attempt(2), Term(2), Some(TWO));
    script.events.push(Event::AttemptStarted { attempt, term, restored });
    script.events.push(Event::Discarded { checkpoint: ONE });
    script.events.push(Event::JobFinished { attempt });
    script.events
}

#[test]
fn what_only_a_sweep_finds_may_be_hidden_from_it() {
    let is_left = |events: &[Event]| {
        let verdict = judged(events, &End::Finished);
        verdict.violations().iter().any(|found| found.kind == Kind::LeftInStore)
    };
    assert!(is_left(&found_by_sweep(None)), "a right listing shows all of it");
    assert!(!is_left(&found_by_sweep(Some(StoreTrouble::Lagging))));
    let mut events = found_by_sweep(Some(StoreTrouble::Lagging));
    let process = ProcessId::ObjectStore;
    let started = at(&events, |event| matches!(event, Event::AttemptStarted { term: Term(2), .. }));
    events.insert(started, Event::StoreRecovered { process });
    assert!(is_left(&events), "it is right again before the sweep");
}

/// A second checkpoint completes, and the first is discarded; an object of `destroyed` is gone before.
fn second_completes(destroyed: CheckpointId) -> Vec<Event> {
    let mut script = started();
    script.pass();
    script.checkpoint(1);
    script.pass();
    script.snapshot(TWO);
    script.acknowledge(TWO);
    script.assemble(TWO);
    script.events.push(Event::ObjectDestroyed { key: key(destroyed, Attempt(1), SUM) });
    script.complete(TWO);
    script.events
}

#[test]
fn what_is_destroyed_counts_among_those_that_are_retained() {
    for destroyed in [ONE, TWO] {
        let verdict = judged(&second_completes(destroyed), &End::Stopped);
        assert!(verdict.violations().is_empty(), "{destroyed}: {:#?}", verdict.violations());
    }
}

/// A worker that had stalled says it when a newer checkpoint has long completed.
#[test]
fn what_was_destroyed_may_be_acknowledged_late_and_what_was_never_there_may_not() {
    let late = |is_stored: bool| {
        let mut script = started();
        script.pass();
        script.snapshot(ONE);
        let of_it = key(ONE, Attempt(1), SUM);
        if is_stored {
            script.events.push(Event::ObjectStored { key: of_it, digest: Digest(102), bytes: 10 });
            script.events.push(Event::ObjectDestroyed { key: of_it });
        }
        script.fail();
        script.abort(1);
        script.start();
        script.pass();
        script.checkpoint(2);
        let (subtask, attempt, checkpoint) = (SUM, Attempt(1), ONE);
        script.events.push(Event::Acknowledged { subtask, attempt, checkpoint });
        script.events
    };
    let words = "sum/0 acknowledged ckpt-1 before its snapshot was durable";
    includes(OracleName::Durability, words, &late(false));
    let verdict = judged(&late(true), &End::Stopped);
    assert!(verdict.violations().is_empty(), "{:#?}", verdict.violations());
}

#[test]
fn a_checkpoint_is_not_discarded_before_a_damaged_one_completes() {
    let mut events = second_completes(TWO);
    let is_discarded = |event: &Event| matches!(event, Event::Discarded { checkpoint: ONE });
    let discarded = events.remove(at(&events, is_discarded));
    let is_it = |event: &Event| matches!(event, Event::Completed { checkpoint: TWO, .. });
    events.insert(at(&events, is_it), discarded);
    let words = "ckpt-1 was discarded, though 1 are to be retained";
    includes(OracleName::Durability, words, &events);
}

#[test]
fn what_the_record_names_is_not_deleted() {
    let mut script = started();
    script.pass();
    script.snapshot(ONE);
    script.acknowledge(ONE);
    script.assemble(ONE);
    script.events.push(Event::ObjectDeleted { key: key(ONE, Attempt(1), SUM) });
    let words = "for ckpt-1 in attempt-1 was deleted, and the job's record names ckpt-1";
    expect(OracleName::Durability, words, &script.events, &End::Stopped);
}

/// A second checkpoint is in the record, and its coordinator dies before it says so. Somebody acknowledges the first
/// once more, and the successor, which does not know it, deletes what it is told of.
#[test]
fn what_a_new_coordinator_finds_outdated_may_be_deleted_before_anybody_says_so() {
    let deleted = |takes_over: bool, is_recorded: bool| {
        let mut script = started();
        script.pass();
        script.checkpoint(1);
        script.pass();
        script.snapshot(TWO);
        script.acknowledge(TWO);
        if is_recorded {
            script.assemble(TWO);
        }
        if takes_over {
            script.events.push(Event::LeadershipTaken { term: Term(2) });
        }
        script.events.push(Event::ObjectDeleted { key: key(ONE, Attempt(1), SUM) });
        let verdict = judged(&script.events, &End::Stopped);
        verdict.violations().iter().any(|found| found.kind == Kind::DeletedWhileRetained)
    };
    assert!(!deleted(true, true));
    assert!(deleted(false, true), "its own coordinator says first that it is discarded");
    assert!(deleted(true, false), "it is the newest");
}

#[test]
fn a_cancel_marker_comes_once() {
    let (attempt, subtask, checkpoint) = (Attempt(1), SUM, ONE);
    let mut script = started();
    let channel = super::super::testing::LAST;
    script.events.push(Event::AlignmentAborted { subtask, attempt, checkpoint });
    let cancel = Event::CancelSent { channel, attempt, checkpoint, sequence: 0 };
    script.events.push(cancel.clone());
    assert!(judged(&script.events, &End::Stopped).violations().is_empty());
    script.events.push(cancel);
    let words = "the cancel marker of ckpt-1 entered sum/0->out/0 a second time";
    expect(OracleName::Order, words, &script.events, &End::Stopped);
}

#[test]
fn a_closed_transaction_takes_nothing() {
    breaks(OracleName::Output, "takes records again, though it was committed", |events| {
        let is_it = |event: &Event| matches!(event, Event::TransactionCommitted { .. });
        let committed = events.iter().rposition(is_it).expect("something is committed");
        let Event::TransactionCommitted { transaction, .. } = events[committed] else { return };
        events.insert(committed + 1, Event::TransactionOpened { transaction });
    });
}
