//! O5: theorem 1 of the paper, carried out.
//!
//! An event is *prerecording* if it happened at its process before that recorded its state. Put all
//! prerecording events first, each process's own in the order in which they happened, and the others
//! behind them. The theorem says that this is a computation the system could have gone through, from the
//! same beginning to the same end, and that the state between the two halves is the snapshot. The oracle
//! goes through it: no message may be received that is not the first in its channel.

use std::collections::VecDeque;
use std::ops::Range;

use super::course::{Course, Window};
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
    (recorded, snapshot): (&Recorded, &GlobalState),
    course: &Course,
) -> Option<Violation> {
    let reordered = go_through(history, recorded, snapshot, course);
    reordered.err().map(|text| Violation::of(Property::Permutation, id, text))
}

/// Only what lies between the first and the last state that were recorded is reordered: what is before that goes
/// as in the trace, and so does what is behind it, once the two have come to the same state.
fn go_through(
    history: &History<'_>,
    recorded: &Recorded,
    snapshot: &GlobalState,
    course: &Course,
) -> Result<(), String> {
    let Some(window) = Window::of(recorded) else { return Ok(()) };
    let (before, after) = halves_within(history, recorded, window);
    let mut replay = Replay::of(course.before(window.begin)?.clone());
    replay.go_through(history, &before)?;
    let middle = replay.state();
    if middle != *snapshot {
        return Err(difference(history, &middle, snapshot));
    }
    replay.go_through(history, &after)?;
    if course.before(window.end).is_ok_and(|state| *state == replay.state()) {
        return course.stop().map_or(Ok(()), |reason| Err(reason.to_owned()));
    }
    replay.go_on(history, window.end..history.events.len()).map_err(|(_, text)| text)?;
    if course.last().is_some_and(|last| *last != replay.state()) {
        return Err("the reordered events lead to another end".to_owned());
    }
    Ok(())
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
    halves_within(history, recorded, Window { begin: 0, end: history.events.len() })
}

fn halves_within(
    history: &History<'_>,
    recorded: &Recorded,
    window: Window,
) -> (Vec<usize>, Vec<usize>) {
    let Window { begin, end } = window;
    let of_computation = (begin..).zip(&history.events[begin..end]);
    let located = of_computation.filter_map(|(at, event)| Some((at, history.process_of(event)?)));
    let is_before = |(at, process): &(usize, _)| {
        recorded.states.get(process).is_none_or(|(recorded_at, _)| at < recorded_at)
    };
    let (before, after): (Vec<_>, Vec<_>) = located.partition(is_before);
    let places = |half: Vec<(usize, _)>| half.into_iter().map(|(at, _)| at).collect();
    (places(before), places(after))
}

/// A system that goes through given events.
pub(super) struct Replay {
    processes: Vec<LocalState>,
    channels: Vec<VecDeque<Message>>,
}

impl Replay {
    pub(super) fn of(state: GlobalState) -> Self {
        let channels = state.channels.into_iter().map(VecDeque::from).collect();
        Self { processes: state.processes, channels }
    }

    pub(super) fn state(&self) -> GlobalState {
        let channels = self.channels.iter().map(|channel| channel.iter().copied().collect());
        GlobalState { processes: self.processes.clone(), channels: channels.collect() }
    }

    /// Goes through all events of a part of the trace; where that cannot be, the first that cannot, and why.
    pub(super) fn go_on(
        &mut self,
        history: &History<'_>,
        mut places: Range<usize>,
    ) -> Result<(), (usize, String)> {
        places.try_for_each(|at| self.take(history, at).map_err(|text| (at, text)))
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
