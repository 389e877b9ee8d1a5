//! Sets of seeded bugs.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use strum::EnumCount;

use super::defect::Defect;

/// Which defects are switched on; empty in every run that means it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<Defect>", into = "Vec<Defect>")]
pub struct DefectSet {
    /// A bit a defect, in the order of [`Defect`].
    words: [u64; WORDS],
}

/// How many words hold a bit for each defect.
const WORDS: usize = Defect::COUNT.div_ceil(u64::BITS as usize);

impl DefectSet {
    /// No defect.
    pub const NONE: Self = Self { words: [0; WORDS] };

    /// Only `defect`.
    #[must_use]
    pub fn only(defect: Defect) -> Self {
        let mut set = Self::NONE;
        set.switch_on(defect);
        set
    }

    /// Whether `defect` is switched on.
    #[must_use]
    #[inline]
    pub fn has(self, defect: Defect) -> bool {
        let (word, bit) = place(defect);
        self.words[word] & bit != 0
    }

    /// Whether none is switched on.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::NONE
    }

    /// Those that are switched on, in order.
    pub fn iter(self) -> impl Iterator<Item = Defect> {
        Defect::all().filter(move |defect| self.has(*defect))
    }

    fn switch_on(&mut self, defect: Defect) {
        let (word, bit) = place(defect);
        self.words[word] |= bit;
    }
}

/// In which word the bit of a defect is, and which it is.
#[inline]
fn place(defect: Defect) -> (usize, u64) {
    let number = defect as u32;
    ((number / u64::BITS) as usize, 1 << (number % u64::BITS))
}

impl FromIterator<Defect> for DefectSet {
    fn from_iter<I: IntoIterator<Item = Defect>>(defects: I) -> Self {
        let mut set = Self::NONE;
        defects.into_iter().for_each(|defect| set.switch_on(defect));
        set
    }
}

impl From<Vec<Defect>> for DefectSet {
    fn from(defects: Vec<Defect>) -> Self {
        defects.into_iter().collect()
    }
}

impl From<DefectSet> for Vec<Defect> {
    fn from(set: DefectSet) -> Self {
        set.iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_defect_has_a_bit_of_its_own() {
        for defect in Defect::all() {
            assert_eq!(DefectSet::only(defect).iter().collect::<Vec<_>>(), [defect]);
        }
        let all: DefectSet = Defect::all().collect();
        assert_eq!(all.iter().count(), Defect::COUNT);
        assert!(DefectSet::NONE.is_empty() && !all.is_empty());
    }
}
