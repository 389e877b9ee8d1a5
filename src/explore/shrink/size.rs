//! How large a plan is: what every step of shrinking makes less.

use std::fmt;

use serde::Serialize;

use super::knobs;
use super::runner::Shape;
use crate::plan::{ClockChange, Fault, MessageAction, Plan, PlannedFault, When};

/// The size of a plan. Plans are compared by the first of these in which they differ: a plan with
/// fewer faults is smaller, however many records it has.
///
/// No plan has infinitely many smaller ones below it, so that shrinking comes to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Size {
    /// Faults, requests and rescales.
    pub faults: usize,
    /// Records of input, in what the workload counts.
    pub records: u64,
    /// Subtasks of the job.
    pub subtasks: usize,
    /// Splits of each source.
    pub splits: u16,
    /// Workers.
    pub workers: u16,
    /// Settings that are not plain: see `shrink::knobs`.
    pub settings: usize,
    /// Faults that strike at a time, which says less than a protocol point, and is lost with the next
    /// change of any time.
    pub timed: usize,
    /// What is left: all numbers of the plan together.
    pub magnitude: u128,
}

impl Size {
    /// The size of `plan`, whose job has this shape.
    #[must_use]
    pub fn of(plan: &Plan, shape: &Shape) -> Self {
        let is_timed = |planned: &&PlannedFault| matches!(planned.when, When::At { .. });
        Self {
            faults: plan.faults.len() + plan.requests.len() + plan.rescales.len(),
            records: shape.records,
            subtasks: shape.topology.subtasks.len(),
            splits: plan.job.splits,
            workers: plan.cluster.workers,
            settings: knobs::SETTINGS.iter().filter(|knob| !knob.is_plain(plan)).count(),
            timed: plan.faults.iter().filter(is_timed).count(),
            magnitude: magnitude(plan),
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { faults, records, subtasks, splits, workers, settings, .. } = self;
        write!(
            f,
            "{faults} faults, {records} records, {subtasks} subtasks, {splits} splits, \
             {workers} workers, {settings} settings"
        )
    }
}

fn magnitude(plan: &Plan) -> u128 {
    let faults: u128 = plan.faults.iter().map(fault_magnitude).sum();
    let knobs = knobs::SETTINGS.iter().chain(knobs::TIMES);
    let settings: u128 = knobs.map(|knob| u128::from((knob.get)(plan))).sum();
    faults + settings + plan.lost.len() as u128
}

/// The numbers of a fault; a subtask or process that is named counts one more than one that is not.
fn fault_magnitude(planned: &PlannedFault) -> u128 {
    let when = match planned.when {
        When::At { us } => u128::from(us),
        When::Point { subtask, occurrence, after_restarts, .. } => {
            let subtask = subtask.map_or(0, |subtask| 1 + u128::from(subtask.0));
            u128::from(occurrence) + u128::from(after_restarts) + subtask
        }
    };
    when + match &planned.fault {
        Fault::Crash { restart_after_us, process } => {
            u128::from(process.is_some()) + u128::from(restart_after_us.map_or(0, |us| us + 1))
        }
        Fault::Zombie { restart_after_us, for_us, process } => {
            let named = u128::from(process.is_some());
            named + u128::from(*restart_after_us) + u128::from(*for_us)
        }
        Fault::Pause { for_us, process } | Fault::Isolate { for_us, process } => {
            u128::from(process.is_some()) + u128::from(*for_us)
        }
        Fault::Disconnect { for_us, both, .. } => u128::from(*both) + u128::from(*for_us),
        Fault::Hold { for_us, .. }
        | Fault::HalfOpen { for_us, .. }
        | Fault::Store { for_us, .. }
        | Fault::Sink { for_us, .. }
        | Fault::Idle { for_us, .. } => u128::from(*for_us),
        Fault::Lose { count, .. } => u128::from(*count),
        Fault::Message { count, to, action, .. } => {
            u128::from(*count) + u128::from(to.is_some()) + action_magnitude(*action)
        }
        Fault::Clock { process, change } => {
            let change = match change {
                ClockChange::Step { us } => u128::from(us.unsigned_abs()),
                ClockChange::Drift { ppm } => u128::from(ppm.unsigned_abs()),
            };
            u128::from(process.is_some()) + change
        }
    }
}

fn action_magnitude(action: MessageAction) -> u128 {
    match action {
        MessageAction::Drop => 0,
        MessageAction::Delay { us } | MessageAction::Duplicate { us } => 1 + u128::from(us),
        MessageAction::Until { .. } => 1,
    }
}
