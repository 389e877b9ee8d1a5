//! How a run goes.

use super::shape::Shape;
use crate::plan::Span;
use crate::protocol::independent::{IndependentDefectSet, Scheme};

/// When a checkpoint is due that nothing forces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// An interval after the last that nothing forced, whatever was forced meanwhile.
    Regular,
    /// An interval after the last, forced or not: a forced one is as good as any.
    SinceAny,
}

/// How a run goes. Times are virtual.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What everything is drawn from.
    pub seed: u64,
    /// The job.
    pub shape: Shape,
    /// How checkpoints come about.
    pub scheme: Scheme,
    /// How many records each source reads in a second.
    pub rate: u64,
    /// For how long sources read, in milliseconds.
    pub input_ms: u64,
    /// From one checkpoint of a process that nothing forces to the next, in milliseconds.
    pub interval_ms: Span,
    /// What the interval is counted from.
    pub pace: Pace,
    /// How long a message is under way, in microseconds.
    pub delay_us: Span,
    /// When all processes fall back to the recovery line, in milliseconds; never, if so long after the input that
    /// nothing is left to do.
    pub failure_ms: u64,
    /// Seeded bugs.
    pub defects: IndependentDefectSet,
}

impl Settings {
    /// What CheckMate runs: a checkpoint every 4 to 6 s, 60 s of input, a failure after 48 s; and links of 0.2 to 2 ms.
    #[must_use]
    pub fn of(scheme: Scheme, shape: Shape, seed: u64) -> Self {
        Self {
            seed,
            shape,
            scheme,
            rate: 100,
            input_ms: 60_000,
            interval_ms: Span::new(4_000, 6_000),
            pace: Pace::SinceAny,
            delay_us: Span::new(200, 2_000),
            failure_ms: 48_000,
            defects: IndependentDefectSet::NONE,
        }
    }
}
