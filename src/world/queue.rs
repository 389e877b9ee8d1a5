//! What is due, in order: by time, and by the order of sending where times are equal.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::protocol::VirtualTime;

/// A place in the order of all that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// When.
    pub at: VirtualTime,
    /// Breaks ties: whatever was sent first.
    pub order: u64,
}

/// A priority queue of places, each with a small token.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    heap: BinaryHeap<Reverse<(Due, u32)>>,
}

impl Queue {
    /// Adds a token.
    pub fn push(&mut self, due: Due, token: u32) {
        self.heap.push(Reverse((due, token)));
    }

    /// The first.
    #[must_use]
    pub fn first(&self) -> Option<Due> {
        self.heap.peek().map(|Reverse((due, _))| *due)
    }

    /// Takes the first.
    pub fn pop(&mut self) -> Option<(Due, u32)> {
        self.heap.pop().map(|Reverse(entry)| entry)
    }
}

/// Values under small tokens that are used again.
#[derive(Clone, Debug)]
pub struct Slab<T> {
    slots: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// Keeps a value.
    ///
    /// # Panics
    ///
    /// When four billion values are kept at once.
    pub fn insert(&mut self, value: T) -> u32 {
        if let Some(token) = self.free.pop() {
            self.slots[token as usize] = Some(value);
            return token;
        }
        self.slots.push(Some(value));
        u32::try_from(self.slots.len() - 1).expect("fewer than four billion messages under way")
    }

    /// Takes a value out.
    pub fn remove(&mut self, token: u32) -> Option<T> {
        let value = self.slots.get_mut(token as usize)?.take();
        if value.is_some() {
            self.free.push(token);
        }
        value
    }
}
