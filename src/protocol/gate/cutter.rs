//! Which protocol finds the cuts of a gate: each is read from its own file, and this says what it is told.

use super::blocking::Blocking;
use super::clock::Clock;
use super::counting::Counting;
use super::lanes::Lanes;
use super::looping::Looping;
use super::overtaking::Overtaking;
use crate::barrier::Barrier;
use crate::ids::CheckpointId;
use crate::protocols::Protocol;
use alloc::vec;
use alloc::vec::Vec;

/// How barriers lead to a cut.
#[derive(Clone, Debug)]
pub(super) enum Cutter<T> {
    /// A channel that has delivered the barrier is blocked until all have.
    Blocking(Blocking),
    /// A barrier overtakes what waits, and that is captured.
    Overtaking(Overtaking<T>),
    /// No channel is ever blocked; the last barrier makes the cut.
    Counting(Counting),
    /// Regular channels are blocked until all have delivered the barrier; those that lead back are logged.
    Looping(Looping<T>),
}

impl<T: Clone> Cutter<T> {
    /// That of a protocol, in a gate none of whose channels leads back.
    pub fn of(protocol: Protocol, channels: usize) -> Self {
        match protocol {
            Protocol::Aligned | Protocol::StopTheWorld => Cutter::Blocking(Blocking::default()),
            Protocol::AtLeastOnce => Cutter::Counting(Counting::default()),
            Protocol::Unaligned => Cutter::Overtaking(Overtaking::new(None)),
            Protocol::Hybrid => Cutter::Overtaking(Overtaking::new(Some(Clock::default()))),
            Protocol::Cyclic => Cutter::Looping(Looping::new(vec![false; channels])),
        }
    }

    /// An item arrives.
    #[inline]
    pub fn on_item_arrived(&mut self, channel: usize, item: &T) {
        match self {
            Cutter::Overtaking(cutter) => cutter.on_item_arrived(channel, item),
            Cutter::Blocking(_) | Cutter::Counting(_) | Cutter::Looping(_) => {}
        }
    }

    /// An item leaves the gate.
    #[inline]
    pub fn on_item_left(&mut self, lanes: &Lanes<T>, channel: usize, item: &T) {
        match self {
            Cutter::Looping(cutter) => cutter.log(channel, item, lanes.defects),
            Cutter::Blocking(_) | Cutter::Overtaking(_) | Cutter::Counting(_) => {}
        }
    }

    /// A barrier arrives. Whether it leaves its channel at once, ahead of what waits there.
    pub fn on_barrier_arrived(
        &mut self,
        lanes: &mut Lanes<T>,
        channel: usize,
        barrier: Barrier,
    ) -> bool {
        match self {
            Cutter::Overtaking(cutter) => cutter.on_barrier_arrived(lanes, channel, barrier),
            Cutter::Blocking(_) | Cutter::Counting(_) | Cutter::Looping(_) => false,
        }
    }

    /// An end of input arrives: nothing follows it.
    pub fn on_end_arrived(&mut self, lanes: &mut Lanes<T>, channel: usize) {
        match self {
            Cutter::Overtaking(cutter) => cutter.on_end_arrived(lanes, channel),
            Cutter::Blocking(_) | Cutter::Counting(_) | Cutter::Looping(_) => {}
        }
    }

    /// A barrier has come to the head of a channel that delivers.
    pub fn on_barrier(&mut self, lanes: &mut Lanes<T>, channel: usize, barrier: Barrier) {
        match self {
            Cutter::Blocking(cutter) => cutter.on_barrier(lanes, channel, barrier),
            Cutter::Overtaking(cutter) => cutter.on_barrier(lanes, channel, barrier),
            Cutter::Counting(cutter) => cutter.on_barrier(lanes, channel, barrier),
            Cutter::Looping(cutter) => cutter.on_barrier(lanes, channel, barrier),
        }
    }

    /// A cancel marker has come to the head of a channel that delivers.
    pub fn on_cancel(&mut self, lanes: &mut Lanes<T>, channel: usize, checkpoint: CheckpointId) {
        match self {
            Cutter::Blocking(cutter) => cutter.on_cancel(lanes, checkpoint),
            Cutter::Overtaking(cutter) => cutter.on_cancel(lanes, checkpoint),
            Cutter::Counting(cutter) => cutter.on_cancel(lanes, checkpoint),
            Cutter::Looping(cutter) => cutter.on_cancel(lanes, channel, checkpoint),
        }
    }

