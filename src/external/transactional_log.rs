//! A log with transactions, after Apache Kafka's: producers by transactional id and epoch, transactions that time
//! out, and readers that see what is committed up to the last stable offset.
//!
//! The rules, each from KIP-98 and Kafka's `TransactionCoordinator`:
//!
//! 1. `Begin` of a transactional id aborts what is open under it, *promised or not*, and raises its epoch: whoever
//!    has a lower one is fenced (`InvalidProducerEpoch`), for appending and for ending. One that names the producer
//!    which it replaces is refused when another has come meanwhile (KIP-360); one that names none always succeeds,
//!    also when it comes late, or twice.
//! 2. Rows of one producer carry numbers; a repetition is dropped, a gap refused (`OutOfOrderSequence`).
//! 3. A transaction is committed or aborted whole. Ending it the same way again is answered as the first time, but
//!    only as long as nothing was begun under its id since; ending it the other way is refused.
//! 4. The log does not know a prepared transaction from an open one. One that is open for longer than its timeout is
//!    aborted, and its producer fenced, *whatever was promised*.
//! 5. A reader with `isolation.level=read_committed` sees nothing behind the first open transaction. One that
//!    nobody ends hides everybody's rows until it times out.
//! 6. Before KIP-890 the end of a transaction names no transaction: one that comes late ends the next of that
//!    producer, unless its epoch was raised between the two. That is how this log is.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::row::Row;
use super::system::{Caller, ExternalSystem, Held, Request, SystemOutputs};
use crate::protocol::VirtualTime;
use crate::protocol::ordered::VecMap;
use crate::trace::SinkFault;
use crate::trace::Upkeep;

/// Who produces: what `Begin` gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Producer {
    /// Of the transactional id.
    pub id: u64,
    /// How often the id was begun.
    pub epoch: u32,
}

/// What the log is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogRequest {
    /// Who is the producer of this id (`DescribeTransactions`)? Answered with [`LogAnswer::Described`].
    Describe {
        /// The transactional id.
        transactional_id: String,
    },
    /// With which ids that begin so can somebody write: those with an open transaction, and those that were begun and
    /// have none yet, whose rows may be on their way (`ListTransactions`, states `Ongoing` and `Empty`)? Answered with
    /// [`LogAnswer::Listed`].
    List {
        /// The beginning.
        prefix: String,
    },
    /// Make me the producer of this id (`InitProducerId`): answered with [`LogAnswer::Begun`].
    Begin {
        /// The transactional id.
        transactional_id: String,
        /// Whom I replace.
        replaces: Replaces,
    },
    /// Append these rows to the open transaction, which begins with them if none is open.
    Append {
        /// The transactional id.
        transactional_id: String,
        /// Who appends.
        producer: Producer,
        /// How many rows the producer has appended to the transaction before.
        first: u64,
        /// The rows.
        rows: Vec<Row>,
    },
    /// End the transaction (`EndTxn`).
    End {
        /// The transactional id.
        transactional_id: String,
        /// Who ends it.
        producer: Producer,
        /// Whether its rows are to be seen.
        commit: bool,
    },
}

/// Whom a producer replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Replaces {
    /// Whoever it is.
    Anybody,
    /// This one, or nobody yet.
    Only(Option<Producer>),
}

/// What the log answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogAnswer {
    /// These ids have a transaction that is open, or may be opened by who began them.
    Listed(Vec<String>),
    /// The producer of the id, if it has ever been begun.
    Described(Option<Producer>),
    /// The producer of the id from now on.
    Begun(Producer),
    /// All rows up to here are in the open transaction.
    Appended {
        /// How many.
        rows: u64,
    },
    /// The transaction has ended as asked.
    Ended,
    /// A newer producer has the id, or the transaction was aborted by its timeout.
    Fenced,
    /// There is no transaction that could be ended so.
    NoTransaction,
    /// Rows are missing before these.
    OutOfOrder,
}

/// How the last transaction of a producer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    /// Nothing was appended since it was begun.
    Empty,
    /// It takes rows, so many by now; since so many openings of the log, and since when.
    Open { rows: u64, opening: u64, since: VirtualTime, is_flushed: bool },
    /// It was committed, or aborted.
    Ended { commit: bool },
}

#[derive(Clone, Debug)]
struct Known {
    producer: Producer,
    stand: Stand,
}

/// Rows of one transaction that lie together, not yet seen.
#[derive(Clone, Debug)]
struct Batch {
    producer: Producer,
    rows: Vec<Row>,
    outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Open,
    Committed,
    Aborted,
}

