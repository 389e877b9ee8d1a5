//! Tokens: a process that sends some has that many less, and one that gets some that many more.

use super::member::{Command, Refusal};
use crate::classic::message::Message;
use crate::protocol::chandy_lamport::Sends;

/// Sends tokens that are there.
pub fn pay(held: &mut u64, command: Command, sends: &mut Sends<Message>) -> Result<(), Refusal> {
    let Command { channel, amount } = command;
    let refusal = Refusal { held: *held, asked: amount };
    *held = held.checked_sub(amount).ok_or(refusal)?;
    sends.push((channel, Message::Tokens(amount)));
    Ok(())
}
