//! The object store and the meta store.

use std::collections::BTreeSet;
use std::ops::Range;

use cutwater::cluster::StoreFault;
use cutwater::oracle::VerdictClass;
use cutwater::plan::{Fault, FaultClass, Plan};
use cutwater::protocol::{CheckpointId, ObjectKey, ProcessId, VirtualTime};
use cutwater::trace::{Event, Point, StoreTrouble};

use super::harness::{SEEDS, Seen, Trial, at, behind, built_in, crash, meta, objects, some_ms};

fn is_stored(event: &Event) -> bool {
    matches!(event, Event::ObjectStored { .. })
}

fn is_applied(event: &Event) -> bool {
    matches!(
        event,
        Event::ObjectStored { .. } | Event::ObjectDeleted { .. } | Event::ObjectRefused { .. }
    )
}

fn is_written(event: &Event) -> bool {
    matches!(event, Event::RecordWritten { .. } | Event::RecordRefused { .. })
}

#[test]
fn a_stalled_store_serves_nothing_until_it_recovers() {
    for store in [ProcessId::ObjectStore, ProcessId::MetaStore] {
        let fault = Fault::Store { process: store, fault: StoreFault::Stalled, for_us: 300_000 };
        let trial = Trial::run("word-count", SEEDS, |seed| {
            vec![
                at(some_ms(seed), fault.clone()),
                at(some_ms(seed) + 100, crash(ProcessId::Coordinator, 50)),
            ]
        });
        trial.assert_struck(FaultClass::StalledStore);
        trial.assert_all_held();
        let serves = if store == ProcessId::ObjectStore { is_applied } else { is_written };
        let spans = |seen: &Seen| seen.in_trouble(store, StoreTrouble::Stalled);
        assert_eq!(trial.sum(|seen| seen.within(&spans(seen), serves)), 0);
        assert!(trial.sum(|seen| seen.count(serves)) > 0);
    }
}

#[test]
fn a_full_store_refuses_writes_and_serves_the_rest() {
    let trial = Trial::run("bank", SEEDS, |seed| {
        vec![
            at(some_ms(seed), objects(StoreFault::Full, 300)),
            at(some_ms(seed) + 50, crash(ProcessId::Worker(0), 10)),
        ]
    });
    trial.assert_struck(FaultClass::FullStore);
    trial.assert_all_held();
    let spans = |seen: &Seen| seen.in_trouble(ProcessId::ObjectStore, StoreTrouble::Full);
    assert_eq!(trial.sum(|seen| seen.within(&spans(seen), is_stored)), 0);
    let refused = |event: &Event| matches!(event, Event::ObjectRefused { .. });
    assert!(trial.sum(|seen| seen.within(&spans(seen), refused)) > 0, "writes are refused");
    let restored = |event: &Event| matches!(event, Event::Restored(_));
    assert!(trial.sum(|seen| seen.within(&spans(seen), restored)) > 0, "reads are served");
    let meta =
        Trial::run("bank", SEEDS, |seed| vec![at(some_ms(seed), meta(StoreFault::Full, 200))]);
    meta.assert_all_held();
    let spans = |seen: &Seen| seen.in_trouble(ProcessId::MetaStore, StoreTrouble::Full);
    assert_eq!(meta.sum(|seen| seen.within(&spans(seen), is_written)), 0);
}

#[test]
fn a_torn_write_is_never_taken_for_the_whole() {
    let trial = Trial::run("coordinator-crashes", SEEDS, |seed| {
        vec![
            at(some_ms(seed), objects(StoreFault::Torn, 250)),
            at(some_ms(seed) + 100, crash(ProcessId::Coordinator, 20)),
            at(some_ms(seed) + 150, crash(ProcessId::Worker(0), 20)),
        ]
    });
    trial.assert_struck(FaultClass::TornWrite);
    trial.assert_all_held();
    let spans = |seen: &Seen| seen.in_trouble(ProcessId::ObjectStore, StoreTrouble::Torn);
    assert_eq!(trial.sum(|seen| seen.within(&spans(seen), is_stored)), 0);
}

