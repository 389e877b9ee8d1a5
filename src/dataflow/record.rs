//! What crosses a channel: bytes, with where they came from.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::outside::SinkStep;
use super::time::TimeStep;
use crate::protocol::{LineageId, VirtualTime};

/// The encoded bytes of a record; short ones need no allocation.
pub type Payload = SmallVec<[u8; 24]>;

/// A record in a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Where it came from.
    pub lineage: LineageId,
    /// Event time, in the unit that the job chose (milliseconds by convention).
    pub timestamp: i64,
    /// The record itself, encoded with postcard.
    pub payload: Payload,
}

/// What a channel carries besides checkpoint markers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Item {
    /// A record.
    Record(Record),
    /// No record with a timestamp at or below this follows in this channel, but late ones.
    Watermark(i64),
}

impl Item {
    /// Where a record came from; a watermark comes from nowhere.
    #[must_use]
    pub fn lineage(&self) -> Option<LineageId> {
        match self {
            Item::Record(record) => Some(record.lineage),
            Item::Watermark(_) => None,
        }
    }
}

/// What one step of a subtask produced, in order; reused from step to step.
#[derive(Clone, Debug, Default)]
pub struct Outputs {
    /// Items for channels: an index into the subtask's output channels
    /// ([`Topology::outputs`](crate::protocol::Topology::outputs)), and the item.
    pub items: Vec<(u16, Item)>,
    /// In a sink, what to write to the target, in order.
    pub written: Vec<Record>,
    /// The numbers of the requests that were made of a service; each is to be
    /// [answered](super::Subtask::answer).
    pub requests: Vec<u64>,
    /// What befell event time, where it is observed: each with the number of items before it.
    pub time: Vec<(usize, TimeStep)>,
    /// Whether `time` is wanted.
    pub observes_time: bool,
    /// In a sink that speaks with an external system, what it wants done, in order.
    pub steps: Vec<SinkStep>,
    /// Now, for those.
    pub now: VirtualTime,
    /// What the clock says, in milliseconds of processing time: told to the step.
    pub now_ms: i64,
    /// When the first timer in processing time is due that is pending after the step, if there is one: then
    /// [`fire_processing_timers`](super::Subtask::fire_processing_timers) is due.
    pub wake_at_ms: Option<i64>,
}

impl Outputs {
    /// Forgets what was produced, and keeps the allocation for the next step.
    pub fn clear(&mut self) {
        self.items.clear();
        self.written.clear();
        self.requests.clear();
        self.time.clear();
        self.steps.clear();
        self.wake_at_ms = None;
    }

    /// Notes what befell event time, behind all items so far.
    #[inline]
    pub(crate) fn note(&mut self, step: impl FnOnce() -> TimeStep) {
        if self.observes_time {
            self.time.push((self.items.len(), step()));
        }
    }

    /// Whether nothing was produced.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
            && self.written.is_empty()
            && self.requests.is_empty()
            && self.time.is_empty()
            && self.steps.is_empty()
    }
}
