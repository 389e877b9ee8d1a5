//! Every snapshot comes to its end: each process that a way leads to from an initiator records its state,
//! and each channel between two such processes is recorded too.

use super::history::{History, Recorded};
use super::{Property, Violation};
use crate::classic::event::Event;
use crate::protocol::SnapshotId;

pub(super) fn judge(history: &History<'_>) -> Vec<Violation> {
    let mut violations: Vec<Violation> =
        history.events.iter().filter_map(|event| refused(history, event)).collect();
    if history.has_ended {
        let unfinished = |(id, recorded)| unfinished(history, id, recorded);
        violations.extend(history.snapshots.iter().filter_map(unfinished));
    }
    violations
}

/// A marker that nobody has a use for is one too many.
fn refused(history: &History<'_>, event: &Event) -> Option<Violation> {
    let Event::MarkerRefused { channel, snapshot } = event else { return None };
    let text = format!("{} brings a second marker", history.graph.shown(*channel));
    Some(Violation::of(Property::Termination, *snapshot, text))
}

fn unfinished(history: &History<'_>, id: &SnapshotId, recorded: &Recorded) -> Option<Violation> {
    let reached = history.graph.reached_from(&recorded.initiators);
    let violation = |text| Some(Violation::of(Property::Termination, *id, text));
    if let Some(process) = reached.iter().find(|it| !recorded.states.contains_key(it)) {
        return violation(format!("{} never recorded its state", history.graph.name(*process)));
    }
    let joins_reached = |channel: &_| reached.contains(&history.graph.ends(*channel).0);
    let mut owed = history.graph.channels().filter(joins_reached);
    if let Some(channel) = owed.find(|channel| !recorded.channels.contains_key(channel)) {
        return violation(format!("{} is never recorded", history.graph.shown(channel)));
    }
    let whole = |process: &_| history.graph.inputs(*process).all(|channel| joins_reached(&channel));
    let missing = reached.iter().find(|it| whole(it) && !recorded.complete.contains(it))?;
    violation(format!("{} never completed its part", history.graph.name(*missing)))
}
