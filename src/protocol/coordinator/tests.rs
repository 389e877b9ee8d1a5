//! What the walk-throughs do not show of the coordinator: timers, reservations, orders of finalization.

use super::super::ids::ObjectKey;
use super::super::lineage::Digest;
use super::*;
use crate::{Barrier, Protocol, SnapshotHandle};
use alloc::vec;

const SUBTASKS: u16 = 2;

fn ckpt(id: u64) -> CheckpointId {
    CheckpointId(id)
}

fn ms(ms: u64) -> VirtualTime {
    VirtualTime::from_ms(ms)
}

fn settings() -> CheckpointSettings {
    CheckpointSettings {
        protocol: Protocol::Aligned,
        aligned_timeout_ms: 0,
        interval_ms: 100,
        pause_min_ms: 0,
        timeout_ms: 1_000,
        concurrent_max: 3,
        failures_tolerated: 1,
        retained: 1,
    }
}

fn coordinator(settings: CheckpointSettings) -> CheckpointCoordinator {
    let mut coordinator =
        CheckpointCoordinator::new(settings, ckpt(0), Vec::new(), DefectSet::NONE);
    coordinator.start_attempt(ms(0), Attempt(1), (0..SUBTASKS).map(SubtaskId).collect());
    coordinator
}

fn acknowledgement(attempt: u32, id: u64, subtask: u16) -> Acknowledgement {
    let (attempt, checkpoint, subtask) = (Attempt(attempt), ckpt(id), SubtaskId(subtask));
    let key = ObjectKey::Snapshot { checkpoint, attempt, subtask };
    let handle = SnapshotHandle { subtask, key, digest: Digest::default(), bytes: 0 };
    Acknowledgement { attempt, checkpoint, handle, terminal: false, quiet: false }
}

fn drain(coordinator: &mut CheckpointCoordinator) -> Vec<CoordinatorOutput> {
    core::iter::from_fn(|| coordinator.poll_output()).collect()
}

fn triggered(id: u64) -> CoordinatorOutput {
    let (barrier, kind) = (Barrier::in_order(ckpt(id)), CheckpointKind::Periodic);
    CoordinatorOutput::Trigger { barrier, kind }
}

/// Triggers checkpoint `id` at its interval.
fn trigger(coordinator: &mut CheckpointCoordinator, id: u64) {
    coordinator.handle_timer(ms(100 * id), CoordinatorTimer::Trigger);
    coordinator.handle_reserved(ms(100 * id), ckpt(id));
    assert!(drain(coordinator).contains(&triggered(id)));
}

/// All subtasks acknowledge; the metadata is being written.
fn acknowledge_all(coordinator: &mut CheckpointCoordinator, id: u64) {
    for subtask in 0..SUBTASKS {
        coordinator.handle_acknowledge(ms(900), acknowledgement(1, id, subtask));
    }
    assert!(matches!(drain(coordinator).last(), Some(CoordinatorOutput::WriteMetadata { .. })));
}

fn adding(outputs: &[CoordinatorOutput]) -> Vec<CheckpointId> {
    let add = |output: &CoordinatorOutput| match output {
        CoordinatorOutput::Add { checkpoint, .. } => Some(*checkpoint),
        _ => None,
    };
    outputs.iter().filter_map(add).collect()
}

#[test]
fn one_reservation_is_in_flight_and_nothing_is_triggered_before_it_is_durable() {
    let mut coordinator = coordinator(settings());
    drain(&mut coordinator);
    coordinator.handle_timer(ms(100), CoordinatorTimer::Trigger);
    coordinator.handle_timer(ms(200), CoordinatorTimer::Trigger);
    let outputs = drain(&mut coordinator);
    let reserved = outputs.iter().filter(|it| matches!(it, CoordinatorOutput::ReserveId(_)));
    assert_eq!(reserved.collect::<Vec<_>>(), [&CoordinatorOutput::ReserveId(ckpt(1))]);
    coordinator.handle_reserved(ms(210), ckpt(1));
    let expire = CoordinatorTimer::Expire(ckpt(1));
    let expected = [
        triggered(1),
        CoordinatorOutput::SetTimer { at: ms(1_210), timer: expire },
        CoordinatorOutput::ReserveId(ckpt(2)),
    ];
    assert_eq!(drain(&mut coordinator), expected, "the overdue one follows");
}

#[test]
fn an_id_reserved_for_a_dead_attempt_stays_unused() {
    let mut coordinator = coordinator(settings());
    coordinator.handle_timer(ms(100), CoordinatorTimer::Trigger);
    coordinator.stop_attempt(ms(110));
    coordinator.start_attempt(ms(120), Attempt(2), vec![SubtaskId(0)]);
    drain(&mut coordinator);
    coordinator.handle_reserved(ms(130), ckpt(1));
    coordinator.handle_timer(ms(200), CoordinatorTimer::Trigger);
    assert_eq!(drain(&mut coordinator), [], "the timer is one of attempt 1");
    coordinator.handle_timer(ms(220), CoordinatorTimer::Trigger);
    assert_eq!(drain(&mut coordinator).last(), Some(&CoordinatorOutput::ReserveId(ckpt(2))));
}

