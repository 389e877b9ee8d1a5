//! The search for seeded defects: is each one found, how soon, and by which oracle?
//!
//! The runs of a search are numbered: round robin over the scenarios, with the next seed after each
//! round. A detection ends a **trial**, and the next trial goes on where it ended, so that trials use
//! disjoint seeds. The length of a trial is the number of seeds to detection.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use serde::Serialize;

use super::determinism;
use super::estimate::Estimate;
use super::experiments::{Experiments, Prepared};
use super::run::{Outcome, WorldKind, run_plan};
use super::strategy::{StrategyName, strategy};
use crate::oracle::Verdict;
use crate::plan::{Plan, Scenario};
use crate::protocol::ordered::VecMap;
use crate::protocol::{Defect, DefectSet};
use crate::workload::WorkloadError;

/// Where to search, and for how long.
#[derive(Clone, Debug)]
pub struct DefectSearch {
    /// What is searched for.
    pub defects: Vec<Defect>,
    /// In these scenarios, at least one.
    pub scenarios: Vec<Scenario>,
    /// With these seeds, each in one scenario only.
    pub seeds: Range<u64>,
    /// How the plans are chosen.
    pub strategy: StrategyName,
    /// In which world.
    pub world: WorldKind,
    /// On how many threads, at least 1. A defect is one thread's business: the result does not depend
    /// on this number.
    pub jobs: usize,
    /// After how many detections a search ends, at least 1.
    pub detections: usize,
}

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DefectReport {
    /// The defect.
    pub defect: Defect,
    /// How many runs were made.
    pub runs: u64,
    /// Those that detected it, in order; empty where it was not found.
    pub detections: Vec<Detection>,
    /// Runs that failed, and fail without the defect just the same: they detect nothing.
    pub failing_anyway: u64,
    /// Whether the search was stopped from outside.
    pub is_stopped: bool,
}

/// A run that detected a defect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Detection {
    /// How many runs the trial took, this one included.
    pub runs: u64,
    /// The scenario.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// The oracle that fired first, or `panic`.
    pub oracle: String,
    /// What it said.
    pub text: String,
}

impl DefectReport {
    /// How many seeds the first detection took.
    #[must_use]
    pub fn first(&self) -> Option<&Detection> {
        self.detections.first()
    }

    /// The median number of seeds to detection, the lower one of two. A last trial that ended without a
    /// detection counts with the seeds it had, which is less than it would have taken.
    #[must_use]
    pub fn median(&self) -> Option<u64> {
        let mut lengths: Vec<u64> = self.detections.iter().map(|found| found.runs).collect();
        if lengths.is_empty() {
            return None;
        }
        let left = self.runs - lengths.iter().sum::<u64>();
        lengths.extend((left > 0).then_some(left));
        lengths.sort_unstable();
        lengths.get((lengths.len() - 1) / 2).copied()
    }

    /// The mean number of seeds to detection, with its confidence interval.
    #[must_use]
    pub fn estimate(&self) -> Estimate {
        let detections = self.detections.len() as u64;
        let spent: u64 = self.detections.iter().map(|found| found.runs).sum();
        Estimate::of(self.runs, detections, detections > 0 && spent == self.runs)
    }

    /// How often each oracle fired first.
    #[must_use]
    pub fn oracles(&self) -> VecMap<&str, usize> {
        let mut oracles = VecMap::new();
        for detection in &self.detections {
            *oracles.entry(detection.oracle.as_str()).or_insert(0) += 1;
        }
        oracles
    }
}

