//! Slow and failing stores: a queue of requests that are served when they are due.

use std::collections::BTreeMap;
use std::time::Duration;

use super::process::{Outbox, Timer};
use super::trouble::StoreFault;
use crate::protocol::ProcessId;
use crate::trace::Event;

/// Requests under way in a store, and how the store fares.
///
/// A request outlives its client: once here, it is served, whoever died meanwhile.
#[derive(Clone, Debug)]
pub struct StoreHealth<R> {
    fault: StoreFault,
    next: u64,
    due: BTreeMap<u64, R>,
}

impl<R> Default for StoreHealth<R> {
    fn default() -> Self {
        Self { fault: StoreFault::Healthy, next: 0, due: BTreeMap::new() }
    }
}

impl<R> StoreHealth<R> {
    /// After a crash: no request is under way, and what ails the store still does.
    #[must_use]
    pub fn restarted(&self) -> Self {
        Self { fault: self.fault, ..Self::default() }
    }

    /// The store fares differently from here on.
    pub fn handle_fault(
        &mut self,
        process: ProcessId,
        fault: StoreFault,
        outbox: &mut impl Outbox,
    ) {
        self.fault = fault;
        outbox.event(match fault.trouble() {
            None => Event::StoreRecovered { process },
            Some(trouble) => Event::StoreTroubled { process, trouble },
        });
    }

    /// Whether requests are refused now.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.fault == StoreFault::Failing
    }

    /// Takes a request that needs `duration` when all is well.
    pub fn enqueue(&mut self, request: R, duration: Duration, outbox: &mut impl Outbox) {
        let extra = match self.fault {
            StoreFault::Slow { extra_ms } => Duration::from_millis(extra_ms),
            _ => Duration::ZERO,
        };
        self.due.insert(self.next, request);
        outbox.set_timer(duration + extra, Timer::Serve(self.next));
        self.next += 1;
    }

    /// The request that is due.
    pub fn take(&mut self, ticket: u64) -> Option<R> {
        self.due.remove(&ticket)
    }
}
