//! `cutwater bugs`: plans that are kept for good, and replayed by every `cargo test`.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::arguments::unknown;
use super::console::Console;
use super::environment::warn_of_others;
use super::error::CliError;
use super::exit::Exit;
use super::kept_plan::{KeptPlan, prepare};
use super::out::new_file;
use super::table::{Align, Table, count};
use super::trace_file;
use crate::explore::regression::{Complaint, Expected, Regression, TRACE_EVENTS_MAX, read_trace};
use crate::explore::{Experiments, Signature};
use crate::plan::{Name, Plan};

/// Where they are kept.
const DIR: &str = "fixtures/regressions";

/// What to do with them.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs a plan, and keeps it with what came of it
    Add(Add),
    /// Lists those that are kept
    List(In),
    /// Runs those that are kept again, and compares
    Test(Test),
}

#[derive(Debug, Args)]
struct Add {
    /// The plan's file
    #[arg(value_name = "PLAN.json")]
    plan: PathBuf,
    /// What it is called: lower case letters, digits and hyphens
    #[arg(long, value_name = "NAME")]
    name: Name,
    /// Why it is kept, in a sentence
    #[arg(long, value_name = "SENTENCE", value_parser = sentence)]
    why: String,
    #[command(flatten)]
    place: In,
}

#[derive(Debug, Args)]
struct In {
    /// The directory
    #[arg(long, value_name = "DIR", default_value = DIR)]
    dir: PathBuf,
}

#[derive(Debug, Args)]
struct Test {
    /// Which; all when not given
    name: Option<String>,
    #[command(flatten)]
    place: In,
}

/// Does it.
pub fn execute(arguments: Arguments, experiments: &Experiments) -> Result<Exit, CliError> {
    match arguments.command {
        Command::Add(add) => add.execute(experiments),
        Command::List(place) => place.list(),
        Command::Test(test) => test.execute(experiments),
    }
}

impl Add {
    fn execute(&self, experiments: &Experiments) -> Result<Exit, CliError> {
        let kept = KeptPlan::read(&self.plan)?;
        kept.prepare(&self.plan, experiments)?;
        warn_of_others(&self.plan.display().to_string(), &kept.plan, kept.environment.as_ref());
        fs::create_dir_all(&self.place.dir)
            .map_err(|error| CliError::io(&self.place.dir, error))?;
        let path = self.place.dir.join(format!("{}.json", self.name));
        let (regression, found) = add(&path, kept.plan, &self.why, experiments)?;
        let mut out = Console::stdout();
        writeln!(out, "{}: expected is {}", path.display(), regression.expected)?;
        if let (Expected::Held, Some(found)) = (&regression.expected, found) {
            writeln!(out, "now it fails with {found}: so will cargo test, until that is mended")?;
        }
        Ok(Exit::Held)
    }
}

/// Runs a plan and keeps it at `path`, with its trace beside it where that is short.
pub fn add(
    path: &Path,
    plan: Plan,
    why: &str,
    experiments: &Experiments,
) -> Result<(Regression, Option<Signature>), CliError> {
    let (regression, found) = Regression::new(plan, why, experiments)
        .map_err(|error| CliError::usage(error.to_string()))?;
    let mut file = new_file(path)?;
    file.write_all(regression.to_json().as_bytes()).map_err(|error| CliError::io(path, error))?;
    if regression.digest.is_some() && found.trace.len() <= TRACE_EVENTS_MAX {
        trace_file::write_new(&path.with_extension("trace.jsonl"), &found.trace)?;
    }
    Ok((regression, found.signature))
}

impl In {
    /// The files, in order of their names.
    fn files(&self) -> Result<Vec<PathBuf>, CliError> {
        let io = |error| CliError::io(&self.dir, error);
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(io)? {
            let path = entry.map_err(io)?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                files.push(path);
            }
        }
        for path in &files {
            let name = |error| CliError::usage(format!("{}: {error}", path.display()));
            stem(path).parse::<Name>().map_err(name)?;
        }
        files.sort_unstable();
        Ok(files)
    }

    fn list(&self) -> Result<Exit, CliError> {
        let mut table = Table::new(&[
            ("name", Align::Left),
            ("expected", Align::Left),
            ("faults", Align::Right),
            ("records", Align::Right),
            ("why", Align::Left),
        ]);
        for path in self.files()? {
            let kept = Regression::read(&path)?;
            let records = kept.plan.job.records.map_or("all".to_owned(), count);
            let faults = kept.plan.faults.len().to_string();
            table.row([stem(&path), kept.expected.to_string(), faults, records, kept.why]);
        }
        write!(Console::stdout(), "{table}")?;
        Ok(Exit::Held)
    }
}

impl Test {
    fn execute(&self, experiments: &Experiments) -> Result<Exit, CliError> {
        let files = self.files()?;
        let mut out = Console::stdout();
        let mut worst = Exit::Held;
        for path in &files {
            let kept = Regression::read(path)?;
            let name = path.display().to_string();
            prepare(&name, &kept.plan, kept.job.as_ref(), experiments)?;
            let trace = read_trace(path).map_err(CliError::usage)?;
            let complaints = kept
                .replay(experiments, trace.as_deref())
                .map_err(|error| CliError::usage(error.to_string()))?;
            if complaints.is_empty() {
                writeln!(out, "{}: {}, as expected", stem(path), kept.expected)?;
                continue;
            }
            warn_of_others(&name, &kept.plan, Some(&kept.environment));
            for complaint in &complaints {
                writeln!(out, "{}: {complaint}", stem(path))?;
                worst = worse(worst, exit(complaint));
            }
        }
        writeln!(out, "{} replayed", count(files.len() as u64))?;
        Ok(worst)
    }

    /// The files that are meant, at least one.
    fn files(&self) -> Result<Vec<PathBuf>, CliError> {
        let files = self.place.files()?;
        let dir = self.place.dir.display();
        let Some(name) = &self.name else {
            let none = || CliError::usage(format!("{dir}: no plans are kept here"));
            return if files.is_empty() { Err(none()) } else { Ok(files) };
        };
        let names: Vec<String> = files.iter().map(|path| stem(path)).collect();
        match names.iter().position(|other| other == name) {
            Some(place) => Ok(vec![files[place].clone()]),
            None => {
                let known = names.iter().map(String::as_str);
                Err(CliError::usage(format!("{dir}: {}", unknown("kept plan", name, known))))
            }
        }
    }
}

/// What fails where it should hold is a violation; what only differs is not deterministic.
fn exit(complaint: &Complaint) -> Exit {
    match complaint {
        Complaint::Outcome { .. } | Complaint::FailsAnyway(_) => Exit::Violated,
        Complaint::Trace { .. } => Exit::NotDeterministic,
    }
}

fn worse(one: Exit, other: Exit) -> Exit {
    if one == Exit::Violated || other == Exit::Held { one } else { other }
}

/// What a file's plan is called.
fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

fn sentence(text: &str) -> Result<String, String> {
    let text = text.trim();
    let is_sentence = !text.is_empty() && !text.contains(|c: char| c.is_control());
    if is_sentence {
        Ok(text.to_owned())
    } else {
        Err("expected a sentence, on one line".to_owned())
    }
}
