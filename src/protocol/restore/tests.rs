use super::*;
use crate::lineage::Digest;
use crate::{Attempt, ObjectKey, OperatorId, OperatorRole, SubtaskShape};
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::string::ToString;
use alloc::vec::Vec;

/// A shape of these operators.
fn shape(operators: &[(&str, u16)]) -> Topology {
    let mut topology = Topology::default();
    for (operator, (name, parallelism)) in (0..).map(OperatorId).zip(operators) {
        topology.operators.push(OperatorShape::new(name, OperatorRole::Operator, *parallelism));
        topology.subtasks.extend((0..*parallelism).map(|index| SubtaskShape { operator, index }));
    }
    topology
}

/// A checkpoint of a job of this shape.
fn checkpoint(topology: &Topology) -> CompletedCheckpoint {
    let (checkpoint, attempt) = (CheckpointId(3), Attempt(1));
    let handle = |subtask| {
        let key = ObjectKey::Snapshot { checkpoint, attempt, subtask };
        SnapshotHandle { subtask, key, digest: Digest::default(), bytes: 1 }
    };
    let snapshots = topology.subtask_ids().map(handle).collect();
    CompletedCheckpoint { checkpoint, attempt, snapshots, terminal: false, quiet: Vec::new() }
}

/// Who reads whom, by subtask of the new shape.
fn plan(
    old: &[(&str, u16)],
    new: &[(&str, u16)],
    ranges: &[SnapshotRange],
    defects: DefectSet,
) -> Result<Vec<Vec<String>>, ProtocolError> {
    let (old, new) = (shape(old), shape(new));
    let succession = Succession { old: &old, new: &new, ranges, left: &[] };
    let plan = RestorePlan::rescaled(&checkpoint(&old), succession, defects)?;
    let read = |subtask| {
        let handles = plan.snapshots_of(subtask).iter();
        handles.map(|handle| old.name(handle.subtask)).collect()
    };
    Ok(new.subtask_ids().map(read).collect())
}

const BOTH: [SnapshotRange; 2] = [SnapshotRange::All, SnapshotRange::KeyRange];

#[test]
fn a_subtask_reads_every_snapshot_that_holds_groups_of_its_range() {
    let up =
        plan(&[("read", 1), ("count", 2)], &[("read", 1), ("count", 3)], &BOTH, DefectSet::NONE);
    let expected: [&[&str]; 4] = [&["read/0"], &["count/0"], &["count/0", "count/1"], &["count/1"]];
    assert_eq!(up.expect("it is possible"), expected);
    let down =
        plan(&[("read", 2), ("count", 3)], &[("read", 1), ("count", 1)], &BOTH, DefectSet::NONE);
    let expected: [&[&str]; 2] = [&["read/0", "read/1"], &["count/0", "count/1", "count/2"]];
    assert_eq!(down.expect("it is possible"), expected);
}

#[test]
fn every_group_is_restored_into_exactly_one_subtask() {
    for parallelism in 1..=KeyGroup::COUNT {
        let mut next = 0;
        for index in 0..parallelism {
            let range = restored_range(index, parallelism, DefectSet::NONE);
            assert_eq!(range.start, next, "subtask {index} of {parallelism}");
            next = range.end;
        }
        assert_eq!(next, KeyGroup::COUNT);
    }
}

#[test]
fn what_is_restored_lies_in_what_is_read() {
    for (before, after) in (1..9).flat_map(|before| (1..9).map(move |after| (before, after))) {
        let (old, new) = ([("count", before)], [("count", after)]);
        let read =
            plan(&old, &new, &[SnapshotRange::KeyRange], DefectSet::NONE).expect("it is possible");
        for (index, names) in (0..after).zip(read) {
            for group in restored_range(index, after, DefectSet::NONE) {
                let owner = format!("count/{}", KeyGroup(group).owner(before));
                assert!(names.contains(&owner), "{before} to {after}: {owner} for subtask {index}");
            }
        }
    }
}

#[test]
fn operators_are_known_by_name_not_by_place() {
    let (old, new) = ([("a", 2), ("b", 1)], [("b", 1), ("a", 1)]);
    let read = plan(&old, &new, &[SnapshotRange::All; 2], DefectSet::NONE).expect("it is possible");
    let expected: [&[&str]; 2] = [&["b/0"], &["a/0", "a/1"]];
    assert_eq!(read, expected);
}

#[test]
fn what_is_impossible_is_refused() {
    let refusal = |old: &[(&str, u16)], new: &[(&str, u16)]| {
        plan(old, new, &[SnapshotRange::KeyRange], DefectSet::NONE)
            .expect_err("refused")
            .to_string()
    };
    assert_eq!(
        refusal(&[("count", 2)], &[("tally", 2)]),
        "ckpt-3 holds state of the operator `count`, which the job does not have"
    );
    assert_eq!(
        refusal(&[("count", 2)], &[("count", 2), ("tally", 1)]),
        "ckpt-3 holds no state of the operator `tally`"
    );
    assert_eq!(
        refusal(&[("count", 2)], &[("count", 129)]),
        "`count` is to have 129 subtasks, but ckpt-3 has 128 key groups"
    );
    let (old, other) = (shape(&[("count", 2)]), shape(&[("count", 3)]));
    let same = Succession { old: &old, new: &old, ranges: &[], left: &[] };
    let wrong = RestorePlan::rescaled(&checkpoint(&other), same, DefectSet::NONE);
    let expected = "ckpt-3 was taken with 3 subtasks, the job has 2";
    assert_eq!(wrong.expect_err("refused").to_string(), expected);
}

/// Another version: an operator was inserted, one was renamed, one is gone.
fn next_version() -> (Topology, Topology) {
    let mut new = shape(&[("read", 1), ("check", 1), ("tally", 2)]);
    new.operators[2].uid = Some("count".to_owned());
    (shape(&[("read", 1), ("log", 1), ("count", 1)]), new)
}

/// What the subtasks of the next version read, by the names of the subtasks that took it.
fn upgraded(left: &[OperatorId], defects: DefectSet) -> Result<Vec<Vec<String>>, ProtocolError> {
    let (old, new) = next_version();
    let ranges = [SnapshotRange::All, SnapshotRange::Nothing, SnapshotRange::KeyRange];
    let succession = Succession { old: &old, new: &new, ranges: &ranges, left };
    let plan = RestorePlan::rescaled(&checkpoint(&old), succession, defects)?;
    let names = |handles: &[SnapshotHandle]| {
        handles.iter().map(|handle| old.name(handle.subtask)).collect()
    };
    Ok(new.subtask_ids().map(|subtask| names(plan.snapshots_of(subtask))).collect())
}

#[test]
fn state_is_found_by_uid_and_who_is_new_starts_anew() {
    let log = [OperatorId(1)];
    let read = upgraded(&log, DefectSet::NONE).expect("it is possible");
    let expected: [&[&str]; 4] = [&["read/0"], &[], &["count/0"], &["count/0"]];
    assert_eq!(read, expected);
    let error = upgraded(&[], DefectSet::NONE).expect_err("nobody says that `log` is left");
    let expected = "ckpt-3 holds state of the operator `log`, which the job does not have";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn an_identity_that_includes_the_parallelism_finds_nothing() {
    let (old, new) = ([("count", 2)], [("count", 3)]);
    let defects = DefectSet::only(Defect::StateOfOtherIdentity);
    let read = plan(&old, &new, &[SnapshotRange::KeyRange], defects).expect("it is possible");
    assert!(read.iter().all(Vec::is_empty));
}
