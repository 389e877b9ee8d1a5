//! The way of one record through the job, backwards from where it ended.

use crate::protocol::ordered::VecSet;
use crate::protocol::{LineageId, OperatorId, Topology};
use crate::trace::{Carried, Event, Place, Shapes, Stamp};

/// Up to how many records that one record was turned into its ancestors are looked for.
const CHILDREN_MAX: u32 = 16;

/// Of how many of these copies are looked for.
const COPIED_MAX: usize = 2;

/// Up to how many copies of one record.
const COPIES_MAX: u32 = 8;

/// The record, and those that it was made of, as far as the trace holds them.
///
/// A lineage id is a function of its parent, of the operator and of a small number; so a parent is one
/// whose child it is. Causes come before effects, so one pass backwards finds them all.
pub fn ancestors(trace: &[(Stamp, Event)], record: LineageId) -> VecSet<LineageId> {
    let shapes = Shapes::of(trace);
    let mut found = VecSet::from([record]);
    for (stamp, event) in trace.iter().rev() {
        let Some((lineage, operator)) = taken(event, shapes.around(*stamp, event)) else {
            continue;
        };
        if !found.contains(&lineage) && is_parent(lineage, operator, &found) {
            found.insert(lineage);
        }
    }
    found
}

/// Whether one of the records found is made of this one by the operator, for either of its inputs, or is a copy that a
/// broadcast makes of one that is.
fn is_parent(lineage: LineageId, operator: OperatorId, found: &VecSet<LineageId>) -> bool {
    let has_copy = |child: LineageId| {
        let copies = LineageId::COPY..LineageId::COPY + COPIES_MAX;
        copies.into_iter().any(|copy| found.contains(&child.child(operator, copy)))
    };
    [0, LineageId::SECOND_INPUT].into_iter().any(|first| {
        let children = (first..first + CHILDREN_MAX).map(|index| lineage.child(operator, index));
        let mut children = children.enumerate();
        children.any(|(number, child)| {
            found.contains(&child) || (number < COPIED_MAX && has_copy(child))
        })
    })
}

/// The record that an event moves, and the operator that takes it, or is about to.
fn taken(event: &Event, topology: &Topology) -> Option<(LineageId, OperatorId)> {
    let about = event.about();
    let Carried::Record(lineage) = about.carried else { return None };
    let subtask = match about.place {
        Place::Into(channel) | Place::OutOf(channel) | Place::Channel(channel) => {
            topology.channels.get(channel.index())?.to
        }
        Place::Within(subtask) | Place::Concerning(subtask) => subtask,
        Place::Elsewhere => return None,
    };
    Some((lineage, topology.subtasks.get(subtask.index())?.operator))
}
