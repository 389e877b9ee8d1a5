//! One process's computation: its state, and the channels it can use.

use std::sync::Arc;

use thiserror::Error;

use super::{LocalState, bank, locks, tokens, work};
use crate::classic::graph::{ProcessGraph, ProcessIndex};
use crate::classic::message::Message;
use crate::protocol::ChannelId;
use crate::protocol::chandy_lamport::{Application, Sends};

/// What happens to a process from outside: `send N1 N2 3`. Each workload makes its own of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    /// The channel to send on.
    pub channel: ChannelId,
    /// The sum that moves.
    pub amount: u64,
}

/// A command that a process cannot carry out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("only {held} tokens are there to send, expected at least {asked}")]
pub struct Refusal {
    /// What there is.
    pub held: u64,
    /// What was asked for.
    pub asked: u64,
}

/// The channels of one process.
#[derive(Debug)]
pub struct Wiring {
    /// Where it can send, in order.
    pub outputs: Vec<ChannelId>,
    /// Each incoming channel, with the one that leads back.
    pub answers: Vec<(ChannelId, ChannelId)>,
}

/// The computation of one process.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its state.
    pub state: LocalState,
    wiring: Arc<Wiring>,
}

impl Member {
    /// The computation of `process` in this state.
    #[must_use]
    pub fn new(state: LocalState, graph: &ProcessGraph, process: ProcessIndex) -> Self {
        let answer = |input: ChannelId| {
            let back = graph.channel_between(process, graph.ends(input).0)?;
            Some((input, back))
        };
        let outputs = graph.outputs(process).collect();
        let answers = graph.inputs(process).filter_map(answer).collect();
        Self { state, wiring: Arc::new(Wiring { outputs, answers }) }
    }
}

impl Application for Member {
    type Command = Command;
    type Refusal = Refusal;
    type Message = Message;

    fn handle_command(
        &mut self,
        command: Command,
        sends: &mut Sends<Message>,
    ) -> Result<(), Refusal> {
        match &mut self.state {
            LocalState::Tokens(held) => tokens::pay(held, command, sends)?,
            LocalState::Account { balance, .. } => bank::pay(balance, command, sends),
            LocalState::Work { left, .. } => work::share(left, command, sends),
            LocalState::Lock(lock) => locks::ask(lock, command.channel, sends),
        }
        Ok(())
    }

    fn handle_message(&mut self, channel: ChannelId, message: Message, sends: &mut Sends<Message>) {
        match (&mut self.state, message) {
            (LocalState::Tokens(held), Message::Tokens(count)) => *held += count,
            (LocalState::Account { balance, passed }, Message::Transfer(amount)) => {
                bank::take(balance, passed, amount, &self.wiring, sends);
            }
            (LocalState::Work { left, .. }, Message::Work(units)) => *left += units,
            (LocalState::Lock(lock), Message::Request) => {
                locks::asked(lock, channel, &self.wiring, sends);
            }
            (LocalState::Lock(lock), Message::Grant) => {
                locks::granted(lock, channel, &self.wiring, sends);
            }
            (
                LocalState::Tokens(_)
                | LocalState::Account { .. }
                | LocalState::Work { .. }
                | LocalState::Lock(_),
                Message::Tokens(_)
                | Message::Transfer(_)
                | Message::Work(_)
                | Message::Request
                | Message::Grant,
            ) => unreachable!("all processes of a system have the same workload"),
        }
    }

    fn handle_step(&mut self, sends: &mut Sends<Message>) {
        match &mut self.state {
            LocalState::Work { left, shared } => work::step(left, shared, &self.wiring, sends),
            LocalState::Tokens(_) | LocalState::Account { .. } | LocalState::Lock(_) => {}
        }
    }

    fn is_active(&self) -> bool {
        match &self.state {
            LocalState::Work { left, .. } => *left > 0,
            LocalState::Tokens(_) | LocalState::Account { .. } | LocalState::Lock(_) => false,
        }
    }
}
