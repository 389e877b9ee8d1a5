//! Splits that come up and go away.

use super::super::Judge;
use super::super::testing::{SOURCES, reference, stamped};
use super::*;
use crate::protocol::{Attempt, Incarnation, OperatorId, ProcessId, SplitId, Term, VirtualTime};
use crate::trace::Stamp;

const ATTEMPT: Attempt = Attempt(1);

fn discovered(split: u16) -> Event {
    Event::SplitDiscovered { operator: OperatorId(0), attempt: ATTEMPT, split: SplitId(split) }
}

fn known(splits: &[u16]) -> Event {
    let (operator, known) = (OperatorId(0), splits.iter().copied().map(SplitId).collect());
    Event::SplitsKnown { operator, attempt: ATTEMPT, checkpoint: ONE, known }
}

fn verdict_of(mut events: Vec<Event>, then: &[Event]) -> Verdict {
    events.extend(then.iter().cloned());
    judged(&events, &End::Stopped)
}

#[test]
fn a_split_is_discovered_once() {
    let again = verdict_of(started().events, &[discovered(1), discovered(1)]);
    assert!(again.to_string().contains("split-1 was discovered again, but it was unassigned"));
    let (subtask, attempt, split) = (SOURCES[0], ATTEMPT, SplitId(1));
    let assigned = Event::SplitAssigned { subtask, attempt, split };
    let accepted = Event::SplitAccepted { subtask, attempt, split, offset: 0 };
    let read = verdict_of(started().events, &[discovered(1), assigned, accepted, discovered(1)]);
    assert!(read.to_string().contains("split-1 was discovered again, but a/0 has it"), "{read}");
}

#[test]
fn what_an_enumerator_knows_is_in_its_part_of_the_cut() {
    let whole = verdict_of(started().events, &[discovered(0), discovered(1), known(&[0, 1])]);
    assert_eq!(whole, Verdict::Undecided, "{:#?}", whole.violations());
    let part = verdict_of(started().events, &[discovered(0), discovered(1), known(&[0])]);
    assert!(part.to_string().contains("that it does not know [split-1]"), "{part}");
    let removed = Event::SplitRemoved { split: SplitId(1) };
    let gone = [discovered(0), discovered(1), removed, known(&[0])];
    assert_eq!(verdict_of(started().events, &gone), Verdict::Undecided);
}

#[test]
fn a_split_that_is_there_is_discovered_in_time() {
    let told = |then: &[Event], at_ms| {
        let mut events = started().events;
        events.push(Event::AttemptRunning { attempt: ATTEMPT });
        events.push(Event::SplitAppeared { split: SplitId(1) });
        events.extend(then.iter().cloned());
        events.push(Event::FaultsEnded);
        let number = events.len() as u64;
        let mut judge = Judge::new(reference());
        stamped(&events).for_each(|(stamp, event)| judge.observe(stamp, event));
        let (at, process) = (VirtualTime::from_ms(at_ms), ProcessId::Worker(0));
        judge.observe(Stamp { number, at, process }, &Event::Resumed { process });
        judge.finish(&End::Stopped)
    };
    let late = told(&[], 900);
    assert!(late.to_string().contains("split-1 has been there for"), "{late}");
    assert_eq!(told(&[], 400), Verdict::Undecided, "it may still be");
    assert_eq!(told(&[discovered(1)], 900), Verdict::Undecided);
    let removed = Event::SplitRemoved { split: SplitId(1) };
    assert_eq!(told(&[removed], 900), Verdict::Undecided);
}

#[test]
fn a_reader_lets_go_of_what_a_completed_checkpoint_holds_as_read() {
    let (subtask, attempt, split) = (SOURCES[0], ATTEMPT, SplitId(0));
    let released = Event::SplitReleased { subtask, attempt, checkpoint: ONE, split };
    let early = verdict_of(started().events, &[released]);
    let words =
        "a/0 let go of split-0 for ckpt-1, but the completed checkpoints only reach 0 of its 4";
    assert!(early.to_string().contains(words), "{early}");
    assert_eq!(early.violations()[0].oracle, OracleName::State);
}

/// Until its successor starts an attempt, a deposed coordinator goes on with its own: what it discovers it assigns.
#[test]
fn what_a_deposed_coordinator_discovers_is_there_to_be_assigned() {
    let process = ProcessId::Coordinator;
    let deposed = [
        Event::Zombified { process, incarnation: Incarnation(0) },
        Event::LeadershipTaken { term: Term(2) },
        discovered(1),
        Event::SplitAssigned { subtask: SOURCES[0], attempt: ATTEMPT, split: SplitId(1) },
    ];
    let found = verdict_of(started().events, &deposed);
    assert_eq!(found, Verdict::Undecided, "{:#?}", found.violations());
    let out_of_nothing = [&deposed[..2], &deposed[3..]].concat();
    let found = verdict_of(started().events, &out_of_nothing);
    assert!(found.to_string().contains("but it was not unassigned"), "{found}");
}

/// Which source discovers its splits says nothing of the others' splits: they are known from the start.
#[test]
fn a_cut_lacks_no_split_that_was_there_from_the_start() {
    let of_cut = |lacking: usize| {
        let mut script = started();
        script.checkpoint(1);
        let first = at(&script.events, |event| matches!(event, Event::SnapshotTaken(_)));
        script.events.insert(first, known(&[]));
        for event in &mut script.events {
            match event {
                Event::SnapshotTaken(taken) if taken.subtask == SOURCES[lacking] => {
                    taken.positions.clear();
                }
                _ => {}
            }
        }
        judged(&script.events, &End::Stopped).to_string()
    };
    for source in 0..2 {
        let words = format!("ckpt-1 holds 0 owners of split-{source}, not one");
        assert!(of_cut(source).contains(&words), "{}", of_cut(source));
    }
}
