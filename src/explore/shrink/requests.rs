//! Fewer requests.

use super::pass::{Current, Pass};
use crate::plan::Plan;

/// Takes requests out. The number of a request is its place, which is of no consequence.
pub struct Requests;

impl Pass for Requests {
    fn name(&self) -> &'static str {
        "requests"
    }

    fn propose(&self, _: usize, current: &Current) -> Vec<Plan> {
        let number = current.plan.requests.len();
        let keep = |kept: &dyn Fn(usize) -> bool| keeping(current.plan, kept);
        match number {
            0 => Vec::new(),
            1 => vec![keep(&|_| false)],
            _ => {
                let none = keep(&|_| false);
                let one = (0..number).map(|only| keep(&|place| place == only));
                let all_but = (0..number).map(|out| keep(&|place| place != out));
                std::iter::once(none).chain(one).chain(all_but).collect()
            }
        }
    }
}

/// The plan with only those requests.
fn keeping(plan: &Plan, kept: &dyn Fn(usize) -> bool) -> Plan {
    let requests = plan.requests.iter().enumerate().filter(|(place, _)| kept(*place));
    Plan { requests: requests.map(|(_, request)| request.clone()).collect(), ..plan.clone() }
}