/// The log.
#[derive(Clone, Debug)]
pub struct TransactionalLog {
    timeout: Duration,
    producers: VecMap<String, Known>,
    /// From the last stable offset on.
    tail: VecDeque<Batch>,
    /// How many transactions were opened; the timer of each has its number.
    openings: u64,
}

impl TransactionalLog {
    /// A log whose transactions are aborted when they are open for longer than this (`transaction.timeout.ms`).
    #[must_use]
    pub fn new(timeout: Duration) -> Self {
        Self { timeout, producers: VecMap::new(), tail: VecDeque::new(), openings: 0 }
    }

    fn producer(&self, transactional_id: &str) -> Option<Producer> {
        self.producers.get(transactional_id).map(|known| known.producer)
    }

    fn list(&self, prefix: &str) -> LogAnswer {
        let can_write = |(id, known): &(&String, &Known)| {
            id.starts_with(prefix) && matches!(known.stand, Stand::Empty | Stand::Open { .. })
        };
        let listed = self.producers.iter().filter(can_write);
        LogAnswer::Listed(listed.map(|(id, _)| id.clone()).collect())
    }

    fn begin(
        &mut self,
        transactional_id: String,
        replaces: Replaces,
        out: &mut SystemOutputs,
    ) -> LogAnswer {
        if let Replaces::Only(expected) = replaces
            && expected != self.producer(&transactional_id)
        {
            return LogAnswer::Fenced;
        }
        let id = self.producers.len() as u64;
        let fresh = Known { producer: Producer { id, epoch: 0 }, stand: Stand::Empty };
        let known = self.producers.entry(transactional_id).or_insert(fresh);
        let old = known.producer;
        known.producer.epoch += 1;
        known.stand = Stand::Empty;
        let begun = known.producer;
        self.settle(old, Outcome::Aborted, out);
        LogAnswer::Begun(begun)
    }

    fn append(
        &mut self,
        transactional_id: &str,
        producer: Producer,
        first: u64,
        rows: Vec<Row>,
        (is_flushed, out): (bool, &mut SystemOutputs),
    ) -> LogAnswer {
        let Some(known) = self.producers.get_mut(transactional_id) else {
            return LogAnswer::Fenced;
        };
        if known.producer != producer {
            return LogAnswer::Fenced;
        }
        let (before, opening, since) = match known.stand {
            Stand::Empty | Stand::Ended { .. } if rows.is_empty() => {
                return LogAnswer::Appended { rows: 0 };
            }
            Stand::Empty | Stand::Ended { .. } => {
                self.openings += 1;
                out.wake(self.timeout, self.openings);
                (0, self.openings, out.now())
            }
            Stand::Open { rows, opening, since, .. } => (rows, opening, since),
        };
        if first > before {
            return LogAnswer::OutOfOrder;
        }
        let known_rows = usize::try_from(before - first).unwrap_or(usize::MAX);
        let fresh: Vec<Row> = rows.into_iter().skip(known_rows).collect();
        let rows = before + fresh.len() as u64;
        known.stand = Stand::Open { rows, opening, since, is_flushed };
        if !fresh.is_empty() {
            self.tail.push_back(Batch { producer, rows: fresh, outcome: Outcome::Open });
        }
        LogAnswer::Appended { rows }
    }

    fn end(
        &mut self,
        transactional_id: &str,
        producer: Producer,
        commit: bool,
        out: &mut SystemOutputs,
    ) -> LogAnswer {
        let Some(known) = self.producers.get_mut(transactional_id) else {
            return LogAnswer::NoTransaction;
        };
        if known.producer != producer {
            return LogAnswer::Fenced;
        }
        match known.stand {
            Stand::Ended { commit: before } if before == commit => return LogAnswer::Ended,
            Stand::Empty | Stand::Ended { .. } => return LogAnswer::NoTransaction,
            Stand::Open { .. } => known.stand = Stand::Ended { commit },
        }
        let outcome = if commit { Outcome::Committed } else { Outcome::Aborted };
        self.settle(producer, outcome, out);
        LogAnswer::Ended
    }

    /// What this producer has open is settled, and readers get as far as they can.
    fn settle(&mut self, producer: Producer, outcome: Outcome, out: &mut SystemOutputs) {
        let is_its =
            |batch: &&mut Batch| batch.producer == producer && batch.outcome == Outcome::Open;
        self.tail.iter_mut().filter(is_its).for_each(|batch| batch.outcome = outcome);
        while self.tail.front().is_some_and(|batch| batch.outcome != Outcome::Open) {
            let settled = self.tail.pop_front();
            if let Some(Batch { rows, outcome: Outcome::Committed, .. }) = settled {
                out.show(rows);
            }
        }
    }

