//! How runs end, and what is owed by then.

use super::super::testing::{SOURCES, SUM, reference, run, stamped};
use super::super::{Judge, VerdictClass};
use super::*;
use crate::protocol::{Attempt, ChannelId, OperatorRole, ProcessId, Term, VirtualTime};
use crate::trace::Stamp;

/// Faults end in a run that goes on until `at`, with nothing but the passing of time.
fn overdue(mut events: Vec<Event>, at: u64, end: &End) -> Verdict {
    events.push(Event::FaultsEnded);
    let number = events.len() as u64;
    let mut judge = Judge::new(reference());
    stamped(&events).for_each(|(stamp, event)| judge.observe(stamp, event));
    let stamp = Stamp { number, at: VirtualTime::from_ms(at), process: ProcessId::Worker(0) };
    judge.observe(stamp, &Event::Resumed { process: ProcessId::Worker(0) });
    judge.finish(end)
}

#[test]
fn the_job_finishes_in_time() {
    let late = overdue(started().events, 2000, &End::Stopped);
    assert!(late.to_string().contains("not finished within 1000 ms after faults ended"), "{late}");
    assert_eq!((late.class(), late.exit_code()), (VerdictClass::Liveness, 3));
    let early = overdue(started().events, 900, &End::TimeLimit { at: VirtualTime::from_ms(900) });
    assert_eq!((early.clone(), early.exit_code()), (Verdict::Undecided, 2));
    let limit = overdue(started().events, 900, &End::TimeLimit { at: VirtualTime::from_ms(5000) });
    assert_eq!(limit.fired(), [OracleName::Liveness]);
}

#[test]
fn a_run_that_goes_round_in_circles_is_told_as_such() {
    let verdict = overdue(started().events, 900, &End::StepLimit { steps: 50 });
    assert!(
        verdict.to_string().contains("round in circles: given up after 50 inputs"),
        "{verdict}"
    );
    assert_eq!((verdict.class(), verdict.exit_code()), (VerdictClass::Liveness, 3));
}

#[test]
fn a_job_that_waits_forever_is_found() {
    let mut script = started();
    let (channel, attempt, checkpoint) = (ChannelId(1), Attempt(1), ONE);
    script.events.push(Event::ChannelBlocked { channel, attempt, checkpoint });
    let words = "nothing is left to happen, and the job has not finished; ";
    expect(OracleName::Liveness, words, &script.events, &End::Quiescent);
    let words = "; b/0->sum/0 is blocked for ckpt-1, which is not settled";
    expect(OracleName::Liveness, words, &script.events, &End::Quiescent);
    expect(OracleName::Liveness, "but the job never finished", &script.events, &End::Finished);
}

#[test]
fn no_channel_stays_blocked_for_what_is_settled() {
    let mut script = started();
    let (channel, attempt, checkpoint) = (ChannelId(1), Attempt(1), ONE);
    script.events.push(Event::Triggered { attempt, checkpoint });
    script.events.push(Event::ChannelBlocked { channel, attempt, checkpoint });
    let waiting = overdue(script.events.clone(), 900, &End::Stopped);
    assert_eq!(waiting, Verdict::Undecided, "it is not settled");
    script.abort(1);
    let blocked = overdue(script.events.clone(), 900, &End::Stopped);
    assert!(blocked.to_string().contains("b/0->sum/0 is blocked for ckpt-1"), "{blocked}");
    assert_eq!(blocked.violations()[0].channel, Some(channel));
    let soon = overdue(script.events.clone(), 400, &End::Stopped);
    assert_eq!(soon, Verdict::Undecided, "it may still be released");
    script.events.push(Event::ChannelUnblocked { channel, attempt, checkpoint });
    assert_eq!(overdue(script.events, 900, &End::Stopped), Verdict::Undecided);
}

#[test]
fn every_older_checkpoint_is_settled_in_the_end() {
    let words = "the job finished with ckpt-2 neither completed nor aborted, ckpt-5 completed";
    let mut events = healthy();
    events.retain(|event| !matches!(event, Event::Aborted { .. }));
    includes(OracleName::Liveness, words, &events);
}

#[test]
fn a_panic_is_a_verdict_unless_a_violation_came_first() {
    let end = End::Panicked { message: "index out of bounds".to_owned() };
    let verdict = judged(&started().events, &end);
    assert_eq!(verdict.exit_code(), 101);
    assert_eq!(verdict.to_string(), "panicked: index out of bounds");
    let mut events = started().events;
    let (subtask, attempt) = (SOURCES[0], Attempt(1));
    for checkpoint in [TWO, ONE] {
        events.push(Event::AlignmentStarted { subtask, attempt, checkpoint });
    }
    assert_eq!(judged(&events, &end).exit_code(), 1);
}

/// Each stage of a job that does not finish, with the words for what is waited for.
#[test]
fn what_an_overdue_job_waits_for_is_told() {
    let told = |script: &Script, words: &str| {
        expect(OracleName::Liveness, words, &script.events, &End::Quiescent);
    };
    let mut script = Script::new();
    told(&script, "has not finished; no attempt was started");
    script.start();
    let started = script.clone();
    script.events.retain(|event| !matches!(event, Event::Restored(it) if it.subtask == SUM));
    told(&script, "; attempt-1 was started and does not run: not restored: sum/0");
    let mut script = started;
    told(&script, "; attempt-1 was started and does not run: nobody has told the coordinator");
    script.events.push(Event::AttemptRunning { attempt: Attempt(1) });
    told(&script, "; attempt-1 runs; not at the end of their input: a/0, b/0, sum/0, out/0");
    let (subtask, attempt) = (SOURCES[0], Attempt(1));
    script.events.push(Event::SubtaskEnded { subtask, attempt });
    told(&script, "; attempt-1 runs; not at the end of their input: b/0, sum/0, out/0");
    script.snapshot(ONE);
    told(&script, "; ckpt-1 is pending, not acknowledged by a/0, b/0, sum/0, out/0");
    script.acknowledge(ONE);
    told(&script, "; ckpt-1 is pending, acknowledged by all, and not assembled");
    script.assemble(ONE);
    told(&script, "; ckpt-1 is assembled and not completed");
    script.complete(ONE);
    script.events.retain(|event| !matches!(event, Event::TransactionCommitted { .. }));
    told(&script, "sum/0, out/0; asked to commit and not committed: ");
    script.events.push(Event::GatewayClosed { subtask, attempt, checkpoint: TWO });
    told(&script, "; the enumerator's gateway is closed for a/0; asked to commit");
    script.fail();
    told(&script, "; no attempt was started after attempt-1, which failed: worker-0 crashed");
}

/// A number may belong to somebody else in another shape: names are those in force when it is found.
#[test]
fn places_are_named_in_the_shape_in_force() {
    let mut script = started();
    script.fail();
    let mut topology = run(OperatorRole::TransactionalSink).topology;
    let sum = topology.subtasks[SUM.index()].operator;
    topology.operators[sum.index()].name = "total".to_owned();
    let (attempt, term) = (Attempt(2), Term(1));
    script.events.push(Event::Reshaped { attempt, term, topology: Box::new(topology) });
    script.start();
    for checkpoint in [TWO, ONE] {
        script.events.push(Event::AlignmentStarted { subtask: SUM, attempt, checkpoint });
    }
    let verdict = judged(&script.events, &End::Stopped);
    let first = verdict.violations().first().expect("an older checkpoint after a newer one");
    assert_eq!(first.names.subtask.as_deref(), Some("total/0"), "{first}");
    assert_eq!(first.names.places().collect::<Vec<_>>(), ["subtask total/0"]);
}
