//! Tests of what a world holds while it runs.

use super::World;
use crate::lab::factor::{Factor, Library, Values};

/// The most that a world of 10 virtual seconds holds at any of some thousand moments, as the length of all of it in
/// words: subtasks with their protocols and snapshots, channels, machines, the coordinator and events.
fn held_most(rate: &str, protocol: &str) -> (u64, usize) {
    let values = [
        (Factor::Profile, "in-memory"),
        (Factor::Protocol, protocol),
        (Factor::State, "1MB"),
        (Factor::Cores, "8"),
        (Factor::Rate, rate),
        (Factor::Interval, "1s"),
        (Factor::Quantum, "1"),
        (Factor::WarmUp, "0ms"),
        (Factor::Measure, "10s"),
    ];
    let with = |all: Values, (factor, value): &(Factor, &str)| all.with(*factor, *value);
    let settings = values.iter().fold(Values::default(), with).settings(&Library::default());
    let settings = settings.expect("a configuration");
    let mut world = World::new(&settings);
    world.start_attempt();
    let (mut steps, mut most) = (0_u64, 0);
    while world.step() {
        steps += 1;
        if steps.is_multiple_of(997) {
            most = most.max(words(&world));
        }
    }
    (world.batches, most)
}

fn words(world: &World<'_>) -> usize {
    let World { subtasks, channels, processors, coordinator, events, .. } = world;
    format!("{subtasks:?}{channels:?}{processors:?}{coordinator:?}{events:?}").len()
}

/// Also where nobody coordinates: what is held for a restart grows with checkpoints, and not with records.
#[test]
fn ten_times_the_records_are_not_held_in_more_memory() {
    for protocol in ["aligned", "unaligned", "uncoordinated", "communication-induced"] {
        let (few, few_words) = held_most("1k", protocol);
        let (many, many_words) = held_most("10k", protocol);
        assert!(many > 9 * few, "{protocol}: {few} batches, {many}");
        // Numbers become longer by a digit.
        assert!(
            many_words < few_words * 11 / 10,
            "{protocol}: {few_words} characters for {few} batches, {many_words} for {many}"
        );
    }
}
