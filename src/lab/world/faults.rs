//! A worker dies: detection, deployment, restore, and everything again from the newest checkpoint.

use super::super::coordinator::attempt;
use super::super::run::Batch;
use super::super::subtask::Subtask;
use super::{Event, World};
use crate::protocol::{CheckpointId, Element};

impl World<'_> {
    /// The first worker dies, and the whole job stops with it.
    pub(super) fn fail(&mut self) {
        let now = self.now;
        self.is_up = false;
        self.restarts += 1;
        for processor in &mut self.processors {
            processor.clear(now);
        }
        let read: u64 = self.positions();
        self.meter.handle_failed(now, read);
        self.push_after(ms(self.settings.engine.recovery.detect_ms), Event::Detected);
    }

    /// The coordinator gives the attempt up.
    pub(super) fn detected(&mut self) {
        let now = self.time();
        self.coordinator.interrupt();
        self.coordinator.protocol.stop_attempt(now);
        self.drain_coordinator();
        self.push_after(ms(self.settings.engine.recovery.deploy_ms), Event::Deployed);
    }

    /// Subtasks read their state: the slowest decides.
    pub(super) fn deployed(&mut self) {
        let restored = self.coordinator.protocol.latest().is_some();
        let stored = |subtask: &Subtask| {
            subtask.backend.as_ref().map_or(0.0, |backend| backend.stored_bytes())
        };
        let largest = self.subtasks.iter().map(stored).fold(0.0, f64::max);
        let placed = largest * self.settings.engine.recovery.restore_byte_ns;
        let ns = if restored { self.store.read_ns(largest) + placed as u64 } else { 0 };
        self.meter.handle_deployed(self.now);
        self.push_after(ns, Event::Restored);
    }

    /// All run again.
    pub(super) fn restored(&mut self) {
        let checkpoint = self.coordinator.protocol.latest().map(|latest| latest.checkpoint);
        for channel in &mut self.channels {
            channel.restart();
        }
        for subtask in &mut self.subtasks {
            subtask.restart(self.settings, checkpoint);
        }
        debug_assert_eq!(attempt(self.restarts).0, self.restarts + 1);
        self.is_up = true;
        let (read, left) =
            (self.positions(), self.subtasks.iter().map(|subtask| subtask.left).sum());
        self.meter.handle_restored(self.now, read, left);
        self.put_back(checkpoint);
        self.start_attempt();
    }

    /// What was in flight at the checkpoint is so again: what waited at the receiver, and behind it what waited at
    /// the sender.
    fn put_back(&mut self, checkpoint: Option<CheckpointId>) {
        let take = |subtask: &mut Subtask| subtask.take_in_flight(checkpoint);
        let captured: Vec<_> = self.subtasks.iter_mut().map(take).collect();
        for (index, captured) in captured.iter().enumerate() {
            let inputs = captured.iter().flat_map(|captured| captured.inputs.iter().enumerate());
            for (input, batches) in inputs {
                self.put_batches(self.subtasks[index].inputs[input], batches);
            }
        }
        for (index, captured) in captured.iter().enumerate() {
            for (output, batches) in captured.iter().flat_map(|captured| &captured.outputs) {
                self.put_batches(self.subtasks[index].outputs[*output], batches);
            }
        }
    }

    fn put_batches(&mut self, channel: usize, batches: &[Batch]) {
        for batch in batches {
            self.channels[channel].put(Element::Item(*batch));
        }
        self.send(channel);
    }

    /// Records that sources have read, in all.
    fn positions(&self) -> u64 {
        self.subtasks.iter().filter_map(|subtask| Some(subtask.source.as_ref()?.read)).sum()
    }
}

fn ms(ms: u64) -> u64 {
    ms.saturating_mul(1_000_000)
}
