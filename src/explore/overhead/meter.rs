//! Measures one run by its trace, while it happens.

use std::ops::ControlFlow;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::{Case, Cost, ms};
use crate::protocol::ordered::VecMap;
use crate::protocol::{ChannelId, CheckpointId, SubtaskId, Topology, VirtualTime};
use crate::trace::{Event, Stamp};
use crate::world::Observer;

/// Measures one run, and ends it when the work is done: whether its output is committed does not count, since
/// without checkpoints it never is.
#[derive(Debug)]
pub(super) struct Meter {
    /// Subtasks that have not ended yet.
    running: usize,
    /// Channels into subtasks with several inputs: only these are ever blocked.
    joined_channels: u64,
    /// How long the work took; of several runs, in all.
    done: Duration,
    completed: u64,
    checkpoints: Duration,
    /// Of single checkpoints, in microseconds.
    durations: Histogram<u64>,
    alignments: u64,
    aligning: Duration,
    blocking: Duration,
    uploaded: u64,
    in_flight: u64,
    triggered: VecMap<CheckpointId, VirtualTime>,
    aligning_since: VecMap<SubtaskId, VirtualTime>,
    blocked_since: VecMap<ChannelId, VirtualTime>,
}

impl Meter {
    pub(super) fn new(topology: &Topology) -> Self {
        let joined = topology.subtask_ids().filter(|id| topology.inputs(*id).count() > 1);
        Self {
            running: topology.subtasks.len(),
            joined_channels: joined.map(|id| topology.inputs(id).count() as u64).sum(),
            done: Duration::ZERO,
            completed: 0,
            checkpoints: Duration::ZERO,
            durations: Histogram::new_with_bounds(1, 100_000_000_000, 3)
                .expect("three digits are allowed"),
            alignments: 0,
            aligning: Duration::ZERO,
            blocking: Duration::ZERO,
            uploaded: 0,
            in_flight: 0,
            triggered: VecMap::new(),
            aligning_since: VecMap::new(),
            blocked_since: VecMap::new(),
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.running == 0
    }

    /// Another run of the same.
    pub(super) fn add(&mut self, other: &Self) {
        self.done += other.done;
        self.completed += other.completed;
        self.checkpoints += other.checkpoints;
        self.durations.add(&other.durations).expect("both have the same bounds");
        self.alignments += other.alignments;
        self.aligning += other.aligning;
        self.blocking += other.blocking;
        self.uploaded += other.uploaded;
        self.in_flight += other.in_flight;
    }

    /// The mean of so many runs of so many records.
    pub(super) fn cost(&self, case: Case, records: u64, runs: u64) -> Cost {
        let runs = runs as f64;
        let each = |total: f64, of: u64| if of > 0 { total / of as f64 } else { 0.0 };
        let seconds = self.done.as_secs_f64().max(1e-9);
        let channel_seconds = seconds * self.joined_channels.max(1) as f64;
        let quantile = |share| self.durations.value_at_quantile(share) as f64 / 1e3;
        Cost {
            case,
            virtual_ms: ms(self.done) / runs,
            records_per_second: records as f64 * runs / seconds,
            overhead_percent: 0.0,
            completed: self.completed as f64 / runs,
            checkpoint_ms: each(ms(self.checkpoints), self.completed),
            checkpoint_p50_ms: quantile(0.5),
            checkpoint_p99_ms: quantile(0.99),
            alignment_ms: each(ms(self.aligning), self.alignments),
            blocked_percent: self.blocking.as_secs_f64() / channel_seconds * 100.0,
            uploaded_bytes: each(self.uploaded as f64, self.completed),
            in_flight: each(self.in_flight as f64, self.completed),
        }
    }

    fn handle_ended(&mut self, at: VirtualTime) -> ControlFlow<()> {
        self.running -= 1;
        if self.running > 0 {
            return ControlFlow::Continue(());
        }
        self.done = at.since(VirtualTime::ZERO);
        ControlFlow::Break(())
    }

    fn handle_completed(&mut self, at: VirtualTime, checkpoint: CheckpointId) {
        if let Some(triggered) = self.triggered.remove(&checkpoint) {
            let took = at.since(triggered);
            self.completed += 1;
            self.checkpoints += took;
            let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
            self.durations.saturating_record(us);
        }
    }

    fn handle_aligned(&mut self, at: VirtualTime, subtask: SubtaskId) {
        if let Some(since) = self.aligning_since.remove(&subtask) {
            self.alignments += 1;
            self.aligning += at.since(since);
        }
    }

    fn handle_unblocked(&mut self, at: VirtualTime, channel: ChannelId) {
        if let Some(since) = self.blocked_since.remove(&channel) {
            self.blocking += at.since(since);
        }
    }
}

impl Observer for Meter {
    fn observe(&mut self, stamp: Stamp, event: &Event) -> ControlFlow<()> {
        let at = stamp.at;
        match event {
            Event::SubtaskEnded { .. } => return self.handle_ended(at),
            Event::Triggered { checkpoint, .. } => {
                self.triggered.insert(*checkpoint, at);
            }
            Event::Completed { checkpoint, .. } => self.handle_completed(at, *checkpoint),
            Event::AlignmentStarted { subtask, .. } => {
                self.aligning_since.insert(*subtask, at);
            }
            Event::AlignmentCompleted { subtask, .. } => self.handle_aligned(at, *subtask),
            Event::ChannelBlocked { channel, .. } => {
                self.blocked_since.insert(*channel, at);
            }
            Event::ChannelUnblocked { channel, .. } => self.handle_unblocked(at, *channel),
            Event::ObjectStored { bytes, .. } => self.uploaded += bytes,
            Event::ChannelStateCaptured(captured) => {
                let channels = captured.inputs.iter().chain(&captured.outputs);
                self.in_flight += channels.map(|channel| channel.records.len() as u64).sum::<u64>();
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
