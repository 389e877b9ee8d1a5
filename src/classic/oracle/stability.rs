//! What snapshots are for: a property that stays once it holds is detected. If it holds in the snapshot it
//! holds at the end, and if it held at the beginning it holds in the snapshot.
//!
//! The properties are termination, deadlock, and that at most so much work is left (for every "so much"), or
//! in a system of tokens, that there are so many.

use super::course::Course;
use super::history::History;
use super::{Property, Violation};
use crate::classic::global_state::GlobalState;
use crate::protocol::SnapshotId;

pub(super) fn judge(
    history: &History<'_>,
    id: SnapshotId,
    snapshot: &GlobalState,
    course: &Course,
) -> Option<Violation> {
    let end = course.last()?;
    let first = history.first_state();
    let violation = |text| Violation::of(Property::Stability, id, text);
    let from = broken(history, &first, snapshot)
        .map(|what| format!("{what} at the beginning, and not in the snapshot"));
    let to = || {
        broken(history, snapshot, end)
            .map(|what| format!("{what} in the snapshot, and not at the end"))
    };
    from.or_else(to).map(violation)
}

/// A stable property that the earlier state has, and the later one lacks.
fn broken(history: &History<'_>, earlier: &GlobalState, later: &GlobalState) -> Option<String> {
    if earlier.has_terminated() && !later.has_terminated() {
        return Some("the computation has terminated".to_owned());
    }
    if let (Some(had), Some(has)) = (earlier.work_left(), later.work_left())
        && has > had
    {
        return Some(format!("at most {had} units of work are left"));
    }
    if let (Some(had), Some(has)) = (earlier.conserved(), later.conserved())
        && has != had
    {
        return Some(format!("there are {had} in all"));
    }
    let waiting = earlier.deadlocked(history.graph);
    let still = later.deadlocked(history.graph);
    let freed = waiting.difference(&still).next()?;
    Some(format!("{} is deadlocked", history.graph.name(*freed)))
}
