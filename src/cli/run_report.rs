//! One run, told in full: what it is, what happens, what came of it.

use std::io::{self, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use strum::IntoEnumIterator as _;

use super::clock::Stopwatch;
use super::console::Console;
use super::environment::Environment;
use super::error::CliError;
use super::exit::Exit;
use super::failure::{self, Failed};
use super::narrator::{Narrator, ms};
use super::out::{JsonTarget, OutDir, STDOUT};
use super::progress::{rate, ratio};
use super::table::count;
use super::trace_file::TraceFile;
use crate::explore::loss::name_lost;
use crate::explore::recording::picture;
use crate::explore::report::headline;
use crate::explore::story::in_values;
use crate::explore::{Outcome, Prepared, WorldKind, run_plan};
use crate::oracle::VerdictClass;
use crate::plan::{FaultClass, Plan};
use crate::render::Options;
use crate::trace::{Event, Stamp};
use crate::world::Observer;

/// Where a told run leaves its files.
#[derive(Debug, Args)]
pub struct Files {
    /// Writes the whole trace as JSON Lines to a new file, or to standard output for `-`
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Where to make a new directory for what is kept
    #[arg(long, value_name = "DIR", default_value = "cutwater-out")]
    out: PathBuf,
    /// Writes the outcome as JSON to a new file, or to standard output for `-`
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Ends with a space-time diagram: what led to the violation, or how the run ended
    #[arg(long)]
    diagram: bool,
}

impl Files {
    /// Standard output has room for one of them.
    fn check(&self) -> Result<(), CliError> {
        if is_stdout(&self.trace) && is_stdout(&self.json) {
            let message = "--trace - and --json -: only one of them can be standard output";
            return Err(CliError::usage(message));
        }
        Ok(())
    }

    /// The console that leaves standard output to the trace or the outcome, if one of them goes there.
    fn console(&self) -> Console {
        let is_taken = is_stdout(&self.trace) || is_stdout(&self.json);
        if is_taken { Console::silent() } else { Console::stdout() }
    }
}

fn is_stdout(target: &Option<PathBuf>) -> bool {
    target.as_ref().is_some_and(|path| path.as_os_str() == STDOUT)
}

/// A run to be told.
pub struct RunReport<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Its job and input.
    pub prepared: &'a Prepared,
    /// Where it runs.
    pub world: WorldKind,
    /// The command that does the same again; none where that is a replay of the kept plan.
    pub command: Option<String>,
}

/// Who sees the events of a told run.
struct Watchers {
    narrator: Narrator,
    trace: Option<TraceFile>,
}

impl Watchers {
    fn finish(self) -> Result<Vec<Duration>, CliError> {
        self.trace.map(TraceFile::finish).transpose()?;
        Ok(self.narrator.finish()?)
    }
}

impl Observer for Watchers {
    fn observe(&mut self, stamp: Stamp, event: &Event) -> ControlFlow<()> {
        let told = self.narrator.observe(stamp, event);
        let written = self.trace.as_mut().map(|trace| trace.observe(stamp, event));
        if told.is_break() { told } else { written.unwrap_or(told) }
    }
}

/// The outcome, for programs.
#[derive(Serialize)]
struct Told<'a> {
    environment: &'a Environment,
    plan: &'a Path,
    outcome: &'a Outcome,
    seconds: f64,
    violated: Option<String>,
}

