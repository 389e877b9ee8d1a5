//! An ordered set over a sorted vector.

use alloc::vec::Vec;
use core::borrow::Borrow;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::ops::RangeBounds;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{places, search};

/// An ordered set over a sorted vector; see [the module](super).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct VecSet<T> {
    /// Sorted; nothing twice.
    members: Vec<T>,
}

impl<T> VecSet<T> {
    /// The empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self { members: Vec::new() }
    }

    /// How many members there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.members.clear();
    }

    /// All members, in order.
    pub fn iter(&self) -> core::slice::Iter<'_, T> {
        self.members.iter()
    }

    /// The least member.
    #[must_use]
    pub fn first(&self) -> Option<&T> {
        self.members.first()
    }

    /// The greatest member.
    #[must_use]
    pub fn last(&self) -> Option<&T> {
        self.members.last()
    }

    /// Takes out the least member.
    pub fn pop_first(&mut self) -> Option<T> {
        if self.members.is_empty() { None } else { Some(self.members.remove(0)) }
    }

    /// Takes out the greatest member.
    pub fn pop_last(&mut self) -> Option<T> {
        self.members.pop()
    }

    /// Keeps the members of which `keep` says so.
    pub fn retain(&mut self, keep: impl FnMut(&T) -> bool) {
        self.members.retain(keep);
    }
}

impl<T: Ord> VecSet<T> {
    fn place<Q: Ord + ?Sized>(&self, member: &Q) -> Result<usize, usize>
    where
        T: Borrow<Q>,
    {
        search(self.members.len(), |place| self.members[place].borrow().cmp(member))
    }

    /// How many members there are before this one.
    fn before<Q: Ord + ?Sized>(&self, member: &Q) -> usize
    where
        T: Borrow<Q>,
    {
        self.place(member).unwrap_or_else(|place| place)
    }

    /// How many members there are up to and including this one.
    fn through(&self, member: &T) -> usize {
        self.place(member).map_or_else(|place| place, |place| place + 1)
    }

    /// Whether it is a member.
    #[must_use]
    pub fn contains<Q: Ord + ?Sized>(&self, member: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        self.place(member).is_ok()
    }

    /// Makes it a member; whether it was none.
    pub fn insert(&mut self, member: T) -> bool {
        match self.place(&member) {
            Ok(_) => false,
            Err(place) => {
                self.members.insert(place, member);
                true
            }
        }
    }

    /// Takes a member out; whether it was one.
    pub fn remove<Q: Ord + ?Sized>(&mut self, member: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        self.take(member).is_some()
    }

    /// Takes a member out.
    pub fn take<Q: Ord + ?Sized>(&mut self, member: &Q) -> Option<T>
    where
        T: Borrow<Q>,
    {
        let place = self.place(member).ok()?;
        Some(self.members.remove(place))
    }

    /// The members within `range`, in order.
    pub fn range(&self, range: impl RangeBounds<T>) -> core::slice::Iter<'_, T> {
        let places =
            places(&range, self.len(), |member| self.before(member), |member| self.through(member));
        self.members[places].iter()
    }

    /// Takes the members from `member` on out, `member` included.
    #[must_use]
    pub fn split_off<Q: Ord + ?Sized>(&mut self, member: &Q) -> Self
    where
        T: Borrow<Q>,
    {
        let place = self.before(member);
        Self { members: self.members.split_off(place) }
    }

    /// Moves all members of `other` here.
    pub fn append(&mut self, other: &mut Self) {
        self.extend(core::mem::take(&mut other.members));
    }

    /// The members that `other` has not, in order.
    pub fn difference<'s>(&'s self, other: &'s Self) -> impl Iterator<Item = &'s T> {
        self.members.iter().filter(|member| !other.contains(*member))
    }

    /// The members that `other` has as well, in order.
    pub fn intersection<'s>(&'s self, other: &'s Self) -> impl Iterator<Item = &'s T> {
        self.members.iter().filter(|member| other.contains(*member))
    }

    /// Whether all members are members of `other`.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.members.iter().all(|member| other.contains(member))
    }

    /// Whether all members of `other` are members.
    #[must_use]
    pub fn is_superset(&self, other: &Self) -> bool {
        other.is_subset(self)
    }

    /// Whether no member is a member of `other`.
    #[must_use]
    pub fn is_disjoint(&self, other: &Self) -> bool {
        !self.members.iter().any(|member| other.contains(member))
    }
}

impl<T> Default for VecSet<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for VecSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl<T: Hash> Hash for VecSet<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_usize(self.len());
        for member in &self.members {
            member.hash(state);
        }
    }
}

impl<T> IntoIterator for VecSet<T> {
    type Item = T;
    type IntoIter = alloc::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.members.into_iter()
    }
}

impl<'s, T> IntoIterator for &'s VecSet<T> {
    type Item = &'s T;
    type IntoIter = core::slice::Iter<'s, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.members.iter()
    }
}

impl<T: Ord> Extend<T> for VecSet<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, members: I) {
        for member in members {
            self.insert(member);
        }
    }
}

impl<'a, T: Ord + Copy + 'a> Extend<&'a T> for VecSet<T> {
    fn extend<I: IntoIterator<Item = &'a T>>(&mut self, members: I) {
        self.extend(members.into_iter().copied());
    }
}

impl<T: Ord> FromIterator<T> for VecSet<T> {
    fn from_iter<I: IntoIterator<Item = T>>(members: I) -> Self {
        let mut set = Self::new();
        set.extend(members);
        set
    }
}

impl<T: Ord, const N: usize> From<[T; N]> for VecSet<T> {
    fn from(members: [T; N]) -> Self {
        members.into_iter().collect()
    }
}

impl<T: Serialize> Serialize for VecSet<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.members.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de> + Ord> Deserialize<'de> for VecSet<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<T>::deserialize(deserializer).map(|members| members.into_iter().collect())
    }
}
