//! A log-structured merge tree, as what it charges: memtable, flushes, compaction debt, new files.

use super::{Background, Freeze, Task, Touched, doublings};
use crate::lab::profile::LogStructuredCost;

/// How much larger each level is than the one above (RocksDB: `max_bytes_for_level_multiplier`).
const FAN_OUT: f64 = 10.0;

/// Bytes of the first level below the flushed files (RocksDB: `max_bytes_for_level_base`).
const LEVEL_BASE: f64 = 256.0 * 1_048_576.0;

/// The tree of one subtask.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    cost: LogStructuredCost,
    entry_bytes: f64,
    /// Bytes of state, all below the flushed files.
    state_bytes: f64,
    /// What the memtable holds: each key once.
    touched: Touched,
    /// What the memtable holds: each write once.
    entries: f64,
    /// Full memtables that are not flushed yet: bytes.
    full: Option<f64>,
    /// Flushed files.
    files: u32,
    flushed_bytes: f64,
    /// Flushed files that are being merged, and their bytes.
    merging: Option<(u32, f64)>,
    /// Bytes of files that no snapshot has uploaded.
    new_bytes: f64,
    /// Whether a merge was given out.
    is_merging: bool,
}

impl Tree {
    pub(super) fn new(
        cost: LogStructuredCost,
        entry_bytes: f64,
        keys: f64,
        state_bytes: f64,
    ) -> Self {
        Self {
            cost,
            entry_bytes,
            state_bytes,
            touched: Touched::none_of(keys),
            entries: 0.0,
            full: None,
            files: 0,
            flushed_bytes: 0.0,
            merging: None,
            new_bytes: 0.0,
            is_merging: false,
        }
    }

    /// So many records read and write: what the thread pays beside the access itself.
    pub(super) fn access(&mut self, records: u32) -> f64 {
        let count = f64::from(records);
        let levels = doublings(self.entries + 1.0);
        let missed = self.touched.touch(records);
        self.entries += count;
        if self.entries * self.entry_bytes >= self.cost.memtable_bytes as f64 {
            let bytes = self.empty_memtable();
            self.full = Some(self.full.unwrap_or(0.0) + bytes);
        }
        let probed = f64::from(1 + self.unmerged());
        count * levels * self.cost.memtable_level_ns + missed * probed * self.cost.miss_ns
    }

    pub(super) fn is_stalled(&self) -> bool {
        self.unmerged() >= self.cost.stall_files
    }

    /// Flushed files that a read looks into, one after another.
    fn unmerged(&self) -> u32 {
        self.files + self.merging.map_or(0, |(files, _)| files)
    }

    /// A barrier asks for it: what the thread waits for. With nothing to flush there are still links to be made.
    pub(super) fn flush(&mut self) -> Freeze {
        let disk_bytes = self.empty_memtable();
        if disk_bytes >= 1.0 {
            self.add_file(disk_bytes);
        }
        let cpu_ns = disk_bytes * self.cost.flush_byte_ns;
        Freeze { cpu_ns, disk_bytes, syncs: self.cost.flush_syncs }
    }

    /// Bytes that no snapshot has uploaded, and in how many requests.
    pub(super) fn take_new(&mut self) -> (f64, u32) {
        (std::mem::take(&mut self.new_bytes), self.cost.files)
    }

    pub(super) fn poll_background(&mut self) -> Option<Task> {
        if let Some(disk_bytes) = self.full.take() {
            self.add_file(disk_bytes);
            let cpu_ns = disk_bytes * self.cost.flush_byte_ns;
            return Some(Task { what: Background::Flush, cpu_ns, disk_bytes });
        }
        if self.is_merging || self.files < self.cost.compact_files {
            return None;
        }
        self.is_merging = true;
        let bytes = std::mem::take(&mut self.flushed_bytes);
        self.merging = Some((std::mem::take(&mut self.files), bytes));
        let disk_bytes = self.merged(bytes);
        let cpu_ns = (bytes + disk_bytes) * self.cost.compact_byte_ns;
        Some(Task { what: Background::Compact, cpu_ns, disk_bytes })
    }

    /// What was merged lies in new files.
    pub(super) fn handle_compacted(&mut self) {
        self.is_merging = false;
        let Some((_, bytes)) = self.merging.take() else { return };
        self.new_bytes += self.merged(bytes);
    }

    /// What a merge of so many bytes with the level below writes, and what then moves further down.
    fn merged(&self, bytes: f64) -> f64 {
        self.state_bytes.min(LEVEL_BASE) + self.moved_down(bytes)
    }

    /// What is written again on the way to the levels below the first.
    fn moved_down(&self, bytes: f64) -> f64 {
        let mut reached = LEVEL_BASE;
        let mut moved = 0.0;
        while reached < self.state_bytes {
            reached *= FAN_OUT;
            moved += bytes * FAN_OUT;
        }
        moved
    }

    fn empty_memtable(&mut self) -> f64 {
        let bytes = self.touched.count() * self.entry_bytes;
        self.touched = Touched::none_of(self.touched.keys);
        self.entries = 0.0;
        bytes
    }

    fn add_file(&mut self, bytes: f64) {
        self.files += 1;
        self.flushed_bytes += bytes;
        self.new_bytes += bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Tree {
        let cost =
            LogStructuredCost { flush_byte_ns: 2.0, compact_byte_ns: 3.0, ..Default::default() };
        Tree::new(cost, 100.0, 1_000.0, 100_000.0)
    }

    #[test]
    fn every_fourth_flush_leads_to_a_merge_with_all_that_lies_below() {
        let mut tree = tree();
        for flush in 1..=4 {
            tree.access(100_000);
            assert_eq!(tree.flush().cpu_ns.round(), 200_000.0, "each key once, 100 bytes at 2 ns");
            assert_eq!(tree.poll_background().is_some(), flush == 4);
        }
        assert_eq!(tree.take_new().0.round(), 400_000.0);
        tree.handle_compacted();
        assert_eq!(tree.take_new().0.round(), 100_000.0, "the merged file is new");
    }

    #[test]
    fn nothing_new_is_no_file() {
        let mut tree = tree();
        assert_eq!(tree.flush().disk_bytes, 0.0);
        assert_eq!(tree.take_new().0, 0.0);
    }

    #[test]
    fn writes_wait_where_compaction_lags_behind() {
        let mut tree = tree();
        while !tree.is_stalled() {
            tree.access(10);
            tree.flush();
        }
        assert_eq!(tree.files, 36);
        tree.poll_background();
        assert!(tree.is_stalled(), "until the merge is over");
        tree.handle_compacted();
        assert!(!tree.is_stalled());
    }
}
