//! How a run went, over virtual time: what was processed, what waited in channels, how many were blocked.

use serde::Serialize;

use crate::protocol::ordered::VecSet;
use crate::protocol::{Attempt, ChannelId, VirtualTime};
use crate::trace::{About, Carried, Event, Place, Point, Stamp};

/// Into so many parts of equal length a run is divided.
const PARTS: usize = 180;

/// One figure for each part of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Metrics {
    /// When the first part begins, in nanoseconds.
    pub start: u64,
    /// When the last one ends.
    pub end: u64,
    /// How many records were processed in it.
    pub processed: Vec<u64>,
    /// How many records were in channels at most.
    pub waiting: Vec<u64>,
    /// How many channels were blocked at most.
    pub blocked: Vec<u64>,
    /// How many events happened in it.
    pub events: Vec<u64>,
    /// How many faults struck or ended in it.
    pub faults: Vec<u64>,
}

impl Metrics {
    /// Those of a trace.
    #[must_use]
    pub fn of(trace: &[(Stamp, Event)]) -> Self {
        let at = |end: Option<&(Stamp, Event)>| end.map_or(0, |(stamp, _)| stamp.at.0);
        let (start, end) = (at(trace.first()), at(trace.last()));
        let none = || vec![0; PARTS];
        let mut metrics = Self {
            start,
            end: end.max(start),
            processed: none(),
            waiting: none(),
            blocked: none(),
            events: none(),
            faults: none(),
        };
        let mut levels = Levels::default();
        let mut reached = 0;
        for (stamp, event) in trace {
            let part = metrics.part(stamp.at);
            metrics.hold(&mut reached, part, &levels);
            levels.take(event);
            metrics.take(part, event, &levels);
        }
        metrics.hold(&mut reached, PARTS - 1, &levels);
        metrics
    }

    fn part(&self, at: VirtualTime) -> usize {
        let length = u128::from(self.end - self.start) + 1;
        let since = u128::from(at.0.clamp(self.start, self.end) - self.start);
        usize::try_from(since * PARTS as u128 / length).unwrap_or(0).min(PARTS - 1)
    }

    /// What goes on while nothing happens goes on in every part of that time.
    fn hold(&mut self, reached: &mut usize, part: usize, levels: &Levels) {
        while *reached < part {
            *reached += 1;
            self.raise(*reached, levels);
        }
    }

    fn raise(&mut self, part: usize, levels: &Levels) {
        self.waiting[part] = self.waiting[part].max(levels.waiting());
        self.blocked[part] = self.blocked[part].max(levels.blocked);
    }

    fn take(&mut self, part: usize, event: &Event, levels: &Levels) {
        self.events[part] += 1;
        let About { place, carried, .. } = event.about();
        if matches!((place, carried), (Place::OutOf(_), Carried::Record(_))) {
            self.processed[part] += 1;
        }
        if Point::from(event).tells_of_fault() {
            self.faults[part] += 1;
        }
        self.raise(part, levels);
    }
}

/// What is so at one place of the trace.
#[derive(Default)]
struct Levels {
    sent: u64,
    received: u64,
    blocked: u64,
    channels: VecSet<(ChannelId, Attempt)>,
    attempt: Option<Attempt>,
}

impl Levels {
    fn waiting(&self) -> u64 {
        self.sent.saturating_sub(self.received)
    }

    fn take(&mut self, event: &Event) {
        match event {
            Event::AttemptStarted { attempt, .. } => {
                *self = Self { attempt: Some(*attempt), ..Self::default() };
            }
            Event::Sent { attempt, .. } if self.is_now(*attempt) => self.sent += 1,
            Event::Received { attempt, .. } if self.is_now(*attempt) => self.received += 1,
            Event::ChannelBlocked { channel, attempt, .. } if self.is_now(*attempt) => {
                self.channels.insert((*channel, *attempt));
            }
            Event::ChannelUnblocked { channel, attempt, .. } => {
                self.channels.remove(&(*channel, *attempt));
            }
            _ => return,
        }
        self.blocked = self.channels.len() as u64;
    }

    /// Whether the attempt is the one that goes on; any is while none was told of.
    fn is_now(&self, attempt: Attempt) -> bool {
        self.attempt.is_none_or(|now| now == attempt)
    }
}
