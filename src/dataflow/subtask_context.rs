//! What an operator sees of its subtask where there is no record, and so no key.

use std::marker::PhantomData;

use super::data::{Bytes, Data, encode};
use super::state::OperatorState;
use super::state_access::OperatorListAccess;
use crate::protocol::{Defect, DefectSet, KeyGroup};

/// The surroundings of an operator that is restored: lists of the subtask, and whose keys are its own.
pub struct SubtaskContext<'a> {
    pub(crate) subtask_index: u16,
    pub(crate) parallelism: u16,
    pub(crate) lists: &'a mut [Vec<Bytes>],
    pub(crate) defects: DefectSet,
}

impl SubtaskContext<'_> {
    /// A list of the subtask.
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
    #[must_use]
    pub fn owns<K: Data>(&self, key: &K) -> bool {
        is_owner(key, self.subtask_index, self.parallelism)
    }

    /// Keeps of a union list what belongs to a key of this subtask.
    pub fn keep_own<T: Data, K: Data>(
        &mut self,
        state: &OperatorState<T>,
        key_of: impl Fn(&T) -> K,
    ) {
        if self.defects.has(Defect::UnionListNotPruned) {
            return;
        }
        let (index, parallelism) = (self.subtask_index, self.parallelism);
        self.operator_list(state).retain(|element| is_owner(&key_of(element), index, parallelism));
    }
}

/// Whether the records of this key come to this subtask.
pub(crate) fn is_owner<K: Data>(key: &K, subtask_index: u16, parallelism: u16) -> bool {
    KeyGroup::of(&encode(key)).owner(parallelism) == subtask_index
}
