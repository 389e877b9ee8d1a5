//! Watches a run, and says what it reached.

use strum::{EnumCount as _, IntoEnumIterator as _};

use super::cell::{Cell, row};
use super::counts::Reach;
use super::lives::Lives;
use super::phase::PhaseTracker;
use super::situations::Situations;
use crate::plan::draw::repertoire::{Need, Repertoire};
use crate::trace::{Event, Point};
use crate::world::faults::Strike;

/// Counts the points of a run, and follows its phases. Most events cost one addition.
#[derive(Clone, Debug)]
pub struct ReachTracker {
    points: [u64; Point::COUNT],
    events: u64,
    phases: PhaseTracker,
    situations: Situations,
    lives: Lives,
}

impl Default for ReachTracker {
    fn default() -> Self {
        Self {
            points: [0; Point::COUNT],
            events: 0,
            phases: PhaseTracker::default(),
            situations: Situations::default(),
            lives: Lives::default(),
        }
    }
}

impl ReachTracker {
    /// Nothing was reached yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sees the next event of the run.
    #[inline]
    pub fn observe(&mut self, event: &Event) {
        let point = Point::from(event);
        self.points[point as usize] += 1;
        self.events += 1;
        if PER_RECORD & bit(point) == 0 {
            self.follow(event);
        }
    }

    #[inline(never)]
    fn follow(&mut self, event: &Event) {
        self.situations.observe(event, &self.phases);
        self.phases.observe(self.events, event);
        self.lives.observe(event);
    }

    /// How often a point was passed so far.
    #[must_use]
    pub fn point(&self, point: Point) -> u64 {
        self.points[point as usize]
    }

    /// How many attempts were started after the first.
    #[must_use]
    pub fn restores(&self) -> u64 {
        self.phases.restores()
    }

    /// What the run reached, with what it had and the faults that struck in it.
    #[must_use]
    pub fn finish(self, repertoire: &Repertoire, strikes: &[Strike]) -> Reach {
        let mut reach = Reach {
            runs: 1,
            points: self.points,
            situations: self.situations.met(),
            pairs: self.lives.met(),
            ..Reach::default()
        };
        for need in Need::iter() {
            reach.needs_met[need as usize] = u64::from(repertoire.meets(need));
        }
        for strike in strikes {
            let phase = self.phases.phase_at(strike.moment.events);
            let cell = Cell { point: row(strike.moment), class: strike.class, phase };
            *reach.cells.entry(cell).or_insert(0) += 1;
        }
        reach
    }
}

/// One bit for each point that is passed for every record, and tells nothing of phases or situations. What
/// is missing here costs time, and nothing else.
const PER_RECORD: u128 = bit(Point::Read)
    | bit(Point::Sent)
    | bit(Point::Received)
    | bit(Point::Replayed)
    | bit(Point::WatermarkAdvanced)
    | bit(Point::WatermarkSent)
    | bit(Point::WatermarkReceived)
    | bit(Point::TimerRegistered)
    | bit(Point::TimerDeleted)
    | bit(Point::TimerFired);

const fn bit(point: Point) -> u128 {
    1 << point as u32
}

const _: () = assert!(Point::COUNT <= 128, "one bit a point");
