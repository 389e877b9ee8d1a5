//! What is restored, and who is fenced.

use super::super::testing::OUT;
use super::*;
use crate::protocol::{Attempt, Term, TransactionId};

fn second(events: &mut [Event]) -> &mut Event {
    let place = at(events, |e| matches!(e, Event::AttemptStarted { attempt: Attempt(2), .. }));
    &mut events[place]
}

fn restored_from(checkpoint: Option<CheckpointId>) -> impl FnOnce(&mut Vec<Event>) {
    move |events| {
        if let Event::AttemptStarted { restored, .. } = second(events) {
            *restored = checkpoint;
        }
    }
}

#[test]
fn an_attempt_starts_from_the_newest_completed_checkpoint() {
    let words = "attempt-2 starts from nothing, not the newest; the newest completed is ckpt-1";
    breaks(OracleName::Recovery, words, restored_from(None));
    let words = "attempt-2 starts from ckpt-2, which never completed";
    breaks(OracleName::Recovery, words, restored_from(Some(TWO)));
}

#[test]
fn all_subtasks_start_from_the_same_checkpoint() {
    breaks(OracleName::Recovery, "b/0 was restored from nothing, attempt-2 starts", |events| {
        let is_it = |event: &Event| matches!(event, Event::Restored(of) if of.attempt == Attempt(2) && of.subtask.0 == 1);
        let place = at(events, is_it);
        if let Event::Restored(restored) = &mut events[place] {
            restored.checkpoint = None;
        }
    });
}

#[test]
fn attempts_and_terms_grow() {
    breaks(OracleName::Recovery, "attempt-1 was started after attempt-1", |events| {
        if let Event::AttemptStarted { attempt, .. } = second(events) {
            *attempt = Attempt(1);
        }
    });
    breaks(OracleName::Recovery, "attempt-2 was started under term-7, term-1 reigns", |events| {
        if let Event::AttemptStarted { term, .. } = second(events) {
            *term = Term(7);
        }
    });
    breaks(OracleName::Recovery, "took over under term-1, after term-1", |events| {
        events.insert(3, Event::LeadershipTaken { term: Term(1) });
    });
}

#[test]
fn nothing_happens_in_an_attempt_that_has_not_started() {
    breaks(OracleName::Recovery, "something happened in attempt-1, which has not", |events| {
        let place = at(events, |event| matches!(event, Event::AttemptStarted { .. }));
        events.remove(place);
    });
}

#[test]
fn an_older_coordinator_does_not_write() {
    breaks(OracleName::Recovery, "the job's record was written under term-0", |events| {
        events
            .insert(3, Event::RecordWritten { version: 1000, term: Term(0), retained: Vec::new() });
    });
    breaks(OracleName::Recovery, "version 1 of the job's record followed 1", |events| {
        events.insert(3, Event::RecordWritten { version: 1, term: Term(1), retained: Vec::new() });
    });
}

#[test]
fn an_older_producer_neither_opens_nor_prepares() {
    let transaction = TransactionId { sink: OUT, attempt: Attempt(1), number: 9 };
    let late = [
        ("opened", Event::TransactionOpened { transaction }),
        ("prepared", Event::TransactionPrepared { transaction, records: 0 }),
    ];
    for (what, event) in late {
        let words = format!("txn-3.1.9 of out/0 was {what} after attempt-2 had fenced it off");
        breaks(OracleName::Recovery, &words, |events| {
            let is_it =
                |event: &Event| matches!(event, Event::ProducersFenced { attempt: Attempt(2), .. });
            let place = at(events, is_it);
            events.insert(place + 1, event);
        });
    }
}
