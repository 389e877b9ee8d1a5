//! How stores, the sink target and the source log misbehave, when a world tells them to.

use serde::{Deserialize, Serialize};

pub use crate::external::SinkFault;
use crate::protocol::{ProcessId, SplitId};
use crate::trace::StoreTrouble;

/// What a world tells a service about its own health, from here on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The object store or the meta store.
    Store(StoreFault),
    /// The sink target.
    Sink(SinkFault),
    /// The source log: this split has nothing new to give, or goes on.
    Split {
        /// Which split.
        split: SplitId,
        /// Whether it has nothing to give.
        is_idle: bool,
    },
}

/// How a store misbehaves from here on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoreFault {
    /// Not at all.
    #[default]
    Healthy,
    /// Every request takes this much longer.
    Slow {
        /// How much longer.
        extra_ms: u64,
    },
    /// Every request is refused.
    Failing,
    /// Nothing is served; what arrives waits until the store recovers.
    Stalled,
    /// There is no room: writes are refused, all else is served.
    Full,
    /// A write leaves only the beginning of its content under its key, and is not answered. Content that
    /// lies there whole stays: a write replaces it at one instant or not at all.
    Torn,
    /// What is read has a wrong byte; what is stored has not, and later reads are right.
    Corrupt,
    /// Requests are applied, and not answered.
    Mute,
    /// Listings show what was there when this began.
    Lagging,
    /// Writes can be read, but are neither durable nor answered; when this ends the store loses its
    /// power and them.
    Unsynced,
    /// Once: everything stored is gone for good.
    Destroyed,
}

impl StoreFault {
    /// How a trace names it; none where the store is healthy.
    #[must_use]
    pub fn trouble(self) -> Option<StoreTrouble> {
        Some(match self {
            StoreFault::Healthy => return None,
            StoreFault::Slow { .. } => StoreTrouble::Slow,
            StoreFault::Failing => StoreTrouble::Failing,
            StoreFault::Stalled => StoreTrouble::Stalled,
            StoreFault::Full => StoreTrouble::Full,
            StoreFault::Torn => StoreTrouble::Torn,
            StoreFault::Corrupt => StoreTrouble::Corrupt,
            StoreFault::Mute => StoreTrouble::Mute,
            StoreFault::Lagging => StoreTrouble::Lagging,
            StoreFault::Unsynced => StoreTrouble::Unsynced,
            StoreFault::Destroyed => StoreTrouble::Destroyed,
        })
    }

    /// Whether it makes sense for this store. The meta store holds one record, replaced at one instant:
    /// no part of it can be written or wrong, nothing is listed, and without it there is no job.
    #[must_use]
    pub fn applies_to(self, store: ProcessId) -> bool {
        match self {
            StoreFault::Healthy
            | StoreFault::Slow { .. }
            | StoreFault::Failing
            | StoreFault::Stalled
            | StoreFault::Full
            | StoreFault::Mute
            | StoreFault::Unsynced => {
                matches!(store, ProcessId::ObjectStore | ProcessId::MetaStore)
            }
            StoreFault::Torn
            | StoreFault::Corrupt
            | StoreFault::Lagging
            | StoreFault::Destroyed => store == ProcessId::ObjectStore,
        }
    }
}
