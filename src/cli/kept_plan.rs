//! A plan from a file: one that a run left behind, or one that is kept for good.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::CliError;
use super::failure::End;
use super::locate;
use super::patience;
use super::plan_check;
use crate::explore::regression::{REGRESSION_FORMAT, Regression, read_trace};
use crate::explore::{Experiments, KeptPlanError, Prepared, WorldKind};
use crate::plan::file::read_bounded;
use crate::plan::{Environment, JobShape, Plan, PlanFile};
use crate::trace::{Event, Stamp, TraceReader};

/// A plan from a file, and what is known of its run.
pub struct KeptPlan {
    /// The plan.
    pub plan: Plan,
    /// Where it was kept.
    pub environment: Option<Environment>,
    /// What its job was there.
    pub job: Option<JobShape>,
    /// What its trace was, where that was kept with it.
    digest: Option<String>,
    /// The world in which that was.
    pub world: WorldKind,
    /// How it ended there, where that is known.
    pub end: Option<End>,
    /// The trace, or its last events.
    pub trace: Vec<(Stamp, Event)>,
}

/// The part of a kept outcome that matters here.
#[derive(Default, Deserialize)]
struct KeptOutcome {
    digest: String,
    #[serde(default)]
    world: WorldKind,
    #[serde(default)]
    end: Option<End>,
}

impl KeptPlan {
    /// Reads a plan, or a plan that is kept for good.
    pub fn read(path: &Path) -> Result<Self, CliError> {
        let (name, text) = (path.display().to_string(), read_bounded(path)?);
        if is_regression(&text) {
            let kept = Regression::from_json(&name, &text)?;
            let trace = read_trace(path).map_err(CliError::usage)?.unwrap_or_default();
            let Regression { digest, environment, job, plan, expected, .. } = kept;
            let (world, environment) = (WorldKind::Kernel, Some(environment));
            let end = Some(End::expected(expected));
            return Ok(Self { plan, environment, job, digest, world, end, trace });
        }
        let PlanFile { plan, environment, job } = PlanFile::from_json(&name, &text)?;
        let dir = path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
        let is_its_own = path.file_name().is_some_and(|name| name == "plan.json");
        let outcome = is_its_own.then(|| kept_outcome(&dir)).flatten();
        let trace = if outcome.is_some() { kept_tail(&dir) } else { Vec::new() };
        let digest = outcome.as_ref().map(|outcome| outcome.digest.clone());
        let KeptOutcome { world, end, .. } = outcome.unwrap_or_default();
        Ok(Self { plan, environment, job, digest, world, end, trace })
    }

    /// What its trace was in this world, where that is known.
    pub fn digest_in(&self, world: WorldKind) -> Option<&String> {
        self.digest.as_ref().filter(|_| self.world == world)
    }

    /// Its job; refuses a plan that cannot be run, or that is of another build of it.
    pub fn prepare(&self, path: &Path, experiments: &Experiments) -> Result<Prepared, CliError> {
        prepare(&path.display().to_string(), &self.plan, self.job.as_ref(), experiments)
    }
}

/// The job of a plan; refuses a plan that cannot be run, or whose job was another one when it was `kept`.
pub fn prepare(
    path: &str,
    plan: &Plan,
    kept: Option<&JobShape>,
    experiments: &Experiments,
) -> Result<Prepared, CliError> {
    let prepared = experiments.prepare_kept(plan, kept).map_err(|error| match error {
        KeptPlanError::Job(error) => locate::job(path, &error),
        KeptPlanError::OtherBuild { .. } => locate::field(path, "operators", 0, error.to_string()),
    })?;
    plan_check::check(path, plan, &prepared.experiment.job)?;
    if let Some(problem) = patience::problem(plan, &prepared) {
        return Err(locate::field(path, "liveness_ms", 0, problem));
    }
    Ok(prepared)
}

fn is_regression(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Format {
        format: String,
    }
    serde_json::from_str::<Format>(text).is_ok_and(|header| header.format == REGRESSION_FORMAT)
}

/// What came of the run that left this directory behind; a directory of another program, or of
/// an older one, says nothing.
fn kept_outcome(dir: &Path) -> Option<KeptOutcome> {
    let text = fs::read_to_string(dir.join("outcome.json")).ok()?;
    let outcome: KeptOutcome = serde_json::from_str(&text).ok()?;
    Some(outcome).filter(|outcome| !outcome.digest.is_empty())
}

fn kept_tail(dir: &Path) -> Vec<(Stamp, Event)> {
    let file = fs::File::open(dir.join("trace-tail.jsonl")).ok();
    let reader = file.and_then(|file| TraceReader::new(std::io::BufReader::new(file)).ok());
    reader.into_iter().flatten().map_while(Result::ok).collect()
}
