//! Locks: a process that waits for the locks of others keeps its own until it has got them. Who waits in
//! a circle waits for ever.
//!
//! The AND model of Chandy, Misra and Haas, *Distributed Deadlock Detection* (1983).

use serde::{Deserialize, Serialize};

use super::member::Wiring;
use crate::classic::message::Message;
use crate::protocol::ChannelId;
use crate::protocol::chandy_lamport::Sends;
use crate::protocol::ordered::VecSet;

/// Whom a process waits for, and who waits for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockState {
    /// The channels to those whose lock it waits for. While there are any, it gives its own to nobody.
    pub waits_for: VecSet<ChannelId>,
    /// The channels from those that asked and have no answer, in order.
    pub asked_by: Vec<ChannelId>,
}

/// Asks the process at the end of `channel` for its lock, unless that was done.
pub fn ask(lock: &mut LockState, channel: ChannelId, sends: &mut Sends<Message>) {
    if lock.waits_for.insert(channel) {
        sends.push((channel, Message::Request));
    }
}

/// Somebody asks for the lock.
pub fn asked(
    lock: &mut LockState,
    channel: ChannelId,
    wiring: &Wiring,
    sends: &mut Sends<Message>,
) {
    lock.asked_by.push(channel);
    give(lock, wiring, sends);
}

/// Somebody gives theirs.
pub fn granted(
    lock: &mut LockState,
    channel: ChannelId,
    wiring: &Wiring,
    sends: &mut Sends<Message>,
) {
    if let Some(back) = answer(wiring, channel) {
        lock.waits_for.remove(&back);
    }
    give(lock, wiring, sends);
}

/// Gives the lock to all who asked, if it waits for nobody itself.
fn give(lock: &mut LockState, wiring: &Wiring, sends: &mut Sends<Message>) {
    if lock.waits_for.is_empty() {
        let asked_by = std::mem::take(&mut lock.asked_by);
        let answers = asked_by.into_iter().filter_map(|channel| answer(wiring, channel));
        sends.extend(answers.map(|channel| (channel, Message::Grant)));
    }
}

fn answer(wiring: &Wiring, channel: ChannelId) -> Option<ChannelId> {
    wiring.answers.iter().find(|(input, _)| *input == channel).map(|(_, back)| *back)
}
