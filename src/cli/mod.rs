//! The command line: one file a subcommand, and what they share.

#![deny(
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss
)]

mod arguments;
mod bugs;
mod clock;
mod concise;
mod console;
mod defects;
mod deferred;
mod environment;
mod error;
mod exit;
mod failure;
mod first_steps;
mod generate;
mod independent;
mod junit;
mod kept_plan;
mod localise;
mod locate;
mod merge;
mod narrator;
mod out;
mod overhead;
mod pages;
mod patience;
mod plan_check;
mod printable;
mod program;
mod progress;
mod reach;
mod replay;
mod run;
mod run_report;
mod scenario_source;
mod scenarios;
mod shrink;
mod shrinking;
mod signal;
mod snapshot;
mod status_files;
mod sweep;
mod table;
mod trace_file;
mod view;
mod workloads;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::explore::{Experiments, Registry, quiet};

use console::Console;
use deferred::Deferred;
use error::CliError;
use exit::Exit;

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "cutwater", version, about = ABOUT, long_about = None, after_help = AFTER_HELP)]
#[command(disable_help_subcommand = true, subcommand_required = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const ABOUT: &str = "Deterministic simulation and testing of asynchronous barrier snapshots";

const AFTER_HELP: &str = "\
Exit codes: 0 all held, 1 a property was violated, 2 wrong usage or the outside world,
            3 only liveness was violated, 4 not deterministic, 130 interrupted.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs many seeds of scenarios on all cores, and judges every run.
    Sweep(Deferred<sweep::Arguments>),
    /// Joins the results of a sweep's shards into the report of the whole.
    Merge(Deferred<merge::Arguments>),
    /// Runs what a sweep tells it to; started by `sweep`.
    #[command(name = sweep::worker_process::SUBCOMMAND, hide = true)]
    SweepWorker(Deferred<sweep::worker::Arguments>),
    /// Runs one seed of a scenario, and tells it in full.
    Run(Deferred<run::Arguments>),
    /// Runs a plan that was kept, the same again.
    Replay(Deferred<replay::Arguments>),
    /// Makes a plan that fails smaller, and says what is left of it.
    Shrink(Deferred<shrink::Arguments>),
    /// Keeps plans, and replays those that are kept.
    Bugs(Deferred<bugs::Arguments>),
    /// Tells which event sealed the violation of a plan.
    Localise(Deferred<localise::Arguments>),
    /// Shows a run as one HTML file, in which the cut of each checkpoint can be seen.
    View(Deferred<view::Arguments>),
    /// Tells which seeded defects are found, and how fast.
    Defects(Deferred<defects::Arguments>),
    /// Shows which protocol points sweeps reached with which faults, and which they missed.
    Reach(Deferred<reach::Arguments>),
    /// Tells what checkpoints cost, in virtual time.
    Overhead(Deferred<overhead::Arguments>),
    /// Takes Chandy and Lamport's snapshots of a system of processes, from files, and judges them.
    Snapshot(Deferred<snapshot::Arguments>),
    /// Compares checkpoints that nobody coordinates: what a failure leaves of them.
    Independent(Deferred<independent::Arguments>),
    /// Lists the scenarios that there are.
    Scenarios(Deferred<scenarios::Arguments>),
    /// Lists the workloads that scenarios can name.
    Workloads(Deferred<workloads::Arguments>),
    /// Generates completions for shells, and manual pages.
    #[command(hide = true)]
    Generate(Deferred<generate::Arguments>),
}

/// Does what the arguments of this program say, with the workloads and scenarios of `registry`.
///
/// It is all that the `main` of a program of one's own needs to have every command over one's own jobs:
///
/// ```no_run
/// use std::process::ExitCode;
///
/// use cutwater::explore::Registry;
///
/// fn main() -> ExitCode {
///     cutwater::cli::main(Registry::new())
/// }
/// ```
///
/// A sweep starts this program again, as its workers: a job must write nothing to standard output, and nothing may
/// be done before this call that a worker should not do.
#[must_use]
pub fn main(registry: Registry) -> ExitCode {
    if env::args_os().len() <= 1 {
        return first_steps::tell(&registry).into();
    }
    match parsed(env::args_os()) {
        Ok(cli) => carried_out(cli.command, registry).into(),
        Err(error) => usage(&error),
    }
}

