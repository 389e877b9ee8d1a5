//! What the walk-throughs do not show of loops: early barriers, logs that end early, ends.

use super::*;
use crate::gate::InputGate;
use alloc::vec;
use alloc::vec::Vec;

/// Channel 0 is regular, channel 1 leads back.
fn gate() -> InputGate<u32> {
    InputGate::looping(vec![false, true], DefectSet::NONE)
}

fn ckpt(id: u64) -> CheckpointId {
    CheckpointId(id)
}

fn barrier(id: u64) -> Element<u32> {
    Element::Barrier(Barrier::in_order(ckpt(id)))
}

fn take(gate: &mut InputGate<u32>, elements: impl IntoIterator<Item = (usize, Element<u32>)>) {
    for (channel, element) in elements {
        gate.handle_element(channel, element).expect("the channel exists and has not ended");
    }
}

fn drain(gate: &mut InputGate<u32>) -> Vec<GateOutput<u32>> {
    core::iter::from_fn(|| gate.poll_output()).collect()
}

/// Drains, and snapshots at every cut; gives the items delivered.
fn run(gate: &mut InputGate<u32>) -> Vec<u32> {
    let mut items = Vec::new();
    while let Some(output) = gate.poll_output() {
        match output {
            GateOutput::Item { item, .. } => items.push(item),
            GateOutput::Aligned(barrier) => {
                assert!(gate.capture(barrier.checkpoint), "there is a log");
                gate.release(barrier.checkpoint);
            }
            _ => {}
        }
    }
    items
}

#[test]
fn what_comes_round_before_the_barrier_is_logged_and_delivered() {
    let mut gate = gate();
    take(&mut gate, [(1, Element::Item(1)), (0, barrier(1)), (1, Element::Item(2))]);
    take(&mut gate, [(0, Element::Item(10)), (1, Element::Item(3)), (1, barrier(1))]);
    take(&mut gate, [(1, Element::Item(4))]);
    assert_eq!(run(&mut gate), [1, 2, 10, 3, 4]);
    assert_eq!(gate.take_captured(ckpt(1)), Some(vec![vec![], vec![2, 3]]));
    assert_eq!(gate.take_captured(ckpt(1)), None, "it is taken once");
}

#[test]
fn a_barrier_that_comes_round_before_the_cut_blocks_its_channel() {
    let mut gate = gate();
    take(&mut gate, [(1, Element::Item(1)), (1, barrier(1)), (1, Element::Item(2))]);
    assert_eq!(run(&mut gate), [1]);
    take(&mut gate, [(0, Element::Item(10)), (0, barrier(1))]);
    assert_eq!(run(&mut gate), [10, 2], "what is behind it comes behind the cut");
    assert_eq!(gate.take_captured(ckpt(1)), Some(vec![vec![], vec![]]));
}

#[test]
fn a_channel_blocked_early_delivers_again_when_the_checkpoint_is_aborted() {
    let mut gate = gate();
    take(&mut gate, [(1, barrier(1)), (1, Element::Item(2))]);
    assert!(run(&mut gate).is_empty());
    gate.handle_aborted(ckpt(1));
    assert_eq!(run(&mut gate), [2]);
}

#[test]
fn a_channel_blocked_for_the_next_checkpoint_stays_so_through_this_one() {
    let mut gate = gate();
    take(&mut gate, [(1, barrier(2)), (1, Element::Item(2)), (0, barrier(1))]);
    assert!(run(&mut gate).is_empty());
    take(&mut gate, [(0, barrier(2))]);
    assert_eq!(run(&mut gate), [2]);
}

#[test]
fn an_aborted_log_is_forgotten_and_the_others_are_not() {
    let mut gate = gate();
    take(&mut gate, [(0, barrier(1)), (0, barrier(2)), (1, Element::Item(1))]);
    run(&mut gate);
    gate.handle_aborted(ckpt(1));
    take(&mut gate, [(1, barrier(1)), (1, Element::Item(2)), (1, barrier(2))]);
    run(&mut gate);
    assert_eq!(gate.take_captured(ckpt(1)), None);
    assert_eq!(gate.take_captured(ckpt(2)), Some(vec![vec![], vec![1, 2]]));
}

