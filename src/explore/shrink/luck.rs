//! Where too many records are left the violation hangs on how delays fall: many seeds are tried.

use super::pass::{Current, Pass};
use super::workload::with_records;
use crate::plan::{Latency, Plan, Span};

/// Tries many seeds, if it has to.
pub struct Luck;

/// So few records are what somebody can still read.
const READABLE: u64 = 20;

/// How many seeds are tried.
const SEEDS: u64 = 16;

impl Pass for Luck {
    fn name(&self) -> &'static str {
        "luck"
    }

    fn propose(&self, _: usize, current: &Current) -> Vec<Plan> {
        let now = current.shape.records;
        if now <= READABLE {
            return Vec::new();
        }
        let mut plans = Vec::new();
        for records in [READABLE / 2, READABLE, now / 2, now * 3 / 4] {
            for plan in with_records(current, records) {
                let varied = varied(&plan);
                plans.extend((0..SEEDS).map(|seed| Plan { seed, ..varied.clone() }));
            }
        }
        plans
    }
}

/// The plan with delays in which many things can overtake each other.
fn varied(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    let interval_us = plan.cluster.checkpoints.interval_ms.saturating_mul(1_000);
    let spread = Latency::Uniform(Span::new(interval_us / 20, interval_us / 2));
    plan.links.channels = spread;
    plan.links.control = spread;
    plan.mailbox_us = Span::new(0, interval_us / 4);
    plan
}
