//! The plateau: where more runs have stopped showing anything new.

use std::ops::ControlFlow;

use super::cell::Cell;
use super::counts::Reach;
use crate::protocol::ordered::{VecMap, VecSet};

/// Says when no new cell (point, fault class, phase) has appeared for so many runs.
///
/// Runs are looked at in the order of their place, whatever the order in which they come in: where the
/// plateau is depends on nothing but what each run reached.
#[derive(Clone, Debug)]
pub struct Plateau {
    patience: u64,
    seen: VecSet<Cell>,
    /// The place of the next run to be looked at.
    next: u64,
    /// Runs since the last that showed something new.
    without: u64,
    /// Runs that came in before their turn.
    waiting: VecMap<u64, Vec<Cell>>,
    /// Where the plateau was reached.
    end: Option<u64>,
}

impl Plateau {
    /// A plateau of so many runs; never fewer than one.
    #[must_use]
    pub fn new(patience: u64) -> Self {
        Self {
            patience: patience.max(1),
            seen: VecSet::new(),
            next: 0,
            without: 0,
            waiting: VecMap::new(),
            end: None,
        }
    }

    /// Takes what the run at `place` reached; places count from 0, without gaps, each comes once.
    /// `Break` from when the plateau is reached.
    pub fn add(&mut self, place: u64, reach: &Reach) -> ControlFlow<()> {
        if self.end.is_none() && place >= self.next {
            self.waiting.insert(place, reach.cells().map(|(cell, _)| cell).collect());
            while self.end.is_none()
                && let Some(cells) = self.waiting.remove(&self.next)
            {
                self.look(cells);
            }
        }
        if self.end.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// The place of the run with which the plateau was reached: what comes after it adds nothing.
    #[must_use]
    pub fn end(&self) -> Option<u64> {
        self.end
    }

    /// How many cells have been seen.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.seen.len()
    }

    /// The next run in order.
    fn look(&mut self, cells: Vec<Cell>) {
        let before = self.seen.len();
        self.seen.extend(cells);
        self.without = if self.seen.len() > before { 0 } else { self.without + 1 };
        if self.without >= self.patience {
            self.end = Some(self.next);
            self.waiting.clear();
        }
        self.next += 1;
    }
}
