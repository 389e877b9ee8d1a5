//! What a run did, counted from its trace.

use std::fmt;
use std::ops::AddAssign;

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use strum::{EnumCount as _, IntoEnumIterator as _};

use crate::plan::FaultClass;
use crate::protocol::ordered::VecMap;

/// Counts of one run, or of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statistics {
    /// Source entries read, those read again after a restore included.
    pub records: u64,
    /// Checkpoints completed.
    pub completed: u64,
    /// Checkpoints aborted.
    pub aborted: u64,
    /// Attempts that started from a checkpoint, or again from nothing.
    pub restores: u64,
    /// Inputs that processes took.
    pub steps: u64,
    /// Events of the trace.
    pub events: u64,
    /// Virtual time, in nanoseconds.
    pub virtual_ns: u64,
    /// Faults that struck, by class.
    pub struck: FaultCounts,
}

/// How many faults of each class struck.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FaultCounts([u64; FaultClass::COUNT]);

impl Default for FaultCounts {
    fn default() -> Self {
        Self([0; FaultClass::COUNT])
    }
}

impl FaultCounts {
    /// One fault of `class` struck.
    pub fn count(&mut self, class: FaultClass) {
        self.0[class as usize] += 1;
    }

    /// How many of a class.
    #[must_use]
    pub fn of(&self, class: FaultClass) -> u64 {
        self.0[class as usize]
    }

    /// The classes that struck, in order, each with how often it did.
    pub fn iter(&self) -> impl Iterator<Item = (FaultClass, u64)> + '_ {
        FaultClass::iter().map(|class| (class, self.of(class))).filter(|(_, count)| *count > 0)
    }
}

/// As a map of those that struck, by the names that people read.
impl fmt::Debug for FaultCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(class, count)| (class.to_string(), count))).finish()
    }
}

impl AddAssign for FaultCounts {
    fn add_assign(&mut self, other: Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }
}

/// As a map of those that struck.
impl Serialize for FaultCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (class, count) in self.iter() {
            map.serialize_entry(&class, &count)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for FaultCounts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut counts = Self::default();
        for (class, count) in VecMap::<FaultClass, u64>::deserialize(deserializer)? {
            counts.0[class as usize] = count;
        }
        Ok(counts)
    }
}

impl Statistics {
    /// Adds what another run did.
    pub fn add(&mut self, other: &Self) {
        self.records += other.records;
        self.completed += other.completed;
        self.aborted += other.aborted;
        self.restores += other.restores;
        self.steps += other.steps;
        self.events += other.events;
        self.virtual_ns += other.virtual_ns;
        self.struck += other.struck;
    }

    /// How many faults of a class struck.
    #[must_use]
    pub fn struck(&self, class: FaultClass) -> u64 {
        self.struck.of(class)
    }
}
