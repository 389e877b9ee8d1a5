//! A run that did not hold: said in two lines, and kept with all that is needed to look into it.

use std::path::Path;

use cutwater::explore::{Outcome, Prepared, WorldKind, run_plan};
use cutwater::oracle::{Verdict, Violation};
use cutwater::plan::Plan;
use cutwater::protocol::{DefectSet, Topology};

use super::environment::{Environment, configuration_hash};
use super::error::CliError;
use super::out::OutDir;
use super::tail::Tail;
use super::trace_file;

/// The first line about a failure: the property, the record, the checkpoint and the channel.
pub fn headline(verdict: &Verdict, scenario: &str, seed: u64, topology: &Topology) -> String {
    let place = format!("{scenario}, seed {seed}");
    match verdict {
        Verdict::Held => format!("held: {place}"),
        Verdict::Violated(violations) => match violations.first() {
            Some(first) => {
                let (oracle, text, details) = (first.oracle, &first.text, details(first, topology));
                format!("{oracle} violated ({place}): {text} [{details}]")
            }
            None => format!("violated: {place}"),
        },
        Verdict::Panicked { message } => {
            format!("panicked ({place}): {}", message.lines().next().unwrap_or_default())
        }
        Verdict::Undecided => format!("liveness not shown ({place}): the job never finished"),
    }
}

/// What a violation is about, each by the name that people read.
fn details(violation: &Violation, topology: &Topology) -> String {
    let mut details = Vec::new();
    if let Some(record) = violation.record {
        details.push(format!("record {record}"));
    }
    if let Some(checkpoint) = violation.checkpoint {
        details.push(checkpoint.to_string());
    }
    if let Some(channel) = violation.channel {
        details.push(format!("channel {}", topology.channel_name(channel)));
    }
    if let Some(subtask) = violation.subtask {
        details.push(format!("subtask {}", topology.name(subtask)));
    }
    details.push(format!("event {} at {}", violation.event, violation.at));
    details.join(", ")
}

/// The command that runs a seed of a scenario again.
pub fn run_command(scenario: &str, seed: u64, defects: DefectSet, world: WorldKind) -> String {
    let mut command = format!("cutwater run {} --seed {seed}", quoted(scenario));
    for defect in defects.iter() {
        command.push_str(&format!(" --defect {defect}"));
    }
    push_world(&mut command, world);
    command
}

/// The command that runs a kept plan again.
pub fn replay_command(plan: &Path, world: WorldKind) -> String {
    let mut command = format!("cutwater replay {}", quoted(&plan.display().to_string()));
    push_world(&mut command, world);
    command
}

fn push_world(command: &mut String, world: WorldKind) {
    if world != WorldKind::default() {
        command.push_str(&format!(" --world {world}"));
    }
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._/=+,-".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// Runs a plan again for its last events, and writes down what there is to know about it.
pub fn keep(
    dir: &OutDir,
    plan: &Plan,
    prepared: &Prepared,
    world: WorldKind,
    outcome: &Outcome,
) -> Result<(), CliError> {
    let plan_json = plan.to_json();
    dir.write("plan.json", &plan_json)?;
    dir.write_json("environment.json", &Environment::of(&configuration_hash(&plan_json)))?;
    keep_outcome(dir, plan, prepared, world, outcome)
}

/// The part of it that is not known before the run.
pub fn keep_outcome(
    dir: &OutDir,
    plan: &Plan,
    prepared: &Prepared,
    world: WorldKind,
    outcome: &Outcome,
) -> Result<(), CliError> {
    dir.write_json("outcome.json", outcome)?;
    let tail = Tail::default();
    let _ = run_plan(plan, prepared, world, tail.clone());
    trace_file::write_new(&dir.path().join("trace-tail.jsonl"), &tail.events())
}

#[cfg(test)]
mod tests {
    use cutwater::protocol::Defect;

    use super::*;

    #[test]
    fn the_command_names_everything_that_differs_from_the_default() {
        let none = run_command("relay", 7, DefectSet::NONE, WorldKind::Kernel);
        assert_eq!(none, "cutwater run relay --seed 7");
        let defects = DefectSet::only(Defect::NoFlushAtBarrier);
        let all = run_command("my dir/it's.toml", 7, defects, WorldKind::Madsim);
        let expected = r"cutwater run 'my dir/it'\''s.toml' --seed 7 --defect no-flush-at-barrier --world madsim";
        assert_eq!(all, expected);
    }
}
