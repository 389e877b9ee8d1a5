//! A run that did not hold: said in two lines, and kept with all that is needed to look into it.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::environment::Environment;
use super::error::CliError;
use super::out::OutDir;
use super::program;
use super::trace_file;
use super::view;
use crate::explore::command::{self, push_world, quoted};
use crate::explore::regression::Expected;
use crate::explore::viewing::{self, Recording, UNASKED_MAX};
use crate::explore::{Outcome, Prepared, Signature, StrategyName, Sweep, WorldKind, run_plan};
use crate::plan::Plan;
use crate::protocol::DefectSet;
use crate::trace::{Event, Stamp};

/// What decides a run, beside its seed, where no plan of it was kept.
#[derive(Clone, Copy, Debug)]
pub struct Reproduction<'a> {
    /// The scenario, as the user named it.
    pub scenario: &'a str,
    /// How the plan was chosen.
    pub strategy: StrategyName,
    /// Bugs that are switched on.
    pub defects: DefectSet,
    /// The world.
    pub world: WorldKind,
}

impl<'a> Reproduction<'a> {
    /// Of a run of a sweep, in this scenario.
    pub fn of(scenario: &'a str, sweep: &Sweep) -> Self {
        let Sweep { strategy, defects, world, .. } = *sweep;
        Self { scenario, strategy, defects, world }
    }

    /// The command that runs a seed of a scenario again.
    pub fn run_command(&self, seed: u64) -> String {
        self.with_settings(format!(
            "{} run {} --seed {seed}",
            program::name(),
            quoted(self.scenario)
        ))
    }

    /// The command that runs a seed of a scenario twice, and compares.
    pub fn twice_command(&self, seed: u64) -> String {
        let (scenario, end) = (quoted(self.scenario), seed + 1);
        self.with_settings(format!(
            "{} sweep {scenario} --seeds {seed}..{end} --twice",
            program::name()
        ))
    }

    fn with_settings(&self, mut command: String) -> String {
        if self.strategy != StrategyName::default() {
            command.push_str(&format!(" --strategy {}", self.strategy));
        }
        for defect in self.defects.iter() {
            command.push_str(&format!(" --defect {defect}"));
        }
        push_world(&mut command, self.world);
        command
    }
}

/// The command that runs a kept plan again.
pub fn replay_command(plan: &Path, world: WorldKind) -> String {
    command::replay(&program::name(), plan, world)
}

/// The command that shows a file again.
pub fn view_command(path: &Path) -> String {
    format!("{} view {}", program::name(), quoted(&path.display().to_string()))
}

/// Writes down what is known of a failure before it is run.
pub fn keep_plan(dir: &OutDir, plan: &Plan, prepared: &Prepared) -> Result<(), CliError> {
    let environment = Environment::of_plan(plan);
    dir.write("plan.json", &plan.to_json_in(&environment, &prepared.shape(&plan.job)))?;
    dir.write_json("environment.json", &environment)?;
    Ok(())
}

/// An outcome, with the world that it is of.
#[derive(Serialize)]
struct Kept<'a> {
    world: WorldKind,
    end: End,
    #[serde(flatten)]
    outcome: &'a Outcome,
}

/// How a run ended, as far as runs of one plan in two worlds have to agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct End {
    /// How it failed; none when all held, the output included.
    signature: Option<Signature>,
}

impl End {
    /// That of a run.
    pub fn of(outcome: &Outcome) -> Self {
        Self { signature: Signature::of(&outcome.verdict) }
    }

    /// That which is expected of a kept plan.
    pub fn expected(expected: Expected) -> Self {
        let signature = match expected {
            Expected::Held => None,
            Expected::Fails(signature) => Some(signature),
        };
        Self { signature }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.signature {
            Some(signature) => signature.fmt(f),
            None => f.write_str("held"),
        }
    }
}

/// A run that failed.
#[derive(Clone, Copy)]
pub struct Failed<'a> {
    /// Its plan.
    pub plan: &'a Plan,
    /// Its job and input.
    pub prepared: &'a Prepared,
    /// Where it was run.
    pub world: WorldKind,
    /// What came of it.
    pub outcome: &'a Outcome,
}

/// So many of the last events are kept as they are.
const TAIL_MAX: usize = 200;

impl Failed<'_> {
    /// Writes down what is known of it, and runs it again for its last events.
    pub fn keep(&self, dir: &OutDir) -> Result<(), CliError> {
        self.keep_with(dir, TAIL_MAX).map(drop)
    }

    /// The same, and a view of it; `command` shows it again.
    pub fn keep_and_show(&self, dir: &OutDir, command: &str) -> Result<PathBuf, CliError> {
        let Self { plan, prepared, world, outcome } = *self;
        let events = self.keep_with(dir, UNASKED_MAX)?;
        let view = viewing::view(plan, prepared, world, &outcome.verdict, command, &events);
        dir.write(view::FILE, &view.html())
    }

    /// The events that were kept, `most` of them.
    fn keep_with(&self, dir: &OutDir, most: usize) -> Result<Vec<(Stamp, Event)>, CliError> {
        let Self { plan, prepared, world, outcome } = *self;
        dir.write_json("outcome.json", &Kept { world, end: End::of(outcome), outcome })?;
        let recording = Recording::new(most);
        let _ = run_plan(plan, prepared, world, recording.clone());
        let events = recording.take();
        let tail = &events[events.len().saturating_sub(TAIL_MAX)..];
        trace_file::write_new(&dir.path().join("trace-tail.jsonl"), tail)?;
        Ok(events)
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::Defect;

    use super::*;

    #[test]
    fn the_command_names_everything_that_differs_from_the_default() {
        let relay = Reproduction {
            scenario: "relay",
            strategy: StrategyName::default(),
            defects: DefectSet::NONE,
            world: WorldKind::Kernel,
        };
        let program = program::name();
        assert_eq!(relay.run_command(7), format!("{program} run relay --seed 7"));
        let all = Reproduction {
            scenario: "my dir/it's.toml",
            strategy: StrategyName::Random,
            defects: DefectSet::only(Defect::NoFlushAtBarrier),
            world: WorldKind::Madsim,
        };
        let expected = r" run 'my dir/it'\''s.toml' --seed 7 --strategy random --defect no-flush-at-barrier --world madsim";
        assert_eq!(all.run_command(7), format!("{program}{expected}"));
    }
}
