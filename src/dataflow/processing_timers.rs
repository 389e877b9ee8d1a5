//! Timers of keys in processing time.
//!
//! A clock may go back, and differs from worker to worker: the timer of one key for one time may fire, be registered
//! and fire again. So each knows what registered it, and what comes of the two has ids of its own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::data::Bytes;
use crate::protocol::LineageId;

/// A timer that is pending, or fires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessingTimer {
    /// When it fires, in milliseconds on the clock of its worker.
    pub(crate) at_ms: i64,
    pub(crate) key: Bytes,
    /// The record, or the timer, that the operator worked on when it registered this one first.
    pub(crate) registered_by: LineageId,
}

/// The pending timers of one subtask, in the order in which they fire: by time, then by encoded key.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProcessingTimers {
    pending: BTreeMap<(i64, Bytes), LineageId>,
}

impl ProcessingTimers {
    /// Registers a timer; a second one for the same key and time is the same timer.
    pub(crate) fn register(&mut self, at_ms: i64, key: &[u8], registered_by: LineageId) {
        self.pending.entry((at_ms, Bytes::from(key))).or_insert(registered_by);
    }

    /// Deletes a timer, if there is one.
    pub(crate) fn delete(&mut self, at_ms: i64, key: &[u8]) {
        self.pending.remove(&(at_ms, Bytes::from(key)));
    }

    /// Takes out the first timer that is due.
    pub(crate) fn pop_due(&mut self, now_ms: i64) -> Option<ProcessingTimer> {
        let first = self.pending.first_entry().filter(|first| first.key().0 <= now_ms)?;
        let ((at_ms, key), registered_by) = first.remove_entry();
        Some(ProcessingTimer { at_ms, key, registered_by })
    }

    /// When the first fires.
    pub(crate) fn next(&self) -> Option<i64> {
        self.pending.first_key_value().map(|((at_ms, _), _)| *at_ms)
    }

    /// How many are pending.
    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }

    /// All pending timers, in the order in which they fire.
    pub(crate) fn iter(&self) -> impl Iterator<Item = ProcessingTimer> {
        self.pending.iter().map(|((at_ms, key), registered_by)| ProcessingTimer {
            at_ms: *at_ms,
            key: key.clone(),
            registered_by: *registered_by,
        })
    }

    /// Forgets all timers.
    pub(crate) fn clear(&mut self) {
        self.pending.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_is_registered_by_whoever_was_first() {
        let mut timers = ProcessingTimers::default();
        let (first, second) = (LineageId(1), LineageId(2));
        timers.register(10, b"a", first);
        timers.register(10, b"a", second);
        timers.register(10, b"b", second);
        assert_eq!(timers.pop_due(9), None);
        let fired: Vec<_> = std::iter::from_fn(|| timers.pop_due(10)).collect();
        let by: Vec<_> = fired.iter().map(|timer| (&timer.key[..], timer.registered_by)).collect();
        assert_eq!(by, [(&b"a"[..], first), (&b"b"[..], second)]);
        timers.register(10, b"a", second);
        assert_eq!(timers.pop_due(10).map(|timer| timer.registered_by), Some(second));
    }
}
