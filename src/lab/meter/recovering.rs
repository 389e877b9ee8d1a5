//! Measures a restart.

use super::ms;
use crate::lab::report::Recovery;

/// Records are read when they come if they are read no later than this after, in nanoseconds.
const IN_TIME_NS: u64 = 50_000_000;

/// A restart under way.
pub(super) struct Recovering {
    failed: u64,
    /// Records that had been read when the worker died.
    read: u64,
    pub(super) detected: Option<u64>,
    pub(super) deployed: Option<u64>,
    restored: Option<u64>,
    pub(super) discarded_percent: f64,
    pub(super) anew_percent: f64,
    /// Records that were read twice in the end.
    lost: u64,
    /// Records read since.
    again: u64,
    /// What the last batch brought the position to, by read batch.
    replayed: Option<u64>,
    caught_up: Option<u64>,
}

impl Recovering {
    pub(super) fn new(failed: u64, read: u64) -> Self {
        Self {
            failed,
            read,
            detected: None,
            deployed: None,
            restored: None,
            discarded_percent: 0.0,
            anew_percent: 0.0,
            lost: 0,
            again: 0,
            replayed: None,
            caught_up: None,
        }
    }

    pub(super) fn handle_restored(&mut self, now: u64, read: u64) {
        self.restored = Some(now);
        self.lost = self.read.saturating_sub(read);
    }

    /// A source reads a batch of so many records.
    pub(super) fn handle_read(&mut self, now: u64, due: u64, records: u64) {
        if self.restored.is_none() {
            return;
        }
        self.again += records;
        if self.again < self.lost {
            return;
        }
        self.replayed.get_or_insert(now);
        if now.saturating_sub(due) <= IN_TIME_NS {
            self.caught_up.get_or_insert(now);
        }
    }

    /// At the end of the run.
    pub(super) fn report(self, until: u64) -> Recovery {
        let passed = |from: Option<u64>, to: Option<u64>| Some(ms(to?.saturating_sub(from?)));
        Recovery {
            detect_ms: passed(Some(self.failed), self.detected),
            deploy_ms: passed(self.detected, self.deployed),
            restore_ms: passed(self.deployed, self.restored),
            replay_ms: passed(self.restored, self.replayed),
            catch_up_ms: passed(self.replayed, self.caught_up),
            until_end_ms: ms(until.saturating_sub(self.failed)),
            lost_records: self.restored.map(|_| self.lost),
            discarded_percent: self.discarded_percent,
            anew_percent: self.anew_percent,
        }
    }
}
