//! Where protocol points lie.

use cutwater::plan::When;
use cutwater::plan::draw::aim::Home;

/// Whether the point lies in a process that may crash and keeps nothing: stores, the log and the target
/// keep what they acknowledged, and the run itself is no process.
pub fn is_mortal(when: &When) -> bool {
    let When::Point { point, .. } = when else { return false };
    match Home::of(*point) {
        Some(Home::Worker | Home::Coordinator) => true,
        Some(Home::Service) | None => false,
    }
}
