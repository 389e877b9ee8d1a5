//! What is visible.

use std::sync::Arc;

use super::super::testing::{ENTRIES, OUT, content, output_of, reference, run, stamped};
use super::super::{Judge, Reference};
use super::*;
use crate::protocol::{Attempt, Digest, LineageId, OperatorRole, ProcessId, Term, TransactionId};
use crate::trace::{OutputRecord, SinkTrouble};

fn is_committed(event: &Event) -> bool {
    matches!(event, Event::TransactionCommitted { .. })
}

fn committed(events: &mut [Event]) -> &mut Vec<OutputRecord> {
    let place = at(events, is_committed);
    match &mut events[place] {
        Event::TransactionCommitted { records, .. } => records,
        other => panic!("{other:?} is not a commit"),
    }
}

#[test]
fn a_record_that_is_not_expected_is_named() {
    let words = "txn-3.1.0 of out/0 made record r-";
    breaks(OracleName::Output, words, |events| committed(events)[0].digest = Digest(5));
    let words = "visible, which is not expected at all";
    breaks(OracleName::Output, words, |events| committed(events)[0].digest = Digest(5));
}

#[test]
fn a_record_is_visible_once() {
    breaks(OracleName::Output, "which was visible already", |events| {
        let records = committed(events);
        records[1] = records[0];
    });
    breaks(OracleName::Output, "whose content is expected 1 times only", |events| {
        let records = committed(events);
        records[1].digest = records[0].digest;
    });
}

#[test]
fn a_repeated_commit_shows_nothing() {
    breaks(OracleName::Output, "though it was committed before", |events| {
        let place = at(events, is_committed);
        events.insert(place, events[place].clone());
    });
    let mut events = healthy();
    let place = at(&events, is_committed);
    let Event::TransactionCommitted { transaction, .. } = events[place] else { return };
    let repeated = Event::TransactionCommitted { transaction, records: Vec::new() };
    events.insert(place + 1, repeated);
    assert_eq!(judged(&events, &End::Finished), Verdict::Held);
}

#[test]
fn nothing_is_visible_before_its_checkpoint_completed() {
    breaks(OracleName::Output, "though no completed checkpoint holds it", |events| {
        let place = at(events, is_committed);
        let commit = events.remove(place);
        let completed = at(events, |event| matches!(event, Event::Completed { .. }));
        events.insert(completed, commit);
    });
}

#[test]
fn a_commit_is_of_all_that_was_prepared() {
    breaks(OracleName::Output, "though it was prepared with 2", |events| {
        committed(events).pop();
    });
    breaks(OracleName::Output, "though it was never prepared", |events| {
        let place = at(events, is_committed);
        if let Event::TransactionCommitted { transaction, .. } = &mut events[place] {
            transaction.number = 77;
        }
    });
}

#[test]
fn what_a_completed_checkpoint_holds_is_not_aborted() {
    let of = |after: usize| {
        move |events: &mut Vec<Event>| {
            let place = at(events, is_committed);
            let Event::TransactionCommitted { transaction, .. } = events[place] else { return };
            events.insert(place + after, Event::TransactionAborted { transaction });
        }
    };
    breaks(OracleName::Output, "a completed checkpoint holds it", of(0));
    breaks(OracleName::Output, "was aborted, though it was visible already", of(1));
}

#[test]
fn everything_expected_is_visible_in_the_end() {
    breaks(OracleName::Output, "finished with 2 of 8 expected records not visible", |events| {
        let place = events.iter().rposition(|event| match event {
            Event::TransactionCommitted { records, .. } => !records.is_empty(),
            _ => false,
        });
        events.remove(place.expect("something is committed"));
    });
}

#[test]
fn no_transaction_lingers() {
    breaks(OracleName::Output, "txn-3.1.1 of out/0 neither committed nor aborted", |events| {
        let place = at(events, |event| matches!(event, Event::TransactionAborted { .. }));
        events.remove(place);
    });
}

/// The attempts of a job whose sink writes what it gets at once.
fn direct(written: &[&[u64]]) -> Verdict {
    let started = Event::RunStarted(Box::new(run(OperatorRole::AtLeastOnceSink)));
    let term = Term(1);
    let mut events = vec![started, Event::LeadershipTaken { term }];
    for (offsets, attempt) in written.iter().zip((1..).map(Attempt)) {
        events.push(Event::AttemptStarted { attempt, term, restored: None });
        let lineages = offsets.iter().map(|offset| output_of(0, *offset));
        let records = lineages.map(|lineage| OutputRecord { lineage, digest: content(lineage) });
        events.push(Event::OutputWritten { sink: OUT, records: records.collect() });
        if attempt.index() < written.len() {
            events.push(Event::Crashed { process: ProcessId::Worker(0) });
            events.push(Event::AttemptFailed { attempt, reason: "crash".to_owned() });
        }
    }
    events.push(Event::JobFinished { attempt: Attempt(1) });
    let digests = (0..ENTRIES).map(|offset| content(output_of(0, offset)));
    let mut judge = Judge::new(Arc::new(Reference::of_digests(digests)));
    stamped(&events).for_each(|(stamp, event)| judge.observe(stamp, event));
    judge.finish(&End::Finished)
}

