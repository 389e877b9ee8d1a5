//! How entries are dealt out to the splits of a source: the shape of an input.

use serde::{Deserialize, Serialize};

/// Who gets how much. Whatever the deal, each split has its entries in their order.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Deal {
    /// In turn: all splits hold as much, and end together.
    #[default]
    Even,
    /// The second split gets twice as much as the first, the third three times: they end at different
    /// times.
    Uneven,
    /// The first splits hold nothing; the others get theirs in turn.
    Empty {
        /// How many hold nothing.
        splits: u16,
    },
}

impl Deal {
    /// Whether it is the usual one.
    #[must_use]
    pub fn is_even(&self) -> bool {
        *self == Self::Even
    }

    /// Whether so many splits can be dealt to: one at least must take what there is.
    #[must_use]
    pub fn fits(self, splits: u16) -> bool {
        match self {
            Self::Even | Self::Uneven => splits > 0,
            Self::Empty { splits: empty } => empty < splits,
        }
    }

    /// Which of `splits` gets entry number `index`.
    ///
    /// # Panics
    ///
    /// When the deal does not [fit](Self::fits) so many splits.
    #[must_use]
    pub fn split_of(self, index: u64, splits: u16) -> u16 {
        assert!(self.fits(splits), "entries cannot be dealt out to no splits");
        match self {
            Self::Even => small(index % u64::from(splits)),
            Self::Uneven => uneven(index, splits),
            Self::Empty { splits: empty } => empty + small(index % u64::from(splits - empty)),
        }
    }

    /// How many of `entries` each of `splits` gets.
    ///
    /// # Panics
    ///
    /// When the deal does not [fit](Self::fits) so many splits.
    #[must_use]
    pub fn lengths(self, entries: u64, splits: u16) -> Vec<u64> {
        let mut lengths = vec![0; usize::from(splits)];
        for index in 0..entries {
            lengths[usize::from(self.split_of(index, splits))] += 1;
        }
        lengths
    }
}

/// In rounds: one for the first, two for the second, and so on.
fn uneven(index: u64, splits: u16) -> u16 {
    let round = u64::from(splits) * (u64::from(splits) + 1) / 2;
    let mut left = index % round;
    let mut split = 0;
    while left > u64::from(split) {
        left -= u64::from(split) + 1;
        split += 1;
    }
    split
}

fn small(number: u64) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_dealt_once() {
        let deals = [Deal::Even, Deal::Uneven, Deal::Empty { splits: 2 }];
        for (deal, splits) in deals.into_iter().flat_map(|deal| [(deal, 3), (deal, 7)]) {
            assert_eq!(deal.lengths(1_000, splits).iter().sum::<u64>(), 1_000, "{deal:?}");
        }
    }

    #[test]
    fn the_deals_have_their_shapes() {
        assert_eq!(Deal::Even.lengths(11, 4), [3, 3, 3, 2]);
        assert_eq!(Deal::Uneven.lengths(60, 3), [10, 20, 30]);
        assert_eq!(Deal::Uneven.lengths(5, 1), [5]);
        assert_eq!(Deal::Empty { splits: 2 }.lengths(9, 4), [0, 0, 5, 4]);
    }

    #[test]
    fn one_split_at_least_is_left() {
        assert!(Deal::Empty { splits: 2 }.fits(3));
        assert!(!Deal::Empty { splits: 3 }.fits(3));
        assert!(!Deal::Even.fits(0));
    }
}
