//! A smaller cluster with plain settings: whatever is special and does not matter only distracts.

use super::carry::carried;
use super::knobs::{Knob, SETTINGS};
use super::numbers::lower;
use super::pass::{Current, Pass};
use crate::plan::{Latency, Plan, Span};

/// Takes workers away, and makes settings plain.
pub struct Settings;

/// The proposals before those of the knobs.
const FIRST: usize = 4;

impl Pass for Settings {
    fn name(&self) -> &'static str {
        "settings"
    }

    fn proposals(&self) -> usize {
        FIRST + SETTINGS.len() + 1
    }

    fn propose(&self, proposal: usize, current: &Current) -> Vec<Plan> {
        match proposal {
            0 => fewer_workers(current),
            1 => fewer_lost(current.plan),
            2 => all_plain(current.plan),
            3 => constant_links(current.plan),
            _ => match SETTINGS.get(proposal - FIRST) {
                Some(knob) => plainer(knob, current.plan),
                None => fewer_rescales(current.plan),
            },
        }
    }
}

fn fewer_workers(current: &Current) -> Vec<Plan> {
    let workers = lower(current.plan.cluster.workers.into(), 1);
    let with = |workers: u64| {
        let mut plan = current.plan.clone();
        plan.cluster.workers = u16::try_from(workers).unwrap_or(u16::MAX);
        carried(plan, &current.shape.topology, current.shape)
    };
    workers.into_iter().map(with).collect()
}

fn fewer_lost(plan: &Plan) -> Vec<Plan> {
    (0..plan.lost.len())
        .map(|kept| Plan { lost: plan.lost[..kept].to_vec(), ..plan.clone() })
        .collect()
}

fn fewer_rescales(plan: &Plan) -> Vec<Plan> {
    let without = |index: usize| {
        let mut fewer = plan.clone();
        fewer.rescales.remove(index);
        fewer
    };
    (0..plan.rescales.len()).map(without).collect()
}

fn all_plain(plan: &Plan) -> Vec<Plan> {
    let mut plain = plan.clone();
    for knob in SETTINGS {
        (knob.set)(&mut plain, knob.plain);
    }
    let with_seed = Plan { seed: plan.seed, ..plain.clone() };
    vec![plain, with_seed]
}

/// Constant latencies: the middle or the upper end, where the lower one will not do.
fn constant_links(plan: &Plan) -> Vec<Plan> {
    let constants = |latency: Latency| {
        let (Latency::Uniform(span) | Latency::HeavyTail(span)) = latency;
        let middle = span.min + (span.max - span.min) / 2;
        [span.min, middle, span.max].map(|at| Latency::Uniform(Span::new(at, at)))
    };
    let mut plans = Vec::new();
    for channels in constants(plan.links.channels) {
        for control in constants(plan.links.control) {
            let mut constant = plan.clone();
            constant.links.channels = channels;
            constant.links.control = control;
            plans.push(constant);
        }
    }
    plans
}

/// One knob turned to its plain value, or towards it.
fn plainer(knob: &Knob, plan: &Plan) -> Vec<Plan> {
    let value = (knob.get)(plan);
    let mut values = if value > knob.plain { lower(value, knob.plain) } else { vec![knob.plain] };
    if knob.plain > 0 {
        values.extend(lower(value, 1));
    }
    values.into_iter().map(|value| knob.turned(plan, value)).collect()
}