#[test]
fn a_read_that_brings_a_wrong_byte_is_read_again() {
    for process in [ProcessId::Worker(0), ProcessId::Coordinator] {
        let trial = Trial::run("bank", SEEDS, |seed| {
            vec![
                at(some_ms(seed), objects(StoreFault::Corrupt, 300)),
                at(some_ms(seed) + 20, crash(process, 20)),
            ]
        });
        trial.assert_struck(FaultClass::CorruptRead);
        trial.assert_all_held();
        let corrupt = |seen: &Seen| seen.in_trouble(ProcessId::ObjectStore, StoreTrouble::Corrupt);
        assert_eq!(trial.sum(|seen| restored_within(seen, &corrupt(seen))), 0);
        let is_restore =
            |event: &Event| matches!(event, Event::AttemptStarted { restored: Some(_), .. });
        let begun = trial.sum(|seen| seen.within(&corrupt(seen), is_restore));
        assert!(process == ProcessId::Coordinator || begun > 0, "no restore begins in the trouble");
        let whole = |seen: &Seen| std::iter::once(0..seen.0.len()).collect::<Vec<_>>();
        assert!(trial.sum(|seen| restored_within(seen, &whole(seen))) > 0, "and none ever ends");
    }
}

/// How many subtasks were restored from a checkpoint within one of these spans, in an attempt that was started
/// within it as well: all that they read, they read within it.
fn restored_within(seen: &Seen, spans: &[Range<usize>]) -> usize {
    let within = |span: &Range<usize>| {
        let mut started = BTreeSet::new();
        let events = seen.0[span.clone()].iter();
        let restored = events.filter(|(_, event)| match event {
            Event::AttemptStarted { attempt, .. } => {
                started.insert(*attempt);
                false
            }
            Event::Restored(own) => own.checkpoint.is_some() && started.contains(&own.attempt),
            _ => false,
        });
        restored.count()
    };
    spans.iter().map(within).sum()
}

#[test]
fn what_a_mute_store_applied_counts_though_nobody_was_told() {
    for store in [ProcessId::ObjectStore, ProcessId::MetaStore] {
        let fault = Fault::Store { process: store, fault: StoreFault::Mute, for_us: 250_000 };
        let trial =
            Trial::run("coordinator-crashes", SEEDS, |seed| vec![at(some_ms(seed), fault.clone())]);
        trial.assert_struck(FaultClass::LostAnswer);
        trial.assert_all_held();
        let serves = if store == ProcessId::ObjectStore { is_applied } else { is_written };
        let spans = |seen: &Seen| seen.in_trouble(store, StoreTrouble::Mute);
        assert!(trial.sum(|seen| seen.within(&spans(seen), serves)) > 0);
    }
}

#[test]
fn what_was_not_synced_was_never_durable() {
    for store in [ProcessId::ObjectStore, ProcessId::MetaStore] {
        let fault = Fault::Store { process: store, fault: StoreFault::Unsynced, for_us: 250_000 };
        let trial = Trial::run("coordinator-crashes", SEEDS, |seed| {
            vec![
                at(some_ms(seed), fault.clone()),
                at(some_ms(seed) + 100, crash(ProcessId::Coordinator, 30)),
            ]
        });
        trial.assert_struck(FaultClass::LostUnsynced);
        trial.assert_all_held();
        let serves = if store == ProcessId::ObjectStore { is_applied } else { is_written };
        let spans = |seen: &Seen| seen.in_trouble(store, StoreTrouble::Unsynced);
        assert_eq!(trial.sum(|seen| seen.within(&spans(seen), serves)), 0);
    }
}

/// The metadata that a coordinator left when it died, is stored at the end, and belongs to no checkpoint
/// that completed.
fn orphans(seen: &Seen) -> BTreeSet<CheckpointId> {
    let mut stored = BTreeSet::new();
    let mut left = CheckpointId::default();
    let mut triggered = left;
    for (_, event) in &seen.0 {
        match event {
            Event::ObjectStored { key: ObjectKey::Metadata { checkpoint }, .. } => {
                stored.insert(*checkpoint);
            }
            Event::ObjectDeleted { key: ObjectKey::Metadata { checkpoint } }
            | Event::Completed { checkpoint, .. }
            | Event::AttemptStarted { restored: Some(checkpoint), .. } => {
                stored.remove(checkpoint);
            }
            Event::Triggered { checkpoint, .. } => triggered = *checkpoint,
            Event::LeadershipTaken { .. } => left = triggered,
            _ => {}
        }
    }
    stored.retain(|checkpoint| *checkpoint <= left);
    stored
}

