//! `cutwater overhead`: what checkpoints cost, in virtual time.

mod calibrate;
mod chart;
mod loading;
mod page;
mod running;
mod targets;
mod telling;
mod trust;
mod wall;

use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use crate::lab::{LabError, Row, Session, Spread, results};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::arguments;
use super::clock::Stopwatch;
use super::error::CliError;
use super::exit::Exit;
use super::out::{JsonTarget, OutDir};
use super::signal;
use running::{Came, Kept};
use targets::Targets;

/// What to measure, and where it goes.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Experiments that come with the program, or files of them; `--list` names those that there are
    #[arg(value_name = "EXPERIMENT")]
    experiments: Vec<String>,
    /// Varies a factor, instead of what the experiment says of it; may be given several times
    #[arg(long, value_name = "FACTOR=VALUE,…")]
    vary: Vec<String>,
    /// Lists the experiments that come with the program
    #[arg(long)]
    list: bool,
    /// Tells, in wall-clock time, what checkpointing costs this program's own code
    #[arg(long, conflicts_with_all = ["experiments", "vary", "list", "csv", "html", "json", "out"])]
    wall: bool,
    /// Writes the tables as CSV to this directory; otherwise beside the report
    #[arg(long, value_name = "DIR")]
    csv: Option<PathBuf>,
    /// Writes the report to a new file; otherwise to the directory of results
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Writes the rows as JSON to a new file, or to standard output for `-`
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Keeps results in this directory, and goes on from those that are in it; otherwise in a new one
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Threads; as many as there are cores unless told otherwise
    #[arg(long, value_name = "N", value_parser = arguments::number_of_jobs)]
    jobs: Option<NonZeroUsize>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Fits profiles to measurements of a real engine, and says how far to trust them.
    Calibrate(calibrate::Arguments),
    /// Predicts measurements of a real engine with given profiles, and says how far off they are.
    Predict(calibrate::Predicting),
}

/// What is written as JSON, for each experiment.
#[derive(Debug, Serialize)]
struct Written<'a> {
    experiment: &'a str,
    factors: Vec<String>,
    rows: Vec<WrittenRow<'a>>,
}

#[derive(Debug, Serialize)]
struct WrittenRow<'a> {
    values: std::collections::BTreeMap<String, &'a str>,
    /// The median of all repetitions.
    ratio: f64,
    base_records_per_second: f64,
    repetitions: usize,
    /// By which factors it lies outside of what its profile was fitted to.
    outside: Vec<String>,
    /// By metric, what all repetitions came to.
    spread: std::collections::BTreeMap<&'static str, Spread>,
    report: &'a crate::lab::Report,
}

/// Measures.
pub fn execute(arguments: &Arguments) -> Result<Exit, CliError> {
    match &arguments.command {
        Some(Command::Calibrate(arguments)) => return calibrate::execute(arguments),
        Some(Command::Predict(arguments)) => return calibrate::predict(arguments),
        None if arguments.list => return list(),
        None if arguments.wall => return wall::execute(),
        None => {}
    }
    let sessions = sessions(arguments)?;
    let Targets { json, html, directory } = Targets::open(arguments, &sessions)?;
    let mut out = JsonTarget::console(json.as_ref());
    let stop = signal::interruptible()?;
    let clock = Stopwatch::start();
    let mut measured: Vec<(Session, Vec<Row>)> = Vec::new();
    let (mut exit, of_sessions) = (Exit::Held, sessions.len());
    for session in sessions {
        let kept = Kept::open(directory.path())?;
        let Came { done, before, is_interrupted } =
            running::carry_out(&session, Some(kept), jobs(arguments), &stop)?;
        let rows = session.rows(&done);
        let of = session.cells().len();
        writeln!(out, "{}: {}\n", session.experiment.name, session.experiment.about.trim())?;
        write!(out, "{}", telling::table(&varied(&session, &rows), &rows))?;
        let was = if before > 0 { format!(", {before} runs were kept") } else { String::new() };
        writeln!(out)?;
        for line in trust::lines(&session) {
            writeln!(out, "{line}")?;
        }
        writeln!(out, "{} of {of} configurations{was}\n", rows.len())?;
        measured.push((session, rows));
        if is_interrupted {
            exit = Exit::Interrupted;
            break;
        }
    }
    write_tables(of_sessions, &measured, arguments, &directory)?;
    let report = page::report(&measured);
    let report_path = match html {
        Some((path, mut file)) => {
            file.write_all(report.as_bytes()).map_err(|error| CliError::io(&path, error))?;
            path
        }
        None => directory.replace("report.html", report)?,
    };
    writeln!(out, "times are virtual; measured in {:.1} s", clock.elapsed().as_secs_f64())?;
    writeln!(out, "report {}", report_path.display())?;
    if let Some(json) = json {
        json.write(&written(&measured))?;
    }
    Ok(exit)
}

