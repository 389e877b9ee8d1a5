//! What is due, by time and then by order.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// A queue of things that are due.
#[derive(Debug)]
pub struct Queue<T> {
    heap: BinaryHeap<Entry<T>>,
    order: u64,
}

#[derive(Debug)]
struct Entry<T> {
    at: u64,
    order: u64,
    due: T,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), order: 0 }
    }
}

impl<T> Queue<T> {
    /// Adds something that is due at this time, behind all else of that time.
    pub fn push(&mut self, at: u64, due: T) {
        self.order += 1;
        self.heap.push(Entry { at, order: self.order, due });
    }

    /// The next, with its time.
    pub fn pop(&mut self) -> Option<(u64, T)> {
        self.heap.pop().map(|entry| (entry.at, entry.due))
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The earliest is the greatest: a heap gives that first.
impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}
