//! State backends, as what they charge: full copies, a log-structured merge tree, a changelog.
//!
//! No entry is kept, only how many there are: how many were touched since they were last written is what a
//! subtask that draws its keys uniformly expects.

mod changelog;
mod tree;

use changelog::Changelog;
use tree::Tree;

use super::profile::{AccessPoint, BackendKind, StateCost};

/// The state of one subtask.
#[derive(Clone, Debug)]
pub struct Backend {
    access_ns: f64,
    copy_byte_ns: f64,
    entry_bytes: f64,
    /// All of it.
    state_bytes: f64,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    /// Full copies; while one is written, the keys not copied yet because of a change.
    Heap {
        copy_on_write_ns: f64,
        keys: f64,
        shared: Option<Touched>,
    },
    LogStructured(Tree),
    Changelog(Changelog),
}

/// What a backend does beside its subtask's thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Background {
    /// A full memtable is written to a file.
    Flush,
    /// Files are merged.
    Compact,
    /// Changes are uploaded although no checkpoint asks for it, or the whole state is.
    Upload {
        /// How much.
        bytes: u64,
    },
}

/// Something to be done beside the thread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Task {
    /// A flush, a compaction or an upload.
    pub what: Background,
    /// What it costs the cores, in nanoseconds.
    pub cpu_ns: f64,
    /// Bytes that are written to the worker's disk.
    pub disk_bytes: f64,
}

/// The synchronous part of a snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Freeze {
    /// What the thread pays, in nanoseconds.
    pub cpu_ns: f64,
    /// Bytes that it waits for until they are on the worker's disk.
    pub disk_bytes: f64,
    /// How many syncs it waits for.
    pub syncs: u32,
}

/// What a snapshot uploads.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Upload {
    /// How much.
    pub bytes: f64,
    /// In how many requests.
    pub requests: u32,
    /// What it costs the cores, in nanoseconds, beside what the store charges.
    pub cpu_ns: f64,
}

impl Backend {
    /// The state of a subtask with so many keys, of which records touch so many thousandths.
    #[must_use]
    pub fn new(
        cost: &StateCost,
        access_ns: f64,
        entry_bytes: f64,
        keys: f64,
        dirty_permille: u64,
    ) -> Self {
        let (state_bytes, touchable) = (keys * entry_bytes, keys * dirty_permille as f64 / 1e3);
        let kind = match cost.backend {
            BackendKind::Heap => Kind::Heap {
                copy_on_write_ns: cost.copy_on_write_ns,
                keys: touchable,
                shared: None,
            },
            BackendKind::Incremental => Kind::LogStructured(Tree::new(
                cost.log_structured,
                entry_bytes,
                touchable,
                state_bytes,
            )),
            BackendKind::Changelog => Kind::Changelog(Changelog::new(cost.changelog, entry_bytes)),
        };
        Self { access_ns, copy_byte_ns: cost.copy_byte_ns, entry_bytes, state_bytes, kind }
    }

    /// So many records access the state: what the thread pays, in nanoseconds.
    pub fn access(&mut self, records: u32, now: u64) -> f64 {
        let count = f64::from(records);
        let more = match &mut self.kind {
            Kind::Heap { copy_on_write_ns, shared, .. } => {
                shared.as_mut().map_or(0.0, |shared| shared.touch(records) * *copy_on_write_ns)
            }
            Kind::LogStructured(tree) => tree.access(records),
            Kind::Changelog(log) => log.append(count * self.entry_bytes, self.state_bytes, now),
        };
        count * self.access_ns + more
    }

    /// Whether the thread has to wait for compaction before it goes on.
    #[must_use]
    pub fn is_stalled(&self) -> bool {
        match &self.kind {
            Kind::Heap { .. } | Kind::Changelog(_) => false,
            Kind::LogStructured(tree) => tree.is_stalled(),
        }
    }

    /// The synchronous part of a snapshot: what the thread pays, and what it waits for.
    pub fn freeze(&mut self) -> Freeze {
        match &mut self.kind {
            Kind::Heap { keys, shared, .. } => {
                *shared = Some(Touched::none_of(*keys));
                Freeze::default()
            }
            Kind::LogStructured(tree) => tree.flush(),
            Kind::Changelog(_) => Freeze::default(),
        }
    }

    /// The asynchronous part of a snapshot, of what was frozen.
    pub fn persist(&mut self) -> Upload {
        let (bytes, requests) = match &mut self.kind {
            Kind::Heap { .. } => (self.state_bytes, 1),
            Kind::LogStructured(tree) => tree.take_new(),
            Kind::Changelog(log) => (log.take_pending(), 1),
        };
        Upload { bytes, requests, cpu_ns: bytes * self.copy_byte_ns }
    }

    /// A snapshot was written, or given up.
    pub fn handle_persisted(&mut self) {
        match &mut self.kind {
            Kind::Heap { shared, .. } => *shared = None,
            Kind::LogStructured(_) | Kind::Changelog(_) => {}
        }
    }

    /// Something to be done beside the thread, if there is.
    pub fn poll_background(&mut self) -> Option<Task> {
        match &mut self.kind {
            Kind::Heap { .. } => None,
            Kind::LogStructured(tree) => tree.poll_background(),
            Kind::Changelog(log) => {
                let bytes = log.poll_upload()?;
                let what = Background::Upload { bytes: bytes as u64 };
                Some(Task { what, cpu_ns: bytes * self.copy_byte_ns, disk_bytes: 0.0 })
            }
        }
    }

