//! The runs of a sweep, and what is kept of them while they come in.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cutwater::explore::determinism::{Divergent, Rehearsals, first_divergence};
use cutwater::explore::report::headline;
use cutwater::explore::sweep::SweepRun;
use cutwater::explore::{Experiments, Sweep, SweepReport, strategy};
use cutwater::plan::Plan;

use super::super::error::CliError;
use super::super::failure::{self, Reproduction};
use super::super::out::OutDir;
use super::super::progress::Progress;
use super::super::scenario_source::ScenarioSource;
use super::super::whereabouts::Whereabouts;

/// All that the runs need.
pub struct Runs<'a> {
    /// What to run.
    pub sweep: &'a Sweep,
    /// Where its scenarios come from.
    pub sources: &'a [ScenarioSource],
    /// Jobs and inputs.
    pub experiments: &'a Experiments,
    /// Where failures are kept.
    pub out: &'a OutDir,
    /// Set when the sweep is to end early.
    pub stop: Arc<AtomicBool>,
}

/// What came of them.
pub struct Done {
    /// Everything that was counted.
    pub report: SweepReport,
    /// Failures that are kept, by their place in the sweep.
    pub kept: BTreeMap<u64, Kept>,
    /// Plans of which two runs differ.
    pub divergent: Vec<Divergent>,
    /// Where two runs of the first of them part.
    pub divergence: Option<String>,
    /// How long it took.
    pub elapsed: Duration,
    /// Whether it was ended early.
    pub is_interrupted: bool,
}

/// A failure that is kept.
pub struct Kept {
    /// The first line about it.
    pub headline: String,
    /// The command that reproduces it.
    pub command: String,
    /// Where it is.
    pub path: PathBuf,
    /// Its scenario, as an index into the sweep's.
    pub scenario: usize,
}

/// How many events are shown around the place where two traces part.
const CONTEXT: usize = 3;

/// About how many failures are kept in all; each scenario has its share, and at least one.
const KEPT_MAX: usize = 20;

impl Runs<'_> {
    /// Runs them all, or until told to stop.
    pub fn execute(&self, twice: bool) -> Result<Done, CliError> {
        let whereabouts = Whereabouts::new(self.out, self.sweep.jobs)?;
        let rehearsals = twice.then(Rehearsals::new);
        let begin = |thread: usize, plan: &Plan| {
            whereabouts.begin(thread, &plan.scenario, plan.seed);
            if let Some(rehearsals) = &rehearsals
                && let Ok(prepared) = self.experiments.prepare(&plan.job)
            {
                rehearsals.rehearse(plan, &prepared, self.sweep.world);
            }
        };
        let mut progress = Progress::new(self.sweep.runs());
        let mut report = SweepReport::new(&self.sweep.scenarios);
        let mut kept = BTreeMap::new();
        let mut divergent = Vec::new();
        let mut trouble = None;
        let each = |run: SweepRun| {
            progress.add(run.outcome.statistics.virtual_ns, run.outcome.verdict.is_held());
            report.add(&run);
            if let Some(rehearsals) = &rehearsals {
                let name = &self.sweep.scenarios[run.scenario].name;
                divergent.extend(rehearsals.compare(name, run.seed, &run.outcome));
            }
            if let Err(error) = self.keep(&run, &mut kept) {
                self.stop.store(true, Ordering::Relaxed);
                trouble.get_or_insert(error);
            }
        };
        self.sweep
            .run(self.experiments, &self.stop, begin, each)
            .map_err(|error| CliError::usage(error.to_string()))?;
        let elapsed = progress.finish();
        if let Some(error) = trouble {
            return Err(error);
        }
        divergent.sort_unstable();
        let is_interrupted = self.stop.load(Ordering::Relaxed);
        let divergence = divergent.first().and_then(|first| self.divergence(first));
        Ok(Done { report, kept, divergent, divergence, elapsed, is_interrupted })
    }

    /// Where two more runs of a plan part.
    fn divergence(&self, divergent: &Divergent) -> Option<String> {
        let Sweep { scenarios, defects, world, strategy: name, .. } = self.sweep;
        let scenario = scenarios.iter().find(|scenario| scenario.name == divergent.scenario)?;
        let strategy = strategy(*name);
        let plan = strategy.plan(scenario, divergent.seed, *defects, self.experiments).ok()??;
        let prepared = self.experiments.prepare(&plan.job).ok()?;
        first_divergence(&plan, &prepared, *world, CONTEXT).map(|found| found.to_string())
    }

    /// Keeps a failure, unless its scenario has had its share.
    fn keep(&self, run: &SweepRun, kept: &mut BTreeMap<u64, Kept>) -> Result<(), CliError> {
        let Some(plan) = &run.plan else { return Ok(()) };
        let share = KEPT_MAX.div_ceil(self.sweep.scenarios.len());
        if kept.values().filter(|other| other.scenario == run.scenario).count() >= share {
            return Ok(());
        }
        let source = &self.sources[run.scenario];
        let prepared = self.experiments.prepare(&plan.job).map_err(|error| source.blame(&error))?;
        let dir = self.out.inside("failures")?;
        let dir = dir.inside(&format!("{}-seed-{}", plan.scenario, plan.seed))?;
        failure::keep(&dir, plan, &prepared, self.sweep.world, &run.outcome)?;
        let topology = prepared.experiment.job.topology();
        let headline = headline(&run.outcome.verdict, &plan.scenario, plan.seed, topology);
        let world = self.sweep.world;
        let command = if source.is_file {
            failure::replay_command(&dir.path().join("plan.json"), world)
        } else {
            Reproduction::of(&source.argument, self.sweep).run_command(run.seed)
        };
        let path = dir.path().to_owned();
        kept.insert(run.index, Kept { headline, command, path, scenario: run.scenario });
        Ok(())
    }
}