fn list() -> Result<Exit, CliError> {
    let mut out = super::console::Console::stdout();
    for (name, _) in loading::BUILT_IN {
        let experiment = loading::experiment(name)?;
        writeln!(out, "{name}: {}", experiment.about.trim().replace('\n', " "))?;
    }
    Ok(Exit::Held)
}

fn sessions(arguments: &Arguments) -> Result<Vec<Session>, CliError> {
    let default = [loading::BUILT_IN[0].0.to_owned()];
    let names =
        if arguments.experiments.is_empty() { &default[..] } else { &arguments.experiments };
    let session = |name: &String| {
        let mut experiment = loading::experiment(name)?;
        loading::vary(&mut experiment, &arguments.vary)?;
        let library = loading::library(&experiment)?;
        Session::new(experiment, library).map_err(|error| match error {
            LabError::File { .. } => CliError::usage(error.to_string()),
            LabError::Value { .. } | LabError::Factor(_) => {
                CliError::usage(format!("{name}: {error}"))
            }
        })
    };
    names.iter().map(session).collect()
}

fn jobs(arguments: &Arguments) -> NonZeroUsize {
    let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    arguments.jobs.unwrap_or_else(cores)
}

fn varied(session: &Session, rows: &[Row]) -> Vec<crate::lab::Factor> {
    let factors: Vec<_> = session.experiment.vary.iter().map(|(factor, _)| *factor).collect();
    telling::factors(rows, &factors)
}

/// With several experiments each has a directory of its own.
fn write_tables(
    of: usize,
    measured: &[(Session, Vec<Row>)],
    arguments: &Arguments,
    directory: &OutDir,
) -> Result<(), CliError> {
    for (session, rows) in measured {
        let name = &session.experiment.name;
        let base = match &arguments.csv {
            Some(path) => OutDir::open(path)?,
            None => directory.clone(),
        };
        let target = if of > 1 { base.inside(&targets::file_name(name))? } else { base };
        for (name, text) in results::files(&varied(session, rows), rows) {
            match &arguments.csv {
                Some(_) => target.write(name, &text)?,
                None => target.replace(name, text)?,
            };
        }
    }
    Ok(())
}

fn written(measured: &[(Session, Vec<Row>)]) -> Vec<Written<'_>> {
    measured.iter().map(|(session, rows)| written_session(session, rows)).collect()
}

fn written_session<'a>(session: &'a Session, rows: &'a [Row]) -> Written<'a> {
    Written {
        experiment: &session.experiment.name,
        factors: varied(session, rows).iter().map(ToString::to_string).collect(),
        rows: rows.iter().map(written_row).collect(),
    }
}

fn written_row(row: &Row) -> WrittenRow<'_> {
    let values = row.values.0.iter().map(|(factor, value)| (factor.to_string(), value.as_str()));
    WrittenRow {
        values: values.collect(),
        ratio: row.ratio(),
        base_records_per_second: row.base_records_per_second,
        repetitions: row.repetitions.len(),
        outside: row.outside.iter().map(ToString::to_string).collect(),
        spread: results::METRICS
            .iter()
            .map(|metric| (metric.name, row.spread(metric.name)))
            .collect(),
        report: &row.report,
    }
}
