//! Jobs that stop at a savepoint: what nobody does behind its barrier.

use super::super::testing::Script;
use super::*;
use crate::protocol::{Attempt, SavepointMode};

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
