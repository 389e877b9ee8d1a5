//! What the walk-throughs do not show of a committing sink: repetition and order.

use super::*;
use alloc::vec;
use alloc::vec::Vec;

const SINK: SubtaskId = SubtaskId(7);

fn ckpt(id: u64) -> CheckpointId {
    CheckpointId(id)
}

fn transaction(attempt: u32, number: u32) -> TransactionId {
    TransactionId { sink: SINK, attempt: Attempt(attempt), number }
}

fn commit(id: u64, transaction: TransactionId) -> CommitOutput {
    CommitOutput::Commit { transaction, checkpoint: ckpt(id) }
}

fn drain(sink: &mut TwoPhaseCommit) -> Vec<CommitOutput> {
    core::iter::from_fn(|| sink.poll_output()).collect()
}

#[test]
fn restored_ones_are_committed_oldest_first_after_fencing() {
    let restored = vec![(ckpt(4), transaction(1, 3)), (ckpt(3), transaction(1, 2))];
    let mut sink = TwoPhaseCommit::new(SINK, Attempt(2), restored, DefectSet::NONE);
    let (older, newer) = (commit(3, transaction(1, 2)), commit(4, transaction(1, 3)));
    assert_eq!(drain(&mut sink), [CommitOutput::Fence, older, newer]);
    assert_eq!(sink.open(), transaction(2, 0));
    assert_eq!(sink.uncommitted().count(), 2, "until the target confirms");
}

#[test]
fn a_commit_is_requested_once_an_attempt_and_held_until_confirmed() {
    let mut sink = TwoPhaseCommit::new(SINK, Attempt(1), Vec::new(), DefectSet::NONE);
    sink.handle_barrier(ckpt(1));
    drain(&mut sink);
    sink.handle_completed(ckpt(1));
    sink.handle_completed(ckpt(1));
    assert_eq!(drain(&mut sink), [commit(1, transaction(1, 0))]);
    sink.handle_barrier(ckpt(2));
    assert_eq!(sink.uncommitted().count(), 2, "an unconfirmed commit stays in snapshots");
    sink.handle_committed(transaction(1, 0));
    assert_eq!(sink.uncommitted().collect::<Vec<_>>(), [(ckpt(2), transaction(1, 1))]);
}

#[test]
fn completion_of_an_older_checkpoint_leaves_newer_transactions_alone() {
    let mut sink = TwoPhaseCommit::new(SINK, Attempt(1), Vec::new(), DefectSet::NONE);
    (1..=3).for_each(|id| sink.handle_barrier(ckpt(id)));
    drain(&mut sink);
    sink.handle_completed(ckpt(2));
    let both = [commit(1, transaction(1, 0)), commit(2, transaction(1, 1))];
    assert_eq!(drain(&mut sink), both);
}
