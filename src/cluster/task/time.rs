//! Event time in the trace, where it is observed: each thing in its place between records.

use super::super::io::Outbox;
use super::{Env, Task};
use crate::dataflow::{Item, TimeStep, TimerId};
use crate::trace::{ChannelCut, Event};

impl Task {
    /// What it begins with.
    pub(super) fn tell_restored(&self, env: &mut Env<'_>) {
        if self.observes_time {
            let (subtask, attempt, stand) = (self.id, self.attempt, self.subtask.time());
            let (watermark, timers) = (Some(stand.watermark), stand.timers);
            env.outbox.event(Event::TimeRestored { subtask, attempt, watermark, timers });
        }
    }

    /// An item is about to be processed; a record has an event of its own.
    pub(super) fn tell_received(&self, channel: usize, item: &Item, env: &mut Env<'_>) {
        if let Item::Watermark(watermark) = *item
            && self.observes_time
        {
            let attempt = self.attempt;
            let ChannelCut { channel, records: sequence, .. } = self.side.inputs()[channel].cut();
            env.outbox.event(Event::WatermarkReceived { channel, attempt, watermark, sequence });
        }
    }

    /// Sends the items that a step produced, and tells between them what befell event time.
    pub(super) fn deliver_observed(&mut self, outbox: &mut dyn Outbox) {
        let mut steps = std::mem::take(&mut self.produced.time).into_iter().peekable();
        for (sent, (output, item)) in
            std::mem::take(&mut self.produced.items).into_iter().enumerate()
        {
            while let Some((_, step)) = steps.next_if(|(before, _)| *before <= sent) {
                outbox.event(self.told(step));
            }
            let output = usize::from(output);
            if let Item::Watermark(watermark) = item {
                outbox.event(self.outputs.watermark_sent(output, watermark));
            }
            self.outputs.emit(output, item, outbox);
        }
        steps.for_each(|(_, step)| outbox.event(self.told(step)));
    }

    fn told(&self, step: TimeStep) -> Event {
        let (subtask, attempt) = (self.id, self.attempt);
        match step {
            TimeStep::Advanced { watermark } => {
                Event::WatermarkAdvanced { subtask, attempt, watermark }
            }
            TimeStep::Registered(TimerId { timestamp, key }) => {
                Event::TimerRegistered { subtask, attempt, key, timestamp }
            }
            TimeStep::Deleted(TimerId { timestamp, key }) => {
                Event::TimerDeleted { subtask, attempt, key, timestamp }
            }
            TimeStep::Fired(TimerId { timestamp, key }) => {
                Event::TimerFired { subtask, attempt, key, timestamp }
            }
            TimeStep::Dropped { lineage, record, timestamp } => {
                Event::DroppedLate { subtask, attempt, lineage, record, timestamp }
            }
        }
    }
}
