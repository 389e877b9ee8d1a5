//! One property a file. An oracle sees the trace and nothing else.
//!
//! These work on the whole trace, since the strongest of them reorders it: see [`permutation`].

mod channel_state;
mod conservation;
pub mod course;
mod cut;
pub mod history;
mod order;
pub mod permutation;
mod stability;
mod termination;

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{EnumIter, EnumString, IntoStaticStr};

use super::event::Stamped;
use crate::protocol::SnapshotId;

pub use course::Course;
pub use history::{History, Recorded};

/// The oracles, by the property each one judges.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    EnumIter,
    EnumString,
    IntoStaticStr,
    strum::Display,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Property {
    /// The trace itself: it begins with its system, and names nothing that is not there.
    Trace,
    /// O6: channels are FIFO, for messages and markers alike.
    Order,
    /// O1: nothing was received in the cut that was not sent in it, and a marker separates its channel there.
    Cut,
    /// O2: the state of a channel is what was sent before the cut, less what was received before it.
    ChannelState,
    /// O5: the snapshot is a state that the system could have gone through (the paper's theorem 1).
    Permutation,
    /// O8: what the computation conserves is all in the snapshot.
    Conservation,
    /// A stable property that holds in the snapshot holds at the end, and one of the beginning in the snapshot.
    Stability,
    /// Every process that a way leads to from an initiator records its part.
    Termination,
}

/// One broken property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Violation {
    /// The property that is broken.
    pub property: Property,
    /// The snapshot it concerns.
    pub snapshot: Option<SnapshotId>,
    /// What is wrong, in the names of the system.
    pub text: String,
}

impl Violation {
    fn new(property: Property, text: String) -> Self {
        Self { property, snapshot: None, text }
    }

    fn of(property: Property, snapshot: SnapshotId, text: String) -> Self {
        Self { property, snapshot: Some(snapshot), text }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} violated: {}", self.property, self.text)?;
        self.snapshot.map_or(Ok(()), |snapshot| write!(f, " [{snapshot}]"))
    }
}

/// Judges a trace. Where the trace itself is wrong, nothing else is said.
#[must_use]
pub fn judge(trace: &[Stamped]) -> Vec<Violation> {
    let history = match History::read(trace) {
        Ok(history) => history,
        Err(violation) => return vec![violation],
    };
    let course = Course::of(&history);
    let mut violations = order::judge(&history);
    for (id, recorded) in &history.snapshots {
        violations.extend(cut::judge(&history, *id, recorded));
        violations.extend(channel_state::judge(&history, *id, recorded));
        if let Some(state) = history.global_state(recorded) {
            violations.extend(permutation::judge(&history, *id, (recorded, &state), &course));
            violations.extend(conservation::judge(&history, *id, &state));
            violations.extend(stability::judge(&history, *id, &state, &course));
        }
    }
    violations.extend(termination::judge(&history));
    violations
}

#[cfg(test)]
mod tests;
