use super::*;
use alloc::vec;
use alloc::vec::Vec;

const A: SubtaskId = SubtaskId(0);
const B: SubtaskId = SubtaskId(1);
const ONE: CheckpointId = CheckpointId(1);
const TWO: CheckpointId = CheckpointId(2);

fn enumerator(splits: u16) -> SplitEnumerator {
    let splits: Vec<_> = (0..splits).map(SplitId).collect();
    SplitEnumerator::new(&[A, B], &splits, DefectSet::NONE)
}

fn outputs(enumerator: &mut SplitEnumerator) -> Vec<EnumeratorOutput> {
    core::iter::from_fn(|| enumerator.poll_output()).collect()
}

fn sent(enumerator: &mut SplitEnumerator) -> Vec<(SubtaskId, u32, SplitEvent)> {
    let send = |output| match output {
        EnumeratorOutput::Send { reader, number, event } => Some((reader, number, event)),
        _ => None,
    };
    outputs(enumerator).into_iter().filter_map(send).collect()
}

#[test]
fn a_request_is_answered_once_however_often_it_comes() {
    let mut enumerator = enumerator(2);
    enumerator.handle_request(A, 0);
    enumerator.handle_request(A, 0);
    assert_eq!(sent(&mut enumerator), [(A, 0, SplitEvent::Assign(SplitId(0)))]);
    enumerator.handle_request(A, 1);
    enumerator.handle_request(A, 0);
    assert_eq!(sent(&mut enumerator), [(A, 1, SplitEvent::Assign(SplitId(1)))]);
    enumerator.handle_request(A, 2);
    assert_eq!(sent(&mut enumerator), [(A, 2, SplitEvent::NoMore)]);
}

#[test]
fn what_was_not_taken_is_sent_again_and_holds_the_checkpoint_up() {
    let mut enumerator = enumerator(1);
    enumerator.handle_request(A, 0);
    enumerator.handle_checkpoint(ONE);
    assert!(!enumerator.is_drained(ONE), "the assignment is under way");
    outputs(&mut enumerator);
    assert_eq!(enumerator.handle_repeat_due(1), Ok(()));
    assert_eq!(sent(&mut enumerator), [(A, 0, SplitEvent::Assign(SplitId(0)))]);
    assert_eq!(enumerator.handle_repeat_due(1), Err(A), "it cannot be reached");
    enumerator.handle_taken(A, 1);
    assert!(enumerator.is_drained(ONE));
}

#[test]
fn nothing_leaves_between_the_snapshot_and_the_acknowledgement() {
    let mut enumerator = enumerator(2);
    enumerator.handle_checkpoint(ONE);
    enumerator.handle_request(A, 0);
    assert_eq!(sent(&mut enumerator), []);
    assert!(enumerator.is_drained(ONE), "what is held belongs behind the cut");
    enumerator.handle_acknowledged(B, ONE);
    assert_eq!(sent(&mut enumerator), []);
    enumerator.handle_acknowledged(A, ONE);
    assert_eq!(sent(&mut enumerator), [(A, 0, SplitEvent::Assign(SplitId(0)))]);
}

#[test]
fn what_one_checkpoint_holds_back_the_next_one_waits_for() {
    let mut enumerator = enumerator(2);
    enumerator.handle_checkpoint(ONE);
    enumerator.handle_request(A, 0);
    enumerator.handle_checkpoint(TWO);
    assert!(enumerator.is_drained(ONE) && !enumerator.is_drained(TWO));
    enumerator.handle_aborted(ONE);
    assert_eq!(sent(&mut enumerator), [(A, 0, SplitEvent::Assign(SplitId(0)))]);
    assert!(!enumerator.is_drained(TWO));
    enumerator.handle_taken(A, 1);
    assert!(enumerator.is_drained(TWO));
}

