//! Work: a process with units left does one at a time, and shares the rest. One that has none is passive
//! until it gets some, so that when all are passive and nothing is under way, it is over for good.
//!
//! A diffusing computation, as in Dijkstra and Scholten, *Termination Detection for Diffusing
//! Computations* (1980).

use super::member::{Command, Wiring};
use crate::classic::message::Message;
use crate::protocol::chandy_lamport::Sends;

/// Gives so many units away, or as many as there are. A passive process sends nothing.
pub fn share(left: &mut u64, command: Command, sends: &mut Sends<Message>) {
    let units = command.amount.min(*left);
    if units > 0 {
        *left -= units;
        sends.push((command.channel, Message::Work(units)));
    }
}

/// Does one unit, and gives half of the rest to the next in turn.
pub fn step(left: &mut u64, shared: &mut u64, wiring: &Wiring, sends: &mut Sends<Message>) {
    *left = left.saturating_sub(1);
    let half = *left / 2;
    if half == 0 || wiring.outputs.is_empty() {
        return;
    }
    let channel = wiring.outputs[(*shared % wiring.outputs.len() as u64) as usize];
    *shared += 1;
    *left -= half;
    sends.push((channel, Message::Work(half)));
}
