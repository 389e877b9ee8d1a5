//! What a check that holds has tested: how often the job was restored while records flowed.

use std::fmt;
use std::ops::ControlFlow;

use crate::explore::reach::Reach;
use crate::explore::statistics::Statistics;
use crate::trace::{Event, Point, Stamp};
use crate::world::Observer;

/// What the seeds of a check did, together.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// How many plans were run.
    pub runs: u64,
    /// How often the job was restored from a checkpoint while records flowed: some had been processed before, and some
    /// were afterwards. Nothing else tests what a snapshot holds.
    pub flowing: u64,
    /// What was counted.
    pub statistics: Statistics,
    /// Which protocol points and situations the runs passed, and where faults struck.
    pub reach: Reach,
}

impl Checked {
    /// Adds what other runs did.
    pub(super) fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.flowing += other.flowing;
        self.statistics.add(&other.statistics);
        self.reach.add(&other.reach);
    }

    /// The protocol points that no run passed.
    pub fn never(&self) -> impl Iterator<Item = Point> + '_ {
        use strum::IntoEnumIterator as _;
        Point::iter().filter(|point| self.reach.point(*point) == 0)
    }
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { runs, flowing, statistics, reach } = self;
        let Statistics { restores, completed, records, .. } = statistics;
        let (points, situations) = (reach.points().count(), reach.situations().count());
        write!(
            f,
            "{runs} plans held: {completed} checkpoints, {restores} restores, {flowing} of them while records flowed, \
             {records} entries read, {points} protocol points and {situations} situations passed"
        )
    }
}

impl fmt::Debug for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Watches a run for restores while records flow.
#[derive(Debug, Default)]
pub struct Flow {
    /// Whether the attempt has processed a record.
    has_processed: bool,
    /// Whether it began from a checkpoint, behind one that had processed a record.
    is_restored: bool,
    /// How many attempts did, and processed records then.
    pub restores: u64,
}

impl Observer for Flow {
    fn observe(&mut self, _: Stamp, event: &Event) -> ControlFlow<()> {
        if let Event::AttemptStarted { restored, .. } = event {
            self.is_restored = restored.is_some() && self.has_processed;
        } else if let Event::Received { .. } | Event::Replayed { .. } = event {
            self.restores += u64::from(self.is_restored);
            (self.has_processed, self.is_restored) = (true, false);
        }
        ControlFlow::Continue(())
    }
}
