//! What the walk-throughs do not show of the gate: orders, refusals, bounds.

use super::*;
use alloc::vec;

fn gate(channels: usize) -> InputGate<u32> {
    InputGate::new(channels, DefectSet::NONE)
}

/// A gate whose barriers may come ahead.
fn unaligned(channels: usize) -> InputGate<u32> {
    InputGate::of(Protocol::Unaligned, channels, DefectSet::NONE)
}

fn ckpt(id: u64) -> CheckpointId {
    CheckpointId(id)
}

fn take(gate: &mut InputGate<u32>, channel: usize, element: Element<u32>) {
    gate.handle_element(channel, element).expect("the channel exists and has not ended");
}

fn drain(gate: &mut InputGate<u32>) -> Vec<GateOutput<u32>> {
    core::iter::from_fn(|| gate.poll_output()).collect()
}

fn items(outputs: &[GateOutput<u32>]) -> Vec<u32> {
    let item = |output: &GateOutput<u32>| match output {
        GateOutput::Item { item, .. } => Some(*item),
        _ => None,
    };
    outputs.iter().filter_map(item).collect()
}

#[test]
fn items_come_in_arrival_order_and_kept_ones_first() {
    let mut gate = gate(3);
    take(&mut gate, 0, Element::Barrier(Barrier::in_order(ckpt(1))));
    for (channel, item) in [(0, 10), (1, 20), (0, 11), (2, 30)] {
        take(&mut gate, channel, Element::Item(item));
    }
    take(&mut gate, 1, Element::Barrier(Barrier::in_order(ckpt(1))));
    take(&mut gate, 1, Element::Item(21));
    take(&mut gate, 0, Element::Item(12));
    take(&mut gate, 2, Element::Barrier(Barrier::in_order(ckpt(1))));
    take(&mut gate, 2, Element::Item(31));
    assert_eq!(items(&drain(&mut gate)), [20, 30], "only flowing channels deliver");
    assert_eq!([gate.queued(0), gate.queued(1), gate.queued(2)], [3, 1, 1]);
    gate.release(ckpt(1));
    assert_eq!(items(&drain(&mut gate)), [10, 11, 21, 12, 31], "in arrival order, across channels");
    assert_eq!([gate.queued(0), gate.queued(1), gate.queued(2)], [0, 0, 0]);
}

#[test]
fn nothing_is_delivered_between_alignment_and_release() {
    let mut gate = gate(1);
    take(&mut gate, 0, Element::Barrier(Barrier::in_order(ckpt(1))));
    take(&mut gate, 0, Element::Item(1));
    assert_eq!(drain(&mut gate).last(), Some(&GateOutput::Aligned(Barrier::in_order(ckpt(1)))));
    gate.handle_aborted(ckpt(1));
    assert_eq!(drain(&mut gate), [], "once aligned, the subtask decides");
    gate.release(ckpt(1));
    let unblocked = GateOutput::Step(ProtocolStep::Unblocked { input: 0, checkpoint: ckpt(1) });
    assert_eq!(drain(&mut gate), [unblocked, GateOutput::Item { channel: 0, item: 1 }]);
}

#[test]
fn a_barrier_aborted_early_still_ends_an_older_alignment() {
    let mut gate = gate(2);
    take(&mut gate, 0, Element::Barrier(Barrier::in_order(ckpt(1))));
    drain(&mut gate);
    gate.handle_aborted(ckpt(2));
    take(&mut gate, 1, Element::Barrier(Barrier::in_order(ckpt(2))));
    let expected = [
        GateOutput::Step(ProtocolStep::BarrierSeen { input: 1, checkpoint: ckpt(2) }),
        GateOutput::AlignmentAborted(ckpt(1)),
        GateOutput::Step(ProtocolStep::Unblocked { input: 0, checkpoint: ckpt(1) }),
        GateOutput::AlignmentAborted(ckpt(2)),
    ];
    assert_eq!(drain(&mut gate), expected);
}

