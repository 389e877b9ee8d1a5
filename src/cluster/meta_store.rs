//! The meta store: one versioned record a job, replaced by compare-and-set, fenced by term.

use super::message::{JobRecord, Message, MetaOperation, RequestId};
use super::process::{Input, Outbox, Timer};
use super::settings::StoreSettings;
use super::store_health::StoreHealth;
use super::trouble::Trouble;
use crate::protocol::ProcessId;
use crate::trace::Event;

/// The meta store. A write counts at one instant; its answer may be lost all the same.
#[derive(Clone, Debug)]
pub struct MetaStore {
    settings: StoreSettings,
    version: u64,
    record: JobRecord,
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
        let (record, requests) = (JobRecord::default(), StoreHealth::default());
        Self { settings, version: 0, record, requests }
    }

    /// The store after a crash: what it had acknowledged is there, what it was asked is forgotten.
    #[must_use]
    pub fn restarted(&self) -> Self {
        Self { requests: self.requests.restarted(), ..self.clone() }
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input, outbox: &mut impl Outbox) {
        match input {
            Input::Message { from, message: Message::Meta { request, operation } } => {
                let duration = self.settings.duration(0);
                self.requests.enqueue(Request { from, request, operation }, duration, outbox);
            }
            Input::Timer(Timer::Serve(ticket)) => {
                if let Some(request) = self.requests.take(ticket) {
                    self.serve(request, outbox);
                }
            }
            Input::Trouble(Trouble::Store(fault)) => {
                self.requests.handle_fault(ProcessId::MetaStore, fault, outbox);
            }
            Input::Start(_)
            | Input::Message { .. }
            | Input::Timer(_)
            | Input::Trouble(_)
            | Input::ConnectionLost { .. } => {}
        }
    }

    /// A failing meta store does not answer: the client cannot tell it from a lost answer.
    fn serve(&mut self, request: Request, outbox: &mut impl Outbox) {
        if self.requests.is_failing() {
            return;
        }
        let written = match request.operation {
            MetaOperation::Read => false,
            MetaOperation::Write { expected_version, record } => {
                self.write(expected_version, record, outbox)
            }
        };
        let (version, record) = (self.version, self.record.clone());
        let answer = Message::MetaAnswer { request: request.request, written, version, record };
        outbox.send(request.from, answer);
    }

    fn write(
        &mut self,
        expected_version: u64,
        record: JobRecord,
        outbox: &mut impl Outbox,
    ) -> bool {
        let term = record.term;
        if expected_version != self.version || term < self.record.term {
            outbox.event(Event::RecordRefused { version: expected_version, term });
            return false;
        }
        self.version += 1;
        self.record = record;
        outbox.event(Event::RecordWritten { version: self.version, term });
        true
    }
}
