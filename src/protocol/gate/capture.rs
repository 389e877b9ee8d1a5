//! Channel state: what was in the input channels at a cut, recorded until each channel's barrier.
//!
//! The recording of Chandy and Lamport (1985): from the snapshot on, what a channel delivers before its
//! barrier was sent before the cut and is processed after it. Unaligned barriers and loops both need it.

use crate::defect::{Defect, DefectSet};
use crate::ids::CheckpointId;
use alloc::vec::Vec;

/// What one channel held at the cut.
#[derive(Clone, Debug)]
struct Lane<T> {
    items: Vec<T>,
    extent: Extent,
    /// Whether its first item was left out: a seeded bug.
    skipped: bool,
}

/// How much of a channel belongs to the cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// Everything until its barrier comes.
    UntilBarrier,
    /// So many items more; none once the lane is whole.
    Items(usize),
}

/// The channel state of one checkpoint, while it is recorded. Bounded by what channels can hold.
#[derive(Clone, Debug)]
pub(super) struct Capture<T> {
    checkpoint: CheckpointId,
    lanes: Vec<Lane<T>>,
    /// How many lanes wait for their barrier.
    awaited: usize,
    /// Whether it was said that it is whole.
    told: bool,
    defects: DefectSet,
}

impl<T: Clone> Capture<T> {
    /// Recording begins. `places` tells, by channel, how many of its waiting items lie before the
    /// barrier, where that has come.
    pub fn new(checkpoint: CheckpointId, places: Vec<Option<usize>>, defects: DefectSet) -> Self {
        let awaited = places.iter().filter(|place| place.is_none()).count();
        let lane = |place: Option<usize>| Lane {
            items: Vec::new(),
            skipped: false,
            extent: place.map_or(Extent::UntilBarrier, Extent::Items),
        };
        let lanes = places.into_iter().map(lane).collect();
        Self { checkpoint, lanes, awaited, told: false, defects }
    }

    pub fn checkpoint(&self) -> CheckpointId {
        self.checkpoint
    }

    /// Whether the barrier of every channel has come.
    pub fn is_whole(&self) -> bool {
        self.awaited == 0
    }

    /// Whether this channel still owes its barrier.
    pub fn awaits(&self, channel: usize) -> bool {
        self.lanes[channel].extent == Extent::UntilBarrier
    }

    /// This item waits in the channel, or arrives in it.
    pub fn record(&mut self, channel: usize, item: &T) {
        if self.defects.has(Defect::CaptureMissesChannel) && channel * 2 >= self.lanes.len() {
            return;
        }
        let lane = &mut self.lanes[channel];
        match &mut lane.extent {
            Extent::UntilBarrier => {}
            Extent::Items(0) => return,
            Extent::Items(left) => *left -= 1,
        }
        lane.items.push(item.clone());
    }

    /// An item arrives in the channel, behind all that wait there.
    pub fn record_arrival(&mut self, channel: usize, item: &T) {
        if self.defects.has(Defect::CaptureReordered) && self.awaits(channel) {
            return self.lanes[channel].items.insert(0, item.clone());
        }
        self.record(channel, item);
    }

    /// The channel has delivered its barrier, or has ended.
    pub fn close(&mut self, channel: usize) {
        let extent = &mut self.lanes[channel].extent;
        if *extent == Extent::UntilBarrier {
            *extent = Extent::Items(0);
            self.awaited -= 1;
        }
    }

    /// The first item of the channel is not in it, where another comes behind it: a seeded bug.
    pub fn skip_first(&mut self, channel: usize) {
        let lane = &mut self.lanes[channel];
        if lane.items.len() == 1 && !lane.skipped {
            lane.skipped = true;
            lane.items.clear();
        }
    }

    /// Whether it is told now that it is whole: once.
    pub fn tell(&mut self) -> bool {
        !core::mem::replace(&mut self.told, true)
    }

    /// By channel, what was recorded.
    pub fn into_items(self) -> Vec<Vec<T>> {
        self.lanes.into_iter().map(|lane| lane.items).collect()
    }
}
