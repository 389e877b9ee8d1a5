//! How a task takes parcels off its inputs, and lets items wait for their buffer to be full.
//!
//! A buffer is read item by item. Between two of them a barrier that came ahead has its turn, so that the cut
//! may be within a buffer, or within an item; one in its place comes behind the buffer.

use std::time::Duration;

use super::super::buffers::Parcel;
use super::super::io::TaskTimer;
use super::{Env, Task};
use crate::dataflow::Item;
use crate::protocol::Defect;

impl Task {
    /// A parcel has come to the head of its channel.
    #[inline]
    pub(super) fn take(&mut self, channel: usize, parcel: Parcel, env: &mut Env<'_>) {
        if self.defects.has(Defect::ProcessedCaptured) {
            self.side.input(channel).keep_latest(&parcel);
        }
        match parcel {
            Parcel::Item(item) => {
                self.tell_received(channel, &item, env);
                let input = self.side.input(channel);
                input.consume(&item, self.attempt, env.outbox);
                input.free(self.attempt, self.defects, env);
                self.process(channel, item, env);
            }
            Parcel::Buffer(buffer) => {
                self.side.input(channel).open(&buffer);
                self.side.set_reading(Some(channel));
            }
        }
    }

    /// Reads the next item of the buffer that was taken off a channel. Whether there was anything to do.
    pub(super) fn read_on(&mut self, env: &mut Env<'_>) -> bool {
        let may_read = self.can_work() && !self.protocol.awaits_snapshot() && !self.asks_enough();
        let Some(channel) = self.side.reading().filter(|_| may_read) else { return false };
        match self.side.input(channel).read() {
            Ok(Some(item)) => {
                self.consume(channel, &item, env);
                self.process(channel, item, env);
            }
            Ok(None) => {
                self.side.set_reading(None);
                self.side.input(channel).free(self.attempt, self.defects, env);
            }
            Err(problem) => self.fail(problem),
        }
        true
    }

    #[inline]
    fn consume(&mut self, channel: usize, item: &Item, env: &mut Env<'_>) {
        self.tell_received(channel, item, env);
        self.side.input(channel).consume(item, self.attempt, env.outbox);
    }

    /// The end of input has come to the head of a channel.
    pub(super) fn end_channel(&mut self, channel: usize, env: &mut Env<'_>) {
        if let Err(problem) = self.side.input(channel).expect_read() {
            return self.fail(problem);
        }
        env.outbox.event(self.side.input(channel).end_seen(self.attempt));
        self.subtask.end_channel(channel, &mut self.produced);
        self.deliver(env);
    }

    pub(super) fn fail(&mut self, problem: String) {
        self.failure.get_or_insert(problem);
    }

    /// Whether it can go on.
    ///
    /// # Errors
    ///
    /// Why it cannot.
    #[inline]
    pub fn health(&self) -> Result<(), String> {
        match &self.failure {
            None => Ok(()),
            Some(problem) => Err(problem.clone()),
        }
    }

    /// What was emitted waits for its buffer to be full, but not for long.
    pub(super) fn see_to_flush(&mut self, env: &mut Env<'_>) {
        let Some(buffers) = &env.settings.buffers else { return };
        if !self.flushes && self.outputs.has_open() {
            self.flushes = true;
            let timer = TaskTimer::Flush.of(self.id, self.attempt);
            env.outbox.set_timer(Duration::from_millis(buffers.timeout_ms), timer);
        }
    }

    /// It has waited long enough.
    pub fn handle_flush(&mut self, env: &mut Env<'_>) {
        self.flushes = false;
        self.outputs.flush(env.outbox);
        self.run(env);
    }
}
