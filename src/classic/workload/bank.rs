//! Accounts: each passes half of what it gets on, so that one transfer goes far; an account may be
//! overdrawn. What all have together, under way or not, never changes.

use super::member::{Command, Wiring};
use crate::classic::message::Message;
use crate::protocol::chandy_lamport::Sends;

/// Transfers money, whether it is there or not.
pub fn pay(balance: &mut i64, command: Command, sends: &mut Sends<Message>) {
    let amount = i64::try_from(command.amount).unwrap_or(i64::MAX);
    *balance = balance.saturating_sub(amount);
    sends.push((command.channel, Message::Transfer(amount)));
}

/// Takes money, and passes half of it on to the next in turn.
pub fn take(
    balance: &mut i64,
    passed: &mut u64,
    amount: i64,
    wiring: &Wiring,
    sends: &mut Sends<Message>,
) {
    let half = amount / 2;
    *balance = balance.saturating_add(amount);
    if half == 0 || wiring.outputs.is_empty() {
        return;
    }
    let channel = wiring.outputs[(*passed % wiring.outputs.len() as u64) as usize];
    *passed += 1;
    *balance -= half;
    sends.push((channel, Message::Transfer(half)));
}
