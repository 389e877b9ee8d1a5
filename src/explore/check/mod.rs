//! A job of one's own, checked under seeds: the shortest way from a job to a verdict.

mod error;
mod failure;
mod flow;
mod pages;
mod seeds;
mod variables;

pub use error::{CheckError, CheckFailure};
pub use flow::Checked;

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use self::variables::Variables;
use super::experiments::{Experiments, Prepared};
use super::registry::Registry;
use super::run::WorldKind;
use super::strategy::{StrategyName, strategy};
use super::{quiet, unprovoked, usual};
use crate::dataflow::{Data, Input, JobBuilder};
use crate::plan::{JobPlan, NAME_CHARS_MAX, Name, Plan, Scenario, draw};
use crate::protocol::{DefectSet, Guarantee, OperatorRole, Protocol, Topology};
use crate::workload::{Experiment, Workload, WorkloadError};

/// Checks one job, with one input, under many seeds of faults.
///
/// First without any: the job is rehearsed on its input, must give what is expected, the same each time, and its
/// operators are restored from a snapshot after every input. Then the seeds draw plans from the
/// [usual scenarios](super::usual) of the job, in turn: everything may fail (crashes, pauses, lost and late messages,
/// slow, failing and forgetful services), barriers overtake, the job goes on with more subtasks and with fewer, or is
/// stopped and resumed, as it admits. A swarm varies what happens, and how often.
///
/// ```
/// use cutwater::dataflow::{EncodedSink, Input, JobBuilder, Replay};
/// use cutwater::explore::Check;
///
/// let job = JobBuilder::new("double");
/// job.source("numbers", Replay::new(), 1, 1)
///     .map("double", 1, |number: u64| 2 * number)
///     .transactional_sink("out", 1, EncodedSink::new());
/// let numbers: Vec<u64> = (0..50).collect();
/// let doubles: Vec<u64> = numbers.iter().map(|number| number + number).collect();
/// let input = Input::dealt(numbers.iter().map(Replay::entry), 1);
/// let checked = Check::new(&job, input, &doubles)?.seeds(0..20).run()?;
/// assert!(checked.flowing > 0, "{checked}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The environment variable `CUTWATER_SEEDS=0..10000` takes the place of the seeds, and `CUTWATER_REPLAY=plan.json` runs
/// that plan instead of any seed: a failure tells the command.
#[derive(Clone)]
pub struct Check {
    experiments: Arc<Experiments>,
    workload: Name,
    /// The scenarios that seeds draw from, in turn.
    scenarios: Vec<Scenario>,
    /// Whether they were given, and are drawn from as they are.
    is_given: bool,
    seeds: Range<u64>,
    defects: DefectSet,
    world: WorldKind,
    out: PathBuf,
    threads: usize,
    shrink_runs: u64,
    is_rehearsed: bool,
    /// Whether a program has this job registered.
    is_registered: bool,
}

/// How many plans are tried to make a failing one smaller.
const SHRINK_RUNS: u64 = 300;

impl Check {
    /// A check that `job`, fed with `input`, commits exactly the records `expected`, each once, in any
    /// order; as its sink writes them with [`EncodedSink`](crate::dataflow::EncodedSink).
    ///
    /// # Errors
    ///
    /// When the job cannot be built, the input is of other sources than its own, or a type of record is not read back
    /// as it was written.
    pub fn new<T: Data>(
        job: &JobBuilder,
        input: Input,
        expected: &[T],
    ) -> Result<Self, CheckError> {
        Self::of(Experiment::new(job, input, expected).map_err(CheckError::experiment)?)
    }

