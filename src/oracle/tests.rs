//! Every oracle is seen to hold, and to fail for each of its rules.

mod causes;
mod channels;
mod cuts;
mod deposed;
mod ends;
mod event_time;
mod leftovers;
mod lives;
mod outputs;
mod readers;
mod recoveries;
mod schema;
mod splits;
mod stops;
mod unions;

use super::testing::{Script, healthy, judged};
use super::{End, OracleName, Verdict};
use crate::protocol::CheckpointId;
use crate::trace::{Event, SnapshotTaken};

/// Breaks the healthy run; `oracle` must be the first to say so, in words that contain `words`.
#[track_caller]
fn breaks(oracle: OracleName, words: &str, change: impl FnOnce(&mut Vec<Event>)) {
    let mut events = healthy();
    change(&mut events);
    expect(oracle, words, &events, &End::Finished);
}

/// Judges `events`; `oracle` must be the first to find a violation, in words that contain `words`.
#[track_caller]
fn expect(oracle: OracleName, words: &str, events: &[Event], end: &End) {
    let verdict = judged(events, end);
    let Some(first) = verdict.violations().first() else {
        panic!("{verdict}, where {oracle} should find: {words}");
    };
    assert!(first.oracle == oracle && first.text.contains(words), "{first}\nwanted: {words}");
}

/// Judges `events`; `oracle` must be among those that find a violation, in words that contain `words`.
#[track_caller]
fn includes(oracle: OracleName, words: &str, events: &[Event]) {
    let verdict = judged(events, &End::Finished);
    let found = verdict.violations().iter().any(|v| v.oracle == oracle && v.text.contains(words));
    assert!(found, "{:#?}\nwanted: {words}", verdict.violations());
}

/// Where the first event of this kind is.
#[track_caller]
fn at(events: &[Event], is_it: impl Fn(&Event) -> bool) -> usize {
    events.iter().position(is_it).expect("the run has such an event")
}

/// The first snapshot that `is_it`.
#[track_caller]
fn snapshot(events: &mut [Event], is_it: impl Fn(&SnapshotTaken) -> bool) -> &mut SnapshotTaken {
    events
        .iter_mut()
        .find_map(|event| match event {
            Event::SnapshotTaken(snapshot) if is_it(snapshot) => Some(&mut **snapshot),
            _ => None,
        })
        .expect("the run has such a snapshot")
}

fn started() -> Script {
    let mut script = Script::new();
    script.start();
    script
}

const ONE: CheckpointId = CheckpointId(1);
const TWO: CheckpointId = CheckpointId(2);

#[test]
fn the_healthy_run_holds() {
    let verdict = judged(&healthy(), &End::Finished);
    assert_eq!(verdict, Verdict::Held, "{:#?}", verdict.violations());
    assert_eq!(verdict.exit_code(), 0);
}
