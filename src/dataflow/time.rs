//! What befalls event time in a subtask, for those who observe it: watermarks, timers, late records.

use crate::protocol::{Digest, LineageId};

/// What befalls event time in a step of a subtask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeStep {
    /// The watermark of the subtask rose.
    Advanced {
        /// To this.
        watermark: i64,
    },
    /// A timer that was not there was registered.
    Registered(TimerId),
    /// A timer was taken back.
    Deleted(TimerId),
    /// A timer fires.
    Fired(TimerId),
    /// A record was dropped because it is late.
    Dropped {
        /// Where it came from.
        lineage: LineageId,
        /// The digest of its bytes.
        record: Digest,
        /// Its event time.
        timestamp: i64,
    },
}

/// Tells a timer from all others of its operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimerId {
    /// When it fires.
    pub timestamp: i64,
    /// The digest of its encoded key.
    pub key: Digest,
}

impl TimerId {
    /// The timer of this encoded key.
    pub(crate) fn new(timestamp: i64, key: &[u8]) -> Self {
        Self { timestamp, key: Digest::of(key) }
    }
}

/// Where a subtask stands in event time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeStand {
    /// Its watermark.
    pub watermark: i64,
    /// How many timers are pending.
    pub timers: u64,
}

/// What befell event time in a step, if it is observed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes {
    /// Whether it is.
    pub(crate) observes: bool,
    /// What befell it, in order.
    pub(crate) steps: Vec<TimeStep>,
}

impl Notes {
    /// Adds what befell it, if it is observed.
    pub(crate) fn add(&mut self, step: impl FnOnce() -> TimeStep) {
        if self.observes {
            self.steps.push(step());
        }
    }
}
