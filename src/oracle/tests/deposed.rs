//! A coordinator that was replaced and goes on: what it says of what its successor has ended binds
//! nobody, but only while the trace says that there is one.

use super::*;
use crate::protocol::{AbortReason, Attempt, Incarnation, ProcessId, Term};

const COORDINATOR: ProcessId = ProcessId::Coordinator;

/// The healthy run, with a new coordinator before its second attempt; `words` of its predecessor come
/// right after that attempt has started.
fn succeeded(zombie: bool, words: &[Event]) -> Vec<Event> {
    let mut events = healthy();
    let second = at(&events, |e| matches!(e, Event::AttemptStarted { attempt: Attempt(2), .. }));
    for event in &mut events[second..] {
        if let Event::AttemptStarted { term, .. } | Event::RecordWritten { term, .. } = event {
            *term = Term(2);
        }
    }
    let incarnation = Incarnation(0);
    events.splice(second + 1..second + 1, words.iter().cloned());
    events.insert(second, Event::LeadershipTaken { term: Term(2) });
    if zombie {
        let zombified = Event::Zombified { process: COORDINATOR, incarnation };
        events.insert(second, zombified);
    }
    events
}

/// What a deposed coordinator may still say.
fn words() -> Vec<Event> {
    let (attempt, checkpoint) = (Attempt(1), CheckpointId(99));
    vec![
        Event::LeadershipTaken { term: Term(1) },
        Event::Triggered { attempt, checkpoint },
        Event::Assembled { checkpoint, snapshots: Vec::new() },
        Event::Aborted { attempt, checkpoint, reason: AbortReason::AttemptFailed },
        Event::AttemptFailed { attempt, reason: "no worker is heard of".to_owned() },
        Event::AttemptStarted { attempt: Attempt(1), term: Term(1), restored: None },
    ]
}

#[test]
fn what_a_deposed_coordinator_says_binds_nobody() {
    let verdict = judged(&succeeded(true, &words()), &End::Finished);
    assert_eq!(verdict, Verdict::Held, "{:#?}", verdict.violations());
}

#[test]
fn a_coordinator_that_reigns_may_say_none_of_it() {
    let cases = [
        (0, OracleName::Recovery, "took over under term-1, after term-2"),
        (1, OracleName::Lifecycle, "ckpt-99 was triggered in attempt-1, which does not run"),
        (2, OracleName::Lifecycle, "ckpt-99 was assembled, but it is not pending"),
        (5, OracleName::Recovery, "attempt-1 was started under term-1, term-2 reigns"),
    ];
    for (place, oracle, text) in cases {
        let word = &words()[place..=place];
        let verdict = judged(&succeeded(false, word), &End::Finished);
        let first = verdict.violations().first().map(|first| (first.oracle, first.text.clone()));
        let (found, told) = first.unwrap_or_else(|| panic!("nobody minds {word:?}"));
        let same = found == oracle || found == OracleName::Trace;
        assert!(same && told.contains(text), "{found}: {told}\nwanted: {text}");
    }
}

/// The zombie explains nothing that the newest coordinator does in its own attempt.
#[test]
fn a_successor_is_judged_as_before() {
    let (attempt, checkpoint) = (Attempt(2), CheckpointId(1));
    let events = succeeded(true, &[Event::Triggered { attempt, checkpoint }]);
    expect(OracleName::Lifecycle, "ckpt-1 was triggered after", &events, &End::Finished);
}
