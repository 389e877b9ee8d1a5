//! Fewer faults: delta debugging (Zeller and Hildebrandt 2002), with a head start for small answers.

use super::pass::{Current, Pass};
use crate::plan::Plan;

/// Takes faults out.
pub struct Faults;

/// Up to so many faults, every pair is tried on its own.
const PAIRS_MAX: usize = 14;

impl Pass for Faults {
    fn name(&self) -> &'static str {
        "faults"
    }

    fn propose(&self, _: usize, current: &Current) -> Vec<Plan> {
        let number = current.plan.faults.len();
        if number == 0 {
            return Vec::new();
        }
        let keep = |kept: &dyn Fn(usize) -> bool| keeping(current.plan, kept);
        let mut plans = vec![keep(&|_| false)];
        plans.extend((0..number).map(|only| keep(&|place| place == only)));
        if (3..=PAIRS_MAX).contains(&number) {
            let pairs = (0..number).flat_map(|one| (one + 1..number).map(move |two| (one, two)));
            plans.extend(pairs.map(|(one, two)| keep(&|place| place == one || place == two)));
        }
        let mut part = number.div_ceil(2);
        loop {
            for first in (0..number).step_by(part) {
                plans.push(keep(&|place| !(first..first + part).contains(&place)));
            }
            if part == 1 {
                return plans;
            }
            part = part.div_ceil(2);
        }
    }
}

/// The plan with only those faults.
fn keeping(plan: &Plan, kept: &dyn Fn(usize) -> bool) -> Plan {
    let faults = plan.faults.iter().enumerate().filter(|(place, _)| kept(*place));
    Plan { faults: faults.map(|(_, fault)| fault.clone()).collect(), ..plan.clone() }
}
