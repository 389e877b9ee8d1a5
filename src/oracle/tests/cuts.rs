//! Cuts, vector clocks, conservation.

use super::super::testing::{OUT, SOURCES, SUM};
use super::*;
use crate::protocol::{Attempt, ChannelId, Digest, LineageId, SplitId};

/// `sum/0` processes a record of `b/0` that was sent after its barrier, then snapshots.
fn orphan() -> Script {
    let mut script = started();
    script.pass();
    let attempt = Attempt(1);
    script.events.push(Event::Triggered { attempt, checkpoint: ONE });
    script.barrier_sent(1, ONE);
    script.freeze(SOURCES[1], ONE);
    script.read(1);
    script.receive(1);
    script
}

#[test]
fn an_orphan_is_named() {
    let mut script = orphan();
    script.freeze(SUM, ONE);
    includes(OracleName::Cut, "orphan on b/0->sum/0: ckpt-1 holds 2 records", &script.events);
    includes(OracleName::VectorClock, "the cut of sum/0 at ckpt-1 depends on", &script.events);
    let verdict = judged(&script.events, &End::Stopped);
    let violation = verdict.violations().iter().find(|v| v.oracle == OracleName::Cut);
    let record = LineageId::of_entry(SplitId(1), 1);
    assert_eq!(violation.and_then(|v| v.record), Some(record));
    assert_eq!(violation.and_then(|v| v.channel), Some(ChannelId(1)));
}

#[test]
fn an_orphan_shows_whichever_end_snapshots_first() {
    let mut script = started();
    script.freeze(SOURCES[1], ONE);
    let early = script.events.pop();
    script.read(1);
    script.receive(1);
    script.freeze(SUM, ONE);
    assert!(judged(&script.events, &End::Stopped).violations().is_empty());
    script.events.extend(early);
    includes(OracleName::Cut, "orphan on b/0->sum/0", &script.events);
}

#[test]
fn dependence_through_another_subtask_is_found() {
    let mut script = orphan();
    script.receive(2);
    script.freeze(OUT, ONE);
    includes(OracleName::VectorClock, "the cut of out/0 at ckpt-1 depends on", &script.events);
}

#[test]
fn a_lost_record_is_named() {
    let mut script = started();
    script.pass();
    script.read(0);
    script.barrier_sent(0, ONE);
    script.freeze(SOURCES[0], ONE);
    script.freeze(SUM, ONE);
    includes(OracleName::Cut, "lost on a/0->sum/0: ckpt-1 holds 2 records", &script.events);
    let verdict = judged(&script.events, &End::Stopped);
    assert!(!verdict.fired().contains(&OracleName::VectorClock), "nothing depends on it");
}

#[test]
fn equal_numbers_of_other_records_are_no_cut() {
    breaks(OracleName::Cut, "claims 1 records of a/0->sum/0 as processed", |events| {
        let taken = snapshot(events, |taken| taken.subtask == SUM);
        taken.received[0].digest = Digest(5);
    });
}

#[test]
fn cuts_are_judged_without_events_per_record() {
    let is_hot = |event: &Event| {
        matches!(event, Event::Read { .. } | Event::Sent { .. } | Event::Received { .. })
    };
    let mut events = healthy();
    events.retain(|event| !is_hot(event));
    let verdict = judged(&events, &End::Finished);
    assert_eq!(verdict, Verdict::Held, "{:#?}", verdict.violations());
    snapshot(&mut events, |taken| taken.subtask == SUM).received[0].digest = Digest(5);
    let words = "the two ends of a/0->sum/0 hold 1 records each in ckpt-1, but not the same ones";
    expect(OracleName::Cut, words, &events, &End::Finished);
    snapshot(&mut events, |taken| taken.subtask == SUM).received[0].records = 0;
    expect(OracleName::Cut, "lost on a/0->sum/0", &events, &End::Finished);
}

#[test]
fn a_barrier_ahead_of_waiting_records_is_found() {
    let mut script = started();
    script.pass();
    script.barrier_sent(0, ONE);
    script.read(0);
    script.events.pop().expect("the record waits for credit");
    script.freeze(SOURCES[0], ONE);
    let words = "entered a/0->sum/0 after 1 records, but its sender's snapshot holds 2 as emitted";
    expect(OracleName::Cut, words, &script.events, &End::Stopped);
}

#[test]
fn records_that_wait_for_credit_at_the_snapshot_belong_to_it() {
    let mut script = started();
    script.pass();
    script.read(0);
    let waits = script.events.pop().expect("the record was sent");
    script.freeze(SOURCES[0], ONE);
    script.events.push(waits);
    script.barrier_sent(0, ONE);
    script.receive(0);
    script.freeze(SUM, ONE);
    let verdict = judged(&script.events, &End::Stopped);
    assert!(verdict.violations().is_empty(), "{:#?}", verdict.violations());
}

#[test]
fn a_completed_checkpoint_has_every_snapshot() {
    breaks(OracleName::Cut, "ckpt-1 completed, and out/0 has taken no snapshot", |events| {
        let taken = at(
            events,
            |event| matches!(event, Event::SnapshotTaken(taken) if taken.subtask == OUT),
        );
        events.remove(taken);
    });
}

#[test]
fn every_channel_is_listed() {
    breaks(OracleName::Cut, "the snapshot of sum/0 for ckpt-1 does not list", |events| {
        snapshot(events, |taken| taken.subtask == SUM).received.pop();
    });
}

#[test]
fn tokens_sum_to_zero() {
    breaks(OracleName::Conservation, "the cut of ckpt-2 holds 7 tokens", |events| {
        let is_it = |taken: &SnapshotTaken| taken.subtask == OUT && taken.checkpoint == TWO;
        snapshot(events, is_it).tokens = Some(7);
    });
    let mut events = healthy();
    snapshot(&mut events, |taken| taken.subtask == SUM).tokens = Some(-7);
    snapshot(&mut events, |taken| taken.subtask == OUT).tokens = Some(7);
    assert_eq!(judged(&events, &End::Finished), Verdict::Held);
}
