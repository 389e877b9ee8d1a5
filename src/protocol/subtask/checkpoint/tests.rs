//! What the walk-throughs do not show of a subtask: order within a step, late parts, bounds.

use super::*;
use alloc::vec::Vec;

const PARTS: &[AsyncPart] = &[AsyncPart::Upload, AsyncPart::PreCommit];

fn ckpt(id: u64) -> CheckpointId {
    CheckpointId(id)
}

fn subtask(parts: &'static [AsyncPart]) -> SubtaskCheckpoint {
    SubtaskCheckpoint::new(None, parts, DefectSet::NONE)
}

fn drain(subtask: &mut SubtaskCheckpoint) -> Vec<CheckpointOutput> {
    core::iter::from_fn(|| subtask.poll_output()).collect()
}

#[test]
fn a_snapshot_is_one_step_and_acknowledged_when_all_parts_are_durable() {
    let mut subtask = subtask(PARTS);
    subtask.handle_barrier(Barrier::in_order(ckpt(1)));
    let step = [
        CheckpointOutput::BroadcastBarrier(Barrier::in_order(ckpt(1))),
        CheckpointOutput::TakeSnapshot(ckpt(1)),
        CheckpointOutput::Release(ckpt(1)),
    ];
    assert_eq!(drain(&mut subtask), step);
    subtask.handle_part_durable(ckpt(1), AsyncPart::PreCommit);
    subtask.handle_part_durable(ckpt(1), AsyncPart::PreCommit);
    assert_eq!(drain(&mut subtask), [], "the upload is awaited");
    subtask.handle_part_durable(ckpt(1), AsyncPart::Upload);
    let done = [CheckpointOutput::Durable(ckpt(1)), CheckpointOutput::Acknowledge(ckpt(1))];
    assert_eq!(drain(&mut subtask), done);
}

#[test]
fn without_parts_a_snapshot_is_durable_at_once() {
    let mut subtask = subtask(&[]);
    subtask.handle_barrier(Barrier::in_order(ckpt(1)));
    assert_eq!(drain(&mut subtask).last(), Some(&CheckpointOutput::Acknowledge(ckpt(1))));
}

#[test]
fn parts_of_an_older_checkpoint_may_finish_later() {
    let mut subtask = subtask(&[AsyncPart::Upload]);
    subtask.handle_barrier(Barrier::in_order(ckpt(1)));
    subtask.handle_barrier(Barrier::in_order(ckpt(2)));
    drain(&mut subtask);
    for id in [2, 1] {
        subtask.handle_part_durable(ckpt(id), AsyncPart::Upload);
        assert_eq!(drain(&mut subtask).last(), Some(&CheckpointOutput::Acknowledge(ckpt(id))));
    }
}

#[test]
fn nothing_is_snapshotted_twice_nor_at_or_below_the_restored_checkpoint() {
    let mut subtask = SubtaskCheckpoint::new(Some(ckpt(5)), PARTS, DefectSet::NONE);
    subtask.handle_barrier(Barrier::in_order(ckpt(5)));
    assert_eq!(drain(&mut subtask), [CheckpointOutput::Release(ckpt(5))], "not even cancelled");
    subtask.handle_alignment_aborted(ckpt(4));
    assert_eq!(drain(&mut subtask), []);
}

#[test]
fn an_abort_between_alignment_and_snapshot_is_heard() {
    let mut subtask = subtask(PARTS);
    subtask.handle_aborted(ckpt(1));
    subtask.handle_barrier(Barrier::in_order(ckpt(1)));
    let cancelled =
        [CheckpointOutput::BroadcastCancel(ckpt(1)), CheckpointOutput::Release(ckpt(1))];
    assert_eq!(drain(&mut subtask), cancelled);
}

#[test]
fn what_is_said_of_a_discarded_snapshot_is_ignored() {
    let mut subtask = subtask(PARTS);
    subtask.handle_barrier(Barrier::in_order(ckpt(1)));
    subtask.handle_aborted(ckpt(1));
    assert_eq!(drain(&mut subtask).last(), Some(&CheckpointOutput::DiscardSnapshot(ckpt(1))));
    subtask.handle_part_durable(ckpt(1), AsyncPart::Upload);
    subtask.handle_part_failed(ckpt(1), AsyncPart::PreCommit);
    subtask.handle_aborted(ckpt(1));
    assert_eq!(drain(&mut subtask), [], "neither acknowledged nor declined");
}

#[test]
fn too_many_outstanding_snapshots_cost_the_oldest() {
    let mut subtask = subtask(PARTS);
    let newest = OUTSTANDING_MAX as u64 + 1;
    (1..=newest).for_each(|id| subtask.handle_barrier(Barrier::in_order(ckpt(id))));
    let outputs = drain(&mut subtask);
    let given_up = [
        CheckpointOutput::Decline(ckpt(1), DeclineReason::SnapshotFailed),
        CheckpointOutput::DiscardSnapshot(ckpt(1)),
    ];
    assert_eq!(outputs[outputs.len() - 2..], given_up);
}
