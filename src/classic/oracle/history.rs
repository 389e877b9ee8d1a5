//! What oracles make of a trace before they judge it: the same events, by channel and by snapshot.

use std::collections::BTreeMap;

use super::{Property, Violation};
use crate::classic::event::{Event, RunStarted, Stamped};
use crate::classic::global_state::GlobalState;
use crate::classic::graph::{ProcessGraph, ProcessIndex};
use crate::classic::message::Message;
use crate::classic::workload::LocalState;
use crate::protocol::ordered::{VecMap, VecSet};
use crate::protocol::{ChannelId, SnapshotId};

/// What a channel carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// A message.
    Message(Message),
    /// A marker.
    Marker(SnapshotId),
}

/// Both ends of a channel, in order, each with the place in the trace.
#[derive(Clone, Debug, Default)]
pub struct ChannelHistory {
    /// What was put in.
    pub sent: Vec<(usize, Carried)>,
    /// What was taken off.
    pub received: Vec<(usize, Carried)>,
    /// The messages among what was put in.
    sent_messages: Vec<(usize, Message)>,
    /// The places of those among what was taken off.
    received_messages: Vec<usize>,
    /// Where the first marker of each snapshot was put in.
    markers: BTreeMap<SnapshotId, usize>,
}

/// What was recorded of one snapshot.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    /// Who started it.
    pub initiators: VecSet<ProcessIndex>,
    /// Each process's state, with the place in the trace at which it was recorded; the first counts.
    pub states: VecMap<ProcessIndex, (usize, LocalState)>,
    /// Each channel's state; the first counts.
    pub channels: VecMap<ChannelId, Vec<Message>>,
    /// Who has recorded its part.
    pub complete: VecSet<ProcessIndex>,
    /// What was recorded a second time.
    pub again: Vec<String>,
}

/// A trace, read.
#[derive(Debug)]
pub struct History<'a> {
    /// The system.
    pub graph: &'a ProcessGraph,
    /// The first state of each process.
    pub initial: &'a [LocalState],
    /// All events.
    pub events: Vec<&'a Event>,
    /// By channel.
    pub channels: Vec<ChannelHistory>,
    /// By snapshot.
    pub snapshots: VecMap<SnapshotId, Recorded>,
    /// Whether the run was over before its end was told: nothing is owed otherwise.
    pub has_ended: bool,
}

impl<'a> History<'a> {
    /// Reads a trace.
    ///
    /// # Errors
    ///
    /// When it does not begin with a system, or names what that does not have.
    pub fn read(trace: &'a [Stamped]) -> Result<Self, Violation> {
        let wrong = |text: String| Violation::new(Property::Trace, text);
        let Some(Event::RunStarted(started)) = trace.first().map(|stamped| &stamped.event) else {
            return Err(wrong("the first event is not the start of a run".to_owned()));
        };
        let RunStarted { graph, states, .. } = started;
        if !graph.is_sound() || graph.processes().count() != states.len() {
            return Err(wrong("the system is not whole".to_owned()));
        }
        let mut history = Self {
            graph,
            initial: states,
            events: trace.iter().map(|stamped| &stamped.event).collect(),
            channels: vec![ChannelHistory::default(); graph.channels().count()],
            snapshots: VecMap::new(),
            has_ended: false,
        };
        for (place, stamped) in trace.iter().enumerate().skip(1) {
            if stamped.number != place as u64 || !history.knows(&stamped.event) {
                return Err(wrong(format!("event {} makes no sense", stamped.number)));
            }
            history.take(place, &stamped.event);
        }
        Ok(history)
    }

    /// What a snapshot recorded, where all of it is there.
    #[must_use]
    pub fn global_state(&self, recorded: &Recorded) -> Option<GlobalState> {
        let of_process = |process| recorded.states.get(&process).map(|(_, state)| state.clone());
        let of_channel = |channel| recorded.channels.get(&channel).cloned();
        let processes = self.graph.processes().map(of_process).collect::<Option<_>>()?;
        let channels = self.graph.channels().map(of_channel).collect::<Option<_>>()?;
        Some(GlobalState { processes, channels })
    }

    /// The state that the system began in.
    #[must_use]
    pub fn first_state(&self) -> GlobalState {
        let channels = vec![Vec::new(); self.channels.len()];
        GlobalState { processes: self.initial.to_vec(), channels }
    }