#[test]
fn ids_go_on_after_those_of_an_earlier_coordinator() {
    let mut coordinator =
        CheckpointCoordinator::new(settings(), ckpt(41), Vec::new(), DefectSet::NONE);
    coordinator.start_attempt(ms(0), Attempt(9), vec![SubtaskId(0)]);
    coordinator.handle_timer(ms(100), CoordinatorTimer::Trigger);
    assert_eq!(drain(&mut coordinator).last(), Some(&CoordinatorOutput::ReserveId(ckpt(42))));
}

#[test]
fn additions_are_made_one_at_a_time_oldest_first() {
    let mut coordinator = coordinator(settings());
    (1..=3).for_each(|id| trigger(&mut coordinator, id));
    (1..=3).for_each(|id| acknowledge_all(&mut coordinator, id));
    for id in [1, 3, 2] {
        coordinator.handle_metadata_durable(ms(900), ckpt(id));
    }
    assert_eq!(adding(&drain(&mut coordinator)), [ckpt(1)]);
    coordinator.handle_added(ms(910), ckpt(1));
    assert_eq!(adding(&drain(&mut coordinator)), [ckpt(2)]);
    coordinator.handle_added(ms(920), ckpt(2));
    assert_eq!(adding(&drain(&mut coordinator)), [ckpt(3)]);
}

#[test]
fn an_older_one_awaiting_the_store_is_subsumed_by_the_newer() {
    let mut coordinator = coordinator(settings());
    (1..=2).for_each(|id| trigger(&mut coordinator, id));
    (1..=2).for_each(|id| acknowledge_all(&mut coordinator, id));
    coordinator.handle_metadata_durable(ms(900), ckpt(2));
    coordinator.handle_metadata_durable(ms(900), ckpt(1));
    drain(&mut coordinator);
    coordinator.handle_added(ms(910), ckpt(2));
    let outputs = drain(&mut coordinator);
    let subsumed =
        CoordinatorOutput::Aborted { checkpoint: ckpt(1), reason: AbortReason::Subsumed };
    assert!(outputs.contains(&subsumed));
    assert_eq!(outputs.last(), Some(&CoordinatorOutput::NotifyComplete(ckpt(2))), "last of all");
    assert_eq!(adding(&outputs), [], "an older one never completes after a newer");
}

#[test]
fn behind_the_last_checkpoint_of_a_job_nothing_is_added() {
    let mut coordinator = coordinator(settings());
    (1..=2).for_each(|id| trigger(&mut coordinator, id));
    for id in 1..=2 {
        for subtask in 0..SUBTASKS {
            let told = Acknowledgement { terminal: true, ..acknowledgement(1, id, subtask) };
            coordinator.handle_acknowledge(ms(900), told);
        }
        coordinator.handle_metadata_durable(ms(900), ckpt(id));
    }
    drain(&mut coordinator);
    coordinator.handle_added(ms(910), ckpt(1));
    let outputs = drain(&mut coordinator);
    let over = CoordinatorOutput::Aborted { checkpoint: ckpt(2), reason: AbortReason::JobOver };
    assert!(outputs.contains(&over), "{outputs:?}");
    assert_eq!(adding(&outputs), []);
    coordinator.handle_timer(ms(1_000), CoordinatorTimer::Trigger);
    coordinator.request(ms(1_000));
    assert_eq!(drain(&mut coordinator), [], "nothing is triggered any more");
}

#[test]
fn a_refused_addition_gives_the_next_its_turn() {
    let mut coordinator = coordinator(settings());
    (1..=2).for_each(|id| trigger(&mut coordinator, id));
    (1..=2).for_each(|id| acknowledge_all(&mut coordinator, id));
    (1..=2).for_each(|id| coordinator.handle_metadata_durable(ms(900), ckpt(id)));
    drain(&mut coordinator);
    coordinator.handle_add_failed(ms(910), ckpt(1));
    let outputs = drain(&mut coordinator);
    let reason = AbortReason::FinalizationFailed;
    assert_eq!(outputs[0], CoordinatorOutput::Aborted { checkpoint: ckpt(1), reason });
    assert_eq!(adding(&outputs), [ckpt(2)]);
}