    /// What [`poll_background`](Self::poll_background) gave is done.
    pub fn handle_done(&mut self, done: Background) {
        match (&mut self.kind, done) {
            (Kind::LogStructured(tree), Background::Compact) => tree.handle_compacted(),
            (Kind::LogStructured(_) | Kind::Changelog(_) | Kind::Heap { .. }, _) => {}
        }
    }

    /// What a restore goes through.
    #[must_use]
    pub fn restore(&self) -> Restore {
        let state = Restore { state_bytes: self.state_bytes, ..Restore::default() };
        match &self.kind {
            Kind::Heap { .. } | Kind::LogStructured(_) => state,
            Kind::Changelog(log) => {
                let (changes, logs) = log.changes();
                let log_bytes = log.since_materialised();
                Restore { log_bytes, logs, apply_ns: changes * self.access_ns, ..state }
            }
        }
    }

    /// Bytes that a restore reads, and that the store holds for the newest checkpoint.
    #[must_use]
    pub fn stored_bytes(&self) -> f64 {
        match &self.kind {
            Kind::Heap { .. } | Kind::LogStructured(_) => self.state_bytes,
            Kind::Changelog(log) => self.state_bytes + log.since_materialised(),
        }
    }
}

/// What a restore goes through.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Restore {
    /// State that is read and put in place.
    pub state_bytes: f64,
    /// Changes since then, which are read behind it.
    pub log_bytes: f64,
    /// In how many objects they are: one is read after another.
    pub logs: u32,
    /// What applying them again takes, each an access.
    pub apply_ns: f64,
}

/// How many of some keys were not drawn yet, by draws that hit each as likely as any other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Touched {
    keys: f64,
    untouched: f64,
}

impl Touched {
    /// None of so many.
    pub(super) fn none_of(keys: f64) -> Self {
        Self { keys, untouched: keys }
    }

    /// So many more draws: how many hit a key for the first time.
    pub(super) fn touch(&mut self, draws: u32) -> f64 {
        if self.keys <= 1.0 {
            return std::mem::take(&mut self.untouched);
        }
        let before = self.untouched;
        self.untouched *= power(1.0 - 1.0 / self.keys, draws);
        before - self.untouched
    }

    /// How many were drawn.
    pub(super) fn count(&self) -> f64 {
        self.keys - self.untouched
    }
}

/// How many of so many keys uniform draws are expected to hit.
#[must_use]
pub fn distinct(keys: f64, draws: f64) -> f64 {
    let mut touched = Touched::none_of(keys);
    touched.touch(draws.clamp(0.0, f64::from(u32::MAX)) as u32);
    touched.count()
}

/// A power by multiplication alone: the same bits everywhere, which `powi` does not promise.
fn power(mut base: f64, mut exponent: u32) -> f64 {
    let mut power = 1.0;
    while exponent > 0 {
        if exponent & 1 == 1 {
            power *= base;
        }
        base *= base;
        exponent >>= 1;
    }
    power
}

/// A logarithm to the base 2 of what is at least 1, straight between powers of two: the same bits everywhere.
pub(super) fn doublings(number: f64) -> f64 {
    let whole = (number as u64).max(1).ilog2();
    let base = (1_u64 << whole) as f64;
    f64::from(whole) + (number.max(1.0) / base - 1.0)
}

/// What an access costs with so many bytes of state: between two points it grows with the logarithm; outside of
/// them it is that of the nearest.
#[must_use]
pub fn access_ns(points: &[AccessPoint], state_bytes: f64) -> f64 {
    let Some(last) = points.last() else { return 0.0 };
    let Some(next) = points.iter().position(|point| point.state_bytes as f64 >= state_bytes) else {
        return last.ns;
    };
    let Some(before) = next.checked_sub(1) else { return points[0].ns };
    let (low, high) = (points[before], points[next]);
    let place = |bytes: f64| doublings(bytes);
    let (from, to) = (place(low.state_bytes as f64), place(high.state_bytes as f64));
    low.ns + (high.ns - low.ns) * (place(state_bytes) - from) / (to - from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_keys_are_touched_as_uniform_draws_expect() {
        let mut touched = Touched::none_of(1_000_000.0);
        let first: f64 = (0..100).map(|_| touched.touch(1_250)).sum();
        // 1e6 * (1 - exp(-0.125))
        assert!((first - 117_503.1).abs() < 1.0, "{first}");
        assert!((touched.count() - first).abs() < 1e-6);
    }

    #[test]
    fn access_costs_grow_with_the_logarithm_of_the_state() {
        let points = [
            AccessPoint { state_bytes: 1 << 10, ns: 100.0 },
            AccessPoint { state_bytes: 1 << 20, ns: 200.0 },
        ];
        let at = |bytes: f64| access_ns(&points, bytes);
        assert_eq!((at(1.0), at(1_024.0), at(1e9)), (100.0, 100.0, 200.0));
        assert_eq!(at(32_768.0), 150.0);
        assert_eq!(access_ns(&[], 5.0), 0.0);
    }
}