impl DefectSearch {
    /// Searches; `each` sees every report as soon as it is made, with the place of its defect, on this
    /// thread. Ends early, and says so in the reports, when `stop` is set.
    ///
    /// # Errors
    ///
    /// When a scenario's workload does not exist, or not with what was drawn.
    pub fn run(
        &self,
        experiments: &Experiments,
        stop: &AtomicBool,
        mut each: impl FnMut(usize, DefectReport),
    ) -> Result<(), WorkloadError> {
        let next = AtomicUsize::new(0);
        let (sender, receiver) = mpsc::channel();
        thread::scope(|scope| {
            for _ in 0..self.jobs.max(1) {
                let (sender, next) = (sender.clone(), &next);
                scope.spawn(move || {
                    loop {
                        let place = next.fetch_add(1, Ordering::Relaxed);
                        let Some(defect) = self.defects.get(place) else { break };
                        let report = self.search(experiments, stop, *defect);
                        if sender.send((place, report)).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(sender);
            for (place, report) in receiver {
                each(place, report.inspect_err(|_| stop.store(true, Ordering::Relaxed))?);
            }
            Ok(())
        })
    }

    /// Searches for one defect.
    fn search(
        &self,
        experiments: &Experiments,
        stop: &AtomicBool,
        defect: Defect,
    ) -> Result<DefectReport, WorkloadError> {
        let mut report = DefectReport {
            defect,
            runs: 0,
            detections: Vec::new(),
            failing_anyway: 0,
            is_stopped: false,
        };
        let mut began = 0;
        for (seed, scenario) in self.seeds.clone().zip(self.scenarios.iter().cycle()) {
            if report.detections.len() >= self.detections.max(1) {
                break;
            }
            report.is_stopped = stop.load(Ordering::Relaxed);
            if report.is_stopped {
                break;
            }
            report.runs += 1;
            match self.look(experiments, defect, scenario, seed)? {
                Look::Nothing => {}
                Look::FailsAnyway => report.failing_anyway += 1,
                Look::Detected(oracle, text) => {
                    let scenario = scenario.name.to_string();
                    let runs = report.runs - began;
                    began = report.runs;
                    report.detections.push(Detection { runs, scenario, seed, oracle, text });
                }
            }
        }
        Ok(report)
    }

    /// One run with the defect; and one without it, where that one failed.
    fn look(
        &self,
        experiments: &Experiments,
        defect: Defect,
        scenario: &Scenario,
        seed: u64,
    ) -> Result<Look, WorkloadError> {
        let defects = DefectSet::only(defect);
        let plan = strategy(self.strategy).plan(scenario, seed, defects, experiments)?;
        let Some(plan) = plan else { return Ok(Look::Nothing) };
        let prepared = experiments.prepare(&plan.job)?;
        let Some((oracle, text)) = self.suspect(defect, &plan, &prepared) else {
            return Ok(Look::Nothing);
        };
        let clean = Plan { defects: DefectSet::NONE, ..plan };
        let is_innocent = self.suspect(defect, &clean, &prepared).is_none();
        Ok(if is_innocent { Look::Detected(oracle, text) } else { Look::FailsAnyway })
    }

    /// What a run of this plan shows, if it shows anything.
    fn suspect(
        &self,
        defect: Defect,
        plan: &Plan,
        prepared: &Prepared,
    ) -> Option<(String, String)> {
        let (outcome, _) = run_plan(plan, prepared, self.world, ());
        if let Some(found) = fired(&outcome) {
            return Some(found);
        }
        if defect != Defect::StateLeaksBetweenRuns {
            return None;
        }
        let (again, _) = run_plan(plan, prepared, self.world, ());
        let text = || format!("two runs of one plan: digest {}, {}", outcome.digest, again.digest);
        (outcome != again).then(|| (determinism::ORACLE.to_owned(), text()))
    }
}

/// What one look gave.
enum Look {
    Nothing,
    FailsAnyway,
    Detected(String, String),
}

/// The oracle that fired first, and what it said.
fn fired(outcome: &Outcome) -> Option<(String, String)> {
    match &outcome.verdict {
        Verdict::Held | Verdict::NotOwed { .. } => None,
        Verdict::Violated(violations) => {
            let first = violations.first()?;
            Some((first.oracle.to_string(), first.to_string()))
        }
        Verdict::Panicked { message } => Some(("panic".to_owned(), message.clone())),
        Verdict::Undecided => Some(("liveness".to_owned(), outcome.verdict.to_string())),
    }
}
