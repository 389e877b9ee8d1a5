//! The scenarios that come with the program.

use super::scenario::Scenario;

/// The scenarios that come with the program, by name.
const BUILT_IN: &[&str] = &[
    include_str!("../../fixtures/scenarios/relay.toml"),
    include_str!("../../fixtures/scenarios/word-count.toml"),
    include_str!("../../fixtures/scenarios/flights.toml"),
    include_str!("../../fixtures/scenarios/nexmark-q1.toml"),
    include_str!("../../fixtures/scenarios/nexmark-q3.toml"),
    include_str!("../../fixtures/scenarios/nexmark-q5.toml"),
    include_str!("../../fixtures/scenarios/nexmark-q12.toml"),
    include_str!("../../fixtures/scenarios/bank.toml"),
    include_str!("../../fixtures/scenarios/sequence.toml"),
    include_str!("../../fixtures/scenarios/uneven-ends.toml"),
    include_str!("../../fixtures/scenarios/control-chaos.toml"),
    include_str!("../../fixtures/scenarios/storage-trouble.toml"),
    include_str!("../../fixtures/scenarios/back-pressure.toml"),
    include_str!("../../fixtures/scenarios/zombies.toml"),
    include_str!("../../fixtures/scenarios/coordinator-crashes.toml"),
    include_str!("../../fixtures/scenarios/split-brain.toml"),
    include_str!("../../fixtures/scenarios/broken-links.toml"),
    include_str!("../../fixtures/scenarios/clocks.toml"),
    include_str!("../../fixtures/scenarios/storage-rot.toml"),
    include_str!("../../fixtures/scenarios/sink-trouble.toml"),
    include_str!("../../fixtures/scenarios/idle-inputs.toml"),
    include_str!("../../fixtures/scenarios/crash-loop.toml"),
    include_str!("../../fixtures/scenarios/no-copy-left.toml"),
    include_str!("../../fixtures/scenarios/at-least-once.toml"),
    include_str!("../../fixtures/scenarios/enumerated.toml"),
    include_str!("../../fixtures/scenarios/lossy-requests.toml"),
    include_str!("../../fixtures/scenarios/unaligned.toml"),
    include_str!("../../fixtures/scenarios/unaligned-join.toml"),
    include_str!("../../fixtures/scenarios/buffers.toml"),
    include_str!("../../fixtures/scenarios/buffers-hybrid.toml"),
    include_str!("../../fixtures/scenarios/unaligned-recovery.toml"),
    include_str!("../../fixtures/scenarios/hybrid.toml"),
    include_str!("../../fixtures/scenarios/counted-barriers.toml"),
    include_str!("../../fixtures/scenarios/stop-the-world.toml"),
    include_str!("../../fixtures/scenarios/savepoints.toml"),
    include_str!("../../fixtures/scenarios/savepoint-recovery.toml"),
    include_str!("../../fixtures/scenarios/drained.toml"),
    include_str!("../../fixtures/scenarios/savepoints-unaligned.toml"),
    include_str!("../../fixtures/scenarios/savepoints-rescaled.toml"),
    include_str!("../../fixtures/scenarios/savepoints-cyclic.toml"),
    include_str!("../../fixtures/scenarios/savepoints-counted.toml"),
    include_str!("../../fixtures/scenarios/savepoints-enumerated.toml"),
    include_str!("../../fixtures/scenarios/abort-storm.toml"),
    include_str!("../../fixtures/scenarios/final-checkpoint.toml"),
    include_str!("../../fixtures/scenarios/event-time.toml"),
    include_str!("../../fixtures/scenarios/late-reports.toml"),
    include_str!("../../fixtures/scenarios/rescale-words.toml"),
    include_str!("../../fixtures/scenarios/rescale-lists.toml"),
    include_str!("../../fixtures/scenarios/rescale-windows.toml"),
    include_str!("../../fixtures/scenarios/rescale-unaligned.toml"),
    include_str!("../../fixtures/scenarios/rescale-buffers.toml"),
    include_str!("../../fixtures/scenarios/rescale-hybrid.toml"),
    include_str!("../../fixtures/scenarios/rescale-forward.toml"),
    include_str!("../../fixtures/scenarios/rescale-laps.toml"),
    include_str!("../../fixtures/scenarios/reachability.toml"),
    include_str!("../../fixtures/scenarios/collatz.toml"),
    include_str!("../../fixtures/scenarios/word-count-whole.toml"),
    include_str!("../../fixtures/scenarios/flights-whole.toml"),
];

/// The built-in scenarios that a sweep runs when it names none, in that order.
///
/// # Panics
///
/// When one of them does not parse, which a test rules out.
#[must_use]
pub fn built_in() -> Vec<Scenario> {
    all().into_iter().filter(|scenario| scenario.in_sweep).collect()
}

/// All built-in scenarios: also those that are run only by name.
///
/// # Panics
///
/// When one of them does not parse, which a test rules out.
#[must_use]
pub fn all() -> Vec<Scenario> {
    let parse = |text: &&str| toml::from_str(text).expect("built-in scenarios parse");
    BUILT_IN.iter().map(parse).collect()
}
