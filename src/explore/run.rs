//! One judged run.

use std::any::Any;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

use super::experiments::Prepared;
use super::quiet;
use super::reach::{Reach, ReachTracker};
use super::statistics::Statistics;
use crate::oracle::{End, Judge, Verdict};
use crate::plan::Plan;
use crate::plan::draw::patience;
use crate::plan::draw::repertoire::Repertoire;
use crate::trace::digest::TraceDigest;
use crate::trace::{Event, Point, Stamp};
use crate::workload::{Experiment, panic_message};
use crate::world::faults::{Nemesis, Strike};
use crate::world::{Ending, Kernel, Observer, RunEnd};

/// Which world a plan runs in.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    EnumString,
    IntoStaticStr,
    strum::Display,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum WorldKind {
    /// The discrete-event kernel.
    #[default]
    Kernel,
    /// The async driver, simulated by madsim; exists only under `--cfg madsim`.
    Madsim,
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// What the oracles say.
    pub verdict: Verdict,
    /// The digest of the whole trace, up to where the run was stopped.
    pub digest: String,
    /// What was counted.
    pub statistics: Statistics,
    /// Which points it passed, and where faults struck.
    pub reach: Reach,
}

impl Outcome {
    /// Whether everything that the plan leaves owed was held: recovery is not, where a store loses everything,
    /// and must be everywhere else.
    #[must_use]
    pub fn is_held(&self, plan: &Plan) -> bool {
        match self.verdict {
            Verdict::Held => true,
            Verdict::NotOwed { .. } => plan.loses_for_good(),
            Verdict::Violated(_) | Verdict::Panicked { .. } | Verdict::Undecided => false,
        }
    }
}

/// The judge, the digest and the reach, watching together with whoever else does.
struct Watch {
    judge: Judge,
    digest: TraceDigest,
    reach: ReachTracker,
    other: Box<dyn Other>,
}

/// Whoever else watches. One type for all of them, so that the worlds are compiled once.
trait Other: Observer + Send + Any {}

impl<O: Observer + Send + 'static> Other for O {}

impl Observer for Watch {
    #[inline]
    fn observe(&mut self, stamp: Stamp, event: &Event) -> ControlFlow<()> {
        self.judge.observe(stamp, event);
        self.digest.record(stamp, event);
        self.reach.observe(event);
        let other = self.other.observe(stamp, event);
        let is_over = self.judge.is_violated() || self.judge.is_given_up();
        if is_over { ControlFlow::Break(()) } else { other }
    }
}

/// Runs a plan and judges it. `other` sees every event as well.
///
/// A panic in the system under test is an outcome, not the end.
///
/// # Panics
///
/// In the madsim world, when the library was built without `--cfg madsim`.
pub fn run_plan<O: Observer + Send + 'static>(
    plan: &Plan,
    prepared: &Prepared,
    world: WorldKind,
    other: O,
) -> (Outcome, Option<O>) {
    let (outcome, _, other) = run_and_tell_strikes(plan, prepared, world, other);
    (outcome, other)
}

/// Like [`run_plan`], and tells which faults struck, and when; none of a run that panicked.
///
/// # Panics
///
/// In the madsim world, when the library was built without `--cfg madsim`.
pub fn run_and_tell_strikes<O: Observer + Send + 'static>(
    plan: &Plan,
    prepared: &Prepared,
    world: WorldKind,
    other: O,
) -> (Outcome, Vec<Strike>, Option<O>) {
    let (outcome, strikes, other) = run_judged(plan, prepared, world, Box::new(other));
    (outcome, strikes, other.and_then(|other| Some(*(other as Box<dyn Any>).downcast().ok()?)))
}

fn run_judged(
    plan: &Plan,
    prepared: &Prepared,
    world: WorldKind,
    other: Box<dyn Other>,
) -> (Outcome, Vec<Strike>, Option<Box<dyn Other>>) {
    let run = || run_world(plan, prepared, world, other);
    let ran = quiet::within(|| catch_unwind(AssertUnwindSafe(run)));
    match ran {
        Ok((end, nemesis, watch)) => {
            let Experiment { job, input, .. } = &prepared.experiment;
            let repertoire = Repertoire::of(plan, job.topology()).over(input.is_queue());
            let (outcome, other) = conclude(end, &nemesis, watch, &repertoire);
            (outcome, nemesis.strikes().to_vec(), Some(other))
        }
        Err(panic) => {
            let verdict = Verdict::Panicked { message: panic_message(panic.as_ref()) };
            let (statistics, reach) = (Statistics::default(), Reach::default());
            (Outcome { verdict, digest: String::new(), statistics, reach }, Vec::new(), None)
        }
    }
}

fn run_world(
    plan: &Plan,
    prepared: &Prepared,
    world: WorldKind,
    other: Box<dyn Other>,
) -> (RunEnd, Nemesis, Watch) {
    let cluster = prepared.cluster(plan);
    let judge = judge_of(plan, prepared);
    let (digest, reach) = (TraceDigest::new(), ReachTracker::new());
    let watch = Watch { judge, digest, reach, other };
    match world {
        WorldKind::Kernel => Kernel::new(plan, &cluster, watch).run(),
        #[cfg(madsim)]
        WorldKind::Madsim => crate::world::madsim::run(plan, &cluster, watch),
        #[cfg(not(madsim))]
        WorldKind::Madsim => {
            panic!("this build has no madsim world: it exists only under --cfg madsim")
        }
    }
}

/// Whoever judges a run of this plan.
pub(super) fn judge_of(plan: &Plan, prepared: &Prepared) -> Judge {
    let topology = prepared.experiment.job.topology();
    let is_patient = patience::is_ample(plan, topology);
    let timeout = Duration::from_millis(plan.cluster.checkpoints.timeout_ms);
    Judge::new(Arc::clone(&prepared.reference)).expecting_checkpoints(is_patient, timeout)
}

fn conclude(
    end: RunEnd,
    nemesis: &Nemesis,
    mut watch: Watch,
    repertoire: &Repertoire,
) -> (Outcome, Box<dyn Other>) {
    let verdict = watch.judge.finish(&judged_end(&end));
    let statistics = count(&end, nemesis, &watch.reach);
    let digest = format!("{:032x}", watch.digest.finish());
    let reach = watch.reach.finish(repertoire, nemesis.strikes());
    (Outcome { verdict, digest, statistics, reach }, watch.other)
}

fn count(end: &RunEnd, nemesis: &Nemesis, reach: &ReachTracker) -> Statistics {
    let mut statistics = Statistics {
        records: reach.point(Point::Read),
        completed: reach.point(Point::Completed),
        aborted: reach.point(Point::Aborted),
        restores: reach.restores(),
        steps: end.steps,
        events: end.events,
        virtual_ns: end.at.0,
        ..Statistics::default()
    };
    for strike in nemesis.strikes() {
        statistics.struck.count(strike.class);
    }
    statistics
}

/// How a run ended, as its judge wants to know it.
pub(super) fn judged_end(end: &RunEnd) -> End {
    match end.ending {
        Ending::Finished => End::Finished,
        Ending::Stopped => End::Stopped,
        Ending::TimeLimit => End::TimeLimit { at: end.at },
        Ending::StepLimit => End::StepLimit { steps: end.steps },
        Ending::Quiescent => End::Quiescent,
    }
}
