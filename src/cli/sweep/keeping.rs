//! Failures that are kept with all that is needed to look into them: the smallest of each signature,
//! and then the next ones, up to a bound.

use std::fs;
use std::path::{Path, PathBuf};

use cutwater::explore::loss::name_lost;
use cutwater::explore::record::RunName;
use cutwater::explore::{Experiments, Signature, run_plan};
use cutwater::protocol::ordered::VecMap;

use super::super::clock::Deadline;
use super::super::error::CliError;
use super::super::failure;
use super::super::out::OutDir;
use super::collected::{Collected, Failed, Group};
use super::subject::Subject;

/// How many are kept, unless there are more signatures.
const KEPT_MAX: usize = 20;

/// How many signatures have one kept.
const SIGNATURES_MAX: usize = 100;

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
    subject: &Subject,
    collected: &Collected,
    groups: &[Group],
    out: &OutDir,
    deadline: &Deadline,
) -> (Kept, Result<(), CliError>) {
    let experiments = Experiments::new();
    let mut kept = Kept::new();
    let keep = |place: usize| {
        let failed = &collected.failed[place];
        kept.insert(failed.index, keep_one(subject, &experiments, failed, out, deadline)?);
        Ok(())
    };
    let all = chosen(groups).into_iter().try_for_each(keep);
    (kept, all)
}

/// The first of each group, then the second of each, and so on.
fn chosen(groups: &[Group]) -> Vec<usize> {
    let firsts = groups.len().min(SIGNATURES_MAX);
    let longest = groups.iter().map(|group| group.members.len()).max().unwrap_or(0);
    let rank = |rank: usize| groups.iter().filter_map(move |group| group.members.get(rank));
    (0..longest).flat_map(rank).copied().take(KEPT_MAX.max(firsts)).collect()
}

fn keep_one(
    subject: &Subject,
    experiments: &Experiments,
    failed: &Failed,
    out: &OutDir,
    deadline: &Deadline,
) -> Result<PathBuf, CliError> {
    let path = place(out.path(), subject, failed.index);
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
    let sweep = &subject.sweep;
    let (scenario, _) = sweep.place(failed.index);
    let prepared = sweep
        .prepare(experiments, failed.index)
        .map_err(|error| subject.sources[scenario].blame(&error))?;
    let Some((plan, prepared)) = prepared else {
        let RunName { scenario, seed, .. } = sweep.name(failed.index);
        return Err(CliError::usage(format!("there is no plan for {scenario}, seed {seed}")));
    };
    match failed.failure.signature {
        Signature::Died(_) | Signature::Hung => failure::keep_plan(&dir, &plan)?,
        _ if deadline.is_over() => failure::keep_plan(&dir, &plan)?,
        Signature::Violation(_)
        | Signature::Panic(_)
        | Signature::NotDeterministic
        | Signature::Undecided => {
            failure::keep_plan(&dir, &plan)?;
            let until = deadline.until();
            let (mut outcome, _) = run_plan(&plan, &prepared, sweep.world, until.watch());
            if !until.is_over() {
                name_lost(&plan, &prepared, sweep.world, &mut outcome.verdict);
                failure::keep_outcome(&dir, &plan, &prepared, sweep.world, &outcome)?;
            }
        }
    }
    fs::rename(&unfinished, &path).map_err(|error| CliError::io(&path, error))?;
    Ok(path)
}

/// Where a failure of the sweep in `dir` is kept, if it is.
fn place(dir: &Path, subject: &Subject, index: u64) -> PathBuf {
    let name = subject.sweep.name(index);
    dir.join(DIRECTORY).join(format!("{}-seed-{}", name.scenario, name.seed))
}

/// The failures that the sweeps of these results files have kept.
pub fn found(subject: &Subject, collected: &Collected, files: &[PathBuf]) -> Kept {
    let kept = |failed: &Failed| {
        let dir = files[failed.file].parent()?;
        Some((failed.index, place(dir, subject, failed.index))).filter(|(_, path)| path.is_dir())
    };
    collected.failed.iter().filter_map(kept).collect()
}
