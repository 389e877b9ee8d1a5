//! What a run did, counted from its trace.

use serde::Serialize;
use strum::EnumCount as _;

use crate::plan::FaultClass;
use crate::trace::Event;

/// Counts of one run, or of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Statistics {
    /// Source entries read, those read again after a restore included.
    pub records: u64,
    /// Checkpoints completed.
    pub completed: u64,
    /// Checkpoints aborted.
    pub aborted: u64,
    /// Attempts that started from a checkpoint, or again from nothing.
    pub restores: u64,
    /// Inputs that processes took.
    pub steps: u64,
    /// Events of the trace.
    pub events: u64,
    /// Virtual time, in nanoseconds.
    pub virtual_ns: u64,
    /// Faults that struck, by class.
    pub struck: [u64; FaultClass::COUNT],
}

impl Statistics {
    /// Counts an event.
    pub fn observe(&mut self, event: &Event) {
        match event {
            Event::Read { .. } => self.records += 1,
            Event::Completed { .. } => self.completed += 1,
            Event::Aborted { .. } => self.aborted += 1,
            Event::AttemptStarted { attempt, .. } if attempt.0 > 1 => self.restores += 1,
            _ => {}
        }
    }

    /// Adds what another run did.
    pub fn add(&mut self, other: &Self) {
        self.records += other.records;
        self.completed += other.completed;
        self.aborted += other.aborted;
        self.restores += other.restores;
        self.steps += other.steps;
        self.events += other.events;
        self.virtual_ns += other.virtual_ns;
        for (mine, theirs) in self.struck.iter_mut().zip(other.struck) {
            *mine += theirs;
        }
    }

    /// How many faults of a class struck.
    #[must_use]
    pub fn struck(&self, class: FaultClass) -> u64 {
        self.struck[class as usize]
    }
}
