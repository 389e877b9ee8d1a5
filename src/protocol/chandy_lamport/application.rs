//! What a process computes, beside recording itself.

use crate::ids::ChannelId;
use alloc::vec::Vec;

/// What one event makes a process send, in order.
pub type Sends<M> = Vec<(ChannelId, M)>;

/// The underlying computation of one process: a state, and what an event makes of it.
///
/// An event of the paper takes a process from one state to another while at most one message is received
/// and any number are sent, all in one step. So a snapshot is taken between two calls, never within one.
pub trait Application: Clone {
    /// What happens to it from outside.
    type Command;
    /// Why it cannot do what a command asks.
    type Refusal;
    /// What travels in channels.
    type Message: Clone;

    /// Something happens from outside. A refused command changes nothing.
    ///
    /// # Errors
    ///
    /// When the state does not allow it.
    fn handle_command(
        &mut self,
        command: Self::Command,
        sends: &mut Sends<Self::Message>,
    ) -> Result<(), Self::Refusal>;

    /// A message arrives.
    fn handle_message(
        &mut self,
        channel: ChannelId,
        message: Self::Message,
        sends: &mut Sends<Self::Message>,
    );

    /// It goes on by itself. Only called where [`is_active`](Self::is_active).
    fn handle_step(&mut self, sends: &mut Sends<Self::Message>);

    /// Whether it would go on without a message.
    fn is_active(&self) -> bool;
}
