//! The seeds of a check, on all cores; what is told does not depend on how many there are.

use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::failure::Origin;
use super::flow::{Checked, Flow};
use super::variables::REPLAY;
use super::{Check, CheckError};
use crate::explore::run::run_plan;
use crate::oracle::Verdict;
use crate::plan::{FaultClass, Plan, PlanFile};

/// Fewer runs may all be restored when nothing flows.
const RUNS_MIN: u64 = 10;

/// A seed that did not hold.
struct Lost {
    plan: Box<Plan>,
    verdict: Verdict,
}

/// What became of the seeds so far.
#[derive(Default)]
struct Taken {
    checked: Checked,
    lost: Option<Result<Lost, CheckError>>,
}

impl Check {
    /// Runs all seeds, up to the lowest that does not hold.
    pub(super) fn run_seeds(&self, seeds: Range<u64>) -> Result<Checked, Box<CheckError>> {
        let (next, lowest) = (AtomicU64::new(seeds.start), AtomicU64::new(u64::MAX));
        let taken = Mutex::new(Taken::default());
        let work = || {
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= seeds.end || seed > lowest.load(Ordering::Relaxed) {
                    break;
                }
                let ran = self.run_seed(seed);
                let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
                match ran {
                    Ok(checked) => taken.checked.add(&checked),
                    Err(lost) if seed < lowest.load(Ordering::Relaxed) => {
                        lowest.store(seed, Ordering::Relaxed);
                        taken.lost = Some(lost);
                    }
                    Err(_) => {}
                }
            }
        };
        thread::scope(|scope| {
            for _ in 1..self.threads {
                scope.spawn(work);
            }
            work();
        });
        let Taken { checked, lost } = taken.into_inner().unwrap_or_else(PoisonError::into_inner);
        match lost {
            None => {
                self.check_repeatable(seeds.start)?;
                self.tested(checked)
            }
            Some(Err(error)) => Err(Box::new(error)),
            Some(Ok(Lost { plan, verdict })) => {
                Err(Box::new(self.violated(&plan, Origin::Drawn, verdict)))
            }
        }
    }

    /// Runs a seed that held twice more: what differs then may differ in any run.
    fn check_repeatable(&self, seed: u64) -> Result<(), Box<CheckError>> {
        let plan = self.plan(seed)?;
        let prepared = self.experiments.prepare(&plan.job).map_err(CheckError::experiment)?;
        let run = || run_plan(&plan, &prepared, self.world, ()).0;
        let (one, two) = (run(), run());
        if one == two {
            return Ok(());
        }
        Err(Box::new(self.not_repeatable(&plan, Origin::Drawn, &prepared, &one.verdict)))
    }

    fn run_seed(&self, seed: u64) -> Result<Checked, Result<Lost, CheckError>> {
        let plan = self.plan(seed).map_err(Err)?;
        let ran = self.run_plan(&plan);
        ran.map_err(|error| error.map(|verdict| Lost { plan: Box::new(plan), verdict }))
    }

    /// Runs a plan. What it did; what does not hold of it; or why it cannot be run.
    fn run_plan(&self, plan: &Plan) -> Result<Checked, Result<Verdict, CheckError>> {
        let prepared = self.experiments.prepare(&plan.job);
        let prepared = prepared.map_err(|error| Err(CheckError::experiment(error)))?;
        let (outcome, flow) = run_plan(plan, &prepared, self.world, Flow::default());
        if !outcome.is_held(plan) {
            return Err(Ok(outcome.verdict));
        }
        let flowing = flow.unwrap_or_default().restores;
        Ok(Checked { runs: 1, flowing, statistics: outcome.statistics, reach: outcome.reach })
    }

    /// Runs one plan, if it is one of this job.
    pub(super) fn judge_given(&self, plan: &Plan) -> Result<Checked, Box<CheckError>> {
        self.check_workload(plan)?;
        self.run_plan(plan).map_err(|error| {
            Box::new(match error {
                Ok(verdict) => self.violated(plan, Origin::Given, verdict),
                Err(error) => error,
            })
        })
    }

    fn check_workload(&self, plan: &Plan) -> Result<(), Box<CheckError>> {
        let (theirs, ours) = (&plan.job.workload, &self.workload);
        if theirs == ours {
            return Ok(());
        }
        let problem = format!("the plan is of job {theirs}, expected one of {ours}");
        Err(Box::new(CheckError::usage(problem)))
    }

    /// Runs a plan that was kept.
    pub(super) fn replay(&self, path: &Path) -> Result<Checked, Box<CheckError>> {
        let usage = |problem: String| Box::new(CheckError::usage(format!("{REPLAY}: {problem}")));
        let file = PlanFile::read(path).map_err(|error| usage(error.to_string()))?;
        self.check_workload(&file.plan)?;
        let prepared = self.experiments.prepare_kept(&file.plan, file.job.as_ref());
        prepared.map_err(|error| usage(format!("{}: {error}", path.display())))?;
        self.judge_given(&file.plan)
    }

    /// What held, if it tested anything.
    fn tested(&self, checked: Checked) -> Result<Checked, Box<CheckError>> {
        if checked.runs < RUNS_MIN || checked.flowing > 0 || !self.is_to_crash() {
            return Ok(checked);
        }
        let Checked { runs, statistics, .. } = &checked;
        let (restores, completed, records) =
            (statistics.restores, statistics.completed, statistics.records);
        let workload = &self.workload;
        Err(Box::new(CheckError::Untested(format!(
            "nothing was tested: none of {runs} plans restored {workload} from a checkpoint while records flowed \
             ({restores} restores, {completed} checkpoints, {records} entries read)\n\
             give the job more input, or a scenario with a longer [nemesis] window_ms or a shorter [checkpoints] interval_ms"
        ))))
    }
    /// Whether some plan has a worker that crashes.
    fn is_to_crash(&self) -> bool {
        const CLASS: FaultClass = FaultClass::CrashWorker;
        self.scenarios.iter().any(|scenario| {
            let is_drawn = scenario.faults.get(&CLASS).is_some_and(|range| range.max > 0);
            // A scenario that was given is drawn from as it is, without its swarm.
            is_drawn || !self.is_given && scenario.swarm.mandatory.contains(&CLASS)
        })
    }
}
