//! What can be wrong with stores and the sink target. Worlds tell them so with the fault; a trace names its kind.

use serde::{Deserialize, Serialize};
use strum::{
    EnumCount, EnumDiscriminants, EnumIter, EnumString, IntoEnumIterator as _, IntoStaticStr,
};

use cutwater_protocol::ProcessId;

/// How a store misbehaves from here on.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, EnumDiscriminants, EnumIter,
)]
#[strum_discriminants(
    name(StoreTrouble),
    doc = "What is wrong with a store: the kind of a [`StoreFault`].",
    derive(
        PartialOrd,
        Ord,
        Hash,
        Serialize,
        Deserialize,
        EnumCount,
        EnumIter,
        EnumString,
        IntoStaticStr,
        strum::Display
    ),
    serde(rename_all = "kebab-case"),
    strum(serialize_all = "kebab-case"),
    allow(missing_docs)
)]
#[serde(rename_all = "kebab-case")]
pub enum StoreFault {
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
    /// Once: everything stored is gone for good, every copy of it.
    Destroyed,
}

impl StoreFault {
    /// How much longer every request takes.
    #[must_use]
    pub fn extra_ms(self) -> u64 {
        if let Self::Slow { extra_ms } = self { extra_ms } else { 0 }
    }

    /// Whether it makes sense for this store. The meta store holds one record, replaced at one instant:
    /// no part of it can be written or wrong, nothing is listed, and without it there is no job.
    #[must_use]
    pub fn applies_to(self, store: ProcessId) -> bool {
        match store {
            ProcessId::ObjectStore => true,
            ProcessId::MetaStore => {
                !matches!(self, Self::Torn | Self::Corrupt | Self::Lagging | Self::Destroyed)
            }
            ProcessId::SourceLog
            | ProcessId::SinkTarget
            | ProcessId::Coordinator
            | ProcessId::Worker(_) => false,
        }
    }
}

impl StoreTrouble {
    /// The fault of this kind, with 0 for its number where it has one.
    ///
    /// # Panics
    ///
    /// Never: each kind is that of a fault.
    #[must_use]
    pub fn fault(self) -> StoreFault {
        let is_it = |fault: &StoreFault| Self::from(fault) == self;
        StoreFault::iter().find(is_it).expect("each kind is that of a fault")
    }
}

/// How the sink target, and the system that it hosts, misbehaves from here on.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, EnumDiscriminants, EnumIter,
)]
#[strum_discriminants(
    name(SinkTrouble),
    doc = "What is wrong with the sink target: the kind of a [`SinkFault`].",
    derive(
        PartialOrd,
        Ord,
        Hash,
        Serialize,
        Deserialize,
        EnumCount,
        EnumIter,
        EnumString,
        IntoStaticStr,
        strum::Display
    ),
    serde(rename_all = "kebab-case"),
    strum(serialize_all = "kebab-case"),
    allow(missing_docs)
)]
#[serde(rename_all = "kebab-case")]
pub enum SinkFault {
    /// Once: the transactions that are open and not prepared are aborted.
    TransactionTimeout,
    /// Once: the producers that write now are fenced, as if newer ones had come.
    FencedProducer,
    /// Commits take effect, and are answered, this much later.
    DelayedCommit {
        /// How much later.
        extra_ms: u64,
    },
    /// Transactions that are to be aborted linger until this ends.
    HangingTransaction,
    /// Commits are refused until this ends; what is prepared stays.
    RefusedCommit,
    /// Once: the transactions that are prepared are aborted, as Kafka does with those that are older than
    /// `transaction.timeout.ms`. What a completed checkpoint holds of them is lost.
    ExpiredTransaction,
    /// Commits take effect, and are not answered, until this ends.
    UnansweredCommit,
    /// Once: somebody else commits to the same place, so that whoever commits on top of what he read before is in
    /// conflict.
    ForeignCommit,
}

impl SinkFault {
    /// How much later commits take effect.
    #[must_use]
    pub fn extra_ms(self) -> u64 {
        if let Self::DelayedCommit { extra_ms } = self { extra_ms } else { 0 }
    }
}

impl SinkTrouble {
    /// The fault of this kind, with 0 for its number where it has one.
    ///
    /// # Panics
    ///
    /// Never: each kind is that of a fault.
    #[must_use]
    pub fn fault(self) -> SinkFault {
        let is_it = |fault: &SinkFault| Self::from(fault) == self;
        SinkFault::iter().find(is_it).expect("each kind is that of a fault")
    }
}