#[test]
fn the_metadata_of_a_checkpoint_that_was_given_up_is_deleted() {
    let relaxed = |seed: u64, plan: &mut Plan| {
        plan.faults.clear();
        plan.faults.push(behind(
            Point::ObjectStored,
            3 + seed as u32 % 40,
            crash(ProcessId::Coordinator, 40),
        ));
    };
    let trial = Trial::run_with(&built_in("coordinator-crashes"), SEEDS, relaxed);
    trial.assert_struck(FaultClass::CrashCoordinator);
    trial.assert_all_held();
    let left = trial.sum(|seen| orphans(seen).len());
    assert_eq!(left, 0, "metadata is left that belongs to nothing");
    let gone_unseen = trial.runs.iter().filter(|(_, _, seen)| {
        let discarded = |event: &Event| matches!(event, Event::Discarded { .. });
        let listed = seen
            .0
            .iter()
            .position(|(_, event)| matches!(event, Event::LeadershipTaken { term } if term.0 == 2));
        listed.is_some_and(|from| {
            seen.within(std::slice::from_ref(&(from..seen.0.len())), discarded) > 0
        })
    });
    assert!(gone_unseen.count() > 0, "a successor finds something to delete");
}

#[test]
fn a_stale_listing_deletes_nothing_that_is_needed() {
    let trial = Trial::run("coordinator-crashes", SEEDS, |seed| {
        let begin = some_ms(seed);
        vec![
            at(begin, objects(StoreFault::Lagging, 600)),
            at(begin + 80, crash(ProcessId::Coordinator, 20)),
            at(begin + 250, crash(ProcessId::Coordinator, 20)),
            at(begin + 400, crash(ProcessId::Worker(0), 20)),
        ]
    });
    trial.assert_struck(FaultClass::StaleListing);
    trial.assert_all_held();
}

#[test]
fn recovery_is_not_owed_when_every_copy_is_destroyed() {
    let trial = Trial::run_with(&built_in("bank"), SEEDS, |seed, plan| {
        plan.faults = vec![
            at(some_ms(seed), objects(StoreFault::Destroyed, 10)),
            at(some_ms(seed) + 1 + seed % 100, crash(ProcessId::Worker(0), 20)),
        ];
    });
    trial.assert_struck(FaultClass::DestroyedStore);
    let classes = |wanted| {
        trial.runs.iter().filter(|(_, outcome, _)| outcome.verdict.class() == wanted).count()
    };
    let (not_owed, held) = (classes(VerdictClass::NotOwed), classes(VerdictClass::Held));
    assert!(not_owed > 0 && held > 0, "{not_owed} not owed, {held} held");
    for (plan, outcome, seen) in &trial.runs {
        if outcome.verdict.class() != VerdictClass::NotOwed {
            continue;
        }
        assert_eq!(outcome.verdict.exit_code(), 0);
        assert!(outcome.verdict.to_string().starts_with("not owed: recovery needs ckpt-"));
        let completed = seen.0.iter().filter_map(|(_, event)| match event {
            Event::Completed { checkpoint, .. } => Some(*checkpoint),
            _ => None,
        });
        let newest = completed.max();
        let finished = |event: &Event| matches!(event, Event::JobFinished { .. });
        assert_eq!(seen.count(finished), 0, "seed {}", plan.seed);
        let last = seen.0.iter().rev().find_map(|(_, event)| match event {
            Event::AttemptStarted { restored, .. } => Some(*restored),
            _ => None,
        });
        assert_eq!(last, Some(newest), "nothing older is restored, nor does it start from scratch");
    }
}

#[test]
fn without_a_crash_a_destroyed_store_is_outlived() {
    let trial = Trial::run_with(&built_in("bank"), SEEDS, |seed, plan| {
        plan.faults = vec![at(some_ms(seed), objects(StoreFault::Destroyed, 10))];
    });
    trial.assert_struck(FaultClass::DestroyedStore);
    trial.assert_all_held();
}

#[test]
fn a_later_trouble_replaces_an_earlier_and_has_its_own_end() {
    let trial = Trial::run_with(&built_in("bank"), 20, |_, plan| {
        plan.faults = vec![
            at(100, objects(StoreFault::Slow { extra_ms: 5 }, 150)),
            at(200, objects(StoreFault::Full, 300)),
        ];
    });
    trial.assert_all_held();
    for (_, _, seen) in &trial.runs {
        let recovered = seen
            .0
            .iter()
            .filter_map(|(at, event)| matches!(event, Event::StoreRecovered { .. }).then_some(*at));
        assert_eq!(recovered.collect::<Vec<_>>(), [VirtualTime::from_ms(500)]);
    }
}
