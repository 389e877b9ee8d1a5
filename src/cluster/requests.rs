//! Requests that are sent again until they are answered.

use std::collections::BTreeMap;
use std::time::Duration;

use super::io::{Outbox, Timer};
use super::message::{Message, RequestId};
use crate::protocol::{Incarnation, ProcessId, VirtualTime};

/// The unanswered requests of one incarnation of a process, each with what it was for.
///
/// At most one retry timer is under way, however many requests are.
#[derive(Clone, Debug)]
pub struct Requests<P> {
    /// The next id; ids of different incarnations never meet.
    next: u64,
    retry: Duration,
    armed: bool,
    /// A tree: a source has one request for each of its splits, and they are answered in their order.
    unanswered: BTreeMap<RequestId, Unanswered<P>>,
}

#[derive(Clone, Debug)]
struct Unanswered<P> {
    purpose: P,
    to: ProcessId,
    message: Message,
    /// When it was last sent; none where it is sent once.
    sent: Option<VirtualTime>,
}

impl<P> Requests<P> {
    /// No requests; unanswered ones will be sent again after `retry`.
    #[must_use]
    pub fn new(incarnation: Incarnation, retry: Duration) -> Self {
        let next = RequestId::first_of(incarnation).0;
        Self { next, retry, armed: false, unanswered: BTreeMap::new() }
    }

    /// Sends what `message` makes of a fresh id, now and until [`answered`](Self::answered).
    pub fn send(
        &mut self,
        now: VirtualTime,
        to: ProcessId,
        purpose: P,
        message: impl FnOnce(RequestId) -> Message,
        outbox: &mut dyn Outbox,
    ) {
        self.note(Some(now), to, purpose, message, outbox);
        self.arm(outbox);
    }

    /// Sends what `message` makes of a fresh id, once. Who no longer waits for the answer says
    /// [`answered`](Self::answered).
    pub fn send_once(
        &mut self,
        to: ProcessId,
        purpose: P,
        message: impl FnOnce(RequestId) -> Message,
        outbox: &mut dyn Outbox,
    ) -> RequestId {
        self.note(None, to, purpose, message, outbox)
    }

    fn note(
        &mut self,
        sent: Option<VirtualTime>,
        to: ProcessId,
        purpose: P,
        message: impl FnOnce(RequestId) -> Message,
        outbox: &mut dyn Outbox,
    ) -> RequestId {
        let request = RequestId(self.next);
        self.next += 1;
        let message = message(request);
        outbox.send(to, message.clone());
        self.unanswered.insert(request, Unanswered { purpose, to, message, sent });
        request
    }

    /// What an unanswered request is for. Who cannot use its answer leaves it unanswered, and it is
    /// sent again in its time.
    #[must_use]
    pub fn purpose(&self, request: RequestId) -> Option<&P> {
        self.unanswered.get(&request).map(|unanswered| &unanswered.purpose)
    }

    /// The request was answered: what it was for, unless it was answered before or given up.
    pub fn answered(&mut self, request: RequestId) -> Option<P> {
        self.unanswered.remove(&request).map(|unanswered| unanswered.purpose)
    }

    /// Whether a request of such a purpose is unanswered.
    pub fn any(&self, is_it: impl Fn(&P) -> bool) -> bool {
        self.unanswered.values().any(|unanswered| is_it(&unanswered.purpose))
    }

    /// Gives up every request whose purpose is not to be kept.
    pub fn retain(&mut self, keep: impl Fn(&P) -> bool) {
        self.unanswered.retain(|_, unanswered| keep(&unanswered.purpose));
    }

    /// The retry timer fired.
    pub fn handle_retry(&mut self, now: VirtualTime, outbox: &mut dyn Outbox) {
        self.armed = false;
        for unanswered in self.unanswered.values_mut() {
            let Some(sent) = &mut unanswered.sent else { continue };
            // A clock that was set back must not make it wait until it has caught up.
            *sent = (*sent).min(now);
            if now - *sent >= self.retry {
                *sent = now;
                outbox.send(unanswered.to, unanswered.message.clone());
            }
        }
        self.arm(outbox);
    }

    fn arm(&mut self, outbox: &mut dyn Outbox) {
        if !self.armed && self.unanswered.values().any(|unanswered| unanswered.sent.is_some()) {
            self.armed = true;
            outbox.set_timer(self.retry, Timer::Retry);
        }
    }
}
