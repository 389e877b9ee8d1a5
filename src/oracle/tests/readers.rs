//! What readers of an external system see.

use super::super::Judge;
use super::super::testing::{content, output_of, reference, run, stamped};
use super::*;
use crate::protocol::{
    Attempt, Digest, LineageId, OperatorId, OperatorRole, ProcessId, VirtualTime,
};
use crate::trace::{OutputHeld, OutputRecord, SinkTrouble, Upkeep};

const OUT: OperatorId = OperatorId(3);

/// The healthy run, whose sink writes to an external system in this role.
fn outside(role: OperatorRole) -> Vec<Event> {
    let mut events = healthy();
    events.retain(|event| {
        !matches!(
            event,
            Event::ProducersFenced { .. }
                | Event::TransactionOpened { .. }
                | Event::TransactionPrepared { .. }
                | Event::TransactionAborted { .. }
        )
    });
    for event in &mut events {
        match event {
            Event::RunStarted(started) => **started = run(role),
            Event::SnapshotTaken(taken) => taken.transactions.clear(),
            Event::TransactionCommitted { records, .. } => {
                let records = std::mem::take(records);
                *event = Event::OutputShown { operator: OUT, records };
            }
            _ => {}
        }
    }
    events
}

fn is_shown(event: &Event) -> bool {
    matches!(event, Event::OutputShown { .. })
}

fn shown(events: &mut [Event]) -> &mut Vec<OutputRecord> {
    let place = at(events, is_shown);
    match &mut events[place] {
        Event::OutputShown { records, .. } => records,
        other => panic!("{other:?} shows nothing"),
    }
}

#[track_caller]
fn breaks_once(words: &str, change: impl FnOnce(&mut Vec<Event>)) {
    let mut events = outside(OperatorRole::CommittingSink);
    change(&mut events);
    expect(OracleName::Output, words, &events, &End::Finished);
}

#[test]
fn a_right_sink_holds() {
    for role in [OperatorRole::CommittingSink, OperatorRole::ConvergingSink] {
        let verdict = judged(&outside(role), &End::Finished);
        assert_eq!(verdict, Verdict::Held, "{:#?}", verdict.violations());
    }
}

#[test]
fn nothing_is_seen_before_a_checkpoint_that_holds_it_has_completed() {
    breaks_once("of out, and no completed checkpoint holds it", |events| {
        let place = at(events, is_shown);
        let event = events.remove(place);
        let completed = at(events, |event| matches!(event, Event::Completed { .. }));
        events.insert(completed, event);
    });
}

#[test]
fn a_record_is_seen_once_and_for_good() {
    breaks_once("of out, which was visible already", |events| {
        let records = shown(events);
        records[1] = records[0];
    });
    breaks_once("of out was visible, and is not any more", |events| {
        let (place, records) = (at(events, is_shown), shown(events).clone());
        events.insert(place + 1, Event::OutputHidden { operator: OUT, records });
    });
}

#[test]
fn what_is_seen_is_expected_and_in_the_end_all_of_it() {
    breaks_once("of out, which is not expected at all", |events| {
        shown(events)[0].digest = Digest(5)
    });
    breaks_once("1 of 8 expected records not visible", |events| {
        shown(events).pop();
    });
}

#[test]
fn what_is_seen_together_is_in_the_order_in_which_it_was_given() {
    breaks_once("of out, behind one that its sink was given later", |events| {
        shown(events).swap(0, 1);
    });
}

#[test]
fn an_operator_that_the_job_has_not_is_told() {
    let mut events = outside(OperatorRole::CommittingSink);
    events.insert(1, Event::OutputShown { operator: OperatorId(9), records: Vec::new() });
    expect(OracleName::Trace, "is not in the topology", &events, &End::Finished);
}

#[test]
fn behind_a_converging_sink_only_the_end_counts() {
    let stranger = OutputRecord { lineage: LineageId(5), digest: Digest(5) };
    let strange = Event::OutputShown { operator: OUT, records: vec![stranger] };
    let mut events = outside(OperatorRole::ConvergingSink);
    events.insert(2, strange.clone());
    expect(OracleName::Output, "readers see the content with digest", &events, &End::Finished);
    let hidden = Event::OutputHidden { operator: OUT, records: vec![stranger] };
    events.insert(3, hidden);
    assert_eq!(judged(&events, &End::Finished), Verdict::Held);
}

/// The run up to where its output would be shown; the system lets go of all of it instead.
fn let_go() -> (Vec<Event>, Vec<OutputRecord>) {
    let mut events = outside(OperatorRole::CommittingSink);
    let place = at(&events, is_shown);
    let records = shown(&mut events).clone();
    events.truncate(place);
    events.push(Event::OutputExpired { operator: OUT, records: records.clone() });
    (events, records)
}

fn trouble() -> Event {
    Event::SinkTroubled { trouble: SinkTrouble::ExpiredTransaction }
}

#[test]
fn a_job_need_not_finish_without_what_the_system_has_let_go_of_in_trouble() {
    let (mut events, _) = let_go();
    events.insert(1, trouble());
    let verdict = judged(&events, &End::Quiescent);
    assert!(
        matches!(&verdict, Verdict::NotOwed { why } if why.contains("let it expire")),
        "{verdict}"
    );
}

/// Whether it is of no use to go on watching behind these events.
fn is_given_up(events: &[Event]) -> bool {
    let mut judge = Judge::new(reference());
    stamped(events).for_each(|(stamp, event)| judge.observe(stamp, event));
    judge.is_given_up()
}

