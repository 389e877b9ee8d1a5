//! Jobs, inputs and references, made once and shared by all runs of a process.

use std::sync::{Arc, Mutex, PoisonError};

use thiserror::Error;

use super::quiet;
use super::registry::{Registry, RegistryError};
use super::strategy::profile::Profiles;
use super::unprovoked;
use crate::cluster::Cluster;
use crate::oracle::Reference;
use crate::plan::{JobPlan, JobShape, Name, Plan, Scenario, draw};
use crate::protocol::ordered::VecMap;
use crate::protocol::{DefectSet, Revision};
use crate::workload::{Experiment, Workload, WorkloadError, WorkloadSettings};

/// An experiment, ready to be run and judged.
#[derive(Clone)]
pub struct Prepared {
    /// The job, its input and its expected output.
    pub experiment: Experiment,
    /// The expected output, as the oracles want it.
    pub reference: Arc<Reference>,
}

impl Prepared {
    /// Prepares an experiment: a workload's, or one's own.
    #[must_use]
    pub fn new(experiment: Experiment) -> Self {
        let reference =
            Arc::new(Reference::of(experiment.expected.iter()).dropping(experiment.late.iter()));
        Self { experiment, reference }
    }

    /// What its job is with these settings, to be kept with its plans.
    #[must_use]
    pub fn shape(&self, settings: &JobPlan) -> JobShape {
        let Experiment { job, input, .. } = &self.experiment;
        JobShape::of(settings, &job.topologies(), input)
    }

    /// The cluster that runs it under `plan`.
    #[must_use]
    pub fn cluster(&self, plan: &Plan) -> Cluster {
        let job = &self.experiment.job;
        Cluster {
            job: if plan.is_reshaped() { Arc::new(job.rescalable()) } else { Arc::clone(job) },
            input: Arc::clone(&self.experiment.input),
            settings: Arc::new(plan.cluster.clone()),
            defects: plan.defects,
        }
    }
}

/// Why a plan that was kept is not run.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeptPlanError {
    /// Its job cannot be made.
    #[error(transparent)]
    Job(#[from] WorkloadError),
    /// Its job is another one by now.
    #[error(
        "the plan is of another build of {workload}: expected the job that it was kept of\n  {}",
        differences.join("\n  ")
    )]
    OtherBuild {
        /// The workload.
        workload: Name,
        /// What is different, a line each.
        differences: Vec<String>,
    },
}

/// The experiments that were asked for before.
///
/// They are plain data and never change: sharing them cannot make one run depend on another.
pub struct Experiments {
    registry: Registry,
    made: Mutex<VecMap<JobPlan, Prepared>>,
    /// How often the scenarios reach each protocol point.
    pub(super) profiles: Profiles,
}

impl Default for Experiments {
    fn default() -> Self {
        Self::new()
    }
}

/// How many experiments are kept at most.
const KEPT_MAX: usize = 512;

impl Experiments {
    /// No experiments yet, of what comes with the library.
    #[must_use]
    pub fn new() -> Self {
        Self::over(Registry::built_in())
    }

    /// No experiments yet, of what is registered.
    ///
    /// # Errors
    ///
    /// When the registry contradicts itself.
    pub fn of(registry: Registry) -> Result<Self, RegistryError> {
        registry.check()?;
        Ok(Self::over(registry))
    }

    fn over(registry: Registry) -> Self {
        Self { registry, made: Mutex::default(), profiles: Profiles::default() }
    }

    /// What they are made from.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The experiment of a job plan.
    ///
    /// # Errors
    ///
    /// When there is no such workload, or not with such settings.
    pub fn prepare(&self, job: &JobPlan) -> Result<Prepared, WorkloadError> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(prepared) = made.get(job) {
            return Ok(prepared.clone());
        }
        let workload = self.registry.workload(&job.workload)?;
        let prepared = Prepared::new(experiment_of(workload, &settings(job))?);
        if workload.is_own() {
            unprovoked::check_types(&prepared.experiment)?;
        }
        if made.len() >= KEPT_MAX {
            made.clear();
        }
        made.insert(job.clone(), prepared.clone());
        Ok(prepared)
    }

    /// The experiment of a plan whose job was the one that was `kept` with it, where that is known.
    ///
    /// # Errors
    ///
    /// As [`prepare`](Self::prepare), and when the job is another one by now: its operators, edges or input.
    pub fn prepare_kept(
        &self,
        plan: &Plan,
        kept: Option<&JobShape>,
    ) -> Result<Prepared, KeptPlanError> {
        let prepared = self.prepare(&plan.job)?;
        let differences = kept.map(|kept| kept.differences(&prepared.shape(&plan.job)));
        let differences = differences.unwrap_or_default();
        if differences.is_empty() {
            return Ok(prepared);
        }
        Err(KeptPlanError::OtherBuild { workload: plan.job.workload.clone(), differences })
    }

    /// Draws the plan of a seed.
    ///
    /// # Errors
    ///
    /// When the scenario's workload does not exist, or not with what was drawn.
    pub fn draw(
        &self,
        scenario: &Scenario,
        seed: u64,
        defects: DefectSet,
    ) -> Result<Plan, WorkloadError> {
        let plan = draw(scenario, seed, defects, |job| {
            self.prepare(job).map(|prepared| prepared.experiment.job.topologies())
        })?;
        let job = self.prepare(&plan.job)?.experiment.job;
        job.admits(&plan.cluster.checkpoints)?;
        for version in plan.revisions().map(|revision| revision.version) {
            job.in_revision(Revision { version, parallelism: None })?;
        }
        Ok(plan)
    }
}

/// The experiment of a workload. A panic of the function that makes it is told with its place, as an error, and not as
/// it happens.
pub(super) fn experiment_of(
    workload: &Workload,
    settings: &WorkloadSettings,
) -> Result<Experiment, WorkloadError> {
    quiet::within(|| workload.experiment(settings)).map_err(|error| match error {
        WorkloadError::Panicked { workload, message, .. } => {
            WorkloadError::Panicked { workload, message, place: quiet::place() }
        }
        other => other,
    })
}

/// The input is the same for every seed: what differs is what happens to it.
fn settings(job: &JobPlan) -> WorkloadSettings {
    let JobPlan { records, parallelism, splits, deal, assignment, .. } = *job;
    WorkloadSettings { records, parallelism, splits, deal, assignment, seed: 0 }
}
