//! The object store: bytes under keys, durable once it has answered.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::message::{Message, ObjectOperation, ObjectResult, RequestId};
use super::process::{Input, Outbox, Timer};
use super::settings::StoreSettings;
use super::store_health::StoreHealth;
use super::trouble::Trouble;
use crate::protocol::{Digest, ObjectKey, ProcessId};
use crate::trace::Event;

/// The object store. Nothing acknowledged is ever lost.
#[derive(Clone, Debug)]
pub struct ObjectStore {
    settings: StoreSettings,
    objects: BTreeMap<ObjectKey, Arc<[u8]>>,
    requests: StoreHealth<Request>,
}

#[derive(Clone, Debug)]
struct Request {
    from: ProcessId,
    request: RequestId,
    operation: ObjectOperation,
}

impl ObjectStore {
    /// An empty store.
    #[must_use]
    pub fn new(settings: StoreSettings) -> Self {
        Self { settings, objects: BTreeMap::new(), requests: StoreHealth::default() }
    }

    /// The store after a crash: what it had acknowledged is there, what it was asked is forgotten.
    #[must_use]
    pub fn restarted(&self) -> Self {
        Self { requests: self.requests.restarted(), ..self.clone() }
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input, outbox: &mut impl Outbox) {
        match input {
            Input::Message { from, message: Message::Object { request, operation } } => {
                let duration = self.settings.duration(self.bytes_of(&operation));
                self.requests.enqueue(Request { from, request, operation }, duration, outbox);
            }
            Input::Timer(Timer::Serve(ticket)) => {
                if let Some(request) = self.requests.take(ticket) {
                    self.serve(request, outbox);
                }
            }
            Input::Trouble(Trouble::Store(fault)) => {
                self.requests.handle_fault(ProcessId::ObjectStore, fault, outbox);
            }
            Input::Start(_)
            | Input::Message { .. }
            | Input::Timer(_)
            | Input::Trouble(_)
            | Input::ConnectionLost { .. } => {}
        }
    }

    fn bytes_of(&self, operation: &ObjectOperation) -> usize {
        match operation {
            ObjectOperation::Put { bytes, .. } => bytes.len(),
            ObjectOperation::Get { key } => self.objects.get(key).map_or(0, |bytes| bytes.len()),
            ObjectOperation::Delete { .. } => 0,
        }
    }

    fn serve(&mut self, request: Request, outbox: &mut impl Outbox) {
        let Request { from, request, operation } = request;
        let result = if self.requests.is_failing() {
            refuse(&operation, outbox)
        } else {
            self.apply(operation, outbox)
        };
        outbox.send(from, Message::ObjectAnswer { request, result });
    }

    fn apply(&mut self, operation: ObjectOperation, outbox: &mut impl Outbox) -> ObjectResult {
        match operation {
            ObjectOperation::Put { key, bytes } => {
                let (digest, length) = (Digest::of(&bytes), bytes.len() as u64);
                self.objects.insert(key, bytes);
                outbox.event(Event::ObjectStored { key, digest, bytes: length });
                ObjectResult::Done
            }
            ObjectOperation::Get { key } => match self.objects.get(&key) {
                Some(bytes) => ObjectResult::Read(Arc::clone(bytes)),
                None => ObjectResult::Missing,
            },
            ObjectOperation::Delete { key } => {
                if self.objects.remove(&key).is_some() {
                    outbox.event(Event::ObjectDeleted { key });
                }
                ObjectResult::Done
            }
        }
    }
}

fn refuse(operation: &ObjectOperation, outbox: &mut impl Outbox) -> ObjectResult {
    match operation {
        ObjectOperation::Put { key, .. } => outbox.event(Event::ObjectRefused { key: *key }),
        ObjectOperation::Get { .. } | ObjectOperation::Delete { .. } => {}
    }
    ObjectResult::Failed
}
