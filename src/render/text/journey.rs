//! The way of one record through the job, backwards from where it ended.

use crate::protocol::ordered::VecSet;
use crate::protocol::{LineageId, OperatorId, Topology};
use crate::trace::{Event, Shapes, Stamp};

/// Up to how many records that one record was turned into its ancestors are looked for.
const CHILDREN_MAX: u32 = 16;

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
        let is_parent = |index| found.contains(&lineage.child(operator, index));
        if !found.contains(&lineage) && (0..CHILDREN_MAX).any(is_parent) {
            found.insert(lineage);
        }
    }
    found
}

/// The record that an operator takes with this event.
fn taken(event: &Event, topology: &Topology) -> Option<(LineageId, OperatorId)> {
    let (subtask, lineage) = match event {
        Event::Read { subtask, lineage, .. } => (*subtask, *lineage),
        Event::Received { channel, lineage, .. } => {
            (topology.channels.get(channel.index())?.to, *lineage)
        }
        _ => return None,
    };
    Some((lineage, topology.subtasks.get(subtask.index())?.operator))
}