#[test]
fn a_cancel_marker_of_a_newer_checkpoint_supersedes_and_is_said_once() {
    let mut gate = gate(3);
    take(&mut gate, 0, Element::Barrier(Barrier::in_order(ckpt(1))));
    take(&mut gate, 1, Element::Cancel(ckpt(2)));
    take(&mut gate, 2, Element::Cancel(ckpt(2)));
    take(&mut gate, 0, Element::Barrier(Barrier::in_order(ckpt(2))));
    let outputs = drain(&mut gate);
    let given_up =
        |id| outputs.iter().filter(|it| **it == GateOutput::AlignmentAborted(id)).count();
    assert_eq!((given_up(ckpt(1)), given_up(ckpt(2))), (1, 1));
    assert!(
        !outputs.contains(&GateOutput::Step(ProtocolStep::AlignmentStarted(ckpt(2)))),
        "cancelled for good"
    );
}

#[test]
fn the_end_is_announced_once_and_after_the_release() {
    let mut gate = gate(2);
    take(&mut gate, 0, Element::Barrier(Barrier::in_order(ckpt(1))));
    take(&mut gate, 0, Element::End);
    take(&mut gate, 1, Element::End);
    assert_eq!(drain(&mut gate).last(), Some(&GateOutput::Aligned(Barrier::in_order(ckpt(1)))));
    gate.release(ckpt(1));
    let rest = drain(&mut gate);
    assert_eq!(rest.last(), Some(&GateOutput::AllEnded));
    gate.handle_trigger(Barrier::in_order(ckpt(2)));
    assert_eq!(drain(&mut gate), [GateOutput::Aligned(Barrier::in_order(ckpt(2)))]);
    gate.release(ckpt(2));
    assert_eq!(drain(&mut gate), [], "the end is not announced again");
}

#[test]
fn the_end_is_announced_however_many_triggers_wait() {
    let mut gate = gate(1);
    take(&mut gate, 0, Element::Barrier(Barrier::in_order(ckpt(1))));
    take(&mut gate, 0, Element::End);
    drain(&mut gate);
    gate.handle_trigger(Barrier::in_order(ckpt(2)));
    gate.release(ckpt(1));
    let aligned = drain(&mut gate);
    assert_eq!(aligned.last(), Some(&GateOutput::Aligned(Barrier::in_order(ckpt(2)))));
    gate.handle_trigger(Barrier::in_order(ckpt(3)));
    gate.release(ckpt(2));
    let next = GateOutput::Aligned(Barrier::in_order(ckpt(3)));
    assert_eq!(drain(&mut gate), [GateOutput::AllEnded, next], "it would wait for ever");
}

#[test]
fn a_gate_without_channels_follows_each_new_trigger_and_never_ends() {
    let mut gate = gate(0);
    gate.handle_trigger(Barrier::in_order(ckpt(3)));
    gate.handle_trigger(Barrier::in_order(ckpt(3)));
    gate.handle_trigger(Barrier::in_order(ckpt(4)));
    assert_eq!(
        drain(&mut gate),
        [GateOutput::Aligned(Barrier::in_order(ckpt(3)))],
        "one at a time"
    );
    gate.release(ckpt(3));
    assert_eq!(drain(&mut gate), [GateOutput::Aligned(Barrier::in_order(ckpt(4)))]);
    gate.release(ckpt(4));
    gate.handle_trigger(Barrier::in_order(ckpt(2)));
    assert_eq!(drain(&mut gate), []);
}

#[test]
fn a_trigger_aborted_before_it_counts_is_given_up() {
    let mut gate = gate(1);
    gate.handle_trigger(Barrier::in_order(ckpt(1)));
    gate.handle_aborted(ckpt(1));
    take(&mut gate, 0, Element::End);
    let given_up = GateOutput::AlignmentAborted(ckpt(1));
    let ended = GateOutput::EndSeen { channel: 0 };
    assert_eq!(drain(&mut gate), [ended, given_up, GateOutput::AllEnded]);
}