impl RunReport<'_> {
    /// Runs it, and tells it.
    pub fn tell(&self, files: &Files, kind: &str) -> Result<(Exit, Outcome), CliError> {
        files.check()?;
        let json = files.json.as_deref().map(JsonTarget::open).transpose()?;
        let trace = files.trace.as_deref().map(TraceFile::create).transpose()?;
        let mut out = files.console();
        let dir = OutDir::create(&files.out, kind)?;
        let environment = Environment::of_plan(self.plan);
        let kept = dir.write(
            "plan.json",
            &self.plan.to_json_in(&environment, &self.prepared.shape(&self.plan.job)),
        )?;
        dir.write_json("environment.json", &environment)?;
        self.introduce(&mut out, &environment, &kept)?;

        let clock = Stopwatch::start();
        let narrator = Narrator::new(files.console());
        let (mut outcome, watchers) =
            run_plan(self.plan, self.prepared, self.world, Watchers { narrator, trace });
        let elapsed = clock.elapsed();
        name_lost(self.plan, self.prepared, self.world, &mut outcome.verdict);
        let durations = watchers.map(Watchers::finish).transpose()?.unwrap_or_default();

        self.conclude(&mut out, &outcome, durations, elapsed)?;
        let violated = (!outcome.verdict.is_held()).then(|| self.headline(&outcome));
        if let Some(violated) = &violated {
            let command = self.command.clone();
            let command = command.unwrap_or_else(|| failure::replay_command(&kept, self.world));
            writeln!(out, "\n{violated}\n{command}")?;
            for line in in_values(self.plan, self.prepared, self.world, &outcome.verdict) {
                writeln!(out, "{line}")?;
            }
        }
        if files.diagram {
            writeln!(out, "\n{}", self.diagram(&outcome).trim_end())?;
        }
        if violated.is_some() {
            let replayed = failure::replay_command(&kept, self.world);
            match self.failed(&outcome).keep_and_show(&dir, &replayed) {
                Ok(view) => {
                    writeln!(out, "kept in {}", dir.path().display())?;
                    writeln!(out, "view    {}", view.display())?;
                }
                // What was found counts for more than what could not be written.
                Err(error) => Console::complain(&error.to_string()),
            }
        }
        if let Some(json) = json {
            let (outcome, seconds) = (&outcome, elapsed.as_secs_f64());
            let environment = &environment;
            json.write(&Told { environment, plan: &kept, outcome, seconds, violated })?;
        }
        Ok((Exit::of(outcome.verdict.class()), outcome))
    }

    fn failed<'o>(&'o self, outcome: &'o Outcome) -> Failed<'o> {
        Failed { plan: self.plan, prepared: self.prepared, world: self.world, outcome }
    }

    /// Runs it again for its diagram.
    fn diagram(&self, outcome: &Outcome) -> String {
        let width = Options::default().width;
        picture(self.plan, self.prepared, self.world, &outcome.verdict, width)
    }

    fn headline(&self, outcome: &Outcome) -> String {
        headline(&outcome.verdict, &self.plan.scenario, self.plan.seed)
    }

    fn introduce(
        &self,
        out: &mut Console,
        environment: &Environment,
        kept: &Path,
    ) -> io::Result<()> {
        let Plan { scenario, seed, job, cluster, faults, defects, .. } = self.plan;
        writeln!(out, "run          {scenario}, seed {seed}, in the {} world", self.world)?;
        writeln!(out, "job          {}: {}", job.workload, self.job_shape())?;
        let input: u64 = self.prepared.experiment.input.lengths().iter().sum();
        let output = self.prepared.experiment.expected.len() as u64;
        writeln!(
            out,
            "records      {} entries in {} splits, {} records of output expected",
            count(input),
            job.splits,
            count(output)
        )?;
        writeln!(out, "workers      {} with {} slots each", cluster.workers, cluster.slots)?;
        let checkpoints = &cluster.checkpoints;
        writeln!(
            out,
            "checkpoints  every {} ms, expire after {} ms, up to {} at once, {} kept",
            checkpoints.interval_ms,
            checkpoints.timeout_ms,
            checkpoints.concurrent_max,
            checkpoints.retained
        )?;
        if !defects.is_empty() {
            let names: Vec<&str> = defects.iter().map(|defect| defect.name()).collect();
            writeln!(out, "defects      {}", names.join(", "))?;
        }
        writeln!(out, "faults       {}, until {} ms", faults.len(), self.plan.safety_ms)?;
        for fault in faults {
            writeln!(out, "             {}", fault)?;
        }
        writeln!(out, "plan         {}, hash {}", kept.display(), environment.configuration)?;
        writeln!(out)
    }

    /// The operators, each with its parallelism, in topological order.
    fn job_shape(&self) -> String {
        let topology = self.prepared.experiment.job.topology();
        let shape = |operator: &crate::protocol::OperatorShape| {
            format!("{}({})", operator.name, operator.parallelism)
        };
        topology.operators.iter().map(shape).collect::<Vec<_>>().join(", ")
    }

    fn conclude(
        &self,
        out: &mut Console,
        outcome: &Outcome,
        mut durations: Vec<Duration>,
        elapsed: Duration,
    ) -> io::Result<()> {
        let statistics = &outcome.statistics;
        let class = outcome.verdict.class();
        let verdict = match class {
            VerdictClass::Held => "held",
            VerdictClass::NotOwed => "not owed",
            VerdictClass::Safety => "violated",
            VerdictClass::Liveness => "liveness violated",
            VerdictClass::Panicked => "panicked",
            VerdictClass::Undecided => "liveness not shown",
        };
        writeln!(out, "\nverdict      {verdict}")?;
        writeln!(out, "digest       {}", outcome.digest)?;
        durations.sort_unstable();
        writeln!(
            out,
            "checkpoints  {} completed{}, {} aborted, {} restores",
            count(statistics.completed),
            spread(&durations),
            count(statistics.aborted),
            count(statistics.restores)
        )?;
        writeln!(
            out,
            "trace        {} entries read, {} events, {} steps",
            count(statistics.records),
            count(statistics.events),
            count(statistics.steps)
        )?;
        let struck = FaultClass::iter().filter(|class| statistics.struck(*class) > 0);
        let struck: Vec<String> =
            struck.map(|class| format!("{class} {}", statistics.struck(class))).collect();
        let struck = if struck.is_empty() { "none".to_owned() } else { struck.join(", ") };
        writeln!(out, "struck       {struck}")?;
        writeln!(
            out,
            "time         {} virtual in {:.1} ms real, {} : 1, {} events/s",
            ms(Duration::from_nanos(statistics.virtual_ns)),
            elapsed.as_secs_f64() * 1e3,
            ratio(statistics.virtual_ns, elapsed),
            rate(statistics.events, elapsed)
        )
    }
}

/// Shortest, median and longest.
fn spread(sorted: &[Duration]) -> String {
    match sorted {
        [] => String::new(),
        [only] => format!(" in {}", ms(*only)),
        [first, .., last] => {
            let middle = sorted[(sorted.len() - 1) / 2];
            format!(" in {} to {}, median {}", ms(*first), ms(*last), ms(middle))
        }
    }
}
