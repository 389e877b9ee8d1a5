//! The state backend: encoded keyed state, by key group and then by key.

use std::collections::BTreeMap;
use std::collections::btree_map;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::data::Bytes;
use crate::protocol::KeyGroup;

/// One piece of state of one key. Equal states are equal slots: nothing empty is kept but `Empty`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Slot {
    /// Never set, or cleared.
    #[default]
    Empty,
    /// An encoded value.
    Value(Bytes),
    /// Encoded elements, never none.
    List(Vec<Bytes>),
    /// Encoded entries, never none.
    Map(BTreeMap<Bytes, Bytes>),
}

/// All state of one key: a slot for each declared piece.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyEntry {
    pub(crate) slots: SmallVec<[Slot; 1]>,
}

impl KeyEntry {
    fn new(slots: usize) -> Self {
        Self { slots: (0..slots).map(|_| Slot::Empty).collect() }
    }

    fn is_empty(&self) -> bool {
        self.slots.iter().all(|slot| matches!(slot, Slot::Empty))
    }
}

/// The keys of one key group.
pub(crate) type KeyGroupEntries = BTreeMap<Bytes, KeyEntry>;

/// The keyed state of one subtask.
#[derive(Clone, Debug)]
pub(crate) struct KeyedBackend {
    /// How many slots each key has.
    slots: usize,
    /// The number of the first group.
    first: u16,
    /// The groups that the subtask owns, in order. No entry is empty between two steps.
    groups: Vec<KeyGroupEntries>,
    /// Lent out where no keyed state is declared; has no slots.
    none: KeyEntry,
}

impl KeyedBackend {
    /// An empty backend of subtask `index` of `parallelism`, with `slots` pieces of state per key.
    pub(crate) fn new(slots: usize, index: u16, parallelism: u16) -> Self {
        let range = KeyGroup::range(index, parallelism);
        let groups = vec![KeyGroupEntries::new(); range.len()];
        Self { slots, first: range.start, groups, none: KeyEntry::default() }
    }

    /// Runs `step` on the state of `key`.
    pub(crate) fn with_key(&mut self, key: &[u8], step: &mut dyn FnMut(&mut KeyEntry)) {
        if self.slots == 0 {
            return step(&mut self.none);
        }
        let slots = self.slots;
        match self.group_of(key).entry(Bytes::from(key)) {
            btree_map::Entry::Occupied(mut occupied) => {
                step(occupied.get_mut());
                if occupied.get().is_empty() {
                    occupied.remove();
                }
            }
            btree_map::Entry::Vacant(vacant) => {
                let mut entry = KeyEntry::new(slots);
                step(&mut entry);
                if !entry.is_empty() {
                    vacant.insert(entry);
                }
            }
        }
    }

    /// Runs `step` where there is no key: it has no keyed state.
    pub(crate) fn without_key(&mut self, step: &mut dyn FnMut(&mut KeyEntry)) {
        step(&mut self.none);
    }

    /// Whether `group` is one of this subtask's.
    pub(crate) fn owns(&self, group: KeyGroup) -> bool {
        group.0.checked_sub(self.first).is_some_and(|local| usize::from(local) < self.groups.len())
    }

    /// All groups that the subtask owns, in order.
    pub(crate) fn groups(&self) -> impl Iterator<Item = (KeyGroup, &KeyGroupEntries)> {
        (self.first..).map(KeyGroup).zip(&self.groups)
    }

    /// All keys and their state, by group and then by encoded key.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&Bytes, &KeyEntry)> {
        self.groups.iter().flatten()
    }

    /// Whether every entry has a slot for each declared piece of state.
    pub(crate) fn fits(&self, entries: &KeyGroupEntries) -> bool {
        entries.values().all(|entry| entry.slots.len() == self.slots)
    }

    /// Replaces the content of a group that this subtask owns.
    pub(crate) fn replace(&mut self, group: KeyGroup, entries: KeyGroupEntries) {
        self.groups[usize::from(group.0 - self.first)] = entries;
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.groups.iter_mut().for_each(BTreeMap::clear);
    }

    #[inline]
    fn group_of(&mut self, key: &[u8]) -> &mut KeyGroupEntries {
        let group = KeyGroup::of(key);
        let local = usize::from(group.0.wrapping_sub(self.first));
        match self.groups.get_mut(local) {
            Some(entries) => entries,
            None => panic!("a record of {group} reached a subtask that does not own it"),
        }
    }
}
