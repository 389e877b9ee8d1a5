//! The settings of a plan as numbers that can be turned, one at a time.

use crate::cluster::DiscoverySettings;
use crate::dataflow::SplitAssignment;
use crate::plan::{Latency, Plan, Span};

/// A number of a plan.
pub struct Knob {
    /// Its name, as in the plan's file.
    pub name: &'static str,
    /// What says least: where it stands when it does not matter.
    pub plain: u64,
    /// Reads it.
    pub get: fn(&Plan) -> u64,
    /// Turns it.
    pub set: fn(&mut Plan, u64),
}

impl Knob {
    /// Whether it stands where it says nothing.
    pub fn is_plain(&self, plan: &Plan) -> bool {
        (self.get)(plan) == self.plain
    }

    /// The plan with this knob turned.
    pub fn turned(&self, plan: &Plan, value: u64) -> Plan {
        let mut plan = plan.clone();
        (self.set)(&mut plan, value);
        plan
    }
}

/// A knob of a field of the plan.
macro_rules! knob {
    ($name:literal, $plain:literal, $($field:ident).+) => {
        Knob {
            name: $name,
            plain: $plain,
            get: |plan| u64::from(plan.$($field).+),
            set: |plan, value| plan.$($field).+ = value.try_into().unwrap_or_default(),
        }
    };
}

/// Settings: a plan in which all of them are plain has nothing special but its faults.
pub static SETTINGS: &[Knob] = &[
    Knob {
        name: "job.assignment",
        plain: 0,
        get: |plan| u64::from(!plan.job.assignment.is_static()),
        set: |plan, value| {
            if value == 0 {
                plan.job.assignment = SplitAssignment::Static;
            }
        },
    },
    Knob {
        name: "links.slow",
        plain: 0,
        get: |plan| plan.links.slow.len() as u64,
        set: |plan, value| plan.links.slow.truncate(usize::try_from(value).unwrap_or(0)),
    },
    Knob {
        name: "links.slow_control",
        plain: 0,
        get: |plan| plan.links.slow_control.len() as u64,
        set: |plan, value| {
            plan.links.slow_control.truncate(usize::try_from(value).unwrap_or(0));
        },
    },
    Knob {
        name: "cluster.cost",
        plain: 0,
        get: |plan| {
            let numbers = |cost: crate::cluster::CostModel| {
                cost.record_ns.saturating_add(cost.byte_ns).saturating_add(cost.freeze_byte_ns)
            };
            plan.cluster.cost.map_or(0, |cost| numbers(cost).max(1))
        },
        set: |plan, value| {
            if value == 0 {
                plan.cluster.cost = None;
            }
        },
    },
    Knob {
        name: "cluster.buffers",
        plain: 0,
        get: |plan| plan.cluster.buffers.map_or(0, |buffers| u64::from(buffers.bytes)),
        set: |plan, value| match (value, &mut plan.cluster.buffers) {
            (0, buffers) => *buffers = None,
            (value, Some(buffers)) => buffers.bytes = u32::try_from(value).unwrap_or(u32::MAX),
            (_, None) => {}
        },
    },
    Knob {
        name: "cluster.discovery",
        plain: 0,
        get: |plan| {
            let latest =
                |all: &DiscoverySettings| all.appears_ms.iter().copied().max().unwrap_or(0);
            plan.cluster.discovery.as_ref().map_or(0, |all| latest(all).saturating_add(1))
        },
        set: |plan, value| match (value, &mut plan.cluster.discovery) {
            (0, discovery) => *discovery = None,
            (value, Some(all)) => {
                all.appears_ms.iter_mut().for_each(|at| *at = (*at).min(value - 1));
            }
            (_, None) => {}
        },
    },
    Knob {
        name: "links.channels.spread",
        plain: 0,
        get: |plan| spread(&plan.links.channels),
        set: |plan, value| set_spread(&mut plan.links.channels, value),
    },
    Knob {
        name: "links.control.spread",
        plain: 0,
        get: |plan| spread(&plan.links.control),
        set: |plan, value| set_spread(&mut plan.links.control, value),
    },
    Knob {
        name: "mailbox_us.spread",
        plain: 0,
        get: |plan| plan.mailbox_us.max - plan.mailbox_us.min,
        set: |plan, value| plan.mailbox_us.max = plan.mailbox_us.min.saturating_add(value),
    },
    knob!("links.byte_ns", 0, links.byte_ns),
    knob!("cluster.object_store.byte_ns", 0, cluster.object_store.byte_ns),
    knob!("cluster.meta_store.byte_ns", 0, cluster.meta_store.byte_ns),
    knob!("cluster.credits", 64, cluster.credits),
    knob!("cluster.fetch_max", 64, cluster.fetch_max),
    knob!("cluster.sink_batch", 1, cluster.sink_batch),
    knob!("checkpoints.concurrent_max", 1, cluster.checkpoints.concurrent_max),
    knob!("checkpoints.failures_tolerated", 100, cluster.checkpoints.failures_tolerated),
    knob!("checkpoints.retained", 1, cluster.checkpoints.retained),
    knob!("checkpoints.pause_min_ms", 0, cluster.checkpoints.pause_min_ms),
    knob!("seed", 0, seed),
];