#[test]
fn a_restart_brings_back_what_no_completed_checkpoint_holds() {
    let mut enumerator = enumerator(4);
    enumerator.handle_request(A, 0);
    enumerator.handle_checkpoint(ONE);
    enumerator.handle_request(B, 0);
    enumerator.handle_checkpoint(TWO);
    enumerator.handle_aborted(TWO);
    enumerator.handle_request(B, 1);
    enumerator.handle_completed(ONE);
    outputs(&mut enumerator);
    enumerator.handle_restart();
    let splits = vec![SplitId(1), SplitId(2)];
    assert_eq!(outputs(&mut enumerator), [EnumeratorOutput::Returned { reader: B, splits }]);
    assert_eq!(enumerator.state().unassigned, [SplitId(1), SplitId(2), SplitId(3)]);
    enumerator.handle_restart();
    assert_eq!(outputs(&mut enumerator), [], "it comes back once");
}

fn listing(there: &[u16], removed: &[u16], is_complete: bool) -> Listing {
    let splits = |of: &[u16]| of.iter().copied().map(SplitId).collect();
    Listing { there: splits(there), removed: splits(removed), is_complete }
}

#[test]
fn who_asks_before_a_split_is_discovered_gets_it_then() {
    let mut enumerator = SplitEnumerator::discovering(&[A, B], None, DefectSet::NONE);
    enumerator.handle_request(A, 0);
    enumerator.handle_request(B, 0);
    assert_eq!(sent(&mut enumerator), [], "more may come");
    enumerator.handle_listing(&listing(&[3], &[], false));
    assert_eq!(sent(&mut enumerator), [], "the attempt may be over");
    enumerator.serve_waiting();
    assert_eq!(sent(&mut enumerator), [(A, 0, SplitEvent::Assign(SplitId(3)))]);
    enumerator.handle_listing(&listing(&[3, 4], &[], true));
    enumerator.serve_waiting();
    assert_eq!(sent(&mut enumerator), [(B, 0, SplitEvent::Assign(SplitId(4)))]);
    enumerator.handle_request(A, 1);
    assert_eq!(sent(&mut enumerator), [(A, 1, SplitEvent::NoMore)]);
}

#[test]
fn a_split_is_discovered_once_whatever_a_listing_lacks_and_whoever_is_restored() {
    let mut enumerator = SplitEnumerator::discovering(&[A, B], None, DefectSet::NONE);
    enumerator.handle_listing(&listing(&[1, 2], &[], false));
    enumerator.handle_request(A, 0);
    outputs(&mut enumerator);
    enumerator.handle_listing(&listing(&[], &[], false));
    enumerator.handle_listing(&listing(&[1, 2], &[], false));
    assert_eq!(outputs(&mut enumerator), []);
    let state = enumerator.state();
    assert_eq!(state.unassigned, [SplitId(2)]);
    assert_eq!(state.known, [SplitId(1), SplitId(2)]);
    let mut restored = SplitEnumerator::discovering(&[A, B], Some(&state), DefectSet::NONE);
    restored.handle_listing(&listing(&[1, 2, 5], &[], false));
    assert_eq!(outputs(&mut restored), [EnumeratorOutput::Discovered { split: SplitId(5) }]);
    restored.handle_listing(&listing(&[2, 5], &[1], true));
    assert_eq!(restored.state().known, [SplitId(2), SplitId(5)], "what is removed is forgotten");
}

#[test]
fn a_restart_keeps_what_was_discovered_and_asks_nobody_who_waited() {
    let mut enumerator = SplitEnumerator::discovering(&[A, B], None, DefectSet::NONE);
    enumerator.handle_request(A, 0);
    enumerator.handle_restart();
    enumerator.handle_listing(&listing(&[7], &[], true));
    enumerator.serve_waiting();
    assert_eq!(outputs(&mut enumerator), [EnumeratorOutput::Discovered { split: SplitId(7) }]);
    assert_eq!(enumerator.state().unassigned, [SplitId(7)]);
}
