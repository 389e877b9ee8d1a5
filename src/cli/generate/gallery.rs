//! The gallery: a view of each plan in a directory, beside it.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::error::CliError;
use super::super::failure;
use super::super::kept_plan::KeptPlan;
use super::super::out::OutDir;
use crate::explore::Experiments;
use crate::explore::viewing::run_for_view;
use crate::view::EVENTS_MAX;

/// Where the plans are, within the gallery.
const PLANS: &str = "plans";

/// Writes the views of all plans in `dir/plans` into `dir`, in place of those of an earlier version.
pub fn write(dir: &Path, experiments: &Experiments) -> Result<(), CliError> {
    let out = OutDir::open(dir)?;
    for path in plans(&dir.join(PLANS))? {
        let kept = KeptPlan::read(&path)?;
        let prepared = kept.prepare(&path, experiments)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        // As a reader in the root of the repository runs it, wherever the gallery is made.
        let command = failure::replay_command(
            &Path::new("docs/gallery/plans").join(format!("{name}.json")),
            kept.world,
        );
        let (_, view) = run_for_view(&kept.plan, &prepared, kept.world, EVENTS_MAX, &command);
        out.replace(&format!("{name}.html"), view.html())?;
    }
    Ok(())
}

fn plans(dir: &Path) -> Result<Vec<PathBuf>, CliError> {
    let failed = |error| CliError::io(dir, error);
    let entries =
        fs::read_dir(dir).map_err(failed)?.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    let is_plan = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "json");
    let mut plans: Vec<PathBuf> =
        entries.into_iter().map(|entry| entry.path()).filter(is_plan).collect();
    plans.sort();
    if plans.is_empty() {
        return Err(CliError::usage(format!("{}: there is no plan in it", dir.display())));
    }
    Ok(plans)
}
