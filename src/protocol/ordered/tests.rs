//! They do what the trees of the standard library do.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::vec::Vec;
use core::hash::{Hash, Hasher};

use proptest::prelude::*;

use super::{VecMap, VecSet};

/// What can be done to a map or a set of few small keys.
#[derive(Clone, Copy, Debug)]
enum Act {
    Insert(u8, u8),
    Remove(u8),
    PopFirst,
    PopLast,
    Count(u8),
    SplitOff(u8),
    KeepOdd,
}

fn act() -> impl Strategy<Value = Act> {
    let key = || 0..12_u8;
    prop_oneof![
        8 => (key(), any::<u8>()).prop_map(|(key, value)| Act::Insert(key, value)),
        3 => key().prop_map(Act::Remove),
        1 => Just(Act::PopFirst),
        1 => Just(Act::PopLast),
        4 => key().prop_map(Act::Count),
        1 => key().prop_map(Act::SplitOff),
        1 => Just(Act::KeepOdd),
    ]
}

/// Notes what a hasher is told, and not what it makes of it.
#[derive(Default, PartialEq, Eq, Debug)]
struct Told(Vec<Vec<u8>>);

impl Hasher for Told {
    fn write(&mut self, bytes: &[u8]) {
        self.0.push(bytes.to_vec());
    }

    fn finish(&self) -> u64 {
        0
    }
}

fn told(value: &impl Hash) -> Told {
    let mut told = Told::default();
    value.hash(&mut told);
    told
}

fn assert_maps_alike(ours: &VecMap<u8, u8>, theirs: &BTreeMap<u8, u8>) {
    assert!(ours.iter().eq(theirs), "{ours:?} and {theirs:?}");
    assert!(ours.keys().eq(theirs.keys()) && ours.values().eq(theirs.values()));
    assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
    assert_eq!(told(ours), told(theirs));
    assert_eq!(ours.first_key_value(), theirs.first_key_value());
    assert_eq!(ours.last_key_value(), theirs.last_key_value());
    for key in 0..12 {
        assert_eq!(ours.get(&key), theirs.get(&key));
        assert!(ours.range(key..).eq(theirs.range(key..)), "from {key} of {ours:?}");
        assert!(ours.range(..=key).eq(theirs.range(..=key)), "through {key} of {ours:?}");
        assert!(
            ours.range(2..key.max(2)).eq(theirs.range(2..key.max(2))),
            "2 to {key} of {ours:?}"
        );
    }
    let written = serde_json::to_string(ours).expect("plain data");
    assert_eq!(written, serde_json::to_string(theirs).expect("plain data"));
    assert_eq!(&serde_json::from_str::<VecMap<u8, u8>>(&written).expect("a map"), ours);
    let bytes = postcard::to_stdvec(ours).expect("plain data");
    assert_eq!(bytes, postcard::to_stdvec(theirs).expect("plain data"));
}

fn assert_sets_alike(ours: &VecSet<u8>, theirs: &BTreeSet<u8>) {
    assert!(ours.iter().eq(theirs), "{ours:?} and {theirs:?}");
    assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
    assert_eq!(told(ours), told(theirs));
    assert_eq!((ours.first(), ours.last()), (theirs.first(), theirs.last()));
    for member in 0..12 {
        assert_eq!(ours.contains(&member), theirs.contains(&member));
        assert!(ours.range(..member).eq(theirs.range(..member)), "up to {member} of {ours:?}");
    }
    let written = serde_json::to_string(ours).expect("plain data");
    assert_eq!(written, serde_json::to_string(theirs).expect("plain data"));
    assert_eq!(&serde_json::from_str::<VecSet<u8>>(&written).expect("a set"), ours);
}

proptest! {
    #[test]
    fn a_map_is_what_a_tree_is(acts in proptest::collection::vec(act(), 0..40)) {
        let (mut ours, mut theirs) = (VecMap::new(), BTreeMap::new());
        for act in acts {
            match act {
                Act::Insert(key, value) => {
                    prop_assert_eq!(ours.insert(key, value), theirs.insert(key, value));
                }
                Act::Remove(key) => prop_assert_eq!(ours.remove(&key), theirs.remove(&key)),
                Act::PopFirst => prop_assert_eq!(ours.pop_first(), theirs.pop_first()),
                Act::PopLast => prop_assert_eq!(ours.pop_last(), theirs.pop_last()),
                Act::Count(key) => {
                    let count = |value: &mut u8| *value = value.wrapping_add(1);
                    ours.entry(key).and_modify(count).or_insert(7);
                    theirs.entry(key).and_modify(count).or_insert(7);
                }
                Act::SplitOff(key) => {
                    let (mut our_rest, mut their_rest) = (ours.split_off(&key), theirs.split_off(&key));
                    assert_maps_alike(&our_rest, &their_rest);
                    our_rest.append(&mut ours);
                    their_rest.append(&mut theirs);
                    prop_assert!(ours.is_empty());
                    (ours, theirs) = (our_rest, their_rest);
                }
                Act::KeepOdd => {
                    ours.retain(|_, value| *value % 2 == 1);
                    theirs.retain(|_, value| *value % 2 == 1);
                }
            }
            assert_maps_alike(&ours, &theirs);
        }
    }

    #[test]
    fn a_set_is_what_a_tree_is(acts in proptest::collection::vec(act(), 0..40)) {
        let (mut ours, mut theirs) = (VecSet::new(), BTreeSet::new());
        for act in acts {
            match act {
                Act::Insert(member, _) | Act::Count(member) => {
                    prop_assert_eq!(ours.insert(member), theirs.insert(member));
                }
                Act::Remove(member) => prop_assert_eq!(ours.remove(&member), theirs.remove(&member)),
                Act::PopFirst => prop_assert_eq!(ours.pop_first(), theirs.pop_first()),
                Act::PopLast => prop_assert_eq!(ours.pop_last(), theirs.pop_last()),
                Act::SplitOff(member) => {
                    let (our_rest, their_rest) = (ours.split_off(&member), theirs.split_off(&member));
                    assert_sets_alike(&our_rest, &their_rest);
                    assert_with_other(&ours, &our_rest, &theirs, &their_rest);
                }
                Act::KeepOdd => {
                    ours.retain(|member| member % 2 == 1);
                    theirs.retain(|member| member % 2 == 1);
                }
            }
            assert_sets_alike(&ours, &theirs);
        }
    }

    #[test]
    fn two_sets_compare_as_trees_do(
        one in proptest::collection::vec(0..8_u8, 0..6),
        two in proptest::collection::vec(0..8_u8, 0..6),
    ) {
        let [our_one, our_two] = [&one, &two].map(|all| all.iter().copied().collect::<VecSet<u8>>());
        let [their_one, their_two] =
            [&one, &two].map(|all| all.iter().copied().collect::<BTreeSet<u8>>());
        assert_with_other(&our_one, &our_two, &their_one, &their_two);
    }
}

fn assert_with_other(
    our_one: &VecSet<u8>,
    our_two: &VecSet<u8>,
    their_one: &BTreeSet<u8>,
    their_two: &BTreeSet<u8>,
) {
    assert!(our_one.difference(our_two).eq(their_one.difference(their_two)));
    assert!(our_one.intersection(our_two).eq(their_one.intersection(their_two)));
    assert_eq!(our_one.is_subset(our_two), their_one.is_subset(their_two));
    assert_eq!(our_one.is_superset(our_two), their_one.is_superset(their_two));
    assert_eq!(our_one.is_disjoint(our_two), their_one.is_disjoint(their_two));
    assert_eq!(our_one.cmp(our_two), their_one.cmp(their_two));
}
