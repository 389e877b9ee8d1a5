//! How a store fares: a queue of requests that are served when they are due, and the trouble it is in.

use std::time::Duration;

use super::io::{Outbox, Timer};
use super::trouble::StoreFault;
use crate::protocol::ProcessId;
use crate::protocol::ordered::VecMap;
use crate::trace::{Event, StoreTrouble};

/// Requests that a store holds at most; those beyond are lost, as if on their way, and come again.
const REQUESTS_MAX: usize = 1 << 14;

/// Requests under way in a store, and how the store fares.
///
/// A request outlives its client: once here, it is served, whoever died meanwhile. Only a loss of power
/// takes it away, and then nobody was answered.
#[derive(Clone, Debug)]
pub struct StoreHealth<R> {
    process: ProcessId,
    fault: Option<StoreFault>,
    next: u64,
    due: VecMap<u64, R>,
    /// Tickets of requests that were due while the store stalled, in that order.
    stalled: Vec<u64>,
}

/// The store fares differently: what was, and what is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// This is over.
    pub ended: Option<StoreFault>,
    /// This begins.
    pub began: Option<StoreFault>,
}

impl<R> StoreHealth<R> {
    /// The health of a store that has nothing to do.
    #[must_use]
    pub fn new(process: ProcessId) -> Self {
        Self { process, fault: None, next: 0, due: VecMap::new(), stalled: Vec::new() }
    }

    /// The store fares differently from here on. A fault replaces the one before it; one that makes no
    /// sense for this store changes nothing. The caller carries out what the turn means for content.
    pub fn handle_fault(
        &mut self,
        fault: Option<StoreFault>,
        outbox: &mut dyn Outbox,
    ) -> Option<Turn> {
        let makes_sense = fault.is_none_or(|fault| fault.applies_to(self.process));
        if fault == self.fault || !makes_sense {
            return None;
        }
        let turn = Turn { ended: self.fault, began: fault };
        self.fault = fault;
        let process = self.process;
        outbox.event(match fault.map(StoreTrouble::from) {
            None => Event::StoreRecovered { process },
            Some(trouble) => Event::StoreTroubled { process, trouble },
        });
        for ticket in self.stalled.drain(..) {
            outbox.set_timer(Duration::ZERO, Timer::Serve(ticket));
        }
        Some(turn)
    }

    /// What is wrong with the store, if anything is.
    #[must_use]
    pub fn fault(&self) -> Option<StoreFault> {
        self.fault
    }

    /// Takes a request that needs `duration` when all is well.
    pub fn enqueue(&mut self, request: R, duration: Duration, outbox: &mut dyn Outbox) {
        if self.due.len() >= REQUESTS_MAX {
            return;
        }
        let extra = Duration::from_millis(self.fault.map_or(0, StoreFault::extra_ms));
        self.due.insert(self.next, request);
        outbox.set_timer(duration + extra, Timer::Serve(self.next));
        self.next += 1;
    }

    /// The request that is due, unless the store stalls: then its time comes when that ends.
    pub fn take(&mut self, ticket: u64) -> Option<R> {
        if self.fault == Some(StoreFault::Stalled) {
            if self.due.contains_key(&ticket) {
                self.stalled.push(ticket);
            }
            return None;
        }
        self.due.remove(&ticket)
    }

    /// The power is gone, and every request with it.
    pub fn forget_requests(&mut self) {
        self.due.clear();
        self.stalled.clear();
    }
}
