//! A checkpoint's life, and what is durable of it.

use super::super::testing::{OUT, SUM, key};
use super::*;
use crate::protocol::{AbortReason, Attempt, Digest, ObjectKey, Term};

fn is_completed(event: &Event) -> bool {
    matches!(event, Event::Completed { .. })
}

fn is_counted(event: &Event) -> bool {
    matches!(event, Event::AcknowledgementCounted { .. })
}

fn insert(is_it: impl Fn(&Event) -> bool, event: Event) -> impl FnOnce(&mut Vec<Event>) {
    move |events| {
        let place = at(events, is_it);
        events.insert(place, event);
    }
}

fn repeat(is_it: impl Fn(&Event) -> bool) -> impl FnOnce(&mut Vec<Event>) {
    move |events| {
        let place = at(events, is_it);
        events.insert(place, events[place].clone());
    }
}

fn remove(is_it: impl Fn(&Event) -> bool) -> impl FnOnce(&mut Vec<Event>) {
    move |events| {
        let place = at(events, is_it);
        events.remove(place);
    }
}

#[test]
fn ids_are_never_used_again() {
    let mut script = started();
    script.snapshot(TWO);
    script.abort(2);
    let triggered = Event::Triggered { attempt: Attempt(1), checkpoint: TWO };
    script.events.push(triggered);
    let words = "ckpt-2 was triggered after ckpt-2";
    expect(OracleName::Lifecycle, words, &script.events, &End::Stopped);
}

#[test]
fn no_more_are_pending_than_may_be() {
    let (attempt, checkpoint) = (Attempt(1), CheckpointId(9));
    let second = insert(is_counted, Event::Triggered { attempt, checkpoint });
    breaks(OracleName::Lifecycle, "as number 2 pending, 1 may be", second);
}

#[test]
fn a_checkpoint_is_triggered_in_the_attempt_that_runs() {
    let (attempt, checkpoint) = (Attempt(7), CheckpointId(9));
    let is_last = |event: &Event| matches!(event, Event::JobFinished { .. });
    let other = insert(is_last, Event::Triggered { attempt, checkpoint });
    breaks(OracleName::Trace, "ckpt-9 was triggered in attempt-7, which does not run", other);
}

#[test]
fn a_subtask_snapshots_once_and_in_order() {
    let of_sum = |event: &Event| matches!(event, Event::SnapshotTaken(of) if of.subtask == SUM);
    let words = "sum/0 took a snapshot for ckpt-1 after one for ckpt-1";
    breaks(OracleName::Lifecycle, words, repeat(of_sum));
}

#[test]
fn what_is_known_to_be_aborted_is_not_snapshotted() {
    let of_sum = |event: &Event| matches!(event, Event::SnapshotTaken(of) if of.subtask == SUM);
    let (subtask, attempt, checkpoint) = (SUM, Attempt(1), ONE);
    let learned = insert(of_sum, Event::AbortLearned { subtask, attempt, checkpoint });
    let words = "sum/0 took a snapshot for ckpt-1, which it knew to be aborted";
    breaks(OracleName::Lifecycle, words, learned);
}

#[test]
fn an_acknowledgement_counts_once() {
    breaks(OracleName::Lifecycle, "but it had counted before", repeat(is_counted));
}

#[test]
fn an_acknowledgement_counts_for_its_own_attempt() {
    breaks(OracleName::Lifecycle, "but it was triggered in attempt-1", |events| {
        let counted = at(events, is_counted);
        if let Event::AcknowledgementCounted { from_attempt, .. } = &mut events[counted] {
            *from_attempt = Attempt(0);
        }
    });
}

#[test]
fn an_acknowledgement_counts_when_it_was_given_and_is_wanted() {
    let acknowledged = |event: &Event| matches!(event, Event::Acknowledged { .. });
    breaks(OracleName::Lifecycle, "the subtask has not acknowledged it", remove(acknowledged));
    let (subtask, from_attempt, checkpoint) = (OUT, Attempt(1), TWO);
    let late = Event::AcknowledgementCounted { subtask, from_attempt, checkpoint };
    let started =
        |event: &Event| matches!(event, Event::AttemptStarted { attempt: Attempt(2), .. });
    breaks(OracleName::Lifecycle, "but the checkpoint is not pending", insert(started, late));
}

#[test]
fn completion_needs_all_acknowledgements_and_a_list_of_all_snapshots() {
    let words = "ckpt-1 was assembled with 1 acknowledgements missing";
    breaks(OracleName::Lifecycle, words, remove(is_counted));
    let assembled = |event: &Event| matches!(event, Event::Assembled { .. });
    breaks(OracleName::Lifecycle, "though it was not assembled", remove(assembled));
    breaks(OracleName::Lifecycle, "does not list one snapshot of its own", |events| {
        let place = at(events, assembled);
        if let Event::Assembled { snapshots, .. } = &mut events[place] {
            snapshots[1] = snapshots[0];
        }
    });
}

#[test]
fn a_checkpoint_settles_once() {
    breaks(OracleName::Lifecycle, "ckpt-1 completed twice", repeat(is_completed));
    let (attempt, checkpoint, reason) = (Attempt(1), ONE, AbortReason::Expired);
    let aborted = Event::Aborted { attempt, checkpoint, reason };
    let words = "ckpt-1 completed, though it was aborted";
    breaks(OracleName::Lifecycle, words, insert(is_completed, aborted.clone()));
    let notified = |event: &Event| matches!(event, Event::CompletionNotified { .. });
    let words = "ckpt-1 was aborted after it completed";
    breaks(OracleName::Lifecycle, words, insert(notified, aborted));
}

