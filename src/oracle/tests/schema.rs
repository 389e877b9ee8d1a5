//! The trace's own form: nothing in it can lead the judge astray.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::super::testing::{reference, stamped};
use super::super::{Judge, Violations};
use super::*;
use crate::protocol::{Attempt, ChannelId, LineageId, ProcessId, SplitId, SubtaskId, VirtualTime};
use crate::trace::Stamp;

fn fired(stamps: [(u64, u64); 2]) -> Vec<OracleName> {
    let events = healthy();
    let mut judge = Judge::new(reference());
    for ((number, at), event) in stamps.into_iter().zip(&events) {
        let process = ProcessId::Coordinator;
        judge.observe(Stamp { number, at: VirtualTime(at), process }, event);
    }
    judge.violations().fired().to_vec()
}

#[test]
fn events_are_numbered_and_in_time_order() {
    assert_eq!(fired([(0, 0), (1, 0)]), []);
    assert_eq!(fired([(0, 0), (2, 0)]), [OracleName::Trace]);
    assert_eq!(fired([(0, 5), (1, 4)]), [OracleName::Trace]);
}

#[test]
fn a_run_starts_once_and_first() {
    breaks(OracleName::Trace, "the first event is not the start of a run", |events| {
        events.remove(0);
    });
    breaks(OracleName::Trace, "a run starts within a run", |events| {
        events.insert(1, events[0].clone());
    });
}

#[test]
fn ids_are_of_the_topology() {
    let (attempt, lineage) = (Attempt(1), LineageId(1));
    let far = |event: Event| move |events: &mut Vec<Event>| events.insert(9, event);
    let sent = Event::Sent { channel: ChannelId(3), attempt, sequence: 0, lineage, bytes: None };
    breaks(OracleName::Trace, "ch-3 is not in the topology", far(sent));
    let acknowledged = Event::Acknowledged { subtask: SubtaskId(4), attempt, checkpoint: ONE };
    breaks(OracleName::Trace, "subtask-4 is not in the topology", far(acknowledged));
    let (subtask, split) = (SubtaskId(0), SplitId(2));
    let read = Event::Read { subtask, attempt, split, offset: 0, lineage };
    breaks(OracleName::State, "of split-2, which the log does not have", far(read));
    breaks(OracleName::Trace, "ch-1 touches subtask-9, which does not exist", |events| {
        if let Event::RunStarted(run) = &mut events[0] {
            run.topology.channels[1].to = SubtaskId(9);
        }
    });
}

#[test]
fn only_the_first_violations_are_kept() {
    let mut events = healthy();
    for _ in 0..100 {
        events.insert(1, events[0].clone());
    }
    let verdict = judged(&events, &End::Stopped);
    let Verdict::Violated(violations) = verdict else { panic!("{verdict}") };
    assert_eq!(violations.kept().len(), Violations::KEPT_MAX);
    assert_eq!(violations.total(), 100);
    assert_eq!(violations.fired(), [OracleName::Trace]);
}

/// Breaks numbers in the written form of the trace, at random: whatever is read back is judged.
#[test]
fn no_trace_makes_the_judge_panic() {
    let events = healthy();
    let lines: Vec<String> =
        events.iter().map(|e| serde_json::to_string(e).expect("events are plain data")).collect();
    let mut judged_broken = 0;
    for seed in 0..400 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let broken: Vec<Event> = lines
            .iter()
            .map(|line| broken(line, &mut random))
            .collect::<Result<_, _>>()
            .unwrap_or_default();
        judged_broken += u32::from(!broken.is_empty());
        let mut judge = Judge::new(reference());
        stamped(&broken).for_each(|(stamp, event)| judge.observe(stamp, event));
        judge.finish(&End::Finished);
    }
    assert!(judged_broken > 50, "only {judged_broken} traces could be read back");
}

/// Replaces one digit in some lines.
fn broken(line: &str, random: &mut ChaCha8Rng) -> Result<Event, serde_json::Error> {
    let digits: Vec<usize> =
        line.match_indices(|c: char| c.is_ascii_digit()).map(|d| d.0).collect();
    if digits.is_empty() || !random.next_u32().is_multiple_of(8) {
        return serde_json::from_str(line);
    }
    let place = digits[random.next_u32() as usize % digits.len()];
    let digit = ["0", "1", "2", "9"][random.next_u32() as usize % 4];
    let mut broken = line.to_owned();
    broken.replace_range(place..=place, digit);
    serde_json::from_str(&broken).or_else(|_| serde_json::from_str(line))
}
