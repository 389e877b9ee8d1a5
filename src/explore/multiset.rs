//! How often each thing is there.

use crate::protocol::ordered::VecMap;

/// Counts things. They are sorted first: a sorted vector that grows at its end is quick to fill.
pub fn counts<T: Ord>(things: impl IntoIterator<Item = T>) -> VecMap<T, u64> {
    let mut things: Vec<T> = things.into_iter().collect();
    things.sort_unstable();
    let mut counts = VecMap::new();
    for thing in things {
        *counts.entry(thing).or_insert(0) += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_twice_counts_twice() {
        let counted: Vec<(char, u64)> = counts("banana".chars()).into_iter().collect();
        assert_eq!(counted, [('a', 3), ('b', 1), ('n', 2)]);
    }
}
