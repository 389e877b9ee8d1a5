//! What a run's output must be: computed once, by code that shares nothing with the engine, for all runs.

use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};

use indexmap::{IndexMap, IndexSet};

use crate::protocol::Digest;
use crate::protocol::ordered::VecMap;

/// Spreads keys that are digests already: takes the number as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 ^= number;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// A set of numbers that are digests.
pub(super) type DigestSet = IndexSet<u64, BuildHasherDefault<DigestHasher>>;

/// The expected output of a job, over all its sinks together: a multiset of record digests.
///
/// Made once and shared by all runs; each run only keeps a count per distinct record.
#[derive(Clone, Default)]
pub struct Reference {
    index: IndexMap<Digest, u32, BuildHasherDefault<DigestHasher>>,
    records: u64,
    /// How often each record must be dropped as late, where any must.
    late: VecMap<Digest, u32>,
    is_known: bool,
}

impl Reference {
    /// The reference that expects exactly these records, each given as its encoded bytes.
    #[must_use]
    pub fn of<B: AsRef<[u8]>>(outputs: impl IntoIterator<Item = B>) -> Self {
        Self::of_digests(outputs.into_iter().map(|bytes| Digest::of(bytes.as_ref())))
    }

    /// The reference that expects exactly the records with these digests.
    #[must_use]
    pub fn of_digests(outputs: impl IntoIterator<Item = Digest>) -> Self {
        let mut reference = Self { is_known: true, ..Self::default() };
        for digest in outputs {
            *reference.index.entry(digest).or_insert(0) += 1;
            reference.records += 1;
        }
        reference
    }

    /// The same, and these records must be dropped as late, each given as its encoded bytes.
    #[must_use]
    pub fn dropping<B: AsRef<[u8]>>(mut self, late: impl IntoIterator<Item = B>) -> Self {
        for bytes in late {
            *self.late.entry(Digest::of(bytes.as_ref())).or_insert(0) += 1;
        }
        self
    }

    /// No reference: any record may be visible, but none twice.
    #[must_use]
    pub fn unknown() -> Self {
        Self::default()
    }

    /// Whether it says what is expected.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.is_known
    }

    /// How many records are expected.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// How many distinct records are expected.
    #[must_use]
    pub fn distinct(&self) -> usize {
        self.index.len()
    }

    /// How often this record must be dropped as late.
    pub(super) fn late(&self, record: Digest) -> u32 {
        self.late.get(&record).copied().unwrap_or(0)
    }

    /// The records that must be dropped as late, and how often.
    pub(super) fn all_late(&self) -> impl Iterator<Item = (Digest, u32)> + '_ {
        self.late.iter().map(|(record, times)| (*record, *times))
    }

    /// The dense number of a record among the distinct ones.
    pub(super) fn index_of(&self, digest: Digest) -> Option<usize> {
        self.index.get_index_of(&digest)
    }

    /// The digest of the distinct record with this number, and how often it is expected.
    pub(super) fn expected(&self, index: usize) -> Option<(Digest, u32)> {
        self.index.get_index(index).map(|(digest, count)| (*digest, *count))
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reference")
            .field("records", &self.records)
            .field("distinct", &self.index.len())
            .field("is_known", &self.is_known)
            .finish()
    }
}