/// Times: there is no plain value, less is less. The plain value here is the lowest that makes sense.
pub static TIMES: &[Knob] = &[
    knob!("safety_ms", 0, safety_ms),
    knob!("liveness_ms", 1, liveness_ms),
    knob!("checkpoints.interval_ms", 5, cluster.checkpoints.interval_ms),
    knob!("checkpoints.timeout_ms", 20, cluster.checkpoints.timeout_ms),
    knob!("cluster.source_interval_us", 0, cluster.source_interval_us),
    knob!("cluster.heartbeat_ms", 5, cluster.heartbeat_ms),
    knob!("cluster.heartbeat_timeout_ms", 20, cluster.heartbeat_timeout_ms),
    knob!("cluster.session_timeout_ms", 80, cluster.session_timeout_ms),
    knob!("cluster.restart_delay_ms", 1, cluster.restart_delay_ms),
    knob!("cluster.request_retry_ms", 10, cluster.request_retry_ms),
    knob!("cluster.object_store.latency_us", 100, cluster.object_store.latency_us),
    knob!("cluster.meta_store.latency_us", 100, cluster.meta_store.latency_us),
    knob!("links.local_us", 1, links.local_us),
    Knob {
        name: "links.channels.min",
        plain: 100,
        get: |plan| span(&plan.links.channels).min,
        set: |plan, value| shift(&mut plan.links.channels, value),
    },
    Knob {
        name: "links.control.min",
        plain: 100,
        get: |plan| span(&plan.links.control).min,
        set: |plan, value| shift(&mut plan.links.control, value),
    },
    Knob {
        name: "mailbox_us.min",
        plain: 0,
        get: |plan| plan.mailbox_us.min,
        set: |plan, value| {
            let width = plan.mailbox_us.max - plan.mailbox_us.min;
            plan.mailbox_us = Span::new(value, value.saturating_add(width));
        },
    },
    Knob {
        name: "links.slow.latency",
        plain: 0,
        get: |plan| sum(plan.links.slow.iter().map(|link| &link.latency)),
        set: |plan, value| share(plan.links.slow.iter_mut().map(|link| &mut link.latency), value),
    },
    Knob {
        name: "links.slow_control.latency",
        plain: 0,
        get: |plan| sum(plan.links.slow_control.iter().map(|link| &link.latency)),
        set: |plan, value| {
            share(plan.links.slow_control.iter_mut().map(|link| &mut link.latency), value);
        },
    },
];

fn span(latency: &Latency) -> Span {
    match latency {
        Latency::Uniform(span) | Latency::HeavyTail(span) => *span,
    }
}

/// How far a latency is from a constant; that its tail is heavy counts on its own.
fn spread(latency: &Latency) -> u64 {
    let width = |span: &Span| span.max - span.min;
    match latency {
        Latency::Uniform(span) => width(span),
        Latency::HeavyTail(span) => width(span).saturating_add(1),
    }
}

/// Every change makes the latency uniform: of its lower end and this width.
fn set_spread(latency: &mut Latency, value: u64) {
    let min = span(latency).min;
    *latency = Latency::Uniform(Span::new(min, min.saturating_add(value)));
}

fn shift(latency: &mut Latency, value: u64) {
    let shifted = |span: &Span| Span::new(value, value.saturating_add(span.max - span.min));
    *latency = match latency {
        Latency::Uniform(span) => Latency::Uniform(shifted(span)),
        Latency::HeavyTail(span) => Latency::HeavyTail(shifted(span)),
    };
}

/// All ends of these latencies together.
fn sum<'a>(latencies: impl Iterator<Item = &'a Latency>) -> u64 {
    let spans = latencies.map(span);
    spans.fold(0, |sum, span| sum.saturating_add(span.min).saturating_add(span.max))
}

/// Slow links become constant, and share `value` evenly.
fn share<'a>(latencies: impl ExactSizeIterator<Item = &'a mut Latency>, value: u64) {
    let each = value / (2 * (latencies.len() as u64).max(1));
    for latency in latencies {
        *latency = Latency::Uniform(Span::new(each, each));
    }
}
