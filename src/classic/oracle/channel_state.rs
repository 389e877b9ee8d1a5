//! O2: the recorded state of a channel is what was sent before the sender's cut, less what was received
//! before the receiver's: messages m + 1 to n, in order.

use super::history::{History, Recorded};
use super::{Property, Violation};
use crate::classic::message::Message;
use crate::protocol::SnapshotId;

pub(super) fn judge(history: &History<'_>, id: SnapshotId, recorded: &Recorded) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (channel, found) in &recorded.channels {
        let (from, to) = history.graph.ends(*channel);
        let places = (recorded.states.get(&from), recorded.states.get(&to));
        let (Some((sender_at, _)), Some((receiver_at, _))) = places else { continue };
        let it = &history.channels[channel.index()];
        let (received, sent) = (it.received_before(*receiver_at), it.sent_before(*sender_at));
        if !it.between(received, sent).eq(found.iter().copied()) {
            let expected: Vec<Message> = it.between(received, sent).collect();
            let (channel, found) = (history.graph.shown(*channel), shown(found));
            let text = format!("{channel} holds {found}, expected {}", shown(&expected));
            violations.push(Violation::of(Property::ChannelState, id, text));
        }
    }
    violations
}

fn shown(messages: &[Message]) -> String {
    let messages: Vec<String> = messages.iter().map(Message::to_string).collect();
    format!("[{}]", messages.join(", "))
}
