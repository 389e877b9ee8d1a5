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
    /// Whether some attempt has processed a record.
    has_processed: bool,
    /// Whether the attempt began from a checkpoint, behind one that had processed a record, and has processed none yet.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{
        Attempt, ChannelId, CheckpointId, LineageId, ProcessId, Term, VirtualTime,
    };

    const CHECKPOINT: Option<CheckpointId> = Some(CheckpointId(1));

    fn started(restored: Option<CheckpointId>) -> Event {
        Event::AttemptStarted { attempt: Attempt(1), term: Term(1), restored }
    }

    fn received() -> Event {
        let (channel, attempt, lineage) = (ChannelId(0), Attempt(1), LineageId(7));
        Event::Received { channel, attempt, sequence: 1, lineage }
    }

    fn replayed() -> Event {
        let (channel, attempt, lineage) = (ChannelId(0), Attempt(1), LineageId(7));
        Event::Replayed { channel, attempt, lineage }
    }

    fn restores(events: &[Event]) -> u64 {
        let mut flow = Flow::default();
        let (at, process) = (VirtualTime::default(), ProcessId::Coordinator);
        for event in events {
            let _ = flow.observe(Stamp { number: 0, at, process }, event);
        }
        flow.restores
    }

    #[test]
    fn a_restore_counts_between_records() {
        assert_eq!(restores(&[started(None), received(), started(CHECKPOINT), received()]), 1);
        assert_eq!(restores(&[started(None), replayed(), started(CHECKPOINT), replayed()]), 1);
        let twice = [received(), started(CHECKPOINT), received(), started(CHECKPOINT), received()];
        assert_eq!(restores(&twice), 2);
        let once = [received(), started(CHECKPOINT), received(), received()];
        assert_eq!(restores(&once), 1, "an attempt counts once");
    }

    #[test]
    fn a_restore_before_or_behind_all_records_does_not_count() {
        assert_eq!(restores(&[started(CHECKPOINT), received()]), 0, "nothing was processed before");
        assert_eq!(restores(&[received(), started(CHECKPOINT)]), 0, "nothing was afterwards");
        assert_eq!(restores(&[received(), started(None), received()]), 0, "from nothing");
        let broken = [received(), started(CHECKPOINT), started(CHECKPOINT), received()];
        assert_eq!(restores(&broken), 1, "the attempt that processes nothing does not");
    }
}
