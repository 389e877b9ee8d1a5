//! All state of a subtask at once, read only: what a conserved quantity is computed from.

use super::backend::{KeyedBackend, Slot};
use super::data::{Bytes, Data, decode};
use super::state::{ListState, OperatorState, ValueState};

/// The state of a subtask over all its keys.
pub struct StateView<'a> {
    pub(crate) backend: &'a KeyedBackend,
    pub(crate) lists: &'a [Vec<Bytes>],
}

impl StateView<'_> {
    /// The values of all keys that have one, by key group and then by encoded key.
    pub fn values<T: Data>(&self, state: &ValueState<T>) -> impl Iterator<Item = T> {
        self.encoded_values(state.slot).map(|(_, value)| decode(value))
    }

    /// The keys that have a value, with it, by key group and then by encoded key.
    ///
    /// # Panics
    ///
    /// When `K` is not the type of the keys.
    pub fn entries<K: Data, T: Data>(&self, state: &ValueState<T>) -> impl Iterator<Item = (K, T)> {
        self.encoded_values(state.slot).map(|(key, value)| (decode(key), decode(value)))
    }

    /// The lists of all keys that have one, by key group and then by encoded key.
    pub fn lists<T: Data>(&self, state: &ListState<T>) -> impl Iterator<Item = Vec<T>> {
        let slot = usize::from(state.slot);
        self.backend.entries().filter_map(move |(_, entry)| match entry.slots.get(slot) {
            Some(Slot::List(elements)) => Some(elements.iter().map(|e| decode(e)).collect()),
            Some(Slot::Empty | Slot::Value(_) | Slot::Map(_)) | None => None,
        })
    }

    /// The elements of a list of the subtask.
    pub fn operator_list<T: Data>(&self, state: &OperatorState<T>) -> impl Iterator<Item = T> {
        self.lists[usize::from(state.slot)].iter().map(|element| decode(element))
    }

    fn encoded_values(&self, slot: u16) -> impl Iterator<Item = (&Bytes, &Bytes)> {
        self.backend.entries().filter_map(move |(key, entry)| {
            match entry.slots.get(usize::from(slot)) {
                Some(Slot::Value(value)) => Some((key, value)),
                Some(Slot::Empty | Slot::List(_) | Slot::Map(_)) | None => None,
            }
        })
    }
}
