//! `cutwater snapshot`: Chandy and Lamport's snapshots of a system in files.

use std::io::{self, BufWriter, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use clap::Args;
use serde::Serialize;
use strum::IntoEnumIterator as _;

use super::arguments;
use super::console::Console;
use super::error::CliError;
use super::exit::Exit;
use super::out::{JsonTarget, new_file};
use super::program;
use super::table::count;
use crate::classic::file::{FileProblem, events, topology};
use crate::classic::oracle::{Property, Violation};
use crate::classic::run::{Run, run};
use crate::classic::script::Script;
use crate::classic::{GlobalState, Settings, System, Workload, codec};
use crate::plan::FileError;
use crate::plan::file::read_bounded;
use crate::protocol::SnapshotId;
use crate::protocol::chandy_lamport::{MarkerDefect, MarkerDefectSet};
use crate::protocol::ordered::VecMap;

/// What to run.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Processes with their tokens, and channels (.top)
    #[arg(value_name = "TOPOLOGY")]
    topology: PathBuf,
    /// What happens: send, snapshot, tick (.events)
    #[arg(value_name = "EVENTS")]
    events: PathBuf,
    /// The seed, from which all delays are drawn
    #[arg(long, value_name = "N", default_value_t = 0, conflicts_with = "seeds", value_parser = clap::value_parser!(u64).range(..u64::MAX))]
    seed: u64,
    /// Many seeds, which are judged and not shown
    #[arg(long, value_name = "A..B", value_parser = arguments::seeds)]
    seeds: Option<Range<u64>>,
    /// What the processes compute: tokens, bank, work or locks
    #[arg(long, value_name = "NAME", default_value_t, value_parser = workload)]
    workload: Workload,
    /// Switches a seeded defect on; may be given more than once
    #[arg(long = "defect", value_name = "NAME", value_parser = defect)]
    defects: Vec<MarkerDefect>,
    /// Writes the snapshots and the verdict as JSON to a new file, or to standard output for `-`
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Writes the trace of the one seed as JSON Lines to a new file
    #[arg(long, value_name = "FILE", conflicts_with = "seeds")]
    trace: Option<PathBuf>,
}

fn workload(text: &str) -> Result<Workload, String> {
    let known = Workload::iter().map(Into::into);
    Workload::from_str(text).map_err(|_| arguments::unknown("workload", text, known))
}

fn defect(text: &str) -> Result<MarkerDefect, String> {
    let known = MarkerDefect::all().map(MarkerDefect::name);
    MarkerDefect::from_str(text).map_err(|_| arguments::unknown("defect", text, known))
}

/// What is told, as JSON.
#[derive(Debug, Serialize)]
struct Report {
    topology: String,
    events: String,
    workload: Workload,
    defects: Vec<MarkerDefect>,
    seeds: Range<u64>,
    snapshots_taken: u64,
    trace_events: u64,
    violated: u64,
    /// In how many runs each property was violated.
    properties: VecMap<Property, u64>,
    /// The first run that violated something.
    first: Option<FirstViolated>,
    /// Of the last seed.
    snapshots: VecMap<SnapshotId, GlobalState>,
}

#[derive(Debug, Serialize)]
struct FirstViolated {
    seed: u64,
    violations: Vec<Violation>,
}

/// Runs it.
pub fn execute(arguments: &Arguments) -> Result<Exit, CliError> {
    let (system, script) = arguments.read()?;
    let json = arguments.json.as_deref().map(JsonTarget::open).transpose()?;
    let mut out = JsonTarget::console(json.as_ref());
    let mut report = arguments.report();
    for seed in report.seeds.clone() {
        let run = arguments.run(&system, &script, seed)?;
        if arguments.seeds.is_none() {
            for file in run.files(&system) {
                writeln!(out, "{file}")?;
            }
            arguments.trace.as_deref().map_or(Ok(()), |path| write_trace(path, &run))?;
        }
        report.add(seed, run);
    }
    arguments.tell(&mut out, &report)?;
    let exit = report.exit();
    json.map_or(Ok(()), |json| json.write(&report))?;
    Ok(exit)
}

