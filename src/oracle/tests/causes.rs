//! Failures need a reason.

use super::super::Kind;
use std::time::Duration;

use super::super::testing::{SUM, judged_within};
use super::*;
use crate::protocol::{AbortReason, Attempt, ProcessId};

/// A run of one attempt in which nothing has gone wrong.
fn calm() -> Script {
    let mut script = started();
    script.pass();
    script.checkpoint(1);
    script
}

fn failed(attempt: u32) -> [Event; 2] {
    let (attempt, subtask, reason) = (Attempt(attempt), SUM, "it divided by zero".to_owned());
    [
        Event::SubtaskFailed { subtask, attempt, reason: reason.clone() },
        Event::AttemptFailed { attempt, reason },
    ]
}

#[test]
fn a_subtask_does_not_fail_out_of_nothing() {
    let mut script = calm();
    script.events.extend(failed(1));
    let words = "sum/0 failed, and nothing was in trouble: it divided by zero";
    expect(OracleName::Causes, words, &script.events, &End::Stopped);
    let mut script = calm();
    script.events.push(Event::Crashed { process: ProcessId::Worker(1) });
    script.events.extend(failed(1));
    assert!(judged(&script.events, &End::Stopped).violations().is_empty());
}

#[test]
fn the_end_of_faults_is_none_of_them() {
    let mut script = calm();
    script.events.push(Event::FaultsEnded);
    script.events.extend(failed(1));
    let words = "sum/0 failed, and nothing was in trouble: it divided by zero";
    expect(OracleName::Causes, words, &script.events, &End::Stopped);
}

#[test]
fn an_attempt_does_not_fail_out_of_nothing() {
    let attempt = Attempt(1);
    let failed = Event::AttemptFailed { attempt, reason: "a whim".to_owned() };
    let mut script = calm();
    script.events.push(failed.clone());
    let words = "attempt-1 failed, and nothing was in trouble: a whim";
    expect(OracleName::Causes, words, &script.events, &End::Stopped);
    let mut script = calm();
    script.snapshot(TWO);
    script.abort(2);
    script.events.push(failed.clone());
    assert!(judged(&script.events, &End::Stopped).violations().is_empty(), "a limit was reached");
    let mut script = calm();
    script.events.push(Event::RescaleStarted { attempt, parallelism: 2, newest: None });
    script.events.push(failed);
    let verdict = judged(&script.events, &End::Stopped);
    assert!(!verdict.fired().contains(&OracleName::Causes), "somebody asked for it");
}

/// Plans by priority hold back what a process says until faults have ended.
#[test]
fn silence_is_a_reason_until_faults_have_ended() {
    let failed = |attempt| Event::AttemptFailed {
        attempt: Attempt(attempt),
        reason: "worker-0 has not been heard of".to_owned(),
    };
    let mut script = calm();
    script.events.push(failed(1));
    script.start();
    script.events.push(Event::FaultsEnded);
    script.events.push(Event::AttemptRunning { attempt: Attempt(2) });
    assert!(judged(&script.events, &End::Stopped).violations().is_empty());
    script.events.push(failed(2));
    script.start();
    script.events.push(Event::AttemptRunning { attempt: Attempt(3) });
    assert!(judged(&script.events, &End::Stopped).violations().is_empty(), "it began before");
    script.events.push(failed(3));
    let words = "attempt-3 failed, and nothing was in trouble: worker-0 has not been heard of";
    expect(OracleName::Causes, words, &script.events, &End::Stopped);
}

#[test]
fn a_checkpoint_is_finalised_where_nothing_is_in_trouble() {
    let mut script = calm();
    script.snapshot(TWO);
    let (attempt, checkpoint, reason) = (Attempt(1), TWO, AbortReason::FinalizationFailed);
    script.events.push(Event::Aborted { attempt, checkpoint, reason });
    let words = "ckpt-2 could not be finalised, and nothing was in trouble";
    expect(OracleName::Causes, words, &script.events, &End::Stopped);
}

/// Once faults have ended and an attempt that began after them runs, it is calm again.
#[test]
fn faults_excuse_what_fails_until_they_are_over() {
    let mut script = calm();
    script.fail();
    script.events.push(Event::FaultsEnded);
    script.start();
    let before = script.events.len();
    script.events.extend(failed(2));
    assert!(judged(&script.events, &End::Stopped).violations().is_empty(), "it did not run yet");
    script.events.insert(before, Event::AttemptRunning { attempt: Attempt(2) });
    let words = "sum/0 failed, and nothing was in trouble";
    expect(OracleName::Causes, words, &script.events, &End::Stopped);
}

/// A calm run whose checkpoints 2 to `newest` expire, but for each `completes`th.
fn expiring(newest: u64, completes: u64) -> Script {
    expiring_while(newest, completes, |_, _| {})
}

/// Likewise, and this happens while each of them is under way.
fn expiring_while(
    newest: u64,
    completes: u64,
    meanwhile: impl Fn(&mut Script, CheckpointId),
) -> Script {
    let mut script = calm();
    for number in 2..=newest {
        if number % completes == 0 {
            script.checkpoint(number);
        } else {
            let (attempt, checkpoint) = (Attempt(1), CheckpointId(number));
            script.events.push(Event::Triggered { attempt, checkpoint });
            meanwhile(&mut script, checkpoint);
            let reason = AbortReason::Expired;
            script.events.push(Event::Aborted { attempt, checkpoint, reason });
        }
    }
    script.events.push(Event::JobFinished { attempt: Attempt(1) });
    script
}

/// Two of three may expire in calm, and more of them where something is in trouble.
#[test]
fn checkpoints_do_not_expire_out_of_nothing() {
    let found = |script: &Script| {
        let verdict = judged(&script.events, &End::Finished);
        verdict.violations().iter().any(|found| found.kind == Kind::NeedlessAborts)
    };
    assert!(found(&expiring(13, 6)), "3 of 13");
    assert!(!found(&expiring(11, 6)), "too few to tell");
    assert!(!found(&expiring(15, 3)), "6 of 15");
    let mut troubled = expiring(13, 6);
    troubled.events.insert(4, Event::Crashed { process: ProcessId::Worker(1) });
    assert!(!found(&troubled));
    // A barrier that waits for a record is late because of it; one that waits for nothing has no excuse.
    let waiting = |script: &mut Script, checkpoint| script.barrier_sent(0, checkpoint);
    assert!(found(&expiring_while(13, 6, waiting)));
    let behind_a_record = |script: &mut Script, checkpoint| {
        script.read(0);
        script.barrier_sent(0, checkpoint);
    };
    assert!(!found(&expiring_while(13, 6, behind_a_record)));
}

#[test]
fn no_checkpoint_expires_before_its_time() {
    let events = expiring(2, 3).events;
    let words = "ckpt-2 expired after 1 ms, though it may take 2 ms";
    let told = |timeout_ms| {
        let timeout = Duration::from_millis(timeout_ms);
        let verdict = judged_within(timeout, &events, &End::Finished);
        verdict.violations().iter().any(|found| found.text.contains(words))
    };
    assert!(told(2) && !told(1));
}