/// The arguments, to a program of this name.
fn parsed(arguments: impl Iterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let mut command = Cli::command().name(program::name()).bin_name(program::name());
    let matches = command.try_get_matches_from_mut(arguments)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// Does what a command says; complains where it cannot be done.
fn carried_out(command: Command, registry: Registry) -> Exit {
    quiet::install();
    let done = Experiments::of(registry).map_err(|error| CliError::usage(error.to_string()));
    let done = done.and_then(|experiments| dispatch(command, &experiments));
    done.unwrap_or_else(|error| {
        Console::complain(&error.to_string());
        Exit::Outside
    })
}

fn dispatch(command: Command, experiments: &Experiments) -> Result<Exit, CliError> {
    let registry = experiments.registry();
    match command {
        Command::Sweep(Deferred(arguments)) => sweep::execute(arguments, experiments),
        Command::Merge(Deferred(arguments)) => merge::execute(&arguments, registry),
        Command::SweepWorker(Deferred(arguments)) => {
            sweep::worker::execute(&arguments, experiments)
        }
        Command::Run(Deferred(arguments)) => run::execute(arguments, experiments),
        Command::Replay(Deferred(arguments)) => replay::execute(arguments, experiments),
        Command::Shrink(Deferred(arguments)) => shrink::execute(&arguments, experiments),
        Command::Bugs(Deferred(arguments)) => bugs::execute(arguments, experiments),
        Command::Localise(Deferred(arguments)) => localise::execute(arguments, experiments),
        Command::View(Deferred(arguments)) => view::execute(&arguments, experiments),
        Command::Defects(Deferred(arguments)) => defects::execute(arguments, experiments),
        Command::Reach(Deferred(arguments)) => reach::execute(&arguments, registry),
        Command::Overhead(Deferred(arguments)) => overhead::execute(&arguments),
        Command::Snapshot(Deferred(arguments)) => snapshot::execute(&arguments),
        Command::Independent(Deferred(arguments)) => independent::execute(&arguments),
        Command::Scenarios(Deferred(arguments)) => scenarios::execute(&arguments, registry),
        Command::Workloads(Deferred(arguments)) => workloads::execute(&arguments, registry),
        Command::Generate(Deferred(arguments)) => {
            generate::execute(arguments, shown(), experiments)
        }
    }
}

/// The command line without what is hidden, which the generator of completions would show. Clap cannot
/// take a subcommand away: it is made anew of the others.
fn shown() -> clap::Command {
    let whole = Cli::command();
    let shown = whole.get_subcommands().filter(|subcommand| !subcommand.is_hide_set());
    clap::Command::new(program::name())
        .version(env!("CARGO_PKG_VERSION"))
        .about(ABOUT)
        .after_help(AFTER_HELP)
        .disable_help_subcommand(true)
        .subcommand_required(true)
        .subcommands(shown.cloned())
}

/// Help and version go to standard output and are no mistake; the rest is.
fn usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    if error.use_stderr() { Exit::Outside.into() } else { Exit::Held.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{Workload, WorkloadSettings};

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_registry_that_contradicts_itself_is_wrong_usage() {
        let relay = |name: &'static str| {
            let build =
                |settings: &WorkloadSettings| crate::workload::experiment("relay", settings);
            Workload::new(name, build).single_split()
        };
        let exit = |registry| {
            let arguments = ["own", "scenarios"].map(OsString::from).into_iter();
            carried_out(parsed(arguments).expect("a command").command, registry)
        };
        let one = Registry::new().with(relay("mine"));
        assert_eq!(exit(one.clone()), Exit::Held);
        assert_eq!(
            exit(one.with(relay("mine-stopped"))),
            Exit::Outside,
            "its usual scenario is one of the other's"
        );
    }

    #[test]
    fn what_is_shown_has_the_help_of_the_whole() {
        let help = |mut command: clap::Command| command.render_long_help().to_string();
        assert_eq!(help(shown()), help(Cli::command().name(program::name())));
    }
}
