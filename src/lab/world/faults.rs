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
        self.meter.handle_detected(self.now);
        self.coordinator.interrupt();
        self.coordinator.protocol.stop_attempt(now);
        self.drain_coordinator();
        self.push_after(ms(self.settings.engine.recovery.deploy_ms), Event::Deployed);
    }

    /// Subtasks read their state: the slowest decides.
    pub(super) fn deployed(&mut self) {
        let line = self.settings.independent.map(|_| self.own_line());
        let is_own = line.as_ref().map(|line| line.places.iter().any(|place| *place > 0));
        let restored = is_own.unwrap_or(self.coordinator.protocol.latest().is_some());
        let slowest = self.subtasks.iter().map(|subtask| self.restore_ns(subtask)).max();
        let ns = if restored { slowest.unwrap_or(0) } else { 0 };
        let replay_ns = line.as_ref().map_or(0, |line| self.own_replay_ns(line));
        if let Some(line) = &line {
            let (discarded_percent, anew_percent) = self.own_losses(line);
            self.meter.handle_line(discarded_percent, anew_percent);
        }
        self.meter.handle_deployed(self.now);
        self.push_after(ns + replay_ns, Event::Restored);
    }

    /// State is read and put in place; a changelog is read behind it, one upload after another (Flink:
    /// `ChangelogBackendRestoreOperation`), and every change in it is an access.
    fn restore_ns(&self, subtask: &Subtask) -> u64 {
        let restore = subtask.backend.as_ref().map(|backend| backend.restore()).unwrap_or_default();
        let placed = restore.state_bytes * self.settings.engine.recovery.restore_byte_ns;
        let changes = self.store.read_in_turn_ns(restore.log_bytes, restore.logs);
        self.store.read_ns(restore.state_bytes) + placed as u64 + changes + restore.apply_ns as u64
    }

    /// All run again.
    pub(super) fn restored(&mut self) {
        let checkpoint = self.coordinator.protocol.latest().map(|latest| latest.checkpoint);
        for channel in &mut self.channels {
            channel.restart();
        }
        match self.settings.independent {
            Some(_) => {
                let line = self.own_line();
                self.restart_alone(&line);
            }
            None => {
                let restart = |subtask: &mut Subtask| subtask.restart(self.settings, checkpoint);
                self.subtasks.iter_mut().for_each(restart);
            }
        }
        debug_assert_eq!(attempt(self.restarts).0, self.restarts + 1);
        self.is_up = true;
        let (read, left) =
            (self.positions(), self.subtasks.iter().map(|subtask| subtask.left).sum());
        self.meter.handle_restored(self.now, read, left);
        self.put_back(checkpoint);
        self.send_replayed();
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
