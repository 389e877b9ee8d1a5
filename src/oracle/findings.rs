//! What oracles find: violations, and what excuses them.

use super::shape::Shape;
use super::verdict::{Violation, Violations};
use crate::protocol::CheckpointId;
use crate::trace::Stamp;

/// What was found so far in a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Findings {
    /// What is wrong.
    pub violations: Violations,
    /// What is not, though it looks like it.
    pub excuses: Excuses,
}

/// What one oracle finds out, and another would report if it did not know.
#[derive(Clone, Debug, Default)]
pub(super) struct Excuses {
    /// A barrier of this checkpoint, which was aborted just now, waits in a channel for records before it.
    pub held_up: Option<CheckpointId>,
    expired: Option<String>,
    /// How often something expired where nothing had.
    expiries: u32,
}

impl Findings {
    /// Takes a violation, found at `stamp` in a job of this shape.
    #[cold]
    pub fn report(&mut self, shape: &Shape, stamp: Stamp, violation: Violation) {
        self.violations.add(shape, stamp, violation);
    }
}

impl Excuses {
    /// What a completed checkpoint holds and the sink target has let expire, if anything is.
    pub fn set_expired(&mut self, what: Option<String>) {
        self.expiries += u32::from(self.expired.is_none() && what.is_some());
        self.expired = what;
    }

    /// What a completed checkpoint holds and the sink target has let expire: nobody can commit it any more, unless it is
    /// found again, and the job need not finish.
    pub fn expired(&self) -> Option<&str> {
        self.expired.as_deref()
    }

    /// How often something expired where nothing had. Once it has, something is broken for good.
    pub fn expiries(&self) -> u32 {
        self.expiries
    }
}
