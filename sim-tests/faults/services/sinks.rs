//! The sink target.

use std::collections::BTreeMap;

use cutwater::cluster::SinkFault;
use cutwater::oracle::VerdictClass;
use cutwater::plan::FaultClass;
use cutwater::protocol::{ProcessId, VirtualTime};
use cutwater::trace::{Event, SinkTrouble};

use super::harness::{SEEDS, Seen, Trial, at, built_in, crash, sink, some_ms};

#[test]
fn an_open_transaction_that_times_out_ends_the_attempt() {
    let trial = Trial::run("word-count", SEEDS, |seed| {
        vec![at(some_ms(seed), sink(SinkFault::TransactionTimeout, 50))]
    });
    trial.assert_struck(FaultClass::TransactionTimeout);
    trial.assert_all_held();
    let spans = |seen: &Seen| seen.sink_in_trouble(SinkTrouble::TransactionTimeout);
    let aborted = |event: &Event| matches!(event, Event::TransactionAborted { .. });
    assert!(trial.sum(|seen| seen.within(&spans(seen), aborted)) > 0, "open ones are aborted");
    let lacking = |event: &Event| matches!(event, Event::SubtaskFailed { reason, .. } if reason.contains("lacks records"));
    assert!(trial.sum(|seen| seen.count(lacking)) > 0, "what they held is written again");
}

#[test]
fn a_restart_gets_past_an_epoch_that_was_raised() {
    let trial = Trial::run("bank", SEEDS, |seed| {
        let begin = some_ms(seed);
        (0..1 + seed % 3).map(|n| at(begin + n * 15, sink(SinkFault::FencedProducer, 10))).collect()
    });
    trial.assert_struck(FaultClass::FencedProducer);
    trial.assert_all_held();
    let refused = |event: &Event| matches!(event, Event::ProducerRefused { .. });
    assert!(trial.sum(|seen| seen.count(refused)) > 0, "those that write on are refused");
    let failed = |event: &Event| matches!(event, Event::AttemptFailed { .. });
    assert!(trial.sum(|seen| seen.count(failed)) > 0);
}

#[test]
fn a_late_commit_takes_effect_once() {
    const EXTRA_MS: u64 = 250;
    let trial = Trial::run("coordinator-crashes", SEEDS, |seed| {
        let fault = SinkFault::DelayedCommit { extra_ms: EXTRA_MS };
        vec![
            at(some_ms(seed), sink(fault, 600)),
            at(some_ms(seed) + 150, crash(ProcessId::Worker(0), 20)),
        ]
    });
    trial.assert_struck(FaultClass::DelayedCommit);
    trial.assert_all_held();
    let mut late = 0;
    for (plan, _, seen) in &trial.runs {
        let mut requested = BTreeMap::new();
        let spans = seen.sink_in_trouble(SinkTrouble::DelayedCommit);
        for (index, (at, event)) in seen.0.iter().enumerate() {
            match event {
                Event::CommitRequested { transaction, .. } => {
                    requested.entry(*transaction).or_insert(*at);
                }
                Event::TransactionCommitted { transaction, .. } => {
                    let Some(span) = spans.iter().find(|span| span.contains(&index)) else {
                        continue;
                    };
                    let took = at.since(requested[transaction]).as_millis() as u64;
                    assert!(took >= EXTRA_MS, "seed {}: {took} ms in {span:?}", plan.seed);
                    late += 1;
                }
                _ => {}
            }
        }
    }
    assert!(late > 0, "some commits are late");
}

