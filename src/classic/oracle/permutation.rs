//! O5: theorem 1 of the paper, carried out.
//!
//! An event is *prerecording* if it happened at its process before that recorded its state. Put all
//! prerecording events first, each process's own in the order in which they happened, and the others
//! behind them. The theorem says that this is a computation the system could have gone through, from the
//! same beginning to the same end, and that the state between the two halves is the snapshot. The oracle
//! goes through it: no message may be received that is not the first in its channel.

use std::collections::VecDeque;

use super::history::{History, Recorded};
use super::{Property, Violation};
use crate::classic::event::Event;
use crate::classic::global_state::GlobalState;
use crate::classic::message::Message;
use crate::classic::workload::LocalState;
use crate::protocol::SnapshotId;

pub(super) fn judge(
    history: &History<'_>,
    id: SnapshotId,
    recorded: &Recorded,
    snapshot: &GlobalState,
) -> Option<Violation> {
    let violation = |text| Some(Violation::of(Property::Permutation, id, text));
    let (before, after) = halves(history, recorded);
    let mut replay = Replay::of(history.first_state());
    if let Err(text) = replay.go_through(history, &before) {
        return violation(text);
    }
    let middle = replay.state();
    if middle != *snapshot {
        return violation(difference(history, &middle, snapshot));
    }
    if let Err(text) = replay.go_through(history, &after) {
        return violation(text);
    }
    if last_state(history).is_some_and(|last| last != replay.state()) {
        return violation("the reordered events lead to another end".to_owned());
    }
    None
}

/// The state at the end of the trace; none where the trace goes through nothing that could be.
#[must_use]
pub fn last_state(history: &History<'_>) -> Option<GlobalState> {
    let mut replay = Replay::of(history.first_state());
    let all: Vec<usize> = (0..history.events.len()).collect();
    replay.go_through(history, &all).ok()?;
    Some(replay.state())
}

/// The places of the events before the cut, and of those behind it.
#[must_use]
pub fn halves(history: &History<'_>, recorded: &Recorded) -> (Vec<usize>, Vec<usize>) {
    let of_computation = history.events.iter().enumerate();
    let located = of_computation.filter_map(|(at, event)| Some((at, history.process_of(event)?)));
    let is_before = |(at, process): &(usize, _)| {
        recorded.states.get(process).is_none_or(|(recorded_at, _)| at < recorded_at)
    };
    let (before, after): (Vec<_>, Vec<_>) = located.partition(is_before);
    let places = |half: Vec<(usize, _)>| half.into_iter().map(|(at, _)| at).collect();
    (places(before), places(after))
}

/// A system that goes through given events.
struct Replay {
    processes: Vec<LocalState>,
    channels: Vec<VecDeque<Message>>,
}

impl Replay {
    fn of(state: GlobalState) -> Self {
        let channels = state.channels.into_iter().map(VecDeque::from).collect();
        Self { processes: state.processes, channels }
    }

    fn state(&self) -> GlobalState {
        let channels = self.channels.iter().map(|channel| channel.iter().copied().collect());
        GlobalState { processes: self.processes.clone(), channels: channels.collect() }
    }

    fn go_through(&mut self, history: &History<'_>, places: &[usize]) -> Result<(), String> {
        places.iter().try_for_each(|at| self.take(history, *at))
    }

    fn take(&mut self, history: &History<'_>, at: usize) -> Result<(), String> {
        let event = history.events[at];
        match event {
            Event::Sent { channel, message } => {
                self.channels[channel.index()].push_back(*message);
                Ok(())
            }
            Event::Received { channel, message, state } => {
                let first = self.channels[channel.index()].pop_front();
                self.processes[history.graph.ends(*channel).1.index()] = state.clone();
                let found = first.map_or("nothing".to_owned(), |first| first.to_string());
                let channel = history.graph.shown(*channel);
                (first == Some(*message)).then_some(()).ok_or_else(|| {
                    format!(
                        "reordered around the cut, event {at} receives {message} from {channel}, \
                         which has {found} first"
                    )
                })
            }
            Event::Commanded { process, state } | Event::Stepped { process, state } => {
                self.processes[process.index()] = state.clone();
                Ok(())
            }
            Event::RunStarted(_)
            | Event::SnapshotStarted { .. }
            | Event::MarkerSent { .. }
            | Event::MarkerReceived { .. }
            | Event::MarkerRefused { .. }
            | Event::StateRecorded { .. }
            | Event::ChannelRecorded { .. }
            | Event::Completed { .. }
            | Event::RunEnded { .. } => Ok(()),
        }
    }
}

fn difference(history: &History<'_>, middle: &GlobalState, snapshot: &GlobalState) -> String {
    let mut processes = history.graph.processes();
    let differs = |index: usize| middle.processes[index] != snapshot.processes[index];
    if let Some(process) = processes.find(|process| differs(process.index())) {
        let (name, index) = (history.graph.name(process), process.index());
        let (middle, found) = (&middle.processes[index], &snapshot.processes[index]);
        return format!("{name} is recorded with {found}, but has {middle} between the halves");
    }
    let mut channels = history.graph.channels();
    let differs = |index: usize| middle.channels[index] != snapshot.channels[index];
    let channel = channels.find(|channel| differs(channel.index()));
    let channel = channel.map_or_else(String::new, |it| history.graph.shown(it).to_string());
    format!("{channel} is recorded with other messages than it has between the halves")
}
