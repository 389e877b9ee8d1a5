//! The external system that sinks write to: transactions, producer epochs, idempotent commits.

mod host;
mod trouble;

use host::Host;

use super::io::{Input, Outbox, Timer};
use super::message::{Answer, Message, RequestId, SinkOperation, ToSinkTarget};
use super::trouble::{SinkFault, Trouble};
use crate::dataflow::Record;
use crate::external::ExternalSystem;
use crate::protocol::ordered::{VecMap, VecSet};
use crate::protocol::rescale::FormerName;
use crate::protocol::{
    Attempt, Defect, DefectSet, Digest, ProcessId, SubtaskId, TransactionId, VirtualTime,
};
use crate::trace::{Event, OutputRecord};

/// The sink target. What it has prepared survives everything; what it has committed is visible for good.
#[derive(Clone, Debug)]
pub struct SinkTarget {
    defects: DefectSet,
    /// The lowest attempt whose producers are accepted, by sink.
    epochs: VecMap<SubtaskId, Attempt>,
    transactions: VecMap<TransactionId, Transaction>,
    /// Remembered for ever: a repeated commit must be told from one of a lost transaction.
    committed: VecSet<TransactionId>,
    /// By sink, how many records its newest attempt has written outside transactions.
    written: VecMap<SubtaskId, (Attempt, u64)>,
    /// Aborted by the target of itself, by a timeout, an expiry or a restart, while their producers were current: nothing may
    /// be written into them any more. Those of producers that are fenced meanwhile are forgotten.
    timed_out: VecSet<TransactionId>,
    fault: Option<SinkFault>,
    /// Commits that take effect later, by ticket.
    delayed: VecMap<u64, Delayed>,
    next: u64,
    /// The system that it hosts, for sinks with a protocol of their own.
    host: Option<Host>,
}

/// A commit that takes effect later.
#[derive(Clone, Debug)]
struct Delayed {
    from: ProcessId,
    request: RequestId,
    transaction: TransactionId,
}

/// A transaction that is not committed.
#[derive(Clone, Debug)]
enum Transaction {
    /// Takes writes.
    Open(Vec<OutputRecord>),
    /// Durable, waiting for commit or abort.
    Prepared(Vec<OutputRecord>),
    /// To be aborted, as soon as the target can.
    Hanging,
}

impl Transaction {
    /// What a commit makes visible; none where it is to be aborted.
    fn into_records(self) -> Option<Vec<OutputRecord>> {
        match self {
            Transaction::Open(records) | Transaction::Prepared(records) => Some(records),
            Transaction::Hanging => None,
        }
    }
}

impl SinkTarget {
    /// A target that holds nothing, and hosts this system.
    #[must_use]
    pub fn new(defects: DefectSet, system: Option<Box<dyn ExternalSystem>>) -> Self {
        let (epochs, transactions, committed, timed_out, written) = Default::default();
        let (fault, delayed, next) = (None, VecMap::new(), 0);
        Self {
            defects,
            epochs,
            transactions,
            committed,
            written,
            timed_out,
            fault,
            delayed,
            next,
            host: system.map(Host::new),
        }
    }

    /// What a crash leaves of it: all but what it was asked for and had not done yet.
    #[must_use]
    pub fn restarted(&self) -> Self {
        let host = self.host.as_ref().map(Host::restarted);
        Self { delayed: VecMap::new(), host, ..self.clone() }
    }

    /// What the system that it hosts holds, and readers do not see: an event for each.
    #[must_use]
    pub fn held(&self) -> Vec<Event> {
        self.host.as_ref().map_or_else(Vec::new, Host::held)
    }

    /// Takes one input.
    pub fn handle(&mut self, now: VirtualTime, input: Input, outbox: &mut dyn Outbox) {
        if let Input::Trouble(Trouble::Sink(fault)) = input {
            self.handle_fault(fault, outbox); // Told before what it brings about in the system.
        }
        if let Some(host) = &mut self.host {
            host.handle(now, &input, outbox);
        }
        match input {
            Input::Message { from, message: Message::SinkTarget(message) } => {
                self.handle_message(from, message, outbox);
            }
            Input::Timer(Timer::Serve(ticket)) => self.serve_delayed(ticket, outbox),
            Input::Start(_) => self.roll_back(outbox),
            Input::Message { .. }
            | Input::Timer(_)
            | Input::Trouble(_)
            | Input::Rescale(_)
            | Input::ConnectionLost { .. } => {}
        }
    }

