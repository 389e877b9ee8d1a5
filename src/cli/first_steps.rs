//! What a person reads who types `cutwater` and nothing else: what it is, and what to type next.

use std::io::{self, Write as _};

use super::exit::Exit;
use super::program;
use crate::explore::Registry;

/// Tells them on standard error, as any other wrong usage: a script that lost its arguments must fail,
/// and find nothing on standard output.
pub fn tell(registry: &Registry) -> Exit {
    let _ = io::stderr().write_all(first_steps(&program::name(), registry).as_bytes());
    Exit::Outside
}

fn first_steps(program: &str, registry: &Registry) -> String {
    let first = registry.scenario_names().first().copied().unwrap_or("SCENARIO");
    let usual = if registry.scenario("word-count").is_some() { "word-count" } else { first };
    let (run, help) =
        (format!("run {usual} --seed 1"), format!("`{program} sweep --help` for one of them"));
    let steps = [
        ("sweep", "all scenarios, 100 seeds of faults each, on all cores"),
        (&run, "one run of one scenario, told in full"),
        ("scenarios", "what there is to run"),
        ("defects", "which seeded bugs are found, and how fast"),
        ("--help", &format!("all commands; {help}")),
    ];
    let line =
        |(step, what): (&str, &str)| format!("  {:<35} {what}\n", format!("{program} {step}"));
    let steps: String = steps.into_iter().map(line).collect();
    format!(
        "{program} tests the checkpoints of stream processors: it simulates them, injects faults, judges.\n\n\
         What to type next:\n{steps}\nNothing was run: a command is missing.\n"
    )
}
