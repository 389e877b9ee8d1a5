//! Shorter and rounder times, and the other numbers of faults.

use super::bounds::owed_ms;
use super::knobs::TIMES;
use super::numbers::{lower, lower_roughly};
use super::pass::{Current, Pass};
use crate::plan::{ClockChange, Fault, MessageAction, Plan, PlannedFault, When};

/// Lowers what is left.
pub struct Times;

impl Pass for Times {
    fn name(&self) -> &'static str {
        "times"
    }

    fn proposals(&self) -> usize {
        1 + TIMES.len()
    }

    fn propose(&self, proposal: usize, current: &Current) -> Vec<Plan> {
        match proposal {
            0 => smaller_faults(current.plan),
            _ => shorter(proposal - 1, current),
        }
    }
}

/// One time of the cluster, lowered.
///
/// A liveness bound is never shorter than what is owed under it. And where nothing says that the plan
/// would hold but for a defect, a system that does not come to its end must not be one whose patience
/// was made too short for its links: then only the bound and the input's pace may change.
fn shorter(knob: usize, current: &Current) -> Vec<Plan> {
    let (plan, knob) = (current.plan, &TIMES[knob]);
    let is_bound = knob.name == "liveness_ms";
    let is_harmless = is_bound || matches!(knob.name, "safety_ms" | "cluster.source_interval_us");
    if current.is_liveness() && !current.is_controlled && !is_harmless {
        return Vec::new();
    }
    let least = if is_bound { owed_ms(plan, current.shape) } else { knob.plain };
    let values = lower_roughly((knob.get)(plan), least);
    values.into_iter().map(|value| knob.turned(plan, value)).collect()
}

/// The plans in which one number of one fault is smaller.
fn smaller_faults(plan: &Plan) -> Vec<Plan> {
    let mut plans = Vec::new();
    for (place, planned) in plan.faults.iter().enumerate() {
        let whens = smaller_when(&planned.when).into_iter();
        let versions = whens.map(|when| PlannedFault { when, fault: planned.fault.clone() }).chain(
            smaller_fault(&planned.fault).into_iter().map(|fault| {
                let when = planned.when.clone();
                PlannedFault { when, fault }
            }),
        );
        for version in versions {
            let mut smaller = plan.clone();
            smaller.faults[place] = version;
            plans.push(smaller);
        }
    }
    plans
}

fn smaller_when(when: &When) -> Vec<When> {
    match *when {
        When::At { us } => lower_roughly(us, 0).into_iter().map(|us| When::At { us }).collect(),
        When::Point { point, subtask, occurrence, after_restarts } => {
            let mut whens = Vec::new();
            if subtask.is_some() {
                whens.push(When::Point { point, subtask: None, occurrence, after_restarts });
            }
            for occurrence in lower(occurrence.into(), 1) {
                let occurrence = u32::try_from(occurrence).unwrap_or(u32::MAX);
                whens.push(When::Point { point, subtask, occurrence, after_restarts });
            }
            for after_restarts in 0..after_restarts {
                whens.push(When::Point { point, subtask, occurrence, after_restarts });
            }
            whens
        }
    }
}

/// The fault with one of its numbers smaller, or without one of its names.
fn smaller_fault(fault: &Fault) -> Vec<Fault> {
    let mut faults = shorter_lasting(fault);
    let mut also = |change: &dyn Fn(&mut Fault)| {
        let mut changed = fault.clone();
        change(&mut changed);
        faults.push(changed);
    };
    match *fault {
        Fault::Crash { restart_after_us: Some(us), .. }
        | Fault::Zombie { restart_after_us: us, .. } => {
            also(&|fault| {
                if let Fault::Crash { restart_after_us, .. } = fault {
                    *restart_after_us = None;
                }
            });
            for us in lower_roughly(us, 0) {
                also(&|fault| set_restart(fault, us));
            }
        }
        Fault::Disconnect { both: true, .. } => also(&|fault| {
            if let Fault::Disconnect { both, .. } = fault {
                *both = false;
            }
        }),
        Fault::Lose { channel, count } => {
            for fewer in lower(count.into(), 1) {
                let count = u32::try_from(fewer).unwrap_or(u32::MAX);
                also(&|fault| *fault = Fault::Lose { channel, count });
            }
        }
        Fault::Message { message, to, count, action } => {
            also(&|fault| *fault = Fault::Message { message, to: None, count, action });
            for fewer in lower(count.into(), 1) {
                let count = u32::try_from(fewer).unwrap_or(u32::MAX);
                also(&|fault| *fault = Fault::Message { message, to, count, action });
            }
            for action in smaller_action(action) {
                also(&|fault| *fault = Fault::Message { message, to, count, action });
            }
        }
        Fault::Clock { process, change } => {
            for change in smaller_change(change) {
                also(&|fault| *fault = Fault::Clock { process, change });
            }
        }
        Fault::Crash { .. }
        | Fault::Pause { .. }
        | Fault::Disconnect { .. }
        | Fault::Isolate { .. }
        | Fault::Hold { .. }
        | Fault::HalfOpen { .. }
        | Fault::Store { .. }
        | Fault::Sink { .. }
        | Fault::Idle { .. } => {}
    }
    faults
}

fn set_restart(fault: &mut Fault, us: u64) {
    match fault {
        Fault::Crash { restart_after_us, .. } => *restart_after_us = Some(us),
        Fault::Zombie { restart_after_us, .. } => *restart_after_us = us,
        _ => {}
    }
}

/// The fault, for a shorter while.
fn shorter_lasting(fault: &Fault) -> Vec<Fault> {
    let mut fault = fault.clone();
    let Some(lasting) = fault.for_us_mut() else { return Vec::new() };
    let values = lower_roughly(*lasting, 0);
    let shorter = values.into_iter().map(|value| {
        let mut fault = fault.clone();
        if let Some(lasting) = fault.for_us_mut() {
            *lasting = value;
        }
        fault
    });
    shorter.collect()
}

/// Lost is simpler than late.
fn smaller_action(action: MessageAction) -> Vec<MessageAction> {
    let (us, make): (u64, fn(u64) -> MessageAction) = match action {
        MessageAction::Drop => return Vec::new(),
        MessageAction::Until { .. } => return vec![MessageAction::Drop],
        MessageAction::Delay { us } => (us, |us| MessageAction::Delay { us }),
        MessageAction::Duplicate { us } => (us, |us| MessageAction::Duplicate { us }),
    };
    let lower = lower_roughly(us, 0).into_iter().map(make);
    std::iter::once(MessageAction::Drop).chain(lower).collect()
}

fn smaller_change(change: ClockChange) -> Vec<ClockChange> {
    match change {
        ClockChange::Step { us } => {
            let values = lower_roughly(us.unsigned_abs(), 0).into_iter();
            let signed = |value: u64| i64::try_from(value).unwrap_or(i64::MAX) * us.signum();
            values.map(|value| ClockChange::Step { us: signed(value) }).collect()
        }
        ClockChange::Drift { ppm } => {
            let values = lower_roughly(ppm.unsigned_abs().into(), 0).into_iter();
            let signed = |value: u64| i32::try_from(value).unwrap_or(i32::MAX) * ppm.signum();
            values.map(|value| ClockChange::Drift { ppm: signed(value) }).collect()
        }
    }
}