    fn handle_message(&mut self, from: ProcessId, message: ToSinkTarget, outbox: &mut dyn Outbox) {
        match message {
            ToSinkTarget::Write { transaction, transactional: true, records, .. } => {
                self.write(transaction, &records, outbox);
            }
            ToSinkTarget::Write { transaction, transactional: false, first, records } => {
                self.write_through(transaction, first, &records, outbox);
            }
            ToSinkTarget::Operation { request, operation } => match (operation, self.fault) {
                (
                    SinkOperation::Commit { transaction },
                    Some(SinkFault::DelayedCommit { extra_ms }),
                ) => self.delay(extra_ms, Delayed { from, request, transaction }, outbox),
                (SinkOperation::Commit { transaction }, Some(SinkFault::UnansweredCommit)) => {
                    self.commit(transaction, outbox);
                }
                (SinkOperation::Commit { transaction }, Some(SinkFault::RefusedCommit))
                    if !self.committed.contains(&transaction) =>
                {
                    outbox.send(from, Message::Answer(Answer::Sink { request, accepted: false }));
                }
                (operation, _) => {
                    let accepted = self.apply(operation, outbox);
                    outbox.send(from, Message::Answer(Answer::Sink { request, accepted }));
                }
            },
            ToSinkTarget::Ask { .. } | ToSinkTarget::Tell { .. } => {}
        }
    }

    fn apply(&mut self, operation: SinkOperation, outbox: &mut dyn Outbox) -> bool {
        match operation {
            SinkOperation::Fence { sink, attempt, keep, since, former } => {
                self.fence(sink, since, attempt, &keep, &former, outbox)
            }
            SinkOperation::Prepare { transaction, records } => {
                self.prepare(transaction, records, outbox)
            }
            SinkOperation::Commit { transaction } => self.commit(transaction, outbox),
            SinkOperation::Flush { sink, attempt, records } => {
                self.accepts(sink, attempt) && self.written_by(sink, attempt) >= records
            }
        }
    }

    /// After a crash, what was open is gone: only what was prepared is durable.
    fn roll_back(&mut self, outbox: &mut dyn Outbox) {
        let is_open = |(id, held): (&TransactionId, &Transaction)| {
            matches!(held, Transaction::Open(_)).then_some(*id)
        };
        let open: Vec<_> = self.transactions.iter().filter_map(is_open).collect();
        for transaction in open {
            self.transactions.remove(&transaction);
            if !self.defects.has(Defect::RolledBackReopens) {
                self.timed_out.insert(transaction);
            }
            outbox.event(Event::TransactionAborted { transaction });
        }
    }

    fn written_by(&self, sink: SubtaskId, attempt: Attempt) -> u64 {
        let of_attempt =
            |(newest, records): &(Attempt, u64)| (*newest == attempt).then_some(*records);
        self.written.get(&sink).and_then(of_attempt).unwrap_or(0)
    }

    fn accepts(&self, sink: SubtaskId, attempt: Attempt) -> bool {
        self.defects.has(Defect::OldProducerNotFenced)
            || self.epochs.get(&sink).is_none_or(|epoch| attempt >= *epoch)
    }

    /// Whether the producer is current; says so in the trace where it is not.
    fn admit(&self, transaction: TransactionId, outbox: &mut dyn Outbox) -> bool {
        let accepted = self.accepts(transaction.sink, transaction.attempt)
            && (self.defects.has(Defect::TimedOutReopens)
                || !self.timed_out.contains(&transaction));
        if !accepted {
            outbox.event(Event::ProducerRefused { transaction });
        }
        accepted
    }

    fn write(&mut self, transaction: TransactionId, records: &[Record], outbox: &mut dyn Outbox) {
        if !self.admit(transaction, outbox) {
            return;
        }
        let held = self.transactions.entry(transaction).or_insert_with(|| {
            outbox.event(Event::TransactionOpened { transaction });
            Transaction::Open(Vec::new())
        });
        match held {
            Transaction::Open(held) => held.extend(records.iter().map(output_record)),
            Transaction::Prepared(_) | Transaction::Hanging => {
                outbox.event(Event::ProducerRefused { transaction });
            }
        }
    }

