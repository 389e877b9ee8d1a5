//! What is due, in order: by time, and by the order of sending where times are equal.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::protocol::VirtualTime;

/// A place in the order of all that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// The virtual time at which it is due.
    pub at: VirtualTime,
    /// Breaks ties: whatever was sent first.
    pub order: u64,
}

/// How many bits of a packed entry the token has.
const TOKEN_BITS: u32 = 24;

/// Tokens are below this.
pub const TOKENS_MAX: u32 = 1 << TOKEN_BITS;

/// Orders are below this.
const ORDERS_MAX: u64 = 1 << (64 - TOKEN_BITS);

/// A priority queue of places, each with a small token.
///
/// An entry is one number (time, order, token), so that comparing two is one comparison.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    heap: BinaryHeap<Reverse<u128>>,
}

impl Queue {
    /// Adds a token.
    pub fn push(&mut self, due: Due, token: u32) {
        debug_assert!(token < TOKENS_MAX && due.order < ORDERS_MAX, "an entry fits its number");
        let low = (due.order << TOKEN_BITS) | u64::from(token);
        self.heap.push(Reverse((u128::from(due.at.0) << 64) | u128::from(low)));
    }

    /// When the first is due.
    #[must_use]
    pub fn first(&self) -> Option<VirtualTime> {
        self.heap.peek().map(|Reverse(entry)| VirtualTime((entry >> 64) as u64))
    }

    /// The first, left where it is.
    #[must_use]
    pub fn peek(&self) -> Option<(VirtualTime, u32)> {
        let Reverse(entry) = *self.heap.peek()?;
        Some((VirtualTime((entry >> 64) as u64), entry as u32 & (TOKENS_MAX - 1)))
    }

    /// Takes the first.
    pub fn pop(&mut self) -> Option<(VirtualTime, u32)> {
        let Reverse(entry) = self.heap.pop()?;
        Some((VirtualTime((entry >> 64) as u64), entry as u32 & (TOKENS_MAX - 1)))
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
    /// When eight million values are kept at once.
    pub fn insert(&mut self, value: T) -> u32 {
        if let Some(token) = self.free.pop() {
            self.slots[token as usize] = Some(value);
            return token;
        }
        assert!(self.slots.len() < TOKENS_MAX as usize / 2, "too many messages are under way");
        self.slots.push(Some(value));
        self.slots.len() as u32 - 1
    }

    /// A value, left where it is.
    #[must_use]
    pub fn get(&self, token: u32) -> Option<&T> {
        self.slots.get(token as usize)?.as_ref()
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
