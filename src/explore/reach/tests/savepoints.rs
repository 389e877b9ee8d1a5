//! Savepoints in phases and situations.

use super::*;
use crate::protocol::SavepointMode;

fn savepoint_triggered(checkpoint: u64) -> Event {
    let (attempt, checkpoint, mode) = (Attempt(1), CheckpointId(checkpoint), SavepointMode::GoOn);
    Event::SavepointTriggered { attempt, checkpoint, mode }
}

fn savepoint_completed(checkpoint: u64) -> Event {
    let (attempt, checkpoint, mode) = (Attempt(1), CheckpointId(checkpoint), SavepointMode::GoOn);
    Event::SavepointCompleted { attempt, checkpoint, mode }
}

#[test]
fn a_savepoint_goes_through_its_phases_and_is_over_when_it_completes() {
    use Phase::{Acknowledging, Completing, Deploying, Idle, Triggered};
    let events = [
        leader(),
        running(1),
        savepoint_triggered(1),
        counted(1),
        assembled(1),
        savepoint_completed(1),
        triggered(2),
    ];
    let expected = [Deploying, Idle, Triggered, Acknowledging, Completing, Idle, Triggered];
    assert_eq!(phases(&events), expected);
    assert_eq!(situations(&events), [], "nothing is beside anything");
    let next = [&events[..], &[completed(2), notified(2), savepoint_triggered(3)]].concat();
    assert_eq!(situations(&next), [], "each comes after the one before");
}

#[test]
fn a_job_that_is_stopped_has_nothing_pending() {
    let stopped = |clean| Event::JobStopped {
        attempt: Attempt(1),
        term: Term(1),
        checkpoint: CheckpointId(2),
        clean,
    };
    let resumed = Event::JobResumed { checkpoint: CheckpointId(2) };
    let begun = [leader(), running(1), triggered(1), savepoint_triggered(2), counted(2)];
    let events = [&begun[..], &[savepoint_completed(2), stopped(true), resumed]].concat();
    let found = phases(&events);
    assert_eq!(found[5..], [Phase::Triggered, Phase::Deploying, Phase::Deploying]);
}

#[test]
fn situations_of_savepoints() {
    use Situation::{
        CheckpointDeclined, SavepointAborted, SavepointBesideCheckpoint, TwoCheckpointsPending,
    };
    let beside = [SavepointBesideCheckpoint];
    assert_eq!(situations(&[triggered(1), savepoint_triggered(2)]), beside);
    assert_eq!(situations(&[savepoint_triggered(1), counted(1), triggered(2)]), beside);
    let two = [savepoint_triggered(1), counted(1), savepoint_triggered(2)];
    assert_eq!(situations(&two), [], "two savepoints");
    let both = [savepoint_triggered(1), triggered(2), triggered(3)];
    assert_eq!(situations(&both), [SavepointBesideCheckpoint, TwoCheckpointsPending]);
    let over = [savepoint_triggered(1), aborted(1, AbortReason::Declined), triggered(2)];
    let mut expected = [CheckpointDeclined, SavepointAborted];
    expected.sort();
    assert_eq!(situations(&over), expected);
}
