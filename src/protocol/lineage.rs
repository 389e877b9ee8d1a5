//! Where a record comes from, and digests over many of them.
//!
//! A lineage id is a function of (split, offset) and of the path taken through the job, and of nothing
//! else: a replay after a crash gives the same record the same id, which is how oracles tell a
//! duplicate from an equal record.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::ids::{OperatorId, SplitId};

/// Identifies a record by its origin and its path.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct LineageId(pub u64);

impl LineageId {
    /// The id of the entry at `offset` of `split`.
    #[must_use]
    pub fn of_entry(split: SplitId, offset: u64) -> Self {
        Self(mix(mix(0x5EED ^ u64::from(split.0)) ^ offset))
    }

    /// The emissions of an operator for its second input are numbered from here on: the same record may reach it on
    /// both inputs, and its children must differ.
    pub const SECOND_INPUT: u32 = 1 << 30;

    /// The copies that a broadcast makes of a record are numbered from here on, each as a child of that record.
    pub const COPY: u32 = 1 << 31;

    /// The id of the `index`-th record that `operator` emits while it processes this one.
    #[must_use]
    pub fn child(self, operator: OperatorId, index: u32) -> Self {
        Self(mix(self.0 ^ mix((u64::from(operator.0) << 32) | u64::from(index) | 1 << 56)))
    }

    /// The id of what `operator` does when the event-time timer of `key` at `timestamp` fires.
    #[must_use]
    pub fn of_timer(operator: OperatorId, key: u64, timestamp: i64) -> Self {
        Self(mix(mix(key ^ mix(timestamp.cast_unsigned())) ^ u64::from(operator.0)))
    }
}

impl LineageId {
    /// The id of what `operator` does when the processing-time timer of `key` at `at_ms` fires, which it registered
    /// while it worked on `registered_by`. A clock may go back: key and time alone are not unique.
    #[must_use]
    pub fn of_processing_timer(
        operator: OperatorId,
        key: u64,
        at_ms: i64,
        registered_by: Self,
    ) -> Self {
        Self(mix(Self::of_timer(operator, key, at_ms).0 ^ mix(registered_by.0 ^ 0xC10C)))
    }

    /// The id of what this event-time timer does when it is registered although its time has passed, and fires as
    /// the `number`-th timer for which `watermark` is the reason.
    #[must_use]
    pub fn fired_late(self, watermark: i64, number: u64) -> Self {
        Self(mix(self.0 ^ mix(watermark.cast_unsigned() ^ mix(number ^ 0x1A7E))))
    }
}

impl fmt::Display for LineageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "r-{:016x}", self.0)
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014): a bijection that scatters neighbours.
#[must_use]
pub fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// A digest of a *multiset*: order does not matter, multiplicity does.
///
/// Addition of scattered values modulo 2^128; removing is the inverse of adding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fingerprint {
    sum: u128,
}

impl Fingerprint {
    /// Adds one element.
    pub fn add(&mut self, element: u64) {
        self.sum = self.sum.wrapping_add(Self::scattered(element));
    }

    /// Takes one element out.
    pub fn remove(&mut self, element: u64) {
        self.sum = self.sum.wrapping_sub(Self::scattered(element));
    }

    /// Adds all elements of `other`.
    pub fn merge(&mut self, other: Self) {
        self.sum = self.sum.wrapping_add(other.sum);
    }

    /// Takes all elements of `other` out.
    pub fn take_out(&mut self, other: Self) {
        self.sum = self.sum.wrapping_sub(other.sum);
    }

    fn scattered(element: u64) -> u128 {
        (u128::from(mix(element)) << 64) | u128::from(mix(!element))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.sum)
    }
}

/// A digest of a *sequence* or of bytes: order matters.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Digest(pub u64);

impl Digest {
    /// The digest of `bytes` (xxh3).
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(xxhash_rust::xxh3::xxh3_64(bytes))
    }

    /// Appends one element to the sequence.
    pub fn push(&mut self, element: u64) {
        self.0 = mix(self.0 ^ element).wrapping_add(self.0.rotate_left(17));
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
