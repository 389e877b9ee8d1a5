//! Ordered maps and sets over a sorted vector, for the small collections that a protocol is made of.
//!
//! They iterate in the order of their keys, as the trees of the standard library do, and compare, hash and
//! serialise as those do, so that one can stand for the other. Finding is a binary search; inserting and
//! removing moves what lies behind, which is nothing where keys only grow, as checkpoints do. Collections
//! that grow with the number of records or splits stay trees.
//!
//! The trees' code is instantiated anew for each pair of types, some 6,500 lines of it, and these stand in
//! for a hundred pairs. (`litemap` is the well-kept crate for this; it has no sets, ranges or `pop_first`.)

mod map;
mod set;
#[cfg(test)]
mod tests;

pub use map::{Entry, VecMap};
pub use set::VecSet;

use core::cmp::Ordering;
use core::ops::{Bound, RangeBounds};

/// The place among `len` keys at which one compares equal, or where it would have to be.
fn search(len: usize, compare: impl Fn(usize) -> Ordering) -> Result<usize, usize> {
    let (mut low, mut high) = (0, len);
    while low < high {
        let middle = usize::midpoint(low, high);
        match compare(middle) {
            Ordering::Less => low = middle + 1,
            Ordering::Equal => return Ok(middle),
            Ordering::Greater => high = middle,
        }
    }
    Err(low)
}

/// The places of the keys within `range`, where `before` counts the keys before a given one and `through`
/// those up to and including it.
fn places<K>(
    range: &impl RangeBounds<K>,
    len: usize,
    before: impl Fn(&K) -> usize,
    through: impl Fn(&K) -> usize,
) -> core::ops::Range<usize> {
    let first = match range.start_bound() {
        Bound::Included(key) => before(key),
        Bound::Excluded(key) => through(key),
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(key) => through(key),
        Bound::Excluded(key) => before(key),
        Bound::Unbounded => len,
    };
    first..end.max(first)
}