#[test]
fn what_a_peer_may_not_do_is_refused() {
    let mut gate = gate(1);
    let unknown = gate.handle_element(1, Element::Item(1));
    assert_eq!(unknown, Err(ProtocolError::UnknownChannel { channel: 1, channels: 1 }));
    take(&mut gate, 0, Element::End);
    let late = gate.handle_element(0, Element::Barrier(Barrier::in_order(ckpt(1))));
    assert_eq!(late, Err(ProtocolError::ElementAfterEnd { channel: 0, what: "a barrier" }));
    assert_eq!(drain(&mut gate).last(), Some(&GateOutput::AllEnded), "the refused leave no trace");
}

#[test]
#[should_panic(expected = "ckpt-2 is released, and")]
fn only_the_aligned_checkpoint_can_be_released() {
    let mut gate = gate(1);
    take(&mut gate, 0, Element::Barrier(Barrier::in_order(ckpt(1))));
    drain(&mut gate);
    gate.release(ckpt(2));
}

#[test]
fn a_stale_barrier_does_not_wait_while_the_gate_is_held() {
    let ahead = |id| Element::Barrier(Barrier::in_order(ckpt(id)).hurried());
    let mut gate = unaligned(2);
    take(&mut gate, 0, ahead(3));
    take(&mut gate, 1, ahead(2));
    take(&mut gate, 1, ahead(3));
    let overtook = |output: &GateOutput<u32>| match output {
        GateOutput::Step(ProtocolStep::BarrierOvertook { input, checkpoint }) => {
            Some((*input, checkpoint.0))
        }
        _ => None,
    };
    let order: Vec<_> = drain(&mut gate).iter().filter_map(overtook).collect();
    assert_eq!(order, [(0, 3), (1, 2), (1, 3)], "barriers leave a channel as they arrived in it");
}

#[test]
fn what_arrives_before_a_barrier_is_captured_and_what_follows_is_not() {
    let ahead = |id| Element::Barrier(Barrier::in_order(ckpt(id)).hurried());
    let mut gate = unaligned(3);
    for (channel, item) in [(0, 10), (1, 20), (0, 11)] {
        take(&mut gate, channel, Element::Item(item));
    }
    take(&mut gate, 0, ahead(1));
    take(&mut gate, 0, Element::Item(12));
    assert_eq!(items(&drain(&mut gate)), [0_u32; 0], "nothing is delivered before the snapshot");
    assert!(gate.capture(ckpt(1)), "there is something to record");
    gate.release(ckpt(1));
    take(&mut gate, 1, Element::Item(21));
    assert_eq!(items(&drain(&mut gate)), [10, 20, 11, 12, 21], "and nothing is blocked after it");
    take(&mut gate, 1, ahead(1));
    take(&mut gate, 1, Element::Item(22));
    take(&mut gate, 2, Element::Item(30));
    take(&mut gate, 2, Element::End);
    assert!(drain(&mut gate).contains(&GateOutput::Captured(ckpt(1))), "an end is as good");
    assert_eq!(gate.take_captured(ckpt(1)), Some(vec![vec![10, 11], vec![20, 21], vec![30]]));
}

/// While the gate is held for a checkpoint that was given up, barriers of the next come ahead in both channels. What
/// arrives behind the second is not part of the channel state, though the first began the cut.
#[test]
fn barriers_that_come_early_take_their_places_before_the_snapshot() {
    let ahead = |id| Element::Barrier(Barrier::in_order(CheckpointId(id)).hurried());
    let mut gate = InputGate::of(Protocol::Unaligned, 2, DefectSet::NONE);
    gate.handle_element(0, ahead(1)).unwrap();
    assert!(gate.is_held());
    for (channel, element) in
        [(0, ahead(2)), (1, Element::Item(1)), (1, ahead(2)), (1, Element::Item(2))]
    {
        gate.handle_element(channel, element).unwrap();
    }
    gate.release(CheckpointId(1));
    assert!(gate.capture(CheckpointId(2)));
    gate.release(CheckpointId(2));
    let captured: Option<Vec<Vec<u64>>> = gate.take_captured(CheckpointId(2));
    assert_eq!(captured, Some(vec![vec![], vec![1]]));
}
