//! Splits that come up and go away.

use super::super::Judge;
use super::super::testing::{SOURCES, reference, stamped};
use super::*;
use crate::protocol::{Attempt, OperatorId, ProcessId, SplitId, VirtualTime};
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
