//! Forks of one run, each judged.

use std::ops::{ControlFlow, Range};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{LocaliseError, STEPS_MAX, Sameness};
use crate::cluster::Cluster;
use crate::explore::experiments::Prepared;
use crate::explore::run::{judge_of, judged_end};
use crate::oracle::{Judge, Verdict};
use crate::plan::Plan;
use crate::protocol::VirtualTime;
use crate::protocol::lineage::mix;
use crate::trace::{Event, Stamp};
use crate::workload::panic_message;
use crate::world::kernel::{self, Upcoming};
use crate::world::{Kernel, Observer, RunEnd};

/// A judge that can be forked with its run.
#[derive(Clone)]
struct Bench {
    judge: Judge,
}

impl Observer for Bench {
    fn observe(&mut self, stamp: Stamp, event: &Event) -> ControlFlow<()> {
        self.judge.observe(stamp, event);
        if self.judge.is_violated() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// A place in a run at which it can be forked: between two steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// How many events lie before it.
    pub events: u64,
    /// When the step before it happened.
    pub at: VirtualTime,
}

/// A violated run, and all places at which it can be forked.
pub struct Forks<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Its job and input.
    pub prepared: &'a Prepared,
    places: Vec<Place>,
    violation: Sameness,
    /// A fork that takes longer is given up: its processes go round in circles.
    steps_max: u64,
}

/// How many times as long as the run a fork may take, and how many steps more.
const LONGER: (u64, u64) = (16, 1_000_000);

impl<'a> Forks<'a> {
    /// Runs the plan, and notes where it can be forked.
    pub fn of(plan: &'a Plan, prepared: &'a Prepared) -> Result<Self, LocaliseError> {
        let mut places = Vec::new();
        let cluster = prepared.cluster(plan);
        let run = || {
            let mut run = begun(plan, prepared, &cluster, kernel::STEPS_MAX);
            while note_place(&run, &mut places) && !run.is_over() {
                run.advance_one();
            }
            run.finish()
        };
        let (verdict, steps) = match catch_unwind(AssertUnwindSafe(run)) {
            Ok((end, _, bench)) => (judged(&end, bench), end.steps),
            Err(panic) => {
                (Verdict::Panicked { message: panic_message(panic.as_ref()) }, places.len() as u64)
            }
        };
        if verdict.is_held() {
            return Err(LocaliseError::Held);
        }
        if places.len() > STEPS_MAX {
            return Err(LocaliseError::TooLong);
        }
        let (times, more) = LONGER;
        let steps_max = steps.saturating_mul(times).saturating_add(more).min(kernel::STEPS_MAX);
        Ok(Self { plan, prepared, places, violation: Sameness::of(&verdict), steps_max })
    }

    /// What a fork must be to be violated as the run was.
    pub fn violation(&self) -> Sameness {
        self.violation
    }

    /// How many events the run has.
    pub fn events(&self) -> u64 {
        self.places.last().map_or(0, |place| place.events)
    }

    /// All places, in order, one after each step; never none.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// What happens in the step after a place.
    pub fn step_after(&self, place: usize) -> Option<Upcoming> {
        let cluster = self.prepared.cluster(self.plan);
        self.trunk(&cluster, place).upcoming()
    }

    /// The run, stopped at a place.
    fn trunk<'c>(&self, cluster: &'c Cluster, place: usize) -> Kernel<'c, Bench>
    where
        'a: 'c,
    {
        let mut trunk = begun(self.plan, self.prepared, cluster, self.steps_max);
        (0..place).for_each(|_| trunk.advance_one());
        trunk
    }

    /// How many of these forks at a place are violated as the run was.
    pub fn count(&self, place: usize, forks: Range<u32>) -> u32 {
        let cluster = self.prepared.cluster(self.plan);
        let trunk = self.trunk(&cluster, place);
        let is_same = |fork: &u32| {
            let seed = fork_seed(self.plan.root(), place as u64, *fork);
            self.violation == Sameness::of(&self.verdict(&trunk, seed))
        };
        forks.filter(is_same).count() as u32
    }

    fn verdict(&self, trunk: &Kernel<'_, Bench>, seed: u64) -> Verdict {
        let run = || trunk.clone().reseeded(seed).finish();
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok((end, _, bench)) => judged(&end, bench),
            Err(panic) => Verdict::Panicked { message: panic_message(panic.as_ref()) },
        }
    }
}

fn begun<'a>(
    plan: &'a Plan,
    prepared: &Prepared,
    cluster: &'a Cluster,
    steps_max: u64,
) -> Kernel<'a, Bench> {
    let judge = judge_of(plan, prepared);
    let bench = Bench { judge };
    Kernel::new(plan, cluster, bench).with_steps_max(steps_max).begun()
}

/// False when there are too many.
fn note_place(run: &Kernel<'_, Bench>, places: &mut Vec<Place>) -> bool {
    places.push(Place { events: run.events(), at: run.now() });
    places.len() <= STEPS_MAX
}

fn judged(end: &RunEnd, mut bench: Bench) -> Verdict {
    bench.judge.finish(&judged_end(end))
}

/// The seed of one fork at one place: a function of these three numbers and of nothing else.
fn fork_seed(seed: u64, place: u64, fork: u32) -> u64 {
    mix(mix(mix(seed) ^ place) ^ u64::from(fork))
}
