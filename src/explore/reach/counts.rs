//! What was reached, counted: one run, or many together.

use strum::{EnumCount as _, IntoEnumIterator as _};

use super::cell::Cell;
use super::lives::{PAIRS, Step, pairs, place};
use crate::plan::draw::repertoire::{Need, Repertoire};
use crate::plan::{Expectation, Situation};
use crate::protocol::ordered::VecMap;
use crate::trace::Point;

/// What was reached. Adding is commutative and associative, so that shards can be merged in any order.
///
/// Its serialised form is numbers only, a few hundred bytes a run, with a hash of the names that they
/// stand for: a build with other points, classes, phases or situations refuses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    pub(super) runs: u64,
    /// Runs that had what some points need.
    pub(super) needs_met: [u64; Need::COUNT],
    pub(super) points: [u64; Point::COUNT],
    pub(super) cells: VecMap<Cell, u64>,
    pub(super) situations: [u64; Situation::COUNT],
    /// Runs in which one step came behind another in the life of a checkpoint on a channel.
    pub(super) pairs: [u64; PAIRS],
}

impl Default for Reach {
    fn default() -> Self {
        Self {
            runs: 0,
            needs_met: [0; Need::COUNT],
            points: [0; Point::COUNT],
            cells: VecMap::new(),
            situations: [0; Situation::COUNT],
            pairs: [0; PAIRS],
        }
    }
}

impl Reach {
    /// Adds what other runs reached. Counts stop at their maximum.
    pub fn add(&mut self, other: &Self) {
        self.runs = self.runs.saturating_add(other.runs);
        add_all(&mut self.needs_met, &other.needs_met);
        add_all(&mut self.points, &other.points);
        add_all(&mut self.situations, &other.situations);
        add_all(&mut self.pairs, &other.pairs);
        for (cell, count) in &other.cells {
            let mine = self.cells.entry(*cell).or_insert(0);
            *mine = mine.saturating_add(*count);
        }
    }

    /// How many runs are counted.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// What any of the runs had.
    #[must_use]
    pub fn repertoire(&self) -> Repertoire {
        Repertoire::meeting(|need| self.needs_met[need as usize] > 0)
    }

    /// How often a point was passed.
    #[must_use]
    pub fn point(&self, point: Point) -> u64 {
        self.points[point as usize]
    }

    /// How many runs came into a situation.
    #[must_use]
    pub fn situation(&self, situation: Situation) -> u64 {
        self.situations[situation as usize]
    }

    /// In how many runs `second` came behind `first` in the life of a checkpoint on a channel.
    #[must_use]
    pub fn pair(&self, first: Step, second: Step) -> u64 {
        self.pairs[place(first, second)]
    }

    /// The pairs that were met, in order, each with in how many runs.
    pub fn pairs(&self) -> impl Iterator<Item = ((Step, Step), u64)> + '_ {
        pairs().zip(self.pairs.iter().copied()).filter(|(_, runs)| *runs > 0)
    }

    /// The points that were passed, in order, each with how often.
    pub fn points(&self) -> impl Iterator<Item = (Point, u64)> + '_ {
        Point::iter().map(|point| (point, self.point(point))).filter(|(_, count)| *count > 0)
    }

    /// The situations that runs came into, in order, each with how many did.
    pub fn situations(&self) -> impl Iterator<Item = (Situation, u64)> + '_ {
        let all = Situation::iter().map(|situation| (situation, self.situation(situation)));
        all.filter(|(_, count)| *count > 0)
    }

    /// Where faults struck, in order, each with how many.
    pub fn cells(&self) -> impl Iterator<Item = (Cell, u64)> + '_ {
        self.cells.iter().map(|(cell, count)| (*cell, *count))
    }

    /// Whether an expectation was met in any run.
    #[must_use]
    pub fn meets(&self, expectation: Expectation) -> bool {
        match expectation {
            Expectation::Point(point) => self.point(point) > 0,
            Expectation::Situation(situation) => self.situation(situation) > 0,
        }
    }
}

fn add_all(mine: &mut [u64], theirs: &[u64]) {
    for (mine, theirs) in mine.iter_mut().zip(theirs) {
        *mine = mine.saturating_add(*theirs);
    }
}
