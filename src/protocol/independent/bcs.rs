//! Checkpoints forced by a logical clock: those of one time form a consistent cut.
//!
//! After Briatico, Ciuffoletti and Simoncini, *A Distributed Domino-Effect Free Recovery Algorithm* (1984).

/// The time of a process: that of its newest checkpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LogicalClock(u64);

impl LogicalClock {
    /// A checkpoint begins a new time.
    pub(super) fn tick(&mut self) {
        self.0 += 1;
    }

    /// The time that messages carry.
    pub(super) fn now(self) -> u64 {
        self.0
    }

    /// Whether a message of this time comes from behind a checkpoint that this process has yet to take.
    pub(super) fn is_behind(self, time: u64) -> bool {
        time > self.0
    }

    /// A message of this time is processed.
    pub(super) fn catch_up(&mut self, time: u64) {
        self.0 = self.0.max(time);
    }
}
