//! Cutting what comes after the violation: time in which nothing matters any more.

use super::numbers::lower_roughly;
use super::pass::{Current, Pass};
use super::runner::Shape;
use crate::plan::Plan;
use crate::plan::draw::patience;

/// Cuts faults that never struck, and the time after the violation.
pub struct Bounds;

impl Pass for Bounds {
    fn name(&self) -> &'static str {
        "what comes after"
    }

    fn proposals(&self) -> usize {
        3
    }

    fn propose(&self, proposal: usize, current: &Current) -> Vec<Plan> {
        match proposal {
            0 => without_idle_faults(current),
            1 => with_shorter_liveness(current),
            _ => with_shorter_safety(current),
        }
    }
}

/// Without all the faults that took no effect.
fn without_idle_faults(current: &Current) -> Vec<Plan> {
    let strikes = &current.ran.strikes;
    if strikes.is_empty() {
        return Vec::new();
    }
    let mut plan = current.plan.clone();
    let mut place = 0;
    plan.faults.retain(|_| {
        let has_struck = strikes.iter().any(|strike| strike.fault == place);
        place += 1;
        has_struck
    });
    vec![plan]
}

/// Shorter bounds, but never so short that a healthy job would be late.
fn with_shorter_liveness(current: &Current) -> Vec<Plan> {
    let least = owed_ms(current.plan, current.shape);
    let bounds = lower_roughly(current.plan.liveness_ms, least);
    bounds.into_iter().map(|liveness_ms| Plan { liveness_ms, ..current.plan.clone() }).collect()
}

/// Faults end right after the violation, or after the last of them has struck, or earlier.
fn with_shorter_safety(current: &Current) -> Vec<Plan> {
    let safety_ms = current.plan.safety_ms;
    let at_end = current.ran.end.0 / 1_000_000 + 1;
    let mut bounds = Vec::new();
    if current.ran.end.0 > 0 && at_end < safety_ms {
        bounds.push(at_end);
    }
    bounds.extend(lower_roughly(safety_ms.min(at_end.max(1)), 0).into_iter().rev());
    bounds.extend(lower_roughly(safety_ms, 0));
    bounds.retain(|bound| *bound < safety_ms);
    bounds.into_iter().map(|safety_ms| Plan { safety_ms, ..current.plan.clone() }).collect()
}

/// What a healthy job may take after the faults have ended: every patience of the system, four times
/// over, and twice the time to read the input and to bring it through the slowest channel.
pub fn owed_ms(plan: &Plan, shape: &Shape) -> u64 {
    let cluster = &plan.cluster;
    let checkpoints = &cluster.checkpoints;
    let all = [
        cluster.heartbeat_timeout_ms,
        cluster.session_timeout_ms,
        cluster.restart_delay_ms,
        cluster.request_retry_ms.saturating_mul(4),
        checkpoints.timeout_ms,
        checkpoints.interval_ms,
        checkpoints.pause_min_ms,
    ];
    let patience_ms = all.iter().fold(0_u64, |sum, each| sum.saturating_add(*each));
    let reading = shape.records.saturating_mul(cluster.source_interval_us) / 1_000;
    let flow = patience::flow_ms(plan, &shape.topology, shape.records);
    let owed = patience_ms
        .saturating_mul(4)
        .saturating_add(reading.saturating_add(flow).saturating_mul(2));
    owed.saturating_add(1_000)
}
