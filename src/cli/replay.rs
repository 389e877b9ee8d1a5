//! `cutwater replay`: a plan that was kept, run the same again.

use std::path::PathBuf;

use clap::Args;

use super::arguments;
use super::console::Console;
use super::environment::warn_of_others;
use super::error::CliError;
use super::exit::Exit;
use super::failure::End;
use super::kept_plan::KeptPlan;
use super::run_report::{Files, RunReport};
use crate::explore::determinism::record;
use crate::explore::{Experiments, Outcome, Prepared, WorldKind};
use crate::trace::diff;

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
    #[arg(long, value_name = "DIGEST", value_parser = arguments::digest)]
    expect: Option<String>,
    #[command(flatten)]
    files: Files,
}

/// How many events are shown around the place where two traces part.
const CONTEXT: usize = 3;

/// Replays it.
pub fn execute(arguments: Arguments, experiments: &Experiments) -> Result<Exit, CliError> {
    let kept = KeptPlan::read(&arguments.plan)?;
    let prepared = kept.prepare(&arguments.plan, experiments)?;
    let path = arguments.plan.display().to_string();
    warn_of_others(&path, &kept.plan, kept.environment.as_ref());
    let (plan, world) = (&kept.plan, arguments.world);
    let report = RunReport { plan, prepared: &prepared, world, command: None };
    let (exit, outcome) = report.tell(&arguments.files, "replay")?;
    match arguments.expect.as_ref().or(kept.digest_in(world)) {
        Some(expected) if *expected != outcome.digest => {
            let found = &outcome.digest;
            Console::complain(&format!("the digest is {found}, expected {expected}"));
            if let Some(divergence) = divergence(&kept, &prepared, world) {
                Console::complain(&divergence);
            }
            Ok(Exit::NotDeterministic)
        }
        Some(_) => Ok(exit),
        None => {
            warn_of_another_end(&kept, world, &outcome);
            Ok(exit)
        }
    }
}

/// Delays of two worlds differ, and their digests with them: what can be compared is how the runs end.
fn warn_of_another_end(kept: &KeptPlan, world: WorldKind, outcome: &Outcome) {
    let Some(before) = kept.end.as_ref().filter(|_| kept.world != world) else { return };
    let now = End::of(outcome);
    if *before != now {
        Console::warn(&format!(
            "in the {} world: {before}; in the {world} world: {now}",
            kept.world
        ));
    }
}

/// Where the run parts from the trace that was kept, or from what is left of that.
fn divergence(kept: &KeptPlan, prepared: &Prepared, world: WorldKind) -> Option<String> {
    let first = kept.trace.first()?.0.number;
    let trace = record(&kept.plan, prepared, world);
    let now = trace.into_iter().skip_while(|(stamp, _)| stamp.number < first);
    let divergence = diff(kept.trace.iter().cloned(), now, CONTEXT)?;
    let early = match (divergence.common, first) {
        (0, 1..) => format!("the traces part before event {first}, the first that is kept\n"),
        _ => String::new(),
    };
    Some(format!("{early}kept (-) and now (+): {divergence}"))
}