impl Arguments {
    fn read(&self) -> Result<(System, Script), CliError> {
        let text = read_bounded(&self.topology)?;
        let system = topology(&text, self.workload).map_err(|it| locate(&self.topology, it))?;
        let text = read_bounded(&self.events)?;
        let script = events(&text, &system.graph).map_err(|it| locate(&self.events, it))?;
        Ok((system, script))
    }

    fn report(&self) -> Report {
        Report {
            topology: self.topology.display().to_string(),
            events: self.events.display().to_string(),
            workload: self.workload,
            defects: self.defects.clone(),
            seeds: self.seeds.clone().unwrap_or(self.seed..self.seed.saturating_add(1)),
            snapshots_taken: 0,
            trace_events: 0,
            violated: 0,
            properties: VecMap::new(),
            first: None,
            snapshots: VecMap::new(),
        }
    }

    fn run(&self, system: &System, script: &Script, seed: u64) -> Result<Run, CliError> {
        let defects: MarkerDefectSet = self.defects.iter().copied().collect();
        let settings = Settings { defects, ..Settings::of_seed(seed) };
        run(system, script, settings).map_err(|it| {
            let problem = format!("under seed {}, {}", it.seed, it.refusal);
            locate(&self.events, FileProblem { line: it.line, problem })
        })
    }

    fn tell(&self, out: &mut Console, report: &Report) -> io::Result<()> {
        let runs = report.seeds.end - report.seeds.start;
        let (snapshots, events) = (count(report.snapshots_taken), count(report.trace_events));
        let runs_of = if runs == 1 { "1 run".to_owned() } else { format!("{} runs", count(runs)) };
        writeln!(out, "runs       {runs_of}, {snapshots} snapshots, {events} events")?;
        let Some(first) = &report.first else { return writeln!(out, "verdict    held") };
        writeln!(out, "verdict    {} violated", count(report.violated))?;
        for (property, number) in &report.properties {
            writeln!(out, "           {} {property}", count(*number))?;
        }
        writeln!(out)?;
        for violation in first.violations.iter().take(TOLD_MAX) {
            writeln!(out, "seed {}: {violation}", first.seed)?;
        }
        writeln!(out, "{}", self.command(first.seed))
    }

    /// The command that shows the run of a seed.
    fn command(&self, seed: u64) -> String {
        let (topology, events) = (self.topology.display(), self.events.display());
        let mut command = format!("{} snapshot {topology} {events} --seed {seed}", program::name());
        if self.workload != Workload::default() {
            command.push_str(&format!(" --workload {}", self.workload));
        }
        for defect in &self.defects {
            command.push_str(&format!(" --defect {defect}"));
        }
        command
    }
}

/// So many violations of one run are told.
const TOLD_MAX: usize = 8;

impl Report {
    fn add(&mut self, seed: u64, run: Run) {
        self.snapshots_taken += run.snapshots.len() as u64;
        self.trace_events += run.trace.len() as u64;
        self.snapshots = run.snapshots;
        if run.violations.is_empty() {
            return;
        }
        self.violated += 1;
        let mut broken: Vec<Property> = run.violations.iter().map(|it| it.property).collect();
        broken.sort();
        broken.dedup();
        for property in broken {
            *self.properties.entry(property).or_default() += 1;
        }
        let violations = run.violations;
        self.first.get_or_insert(FirstViolated { seed, violations });
    }

    fn exit(&self) -> Exit {
        let is_liveness = |property: &Property| *property == Property::Termination;
        match self.properties.keys().all(is_liveness) {
            _ if self.properties.is_empty() => Exit::Held,
            true => Exit::Liveness,
            false => Exit::Violated,
        }
    }
}

fn locate(path: &Path, problem: FileProblem) -> CliError {
    let path = path.display().to_string();
    let FileProblem { line, problem } = problem;
    FileError::Content { path, line, problem }.into()
}

fn write_trace(path: &Path, run: &Run) -> Result<(), CliError> {
    let mut file = BufWriter::new(new_file(path)?);
    let written = codec::write(&run.trace, &mut file).and_then(|()| file.flush());
    written.map_err(|error| CliError::io(path, error))
}
