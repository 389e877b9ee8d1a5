//! The input of a job: what the source log holds, in splits.

use std::ops::Range;
use std::sync::Arc;

use super::deal::Deal;
use crate::protocol::{Digest, SplitId};

/// Entries of the splits of the source log, numbered as the job's sources are declared.
///
/// Cheap to clone: clones share the entries.
///
/// ```
/// use cutwater::dataflow::Input;
/// use cutwater::protocol::SplitId;
///
/// let input = Input::new(vec![vec![b"to be".to_vec(), b"or not".to_vec()], vec![]]);
/// assert_eq!(input.entry(SplitId(0), 1), Some(&b"or not"[..]));
/// assert_eq!(input.entry(SplitId(0), 2), None);
/// assert_eq!(input.lengths(), [2, 0]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    splits: Arc<[Split]>,
    is_queue: bool,
}

/// One split: all entries end to end, and where each ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Split {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Input {
    /// An input with these entries per split.
    ///
    /// # Panics
    ///
    /// When a split holds 4 GiB or more.
    #[must_use]
    pub fn new(splits: Vec<Vec<Vec<u8>>>) -> Self {
        Self { splits: splits.into_iter().map(Split::of).collect(), is_queue: false }
    }

    /// Deals `entries` out to `splits` splits in turn, as a partitioned log's round-robin producer does.
    ///
    /// # Panics
    ///
    /// When `splits` is 0, or a split would hold 4 GiB or more.
    #[must_use]
    pub fn dealt<B: AsRef<[u8]>>(entries: impl IntoIterator<Item = B>, splits: u16) -> Self {
        Self::dealt_as(entries, splits, Deal::Even)
    }

    /// Deals `entries` out to `splits` splits.
    ///
    /// # Panics
    ///
    /// When the deal does not fit so many splits, or a split would hold 4 GiB or more.
    #[must_use]
    pub fn dealt_as<B: AsRef<[u8]>>(
        entries: impl IntoIterator<Item = B>,
        splits: u16,
        deal: Deal,
    ) -> Self {
        let mut logs = vec![Split::default(); usize::from(splits)];
        for (index, entry) in entries.into_iter().enumerate() {
            logs[usize::from(deal.split_of(index as u64, splits))].push(entry.as_ref());
        }
        Self { splits: logs.into(), is_queue: false }
    }

    /// The same entries, as the messages of one queue, published in turns. The splits of the source are its consumers
    /// then: each message goes to one of them, is acknowledged when a checkpoint has completed, and goes to any of them
    /// again, in another order, if the attempt ends before. No position says what was read, only what a message holds.
    #[must_use]
    pub fn queued(self) -> Self {
        Self { is_queue: true, ..self }
    }

    /// Whether it is one queue.
    #[must_use]
    pub fn is_queue(&self) -> bool {
        self.is_queue
    }

    /// How many splits there are.
    #[must_use]
    pub fn split_count(&self) -> u16 {
        u16::try_from(self.splits.len()).unwrap_or(u16::MAX)
    }

    /// How many entries `split` holds; none where there is no such split.
    #[must_use]
    pub fn len(&self, split: SplitId) -> u64 {
        self.splits.get(split.index()).map_or(0, |log| log.ends.len() as u64)
    }

    /// Whether no split holds an entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.splits.iter().all(|log| log.ends.is_empty())
    }

    /// How many entries each split holds.
    #[must_use]
    pub fn lengths(&self) -> Vec<u64> {
        self.splits.iter().map(|log| log.ends.len() as u64).collect()
    }

    /// The entry at `offset` of `split`, if the split reaches that far.
    #[must_use]
    pub fn entry(&self, split: SplitId, offset: u64) -> Option<&[u8]> {
        self.splits.get(split.index())?.entry(usize::try_from(offset).ok()?)
    }

    /// Appends the entries at `offsets` to `bytes`, back to back, and where each ends there to `ends`.
    /// Offsets that the split does not have are passed over.
    pub fn copy_entries(
        &self,
        split: SplitId,
        offsets: Range<u64>,
        bytes: &mut Vec<u8>,
        ends: &mut Vec<u32>,
    ) {
        let Some(log) = self.splits.get(split.index()) else { return };
        let held = log.ends.len();
        let index = |offset: u64| usize::try_from(offset).unwrap_or(held).min(held);
        let (first, last) = (index(offsets.start), index(offsets.end));
        let Some(taken) = log.ends.get(first..last) else { return };
        let begin = first.checked_sub(1).map_or(0, |before| log.ends[before]);
        let end = taken.last().copied().unwrap_or(begin);
        let shift = bytes.len() as u32;
        bytes.extend_from_slice(&log.bytes[begin as usize..end as usize]);
        ends.extend(taken.iter().map(|end| end - begin + shift));
    }

    /// The digest of all entries of all splits.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut digests = Vec::new();
        for split in self.splits.iter() {
            let ends = split.ends.iter().flat_map(|end| end.to_le_bytes()).collect::<Vec<u8>>();
            digests.extend(Digest::of(&ends).0.to_le_bytes());
            digests.extend(Digest::of(&split.bytes).0.to_le_bytes());
        }
        if self.is_queue {
            digests.push(1);
        }
        Digest::of(&digests)
    }

    /// All entries of `split`, in order.
    pub fn entries(&self, split: SplitId) -> impl Iterator<Item = &[u8]> {
        (0..self.len(split)).filter_map(move |offset| self.entry(split, offset))
    }
}

impl Split {
    fn of(entries: Vec<Vec<u8>>) -> Self {
        let mut split = Self::default();
        split.bytes.reserve_exact(entries.iter().map(Vec::len).sum());
        split.ends.reserve_exact(entries.len());
        entries.iter().for_each(|entry| split.push(entry));
        split
    }

    fn push(&mut self, entry: &[u8]) {
        self.bytes.extend_from_slice(entry);
        let end = u32::try_from(self.bytes.len()).expect("a split holds less than 4 GiB");
        self.ends.push(end);
    }

    fn entry(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)? as usize;
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        Some(&self.bytes[start..end])
    }
}