#[test]
fn at_least_once_allows_duplicates_after_a_failure_only() {
    assert_eq!(direct(&[&[0, 1, 2, 3]]), Verdict::Held);
    assert_eq!(direct(&[&[0, 1], &[0, 1, 2, 3]]), Verdict::Held);
    let twice = direct(&[&[0, 1, 1, 2, 3]]);
    assert!(twice.to_string().contains("once too often, and no attempt had failed"), "{twice}");
    let missing = direct(&[&[0, 1], &[0, 1, 3]]);
    assert!(missing.to_string().contains("1 of 4 expected records not visible"), "{missing}");
    let other = direct(&[&[0, 1, 2, 3, 9]]);
    assert!(other.to_string().contains("which is not expected at all"), "{other}");
}

#[test]
fn without_a_reference_records_are_still_visible_once() {
    let mut judge = Judge::new(Arc::new(Reference::unknown()));
    let mut events = healthy();
    stamped(&events).for_each(|(stamp, event)| judge.observe(stamp, event));
    assert_eq!(judge.finish(&End::Finished), Verdict::Held);
    let records = committed(&mut events);
    records[1] = records[0];
    let mut judge = Judge::new(Arc::new(Reference::unknown()));
    stamped(&events).for_each(|(stamp, event)| judge.observe(stamp, event));
    assert_eq!(judge.violations().fired(), [OracleName::Output]);
}

#[test]
fn a_reference_counts_bytes_as_a_multiset() {
    let counted = Reference::of([b"one".as_slice(), b"two", b"one"]);
    assert_eq!((counted.records(), counted.distinct()), (3, 2));
    let index = counted.index_of(Digest::of(b"one")).expect("it is expected");
    assert_eq!(counted.expected(index), Some((Digest::of(b"one"), 2)));
    assert_eq!(counted.index_of(Digest::of(b"three")), None);
    assert_eq!(reference().records(), 2 * ENTRIES);
}

#[test]
fn an_empty_transaction_may_stay_open() {
    let mut events = healthy();
    let finished = events.pop();
    let transaction = TransactionId { sink: OUT, attempt: Attempt(2), number: 99 };
    events.push(Event::TransactionPrepared { transaction, records: 0 });
    events.extend(finished);
    assert_eq!(judged(&events, &End::Finished), Verdict::Held);
    assert_ne!(output_of(0, 0), LineageId::default());
}

/// The target lets the first transaction expire, right before `before`; everything else goes on.
fn expire(events: &mut Vec<Event>, before: impl Fn(&Event) -> bool) {
    let transaction = transaction_of(events);
    let place = at(events, before);
    events.insert(place, Event::TransactionAborted { transaction });
    let trouble = SinkTrouble::ExpiredTransaction;
    events.insert(place, Event::SinkTroubled { trouble });
}

fn transaction_of(events: &[Event]) -> TransactionId {
    match &events[at(events, |event| matches!(event, Event::TransactionPrepared { .. }))] {
        Event::TransactionPrepared { transaction, .. } => *transaction,
        other => panic!("{other:?} prepares nothing"),
    }
}

/// A job that finishes all the same has lost records; one that does not finish owes nothing more.
#[test]
fn what_was_promised_and_expires_is_lost_and_nobody_may_finish_over_it() {
    let promised = |event: &Event| matches!(event, Event::CommitRequested { .. });
    let mut events = healthy();
    expire(&mut events, promised);
    let place = at(&events, is_committed);
    events.remove(place);
    includes(OracleName::Output, "records not visible", &events);
    let before = at(&events, |event| matches!(event, Event::AttemptFailed { .. }));
    let stuck = judged(&events[..before], &End::Quiescent);
    assert!(stuck.to_string().contains("has let it expire"), "{stuck}");
}

/// What the target lets expire may be what a fault waits for, which then strikes before the next one expires.
#[test]
fn a_fault_may_strike_while_transactions_expire() {
    let mut events = healthy();
    let place = at(&events, |event| matches!(event, Event::CommitRequested { .. }));
    expire(&mut events, |event| matches!(event, Event::CommitRequested { .. }));
    events.insert(place + 1, Event::Crashed { process: ProcessId::Worker(0) });
    events.remove(at(&events, is_committed));
    let before = at(&events, |event| matches!(event, Event::AttemptFailed { .. }));
    let stuck = judged(&events[..before], &End::Quiescent);
    assert!(stuck.to_string().contains("has let it expire"), "{stuck}");
    // Where the fault strikes later, or anything else comes between, what is aborted is not what expires.
    let words = "was aborted, though a completed checkpoint holds it";
    let mut later = events.clone();
    later.insert(
        place + 1,
        Event::Healed { from: ProcessId::Worker(0), to: ProcessId::Coordinator },
    );
    includes(OracleName::Output, words, &later);
    events[place + 1] = Event::AttemptRunning { attempt: Attempt(1) };
    includes(OracleName::Output, "was aborted, though a completed checkpoint holds it", &events);
}

/// Only what the target lets expire at the instant of that trouble is excused.
#[test]
fn what_was_promised_is_not_aborted_later_either() {
    let mut events = healthy();
    let (transaction, place) = (transaction_of(&events), at(&events, is_committed));
    events[place] = Event::TransactionAborted { transaction };
    let trouble = SinkTrouble::ExpiredTransaction;
    events.insert(1, Event::SinkTroubled { trouble });
    includes(OracleName::Output, "was aborted, though a completed checkpoint holds it", &events);
}