#[test]
fn a_job_that_cannot_finish_is_watched_for_some_attempts_more() {
    let (mut events, _) = let_go();
    events.insert(1, trouble());
    events.push(Event::FaultsEnded);
    let (attempt, reason) = (Attempt(1), "what was promised is gone".to_owned());
    let failed = Event::AttemptFailed { attempt, reason };
    events.extend(std::iter::repeat_n(failed.clone(), 9));
    assert!(!is_given_up(&events));
    events.push(failed);
    assert!(is_given_up(&events));
    let expired = at(&events, |event| matches!(event, Event::OutputExpired { .. }));
    events.remove(expired);
    assert!(!is_given_up(&events), "it can finish");
}

#[test]
fn the_attempts_that_failed_before_it_was_gone_do_not_count() {
    let (mut events, _) = let_go();
    events.insert(1, trouble());
    let expired = at(&events, |event| matches!(event, Event::OutputExpired { .. }));
    let expired = events.remove(expired);
    events.push(Event::FaultsEnded);
    let (attempt, reason) = (Attempt(1), "the target is away".to_owned());
    let failed = Event::AttemptFailed { attempt, reason };
    events.extend(std::iter::repeat_n(failed.clone(), 12));
    events.push(expired);
    events.extend(std::iter::repeat_n(failed.clone(), 9));
    assert!(!is_given_up(&events));
    events.push(failed);
    assert!(is_given_up(&events));
}

#[test]
fn what_expires_though_nothing_is_in_trouble_excuses_nobody() {
    let (events, _) = let_go();
    expect(OracleName::Liveness, "nothing is left to happen", &events, &End::Quiescent);
}

#[test]
fn what_expires_before_a_checkpoint_has_completed_in_calm_may_have_been_on_its_way() {
    let (mut events, _) = let_go();
    events.splice(1..1, [trouble(), Event::SinkRecovered, Event::FaultsEnded]);
    let running = Event::AttemptRunning { attempt: Attempt(1) };
    let mut settled = events.clone();
    let triggered = at(&settled, |event| matches!(event, Event::Triggered { .. }));
    settled.insert(triggered, running.clone());
    expect(OracleName::Liveness, "nothing is left to happen", &settled, &End::Quiescent);
    let expired = at(&events, |event| matches!(event, Event::OutputExpired { .. }));
    events.insert(expired, running);
    assert!(matches!(judged(&events, &End::Quiescent), Verdict::NotOwed { .. }));
}

#[test]
fn what_is_found_again_excuses_nobody() {
    let (mut events, records) = let_go();
    events.insert(1, trouble());
    events.push(Event::OutputShown { operator: OUT, records: records[1..].to_vec() });
    assert!(matches!(judged(&events, &End::Quiescent), Verdict::NotOwed { .. }), "one is gone");
    events.push(Event::OutputShown { operator: OUT, records: records[..1].to_vec() });
    expect(OracleName::Liveness, "nothing is left to happen", &events, &End::Quiescent);
}

#[test]
fn what_readers_have_seen_is_not_lost_with_another_copy_of_it() {
    let mut events = outside(OperatorRole::CommittingSink);
    let (place, records) = (at(&events, is_shown), shown(&mut events).clone());
    events.truncate(place + 1);
    events.insert(1, trouble());
    events.push(Event::OutputExpired { operator: OUT, records });
    expect(OracleName::Liveness, "nothing is left to happen", &events, &End::Quiescent);
}

#[test]
fn what_is_let_go_of_before_it_is_given_again_is_no_loss() {
    let lineage = output_of(0, 0);
    let records = vec![OutputRecord { lineage, digest: content(lineage) }];
    let mut events = outside(OperatorRole::CommittingSink);
    events.insert(2, Event::OutputExpired { operator: OUT, records });
    assert_eq!(judged(&events, &End::Finished), Verdict::Held);
}

/// The healthy run, at whose end the system holds this; its second attempt began later than at 5 ms.
fn held(since_ms: u64, upkeep: Upkeep) -> Vec<Event> {
    let mut events = outside(OperatorRole::CommittingSink);
    events.push(left(since_ms, upkeep));
    events
}

fn left(since_ms: u64, upkeep: Upkeep) -> Event {
    let lineage = output_of(0, 0);
    let records = vec![OutputRecord { lineage, digest: content(lineage) }];
    let (operator, name, since) = (OUT, "branch-7".to_owned(), VirtualTime::from_ms(since_ms));
    Event::OutputHeld(Box::new(OutputHeld { operator, name, since, upkeep, records }))
}

#[test]
fn what_the_system_holds_at_the_end_was_left_by_somebody_who_has_not_heard_of_it() {
    let words = "still holds branch-7 of out, 1 records in it, though it was there when the second attempt began";
    expect(OracleName::Output, words, &held(5, Upkeep::Client), &End::Finished);
    for healthy in [held(5, Upkeep::Maintenance), held(100_000, Upkeep::Client)] {
        assert_eq!(judged(&healthy, &End::Finished), Verdict::Held);
    }
    let mut misdated = held(5, Upkeep::Client);
    let (process, ahead_us) = (ProcessId::SinkTarget, -1_000_000);
    misdated.insert(1, Event::ClockChanged { process, ahead_us });
    assert_eq!(judged(&misdated, &End::Finished), Verdict::Held);
}

#[test]
fn where_no_attempt_has_failed_nothing_is_left() {
    let mut script = started();
    script.pass();
    script.checkpoint(1);
    script.end();
    script.snapshot_ended(2);
    script.finish(3);
    for upkeep in [Upkeep::Client, Upkeep::Maintenance] {
        let mut events = script.events.clone();
        events.push(left(100_000, upkeep));
        includes(OracleName::Output, "though no attempt has failed", &events);
    }
}
