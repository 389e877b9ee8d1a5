//! What both worlds keep of a run beside its processes: how far it has come, and which faults act on it.

use super::faults::{Moment, Nemesis};
use super::network::Network;
use super::planned_requests::PlannedRequests;
use super::troubles::Troubles;
use super::{Ending, Observer, RunEnd};
use crate::plan::Plan;
use crate::protocol::{Attempt, ProcessId, VirtualTime};
use crate::trace::{Event, Point, Stamp};

/// The state of a run.
#[derive(Clone)]
pub(super) struct RunState<O> {
    observer: O,
    pub nemesis: Nemesis,
    pub planned_requests: PlannedRequests,
    pub network: Network,
    pub troubles: Troubles,
    pub now: VirtualTime,
    pub steps: u64,
    events: u64,
    /// The kind of the last event that tells of the system, not of its faults.
    last: Option<Point>,
    /// The newest attempt that was started.
    pub attempt: Attempt,
    pub ending: Option<Ending>,
    /// The safety phase is over.
    pub is_healed: bool,
}

impl<O: Observer> RunState<O> {
    /// That of a run in which nothing has happened.
    pub fn new(plan: &Plan, observer: O) -> Self {
        Self {
            observer,
            nemesis: Nemesis::new(plan),
            planned_requests: PlannedRequests::new(plan),
            network: Network::default(),
            troubles: Troubles::default(),
            now: VirtualTime::ZERO,
            steps: 0,
            events: 0,
            last: None,
            attempt: Attempt::default(),
            ending: None,
            is_healed: false,
        }
    }

    /// Shows an event.
    #[inline]
    pub fn observe(&mut self, process: ProcessId, event: &Event) {
        let stamp = Stamp { number: self.events, at: self.now, process };
        self.events += 1;
        if self.observer.observe(stamp, event).is_break() {
            self.ending.get_or_insert(Ending::Stopped);
        }
    }

    /// Takes note of an event of the system, which has been shown.
    #[inline]
    pub fn note(&mut self, event: &Event) {
        let point = Point::from(event);
        if !point.tells_of_fault() {
            self.last = Some(point);
        }
        match event {
            Event::JobFinished { .. } => {
                self.ending.get_or_insert(Ending::Finished);
            }
            Event::LeadershipTaken { term } => self.planned_requests.handle_leadership_taken(*term),
            Event::JobStopped { term, .. } if self.planned_requests.is_over(*term) => {
                self.ending.get_or_insert(Ending::Finished);
            }
            Event::AttemptStarted { attempt, .. } => self.attempt = self.attempt.max(*attempt),
            _ => {}
        }
    }

    /// Where the trace is now.
    pub fn moment(&self) -> Moment {
        Moment { events: self.events, after: self.last }
    }

    /// The run is over.
    pub fn into_end(self) -> (RunEnd, Nemesis, O) {
        let ending = self.ending.unwrap_or(Ending::Quiescent);
        let end = RunEnd { ending, at: self.now, steps: self.steps, events: self.events };
        (end, self.nemesis, self.observer)
    }
}