#[test]
fn a_barrier_that_will_not_come_round_ends_the_log() {
    let abandoned = GateOutput::CaptureAbandoned(ckpt(1));
    let mut cancelled = gate();
    take(&mut cancelled, [(0, barrier(1))]);
    run(&mut cancelled);
    take(&mut cancelled, [(1, Element::Cancel(ckpt(1)))]);
    assert!(drain(&mut cancelled).contains(&abandoned));
    let mut overtaken = gate();
    take(&mut overtaken, [(0, barrier(1)), (0, barrier(2))]);
    run(&mut overtaken);
    take(&mut overtaken, [(1, barrier(2))]);
    assert!(drain(&mut overtaken).contains(&abandoned));
    assert_eq!(overtaken.take_captured(ckpt(2)), Some(vec![vec![], vec![]]));
}

#[test]
fn a_trigger_counts_when_regular_inputs_have_ended_and_the_end_waits_for_the_loop() {
    let mut gate = gate();
    gate.handle_loop_over();
    take(&mut gate, [(0, Element::End)]);
    assert_eq!(drain(&mut gate), [GateOutput::EndSeen { channel: 0 }], "it was too early");
    gate.handle_trigger(Barrier::in_order(ckpt(1)));
    take(&mut gate, [(1, Element::Item(1)), (1, barrier(1))]);
    assert_eq!(run(&mut gate), [1]);
    assert_eq!(gate.take_captured(ckpt(1)), Some(vec![vec![], vec![1]]));
    gate.handle_loop_over();
    gate.handle_loop_over();
    assert_eq!(drain(&mut gate), [GateOutput::AllEnded], "it is said once");
    take(&mut gate, [(1, Element::End)]);
    assert_eq!(drain(&mut gate), [GateOutput::EndSeen { channel: 1 }]);
}

#[test]
fn every_trigger_counts_that_comes_while_the_gate_is_held() {
    let mut gate = gate();
    take(&mut gate, [(0, Element::End)]);
    (1..=3).for_each(|id| gate.handle_trigger(Barrier::in_order(ckpt(id))));
    run(&mut gate);
    take(&mut gate, [(1, barrier(1)), (1, barrier(2)), (1, barrier(3))]);
    run(&mut gate);
    for id in 1..=3 {
        assert_eq!(gate.take_captured(ckpt(id)), Some(vec![vec![], vec![]]), "ckpt-{id}");
    }
}

#[test]
fn a_trigger_holds_the_gate_before_the_subtask_is_told_and_lets_it_finish_what_it_polled() {
    let mut gate = gate();
    take(&mut gate, [(1, Element::Item(1))]);
    run(&mut gate);
    take(&mut gate, [(0, Element::End)]);
    drain(&mut gate);
    gate.handle_trigger(Barrier::in_order(ckpt(1)));
    assert!(!gate.awaits_release(), "nobody has been told");
    drain(&mut gate);
    assert!(gate.awaits_release());
    gate.release(ckpt(1));
    assert!(!gate.awaits_release());
}

/// The older one cannot be taken any more: its barrier would leave behind the newer one's.
#[test]
fn a_trigger_that_was_overtaken_by_a_newer_one_is_passed_over_and_its_log_elsewhere_given_up() {
    let mut overtaken = gate();
    take(&mut overtaken, [(0, Element::End)]);
    [2, 1].into_iter().for_each(|id| overtaken.handle_trigger(Barrier::in_order(ckpt(id))));
    run(&mut overtaken);
    take(&mut overtaken, [(1, barrier(2))]);
    run(&mut overtaken);
    assert_eq!(overtaken.take_captured(ckpt(2)), Some(vec![vec![], vec![]]));
    assert_eq!(overtaken.take_captured(ckpt(1)), None);
    let mut other = gate();
    take(&mut other, [(0, Element::End)]);
    [1, 2].into_iter().for_each(|id| other.handle_trigger(Barrier::in_order(ckpt(id))));
    run(&mut other);
    take(&mut other, [(1, barrier(2))]);
    assert!(drain(&mut other).contains(&GateOutput::CaptureAbandoned(ckpt(1))));
}

#[test]
fn logs_are_bounded() {
    let mut gate = gate();
    for id in 1..=LOGS_MAX as u64 {
        take(&mut gate, [(0, barrier(id))]);
    }
    run(&mut gate);
    take(&mut gate, [(0, barrier(LOGS_MAX as u64 + 1))]);
    let outputs: Vec<_> = core::iter::from_fn(|| {
        let output = gate.poll_output()?;
        if let GateOutput::Aligned(barrier) = output {
            gate.capture(barrier.checkpoint);
            gate.release(barrier.checkpoint);
        }
        Some(output)
    })
    .collect();
    assert!(outputs.contains(&GateOutput::CaptureAbandoned(ckpt(1))), "the oldest makes room");
}