    /// What comes behind a gap is refused, so that no flush covers it.
    fn write_through(
        &mut self,
        transaction: TransactionId,
        first: u64,
        records: &[Record],
        outbox: &mut dyn Outbox,
    ) {
        let (sink, attempt) = (transaction.sink, transaction.attempt);
        if self.admit(transaction, outbox) && self.written_by(sink, attempt) == first {
            self.written.insert(sink, (attempt, first + records.len() as u64));
            let records = records.iter().map(output_record).collect();
            outbox.event(Event::OutputWritten { sink: transaction.sink, records });
        }
    }

    /// A late fence of an older attempt changes nothing, and is not accepted.
    fn fence(
        &mut self,
        sink: SubtaskId,
        since: Attempt,
        attempt: Attempt,
        keep: &[TransactionId],
        former: &[FormerName],
        outbox: &mut dyn Outbox,
    ) -> bool {
        if attempt < self.epochs.get(&sink).copied().unwrap_or_default() {
            return false;
        }
        self.raise_epoch(sink, attempt, outbox);
        for name in former {
            self.raise_epoch(name.sink, attempt, outbox);
        }
        if !self.defects.has(Defect::LingeringTransactionKept) {
            let own = FormerName { sink, from: since, until: attempt };
            let is_older = |id: &TransactionId| {
                let goes_by = |name: &FormerName| name.covers(id.sink, id.attempt);
                (goes_by(&own) || former.iter().any(goes_by)) && !keep.contains(id)
            };
            self.abort_older(is_older, outbox);
        }
        true
    }

    /// Whoever bears this name must be of `attempt` or a later one.
    fn raise_epoch(&mut self, sink: SubtaskId, attempt: Attempt, outbox: &mut dyn Outbox) {
        let epoch = self.epochs.entry(sink).or_default();
        if attempt > *epoch {
            *epoch = attempt;
            self.timed_out.retain(|id| id.sink != sink || id.attempt >= attempt);
            outbox.event(Event::ProducersFenced { sink, attempt });
        }
    }

    fn abort_older(&mut self, is_older: impl Fn(&TransactionId) -> bool, outbox: &mut dyn Outbox) {
        let lingering: Vec<_> = self.transactions.keys().copied().filter(is_older).collect();
        for transaction in lingering {
            self.abort(transaction, outbox);
        }
    }

    /// Repeating it is harmless. It is refused where records are missing: they were written by a
    /// producer that has been fenced meanwhile, or into a transaction that timed out.
    fn prepare(
        &mut self,
        transaction: TransactionId,
        records: u64,
        outbox: &mut dyn Outbox,
    ) -> bool {
        if self.committed.contains(&transaction) {
            return true;
        }
        if !self.admit(transaction, outbox) {
            return false;
        }
        let held = self.transactions.remove(&transaction).unwrap_or(Transaction::Open(Vec::new()));
        let (held, complete) = match held {
            Transaction::Open(held) if held.len() as u64 == records => {
                outbox.event(Event::TransactionPrepared { transaction, records });
                (Transaction::Prepared(held), true)
            }
            Transaction::Open(held) => (Transaction::Open(held), false),
            Transaction::Prepared(held) => (Transaction::Prepared(held), true),
            Transaction::Hanging => (Transaction::Hanging, false),
        };
        self.transactions.insert(transaction, held);
        complete
    }

    /// Commits of older attempts are accepted: only a completed checkpoint asks for one.
    fn commit(&mut self, transaction: TransactionId, outbox: &mut dyn Outbox) -> bool {
        let repeated = self.committed.contains(&transaction);
        if repeated && !self.defects.has(Defect::CommitNotIdempotent) {
            return true;
        }
        if matches!(self.transactions.get(&transaction), Some(Transaction::Hanging)) {
            return false;
        }
        let held = self.transactions.remove(&transaction);
        let Some(records) = held.and_then(Transaction::into_records) else { return false };
        if self.defects.has(Defect::CommitNotIdempotent) {
            self.transactions.insert(transaction, Transaction::Prepared(records.clone()));
        }
        self.committed.insert(transaction);
        outbox.event(Event::TransactionCommitted { transaction, records });
        true
    }
}

fn output_record(record: &Record) -> OutputRecord {
    OutputRecord { lineage: record.lineage, digest: Digest::of(&record.payload) }
}

#[cfg(test)]
mod tests;
