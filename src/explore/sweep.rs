//! Many seeds of many scenarios.
//!
//! A run of a sweep is decided by its **index** alone: seeds of the first scenario, then of the second,
//! and so on. So runs can be given to threads, processes and machines, in any order, and be repeated.
//! They take **turns** in another order, scenario by scenario under the first seed, then under the
//! next: a sweep that is ended early has run as many seeds of each.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;

use serde::Serialize;

use super::determinism::first_divergence;
use super::experiments::{Experiments, Prepared};
use super::loss::name_lost;
use super::reach::Reach;
use super::record::{Record, RunClass, RunName, SecondRun};
use super::run::{Outcome, WorldKind, run_plan};
use super::statistics::Statistics;
use super::strategy::{StrategyName, strategy};
use crate::plan::{Plan, Scenario};
use crate::protocol::DefectSet;
use crate::protocol::ordered::VecMap;
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
    /// What is written down of it.
    pub record: Record,
    /// The plan.
    pub plan: Box<Plan>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What a sweep found, so far or in all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SweepReport {
    /// By scenario, in the order of the sweep.
    pub scenarios: Vec<ScenarioReport>,
}

/// What was found in one scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScenarioReport {
    /// Its name.
    pub name: String,
    /// How many seeds were run.
    pub seeds: u64,
    /// What they did, together.
    pub statistics: Statistics,
    /// What they reached, together.
    pub reach: Reach,
    /// How many ended in which way.
    pub classes: VecMap<RunClass, u64>,
}

impl SweepReport {
    /// An empty report of these scenarios.
    #[must_use]
    pub fn new(scenarios: &[Scenario]) -> Self {
        let scenario = |scenario: &Scenario| ScenarioReport {
            name: scenario.name.to_string(),
            seeds: 0,
            statistics: Statistics::default(),
            reach: Reach::default(),
            classes: VecMap::new(),
        };
        Self { scenarios: scenarios.iter().map(scenario).collect() }
    }

    /// Counts a run of `scenario`, an index into the sweep's. The order of calls does not matter.
    pub fn add(&mut self, scenario: usize, record: &Record) {
        if record.class == RunClass::NoPlan {
            return;
        }
        let scenario = &mut self.scenarios[scenario];
        scenario.seeds += 1;
        scenario.statistics.add(&record.statistics);
        scenario.reach.add(&record.reach);
        *scenario.classes.entry(record.class).or_default() += 1;
    }

    /// The worst class of all runs.
    #[must_use]
    pub fn class(&self) -> RunClass {
        let worst = self.scenarios.iter().filter_map(|scenario| scenario.classes.keys().next());
        worst.min().copied().unwrap_or(RunClass::Held)
    }
}

impl ScenarioReport {
    /// How many runs ended in this way.
    #[must_use]
    pub fn of_class(&self, class: RunClass) -> u64 {
        self.classes.get(&class).copied().unwrap_or(0)
    }
}

