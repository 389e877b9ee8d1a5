//! Windows in event time, and which of them a record belongs to.

use serde::{Deserialize, Serialize};

/// A span of event time: from `start`, before `end` (Flink: `TimeWindow`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TimeWindow {
    /// Its first instant.
    pub start: i64,
    /// The first instant after it.
    pub end: i64,
}

impl TimeWindow {
    /// Its last instant: the window is over when the watermark reaches it.
    #[must_use]
    pub fn max_timestamp(self) -> i64 {
        self.end.saturating_sub(1)
    }

    /// Whether two sessions are one: they overlap, or the one begins where the other ends.
    #[must_use]
    pub fn touches(self, other: Self) -> bool {
        self.start <= other.end && other.start <= self.end
    }

    /// The smallest window that covers both.
    #[must_use]
    pub fn cover(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// Which windows a record belongs to; spans in the unit of timestamps, milliseconds by convention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Windows {
    /// One window after the other (Flink: `TumblingEventTimeWindows`).
    Tumbling {
        /// How long each is; at least 1.
        size_ms: u32,
    },
    /// Windows that overlap (Flink: `SlidingEventTimeWindows`).
    Sliding {
        /// How long each is.
        size_ms: u32,
        /// From the beginning of one to that of the next; at least 1.
        slide_ms: u32,
    },
    /// Windows that end where nothing comes for a while (Flink: `EventTimeSessionWindows`).
    Session {
        /// How long nothing comes; at least 1.
        gap_ms: u32,
    },
}

/// How many windows a record can belong to: more than these would be a slide of the wrong unit.
pub const WINDOWS_OF_RECORD_MAX: u32 = 10_000;

impl Windows {
    /// Windows of this size, one after the other; one begins at time 0.
    ///
    /// # Panics
    ///
    /// When the size is 0.
    #[must_use]
    pub fn tumbling(size_ms: u32) -> Self {
        assert!(size_ms > 0, "a window of size 0 holds nothing");
        Self::Tumbling { size_ms }
    }

    /// Windows of this size, a new one every `slide_ms`; one begins at time 0.
    ///
    /// # Panics
    ///
    /// When one of them is 0, or a record would belong to more than [`WINDOWS_OF_RECORD_MAX`] windows.
    #[must_use]
    pub fn sliding(size_ms: u32, slide_ms: u32) -> Self {
        assert!(
            size_ms > 0 && slide_ms > 0,
            "a window of size 0 holds nothing, a slide of 0 never ends"
        );
        assert!(
            size_ms.div_ceil(slide_ms) <= WINDOWS_OF_RECORD_MAX,
            "a record would belong to more than {WINDOWS_OF_RECORD_MAX} windows"
        );
        Self::Sliding { size_ms, slide_ms }
    }

    /// Windows that end when a key has no record for `gap_ms`.
    ///
    /// # Panics
    ///
    /// When the gap is 0.
    #[must_use]
    pub fn session(gap_ms: u32) -> Self {
        assert!(gap_ms > 0, "with a gap of 0 every record is a session");
        Self::Session { gap_ms }
    }

    /// The windows of a record of this time, the latest first. A session is as yet of this record alone.
    pub fn assign(self, timestamp: i64) -> impl Iterator<Item = TimeWindow> {
        let (size, slide) = match self {
            Windows::Tumbling { size_ms } => (size_ms, size_ms),
            Windows::Sliding { size_ms, slide_ms } => (size_ms, slide_ms),
            Windows::Session { gap_ms } => (gap_ms, gap_ms),
        };
        let (size, slide) = (i64::from(size), i64::from(slide));
        let latest = match self {
            Windows::Session { .. } => timestamp,
            Windows::Tumbling { .. } | Windows::Sliding { .. } => {
                timestamp.saturating_sub(timestamp.rem_euclid(slide))
            }
        };
        let starts = std::iter::successors(Some(latest), move |start| start.checked_sub(slide));
        starts
            .take_while(move |start| timestamp - start < size)
            .map(move |start| TimeWindow { start, end: start.saturating_add(size) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assigned(windows: Windows, timestamp: i64) -> Vec<(i64, i64)> {
        windows.assign(timestamp).map(|window| (window.start, window.end)).collect()
    }

    #[test]
    fn a_record_belongs_to_the_windows_that_hold_its_time() {
        assert_eq!(assigned(Windows::tumbling(10), 19), [(10, 20)]);
        assert_eq!(assigned(Windows::tumbling(10), -1), [(-10, 0)]);
        assert_eq!(assigned(Windows::sliding(10, 5), 12), [(10, 20), (5, 15)]);
        assert_eq!(assigned(Windows::sliding(10, 4), 12), [(12, 22), (8, 18), (4, 14)]);
        assert_eq!(assigned(Windows::sliding(5, 10), 12), [(10, 15)]);
        assert_eq!(assigned(Windows::sliding(5, 10), 17), [], "between two windows");
        assert_eq!(assigned(Windows::session(7), 12), [(12, 19)]);
    }

    #[test]
    fn no_time_is_out_of_range() {
        for timestamp in [i64::MIN, i64::MIN + 1, i64::MAX - 1, i64::MAX] {
            for windows in [Windows::tumbling(7), Windows::sliding(9, 2), Windows::session(5)] {
                assert!(windows.assign(timestamp).count() <= 5, "{windows:?} of {timestamp}");
            }
        }
    }
}
