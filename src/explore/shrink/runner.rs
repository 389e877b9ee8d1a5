//! What shrinking needs to know of a run, and who runs it.

use super::until::Until;
use crate::explore::determinism::Recorder;
use crate::explore::experiments::Experiments;
use crate::explore::run::{Outcome, WorldKind, run_and_tell_strikes, run_plan};
use crate::explore::signature::Signature;
use crate::oracle::{Verdict, Violation};
use crate::plan::{JobPlan, Plan};
use crate::protocol::{Topology, VirtualTime};
use crate::trace::{Event, Stamp};
use crate::world::faults::Strike;

/// What a job plan gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// How many records of input, in what the workload counts.
    pub records: u64,
    /// The job.
    pub topology: Topology,
}

/// What came of a run, as far as shrinking cares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ran {
    /// How it failed; none when all held.
    pub signature: Option<Signature>,
    /// The first violation, where there is one.
    pub violation: Option<Violation>,
    /// The faults that took effect. None are known of a run that panicked.
    pub strikes: Vec<Strike>,
    /// When the run ended; zero when it panicked.
    pub end: VirtualTime,
}

/// Runs plans.
///
/// A plan's run must not depend on other runs, on the thread, or on how often it is run; but for a plan
/// whose failure is just that, which is run on one thread.
pub trait Runner: Sync {
    /// What this job plan gives; none when there is no such job.
    fn shape(&self, job: &JobPlan) -> Option<Shape>;

    /// Runs a plan whose job has a shape.
    fn run(&self, plan: &Plan) -> Ran;

    /// The trace of the same run, from its first event on.
    fn trace(&self, plan: &Plan) -> Vec<(Stamp, Event)>;
}

/// Runs plans in this process.
pub struct InProcess<'a> {
    /// Jobs and inputs.
    pub experiments: &'a Experiments,
    /// In which world.
    pub world: WorldKind,
    /// Whether every plan is run twice, and fails when the two differ.
    pub is_twice: bool,
    /// When a run is broken off.
    pub until: Until,
}

impl Runner for InProcess<'_> {
    fn shape(&self, job: &JobPlan) -> Option<Shape> {
        let prepared = self.experiments.prepare(job).ok()?;
        let entries = || prepared.experiment.input.lengths().iter().sum();
        let records = job.records.unwrap_or_else(entries);
        Some(Shape { records, topology: prepared.experiment.job.topology().clone() })
    }

    fn run(&self, plan: &Plan) -> Ran {
        let Ok(prepared) = self.experiments.prepare(&plan.job) else { return Ran::default() };
        let (outcome, strikes, _) =
            run_and_tell_strikes(plan, &prepared, self.world, self.until.watch());
        let mut signature = Signature::of(&outcome.verdict);
        if self.is_twice && signature.is_none() {
            let (again, _) = run_plan(plan, &prepared, self.world, self.until.watch());
            signature = (again != outcome).then_some(Signature::NotDeterministic);
        }
        let Outcome { verdict, statistics, .. } = outcome;
        let violation = match verdict {
            Verdict::Violated(violations) => violations.first().cloned(),
            Verdict::Held
            | Verdict::NotOwed { .. }
            | Verdict::Panicked { .. }
            | Verdict::Undecided => None,
        };
        Ran { signature, violation, strikes, end: VirtualTime(statistics.virtual_ns) }
    }

    fn trace(&self, plan: &Plan) -> Vec<(Stamp, Event)> {
        let Ok(prepared) = self.experiments.prepare(&plan.job) else { return Vec::new() };
        let recorder = Recorder::default();
        let _ = run_plan(plan, &prepared, self.world, (recorder.clone(), self.until.watch()));
        recorder.take()
    }
}
