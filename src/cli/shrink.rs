//! `cutwater shrink`: a smaller plan with the same violation, explained, and as a test.

use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Args;

use super::arguments;
use super::console::Console;
use super::environment::warn_of_others;
use super::error::CliError;
use super::exit::Exit;
use super::kept_plan::KeptPlan;
use super::out::{JsonTarget, OutDir};
use super::shrinking::{Budget, Watch, keep, shrink};
use super::signal;
use crate::explore::shrink::{RUNS_MAX, ShrinkError};
use crate::explore::{Experiments, Signature, WorldKind};

/// What to shrink.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The plan's file
    #[arg(value_name = "PLAN.json")]
    plan: PathBuf,
    /// The world: kernel or madsim
    #[arg(long, default_value = "kernel", value_parser = arguments::world)]
    world: WorldKind,
    /// Runs every plan twice, and keeps that two runs differ, if that is what is wrong
    #[arg(long)]
    twice: bool,
    /// Threads; as many as there are cores when not given. The result does not depend on it
    #[arg(long, value_name = "N", value_parser = arguments::number_of_jobs)]
    jobs: Option<NonZeroUsize>,
    /// For how long at most
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = arguments::duration)]
    budget: Duration,
    /// How many plans are tried at most
    #[arg(long, value_name = "N", default_value_t = RUNS_MAX)]
    runs: u64,
    /// Where to make a new directory for the result
    #[arg(long, value_name = "DIR", default_value = "cutwater-out")]
    out: PathBuf,
    /// Writes the result as JSON to a new file, or to standard output for `-`
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Shrinks it.
pub fn execute(arguments: &Arguments, experiments: &Experiments) -> Result<Exit, CliError> {
    let kept = KeptPlan::read(&arguments.plan)?;
    kept.prepare(&arguments.plan, experiments)?;
    let path = arguments.plan.display().to_string();
    warn_of_others(&path, &kept.plan, kept.environment.as_ref());
    let json = arguments.json.as_deref().map(JsonTarget::open).transpose()?;
    let mut out = JsonTarget::console(json.as_ref());
    let stop = signal::interruptible()?;
    let jobs = arguments::jobs(arguments.jobs);
    let budget = Budget { runs: arguments.runs, time: arguments.budget, jobs };
    let way = (arguments.world, arguments.twice);
    let watch = Watch::new();
    let each = |step: &crate::explore::shrink::Step<'_>| watch.show(step);
    let timed = match shrink(&kept.plan, experiments, way, budget, &stop, each) {
        Err(ShrinkError::Holds) => return holds(&path, arguments.twice),
        Err(error) => return Err(CliError::usage(format!("{path}: {error}"))),
        Ok(timed) => timed,
    };
    watch.finish();
    let dir = OutDir::create(&arguments.out, "shrink")?;
    let small = keep(&dir, &timed, experiments, arguments.world)?;
    write!(out, "{small}")?;
    if let Some(json) = json {
        json.write(&small)?;
    }
    let is_interrupted = stop.load(Ordering::Relaxed);
    Ok(if is_interrupted { Exit::Interrupted } else { exit(&timed.shrunk.signature) })
}

fn holds(path: &str, twice: bool) -> Result<Exit, CliError> {
    let more = if twice { "" } else { "; --twice also looks whether two runs of it differ" };
    writeln!(Console::stdout(), "{path} holds: there is nothing to shrink{more}")?;
    Ok(Exit::Held)
}

/// The class of what was shrunk.
fn exit(signature: &Signature) -> Exit {
    match signature {
        Signature::Violation(kind) if kind.oracle().is_liveness() => Exit::Liveness,
        Signature::Violation(_) | Signature::Panic(_) | Signature::Died(_) => Exit::Violated,
        Signature::NotDeterministic => Exit::NotDeterministic,
        Signature::Hung | Signature::Undecided => Exit::Liveness,
    }
}
