//! How the sink target, and the system that it hosts, misbehaves when a world tells it to.

use serde::{Deserialize, Serialize};

use crate::trace::SinkTrouble;

/// How the sink target misbehaves from here on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SinkFault {
    /// Not at all.
    #[default]
    Healthy,
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
    /// How a trace names it; none where the target is healthy.
    #[must_use]
    pub fn trouble(self) -> Option<SinkTrouble> {
        Some(match self {
            SinkFault::Healthy => return None,
            SinkFault::TransactionTimeout => SinkTrouble::TransactionTimeout,
            SinkFault::FencedProducer => SinkTrouble::FencedProducer,
            SinkFault::DelayedCommit { .. } => SinkTrouble::DelayedCommit,
            SinkFault::HangingTransaction => SinkTrouble::HangingTransaction,
            SinkFault::RefusedCommit => SinkTrouble::RefusedCommit,
            SinkFault::ExpiredTransaction => SinkTrouble::ExpiredTransaction,
            SinkFault::UnansweredCommit => SinkTrouble::UnansweredCommit,
            SinkFault::ForeignCommit => SinkTrouble::ForeignCommit,
        })
    }
}
