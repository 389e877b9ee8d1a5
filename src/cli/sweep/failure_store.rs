//! Failures that are kept with all that is needed to look into them: the smallest of each signature,
//! and then the next ones, up to a bound.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::clock::Deadline;
use super::super::error::CliError;
use super::super::failure;
use super::super::out::OutDir;
use super::collected::{Collected, Failed, Group};
use super::sweep_config::SweepConfig;
use crate::explore::loss::name_lost;
use crate::explore::record::RunName;
use crate::explore::{Experiments, Prepared, Signature, run_plan};
use crate::plan::Plan;
use crate::protocol::ordered::VecMap;

/// How many are kept, unless there are more signatures.
const KEPT_MAX: usize = 20;

/// How many signatures have one kept.
const SIGNATURES_MAX: usize = 100;

/// How many have a view: it costs as much as two or three runs, and a file of 0.1 MB and more; one of each signature
/// tells most.
const VIEWS_MAX: usize = 5;

/// The name of the directory of failures.
const DIRECTORY: &str = "failures";

/// Where failures are kept, by their place in the sweep.
pub type Kept = VecMap<u64, PathBuf>;

/// Keeps failures in `out`; those that are kept already stay as they are.
///
/// A run that failed in this process's sight fails again; one that killed its process, or hung, is not
/// run again here, and is kept without its last events; nor is anything when the time is over. Those that could
/// be kept are told beside the first error, where one could not.
pub fn keep(
    config: &SweepConfig,
    collected: &Collected,
    groups: &[Group],
    out: &OutDir,
    deadline: &Deadline,
    experiments: &Experiments,
) -> (Kept, Result<(), CliError>) {
    let mut kept = Kept::new();
    let firsts = groups.len().min(VIEWS_MAX);
    let keep = |(rank, place): (usize, usize)| {
        let failed = &collected.failed[place];
        let store = FailureStore { config, experiments, deadline, shows: rank < firsts };
        kept.insert(failed.index, store.keep(failed, out)?);
        Ok(())
    };
    let all = chosen(groups).into_iter().enumerate().try_for_each(keep);
    (kept, all)
}

/// The first of each group, then the second of each, and so on.
fn chosen(groups: &[Group]) -> Vec<usize> {
    let firsts = groups.len().min(SIGNATURES_MAX);
    let longest = groups.iter().map(|group| group.members.len()).max().unwrap_or(0);
    let rank = |rank: usize| groups.iter().filter_map(move |group| group.members.get(rank));
    (0..longest).flat_map(rank).copied().take(KEPT_MAX.max(firsts)).collect()
}

/// How a failure is kept.
struct FailureStore<'a> {
    config: &'a SweepConfig,
    experiments: &'a Experiments,
    deadline: &'a Deadline,
    /// Whether it gets a view.
    shows: bool,
}

impl FailureStore<'_> {
    fn keep(&self, failed: &Failed, out: &OutDir) -> Result<PathBuf, CliError> {
        let path = place(out.path(), self.config, failed.index);
        if path.exists() {
            return Ok(path);
        }
        // Killed on the way, a sweep leaves no half of a failure that looks whole.
        let failures = out.inside(DIRECTORY)?;
        let unfinished = failures.path().join("unfinished");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).map_err(|error| CliError::io(&unfinished, error))?;
        }
        let dir = failures.inside("unfinished")?;
        let (plan, prepared) = self.prepared(failed)?;
        failure::keep_plan(&dir, &plan, &prepared)?;
        let is_deadly = matches!(failed.failure.signature, Signature::Died(_) | Signature::Hung);
        if !is_deadly && !self.deadline.is_over() {
            self.keep_outcome(&dir, &path, &plan, &prepared)?;
        }
        fs::rename(&unfinished, &path).map_err(|error| CliError::io(&path, error))?;
        Ok(path)
    }

    fn prepared(&self, failed: &Failed) -> Result<(Plan, Prepared), CliError> {
        let sweep = &self.config.sweep;
        let (scenario, _) = sweep.place(failed.index);
        let prepared = sweep
            .prepare(self.experiments, failed.index)
            .map_err(|error| self.config.sources[scenario].locate(&error))?;
        prepared.ok_or_else(|| {
            let RunName { scenario, seed, .. } = sweep.name(failed.index);
            CliError::usage(format!("there is no plan for {scenario}, seed {seed}"))
        })
    }

    /// `home` is where the directory will be when it is finished.
    fn keep_outcome(
        &self,
        dir: &OutDir,
        home: &Path,
        plan: &Plan,
        prepared: &Prepared,
    ) -> Result<(), CliError> {
        let (world, until) = (self.config.sweep.world, self.deadline.until());
        let (mut outcome, _) = run_plan(plan, prepared, world, until.watch());
        if until.is_over() {
            return Ok(());
        }
        name_lost(plan, prepared, world, &mut outcome.verdict);
        let failed = failure::Failed { plan, prepared, world, outcome: &outcome };
        if !self.shows {
            return failed.keep(dir);
        }
        let command = failure::replay_command(&home.join("plan.json"), world);
        failed.keep_and_show(dir, &command).map(drop)
    }
}

/// Where a failure of the sweep in `dir` is kept, if it is.
fn place(dir: &Path, config: &SweepConfig, index: u64) -> PathBuf {
    let name = config.sweep.name(index);
    dir.join(DIRECTORY).join(format!("{}-seed-{}", name.scenario, name.seed))
}

/// The failures that the sweeps of these results files have kept.
pub fn found(config: &SweepConfig, collected: &Collected, files: &[PathBuf]) -> Kept {
    let kept = |failed: &Failed| {
        let dir = files[failed.file].parent()?;
        Some((failed.index, place(dir, config, failed.index))).filter(|(_, path)| path.is_dir())
    };
    collected.failed.iter().filter_map(kept).collect()
}