#[test]
fn older_checkpoints_do_not_complete_later() {
    let is_last = |event: &Event| matches!(event, Event::JobFinished { .. });
    let (attempt, checkpoint) = (Attempt(2), TWO);
    let mut events = healthy();
    events.retain(|event| !matches!(event, Event::Aborted { .. }));
    insert(is_last, Event::Completed { attempt, checkpoint })(&mut events);
    includes(OracleName::Lifecycle, "ckpt-2 completed, though ckpt-5 had completed", &events);
}

#[test]
fn completion_is_told_of_afterwards() {
    let (attempt, checkpoint) = (Attempt(1), ONE);
    let told = insert(is_completed, Event::CompletionNotified { attempt, checkpoint });
    breaks(OracleName::Lifecycle, "ckpt-1 was announced before it completed", told);
    let (subtask, sent_to) = (OUT, attempt);
    let learned = Event::CompletionLearned { subtask, attempt, checkpoint, sent_to };
    let words = "out/0 learned that ckpt-1 completed before it did";
    breaks(OracleName::Lifecycle, words, insert(is_completed, learned));
    let requested = at(&healthy(), |event| matches!(event, Event::CommitRequested { .. }));
    let request = healthy()[requested].clone();
    let words = "out/0 commits for ckpt-1, which has not completed";
    breaks(OracleName::Lifecycle, words, insert(is_completed, request));
}

#[test]
fn a_notification_does_not_cross_a_restart() {
    breaks(OracleName::Lifecycle, "of attempt-1 took the completion of ckpt-1", |events| {
        let learned = at(events, |event| matches!(event, Event::CompletionLearned { .. }));
        if let Event::CompletionLearned { sent_to, .. } = &mut events[learned] {
            *sent_to = Attempt(0);
        }
    });
}

/// The coordinator crashes when the checkpoint is in the store and it has not said so.
#[test]
fn a_completion_may_be_found_by_the_next_coordinator() {
    let mut script = started();
    script.pass();
    script.snapshot(ONE);
    script.acknowledge(ONE);
    script.assemble(ONE);
    let mut lost = script.events.clone();
    let crash = [
        Event::RecordWritten { version: 9, term: Term(2), retained: Vec::new() },
        Event::LeadershipTaken { term: Term(2) },
    ];
    let (attempt, restored) = (Attempt(2), Some(ONE));
    let restart = Event::AttemptStarted { attempt, term: Term(2), restored };
    let mut found = lost.clone();
    found.extend(crash.clone());
    found.push(restart);
    found.push(Event::CompletionNotified { attempt, checkpoint: ONE });
    let verdict = judged(&found, &End::Stopped);
    assert!(verdict.violations().is_empty(), "{:#?}", verdict.violations());
    lost.extend(crash);
    lost.push(Event::AttemptStarted { attempt, term: Term(2), restored: None });
    assert!(judged(&lost, &End::Stopped).violations().is_empty());
}

#[test]
fn what_is_stored_is_what_was_frozen() {
    let is_stored = |event: &Event| matches!(event, Event::ObjectStored { .. });
    breaks(OracleName::Durability, "for ckpt-1 in attempt-1 stored 0000000000000005", |events| {
        let stored = at(events, is_stored);
        if let Event::ObjectStored { digest, .. } = &mut events[stored] {
            *digest = Digest(5);
        }
    });
    breaks(
        OracleName::Durability,
        "a/0 acknowledged ckpt-1 before its snapshot",
        remove(is_stored),
    );
}

#[test]
fn transactions_are_prepared_before_they_are_acknowledged() {
    let is_prepared = |event: &Event| matches!(event, Event::TransactionPrepared { .. });
    let words = "out/0 acknowledged ckpt-1 before txn-3.1.0 was prepared";
    breaks(OracleName::Durability, words, remove(is_prepared));
}

#[test]
fn a_completed_checkpoint_is_durable() {
    let is_metadata = |event: &Event| {
        matches!(event, Event::ObjectStored { key: ObjectKey::Metadata { .. }, .. })
    };
    let words = "ckpt-1 completed before its metadata was durable";
    breaks(OracleName::Durability, words, remove(is_metadata));
    let gone = Event::ObjectDeleted { key: key(ONE, Attempt(1), SUM) };
    let words =
        "ckpt-1 completed, but the snapshot of sum/0 for ckpt-1 in attempt-1 is not durable";
    breaks(OracleName::Durability, words, |events| {
        for event in events.iter_mut() {
            if let Event::RecordWritten { retained, .. } = event {
                retained.clear();
            }
        }
        insert(is_completed, gone.clone())(events);
    });
    let notified = |event: &Event| matches!(event, Event::CompletionNotified { .. });
    breaks(OracleName::Durability, "deleted while ckpt-1 is retained", insert(notified, gone));
}

#[test]
fn the_newest_checkpoint_is_not_discarded() {
    let notified = |event: &Event| matches!(event, Event::CompletionNotified { .. });
    let words = "ckpt-1 was discarded, though 1 are to be retained";
    let discarded = insert(notified, Event::Discarded { checkpoint: ONE });
    breaks(OracleName::Durability, words, discarded);
}
