//! Shrinking a plan within a budget of runs and time, with progress.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::ProgressBar;
use serde::Serialize;

use super::clock::{Deadline, Stopwatch};
use super::console::Console;
use super::error::CliError;
use super::failure::{self, Failed};
use super::out::OutDir;
use super::table::count;
use crate::explore::explain::explain;
use crate::explore::loss::name_lost;
use crate::explore::recording::picture;
use crate::explore::regression_test::regression_test;
use crate::explore::shrink::{
    InProcess, RUNS_MAX, ShrinkError, Shrinker, Shrunk, Size, Step, Until,
};
use crate::explore::story::in_values;
use crate::explore::{Experiments, Outcome, Prepared, Signature, WorldKind, run_plan};
use crate::plan::Plan;
use crate::protocol::{Defect, DefectSet};
use crate::workload::WorkloadError;

/// How much shrinking may cost.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// How many plans are tried at most.
    pub runs: u64,
    /// For how long.
    pub time: Duration,
    /// On how many threads.
    pub jobs: usize,
}

impl Budget {
    /// As long as anybody likes to wait.
    pub fn usual(jobs: usize) -> Self {
        Self { runs: RUNS_MAX, time: Duration::from_secs(60), jobs }
    }

    /// As long as a sweep may take longer without having been asked.
    pub fn unasked(jobs: usize) -> Self {
        Self { time: Duration::from_secs(20), ..Self::usual(jobs) }
    }
}

/// A plan that was shrunk, and how long that took.
pub struct Timed {
    /// What it gave.
    pub shrunk: Shrunk,
    /// How long it took.
    pub elapsed: Duration,
    /// When it had to be over.
    deadline: Deadline,
}

/// Shrinks a plan; ends early when `stop` is set.
///
/// Whether two runs of it differ is looked at only where the defect that makes them differ is switched
/// on, or where `is_twice` asks for it: it doubles the cost of every run.
pub fn shrink(
    plan: &Plan,
    experiments: &Experiments,
    (world, is_twice): (WorldKind, bool),
    budget: Budget,
    stop: &Arc<AtomicBool>,
    each: impl FnMut(&Step),
) -> Result<Timed, ShrinkError> {
    let is_twice = is_twice || plan.defects == DefectSet::only(Defect::StateLeaksBetweenRuns);
    let deadline = Deadline::after(Some(budget.time));
    let interrupted = Arc::clone(stop);
    let until = Until::new(move || interrupted.load(Ordering::Relaxed) || deadline.is_over());
    let runner = InProcess { experiments, world, is_twice, until: until.clone() };
    let shrinker = Shrinker { runner: &runner, jobs: budget.jobs, runs_max: budget.runs };
    let clock = Stopwatch::start();
    let shrunk = shrinker.shrink(plan, &|| until.is_over(), each)?;
    Ok(Timed { shrunk, elapsed: clock.elapsed(), deadline })
}

/// Progress on standard error; nothing where that is no terminal.
pub struct Watch {
    bar: ProgressBar,
}

