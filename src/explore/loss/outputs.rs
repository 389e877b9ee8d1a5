//! What a run makes visible, and the moves of its records.

use std::ops::ControlFlow;

use crate::explore::multiset;
use crate::protocol::ordered::{VecMap, VecSet};
use crate::protocol::{Digest, LineageId};
use crate::trace::{Carried, Event, OutputRecord, Stamp};
use crate::world::Observer;

/// So many moves are kept. Of a longer run nothing is told.
const MOVES_MAX: usize = 2_000_000;

/// Watches a run.
#[derive(Debug, Default)]
pub struct Outputs {
    visible: Vec<OutputRecord>,
    trace: Vec<(Stamp, Event)>,
    is_too_long: bool,
}

/// What was watched.
#[derive(Debug)]
pub struct Seen {
    visible: Vec<OutputRecord>,
    trace: Vec<(Stamp, Event)>,
}

impl Outputs {
    /// What was watched; none where the run was too long.
    pub fn into_seen(self) -> Option<Seen> {
        let Self { visible, trace, is_too_long } = self;
        (!is_too_long).then_some(Seen { visible, trace })
    }
}

impl Observer for Outputs {
    fn observe(&mut self, stamp: Stamp, event: &Event) -> ControlFlow<()> {
        let tells_shape = event.shape().is_some();
        match event.about().carried {
            Carried::Output(records) => self.visible.extend_from_slice(records),
            Carried::Record(_) => self.trace.push((stamp, event.clone())),
            Carried::Nothing if tells_shape => self.trace.push((stamp, event.clone())),
            Carried::Nothing => {}
        }
        self.is_too_long = self.trace.len() > MOVES_MAX || self.visible.len() > MOVES_MAX;
        if self.is_too_long { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Seen {
    /// The first record that is visible here, and whose content `other` lacks, if not under this name then
    /// under any.
    pub fn first_missing_in(&self, other: &Self) -> Option<LineageId> {
        let names: VecSet<LineageId> = other.visible.iter().map(|record| record.lineage).collect();
        let (wanted, there) = (self.counts(), other.counts());
        let lacks = |digest| there.get(&digest).copied().unwrap_or(0) < wanted[&digest];
        let missing = self
            .visible
            .iter()
            .find(|record| !names.contains(&record.lineage) && lacks(record.digest));
        missing.map(|record| record.lineage)
    }

    /// The moves of records.
    pub fn into_trace(self) -> Vec<(Stamp, Event)> {
        self.trace
    }

    fn counts(&self) -> VecMap<Digest, u64> {
        multiset::counts(self.visible.iter().map(|record| record.digest))
    }
}
