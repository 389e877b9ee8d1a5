//! O19: the same plan gives the same trace, to the byte, however often it is run in one process.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use super::experiments::Prepared;
use super::run::{Outcome, WorldKind, run_plan};
use crate::plan::Plan;
use crate::trace::{Divergence, Event, Stamp, diff};
use crate::world::Observer;

/// How reports name the oracle that compares two runs of one plan; it sees no single trace.
pub const ORACLE: &str = "determinism";

/// Two runs of one plan that differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Divergent {
    /// The scenario.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// The digest of the first trace.
    pub first: String,
    /// The digest of the second.
    pub second: String,
}

/// What came of a plan that was run twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twice {
    /// The first time.
    pub first: Outcome,
    /// The second time.
    pub second: Outcome,
}

impl Twice {
    /// Whether both runs were the same, as far as anything can tell.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.first == self.second
    }
}

/// Runs a plan twice in a row.
#[must_use]
pub fn run_twice(plan: &Plan, prepared: &Prepared, world: WorldKind) -> Twice {
    let run = || run_plan(plan, prepared, world, ()).0;
    Twice { first: run(), second: run() }
}

/// Where two runs of a plan part, with `context` events around; none when they do not.
#[must_use]
pub fn first_divergence(
    plan: &Plan,
    prepared: &Prepared,
    world: WorldKind,
    context: usize,
) -> Option<Divergence> {
    let record = || {
        let recorder = Recorder::default();
        let _ = run_plan(plan, prepared, world, recorder.clone());
        recorder.take()
    };
    diff(record(), record(), context)
}

/// Keeps a whole trace, up to a bound. Its copies share it, so that it outlives a run that panics.
#[derive(Clone, Default)]
pub(super) struct Recorder {
    events: Arc<Mutex<Vec<(Stamp, Event)>>>,
}

/// Longer traces are compared only so far.
const EVENTS_MAX: usize = 4 << 20;

impl Recorder {
    /// What was recorded, from the first event on; nothing is left.
    pub(super) fn take(&self) -> Vec<(Stamp, Event)> {
        std::mem::take(&mut self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Observer for Recorder {
    fn observe(&mut self, stamp: Stamp, event: &Event) -> ControlFlow<()> {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        if events.len() == EVENTS_MAX {
            return ControlFlow::Break(());
        }
        events.push((stamp, event.clone()));
        ControlFlow::Continue(())
    }
}

/// First runs of plans, until their second runs are compared with them. Threads share one.
#[derive(Debug, Default)]
pub struct Rehearsals {
    first: Mutex<BTreeMap<(String, u64), Outcome>>,
}

impl Rehearsals {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs a plan for the first time.
    pub fn rehearse(&self, plan: &Plan, prepared: &Prepared, world: WorldKind) {
        let (outcome, _) = run_plan(plan, prepared, world, ());
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        first.insert((plan.scenario.clone(), plan.seed), outcome);
    }

    /// Compares the second run of a plan with its first; what differs, if anything does.
    pub fn compare(&self, scenario: &str, seed: u64, second: &Outcome) -> Option<Divergent> {
        let key = (scenario.to_owned(), seed);
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).remove(&key)?;
        (first != *second).then(|| Divergent {
            scenario: key.0,
            seed,
            first: first.digest,
            second: second.digest.clone(),
        })
    }
}
