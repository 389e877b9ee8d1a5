//! Where a fault struck: after which event, of which class, in which phase of the job.

use serde::{Deserialize, Serialize};

use super::phase::Phase;
use crate::plan::FaultClass;
use crate::trace::Point;
use crate::world::faults::Moment;

/// A fault of a class struck right after this kind of event, in this phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// The last event before it that tells of the system, not of its faults.
    pub point: Point,
    /// The class of the fault.
    pub class: FaultClass,
    /// What the job was about.
    pub phase: Phase,
}

/// The row of a moment. Before anything happened but the start of the run, that start is the event.
#[must_use]
pub fn row(moment: Moment) -> Point {
    moment.after.unwrap_or(Point::RunStarted)
}
