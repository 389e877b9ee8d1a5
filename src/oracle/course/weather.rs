//! Whether something acts that can make things fail.
//!
//! A run is *calm* until its first fault, and again once its faults have ended and an attempt that began after them runs;
//! the end of faults is no fault itself. What is gone for good makes it never calm again.
//!
//! What faults held up may be on its way for a while after that: restored sinks commit again what had been promised.
//! Calm is *settled* once a checkpoint has completed in it.

use crate::protocol::VirtualTime;
use crate::trace::{Event, Point, SinkTrouble, Stamp};

/// Faults, as far as the trace tells of them.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Weather {
    sky: Sky,
    have_faults_ended: bool,
    /// Faults have ended, and the current attempt began after that.
    is_after_faults: bool,
    /// The newest event of the sink target's last expiry: its begin, and what it settles in that instant, with nothing
    /// between but faults that strike.
    expiry: Option<(u64, VirtualTime)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Sky {
    /// Nothing acts.
    #[default]
    Calm,
    /// A fault has struck.
    Disturbed,
    /// Nothing acts any more, and no checkpoint has completed since.
    Clearing,
    /// Something is gone for good.
    Damaged,
}

impl Weather {
    /// Selects faults, and what they explain.
    pub fn take(&mut self, stamp: Stamp, event: &Event) {
        if Point::from(event).tells_of_fault() {
            self.strike(stamp, event);
        }
        match event {
            Event::TransactionCommitted { .. } | Event::TransactionAborted { .. } => {
                self.continue_expiry(stamp);
            }
            Event::AttemptRunning { .. } if self.is_after_faults && self.sky == Sky::Disturbed => {
                self.sky = Sky::Clearing;
            }
            Event::Completed { .. } if self.sky == Sky::Clearing => self.sky = Sky::Calm,
            _ => {}
        }
    }

    /// A fault strikes or ends, maybe while the target lets one transaction after the other expire.
    #[cold]
    fn strike(&mut self, stamp: Stamp, event: &Event) {
        self.continue_expiry(stamp);
        match event {
            Event::FaultsEnded => {
                self.have_faults_ended = true;
                return;
            }
            Event::ObjectDestroyed { .. } => self.sky = Sky::Damaged,
            Event::SinkTroubled { trouble: SinkTrouble::ExpiredTransaction } => {
                self.expiry = Some((stamp.number, stamp.at));
            }
            _ => {}
        }
        if self.is_calm() {
            self.sky = Sky::Disturbed;
        }
    }

    fn continue_expiry(&mut self, stamp: Stamp) {
        let next = (stamp.number, stamp.at);
        if self.expiry.is_some_and(|(newest, at)| (newest + 1, at) == next) {
            self.expiry = Some(next);
        }
    }

    /// An attempt begins.
    pub fn start_attempt(&mut self) {
        self.is_after_faults = self.have_faults_ended;
    }

    /// Whether nothing acts, as far as faults go.
    pub fn is_calm(&self) -> bool {
        match self.sky {
            Sky::Calm | Sky::Clearing => true,
            Sky::Disturbed | Sky::Damaged => false,
        }
    }

    /// Whether nothing that a fault held up is on its way either.
    pub fn is_settled(&self) -> bool {
        self.sky == Sky::Calm
    }

    /// Whether the current attempt began after faults had ended.
    pub fn is_after_faults(&self) -> bool {
        self.is_after_faults
    }

    /// Whether the sink target has ever let transactions expire.
    pub fn has_expiry(&self) -> bool {
        self.expiry.is_some()
    }

    /// Whether the event at hand is of the target's last expiry.
    pub fn is_of_expiry(&self, stamp: Stamp) -> bool {
        self.expiry == Some((stamp.number, stamp.at))
    }
}
