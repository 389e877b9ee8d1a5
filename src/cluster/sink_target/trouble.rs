//! The sink target in trouble: what it aborts, fences, delays and cannot get rid of of itself.

use std::time::Duration;

use super::super::io::{Outbox, Timer};
use super::super::message::{Answer, Message};
use super::super::trouble::SinkFault;
use super::{Delayed, SinkTarget, Transaction};
use crate::protocol::{SubtaskId, TransactionId};
use crate::trace::{Event, SinkTrouble};

impl SinkTarget {
    /// The target fares differently from here on; what was wrong before is over.
    pub(super) fn handle_fault(&mut self, fault: Option<SinkFault>, outbox: &mut dyn Outbox) {
        if fault == self.fault {
            return;
        }
        let ended = std::mem::replace(&mut self.fault, fault);
        outbox.event(match fault.map(SinkTrouble::from) {
            None => Event::SinkRecovered,
            Some(trouble) => Event::SinkTroubled { trouble },
        });
        match ended {
            Some(SinkFault::DelayedCommit { .. }) => self.commit_delayed(outbox),
            Some(SinkFault::HangingTransaction) => self.abort_hanging(outbox),
            None
            | Some(
                SinkFault::TransactionTimeout
                | SinkFault::FencedProducer
                | SinkFault::RefusedCommit
                | SinkFault::ExpiredTransaction
                | SinkFault::UnansweredCommit
                | SinkFault::ForeignCommit,
            ) => {}
        }
        match fault {
            Some(SinkFault::TransactionTimeout) => self.time_out(outbox),
            Some(SinkFault::FencedProducer) => self.fence_current(outbox),
            Some(SinkFault::ExpiredTransaction) => self.expire(outbox),
            None
            | Some(
                SinkFault::DelayedCommit { .. }
                | SinkFault::HangingTransaction
                | SinkFault::RefusedCommit
                | SinkFault::UnansweredCommit
                | SinkFault::ForeignCommit,
            ) => {}
        }
    }

    /// The transaction is gone, or will be when the target has recovered.
    pub(super) fn abort(&mut self, transaction: TransactionId, outbox: &mut dyn Outbox) {
        if self.fault == Some(SinkFault::HangingTransaction) {
            self.transactions.insert(transaction, Transaction::Hanging);
        } else if self.transactions.remove(&transaction).is_some() {
            outbox.event(Event::TransactionAborted { transaction });
        }
    }

    /// The commit takes effect, and is answered, this much later: again and again is once all the same.
    pub(super) fn delay(&mut self, extra_ms: u64, commit: Delayed, outbox: &mut dyn Outbox) {
        if self
            .delayed
            .values()
            .any(|other| (other.from, other.request) == (commit.from, commit.request))
        {
            return; // Asked again: that one is under way.
        }
        self.delayed.insert(self.next, commit);
        outbox.set_timer(Duration::from_millis(extra_ms), Timer::Serve(self.next));
        self.next += 1;
    }

    pub(super) fn serve_delayed(&mut self, ticket: u64, outbox: &mut dyn Outbox) {
        if let Some(Delayed { from, request, transaction }) = self.delayed.remove(&ticket) {
            let accepted = self.commit(transaction, outbox);
            outbox.send(from, Message::Answer(Answer::Sink { request, accepted }));
        }
    }

    fn commit_delayed(&mut self, outbox: &mut dyn Outbox) {
        while let Some(ticket) = self.delayed.keys().next().copied() {
            self.serve_delayed(ticket, outbox);
        }
    }

    fn abort_hanging(&mut self, outbox: &mut dyn Outbox) {
        for transaction in self.chosen(|held| matches!(held, Transaction::Hanging)) {
            self.abort(transaction, outbox);
        }
    }

    /// What is open is aborted. What is prepared stays: it was promised.
    fn time_out(&mut self, outbox: &mut dyn Outbox) {
        for transaction in self.chosen(|held| matches!(held, Transaction::Open(_))) {
            self.timed_out.insert(transaction);
            self.abort(transaction, outbox);
        }
    }

    /// What is prepared is aborted, whatever was promised, and cannot be prepared again.
    fn expire(&mut self, outbox: &mut dyn Outbox) {
        for transaction in self.chosen(|held| matches!(held, Transaction::Prepared(_))) {
            self.timed_out.insert(transaction);
            self.abort(transaction, outbox);
        }
    }

    /// As if the next attempt had come. Its successor has that number too, or a higher one when this
    /// happens again: each attempt that is refused brings it closer.
    fn fence_current(&mut self, outbox: &mut dyn Outbox) {
        let current: Vec<SubtaskId> = self.epochs.keys().copied().collect();
        for sink in current {
            let epoch = self.epochs.entry(sink).or_default();
            *epoch = epoch.next();
            let attempt = *epoch;
            self.timed_out.retain(|id| id.sink != sink || id.attempt >= attempt);
            outbox.event(Event::ProducersFenced { sink, attempt });
        }
        for transaction in self.chosen(|held| matches!(held, Transaction::Open(_))) {
            self.abort(transaction, outbox);
        }
    }

    fn chosen(&self, choose: impl Fn(&Transaction) -> bool) -> Vec<TransactionId> {
        let chosen = self.transactions.iter().filter(|(_, held)| choose(held));
        chosen.map(|(transaction, _)| *transaction).collect()
    }
}
