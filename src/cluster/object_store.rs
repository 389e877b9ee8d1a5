//! The object store: bytes under keys, durable once it has answered.

use std::sync::Arc;

use super::io::{Input, Outbox, Timer};
use super::message::{Answer, Message, ObjectOperation, ObjectResult, RequestId};
use super::settings::StoreSettings;
use super::store_health::{StoreHealth, Turn};
use super::trouble::{StoreFault, Trouble};
use crate::protocol::ordered::VecMap;
use crate::protocol::{Defect, DefectSet, Digest, ObjectKey, ProcessId};
use crate::trace::Event;

/// The object store. Nothing acknowledged is ever lost, but when every copy is destroyed.
#[derive(Clone, Debug)]
pub struct ObjectStore {
    settings: StoreSettings,
    defects: DefectSet,
    /// What is on the disk.
    durable: VecMap<ObjectKey, Object>,
    /// Written over it and not synced: what lies under the key for a reader, if anything.
    unsynced: VecMap<ObjectKey, Option<Arc<[u8]>>>,
    /// What a listing shows while it lags.
    listing: Vec<ObjectKey>,
    requests: StoreHealth<Request>,
    /// How many reads brought a wrong byte; where the next one has it.
    corrupted: usize,
}

/// What lies under a key.
#[derive(Clone, Debug)]
enum Object {
    Whole(Arc<[u8]>),
    /// Only the beginning of what was written: nobody was told that it is there.
    Torn(Arc<[u8]>),
}

