//! What ran: kept with every failure, so that a reproduction that fails can be explained.

pub use crate::explore::environment::configuration_hash;
pub use crate::plan::Environment;

use super::console::Console;
use crate::plan::Plan;

/// Warns when a plan was kept in another environment than this one.
pub fn warn_of_others(path: &str, plan: &Plan, kept: Option<&Environment>) {
    let Some(kept) = kept else { return };
    let differences = kept.differences(&Environment::of_plan(plan));
    if !differences.is_empty() {
        let differences = differences.join("; ");
        Console::warn(&format!("{path} was kept elsewhere, its run may differ: {differences}"));
    }
}
