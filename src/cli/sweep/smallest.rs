//! The first failure of a sweep, shrunk: what is to be looked at is as small as it gets.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::super::arguments;
use super::super::clock::Deadline;
use super::super::error::CliError;
use super::super::kept_plan::KeptPlan;
use super::super::out::OutDir;
use super::super::shrinking::{self, Budget, Small, Watch};
use super::report::Report;
use super::sweep_config::SweepConfig;
use crate::explore::Experiments;

/// Where the small plan is kept, beside the large one.
pub const DIRECTORY: &str = "shrunk";

/// Shrinks the first failure of a report within a budget, or until `stop` is set.
///
/// None where there is no failure that can be run in this process, where it was shrunk before, where no time is
/// left, and where it does not fail any more: then the report has all there is to say.
///
/// # Errors
///
/// When what was kept cannot be read, or the small plan not written.
pub fn shrink_first(
    report: &Report,
    config: &SweepConfig,
    stop: &Arc<AtomicBool>,
    deadline: &Deadline,
    experiments: &Experiments,
) -> Result<Option<Small>, CliError> {
    let Some(dir) = report.first_to_shrink() else { return Ok(None) };
    if dir.join(DIRECTORY).exists() || deadline.is_over() {
        return Ok(None);
    }
    let path = dir.join("plan.json");
    let kept = KeptPlan::read(&path)?;
    kept.prepare(&path, experiments)?;
    let usual = Budget::unasked(arguments::jobs(None).min(config.sweep.jobs));
    let budget = Budget { time: deadline.left_of(usual.time), ..usual };
    let way = (config.sweep.world, config.twice);
    let watch = Watch::new();
    let shrunk =
        shrinking::shrink(&kept.plan, experiments, way, budget, stop, |step| watch.show(step));
    watch.finish();
    let Ok(timed) = shrunk else { return Ok(None) };
    let out = inside(dir)?;
    shrinking::keep(&out, &timed, experiments, config.sweep.world).map(Some)
}

fn inside(dir: &Path) -> Result<OutDir, CliError> {
    OutDir::open(dir)?.inside(DIRECTORY)
}
