//! Timers of keys in event time.

use std::collections::BTreeSet;

use super::data::Bytes;

/// The pending timers of one subtask, in the order in which they fire: by time, then by encoded key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timers {
    pending: BTreeSet<(i64, Bytes)>,
}

impl Timers {
    /// Registers a timer; a second one for the same key and time is the same timer. Whether it is new.
    pub(crate) fn register(&mut self, timestamp: i64, key: &[u8]) -> bool {
        self.pending.insert((timestamp, Bytes::from(key)))
    }

    /// Deletes a timer, if there is one; whether there was.
    pub(crate) fn delete(&mut self, timestamp: i64, key: &[u8]) -> bool {
        self.pending.remove(&(timestamp, Bytes::from(key)))
    }

    /// Takes out the first timer at or below `watermark`.
    pub(crate) fn pop_due(&mut self, watermark: i64) -> Option<(i64, Bytes)> {
        if self.pending.first()?.0 > watermark {
            return None;
        }
        self.pending.pop_first()
    }

    /// How many are pending.
    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }

    /// All pending timers, in the order in which they fire.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &(i64, Bytes)> {
        self.pending.iter()
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
    fn timers_fire_by_time_and_then_by_key() {
        let mut timers = Timers::default();
        for (timestamp, key) in [(20, b"a"), (10, b"b"), (10, b"a"), (30, b"a"), (10, b"b")] {
            timers.register(timestamp, key);
        }
        timers.delete(30, b"a");
        let due: Vec<_> = std::iter::from_fn(|| timers.pop_due(20)).collect();
        let expected = [(10, b"a"), (10, b"b"), (20, b"a")];
        assert_eq!(due, expected.map(|(timestamp, key)| (timestamp, Bytes::from(&key[..]))));
        assert_eq!(timers.len(), 0);
    }
}
