//! A channel between two subtasks: what the receiver has room for, and what waits at the sender.

use std::collections::VecDeque;

use super::run::Batch;
use crate::protocol::independent::Piggyback;
use crate::protocol::{Barrier, CheckpointId, Element};

/// One channel. Its room is counted in bytes, so that a batch takes what its records would.
#[derive(Clone, Debug)]
pub(super) struct Channel {
    pub(super) from: usize,
    pub(super) to: usize,
    /// Its index among the inputs of the receiver.
    pub(super) input: usize,
    /// Its index among the outputs of the sender.
    pub(super) output: usize,
    /// Whether it leads back, in a loop: its sender never waits, since it would wait for itself.
    pub(super) is_back: bool,
    /// One way, in nanoseconds.
    pub(super) latency_ns: u64,
    /// Bytes that the receiver has room for; one batch always fits.
    pub(super) capacity: u64,
    /// Bytes that may wait at the sender before it stops.
    output_capacity: u64,
    /// Sent, and not processed.
    flying: u64,
    backlog: VecDeque<Element<Batch>>,
    /// What each batch under way carries for checkpoints that communication induces.
    carried: VecDeque<Piggyback>,
    backlog_bytes: u64,
    pub(super) blocked_since: Option<u64>,
    pub(super) blocked_ns: u64,
}

impl Channel {
    /// From an output of a subtask to an input of another; in a loop it may lead back.
    pub(super) fn new(
        (from, output): (usize, usize),
        (to, input): (usize, usize),
        is_back: bool,
    ) -> Self {
        Self {
            from,
            to,
            input,
            output,
            is_back,
            latency_ns: 0,
            capacity: 0,
            output_capacity: 0,
            flying: 0,
            backlog: VecDeque::new(),
            carried: VecDeque::new(),
            backlog_bytes: 0,
            blocked_since: None,
            blocked_ns: 0,
        }
    }

    /// The same channel with this much room, and this far.
    pub(super) fn sized(self, capacity: u64, output_capacity: u64, latency_ns: u64) -> Self {
        Self { capacity, output_capacity, latency_ns, ..self }
    }

    /// An element enters behind what waits.
    pub(super) fn put(&mut self, element: Element<Batch>) {
        self.backlog_bytes += bytes_of(&element);
        self.backlog.push_back(element);
    }

    /// A barrier goes past what waits: what that is.
    pub(super) fn overtaken(&self) -> Vec<Batch> {
        self.backlog.iter().filter_map(batch_of).collect()
    }

    /// The barrier of `checkpoint` goes past what waits before it, if it waits: itself, and what that is.
    pub(super) fn hurry(&mut self, checkpoint: CheckpointId) -> Option<(Barrier, Vec<Batch>)> {
        let position = self.position_of(checkpoint)?;
        let overtaken = self.backlog.iter().take(position).filter_map(batch_of).collect();
        match self.backlog.remove(position)? {
            Element::Barrier(barrier) => Some((barrier.hurried(), overtaken)),
            Element::Item(_) | Element::Cancel(_) | Element::End => None,
        }
    }

    pub(super) fn owes(&self, checkpoint: CheckpointId) -> bool {
        self.position_of(checkpoint).is_some()
    }

    /// What the receiver has room for now, if anything waits.
    pub(super) fn poll_send(&mut self) -> Option<Element<Batch>> {
        if let Element::Item(batch) = self.backlog.front()? {
            if self.flying > 0 && self.flying + batch.bytes > self.capacity {
                return None;
            }
            self.flying += batch.bytes;
            self.backlog_bytes -= batch.bytes;
        }
        self.backlog.pop_front()
    }

    /// The batch that enters next carries this.
    pub(super) fn carry(&mut self, piggyback: Piggyback) {
        self.carried.push_back(piggyback);
    }

    /// What the batch carries that the receiver takes next.
    pub(super) fn carried(&self) -> Option<&Piggyback> {
        self.carried.front()
    }

    /// The receiver takes the next batch: what that carried.
    pub(super) fn take_carried(&mut self) -> Option<Piggyback> {
        self.carried.pop_front()
    }

    /// The receiver has processed so many bytes.
    pub(super) fn handle_processed(&mut self, bytes: u64) {
        self.flying -= bytes;
    }

    /// Both ends begin anew, with nothing under way.
    pub(super) fn restart(&mut self) {
        self.flying = 0;
        self.backlog.clear();
        self.carried.clear();
        self.backlog_bytes = 0;
        self.blocked_since = None;
    }

    /// Whether so much waits that the sender stops.
    pub(super) fn is_stalled(&self) -> bool {
        !self.is_back && self.backlog_bytes > 0 && self.backlog_bytes >= self.output_capacity
    }

    /// Bytes that were emitted and not processed.
    pub(super) fn queued_bytes(&self) -> u64 {
        self.flying + self.backlog_bytes
    }

    fn position_of(&self, checkpoint: CheckpointId) -> Option<usize> {
        self.backlog.iter().position(|element| match element {
            Element::Barrier(barrier) => barrier.checkpoint == checkpoint,
            Element::Item(_) | Element::Cancel(_) | Element::End => false,
        })
    }
}

fn bytes_of(element: &Element<Batch>) -> u64 {
    batch_of(element).map_or(0, |batch| batch.bytes)
}

fn batch_of(element: &Element<Batch>) -> Option<Batch> {
    match element {
        Element::Item(batch) => Some(*batch),
        Element::Barrier(_) | Element::Cancel(_) | Element::End => None,
    }
}
