//! Key groups: the unit of keyed state that moves when a job is rescaled.

use core::fmt;
use core::ops::Range;

use serde::{Deserialize, Serialize};

/// A group of keys that always live in the same subtask (Flink: `KeyGroupRangeAssignment`).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct KeyGroup(pub u16);

impl KeyGroup {
    /// How many key groups a job has; the highest parallelism of a keyed operator.
    pub const COUNT: u16 = 128;

    /// The group of an encoded key.
    #[must_use]
    pub fn of(key: &[u8]) -> Self {
        let hash = xxhash_rust::xxh3::xxh3_64(key);
        Self((hash % u64::from(Self::COUNT)) as u16)
    }

    /// Which subtask of `parallelism` owns this group.
    #[must_use]
    pub fn owner(self, parallelism: u16) -> u16 {
        (u32::from(self.0) * u32::from(parallelism) / u32::from(Self::COUNT)) as u16
    }

    /// The groups that subtask `index` of `parallelism` owns: contiguous, and a partition over all indices.
    #[must_use]
    pub fn range(index: u16, parallelism: u16) -> Range<u16> {
        let bound = |index: u16| {
            (u32::from(index) * u32::from(Self::COUNT)).div_ceil(u32::from(parallelism)) as u16
        };
        bound(index)..bound(index + 1)
    }
}

impl fmt::Display for KeyGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kg-{}", self.0)
    }
}