    /// A check of an experiment, whatever its sinks write.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn of(experiment: Experiment) -> Result<Self, CheckError> {
        let most = NAME_CHARS_MAX - usual::SUFFIX_CHARS_MAX;
        let name: String = experiment.job.name().chars().take(most).collect();
        let name = Name::resembling(&name);
        let registry = Registry::new().with(Workload::fixed(name.to_string(), experiment));
        let check = Self::registered(registry, &name)?;
        Ok(Self { is_registered: false, ..check })
    }

    /// A check of a registered workload, of its usual size. What fails can be replayed and shrunk by the program that
    /// has the same registry (`cutwater::cli::main`).
    ///
    /// # Errors
    ///
    /// When the registry contradicts itself or has no such workload, or as [`new`](Self::new).
    pub fn registered(registry: Registry, workload: &str) -> Result<Self, CheckError> {
        quiet::install();
        let usage = |problem: &dyn std::fmt::Display| CheckError::usage(problem.to_string());
        let experiments = Experiments::of(registry).map_err(|error| usage(&error))?;
        let found = experiments.registry().workload(workload).map_err(|error| usage(&error))?;
        let name: Name = found.name.parse().map_err(|error| usage(&error))?;
        let scenarios = usual::scenarios(found);
        let check = Self {
            experiments: Arc::new(experiments),
            workload: name,
            scenarios,
            is_given: false,
            seeds: 0..100,
            defects: DefectSet::NONE,
            world: WorldKind::default(),
            out: PathBuf::from("cutwater-out"),
            threads: thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get),
            shrink_runs: SHRINK_RUNS,
            is_rehearsed: true,
            is_registered: true,
        };
        check.check_job()?;
        Ok(check)
    }

    /// With what is kept of a failure in a new directory of this one; `cutwater-out` unless told otherwise.
    #[must_use]
    pub fn out(self, out: impl Into<PathBuf>) -> Self {
        Self { out: out.into(), ..self }
    }

    /// Under these seeds; 0 to 99 unless told otherwise. A range without any proves nothing: that is an error of
    /// [`run`](Self::run).
    #[must_use]
    pub fn seeds(self, seeds: Range<u64>) -> Self {
        Self { seeds, ..self }
    }

    /// Under plans drawn from this scenario, as it is; what it says about the job plays no part.
    #[must_use]
    pub fn scenario(self, scenario: Scenario) -> Self {
        Self { scenarios: vec![scenario], is_given: true, ..self }
    }

    /// With these bugs switched on, to see that the check can fail.
    #[must_use]
    pub fn defects(self, defects: DefectSet) -> Self {
        Self { defects, ..self }
    }

    /// In this world. One that this build has not is an error of [`run`](Self::run).
    #[must_use]
    pub fn world(self, world: WorldKind) -> Self {
        Self { world, ..self }
    }

    /// On so many threads; as many as there are cores unless told otherwise. Nothing that is told depends on it.
    #[must_use]
    pub fn threads(self, threads: usize) -> Self {
        Self { threads: threads.max(1), ..self }
    }

    /// With at most so many runs to make a failing plan smaller; 300 unless told otherwise, and none for 0.
    #[must_use]
    pub fn shrink_runs(self, shrink_runs: u64) -> Self {
        Self { shrink_runs, ..self }
    }

    /// Under seeds alone, without the rehearsal before them.
    #[must_use]
    pub fn seeds_only(self) -> Self {
        Self { is_rehearsed: false, ..self }
    }

    /// Runs the rehearsal, and then all seeds, on all cores. Returns what they did, together.
    ///
    /// A failing plan is shrunk, and kept with its diagram and a view: one HTML file in which the cut of each
    /// checkpoint can be seen.
    ///
    /// # Errors
    ///
    /// What is wrong with the job without any failure; the lowest seed that does not hold; that no seed restored the
    /// job while records flowed, which tests nothing; and what is wrong with the check itself.
    pub fn run(&self) -> Result<Checked, Box<CheckError>> {
        quiet::install();
        let variables = Variables::read().map_err(CheckError::usage)?;
        self.check_world()?;
        if let Some(path) = &variables.replay {
            return self.replay(path);
        }
        let seeds = variables.seeds.unwrap_or_else(|| self.seeds.clone());
        check_seeds(&seeds)?;
        if self.is_rehearsed && self.defects.is_empty() {
            unprovoked::check(&self.prepared()?.experiment)
                .map_err(|unprovoked| self.unprovoked(&unprovoked))?;
        }
        self.run_seeds(seeds)
    }

    /// Judges one plan, such as one that [`plan`](Self::plan) drew or that was kept. With this a property-based test
    /// has plans for its values: it need not shrink them, since what fails is shrunk here.
    ///
    /// `CUTWATER_REPLAY=plan.json` runs that plan instead, as often as this is called; the seeds of `CUTWATER_SEEDS`
    /// are for [`run`](Self::run) alone.
    ///
    /// # Errors
    ///
    /// When it does not hold, or is not a plan of this job.
    pub fn judge(&self, plan: &Plan) -> Result<Checked, Box<CheckError>> {
        quiet::install();
        let variables = Variables::read().map_err(CheckError::usage)?;
        self.check_world()?;
        match &variables.replay {
            Some(path) => self.replay(path),
            None => self.judge_given(plan),
        }
    }

    /// The plan of a seed.
    ///
    /// # Errors
    ///
    /// When the job does not admit what its scenario asks for.
    pub fn plan(&self, seed: u64) -> Result<Plan, CheckError> {
        let turn = usize::try_from(seed % self.scenarios.len().max(1) as u64).unwrap_or(0);
        let none = || CheckError::usage("there is no scenario for this job".to_owned());
        let scenario = self.scenarios.get(turn).ok_or_else(none)?;
        if self.is_given {
            return self.drawn(scenario, seed);
        }
        let drawn = strategy(StrategyName::Swarm)
            .plan(scenario, seed, self.defects, &self.experiments)
            .map_err(CheckError::experiment)?;
        drawn.ok_or_else(|| CheckError::usage(format!("there is no plan of seed {seed}")))
    }

    /// A plan of a scenario that is about another job, perhaps.
    fn drawn(&self, scenario: &Scenario, seed: u64) -> Result<Plan, CheckError> {
        let prepared = self.prepared()?;
        let job = &prepared.experiment.job;
        let drawn = draw(scenario, seed, self.defects, |_| {
            Ok::<_, std::convert::Infallible>(job.topologies())
        });
        let plan = match drawn {
            Ok(plan) => Plan { job: self.job_plan(), ..plan },
            Err(never) => match never {},
        };
        let settings = &plan.cluster.checkpoints;
        job.admits(settings).map_err(|error| CheckError::experiment(WorkloadError::Job(error)))?;
        self.check_sinks(job.topology(), settings.protocol)?;
        Ok(plan)
    }

    /// The job in its usual size.
    fn job_plan(&self) -> JobPlan {
        let found = self.experiments.registry().workload(&self.workload);
        let settings = found.map(|workload| workload.usual_settings(2, 0)).unwrap_or_default();
        JobPlan {
            workload: self.workload.clone(),
            records: settings.records,
            parallelism: settings.parallelism,
            splits: settings.splits,
            deal: settings.deal,
            assignment: settings.assignment,
        }
    }

    fn prepared(&self) -> Result<Prepared, CheckError> {
        self.experiments.prepare(&self.job_plan()).map_err(CheckError::experiment)
    }

    /// Refuses a job that no run of this check could say anything of.
    fn check_job(&self) -> Result<(), CheckError> {
        let job = self.prepared()?.experiment.job;
        let Some(protocol) = usual::protocol(&job) else {
            let problem = "the job admits none of aligned, cyclic and at-least-once barriers";
            return Err(CheckError::usage(format!("{}: {problem}", self.workload)));
        };
        self.check_sinks(job.topology(), protocol)
    }

    /// What is done again behind at-least-once barriers would be visible twice: as it must be, and no violation.
    fn check_sinks(&self, topology: &Topology, protocol: Protocol) -> Result<(), CheckError> {
        let mut operators = topology.operators.iter();
        match operators.find(|operator| shows_once(operator.role)) {
            Some(sink) if protocol.guarantee() == Guarantee::AtLeastOnce => {
                let (workload, sink) = (&self.workload, &sink.name);
                Err(CheckError::usage(format!(
                    "{workload}: {protocol} barriers, and its sink `{sink}` makes each record visible once: what is \
                     done again would be repeated; use at_least_once_sink or converging_sink, or another protocol"
                )))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn check_world(&self) -> Result<(), CheckError> {
        if self.world == WorldKind::Madsim && !cfg!(madsim) {
            return Err(CheckError::usage(
                "this build has no madsim world: build the test with RUSTFLAGS=\"--cfg madsim\""
                    .to_owned(),
            ));
        }
        Ok(())
    }
}

fn check_seeds(seeds: &Range<u64>) -> Result<(), CheckError> {
    if seeds.is_empty() {
        let Range { start, end } = seeds;
        let problem = format!(
            "its seeds are {start}..{end}, which are none: expected a range that holds one"
        );
        return Err(CheckError::usage(problem));
    }
    Ok(())
}

/// Whether a reader is to see each record of such an operator once.
fn shows_once(role: OperatorRole) -> bool {
    match role {
        OperatorRole::TransactionalSink
        | OperatorRole::CommittingSink
        | OperatorRole::StagingWriter => true,
        OperatorRole::Source
        | OperatorRole::Operator
        | OperatorRole::AtLeastOnceSink
        | OperatorRole::ConvergingSink => false,
    }
}
