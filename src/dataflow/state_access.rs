//! Reading and writing declared state; values are encoded when they are written.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use super::backend::Slot;
use super::data::{Bytes, Data, decode, encode, encode_into};

/// The value of the current key.
pub struct ValueAccess<'a, T> {
    pub(crate) slot: &'a mut Slot,
    pub(crate) _values: PhantomData<T>,
}

impl<T: Data> ValueAccess<'_, T> {
    /// The value, if one was set and not cleared since.
    #[must_use]
    #[inline]
    pub fn get(&self) -> Option<T> {
        match &*self.slot {
            Slot::Empty => None,
            Slot::Value(bytes) => Some(decode(bytes)),
            Slot::List(_) | Slot::Map(_) => wrong_kind("value"),
        }
    }

    /// Replaces the value.
    #[inline]
    pub fn set(&mut self, value: &T) {
        match self.slot {
            Slot::Empty => *self.slot = Slot::Value(Bytes(encode(value))),
            Slot::Value(bytes) => {
                bytes.0.clear();
                encode_into(value, &mut bytes.0);
            }
            Slot::List(_) | Slot::Map(_) => wrong_kind("value"),
        }
    }

    /// Replaces the value by what `change` makes of it, and gives the new one.
    #[inline]
    pub fn update(&mut self, change: impl FnOnce(Option<T>) -> T) -> T {
        let value = change(self.get());
        self.set(&value);
        value
    }

    /// Forgets the value.
    pub fn clear(&mut self) {
        *self.slot = Slot::Empty;
    }
}

/// The list of the current key.
pub struct ListAccess<'a, T> {
    pub(crate) slot: &'a mut Slot,
    pub(crate) _values: PhantomData<T>,
}

impl<T: Data> ListAccess<'_, T> {
    /// Appends an element.
    pub fn push(&mut self, element: &T) {
        let element = Bytes(encode(element));
        match self.slot {
            Slot::Empty => *self.slot = Slot::List(vec![element]),
            Slot::List(elements) => elements.push(element),
            Slot::Value(_) | Slot::Map(_) => wrong_kind("list"),
        }
    }

    /// The elements, in the order in which they were pushed.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = T> + ExactSizeIterator + '_ {
        self.elements().iter().map(|element| decode(element))
    }

    /// How many elements there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.elements().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.elements().is_empty()
    }

    /// Forgets all elements.
    pub fn clear(&mut self) {
        *self.slot = Slot::Empty;
    }

    fn elements(&self) -> &[Bytes] {
        match &*self.slot {
            Slot::Empty => &[],
            Slot::List(elements) => elements,
            Slot::Value(_) | Slot::Map(_) => wrong_kind("list"),
        }
    }
}

/// The map of the current key.
pub struct MapAccess<'a, K, V> {
    pub(crate) slot: &'a mut Slot,
    pub(crate) _entries: PhantomData<(K, V)>,
}

impl<K: Data + Ord, V: Data> MapAccess<'_, K, V> {
    /// The value of `key`, if there is one.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<V> {
        self.entries()?.get(&Bytes(encode(key))).map(|value| decode(value))
    }

    /// Whether there is a value of `key`.
    #[must_use]
    pub fn contains_key(&self, key: &K) -> bool {
        self.entries().is_some_and(|entries| entries.contains_key(&Bytes(encode(key))))
    }

    /// Sets the value of `key`.
    pub fn insert(&mut self, key: &K, value: &V) {
        let (key, value) = (Bytes(encode(key)), Bytes(encode(value)));
        match self.slot {
            Slot::Empty => *self.slot = Slot::Map(BTreeMap::from([(key, value)])),
            Slot::Map(entries) => drop(entries.insert(key, value)),
            Slot::Value(_) | Slot::List(_) => wrong_kind("map"),
        }
    }

    /// Takes out the value of `key`, if there is one.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let entries = match self.slot {
            Slot::Empty => return None,
            Slot::Map(entries) => entries,
            Slot::Value(_) | Slot::List(_) => wrong_kind("map"),
        };
        let removed = entries.remove(&Bytes(encode(key)));
        // A map emptied is a map never filled: equal states have equal snapshots.
        if entries.is_empty() {
            self.clear();
        }
        removed.map(|value| decode(&value))
    }

    /// All entries, in the order of their keys.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (K, V)> + ExactSizeIterator + use<K, V> {
        let encoded = self.entries().into_iter().flatten();
        let mut entries: Vec<(K, V)> =
            encoded.map(|(key, value)| (decode(key), decode(value))).collect();
        entries.sort_by(|left, right| left.0.cmp(&right.0));
        entries.into_iter()
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries().map_or(0, BTreeMap::len)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all entries.
    pub fn clear(&mut self) {
        *self.slot = Slot::Empty;
    }

    fn entries(&self) -> Option<&BTreeMap<Bytes, Bytes>> {
        match &*self.slot {
            Slot::Empty => None,
            Slot::Map(entries) => Some(entries),
            Slot::Value(_) | Slot::List(_) => wrong_kind("map"),
        }
    }
}

/// A list of the subtask.
pub struct OperatorListAccess<'a, T> {
    pub(crate) elements: &'a mut Vec<Bytes>,
    pub(crate) _values: PhantomData<T>,
}

impl<T: Data> OperatorListAccess<'_, T> {
    /// Appends an element.
    pub fn push(&mut self, element: &T) {
        self.elements.push(Bytes(encode(element)));
    }

    /// The elements, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = T> + ExactSizeIterator + '_ {
        self.elements.iter().map(|element| decode(element))
    }

    /// How many elements there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// Keeps the elements for which `keep` holds.
    pub fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        self.elements.retain(|element| keep(&decode(element)));
    }

    /// Forgets all elements.
    pub fn clear(&mut self) {
        self.elements.clear();
    }
}

fn wrong_kind(kind: &str) -> ! {
    panic!("the handle of a {kind} state is used with an operator that did not declare it")
}