#[test]
fn a_hanging_transaction_is_aborted_when_the_target_recovers() {
    let trial = Trial::run("coordinator-crashes", SEEDS, |seed| {
        vec![
            at(some_ms(seed), sink(SinkFault::HangingTransaction, 500)),
            at(some_ms(seed) + 60, crash(ProcessId::Worker(0), 10)),
            at(some_ms(seed) + 200, crash(ProcessId::Worker(1), 10)),
        ]
    });
    trial.assert_struck(FaultClass::HangingTransaction);
    trial.assert_all_held();
    let spans = |seen: &Seen| seen.sink_in_trouble(SinkTrouble::HangingTransaction);
    let aborted = |event: &Event| matches!(event, Event::TransactionAborted { .. });
    assert_eq!(trial.sum(|seen| seen.within(&spans(seen), aborted)), 0, "none goes while it lasts");
    let behind_recovery = trial.sum(|seen| {
        let follows = |pair: &&[(VirtualTime, Event)]| {
            matches!(pair, [(_, Event::SinkRecovered), (_, Event::TransactionAborted { .. })])
        };
        seen.0.windows(2).filter(follows).count()
    });
    assert!(behind_recovery > 0, "they go when it ends");
}

#[test]
fn a_job_may_finish_while_the_target_cannot_abort() {
    let trial = Trial::run_with(&built_in("coordinator-crashes"), SEEDS, |seed, plan| {
        plan.faults = vec![
            at(some_ms(seed), sink(SinkFault::HangingTransaction, 10_000_000)),
            at(some_ms(seed) + 60, crash(ProcessId::Worker(0), 10)),
        ];
        plan.safety_ms = 1_000_000;
    });
    trial.assert_all_held();
    let finished = |event: &Event| matches!(event, Event::JobFinished { .. });
    let spans = |seen: &Seen| seen.sink_in_trouble(SinkTrouble::HangingTransaction);
    // A job that is over before the trouble begins tells nothing.
    let troubled = trial.sum(|seen| usize::from(!spans(seen).is_empty()));
    assert!(troubled * 10 > trial.runs.len() * 9, "{troubled} of {} runs", trial.runs.len());
    assert_eq!(trial.sum(|seen| seen.within(&spans(seen), finished)), troubled);
}

#[test]
fn a_commit_that_is_refused_is_asked_for_again_after_a_restart() {
    let trial = Trial::run("coordinator-crashes", SEEDS, |seed| {
        vec![at(some_ms(seed), sink(SinkFault::RefusedCommit, 300))]
    });
    trial.assert_struck(FaultClass::RefusedCommit);
    trial.assert_all_held();
    let spans = |seen: &Seen| seen.sink_in_trouble(SinkTrouble::RefusedCommit);
    let committed = |event: &Event| matches!(event, Event::TransactionCommitted { .. });
    assert_eq!(trial.sum(|seen| seen.within(&spans(seen), committed)), 0, "it refuses");
    let refused = |event: &Event| matches!(event, Event::SubtaskFailed { reason, .. } if reason.contains("does not commit"));
    assert!(trial.sum(|seen| seen.within(&spans(seen), refused)) > 0, "and the job hears of it");
}

/// Before its checkpoint completes an expired transaction is replayed; afterwards it is lost for good.
#[test]
fn a_transaction_that_expires_is_replayed_or_lost_and_told() {
    let trial = Trial::run("coordinator-crashes", SEEDS, |seed| {
        vec![at(some_ms(seed), sink(SinkFault::ExpiredTransaction, 10))]
    });
    trial.assert_struck(FaultClass::ExpiredTransaction);
    let classes = trial.runs.iter().map(|(_, outcome, _)| outcome.verdict.class());
    let (mut held, mut lost) = (0, 0);
    for class in classes {
        match class {
            VerdictClass::Held => held += 1,
            VerdictClass::NotOwed => lost += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(held > 0 && lost > 0, "{held} held, {lost} lost");
}

/// A commit that was late when its target died is asked for again; the end of the trouble does not bring it.
#[test]
fn late_commits_die_with_their_target() {
    let trial = Trial::run("coordinator-crashes", SEEDS, |seed| {
        let begin = some_ms(seed);
        let late = SinkFault::DelayedCommit { extra_ms: 10_000 };
        vec![at(begin, sink(late, 300)), at(begin + 150, crash(ProcessId::SinkTarget, 400))]
    });
    trial.assert_struck(FaultClass::DelayedCommit);
    trial.assert_all_held();
}
