//! The meta store: one versioned record a job, replaced by compare-and-set, fenced by term.

use super::io::{Input, Outbox, Timer};
use super::message::{Answer, JobRecord, Message, MetaOperation, RequestId};
use super::settings::StoreSettings;
use super::store_health::StoreHealth;
use super::trouble::{StoreFault, Trouble};
use crate::protocol::ProcessId;
use crate::trace::Event;

/// The meta store. A write counts at one instant; its answer may be lost all the same.
#[derive(Clone, Debug)]
pub struct MetaStore {
    settings: StoreSettings,
    /// Never reused, not even where power was lost before the write was synced: who saw that record
    /// must not take the next one for it.
    version: u64,
    record: JobRecord,
    /// What is on the disk, while `record` is not.
    durable: Option<JobRecord>,
    requests: StoreHealth<Request>,
}

#[derive(Clone, Debug)]
struct Request {
    from: ProcessId,
    request: RequestId,
    operation: MetaOperation,
}

impl MetaStore {
    /// A store with the record of a job that has never run.
    #[must_use]
    pub fn new(settings: StoreSettings) -> Self {
        let requests = StoreHealth::new(ProcessId::MetaStore);
        Self { settings, version: 0, record: JobRecord::default(), durable: None, requests }
    }

    /// The store after a crash: what it had acknowledged is there, what it was asked is forgotten.
    #[must_use]
    pub fn restarted(&self) -> Self {
        let mut store = self.clone();
        store.lose_power();
        store
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input, outbox: &mut dyn Outbox) {
        match input {
            Input::Message { from, message: Message::MetaStore { request, operation } } => {
                let duration = self.settings.duration(0);
                self.requests.enqueue(Request { from, request, operation }, duration, outbox);
            }
            Input::Timer(Timer::Serve(ticket)) => {
                if let Some(request) = self.requests.take(ticket) {
                    self.serve(request, outbox);
                }
            }
            Input::Trouble(Trouble::Store(fault)) => {
                let turn = self.requests.handle_fault(fault, outbox);
                if turn.is_some_and(|turn| turn.ended == Some(StoreFault::Unsynced)) {
                    self.lose_power();
                }
            }
            Input::Start(_)
            | Input::Message { .. }
            | Input::Timer(_)
            | Input::Trouble(_)
            | Input::Rescale(_)
            | Input::ConnectionLost { .. } => {}
        }
    }

    /// The power is gone: what was not synced, and every request under way.
    pub fn lose_power(&mut self) {
        self.requests.forget_requests();
        if let Some(durable) = self.durable.take() {
            self.record = durable;
            self.version += 1;
        }
    }

    /// A meta store that fails or has no room does not answer: the client cannot tell it from a lost
    /// answer, and asks again.
    fn serve(&mut self, request: Request, outbox: &mut dyn Outbox) {
        let Request { from, request, operation } = request;
        let is_write = matches!(operation, MetaOperation::Write { .. });
        let is_answered = match self.requests.fault() {
            Some(StoreFault::Failing) => return,
            Some(StoreFault::Full) if is_write => return,
            Some(StoreFault::Unsynced) if is_write => return self.write_unsynced(operation),
            Some(StoreFault::Mute) => false,
            None
            | Some(
                StoreFault::Slow { .. }
                | StoreFault::Stalled
                | StoreFault::Full
                | StoreFault::Torn
                | StoreFault::Corrupt
                | StoreFault::Lagging
                | StoreFault::Unsynced
                | StoreFault::Destroyed,
            ) => true,
        };
        let written = match operation {
            MetaOperation::Read => false,
            MetaOperation::Write { expected_version, record } => {
                self.write(expected_version, record, outbox)
            }
        };
        if is_answered {
            let (version, record) = (self.version, self.record.clone());
            outbox.send(from, Message::Answer(Answer::Meta { request, written, version, record }));
        }
    }

    fn accepts(&self, expected_version: u64, record: &JobRecord) -> bool {
        expected_version == self.version && record.term >= self.record.term
    }

    fn write(&mut self, expected_version: u64, record: JobRecord, outbox: &mut dyn Outbox) -> bool {
        let term = record.term;
        if !self.accepts(expected_version, &record) {
            outbox.event(Event::RecordRefused { version: expected_version, term });
            return false;
        }
        self.version += 1;
        let retained = record.retained.clone();
        self.record = record;
        outbox.event(Event::RecordWritten { version: self.version, term, retained });
        true
    }

    /// Readers see it; nobody is told that it was written, for it will not have been.
    fn write_unsynced(&mut self, operation: MetaOperation) {
        let MetaOperation::Write { expected_version, record } = operation else { return };
        if self.accepts(expected_version, &record) {
            let before = std::mem::replace(&mut self.record, record);
            self.durable.get_or_insert(before);
            self.version += 1;
        }
    }
}

#[cfg(test)]
mod tests;
