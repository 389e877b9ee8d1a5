//! `cutwater replay`: a plan that was kept, run the same again.

use std::path::PathBuf;

use clap::Args;
use cutwater::explore::{Experiments, WorldKind};
use cutwater::plan::Plan;

use super::arguments;
use super::blame;
use super::console::Console;
use super::error::CliError;
use super::exit::Exit;
use super::plan_check;
use super::telling::{Files, Telling};

/// What to replay.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The plan's file
    #[arg(value_name = "PLAN.json")]
    plan: PathBuf,
    /// The world: kernel or madsim
    #[arg(long, default_value = "kernel", value_parser = arguments::world)]
    world: WorldKind,
    /// The digest that the trace must have; exit code 4 when it has another
    #[arg(long, value_name = "DIGEST")]
    expect: Option<String>,
    #[command(flatten)]
    files: Files,
}

/// Replays it.
pub fn execute(arguments: Arguments) -> Result<Exit, CliError> {
    let plan = Plan::read(&arguments.plan)?;
    let path = arguments.plan.display().to_string();
    let prepared =
        Experiments::new().prepare(&plan.job).map_err(|error| blame::job(&path, &error))?;
    plan_check::check(&path, &plan, prepared.experiment.job.topology())?;
    let telling =
        Telling { plan: &plan, prepared: &prepared, world: arguments.world, command: None };
    let (exit, outcome) = telling.tell(&arguments.files, "replay")?;
    match arguments.expect {
        Some(expected) if expected != outcome.digest => {
            let found = &outcome.digest;
            Console::complain(&format!("the digest is {found}, expected {expected}"));
            Ok(Exit::NotDeterministic)
        }
        Some(_) | None => Ok(exit),
    }
}