    /// A channel has ended.
    pub fn on_end(&mut self, lanes: &mut Lanes<T>, channel: usize) {
        match self {
            Cutter::Blocking(cutter) => cutter.on_end(lanes, channel),
            Cutter::Overtaking(cutter) => cutter.on_end(lanes, channel),
            Cutter::Counting(cutter) => cutter.on_end(lanes),
            Cutter::Looping(cutter) => cutter.on_end(lanes, channel),
        }
    }

    /// The coordinator aborted a checkpoint. Whether some of its barriers had come, and others were awaited.
    pub fn on_aborted(&mut self, lanes: &mut Lanes<T>, checkpoint: CheckpointId) -> bool {
        match self {
            Cutter::Blocking(cutter) => cutter.on_aborted(lanes, checkpoint),
            Cutter::Overtaking(cutter) => cutter.on_aborted(lanes, checkpoint),
            Cutter::Counting(cutter) => cutter.on_aborted(lanes, checkpoint),
            Cutter::Looping(cutter) => cutter.on_aborted(lanes, checkpoint),
        }
    }

    /// The time of a barrier in its place is over.
    pub fn on_overdue(&mut self, lanes: &mut Lanes<T>, checkpoint: CheckpointId) {
        match self {
            Cutter::Overtaking(cutter) => cutter.on_overdue(lanes, checkpoint),
            Cutter::Blocking(_) | Cutter::Counting(_) | Cutter::Looping(_) => {}
        }
    }

    /// The subtask has released the gate.
    pub fn on_released(&mut self, lanes: &mut Lanes<T>, checkpoint: CheckpointId) {
        match self {
            Cutter::Overtaking(cutter) => cutter.on_released(lanes, checkpoint),
            Cutter::Blocking(_) | Cutter::Counting(_) | Cutter::Looping(_) => {}
        }
    }

    /// Nothing is on the loop of this subtask, and nothing will be.
    pub fn on_loop_over(&mut self, lanes: &Lanes<T>) {
        match self {
            Cutter::Looping(cutter) => cutter.on_loop_over(lanes),
            Cutter::Blocking(_) | Cutter::Overtaking(_) | Cutter::Counting(_) => {}
        }
    }

    /// The subtask froze its state. Whether there is channel state to wait for.
    pub fn capture(&mut self, lanes: &mut Lanes<T>, checkpoint: CheckpointId) -> bool {
        match self {
            Cutter::Overtaking(cutter) => cutter.capture(lanes, checkpoint),
            Cutter::Looping(cutter) => cutter.capture(lanes, checkpoint),
            Cutter::Blocking(_) | Cutter::Counting(_) => false,
        }
    }

    /// The channel state of a checkpoint, by channel, once it is whole.
    pub fn take_captured(&mut self, checkpoint: CheckpointId) -> Option<Vec<Vec<T>>> {
        match self {
            Cutter::Overtaking(cutter) => cutter.take_captured(checkpoint),
            Cutter::Looping(cutter) => cutter.take_captured(checkpoint),
            Cutter::Blocking(_) | Cutter::Counting(_) => None,
        }
    }

    /// Whether a checkpoint is being aligned.
    pub fn is_aligning(&self) -> bool {
        match self {
            Cutter::Blocking(cutter) => cutter.is_aligning(),
            Cutter::Overtaking(cutter) => cutter.is_aligning(),
            Cutter::Looping(cutter) => cutter.is_aligning(),
            Cutter::Counting(_) => false,
        }
    }

    /// How many channels deliver barriers that the cut waits for.
    pub fn regular_open(&self, lanes: &Lanes<T>) -> usize {
        match self {
            Cutter::Looping(cutter) => cutter.regular_open(lanes),
            Cutter::Blocking(_) | Cutter::Overtaking(_) | Cutter::Counting(_) => lanes.open,
        }
    }

    /// Whether nothing is left to deliver.
    pub fn is_over(&self, lanes: &Lanes<T>) -> bool {
        match self {
            Cutter::Looping(cutter) => cutter.is_over(lanes),
            Cutter::Blocking(_) | Cutter::Overtaking(_) | Cutter::Counting(_) => lanes.open == 0,
        }
    }
}
