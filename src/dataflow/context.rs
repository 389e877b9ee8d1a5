//! What an operator sees besides the record: time, the current key, its state and timers.

use std::marker::PhantomData;

use super::backend::{KeyEntry, Slot};
use super::broadcast_state::{BroadcastState, BroadcastView};
use super::data::{Bytes, Data, decode};
use super::processing_timers::ProcessingTimers;
use super::state::{ListState, MapState, OperatorState, ValueState};
use super::state_access::{ListAccess, MapAccess, OperatorListAccess, ValueAccess};
use super::subtask_context::is_owner;
use super::time::{Notes, TimeStep, TimerId};
use super::timers::Timers;
use crate::protocol::{DefectSet, Digest, LineageId};

/// The surroundings of one step of an operator: one record, or one timer.
///
/// Keyed state and timers are those of the current key.
pub struct Context<'a> {
    pub(crate) timestamp: i64,
    pub(crate) watermark: i64,
    pub(crate) subtask_index: u16,
    pub(crate) parallelism: u16,
    pub(crate) defects: DefectSet,
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) entry: &'a mut KeyEntry,
    pub(crate) timers: &'a mut Timers,
    pub(crate) processing: &'a mut ProcessingTimers,
    pub(crate) processing_time: i64,
    pub(crate) lists: &'a mut [Vec<Bytes>],
    pub(crate) notes: &'a mut Notes,
    pub(crate) parent: LineageId,
    /// The encoded record; nothing where a timer fires.
    pub(crate) payload: &'a [u8],
}

impl Context<'_> {
    /// The value of the current key.
    #[inline]
    pub fn value<T: Data>(&mut self, state: &ValueState<T>) -> ValueAccess<'_, T> {
        ValueAccess { slot: self.slot(state.slot), _values: PhantomData }
    }

    /// The list of the current key.
    pub fn list<T: Data>(&mut self, state: &ListState<T>) -> ListAccess<'_, T> {
        ListAccess { slot: self.slot(state.slot), _values: PhantomData }
    }

    /// The map of the current key.
    pub fn map<K: Data + Ord, V: Data>(&mut self, state: &MapState<K, V>) -> MapAccess<'_, K, V> {
        MapAccess { slot: self.slot(state.slot), _entries: PhantomData }
    }

    /// A list of the subtask, whatever the key.
    ///
    /// # Panics
    ///
    /// When another operator declared the state.
    pub fn operator_list<T: Data>(
        &mut self,
        state: &OperatorState<T>,
    ) -> OperatorListAccess<'_, T> {
        let elements = &mut self.lists[usize::from(state.slot)];
        OperatorListAccess { elements, _values: PhantomData }
    }

    /// The broadcast state, read only: it is changed where what is broadcast comes.
    ///
    /// # Panics
    ///
    /// When another operator declared the state.
    #[must_use]
    pub fn broadcast_state<K: Data + Ord, V: Data>(
        &self,
        state: &BroadcastState<K, V>,
    ) -> BroadcastView<'_, K, V> {
        BroadcastView::of(&self.lists[usize::from(state.slot)])
    }

    /// Has `on_timer` called with the current key once the watermark reaches `timestamp`.
    ///
    /// A timer at or below the current watermark fires when the watermark next advances. Registering a
    /// key's timer twice registers it once.
    ///
    /// # Panics
    ///
    /// When the stream has no key.
    pub fn register_timer(&mut self, timestamp: i64) {
        let key = keyed(self.key);
        if self.timers.register(timestamp, key) {
            self.notes.add(|| TimeStep::Registered(TimerId::new(timestamp, key)));
        }
    }

    /// Takes a registered timer of the current key back; does nothing where there is none.
    ///
    /// # Panics
    ///
    /// When the stream has no key.
    pub fn delete_timer(&mut self, timestamp: i64) {
        let key = keyed(self.key);
        if self.timers.delete(timestamp, key) {
            self.notes.add(|| TimeStep::Deleted(TimerId::new(timestamp, key)));
        }
    }

    /// Has `on_processing_timer` called with the current key once the clock reaches `at_ms`, in milliseconds of
    /// [processing time](Self::processing_time). Registering a key's timer twice registers it once.
    ///
    /// It is in the snapshot; one that came due while the job was down fires when it is up. Those that are
    /// pending when all input has ended do not fire: what they are for, a timer in event time for `i64::MAX`
    /// can do at the end.
    ///
    /// # Panics
    ///
    /// When the stream has no key.
    pub fn register_processing_timer(&mut self, at_ms: i64) {
        self.processing.register(at_ms, keyed(self.key), self.parent);
    }

    /// Takes a timer in processing time of the current key back; does nothing where there is none.
    ///
    /// # Panics
    ///
    /// When the stream has no key.
    pub fn delete_processing_timer(&mut self, at_ms: i64) {
        self.processing.delete(at_ms, keyed(self.key));
    }

    /// Says that the record is dropped because it is late. The runtime does nothing but tell, where event
    /// time is observed; so that what is dropped can be held against what should be.
    pub fn drop_late(&mut self) {
        let (lineage, payload, timestamp) = (self.parent, self.payload, self.timestamp);
        let record = || Digest::of(payload);
        self.notes.add(|| TimeStep::Dropped { lineage, record: record(), timestamp });
    }

    /// The event time of the record, or of the timer.
    #[must_use]
    pub fn timestamp(&self) -> i64 {
        self.timestamp
    }

    /// The current watermark; `i64::MIN` before the first, `i64::MAX` when all input has ended.
    #[must_use]
    pub fn watermark(&self) -> i64 {
        self.watermark
    }

    /// What the clock of the worker says, in milliseconds. Clocks differ, and may be set back; and what depends
    /// on it is another after a failure.
    #[must_use]
    pub fn processing_time(&self) -> i64 {
        self.processing_time
    }

    /// The current key.
    ///
    /// # Panics
    ///
    /// When the stream has no key, or one of another type.
    #[must_use]
    pub fn key<K: Data>(&self) -> K {
        decode(keyed(self.key))
    }

    /// The index of the subtask within its operator.
    #[must_use]
    pub fn subtask_index(&self) -> u16 {
        self.subtask_index
    }

    /// How many subtasks the operator has.
    #[must_use]
    pub fn parallelism(&self) -> u16 {
        self.parallelism
    }

    /// Whether the records of this key come to this subtask, where the operator has a key of type `K`.
    ///
    /// An operator that holds what belongs to keys in a list of the subtask must ask after a restore: a
    /// union list brings everybody's elements.
    #[must_use]
    pub fn owns<K: Data>(&self, key: &K) -> bool {
        is_owner(key, self.subtask_index, self.parallelism)
    }

    /// The current key as bytes.
    pub(crate) fn encoded_key(&self) -> &[u8] {
        keyed(self.key)
    }

    #[inline]
    fn slot(&mut self, slot: u16) -> &mut Slot {
        match self.entry.slots.get_mut(usize::from(slot)) {
            Some(slot) => slot,
            None => panic!("keyed state is used with an operator that did not declare it"),
        }
    }
}

fn keyed(key: Option<&[u8]>) -> &[u8] {
    key.expect("keys and timers need a keyed stream")
}