    /// Who an event of the computation happened at.
    #[must_use]
    pub fn process_of(&self, event: &Event) -> Option<ProcessIndex> {
        match event {
            Event::Commanded { process, .. } | Event::Stepped { process, .. } => Some(*process),
            Event::Received { channel, .. } => Some(self.graph.ends(*channel).1),
            Event::Sent { channel, .. } => Some(self.graph.ends(*channel).0),
            Event::RunStarted(_)
            | Event::SnapshotStarted { .. }
            | Event::MarkerSent { .. }
            | Event::MarkerReceived { .. }
            | Event::MarkerRefused { .. }
            | Event::StateRecorded { .. }
            | Event::ChannelRecorded { .. }
            | Event::Completed { .. }
            | Event::RunEnded { .. } => None,
        }
    }

    fn knows(&self, event: &Event) -> bool {
        match event {
            Event::RunStarted(_) => false,
            Event::Commanded { process, .. }
            | Event::Stepped { process, .. }
            | Event::SnapshotStarted { process, .. }
            | Event::StateRecorded { process, .. }
            | Event::Completed { process, .. } => process.index() < self.initial.len(),
            Event::Received { channel, .. }
            | Event::Sent { channel, .. }
            | Event::MarkerSent { channel, .. }
            | Event::MarkerReceived { channel, .. }
            | Event::MarkerRefused { channel, .. }
            | Event::ChannelRecorded { channel, .. } => channel.index() < self.channels.len(),
            Event::RunEnded { .. } => true,
        }
    }

    fn take(&mut self, place: usize, event: &Event) {
        match event {
            Event::Sent { channel, message } => {
                let channel = self.channel(*channel);
                channel.sent.push((place, Carried::Message(*message)));
                channel.sent_messages.push((place, *message));
            }
            Event::Received { channel, message, .. } => {
                let channel = self.channel(*channel);
                channel.received.push((place, Carried::Message(*message)));
                channel.received_messages.push(place);
            }
            Event::MarkerSent { channel, snapshot } => {
                let channel = self.channel(*channel);
                channel.sent.push((place, Carried::Marker(*snapshot)));
                channel.markers.entry(*snapshot).or_insert(place);
            }
            Event::MarkerReceived { channel, snapshot } => {
                self.channel(*channel).received.push((place, Carried::Marker(*snapshot)));
            }
            Event::SnapshotStarted { snapshot, process } => {
                self.snapshot(*snapshot).initiators.insert(*process);
            }
            Event::StateRecorded { process, snapshot, state } => {
                let state = (place, state.clone());
                let is_first = !self.snapshot(*snapshot).states.contains_key(process);
                let name = self.graph.name(*process).to_owned();
                let recorded = self.snapshot(*snapshot);
                recorded.states.entry(*process).or_insert(state);
                recorded.again.extend((!is_first).then_some(name));
            }
            Event::ChannelRecorded { channel, snapshot, messages } => {
                let name = self.graph.shown(*channel).to_string();
                let recorded = self.snapshot(*snapshot);
                let is_first = !recorded.channels.contains_key(channel);
                recorded.channels.entry(*channel).or_insert_with(|| messages.clone());
                recorded.again.extend((!is_first).then_some(name));
            }
            Event::Completed { process, snapshot } => {
                self.snapshot(*snapshot).complete.insert(*process);
            }
            Event::RunEnded { .. } => self.has_ended = true,
            Event::RunStarted(_)
            | Event::Commanded { .. }
            | Event::Stepped { .. }
            | Event::MarkerRefused { .. } => {}
        }
    }

    fn channel(&mut self, channel: ChannelId) -> &mut ChannelHistory {
        &mut self.channels[channel.index()]
    }

    fn snapshot(&mut self, snapshot: SnapshotId) -> &mut Recorded {
        self.snapshots.entry(snapshot).or_default()
    }
}

impl ChannelHistory {
    /// How many messages were put in before a place in the trace.
    #[must_use]
    pub fn sent_before(&self, place: usize) -> usize {
        self.sent_messages.partition_point(|(at, _)| *at < place)
    }

    /// How many messages were taken off before a place in the trace.
    #[must_use]
    pub fn received_before(&self, place: usize) -> usize {
        self.received_messages.partition_point(|at| *at < place)
    }

    /// Those of the first `end` messages that were put in which come behind the first `begin`.
    pub fn between(&self, begin: usize, end: usize) -> impl Iterator<Item = Message> {
        let between = self.sent_messages.get(begin..end).unwrap_or_default();
        between.iter().map(|(_, message)| *message)
    }

    /// How many messages were put in before the marker of a snapshot, if that was.
    #[must_use]
    pub fn sent_before_marker(&self, id: SnapshotId) -> Option<usize> {
        self.markers.get(&id).map(|place| self.sent_before(*place))
    }
}
