//! O1: on no channel was more received before the cut than sent before it, and the marker stands in the
//! channel exactly where the cut of the sender is.
//!
//! In the paper's letters, for a channel from p to q: n is what was sent before p recorded its state, n' what
//! was sent before the marker, m what was received before q recorded its state; n = n' and n ≥ m.

use super::history::{History, Recorded};
use super::{Property, Violation};
use crate::protocol::SnapshotId;

pub(super) fn judge(history: &History<'_>, id: SnapshotId, recorded: &Recorded) -> Vec<Violation> {
    let violation = |text| Violation::of(Property::Cut, id, text);
    let twice = |what: &String| violation(format!("{what} is recorded twice"));
    let mut violations: Vec<Violation> = recorded.again.iter().map(twice).collect();
    for (channel, it) in history.graph.channels().zip(&history.channels) {
        let (from, to) = history.graph.ends(channel);
        let shown = history.graph.shown(channel);
        let Some((sender_at, _)) = recorded.states.get(&from) else { continue };
        let sent = it.sent_before(*sender_at);
        if let Some(before) = it.sent_before_marker(id).filter(|before| *before != sent) {
            let text = format!(
                "{sent} messages were put into {shown} before the sender recorded its state, and \
                 {before} before the marker"
            );
            violations.push(violation(text));
        }
        let Some((receiver_at, _)) = recorded.states.get(&to) else { continue };
        let received = it.received_before(*receiver_at);
        if received > sent {
            let text =
                format!("{received} messages of {shown} are received in the cut, {sent} sent");
            violations.push(violation(text));
        }
    }
    violations
}
