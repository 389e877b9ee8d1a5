//! A job of one's own, checked under seeds: the shortest way from a job to a verdict.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use super::experiments::Prepared;
use super::footage::picture;
use super::loss::name_lost;
use super::report::headline;
use super::run::{WorldKind, run_plan};
use super::statistics::Statistics;
use super::viewing::{self, UNASKED_MAX, run_for_view};
use crate::dataflow::{BuildError, Data, Input, JobBuilder, SplitAssignment};
use crate::oracle::Verdict;
use crate::plan::scenario::{
    CheckpointScenario, ClusterScenario, JobScenario, LinkScenario, NemesisScenario,
    RequestScenario, SCENARIO_VERSION,
};
use crate::plan::{FaultClass, Name, Plan, Scenario, Span, SwarmScenario, draw};
use crate::protocol::{DefectSet, Topology};
use crate::render::Options;
use crate::workload::Experiment;

/// Checks one job, with one input, under many seeds of faults.
///
/// The plans are drawn from a scenario in which everything may fail: crashes of workers and of the
/// coordinator, pauses, disconnects, lost, late and repeated control messages, slow and failing stores.
///
/// ```
/// use cutwater::dataflow::{EncodedSink, Input, JobBuilder, Replay};
/// use cutwater::explore::Check;
///
/// let job = JobBuilder::new("double");
/// job.source("numbers", Replay::new(), 1, 1)
///     .map("double", 1, |number: u64| 2 * number)
///     .transactional_sink("out", 1, EncodedSink::new());
/// let input = Input::dealt([1_u64, 2].iter().map(Replay::entry), 1);
/// Check::new(&job, input, &[4_u64, 2])?.seeds(0..10).run()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Check {
    prepared: Prepared,
    scenario: Scenario,
    seeds: Range<u64>,
    defects: DefectSet,
    world: WorldKind,
    out: PathBuf,
}

/// A seed under which a job did not hold.
#[derive(Clone, Debug)]
pub struct CheckFailure {
    /// The plan; a file of it can be replayed, by whoever has the job.
    pub plan: Box<Plan>,
    /// What is wrong.
    pub verdict: Verdict,
    headline: String,
    /// What led to it, as a space-time diagram.
    diagram: String,
    /// Where its view is, or why there is none.
    view: Result<PathBuf, String>,
}

impl Check {
    /// A check that `job`, fed with `input`, commits exactly the records `expected`, each once, in any
    /// order; as its sink writes them with [`EncodedSink`](crate::dataflow::EncodedSink).
    ///
    /// # Errors
    ///
    /// When the job cannot be built.
    ///
    /// # Panics
    ///
    /// When a record cannot be encoded.
    pub fn new<T: Data>(
        job: &JobBuilder,
        input: Input,
        expected: &[T],
    ) -> Result<Self, BuildError> {
        let encoded = |record: &T| postcard::to_stdvec(record).expect("records can be encoded");
        Ok(Self::of(Experiment {
            job: Arc::new(job.build()?),
            input: Arc::new(input),
            expected: Arc::new(expected.iter().map(encoded).collect()),
            late: Arc::default(),
        }))
    }

    /// A check of an experiment, whatever its sinks write.
    #[must_use]
    pub fn of(experiment: Experiment) -> Self {
        let scenario = scenario(Name::resembling(experiment.job.name()));
        Self {
            prepared: Prepared::new(experiment),
            scenario,
            seeds: 0..100,
            defects: DefectSet::NONE,
            world: WorldKind::default(),
            out: PathBuf::from("cutwater-out"),
        }
    }

    /// With the view of a failure in a new directory of this one; `cutwater-out` unless told otherwise.
    #[must_use]
    pub fn out(self, out: impl Into<PathBuf>) -> Self {
        Self { out: out.into(), ..self }
    }

    /// Under these seeds; 0 to 99 unless told otherwise.
    #[must_use]
    pub fn seeds(self, seeds: Range<u64>) -> Self {
        Self { seeds, ..self }
    }

    /// Under plans drawn from this scenario; what it says about the job plays no part.
    #[must_use]
    pub fn scenario(self, scenario: Scenario) -> Self {
        Self { scenario, ..self }
    }

    /// With these bugs switched on, to see that the check can fail.
    #[must_use]
    pub fn defects(self, defects: DefectSet) -> Self {
        Self { defects, ..self }
    }

