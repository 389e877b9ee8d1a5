//! O19: the same plan gives the same trace, to the byte, however often it is run in one process.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use super::experiments::Prepared;
use super::run::{Outcome, WorldKind, run_plan};
use crate::plan::Plan;
use crate::trace::{Divergence, Event, Stamp, diff};
use crate::world::Observer;

/// How reports name the oracle that compares two runs of one plan; it sees no single trace.
pub const ORACLE: &str = "determinism";

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
    let record = || record(plan, prepared, world);
    diff(record(), record(), context)
}

/// Runs a plan for its trace, up to a bound; of a run that panicked, up to the panic.
#[must_use]
pub fn record(plan: &Plan, prepared: &Prepared, world: WorldKind) -> Vec<(Stamp, Event)> {
    let recorder = Recorder::default();
    let _ = run_plan(plan, prepared, world, recorder.clone());
    recorder.take()
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
