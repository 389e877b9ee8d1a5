//! Jobs that stop at a savepoint: what nobody does behind its barrier.

use super::super::kind::Kind;
use super::super::testing::{LAST, SUM, Script};
use super::*;
use crate::protocol::{AbortReason, Attempt, ChannelShape, LineageId, Protocol, SavepointMode};

/// A record of each source has gone all the way, and behind it the barrier of a savepoint.
fn stopping(mode: SavepointMode) -> Script {
    let mut script = started();
    script.pass();
    let before = script.events.len();
    script.snapshot(ONE);
    let place = before + at(&script.events[before..], |e| matches!(e, Event::Triggered { .. }));
    script.events[place] = Event::SavepointTriggered { attempt: Attempt(1), checkpoint: ONE, mode };
    script
}

#[test]
fn a_source_reads_nothing_behind_it() {
    let mut script = stopping(SavepointMode::Stop);
    script.read(0);
    let words = "a/0 reads on behind the barrier of ckpt-1, at which the job stops";
    expect(OracleName::Termination, words, &script.events, &End::Stopped);
}

/// What a source reads is sent as well; what an operator emits of itself is only that.
fn emits_behind(script: &mut Script) {
    script.read(0);
    let is_read = |event: &Event| matches!(event, Event::Read { .. });
    let last = script.events.iter().rposition(is_read).expect("it has just read");
    script.events.remove(last);
}

#[test]
fn nobody_emits_anything_behind_it() {
    for mode in [SavepointMode::Stop, SavepointMode::Drain] {
        let mut script = stopping(mode);
        emits_behind(&mut script);
        let words =
            "a record entered a/0->sum/0 behind the barrier of ckpt-1, at which the job stops";
        includes(OracleName::Termination, words, &script.events);
    }
}

/// Only in the cut of a drain, which nobody reads on from, has a source ended before its input has.
#[test]
fn no_other_cut_holds_what_a_drain_has_ended() {
    let ended = |mode| {
        let mut script = stopping(mode);
        let is_cut = |event: &&mut Event| matches!(event, Event::SnapshotTaken(_));
        let cut = script.events.iter_mut().find(is_cut).expect("sources take theirs first");
        let Event::SnapshotTaken(snapshot) = cut else { panic!("it is one") };
        snapshot.ended = true;
        script.events
    };
    let words =
        "a/0 took its snapshot for ckpt-1 as one that has ended, with split-0 read up to 1 of";
    for mode in [SavepointMode::GoOn, SavepointMode::Stop] {
        includes(OracleName::Termination, words, &ended(mode));
    }
    let drained = ended(SavepointMode::Drain);
    let mut late = drained.clone();
    let triggered = at(&late, |event| matches!(event, Event::SavepointTriggered { .. }));
    let (attempt, reason) = (Attempt(1), AbortReason::Expired);
    late.insert(triggered + 1, Event::Aborted { attempt, checkpoint: ONE, reason });
    for events in [drained, late] {
        let verdict = judged(&events, &End::Stopped);
        assert!(verdict.violations().iter().all(|v| v.kind != Kind::CutShort), "{verdict}");
    }
}

/// The same job, whose operator sends some of what it makes to itself again.
fn looping(mut script: Script) -> Vec<Event> {
    let Some(Event::RunStarted(run)) = script.events.first_mut() else { panic!("no start") };
    run.protocol = Protocol::Cyclic;
    run.topology.channels.push(ChannelShape { from: SUM, to: SUM, input: 2, edge: 1 });
    script.events
}

#[test]
fn nobody_before_a_loop_emits_anything_behind_it_and_those_behind_the_loop_may() {
    let mut source = stopping(SavepointMode::Stop);
    emits_behind(&mut source);
    let words = "a record entered a/0->sum/0 behind the barrier of ckpt-1";
    includes(OracleName::Termination, words, &looping(source));

    let mut operator = stopping(SavepointMode::Stop);
    let (channel, attempt, lineage) = (LAST, Attempt(1), LineageId(9));
    let sent = Event::Sent { channel, attempt, sequence: 2, lineage, bytes: None };
    operator.events.push(sent);
    includes(OracleName::Termination, "entered sum/0->out/0 behind", &operator.events);
    let verdict = judged(&looping(operator), &End::Stopped);
    let found = verdict.violations().iter().any(|v| v.oracle == OracleName::Termination);
    assert!(!found, "{:#?}", verdict.violations());
}

#[test]
fn a_job_that_goes_on_may() {
    let mut goes_on = stopping(SavepointMode::GoOn);
    goes_on.pass();
    let mut failed = stopping(SavepointMode::Stop);
    failed.abort(1);
    failed.pass();
    for script in [goes_on, failed] {
        let verdict = judged(&script.events, &End::Stopped);
        let found = verdict.violations().iter().any(|v| v.oracle == OracleName::Termination);
        assert!(!found, "{:#?}", verdict.violations());
    }
}