    /// In this world.
    #[must_use]
    pub fn world(self, world: WorldKind) -> Self {
        Self { world, ..self }
    }

    /// Runs the seeds in order, up to the first that does not hold, of which it leaves a view: one HTML file in
    /// which the cut of each checkpoint can be seen. Returns what they did, together.
    ///
    /// # Errors
    ///
    /// The first seed that does not hold.
    pub fn run(&self) -> Result<Statistics, Box<CheckFailure>> {
        let mut total = Statistics::default();
        for seed in self.seeds.clone() {
            let plan = self.plan(seed);
            let (outcome, _) = run_plan(&plan, &self.prepared, self.world, ());
            if !outcome.verdict.is_held() {
                return Err(Box::new(self.failure(plan, outcome.verdict)));
            }
            total.add(&outcome.statistics);
        }
        Ok(total)
    }

    /// The plan of a seed.
    #[must_use]
    pub fn plan(&self, seed: u64) -> Plan {
        let topology = || self.topology().clone();
        let drawn = draw(&self.scenario, seed, self.defects, |_| {
            Ok::<Topology, std::convert::Infallible>(topology())
        });
        match drawn {
            Ok(plan) => plan,
            Err(never) => match never {},
        }
    }

    fn failure(&self, plan: Plan, mut verdict: Verdict) -> CheckFailure {
        name_lost(&plan, &self.prepared, self.world, &mut verdict);
        let headline = headline(&verdict, &plan.scenario, plan.seed);
        let width = Options::default().width;
        let diagram = picture(&plan, &self.prepared, self.world, &verdict, width);
        let view = self.view(&plan);
        CheckFailure { plan: Box::new(plan), verdict, headline, diagram, view }
    }

    /// Runs a plan again for its view.
    fn view(&self, plan: &Plan) -> Result<PathBuf, String> {
        let (seed, end) = (plan.seed, plan.seed.saturating_add(1));
        let command = format!(".seeds({seed}..{end})");
        let (_, view) = run_for_view(plan, &self.prepared, self.world, UNASKED_MAX, &command);
        let failed = |error: std::io::Error| format!("{}: {error}", self.out.display());
        viewing::write_new(&self.out, &view).map_err(failed)
    }

    fn topology(&self) -> &Topology {
        self.prepared.experiment.job.topology()
    }
}

impl fmt::Display for CheckFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seed = self.plan.seed;
        writeln!(f, "{}\nrun it alone with .seeds({seed}..{})", self.headline, seed + 1)?;
        match &self.view {
            Ok(view) => writeln!(f, "see it in {}", view.display())?,
            Err(why) => writeln!(f, "no view of it: {why}")?,
        }
        write!(f, "\n{}", self.diagram.trim_end())
    }
}

impl std::error::Error for CheckFailure {}

/// A scenario in which everything may fail, and nothing must.
fn scenario(name: Name) -> Scenario {
    use FaultClass::{
        CrashCoordinator, CrashWorker, DelayMessage, Disconnect, DropMessage, DuplicateMessage,
        FailingStore, PauseWorker, SlowStore,
    };
    let often = [CrashWorker, Disconnect, DropMessage, DelayMessage, DuplicateMessage];
    let seldom = [CrashCoordinator, PauseWorker, SlowStore, FailingStore];
    let often = often.map(|class| (class, Span::new(0, 2)));
    let faults = often.into_iter().chain(seldom.map(|class| (class, Span::new(0, 1))));
    let one = Span::new(1, 1);
    let workload = name.clone();
    Scenario {
        version: SCENARIO_VERSION,
        name,
        in_sweep: true,
        about: "everything may fail".to_owned(),
        sometimes: Vec::new(),
        job: JobScenario {
            workload,
            records: None,
            parallelism: one,
            splits: one,
            deal: Vec::new(),
            assignment: SplitAssignment::Static,
        },
        cluster: ClusterScenario::default(),
        checkpoints: CheckpointScenario::default(),
        rescale: None,
        links: LinkScenario::default(),
        faults: faults.collect(),
        requests: RequestScenario::default(),
        nemesis: NemesisScenario::default(),
        swarm: SwarmScenario::default(),
        liveness_ms: 60_000,
    }
}
