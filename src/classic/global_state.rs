//! A state of all processes and all channels, and what it says.

use serde::{Deserialize, Serialize};

use super::graph::{ProcessGraph, ProcessIndex};
use super::message::Message;
use super::workload::LocalState;
use crate::protocol::ChannelId;
use crate::protocol::ordered::{VecMap, VecSet};

/// A global state of the paper: what a snapshot records, or what a system goes through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlobalState {
    /// By process.
    pub processes: Vec<LocalState>,
    /// By channel, in order.
    pub channels: Vec<Vec<Message>>,
}

impl GlobalState {
    /// What never changes: all tokens, or all money, wherever it is.
    #[must_use]
    pub fn conserved(&self) -> Option<i128> {
        let of_process = |state: &LocalState| match state {
            LocalState::Tokens(tokens) => Some(i128::from(*tokens)),
            LocalState::Account { balance, .. } => Some(i128::from(*balance)),
            LocalState::Work { .. } | LocalState::Lock(_) => None,
        };
        let of_message = |message: &Message| match message {
            Message::Tokens(tokens) => Some(i128::from(*tokens)),
            Message::Transfer(amount) => Some(i128::from(*amount)),
            Message::Work(_) | Message::Request | Message::Grant => None,
        };
        let held = self.processes.iter().map(of_process);
        let under_way = self.channels.iter().flatten().map(of_message);
        held.chain(under_way).sum()
    }

    /// How much work is left, wherever it is. It only ever gets less, so that "at most k units are left"
    /// is stable for every k; at none left the computation has terminated.
    #[must_use]
    pub fn work_left(&self) -> Option<u128> {
        let of_process = |state: &LocalState| match state {
            LocalState::Work { left, .. } => Some(u128::from(*left)),
            LocalState::Tokens(_) | LocalState::Account { .. } | LocalState::Lock(_) => None,
        };
        let of_message = |message: &Message| match message {
            Message::Work(units) => Some(u128::from(*units)),
            Message::Tokens(_) | Message::Transfer(_) | Message::Request | Message::Grant => None,
        };
        let held = self.processes.iter().map(of_process);
        let under_way = self.channels.iter().flatten().map(of_message);
        held.chain(under_way).sum()
    }

    /// Whether nobody is active, and nothing that could make somebody active is under way.
    #[must_use]
    pub fn has_terminated(&self) -> bool {
        self.work_left() == Some(0)
    }

    /// Those that wait in a circle, or for somebody who does. Nobody ever leaves this set.
    ///
    /// A lock that is under way is as good as there: who only waits for such is not among them.
    #[must_use]
    pub fn deadlocked(&self, graph: &ProcessGraph) -> VecSet<ProcessIndex> {
        let mut waits = self.waits(graph);
        loop {
            let free =
                |of: &VecSet<ProcessIndex>| !of.iter().any(|other| waits.contains_key(other));
            let freed: Vec<ProcessIndex> =
                waits.iter().filter(|(_, of)| free(of)).map(|(process, _)| *process).collect();
            if freed.is_empty() {
                return waits.into_keys().collect();
            }
            waits.retain(|process, _| !freed.contains(process));
        }
    }

    /// Who waits for whom, without those whose lock is on its way.
    fn waits(&self, graph: &ProcessGraph) -> VecMap<ProcessIndex, VecSet<ProcessIndex>> {
        let mut waits: VecMap<ProcessIndex, VecSet<ProcessIndex>> = VecMap::new();
        for process in graph.processes() {
            let Some(LocalState::Lock(lock)) = self.processes.get(process.index()) else {
                continue;
            };
            let awaited =
                lock.waits_for.iter().filter(|channel| channel.index() < self.channels.len());
            let holders = awaited.map(|channel| graph.ends(*channel).1);
            let holders = holders.filter(|holder| !self.is_granting(graph, *holder, process));
            let holders: VecSet<ProcessIndex> = holders.collect();
            if !holders.is_empty() {
                waits.insert(process, holders);
            }
        }
        waits
    }

    fn is_granting(&self, graph: &ProcessGraph, from: ProcessIndex, to: ProcessIndex) -> bool {
        let back: Option<ChannelId> = graph.channel_between(from, to);
        let in_it = back.and_then(|channel| self.channels.get(channel.index()));
        in_it.is_some_and(|messages| messages.contains(&Message::Grant))
    }
}
