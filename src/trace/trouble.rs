//! The kinds of trouble that stores and the sink target can be in, as a trace names them.

use serde::{Deserialize, Serialize};
use strum::{EnumCount, EnumIter, EnumString, IntoStaticStr};

/// What is wrong with a store.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    EnumCount,
    EnumIter,
    EnumString,
    IntoStaticStr,
    strum::Display,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum StoreTrouble {
    /// Every request takes longer.
    Slow,
    /// Every request is refused.
    Failing,
    /// Nothing is served; what arrives waits.
    Stalled,
    /// There is no room: writes are refused, all else is served.
    Full,
    /// A write leaves only the beginning of its content, and is not answered.
    Torn,
    /// What is read has a wrong byte; what is stored has not.
    Corrupt,
    /// Requests are applied, and not answered.
    Mute,
    /// Listings show what was there a while ago.
    Lagging,
    /// Writes can be read, but are not durable and not answered; in the end they are lost.
    Unsynced,
    /// What was stored is gone for good, every copy of it.
    Destroyed,
}

/// What is wrong with the sink target.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    EnumCount,
    EnumIter,
    EnumString,
    IntoStaticStr,
    strum::Display,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum SinkTrouble {
    /// Open transactions time out: they are aborted.
    TransactionTimeout,
    /// The producers that write now are refused from here on.
    FencedProducer,
    /// Commits take effect, and are answered, late.
    DelayedCommit,
    /// Transactions that are to be aborted linger.
    HangingTransaction,
    /// Commits are refused.
    RefusedCommit,
    /// Prepared transactions expire: they are aborted, whatever was promised.
    ExpiredTransaction,
    /// Commits take effect, and are not answered.
    UnansweredCommit,
    /// Somebody else commits to the same place.
    ForeignCommit,
}
