//! Where a source stands: in each of its splits, and within the entries of which it has read a part.

use std::collections::BTreeSet;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::protocol::SplitId;
use crate::trace::SplitPosition;

/// The positions in a snapshot of a source.
///
/// They are stored as one list: where reading goes on, ascending by split, and behind it, again ascending, where a part
/// of the next entry was read, the split and, as its offset, how many records of the entry were emitted. So a snapshot
/// without such entries is what it would be if there were none anywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Positions {
    /// Ascending by split, each once.
    reading: Vec<SplitPosition>,
    /// Ascending by split, each once, and each in `reading`.
    paused: Vec<SplitPosition>,
}

impl Positions {
    /// Where reading goes on, in any order.
    #[must_use]
    pub fn of(mut reading: Vec<SplitPosition>) -> Self {
        reading.sort_unstable();
        Self { reading, paused: Vec::new() }
    }

    /// The same, and of the next entry of these splits a part was read: how many records of it were emitted. Other
    /// splits are passed over.
    #[must_use]
    pub fn within_entries(self, paused: impl IntoIterator<Item = (SplitId, u32)>) -> Self {
        let is_ours =
            |split: SplitId| self.reading.binary_search_by_key(&split, |at| at.split).is_ok();
        let paused = paused.into_iter().filter(|(split, _)| is_ours(*split));
        let mut paused: Vec<_> = paused
            .map(|(split, emitted)| SplitPosition { split, offset: u64::from(emitted) })
            .collect();
        paused.sort_unstable();
        Self { paused, ..self }
    }

    /// Where reading goes on, ascending by split.
    #[must_use]
    pub fn reading(&self) -> &[SplitPosition] {
        &self.reading
    }

    /// By split whose next entry was read in part, ascending: how many records of it were emitted.
    pub fn paused(&self) -> impl Iterator<Item = (SplitId, u32)> + '_ {
        self.paused.iter().map(|at| (at.split, u32::try_from(at.offset).unwrap_or(u32::MAX)))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.reading.is_empty()
    }

    /// Where reading goes on, for whoever makes it another place in the same splits.
    pub(crate) fn reading_mut(&mut self) -> &mut [SplitPosition] {
        &mut self.reading
    }

    /// The same places, in splits that are called otherwise.
    pub(crate) fn renamed(&self, name: impl Fn(SplitId) -> SplitId) -> Self {
        let reading = self.reading.iter().map(|at| SplitPosition { split: name(at.split), ..*at });
        Self::of(reading.collect())
            .within_entries(self.paused().map(|(split, emitted)| (name(split), emitted)))
    }

    /// What was stored as one list. A split that comes again begins the second part.
    fn stored(mut list: Vec<SplitPosition>) -> Result<Self, &'static str> {
        let is_again = |pair: &[SplitPosition]| pair[1].split <= pair[0].split;
        let again = list.windows(2).position(is_again).map_or(list.len(), |before| before + 1);
        let paused = list.split_off(again);
        let known: BTreeSet<SplitId> = list.iter().map(|at| at.split).collect();
        let is_ascending = paused.is_sorted_by(|one, next| one.split < next.split);
        match is_ascending && paused.iter().all(|at| known.contains(&at.split)) {
            true => Ok(Self { reading: list, paused }),
            false => {
                Err("positions: expected each split once, ascending, and then some of them again")
            }
        }
    }
}

impl Serialize for Positions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.reading.iter().chain(&self.paused))
    }
}

impl<'de> Deserialize<'de> for Positions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::stored(Vec::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(split: u16, offset: u64) -> SplitPosition {
        SplitPosition { split: SplitId(split), offset }
    }

    #[test]
    fn what_was_read_in_part_is_stored_behind_the_rest_and_found_there() {
        let positions = Positions::of(vec![at(4, 7), at(1, 3), at(2, 0)]);
        let amid =
            positions.clone().within_entries([(SplitId(2), 5), (SplitId(1), 9), (SplitId(6), 1)]);
        for (positions, list) in [
            (positions, vec![at(1, 3), at(2, 0), at(4, 7)]),
            (amid, vec![at(1, 3), at(2, 0), at(4, 7), at(1, 9), at(2, 5)]),
            (Positions::default(), Vec::new()),
        ] {
            let bytes = postcard::to_stdvec(&positions).expect("plain data");
            assert_eq!(bytes, postcard::to_stdvec(&list).expect("plain data"));
            assert_eq!(postcard::from_bytes::<Positions>(&bytes).ok(), Some(positions));
        }
    }

    #[test]
    fn a_list_that_is_none_of_a_source_is_refused() {
        for list in [vec![at(1, 0), at(1, 0), at(1, 0)], vec![at(2, 0), at(1, 0)]] {
            let bytes = postcard::to_stdvec(&list).expect("plain data");
            assert!(postcard::from_bytes::<Positions>(&bytes).is_err(), "{list:?}");
        }
    }
}
