//! What the system went through, as the trace has it: gone through once for all snapshots.

use super::history::{History, Recorded};
use super::permutation::Replay;
use crate::classic::global_state::GlobalState;
use crate::protocol::ordered::VecMap;

/// The states that the trace itself goes through, at the ends of all cuts.
#[derive(Debug)]
pub struct Course {
    /// By place in the trace: the state before the event there.
    states: VecMap<usize, GlobalState>,
    /// The first event that could not be, with the reason.
    stop: Option<(usize, String)>,
    /// The state at the end; none where the trace goes through nothing that could be.
    last: Option<GlobalState>,
}

/// The part of the trace in which the processes recorded their states: what comes before it happened before the
/// cut at all of them, and what comes behind it behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Where the first state was recorded.
    pub begin: usize,
    /// Where the last one was.
    pub end: usize,
}

impl Window {
    /// That of a snapshot; none where nothing was recorded.
    #[must_use]
    pub fn of(recorded: &Recorded) -> Option<Self> {
        let places = || recorded.states.values().map(|(place, _)| *place);
        Some(Self { begin: places().min()?, end: places().max()? })
    }
}

impl Course {
    /// Goes through a trace.
    #[must_use]
    pub fn of(history: &History<'_>) -> Self {
        let windows = history.snapshots.values().filter_map(Window::of);
        let mut wanted: Vec<usize> = windows.flat_map(|it| [it.begin, it.end]).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let (mut replay, mut states, mut gone) =
            (Replay::of(history.first_state()), VecMap::new(), 0);
        for place in wanted {
            if let Err(stop) = replay.go_on(history, gone..place) {
                return Self { states, stop: Some(stop), last: None };
            }
            states.insert(place, replay.state());
            gone = place;
        }
        let stop = replay.go_on(history, gone..history.events.len()).err();
        let last = stop.is_none().then(|| replay.state());
        Self { states, stop, last }
    }

    /// The state before the event at the end of a cut.
    ///
    /// # Errors
    ///
    /// Why the trace does not come so far.
    pub fn before(&self, place: usize) -> Result<&GlobalState, String> {
        let reason = || self.stop.as_ref().map(|(_, reason)| reason.clone()).unwrap_or_default();
        self.states.get(&place).ok_or_else(reason)
    }

    /// Why the trace does not come to its end, if it does not.
    #[must_use]
    pub fn stop(&self) -> Option<&str> {
        self.stop.as_ref().map(|(_, reason)| reason.as_str())
    }

    /// The state at the end; none where the trace goes through nothing that could be.
    #[must_use]
    pub fn last(&self) -> Option<&GlobalState> {
        self.last.as_ref()
    }
}