impl Watch {
    /// Nothing is known yet.
    pub fn new() -> Self {
        let is_watched = Console::is_watched();
        let bar = if is_watched { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        Self { bar }
    }

    /// A step was taken.
    pub fn show(&self, step: &Step) {
        let Step { pass, size, runs, .. } = step;
        self.bar.set_message(format!("{}: {pass}, {} runs", size, count(*runs)));
        self.bar.tick();
    }

    /// The last one was.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// A plan that was shrunk, as it is told and kept.
#[derive(Serialize)]
pub struct Small {
    /// How it fails.
    pub signature: Signature,
    /// Why, in five lines.
    pub explanation: [String; 5],
    /// How large it was.
    before: Size,
    /// How large it is.
    after: Size,
    runs: u64,
    seconds: f64,
    is_complete: bool,
    /// Its file.
    pub plan: PathBuf,
    /// Its test's file.
    test: PathBuf,
    /// Its view's file, if there was the time to make it.
    view: Option<PathBuf>,
    /// The command that shows it again.
    pub command: String,
    /// The record that it is about, in the user's own values.
    story: Vec<String>,
    /// What happened, as a space-time diagram.
    #[serde(skip)]
    diagram: String,
}

/// How many columns a diagram has.
const WIDTH: usize = 100;

/// Writes down what shrinking gave: the plan, what it shows, and a test of it; and what else is kept of a
/// failure.
pub fn keep(
    dir: &OutDir,
    timed: &Timed,
    experiments: &Experiments,
    world: WorldKind,
) -> Result<Small, CliError> {
    let Timed { shrunk, elapsed, deadline } = timed;
    let Shrunk { plan, signature, violation, .. } = shrunk;
    let usage = |error: WorkloadError| CliError::usage(error.to_string());
    let prepared = experiments.prepare(&plan.job).map_err(usage)?;
    let topology = prepared.experiment.job.topology();
    failure::keep_plan(dir, plan, &prepared)?;
    let path = dir.path().join("plan.json");
    let command = failure::replay_command(&path, world);
    let watched = watched(plan, &prepared, world, *deadline);
    // What was found out about it since tells more than what the search kept.
    let first = watched.as_ref().and_then(|outcome| outcome.verdict.violations().first());
    let explanation = explain(plan, topology, signature, first.or(violation.as_ref()));
    let mut view = None;
    let verdict = watched.as_ref().map(|outcome| &outcome.verdict);
    let story =
        verdict.map(|verdict| in_values(plan, &prepared, world, verdict)).unwrap_or_default();
    let diagram = match &watched {
        Some(outcome) => {
            let failed = Failed { plan, prepared: &prepared, world, outcome };
            view = Some(failed.keep_and_show(dir, &command)?);
            let diagram = picture(plan, &prepared, world, &outcome.verdict, WIDTH);
            dir.write("diagram.txt", &diagram)?;
            diagram
        }
        None => "no time was left to run it again for its outcome and its diagram\n".to_owned(),
    };
    dir.write("explanation.txt", &format!("{}\n", explanation.join("\n")))?;
    let source = regression_test(&plan.scenario, plan, signature, experiments.registry().place());
    let test = dir.write("regression_test.rs", &source)?;
    Ok(Small {
        signature: signature.clone(),
        explanation,
        before: shrunk.before,
        after: shrunk.after,
        runs: shrunk.runs,
        seconds: elapsed.as_secs_f64(),
        is_complete: shrunk.is_complete,
        command,
        plan: path,
        test,
        view,
        story,
        diagram,
    })
}

/// What comes of the plan, if there is the time to run it again and again: for that, for what was lost, for the
/// end of its trace, and for its diagram.
fn watched(
    plan: &Plan,
    prepared: &Prepared,
    world: WorldKind,
    deadline: Deadline,
) -> Option<Outcome> {
    const GRACE: Duration = Duration::from_millis(500);
    let clock = Stopwatch::start();
    let (mut outcome, _) = run_plan(plan, prepared, world, deadline.until().watch());
    let has_time = deadline.allows(7 * clock.elapsed(), GRACE);
    has_time.then(|| {
        name_lost(plan, prepared, world, &mut outcome.verdict);
        outcome
    })
}

impl fmt::Display for Small {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.signature)?;
        writeln!(f, "from       {}", self.before)?;
        let early = if self.is_complete { "" } else { ", when the budget ended" };
        let runs = count(self.runs);
        writeln!(
            f,
            "to         {}, in {runs} runs and {:.1} s{early}\n",
            self.after, self.seconds
        )?;
        for line in &self.explanation {
            writeln!(f, "{line}")?;
        }
        for line in &self.story {
            writeln!(f, "{line}")?;
        }
        writeln!(f, "\n{}", self.command)?;
        writeln!(f, "test       {}", self.test.display())?;
        if let Some(view) = &self.view {
            writeln!(f, "view       {}", view.display())?;
        }
        writeln!(f)?;
        write!(f, "{}", self.diagram)
    }
}
