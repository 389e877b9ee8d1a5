//! Broadcast state: a map that is the same in all subtasks, beside what each key has.

use std::fmt;
use std::marker::PhantomData;

use super::data::{Bytes, Data, decode, encode};

/// A handle to a map that is the same in all subtasks (Flink: `MapStateDescriptor` of a broadcast stream).
///
/// [`Context::broadcast_state`](super::Context::broadcast_state) reads it,
/// [`BroadcastContext::state`](super::BroadcastContext::state) changes it.
pub struct BroadcastState<K, V> {
    pub(crate) slot: u16,
    _entries: PhantomData<fn(K, V)>,
}

impl<K, V> BroadcastState<K, V> {
    pub(crate) fn at(slot: u16) -> Self {
        Self { slot, _entries: PhantomData }
    }
}

impl<K, V> Clone for BroadcastState<K, V> {
    fn clone(&self) -> Self {
        Self::at(self.slot)
    }
}

impl<K, V> fmt::Debug for BroadcastState<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BroadcastState({})", self.slot)
    }
}

/// Broadcast state, read only. Entries are encoded pairs, in the order of their keys: subtasks that were
/// told the same hold the same, in whatever order they were told.
pub struct BroadcastView<'a, K, V> {
    entries: &'a [Bytes],
    _entries: PhantomData<(K, V)>,
}

/// Broadcast state, to be changed in the same way in every subtask.
pub struct BroadcastAccess<'a, K, V> {
    pub(crate) entries: &'a mut Vec<Bytes>,
    pub(crate) _entries: PhantomData<(K, V)>,
}

impl<'a, K: Data + Ord, V: Data> BroadcastView<'a, K, V> {
    pub(crate) fn of(entries: &'a [Bytes]) -> Self {
        Self { entries, _entries: PhantomData }
    }

    /// The value of `key`, if there is one.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<V> {
        let place = self.place_of(key).ok()?;
        Some(entry::<K, V>(&self.entries[place]).1)
    }

    /// All entries, in the order of their keys.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (K, V)> + ExactSizeIterator + 'a {
        self.entries.iter().map(|encoded| entry(encoded))
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn place_of(&self, key: &K) -> Result<usize, usize> {
        self.entries.binary_search_by(|encoded| entry::<K, V>(encoded).0.cmp(key))
    }
}

impl<K: Data + Ord, V: Data> BroadcastAccess<'_, K, V> {
    /// The state as it is.
    #[must_use]
    pub fn view(&self) -> BroadcastView<'_, K, V> {
        BroadcastView::of(self.entries)
    }

    /// Sets the value of `key`.
    pub fn insert(&mut self, key: &K, value: &V) {
        let encoded = Bytes(encode(&(key, value)));
        match self.view().place_of(key) {
            Ok(place) => self.entries[place] = encoded,
            Err(place) => self.entries.insert(place, encoded),
        }
    }

    /// Takes out the value of `key`, if there is one.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let place = self.view().place_of(key).ok()?;
        Some(entry::<K, V>(&self.entries.remove(place)).1)
    }

    /// Forgets all entries.
    pub fn clear(&mut self) {
        self.entries.clear();
    }
}

fn entry<K: Data, V: Data>(encoded: &[u8]) -> (K, V) {
    decode(encoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_in_another_order_is_the_same_state() {
        let told = |order: &[u64]| {
            let mut entries = Vec::new();
            let mut state = BroadcastAccess { entries: &mut entries, _entries: PhantomData };
            order.iter().for_each(|key| state.insert(key, &(key * 10)));
            assert_eq!(state.remove(&300), Some(3_000));
            assert_eq!(state.remove(&300), None);
            assert_eq!(state.view().get(&2), Some(20));
            assert_eq!(state.view().get(&300), None);
            entries
        };
        assert_eq!(told(&[1, 2, 300, 2]), told(&[300, 2, 1]));
    }
}
