//! Many seeds of many scenarios, on many threads.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;

use serde::Serialize;

use super::experiments::Experiments;
use super::reach::Reach;
use super::run::{Outcome, WorldKind, run_plan};
use super::statistics::Statistics;
use super::strategy::{StrategyName, strategy};
use crate::oracle::{Verdict, VerdictClass};
use crate::plan::{Plan, Scenario};
use crate::protocol::DefectSet;
use crate::workload::WorkloadError;

/// What to run.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// The scenarios, each under every seed.
    pub scenarios: Vec<Scenario>,
    /// The seeds.
    pub seeds: Range<u64>,
    /// How the plans are chosen.
    pub strategy: StrategyName,
    /// Bugs that are switched on in every run.
    pub defects: DefectSet,
    /// In which world.
    pub world: WorldKind,
    /// On how many threads, at least 1.
    pub jobs: usize,
}

/// One run of a sweep.
#[derive(Clone, Debug)]
pub struct SweepRun {
    /// Its place in the sweep: seeds of the first scenario, then of the second, and so on.
    pub index: u64,
    /// Its scenario, as an index into the sweep's.
    pub scenario: usize,
    /// Its seed.
    pub seed: u64,
    /// The plan; kept only where the verdict is not that all held.
    pub plan: Option<Box<Plan>>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What a sweep found, so far or in all.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SweepReport {
    /// By scenario, in the order of the sweep.
    pub scenarios: Vec<ScenarioReport>,
}

/// What was found in one scenario.
#[derive(Clone, Debug, Serialize)]
pub struct ScenarioReport {
    /// Its name.
    pub name: String,
    /// How many seeds were run.
    pub seeds: u64,
    /// What they did, together.
    pub statistics: Statistics,
    /// What they reached, together.
    pub reach: Reach,
    /// How many of them were not owed their end.
    pub not_owed: u64,
    /// Those that did not hold what was owed, by seed.
    pub failures: Vec<Failure>,
}

/// A run that did not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Its seed.
    pub seed: u64,
    /// The verdict.
    pub verdict: Verdict,
}

impl SweepReport {
    /// An empty report of these scenarios.
    #[must_use]
    pub fn new(scenarios: &[Scenario]) -> Self {
        let scenario = |scenario: &Scenario| ScenarioReport {
            name: scenario.name.clone(),
            seeds: 0,
            statistics: Statistics::default(),
            reach: Reach::default(),
            not_owed: 0,
            failures: Vec::new(),
        };
        Self { scenarios: scenarios.iter().map(scenario).collect() }
    }

    /// Counts a run. The order of calls does not matter.
    pub fn add(&mut self, run: &SweepRun) {
        let scenario = &mut self.scenarios[run.scenario];
        scenario.seeds += 1;
        scenario.statistics.add(&run.outcome.statistics);
        scenario.reach.add(&run.outcome.reach);
        if run.outcome.verdict.class() == VerdictClass::NotOwed {
            scenario.not_owed += 1;
        }
        if !run.outcome.verdict.is_held() {
            let failure = Failure { seed: run.seed, verdict: run.outcome.verdict.clone() };
            let place = scenario.failures.partition_point(|other| other.seed < run.seed);
            scenario.failures.insert(place, failure);
        }
    }

    /// The worst class of all verdicts.
    #[must_use]
    pub fn class(&self) -> VerdictClass {
        let failures = self.scenarios.iter().flat_map(|scenario| &scenario.failures);
        let classes = failures.map(|failure| failure.verdict.class());
        classes.min_by_key(|class| severity(*class)).unwrap_or(VerdictClass::Held)
    }
}

/// The worst first.
fn severity(class: VerdictClass) -> u8 {
    match class {
        VerdictClass::Safety => 0,
        VerdictClass::Panicked => 1,
        VerdictClass::Liveness => 2,
        VerdictClass::Undecided => 3,
        VerdictClass::NotOwed => 4,
        VerdictClass::Held => 5,
    }
}

impl Sweep {
    /// How many runs it has at most: a strategy may have fewer plans than there are seeds.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.scenarios.len() as u64 * (self.seeds.end.saturating_sub(self.seeds.start))
    }

    /// Runs everything, or until `stop` is set; `each` sees every run as it ends, in no particular
    /// order, on this thread. `begin` is called before each run, on the thread that runs it.
    ///
    /// # Errors
    ///
    /// When a scenario's workload does not exist, or not with what was drawn.
    pub fn run(
        &self,
        experiments: &Experiments,
        stop: &AtomicBool,
        begin: impl Fn(usize, &Plan) + Sync,
        mut each: impl FnMut(SweepRun),
    ) -> Result<(), WorkloadError> {
        let next = AtomicU64::new(0);
        let (sender, receiver) = mpsc::sync_channel(RESULTS_MAX);
        thread::scope(|scope| {
            for thread in 0..self.jobs.max(1) {
                let (sender, next, begin) = (sender.clone(), &next, &begin);
                scope.spawn(move || {
                    while let Some(run) = self.next_run(thread, experiments, stop, next, begin) {
                        if sender.send(run).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(sender);
            let mut result = Ok(());
            for run in receiver {
                match run {
                    Ok(run) => each(run),
                    Err(error) => {
                        stop.store(true, Ordering::Relaxed);
                        result = Err(error);
                    }
                }
            }
            result
        })
    }

    fn next_run(
        &self,
        thread: usize,
        experiments: &Experiments,
        stop: &AtomicBool,
        next: &AtomicU64,
        begin: &(impl Fn(usize, &Plan) + Sync),
    ) -> Option<Result<SweepRun, WorkloadError>> {
        while !stop.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= self.runs() {
                return None;
            }
            let run = self.run_one(thread, experiments, index, begin).transpose();
            if run.is_some() {
                return run;
            }
        }
        None
    }

    /// One run; none where the strategy has no plan for it.
    fn run_one(
        &self,
        thread: usize,
        experiments: &Experiments,
        index: u64,
        begin: &(impl Fn(usize, &Plan) + Sync),
    ) -> Result<Option<SweepRun>, WorkloadError> {
        let seeds = self.seeds.end - self.seeds.start;
        let (scenario, seed) = ((index / seeds) as usize, self.seeds.start + index % seeds);
        let strategy = strategy(self.strategy);
        let plan = strategy.plan(&self.scenarios[scenario], seed, self.defects, experiments)?;
        let Some(plan) = plan else { return Ok(None) };
        let prepared = experiments.prepare(&plan.job)?;
        begin(thread, &plan);
        let (outcome, _) = run_plan(&plan, &prepared, self.world, ());
        let plan = (!outcome.verdict.is_held()).then(|| Box::new(plan));
        Ok(Some(SweepRun { index, scenario, seed, plan, outcome }))
    }
}

/// How many results may wait for their consumer.
const RESULTS_MAX: usize = 256;