impl Sweep {
    /// How many runs it has at most: a strategy may have fewer plans than there are seeds.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.scenarios.len() as u64 * (self.seeds.end.saturating_sub(self.seeds.start))
    }

    /// The index of a run's scenario among the sweep's, and its seed.
    #[must_use]
    pub fn place(&self, index: u64) -> (usize, u64) {
        let seeds = self.seeds.end - self.seeds.start;
        ((index / seeds) as usize, self.seeds.start + index % seeds)
    }

    /// Which run has the `turn`-th turn, from 0.
    #[must_use]
    pub fn at_turn(&self, turn: u64) -> u64 {
        let scenarios = self.scenarios.len() as u64;
        let seeds = self.seeds.end - self.seeds.start;
        turn % scenarios * seeds + turn / scenarios
    }

    /// The turn of a run: the inverse of [`at_turn`](Self::at_turn).
    #[must_use]
    pub fn turn_of(&self, index: u64) -> u64 {
        let seeds = self.seeds.end - self.seeds.start;
        index % seeds * self.scenarios.len() as u64 + index / seeds
    }

    /// What a run is called.
    #[must_use]
    pub fn name(&self, index: u64) -> RunName {
        let (scenario, seed) = self.place(index);
        RunName { index, scenario: self.scenarios[scenario].name.to_string(), seed }
    }

    /// Runs everything on threads, or until `stop` is set; `each` sees every run as it ends, in no particular
    /// order, on this thread.
    ///
    /// # Errors
    ///
    /// When a scenario's workload does not exist, or not with what was drawn.
    pub fn run(
        &self,
        experiments: &Experiments,
        stop: &AtomicBool,
        mut each: impl FnMut(SweepRun),
    ) -> Result<(), WorkloadError> {
        let next = AtomicU64::new(0);
        let (sender, receiver) = mpsc::sync_channel(RESULTS_MAX);
        thread::scope(|scope| {
            for _ in 0..self.jobs.max(1) {
                let (sender, next) = (sender.clone(), &next);
                scope.spawn(move || {
                    while let Some(run) = self.next_run(experiments, stop, next) {
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
        experiments: &Experiments,
        stop: &AtomicBool,
        next: &AtomicU64,
    ) -> Option<Result<SweepRun, WorkloadError>> {
        while !stop.load(Ordering::Relaxed) {
            let turn = next.fetch_add(1, Ordering::Relaxed);
            if turn >= self.runs() {
                return None;
            }
            let run = self.run_one(experiments, self.at_turn(turn)).transpose();
            if run.is_some() {
                return run;
            }
        }
        None
    }

    /// Runs one of them; none where the strategy has no plan for it.
    ///
    /// # Errors
    ///
    /// When the scenario's workload does not exist, or not with what was drawn.
    ///
    /// # Panics
    ///
    /// When there is no such run.
    pub fn run_one(
        &self,
        experiments: &Experiments,
        index: u64,
    ) -> Result<Option<SweepRun>, WorkloadError> {
        let prepared = self.prepare(experiments, index)?;
        Ok(prepared.map(|(plan, prepared)| self.run_prepared(index, plan, &prepared)))
    }

    /// Runs one of them twice in a row, if there is a plan for it, and writes down how the second run differs, if it does.
    ///
    /// # Errors
    ///
    /// As [`run_one`](Self::run_one).
    ///
    /// # Panics
    ///
    /// As [`run_one`](Self::run_one).
    pub fn run_one_twice(
        &self,
        experiments: &Experiments,
        index: u64,
    ) -> Result<Option<SweepRun>, WorkloadError> {
        let Some((plan, prepared)) = self.prepare(experiments, index)? else { return Ok(None) };
        let mut run = self.run_prepared(index, plan, &prepared);
        let (second, _) = run_plan(&run.plan, &prepared, self.world, ());
        if second != run.outcome {
            let parting = first_divergence(&run.plan, &prepared, self.world, CONTEXT);
            let parting = parting.map(|parting| parting.to_string());
            run.record.divergent = Some(SecondRun { digest: second.digest, parting });
        }
        Ok(Some(run))
    }

    /// Draws the plan of a run, if there is one, and makes its job.
    ///
    /// # Errors
    ///
    /// As [`run_one`](Self::run_one).
    ///
    /// # Panics
    ///
    /// As [`run_one`](Self::run_one).
    pub fn prepare(
        &self,
        experiments: &Experiments,
        index: u64,
    ) -> Result<Option<(Plan, Prepared)>, WorkloadError> {
        let (scenario, seed) = self.place(index);
        let strategy = strategy(self.strategy);
        let plan = strategy.plan(&self.scenarios[scenario], seed, self.defects, experiments)?;
        let Some(plan) = plan else { return Ok(None) };
        let prepared = experiments.prepare(&plan.job)?;
        Ok(Some((plan, prepared)))
    }

    fn run_prepared(&self, index: u64, plan: Plan, prepared: &Prepared) -> SweepRun {
        let (mut outcome, _) = run_plan(&plan, prepared, self.world, ());
        name_lost(&plan, prepared, self.world, &mut outcome.verdict);
        let record = Record::of(self.name(index), &outcome);
        SweepRun { record, plan: Box::new(plan), outcome }
    }
}

/// How many events are shown around the place where two traces part.
const CONTEXT: usize = 3;

/// How many results may wait for their consumer.
const RESULTS_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::scenario::built_in;

    fn sweep(seeds: Range<u64>, jobs: usize) -> Sweep {
        Sweep {
            scenarios: built_in().into_iter().take(2).collect(),
            seeds,
            strategy: StrategyName::default(),
            defects: DefectSet::NONE,
            world: WorldKind::Kernel,
            jobs,
        }
    }

    #[test]
    fn turns_take_the_scenarios_in_a_round() {
        let sweep = sweep(10..13, 1);
        let order: Vec<u64> = (0..sweep.runs()).map(|turn| sweep.at_turn(turn)).collect();
        assert_eq!(order, [0, 3, 1, 4, 2, 5]);
        assert!((0..6).all(|turn| sweep.turn_of(sweep.at_turn(turn)) == turn));
        assert_eq!(sweep.place(4), (1, 11));
    }

    #[test]
    fn a_sweep_on_threads_is_its_runs_one_by_one() {
        let sweep = sweep(0..3, 3);
        let experiments = Experiments::new();
        let mut records = VecMap::new();
        let each = |run: SweepRun| assert_eq!(records.insert(run.record.index, run.record), None);
        sweep.run(&experiments, &AtomicBool::new(false), each).expect("built-in scenarios run");
        let alone = |index| {
            let run = sweep.run_one(&experiments, index).expect("it runs");
            run.expect("there is a plan for every seed").record
        };
        assert_eq!(
            records.into_values().collect::<Vec<_>>(),
            (0..6).map(alone).collect::<Vec<_>>()
        );
    }

    #[test]
    fn the_worst_run_decides_the_class() {
        let scenarios = sweep(0..1, 1).scenarios;
        let mut report = SweepReport::new(&scenarios);
        assert_eq!(report.class(), RunClass::Held);
        let name = |seed| RunName { index: seed, scenario: String::new(), seed };
        report.add(1, &Record::hung(name(0), 1));
        report.add(0, &Record::died(name(1), "signal 9", ""));
        assert_eq!(report.class(), RunClass::Died);
        assert_eq!(report.scenarios[1].of_class(RunClass::Hung), 1);
    }
}
