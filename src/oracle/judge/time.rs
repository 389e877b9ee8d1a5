//! Event time: what a trace tells of it, where it is observed.

use super::Judge;
use super::concern::forgotten;
use crate::oracle::event_time::Beginning;
use crate::oracle::shape::Scene;
use crate::trace::{Event, Stamp};

impl Judge {
    pub(super) fn observe_time(&mut self, stamp: Stamp, event: &Event) {
        match *event {
            Event::WatermarkSent { channel, attempt, watermark, sequence } => {
                if self.counts_on(stamp, channel, attempt) {
                    let scene = scene!(self, stamp);
                    self.event_time.handle_sent(scene, channel, watermark, sequence);
                }
            }
            Event::WatermarkReceived { channel, attempt, watermark, sequence } => {
                if self.counts_on(stamp, channel, attempt) {
                    let scene = scene!(self, stamp);
                    self.event_time.handle_received(scene, channel, watermark, sequence);
                }
            }
            Event::TimeRestored { subtask, attempt, watermark, timers } => {
                if self.counts_in(stamp, subtask, attempt) {
                    let begins = Beginning { watermark, timers };
                    self.event_time.handle_restored(scene!(self, stamp), subtask, begins);
                }
            }
            Event::WatermarkAdvanced { subtask, attempt, watermark } => {
                if self.counts_in(stamp, subtask, attempt) {
                    self.event_time.handle_advanced(scene!(self, stamp), subtask, watermark);
                }
            }
            Event::TimerRegistered { subtask, attempt, key, timestamp } => {
                if self.counts_in(stamp, subtask, attempt) {
                    self.event_time.handle_timer(subtask, (timestamp, key), true);
                }
            }
            Event::TimerDeleted { subtask, attempt, key, timestamp } => {
                if self.counts_in(stamp, subtask, attempt) {
                    self.event_time.handle_timer(subtask, (timestamp, key), false);
                }
            }
            Event::TimerFired { subtask, attempt, key, timestamp } => {
                if self.counts_in(stamp, subtask, attempt) {
                    let scene = scene!(self, stamp);
                    self.event_time.handle_fired(scene, subtask, (timestamp, key));
                }
            }
            Event::DroppedLate { subtask, attempt, lineage, record, timestamp } => {
                if self.counts_in(stamp, subtask, attempt) {
                    let (scene, what) = (scene!(self, stamp), (record, timestamp));
                    self.event_time.handle_dropped(scene, subtask, lineage, what);
                }
            }
            _ => forgotten(event),
        }
    }
}
