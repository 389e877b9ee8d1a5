//! One channel: what is under way in it, and when it arrives.

use std::collections::VecDeque;

use super::Settings;
use crate::classic::message::Message;
use crate::plan::random::{Concern, Span, Stream};
use crate::protocol::chandy_lamport::{MarkerDefect, MarkerDefectSet};
use crate::protocol::{ChannelId, SnapshotId};

/// What a channel carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// A message of the computation.
    Message(Message),
    /// A marker.
    Marker(SnapshotId),
}

#[derive(Clone, Copy, Debug)]
struct UnderWay {
    item: Item,
    due: u64,
    /// Decides among channels whose items are due in the same tick.
    lot: u32,
}

/// A channel. Its first item is the next to arrive, and none arrives before one in front of it.
#[derive(Debug)]
pub(super) struct Transit {
    items: VecDeque<UnderWay>,
    delays: Stream,
    /// When the last item that was put in is due.
    last_due: u64,
    defects: MarkerDefectSet,
}

impl Transit {
    pub(super) fn new(channel: ChannelId, settings: &Settings) -> Self {
        let delays = Stream::new(settings.seed, Concern::Link, u64::from(channel.0));
        Self { items: VecDeque::new(), delays, last_due: 0, defects: settings.defects }
    }

    /// Puts an item in at tick `now`.
    pub(super) fn put(&mut self, item: Item, now: u64, delay: Span) {
        let (drawn, lot) = (now + self.delays.within(delay), self.delays.bits());
        let mut due = drawn.max(self.last_due);
        if self.defects.has(MarkerDefect::ChannelOutOfOrder) {
            due = drawn;
        }
        self.last_due = due;
        let place = self.items.partition_point(|other| other.due <= due);
        self.items.insert(place, UnderWay { item, due, lot });
    }

    pub(super) fn pop(&mut self) -> Option<Item> {
        self.items.pop_front().map(|under_way| under_way.item)
    }

    pub(super) fn lot_if_due(&self, now: u64) -> Option<u32> {
        self.items.front().filter(|first| first.due <= now).map(|first| first.lot)
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn items(&self) -> impl Iterator<Item = Item> {
        self.items.iter().map(|under_way| under_way.item)
    }
}