#[test]
fn only_before_the_addition_can_finalization_fail_or_expire() {
    for expires in [true, false] {
        let mut coordinator = coordinator(settings());
        trigger(&mut coordinator, 1);
        acknowledge_all(&mut coordinator, 1);
        let reason = if expires {
            coordinator.handle_timer(ms(1_100), CoordinatorTimer::Expire(ckpt(1)));
            AbortReason::Expired
        } else {
            coordinator.handle_metadata_failed(ms(950), ckpt(1));
            AbortReason::FinalizationFailed
        };
        let aborted = CoordinatorOutput::Aborted { checkpoint: ckpt(1), reason };
        assert!(drain(&mut coordinator).contains(&aborted), "{reason}");
        coordinator.handle_metadata_durable(ms(1_200), ckpt(1));
        assert_eq!(adding(&drain(&mut coordinator)), [], "too late after {reason}");
    }
}

#[test]
fn what_is_said_of_a_dead_attempt_is_ignored() {
    let mut coordinator = coordinator(settings());
    trigger(&mut coordinator, 1);
    coordinator.handle_decline(ms(110), Attempt(0), ckpt(1), DeclineReason::SnapshotFailed);
    coordinator.handle_acknowledge(ms(110), acknowledgement(0, 1, 0));
    let outputs = drain(&mut coordinator);
    assert!(matches!(outputs[..], [CoordinatorOutput::Ignored { discard: true, .. }]));
}

#[test]
fn an_unknown_subtask_does_not_count() {
    let mut coordinator = coordinator(settings());
    trigger(&mut coordinator, 1);
    coordinator.handle_acknowledge(ms(110), acknowledgement(1, 1, 77));
    let outputs = drain(&mut coordinator);
    assert!(matches!(outputs[..], [CoordinatorOutput::Ignored { discard: true, .. }]));
}

#[test]
fn a_late_duplicate_of_a_completed_checkpoint_is_kept() {
    let mut coordinator = coordinator(settings());
    trigger(&mut coordinator, 1);
    acknowledge_all(&mut coordinator, 1);
    coordinator.handle_metadata_durable(ms(900), ckpt(1));
    coordinator.handle_added(ms(910), ckpt(1));
    drain(&mut coordinator);
    coordinator.handle_acknowledge(ms(920), acknowledgement(1, 1, 0));
    let outputs = drain(&mut coordinator);
    assert!(matches!(outputs[..], [CoordinatorOutput::Ignored { discard: false, .. }]));
}

#[test]
fn a_checkpoint_waits_for_the_pause_after_the_last_one_ended() {
    let mut coordinator = coordinator(CheckpointSettings { pause_min_ms: 60, ..settings() });
    trigger(&mut coordinator, 1);
    coordinator.handle_decline(ms(190), Attempt(1), ckpt(1), DeclineReason::SnapshotFailed);
    drain(&mut coordinator);
    coordinator.handle_timer(ms(200), CoordinatorTimer::Trigger);
    let wake = CoordinatorOutput::SetTimer { at: ms(250), timer: CoordinatorTimer::Trigger };
    assert_eq!(drain(&mut coordinator).last(), Some(&wake));
    coordinator.handle_timer(ms(250), CoordinatorTimer::Trigger);
    assert_eq!(drain(&mut coordinator), [CoordinatorOutput::ReserveId(ckpt(2))]);
}

#[test]
fn a_job_fails_once_when_more_fail_in_a_row_than_are_tolerated() {
    let mut coordinator = coordinator(settings());
    let failures = |id, coordinator: &mut CheckpointCoordinator| {
        trigger(coordinator, id);
        coordinator.handle_decline(
            ms(100 * id),
            Attempt(1),
            ckpt(id),
            DeclineReason::SnapshotFailed,
        );
        coordinator.handle_decline(
            ms(100 * id),
            Attempt(1),
            ckpt(id),
            DeclineReason::SnapshotFailed,
        );
        drain(coordinator).iter().filter(|it| **it == CoordinatorOutput::FailAttempt).count()
    };
    let told: Vec<_> = (1..=4).map(|id| failures(id, &mut coordinator)).collect();
    assert_eq!(told, [0, 1, 0, 0], "a checkpoint counts once, the attempt fails once");
}

#[test]
fn a_superseded_checkpoint_says_nothing_about_the_attempt() {
    let mut coordinator = coordinator(CheckpointSettings { failures_tolerated: 0, ..settings() });
    for id in 1..=3 {
        trigger(&mut coordinator, id);
        coordinator.handle_decline(ms(100 * id), Attempt(1), ckpt(id), DeclineReason::Superseded);
        let outputs = drain(&mut coordinator);
        let (checkpoint, reason) = (ckpt(id), AbortReason::Declined);
        assert!(outputs.contains(&CoordinatorOutput::Aborted { checkpoint, reason }));
        assert!(!outputs.contains(&CoordinatorOutput::FailAttempt), "ckpt-{id}");
    }
}