    /// What the open transaction of this producer holds.
    fn open_rows(&self, producer: Producer) -> Vec<Row> {
        let is_its = |batch: &&Batch| batch.producer == producer && batch.outcome == Outcome::Open;
        self.tail.iter().filter(is_its).flat_map(|batch| batch.rows.clone()).collect()
    }

    /// The producers that are chosen are fenced, and what they have open is aborted: they must begin anew.
    fn time_out(&mut self, is_chosen: impl Fn(Stand) -> bool, out: &mut SystemOutputs) {
        let mut lost = Vec::new();
        for known in self.producers.values_mut().filter(|known| is_chosen(known.stand)) {
            let was_flushed = matches!(known.stand, Stand::Open { is_flushed: true, .. });
            lost.push((known.producer, was_flushed));
            known.producer.epoch += 1;
            known.stand = Stand::Ended { commit: false };
        }
        for (producer, was_flushed) in lost {
            if was_flushed {
                out.expire(self.open_rows(producer));
            }
            self.settle(producer, Outcome::Aborted, out);
        }
    }
}

impl ExternalSystem for TransactionalLog {
    fn name(&self) -> &'static str {
        "transactional-log"
    }

    fn handle_request(&mut self, request: Request<'_>, out: &mut SystemOutputs) {
        let Caller { request: number, .. } = request.caller;
        let answer = match request.decode::<LogRequest>() {
            Err(error) => {
                return out.refuse(request.caller, format!("no request of a log: {error}"));
            }
            Ok(LogRequest::Describe { transactional_id }) => {
                LogAnswer::Described(self.producer(&transactional_id))
            }
            Ok(LogRequest::List { prefix }) => self.list(&prefix),
            Ok(LogRequest::Begin { transactional_id, replaces }) => {
                self.begin(transactional_id, replaces, out)
            }
            Ok(LogRequest::Append { transactional_id, producer, first, rows }) => {
                let is_flushed = number.is_some();
                self.append(&transactional_id, producer, first, rows, (is_flushed, out))
            }
            Ok(LogRequest::End { transactional_id, producer, commit }) => {
                self.end(&transactional_id, producer, commit, out)
            }
        };
        out.answer(request.caller, &answer);
    }

    fn handle_timer(&mut self, timer: u64, out: &mut SystemOutputs) {
        self.time_out(
            |stand| matches!(stand, Stand::Open { opening, .. } if opening == timer),
            out,
        );
    }

    fn handle_fault(&mut self, fault: Option<SinkFault>, out: &mut SystemOutputs) {
        match fault {
            Some(SinkFault::TransactionTimeout) => {
                self.time_out(|stand| matches!(stand, Stand::Open { is_flushed: false, .. }), out)
            }
            Some(SinkFault::ExpiredTransaction) => {
                self.time_out(|stand| matches!(stand, Stand::Open { .. }), out);
            }
            Some(SinkFault::FencedProducer) => self.time_out(
                |stand| matches!(stand, Stand::Empty | Stand::Open { is_flushed: false, .. }),
                out,
            ),
            // A hanging transaction of Kafka's (KIP-664) is one that nobody ends: rule 5 without a fault.
            None
            | Some(
                SinkFault::HangingTransaction
                | SinkFault::DelayedCommit { .. }
                | SinkFault::RefusedCommit
                | SinkFault::UnansweredCommit
                | SinkFault::ForeignCommit,
            ) => {}
        }
    }

    /// A log is replicated: nothing that it answered is lost, and timeouts are counted anew.
    fn restart(&mut self, out: &mut SystemOutputs) {
        for known in self.producers.values() {
            if let Stand::Open { opening, .. } = known.stand {
                out.wake(self.timeout, opening);
            }
        }
    }

    fn held(&self) -> Vec<Held> {
        let held = |(id, known): (&String, &Known)| match known.stand {
            Stand::Open { since, .. } => {
                let rows = self.open_rows(known.producer);
                Some(Held { name: id.clone(), since, upkeep: Upkeep::Client, rows })
            }
            Stand::Empty | Stand::Ended { .. } => None,
        };
        self.producers.iter().filter_map(held).collect()
    }

    fn boxed_clone(&self) -> Box<dyn ExternalSystem> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests;
