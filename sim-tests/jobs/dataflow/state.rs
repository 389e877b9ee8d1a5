//! Each kind of state: per key, through snapshot and restore.

use cutwater::dataflow::{
    Collector, Context, EncodedSink, JobBuilder, Operator, RestoreError, StateDeclarations,
    SubtaskState, ValueState,
};
use cutwater::protocol::{DefectSet, KeyGroup};

use super::harness::{Harness, Obedient, Op, Shown, obedient_job, source, subtask_id};

fn tell(harness: &mut Harness, key: u16, op: Op) -> Vec<Shown> {
    harness.record(0, 0, &(key, op))
}

fn show(harness: &mut Harness, key: u16) -> Shown {
    tell(harness, key, Op::Show).remove(0)
}

fn filled() -> Harness {
    let mut harness = Harness::new(&obedient_job(), "obedient/0");
    let ops = [
        Op::SetValue(7),
        Op::Push("b".into()),
        Op::Push("a".into()),
        Op::Insert(300, 1),
        Op::Insert(2, 2),
        Op::PushShared(5),
    ];
    ops.into_iter().for_each(|op| drop(tell(&mut harness, 1, op)));
    harness
}

#[test]
fn each_kind_of_state_survives_snapshot_and_restore() {
    let mut harness = filled();
    harness.recover();
    let expected = Shown {
        key: 1,
        value: Some(7),
        list: vec!["b".into(), "a".into()],
        map: vec![(2, 2), (300, 1)],
        shared: vec![5],
        fired: None,
    };
    assert_eq!(show(&mut harness, 1), expected);
}

#[test]
fn keys_do_not_see_each_other() {
    let mut harness = filled();
    tell(&mut harness, 2, Op::SetValue(9));
    let other = Shown { key: 2, value: Some(9), shared: vec![5], ..Shown::default() };
    assert_eq!(show(&mut harness, 2), other);
    assert_eq!(show(&mut harness, 1).value, Some(7));
}

#[test]
fn cleared_state_leaves_no_trace_in_the_snapshot() {
    let mut harness = filled();
    let ops = [Op::ClearValue, Op::ClearList, Op::Remove(2), Op::Remove(300)];
    ops.into_iter().for_each(|op| drop(tell(&mut harness, 1, op)));
    let state = harness.subtask.freeze();
    assert_eq!(state.key_groups, [], "nothing is kept of a key without state");
    assert_eq!(state.operator_lists.len(), 1);
}

#[test]
fn equal_states_have_equal_snapshots_whatever_the_order_of_keys() {
    let (mut up, mut down) = (filled(), filled());
    (2..50).for_each(|key| drop(tell(&mut up, key, Op::SetValue(1))));
    (2..50).rev().for_each(|key| drop(tell(&mut down, key, Op::SetValue(1))));
    assert_eq!(up.subtask.freeze().encode(), down.subtask.freeze().encode());
}

#[test]
fn the_snapshot_addresses_each_key_group() {
    let mut harness = filled();
    tell(&mut harness, 2, Op::SetValue(9));
    let group_of = |key: u16| KeyGroup::of(&postcard::to_stdvec(&key).unwrap());
    let mut expected = [group_of(1), group_of(2)];
    expected.sort();
    let groups = harness.subtask.freeze().key_groups;
    assert_eq!(groups.iter().map(|(group, _)| *group).collect::<Vec<_>>(), expected);
}

#[test]
fn a_clone_is_independent() {
    let mut harness = filled();
    let fork = harness.subtask.clone();
    let before = fork.freeze();
    tell(&mut harness, 1, Op::SetValue(8));
    assert_eq!(fork.freeze(), before);
    assert_ne!(harness.subtask.freeze(), before);
}

