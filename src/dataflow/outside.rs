//! What the runtime asks of a subtask that speaks with an external system; its types are erased here.

use std::time::Duration;

use serde::de::DeserializeOwned;

use super::committing_sink::{CheckpointOutcome, CommittableId, NoAnswer};
use super::record::Outputs;
use crate::external::{Reply, decode_whole};
use crate::protocol::ordered::VecMap;
use crate::protocol::{Attempt, CheckpointId, TransactionId};

/// One thing that a sink wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkStep {
    /// Ask the system; the answer goes to [`OutsideTask::handle_heard`] with the number.
    Ask {
        /// Names the request.
        number: u64,
        /// What is asked.
        bytes: Vec<u8>,
        /// In which order with others, and whether it is asked again.
        ask: Ask,
    },
    /// Tell the system, in order.
    Tell {
        /// What is told.
        bytes: Vec<u8>,
    },
    /// [`OutsideTask::handle_timer`] is due after this long.
    Wake {
        /// Names the timer.
        number: u64,
        /// How long.
        after: Duration,
    },
    /// It is open.
    Opened,
    /// What was promised up to this checkpoint is durable.
    Prepared(CheckpointId),
    /// This committable is visible.
    Committed(CommittableId),
    /// This committable is to be handed over again.
    RetryCommit {
        /// The committable.
        part: CommittableId,
        /// After how long.
        after: Duration,
    },
    /// It cannot go on.
    Failed(String),
}

/// How a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Whether it goes behind what was told before.
    pub in_order: bool,
    /// How long an answer is waited for, by who asks once; others ask until there is one.
    pub within: Option<Duration>,
}

/// What an answer of the system is to who asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It came.
    Reply(Reply),
    /// It did not come in time.
    Nothing,
}

/// A subtask that speaks with an external system. Everything goes to `out`, whose time is now.
pub trait OutsideTask {
    /// It begins, in this attempt and from this checkpoint.
    fn open(&mut self, attempt: Attempt, checkpoint: Option<CheckpointId>, out: &mut Outputs);

    /// Which committables a restored snapshot held, by the transaction that stands for them.
    fn restored(&self) -> Vec<(CheckpointId, TransactionId)>;

    /// The barrier, or the end, is about to leave: what is emitted now goes ahead of it.
    fn stage(&mut self, checkpoint: Option<CheckpointId>, out: &mut Outputs);

    /// The cut is here, and `transaction` stands for what is promised; none in a staging writer.
    fn pre_commit(
        &mut self,
        checkpoint: CheckpointId,
        transaction: Option<TransactionId>,
        out: &mut Outputs,
    );

    /// Whether anything is left to commit of what `transaction` stands for.
    fn holds(&self, transaction: TransactionId) -> bool;

    /// What `transaction` stands for is to be made visible.
    fn commit(&mut self, transaction: TransactionId, out: &mut Outputs);

    /// The system was heard.
    ///
    /// # Errors
    ///
    /// What is wrong with what it said.
    fn handle_heard(&mut self, number: u64, heard: Heard, out: &mut Outputs) -> Result<(), String>;

    /// A timer is due.
    fn handle_timer(&mut self, number: u64, out: &mut Outputs);

    /// The coordinator says what became of a checkpoint.
    fn settle(&mut self, checkpoint: CheckpointId, outcome: CheckpointOutcome, out: &mut Outputs);

    /// What was promised for this checkpoint is durable.
    ///
    /// # Errors
    ///
    /// When nothing is promised for it that is not known to be.
    fn confirm_prepared(&mut self, checkpoint: CheckpointId) -> Result<(), String>;

    /// This committable is visible: whether nothing is left of its transaction.
    ///
    /// # Errors
    ///
    /// When nobody asked for it to be committed, or it was told before.
    fn confirm_committed(&mut self, part: CommittableId) -> Result<bool, String>;

    /// This committable is to be handed over again, some time.
    ///
    /// # Errors
    ///
    /// As of [`confirm_committed`](Self::confirm_committed).
    fn put_off(&mut self, part: CommittableId) -> Result<(), String>;
}

/// What requests and timers are for, by number.
#[derive(Clone, Debug)]
pub(crate) struct Numbers<T> {
    next: u64,
    tokens: VecMap<u64, T>,
}

impl<T> Numbers<T> {
    pub(crate) fn new() -> Self {
        Self { next: 0, tokens: VecMap::new() }
    }

    /// The number of a new one.
    pub(crate) fn note(&mut self, token: T) -> u64 {
        let number = self.next;
        self.next += 1;
        self.tokens.insert(number, token);
        number
    }

    /// What this one is for; it comes once.
    pub(crate) fn take(&mut self, number: u64) -> Option<T> {
        self.tokens.remove(&number)
    }
}

/// What the system said, as the sink understands it.
///
/// # Errors
///
/// What is wrong with it: the system does not understand the sink, or the sink the system.
pub(crate) fn understood<A: DeserializeOwned>(heard: Heard) -> Result<Result<A, NoAnswer>, String> {
    match heard {
        Heard::Nothing => Ok(Err(NoAnswer::Unknown)),
        Heard::Reply(Reply::Unavailable) => Ok(Err(NoAnswer::Unavailable)),
        Heard::Reply(Reply::Malformed(why)) => Err(format!("the system refuses a request: {why}")),
        Heard::Reply(Reply::Answer(bytes)) => match decode_whole(&bytes) {
            Ok(answer) => Ok(Ok(answer)),
            Err(error) => {
                Err(format!("an answer of {} bytes makes no sense: {error}", bytes.len()))
            }
        },
    }
}
