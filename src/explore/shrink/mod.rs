//! Shrinking: a smaller plan with the same violation.
//!
//! Passes make a plan smaller, each in its own way, in the order in which it pays: what comes after the
//! violation is cut, then faults, workload, cluster and settings, and times at last. They are repeated
//! until none of them gets anywhere. Every step is run again, and taken only if it fails in the same way
//! ([`Signature`]) and is smaller ([`Size`]): so the result fails the same way, is never larger, and is
//! not made smaller by shrinking it again.
//!
//! A plan whose defects are the reason of its failure keeps it so: no step is taken after which it would
//! fail without them.

mod aim;
mod bounds;
mod carry;
mod faults;
mod knobs;
mod luck;
mod numbers;
mod pass;
mod requests;
mod runner;
mod settings;
mod size;
#[cfg(test)]
mod tests;
mod times;
mod trials;
mod until;
mod workload;

pub use runner::{InProcess, Ran, Runner, Shape};
pub use size::Size;
pub use until::Until;

use serde::Serialize;
use thiserror::Error;

use self::pass::{Current, Pass};
use self::trials::Trials;
use crate::explore::signature::Signature;
use crate::oracle::Violation;
use crate::plan::draw::patience;
use crate::plan::{Name, Plan};
use crate::protocol::DefectSet;

/// The passes, in order.
static PASSES: &[&dyn Pass] = &[
    &bounds::Bounds,
    &faults::Faults,
    &requests::Requests,
    &aim::Aim,
    &workload::Workload,
    &settings::Settings,
    &times::Times,
    &luck::Luck,
];

/// Makes plans smaller.
pub struct Shrinker<'a> {
    /// Runs candidates.
    pub runner: &'a dyn Runner,
    /// On how many threads, at least 1. The result does not depend on this number.
    pub jobs: usize,
    /// How many plans are tried at most.
    pub runs_max: u64,
}

/// How many plans are tried where nobody says otherwise.
pub const RUNS_MAX: u64 = 20_000;

/// A step that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// By which pass.
    pub pass: &'static str,
    /// The plan after it.
    pub plan: &'a Plan,
    /// Its size.
    pub size: Size,
    /// How many plans have been tried so far.
    pub runs: u64,
}

/// What shrinking gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shrunk {
    /// The plan.
    pub plan: Plan,
    /// How it fails, as the one before it did.
    pub signature: Signature,
    /// What its oracle says, where one does.
    pub violation: Option<Violation>,
    /// How large the plan was.
    pub before: Size,
    /// How large it is.
    pub after: Size,
    /// How many steps were taken.
    pub steps: u64,
    /// How many plans were tried.
    pub runs: u64,
    /// Whether nothing was left to try; else the budget was at its end.
    pub is_complete: bool,
}

/// Why a plan cannot be shrunk.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ShrinkError {
    /// There is nothing to keep.
    #[error("the plan holds: there is no violation to be kept")]
    Holds,
    /// The time was over before it had been run once.
    #[error("the time was over before the plan had been run once")]
    Late,
    /// There is no such job.
    #[error("the plan's job {workload:?} cannot be made with these settings")]
    NoJob {
        /// What it asks for.
        workload: Name,
    },
}

