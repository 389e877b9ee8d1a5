use super::*;
use crate::barrier::Barrier;
use crate::gate::Element;
use crate::time::VirtualTime;

fn ckpt(id: u64) -> CheckpointId {
    CheckpointId(id)
}

/// An operator with one input.
fn operator() -> SubtaskProtocol<char> {
    let (role, place) = (OperatorRole::Operator, LoopPlace::default());
    SubtaskProtocol::new(role, 1, Protocol::Aligned, place, DefectSet::NONE)
}

/// The barrier arrives in the only input, and is at once done with; gives what was forwarded.
fn take(subtask: &mut SubtaskProtocol<char>, barrier: Barrier) -> Vec<Barrier> {
    subtask.handle_element(0, Element::Barrier(barrier), VirtualTime::ZERO).unwrap();
    let mut forwarded = Vec::new();
    while let Some(output) = subtask.poll_output() {
        match output {
            SubtaskOutput::Post(barrier) => subtask.handle_mail(barrier),
            SubtaskOutput::Forward(barrier) => forwarded.push(barrier),
            // What becomes of the snapshot is no matter.
            _ => {}
        }
    }
    forwarded
}

/// A trigger travels alone: it may come late, twice or never.
#[test]
fn a_barrier_that_is_faster_than_its_trigger_says_that_the_job_stops() {
    for mode in [SavepointMode::Stop, SavepointMode::Drain] {
        let mut subtask = operator();
        let barrier = Barrier::of_savepoint(ckpt(1), mode);
        assert_eq!(take(&mut subtask, barrier), [barrier], "those behind it have to know as well");
        assert!(subtask.halts());
        subtask.handle_trigger(barrier);
        assert!(subtask.halts());
        assert_eq!(subtask.stops_at(ckpt(1)), Some(mode));
    }
}

#[test]
fn a_savepoint_that_the_job_survives_halts_nobody() {
    let mut subtask = operator();
    take(&mut subtask, Barrier::of_savepoint(ckpt(1), SavepointMode::GoOn));
    assert!(!subtask.halts());
}

#[test]
fn the_barrier_of_a_stop_that_has_failed_halts_nobody() {
    let mut subtask = operator();
    subtask.handle_aborted(ckpt(1));
    take(&mut subtask, Barrier::of_savepoint(ckpt(1), SavepointMode::Stop));
    assert!(!subtask.halts());
    let mut halted = operator();
    take(&mut halted, Barrier::of_savepoint(ckpt(1), SavepointMode::Stop));
    halted.handle_aborted(ckpt(1));
    assert!(!halted.halts(), "it goes on");
}

/// The coordinator triggers beside a savepoint. What completes first makes it no less wanted.
#[test]
fn a_newer_trigger_makes_no_savepoint_superfluous() {
    let mut subtask = operator();
    let savepoint = Barrier::of_savepoint(ckpt(1), SavepointMode::GoOn);
    subtask.handle_trigger(savepoint);
    take(&mut subtask, savepoint);
    subtask.handle_trigger(Barrier::in_order(ckpt(2)));
    assert!(subtask.outlives(ckpt(1), ckpt(2)));
    subtask.handle_aborted(ckpt(1));
    assert!(!subtask.outlives(ckpt(1), ckpt(2)));
}

/// A source whose processor is taken when the turn of both has come: the older checkpoint is one of a source that goes
/// on, for that is what is restored from it when the drain fails.
#[test]
fn a_drain_ends_a_source_behind_the_cuts_of_older_checkpoints() {
    let (role, place) = (OperatorRole::Source, LoopPlace::default());
    let mut source: SubtaskProtocol<char> =
        SubtaskProtocol::new(role, 0, Protocol::Aligned, place, DefectSet::NONE);
    let drain = Barrier::of_savepoint(ckpt(2), SavepointMode::Drain);
    for barrier in [Barrier::in_order(ckpt(1)), drain] {
        source.handle_trigger(barrier);
        source.handle_mail(barrier);
    }
    let mut told = Vec::new();
    while let Some(output) = source.poll_output() {
        match output {
            SubtaskOutput::Freeze(checkpoint) => told.push(Some(checkpoint)),
            SubtaskOutput::EndSource => told.push(None),
            // What else is done at a cut is no matter.
            _ => {}
        }
    }
    assert_eq!(told, [Some(ckpt(1)), None, Some(ckpt(2))], "none is the end of its input");
}