impl Object {
    fn bytes(&self) -> &Arc<[u8]> {
        match self {
            Object::Whole(bytes) | Object::Torn(bytes) => bytes,
        }
    }
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
    pub fn new(settings: StoreSettings, defects: DefectSet) -> Self {
        Self {
            settings,
            defects,
            durable: VecMap::new(),
            unsynced: VecMap::new(),
            listing: Vec::new(),
            requests: StoreHealth::new(ProcessId::ObjectStore),
            corrupted: 0,
        }
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
            Input::Message { from, message: Message::ObjectStore { request, operation } } => {
                let duration = self.settings.duration(self.bytes_of(&operation));
                self.requests.enqueue(Request { from, request, operation }, duration, outbox);
            }
            Input::Timer(Timer::Serve(ticket)) => {
                if let Some(request) = self.requests.take(ticket) {
                    self.serve(request, outbox);
                }
            }
            Input::Trouble(Trouble::Store(fault)) => {
                if let Some(turn) = self.requests.handle_fault(fault, outbox) {
                    self.turn(turn, outbox);
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
        self.unsynced.clear();
        self.requests.forget_requests();
    }

    fn turn(&mut self, turn: Turn, outbox: &mut dyn Outbox) {
        if turn.ended == Some(StoreFault::Unsynced) {
            self.lose_power();
        }
        match turn.began {
            Some(StoreFault::Lagging) => self.listing = self.durable.keys().copied().collect(),
            Some(StoreFault::Destroyed) => self.destroy(outbox),
            None
            | Some(
                StoreFault::Slow { .. }
                | StoreFault::Failing
                | StoreFault::Stalled
                | StoreFault::Full
                | StoreFault::Torn
                | StoreFault::Corrupt
                | StoreFault::Mute
                | StoreFault::Unsynced,
            ) => {}
        }
    }

    fn destroy(&mut self, outbox: &mut dyn Outbox) {
        for key in std::mem::take(&mut self.durable).into_keys() {
            outbox.event(Event::ObjectDestroyed { key });
        }
    }

    fn bytes_of(&self, operation: &ObjectOperation) -> usize {
        match operation {
            ObjectOperation::Put { bytes, .. } => bytes.len(),
            ObjectOperation::Get { key } => self.visible(*key).map_or(0, |bytes| bytes.len()),
            ObjectOperation::Delete { .. } | ObjectOperation::List => 0,
        }
    }

    /// What a reader finds.
    fn visible(&self, key: ObjectKey) -> Option<&Arc<[u8]>> {
        match self.unsynced.get(&key) {
            Some(written) => written.as_ref(),
            None => self.durable.get(&key).map(Object::bytes),
        }
    }

    /// Carries a request out as far as the store can, and answers if it can.
    fn serve(&mut self, request: Request, outbox: &mut dyn Outbox) {
        let Request { from, request, operation } = request;
        let is_write =
            matches!(operation, ObjectOperation::Put { .. } | ObjectOperation::Delete { .. });
        let result = match self.requests.fault() {
            Some(StoreFault::Failing) => Some(refuse(&operation, outbox)),
            Some(StoreFault::Full) if is_put(&operation) => Some(refuse(&operation, outbox)),
            Some(StoreFault::Torn) if is_put(&operation) => {
                self.tear(operation);
                None
            }
            Some(StoreFault::Mute) => {
                self.apply(operation, outbox);
                None
            }
            Some(StoreFault::Unsynced) if is_write => {
                self.write_unsynced(operation);
                self.defects.has(Defect::AnsweredBeforeSynced).then_some(ObjectResult::Done)
            }
            Some(StoreFault::Corrupt) => {
                Some(self.apply(operation, outbox)).map(|it| self.corrupt(it))
            }
            None
            | Some(
                StoreFault::Slow { .. }
                | StoreFault::Stalled
                | StoreFault::Full
                | StoreFault::Torn
                | StoreFault::Lagging
                | StoreFault::Unsynced
                | StoreFault::Destroyed,
            ) => Some(self.apply(operation, outbox)),
        };
        if let Some(result) = result {
            outbox.send(from, Message::Answer(Answer::Object { request, result }));
        }
    }

    fn apply(&mut self, operation: ObjectOperation, outbox: &mut dyn Outbox) -> ObjectResult {
        match operation {
            ObjectOperation::Put { key, bytes } => {
                let (digest, length) = (Digest::of(&bytes), bytes.len() as u64);
                self.durable.insert(key, Object::Whole(bytes));
                outbox.event(Event::ObjectStored { key, digest, bytes: length });
                ObjectResult::Done
            }
            ObjectOperation::Get { key } => match self.visible(key) {
                Some(bytes) => ObjectResult::Read(Arc::clone(bytes)),
                None => ObjectResult::Missing,
            },
            ObjectOperation::Delete { key } => {
                if self.durable.remove(&key).is_some() {
                    outbox.event(Event::ObjectDeleted { key });
                }
                ObjectResult::Done
            }
            ObjectOperation::List => ObjectResult::Listed(self.list()),
        }
    }

    fn list(&self) -> Vec<ObjectKey> {
        match self.requests.fault() {
            Some(StoreFault::Lagging) => self.listing.clone(),
            _ => {
                let gone = |key: &ObjectKey| self.unsynced.get(key).is_some_and(Option::is_none);
                let mut keys: Vec<_> =
                    self.durable.keys().copied().filter(|key| !gone(key)).collect();
                let new = |(key, written): (&ObjectKey, &Option<_>)| {
                    (written.is_some() && !self.durable.contains_key(key)).then_some(*key)
                };
                keys.extend(self.unsynced.iter().filter_map(new));
                keys
            }
        }
    }

    fn tear(&mut self, operation: ObjectOperation) {
        let ObjectOperation::Put { key, bytes } = operation else { return };
        if !matches!(self.durable.get(&key), Some(Object::Whole(_))) {
            let beginning = Arc::from(&bytes[..bytes.len() / 2]);
            self.durable.insert(key, Object::Torn(beginning));
        }
    }

    fn write_unsynced(&mut self, operation: ObjectOperation) {
        match operation {
            ObjectOperation::Put { key, bytes } => {
                self.unsynced.insert(key, Some(bytes));
            }
            ObjectOperation::Delete { key } => {
                self.unsynced.insert(key, None);
            }
            ObjectOperation::Get { .. } | ObjectOperation::List => {}
        }
    }

    /// Another byte with every read, so that no reader is spared for long by where it looks.
    fn corrupt(&mut self, result: ObjectResult) -> ObjectResult {
        match result {
            ObjectResult::Read(bytes) if !bytes.is_empty() => {
                let mut wrong = bytes.to_vec();
                let place = (wrong.len() / 2 + self.corrupted) % wrong.len();
                wrong[place] ^= 1;
                self.corrupted = self.corrupted.wrapping_add(1);
                ObjectResult::Read(wrong.into())
            }
            other => other,
        }
    }
}

fn is_put(operation: &ObjectOperation) -> bool {
    matches!(operation, ObjectOperation::Put { .. })
}

fn refuse(operation: &ObjectOperation, outbox: &mut dyn Outbox) -> ObjectResult {
    match operation {
        ObjectOperation::Put { key, .. } => outbox.event(Event::ObjectRefused { key: *key }),
        ObjectOperation::Get { .. } | ObjectOperation::Delete { .. } | ObjectOperation::List => {}
    }
    ObjectResult::Failed
}

#[cfg(test)]
mod tests;
