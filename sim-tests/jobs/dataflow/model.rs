//! Random operations on state against a plain model, with restores in between.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;

use super::harness::{Harness, Op, Shown, obedient_job};

/// One thing that happens to the subtask.
#[derive(Clone, Debug)]
enum Action {
    Tell(u16, Op),
    Watermark(i64),
    Recover,
}

/// What the subtask should know.
#[derive(Default)]
struct Model {
    keys: BTreeMap<u16, Known>,
    shared: Vec<u64>,
    timers: BTreeSet<(i64, Vec<u8>, u16)>,
    watermark: Option<i64>,
}

#[derive(Clone, Default)]
struct Known {
    value: Option<u64>,
    list: Vec<String>,
    map: BTreeMap<u32, u64>,
}

impl Model {
    fn tell(&mut self, key: u16, op: &Op) -> Vec<Shown> {
        let known = self.keys.entry(key).or_default();
        match op.clone() {
            Op::SetValue(value) => known.value = Some(value),
            Op::ClearValue => known.value = None,
            Op::Push(element) => known.list.push(element),
            Op::ClearList => known.list.clear(),
            Op::Insert(key, value) => drop(known.map.insert(key, value)),
            Op::Remove(key) => drop(known.map.remove(&key)),
            Op::ClearMap => known.map.clear(),
            Op::PushShared(element) => self.shared.push(element),
            Op::RegisterTimer(at) => self.timers.extend([timer(at, key)]),
            Op::DeleteTimer(at) => self.timers.retain(|known| *known != timer(at, key)),
            Op::Show => return vec![self.shown(key, None)],
        }
        Vec::new()
    }

    fn watermark(&mut self, watermark: i64) -> Vec<Shown> {
        if self.watermark.is_some_and(|known| watermark <= known) {
            return Vec::new();
        }
        self.watermark = Some(watermark);
        let due: Vec<_> =
            self.timers.iter().filter(|timer| timer.0 <= watermark).cloned().collect();
        self.timers.retain(|timer| timer.0 > watermark);
        due.into_iter().map(|(at, _, key)| self.shown(key, Some(at))).collect()
    }

    fn shown(&self, key: u16, fired: Option<i64>) -> Shown {
        let Known { value, list, map } = self.keys.get(&key).cloned().unwrap_or_default();
        Shown {
            key,
            value,
            list,
            map: map.into_iter().collect(),
            shared: self.shared.clone(),
            fired,
        }
    }
}

/// Timers fire by time and then by encoded key.
fn timer(at: i64, key: u16) -> (i64, Vec<u8>, u16) {
    (at, postcard::to_stdvec(&key).unwrap(), key)
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        any::<u64>().prop_map(Op::SetValue),
        Just(Op::ClearValue),
        "[a-z]{0,40}".prop_map(Op::Push),
        Just(Op::ClearList),
        (0..500_u32, any::<u64>()).prop_map(|(key, value)| Op::Insert(key, value)),
        (0..500_u32).prop_map(Op::Remove),
        Just(Op::ClearMap),
        any::<u64>().prop_map(Op::PushShared),
        (0..60_i64).prop_map(Op::RegisterTimer),
        (0..60_i64).prop_map(Op::DeleteTimer),
        Just(Op::Show),
        Just(Op::Show),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    let key = prop_oneof![0..4_u16, 120..140_u16, any::<u16>()];
    prop_oneof![
        20 => (key, op()).prop_map(|(key, op)| Action::Tell(key, op)),
        3 => (0..60_i64).prop_map(Action::Watermark),
        1 => Just(Action::Recover),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..Default::default() })]

    #[test]
    fn state_agrees_with_a_plain_model(actions in vec(action(), 0..120)) {
        let mut harness = Harness::new(&obedient_job(), "obedient/0");
        harness.items(|subtask, out| subtask.end_channel(1, out));
        let mut model = Model::default();
        for action in actions {
            match action {
                Action::Tell(key, op) => {
                    let shown: Vec<Shown> = harness.record(0, 0, &(key, op.clone()));
                    prop_assert_eq!(shown, model.tell(key, &op));
                }
                Action::Watermark(at) => {
                    prop_assert_eq!(harness.watermark::<Shown>(0, at), model.watermark(at));
                }
                Action::Recover => harness.recover(),
            }
        }
    }
}