#[test]
fn the_conserved_quantity_is_computed_over_all_keys() {
    let mut harness = filled();
    assert_eq!(harness.subtask.tokens(), Some(7));
    tell(&mut harness, 2, Op::SetValue(9));
    assert_eq!(harness.subtask.tokens(), Some(16));
    harness.recover();
    assert_eq!(harness.subtask.tokens(), Some(16));
}

/// Like [`Obedient`], with less state.
#[derive(Clone)]
struct Other {
    _value: ValueState<u64>,
}

impl Operator for Other {
    type In = (u16, Op);
    type Out = Shown;

    fn process(&mut self, _: (u16, Op), _: &mut Context<'_>, _: &mut Collector<'_, Shown>) {}

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, Shown>) {}
}

#[test]
fn the_snapshot_of_another_operator_is_refused() {
    let builder = JobBuilder::new("other");
    let make = |states: &mut StateDeclarations| Other { _value: states.value("balance") };
    source::<(u16, Op)>(&builder, 2)
        .key_by(|(key, _)| *key)
        .process("obedient", 1, make)
        .transactional_sink("sink", 1, EncodedSink::new());
    let mut other = Harness::new(&builder.build().unwrap(), "obedient/0");
    let error = other.subtask.restore(&filled().subtask.freeze()).unwrap_err();
    let text = "the snapshot holds the states [\"value\", \"list\", \"map\", \"shared\"], \
                the operator declares [\"balance\"]";
    assert_eq!(error.to_string(), text);
}

#[test]
fn a_key_group_of_another_subtask_is_refused() {
    let builder = JobBuilder::new("wide");
    source::<(u16, Op)>(&builder, 2)
        .key_by(|(key, _)| *key)
        .process("obedient", 2, Obedient::new)
        .transactional_sink("sink", 2, EncodedSink::new());
    let job = builder.build().unwrap();
    let state = filled().subtask.freeze();
    let group = state.key_groups[0].0;
    let foreign = format!("obedient/{}", 1 - group.owner(2));
    let subtask = subtask_id(&job, &foreign);
    let error = job.subtask(subtask, DefectSet::NONE).restore(&state).unwrap_err();
    assert_eq!(error, RestoreError::ForeignKeyGroup { group, subtask });
}

#[test]
fn damaged_snapshots_are_refused() {
    let state = filled().subtask.freeze();
    let bytes = state.encode();
    for length in 0..bytes.len() {
        let corrupt = Err(RestoreError::Corrupt { what: "snapshot" });
        assert_eq!(SubtaskState::decode(&bytes[..length]), corrupt, "cut at {length}");
    }
    let mut damaged = state.clone();
    damaged.key_groups[0].1.0[0] ^= 0x7f;
    let mut harness = Harness::new(&obedient_job(), "obedient/0");
    assert_eq!(harness.subtask.restore(&damaged), Err(RestoreError::Corrupt { what: "key group" }));
}

#[test]
fn a_snapshot_of_a_subtask_with_other_channels_is_refused() {
    let mut state = filled().subtask.freeze();
    state.watermarks.pop();
    let mut harness = Harness::new(&obedient_job(), "obedient/0");
    let error = RestoreError::OtherInputs { found: 1, expected: 2 };
    assert_eq!(harness.subtask.restore(&state), Err(error));
}

#[test]
fn stateless_subtasks_refuse_the_snapshots_of_others() {
    let job = obedient_job();
    let stateful = filled().subtask.freeze();
    for name in ["sink/0", "source/0"] {
        let mut subtask = job.subtask(subtask_id(&job, name), DefectSet::NONE);
        let error = subtask.restore(&stateful).unwrap_err();
        assert!(matches!(error, RestoreError::OtherState { .. }), "{name}: {error}");
    }
    let subtask = subtask_id(&job, "sink/0");
    let source = Harness::new(&job, "source/0").subtask.freeze();
    let error = job.subtask(subtask, DefectSet::NONE).restore(&source).unwrap_err();
    assert_eq!(error, RestoreError::NotASource { subtask });
}