impl Shrinker<'_> {
    /// Shrinks a plan until nothing makes it smaller, or the runs are used up, or `is_over` says so,
    /// which is asked before and after each run; a run that it breaks off ([`Until`]) says nothing. `each` sees every step that is taken.
    ///
    /// # Errors
    ///
    /// When the plan does not fail, or cannot be run.
    pub fn shrink(
        &self,
        plan: &Plan,
        is_over: &(dyn Fn() -> bool + Sync),
        mut each: impl FnMut(&Step),
    ) -> Result<Shrunk, ShrinkError> {
        let no_job = || ShrinkError::NoJob { workload: plan.job.workload.clone() };
        let shape = self.runner.shape(&plan.job).ok_or_else(no_job)?;
        let ran = self.runner.run(plan);
        if is_over() {
            return Err(ShrinkError::Late);
        }
        let target = ran.signature.clone().ok_or(ShrinkError::Holds)?;
        let is_controlled = self.is_controlled(plan);
        // What a run leaves behind must not meet another run.
        let jobs = if target == Signature::NotDeterministic { 1 } else { self.jobs };
        let budget = (jobs, self.runs_max);
        let mut trials = Trials::new(self.runner, &target, is_controlled, budget, is_over);
        let before = Size::of(plan, &shape);
        let held = Held { plan: plan.clone(), size: before, shape, ran };
        let mut work = Work { runner: self.runner, target: &target, is_controlled, held, steps: 0 };
        while work.round(&mut trials, &mut each) {}
        let Held { plan, size: after, ran, .. } = work.held;
        let (steps, runs) = (work.steps, trials.count());
        let is_complete = !trials.is_over();
        let violation = ran.violation;
        Ok(Shrunk { plan, signature: target, violation, before, after, steps, runs, is_complete })
    }

    /// Whether the plan fails because of its defects.
    fn is_controlled(&self, plan: &Plan) -> bool {
        let clean = Plan { defects: DefectSet::NONE, ..plan.clone() };
        !plan.defects.is_empty() && self.runner.run(&clean).signature.is_none()
    }
}

/// The plan so far, with what is known of it.
struct Held {
    plan: Plan,
    shape: Shape,
    size: Size,
    ran: Ran,
}

/// Shrinking, under way.
struct Work<'a> {
    runner: &'a dyn Runner,
    target: &'a Signature,
    is_controlled: bool,
    held: Held,
    steps: u64,
}

impl Work<'_> {
    /// Every pass once. Whether the plan got smaller, and may get smaller still.
    fn round(&mut self, trials: &mut Trials, each: &mut impl FnMut(&Step)) -> bool {
        let before = self.steps;
        for pass in PASSES {
            for proposal in 0..pass.proposals() {
                while self.step(*pass, proposal, trials) {
                    let Held { plan, size, .. } = &self.held;
                    let (pass, size, runs) = (pass.name(), *size, trials.count());
                    each(&Step { pass, plan, size, runs });
                }
            }
        }
        self.steps > before && !trials.is_over()
    }

    /// The first plan of a proposal that will do, if one does.
    fn step(&mut self, pass: &dyn Pass, proposal: usize, trials: &mut Trials) -> bool {
        if trials.is_over() {
            return false;
        }
        let mut smaller = self.smaller(pass.propose(proposal, &self.current()));
        let plans: Vec<Plan> = smaller.iter().map(|(plan, ..)| plan.clone()).collect();
        let Some(found) = trials.first(&plans) else { return false };
        let (plan, shape, size) = smaller.swap_remove(found);
        let ran = self.runner.run(&plan);
        if trials.is_over() && ran.signature.as_ref() != Some(self.target) {
            // It was broken off.
            return false;
        }
        self.held = Held { plan, shape, size, ran };
        self.steps += 1;
        true
    }

    fn current(&self) -> Current<'_> {
        let Held { plan, shape, ran, .. } = &self.held;
        let (target, is_controlled, runner) = (self.target, self.is_controlled, self.runner);
        Current { plan, shape, ran, target, is_controlled, runner }
    }

    /// Those plans that can be run and are smaller than the one held, each with its shape and size.
    ///
    /// One whose checkpoints can hardly complete any more is none of them, unless the one held is such a plan: it
    /// would fail still, by being late, when what it shows has been mended.
    fn smaller(&self, plans: Vec<Plan>) -> Vec<(Plan, Shape, Size)> {
        let has_time = |plan: &Plan, shape: &Shape| patience::is_granted(plan, &shape.topology);
        let needs_time = has_time(&self.held.plan, &self.held.shape);
        let sized = plans.into_iter().filter_map(|plan| {
            let shape = if plan.job == self.held.plan.job {
                self.held.shape.clone()
            } else {
                self.runner.shape(&plan.job)?
            };
            let size = Size::of(&plan, &shape);
            let is_smaller = size < self.held.size && (!needs_time || has_time(&plan, &shape));
            is_smaller.then_some((plan, shape, size))
        });
        sized.collect()
    }
}
