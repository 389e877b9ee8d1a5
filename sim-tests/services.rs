//! Every trouble of a service strikes, does what it says, and the system under test copes with it.
//!
//! Each test lays faults made by hand over what a built-in scenario draws, and runs many seeds: what the
//! trouble does is read from the trace, whether the system copes is what the oracles say.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{ControlFlow, Range};

use cutwater::cluster::{SinkFault, StoreFault};
use cutwater::dataflow::Deal;
use cutwater::explore::{Experiments, Outcome, WorldKind, run_plan};
use cutwater::oracle::VerdictClass;
use cutwater::plan::{Fault, FaultClass, Plan, PlannedFault, Scenario, When, scenario};
use cutwater::protocol::{CheckpointId, DefectSet, ObjectKey, ProcessId, SplitId, VirtualTime};
use cutwater::trace::{Event, Point, SinkTrouble, Stamp, StoreTrouble};
use cutwater::world::Observer;

/// What was seen of a run, but for what channels carry.
#[derive(Default)]
struct Seen(Vec<(VirtualTime, Event)>);

impl Observer for Seen {
    fn observe(&mut self, stamp: Stamp, event: &Event) -> ControlFlow<()> {
        if !matches!(event, Event::Sent { .. } | Event::Received { .. }) {
            self.0.push((stamp.at, event.clone()));
        }
        ControlFlow::Continue(())
    }
}

impl Seen {
    fn count(&self, is_meant: impl Fn(&Event) -> bool) -> usize {
        self.0.iter().filter(|(_, event)| is_meant(event)).count()
    }

    /// Where the events lie between one that begins something and the next that ends it.
    fn spans(
        &self,
        begins: impl Fn(&Event) -> bool,
        ends: impl Fn(&Event) -> bool,
    ) -> Vec<Range<usize>> {
        let mut spans = Vec::new();
        let mut begin = None;
        for (index, (_, event)) in self.0.iter().enumerate() {
            if let Some(first) = begin
                && ends(event)
            {
                spans.push(first..index);
                begin = None;
            }
            if begins(event) {
                begin = Some(index + 1);
            }
        }
        spans.extend(begin.map(|first| first..self.0.len()));
        spans
    }

    fn in_trouble(&self, which: ProcessId, what: StoreTrouble) -> Vec<Range<usize>> {
        let troubled = |event: &Event| matches!(event, Event::StoreTroubled { process, trouble } if *process == which && *trouble == what);
        let over = |event: &Event| matches!(event, Event::StoreRecovered { process } | Event::StoreTroubled { process, .. } if *process == which);
        self.spans(troubled, over)
    }

    fn sink_in_trouble(&self, what: SinkTrouble) -> Vec<Range<usize>> {
        let troubled = |event: &Event| *event == Event::SinkTroubled { trouble: what };
        let over =
            |event: &Event| matches!(event, Event::SinkRecovered | Event::SinkTroubled { .. });
        self.spans(troubled, over)
    }

    /// How many such events lie within these spans.
    fn within(&self, spans: &[Range<usize>], is_meant: impl Fn(&Event) -> bool) -> usize {
        let events = spans.iter().flat_map(|span| &self.0[span.clone()]);
        events.filter(|(_, event)| is_meant(event)).count()
    }
}

/// What many seeds of a scenario did under faults made by hand.
struct Trial {
    runs: Vec<(Plan, Outcome, Seen)>,
}

impl Trial {
    /// `seeds` plans of a scenario, each with more faults.
    fn run(name: &str, seeds: u64, more: impl Fn(u64) -> Vec<PlannedFault>) -> Self {
        Self::run_with(&built_in(name), seeds, |seed, plan| plan.faults.extend(more(seed)))
    }

    fn run_with(scenario: &Scenario, seeds: u64, change: impl Fn(u64, &mut Plan)) -> Self {
        let experiments = Experiments::new();
        let run = |seed| {
            let drawn = experiments.draw(scenario, seed, DefectSet::NONE);
            let mut plan = drawn.expect("built-in scenarios can be drawn");
            change(seed, &mut plan);
            let prepared = experiments.prepare(&plan.job).expect("it was drawn for it");
            let (outcome, seen) = run_plan(&plan, &prepared, WorldKind::Kernel, Seen::default());
            let text = &outcome.verdict;
            assert!(text.is_held(), "seed {seed}: {text}\n{:#?}", plan.faults);
            (plan, outcome, seen.expect("it did not panic"))
        };
        Self { runs: (0..seeds).map(run).collect() }
    }

    /// How often a class struck, which must be in most runs.
    fn assert_struck(&self, class: FaultClass) {
        let struck =
            self.runs.iter().filter(|(_, outcome, _)| outcome.statistics.struck(class) > 0);
        let (struck, runs) = (struck.count(), self.runs.len());
        assert!(struck * 2 > runs, "{class} struck in {struck} of {runs} runs");
    }

    fn assert_all_held(&self) {
        for (plan, outcome, _) in &self.runs {
            assert_eq!(outcome.verdict.class(), VerdictClass::Held, "seed {}", plan.seed);
        }
    }

    fn sum(&self, count: impl Fn(&Seen) -> usize) -> usize {
        self.runs.iter().map(|(_, _, seen)| count(seen)).sum()
    }
}

fn built_in(name: &str) -> Scenario {
    let found = scenario::built_in().into_iter().find(|scenario| scenario.name == name);
    found.unwrap_or_else(|| panic!("{name:?} is built in"))
}

const SEEDS: u64 = 60;

fn at(ms: u64, fault: Fault) -> PlannedFault {
    PlannedFault { when: When::At { us: ms * 1_000 }, fault }
}

fn behind(point: Point, occurrence: u32, fault: Fault) -> PlannedFault {
    let when = When::Point { point, subtask: None, occurrence, after_restarts: 0 };
    PlannedFault { when, fault }
}

fn objects(fault: StoreFault, for_ms: u64) -> Fault {
    Fault::Store { process: ProcessId::ObjectStore, fault, for_us: for_ms * 1_000 }
}

fn meta(fault: StoreFault, for_ms: u64) -> Fault {
    Fault::Store { process: ProcessId::MetaStore, fault, for_us: for_ms * 1_000 }
}

fn sink(fault: SinkFault, for_ms: u64) -> Fault {
    Fault::Sink { fault, for_us: for_ms * 1_000 }
}

fn crash(process: ProcessId, down_ms: u64) -> Fault {
    Fault::Crash { process: Some(process), restart_after_us: Some(down_ms * 1_000) }
}

/// Some time in which the job runs, another one for each seed.
fn some_ms(seed: u64) -> u64 {
    60 + seed * 37 % 500
}

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
        // A restore that had begun before the trouble may end in it; none from then on does.
        let spans = |seen: &Seen| seen.in_trouble(ProcessId::ObjectStore, StoreTrouble::Corrupt);
        let restored = |event: &Event| matches!(event, Event::Restored(restored) if restored.checkpoint.is_some());
        let during = trial.sum(|seen| seen.within(&spans(seen), restored));
        let after = trial.sum(|seen| seen.count(restored));
        assert!(during * 20 < after, "{during} of {after} restores took a wrong byte for right");
        assert!(after > 0);
    }
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

/// The metadata that is stored at the end, and belongs to no checkpoint that is completed.
fn orphans(seen: &Seen) -> BTreeSet<CheckpointId> {
    let mut stored = BTreeSet::new();
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
            _ => {}
        }
    }
    stored
}

#[test]
fn the_metadata_of_a_checkpoint_that_was_given_up_is_deleted() {
    let relaxed = |seed: u64, plan: &mut Plan| {
        plan.faults.clear();
        plan.faults.push(behind(
            Point::Assembled,
            1 + seed as u32 % 4,
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
        listed.is_some_and(|from| seen.within(&[from..seen.0.len()], discarded) > 0)
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
        for span in seen.sink_in_trouble(SinkTrouble::DelayedCommit) {
            for (at, event) in &seen.0[span] {
                match event {
                    Event::CommitRequested { transaction, .. } => {
                        requested.entry(*transaction).or_insert(*at);
                    }
                    Event::TransactionCommitted { transaction, .. } => {
                        let Some(since) = requested.get(transaction) else { continue };
                        let took = at.since(*since).as_millis() as u64;
                        assert!(took >= EXTRA_MS, "seed {}: {took} ms", plan.seed);
                        late += 1;
                    }
                    _ => {}
                }
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
    assert_eq!(trial.sum(|seen| seen.within(&spans(seen), finished)), trial.runs.len());
}

#[test]
fn a_job_goes_on_with_other_splits_while_some_are_idle() {
    let trial = Trial::run("word-count", SEEDS, |seed| {
        let idle = |split| Fault::Idle { split: SplitId(split), for_us: 700_000 };
        (0..1 + seed as u16 % 3).map(|split| at(1 + seed % 200, idle(split))).collect()
    });
    trial.assert_struck(FaultClass::IdleSplit);
    trial.assert_all_held();
    let spans = |seen: &Seen| {
        let begins = |event: &Event| matches!(event, Event::SplitIdle { split } if split.0 == 0);
        let ends = |event: &Event| matches!(event, Event::SplitResumed { split } if split.0 == 0);
        seen.spans(begins, ends)
    };
    let of_split = |event: &Event, is_meant: fn(u16) -> bool| matches!(event, Event::Read { split, .. } if is_meant(split.0));
    let idle = trial.sum(|seen| seen.within(&spans(seen), |event| of_split(event, |id| id == 0)));
    let others = trial.sum(|seen| seen.within(&spans(seen), |event| of_split(event, |id| id != 0)));
    assert!(others > 2 * idle, "{idle} reads of the idle split, {others} of others");
    let completed = |event: &Event| matches!(event, Event::Completed { .. });
    assert!(trial.sum(|seen| seen.within(&spans(seen), completed)) > 0, "checkpoints go on");
}

#[test]
fn epochs_in_which_nothing_happens_are_checkpointed() {
    let trial = Trial::run_with(&built_in("sequence"), SEEDS, |seed, plan| {
        let splits = plan.job.splits;
        let idle = |split| Fault::Idle { split: SplitId(split), for_us: 600_000 };
        plan.faults.extend((0..splits).map(|split| at(5 + seed % 100, idle(split))));
        plan.faults.push(at(400, crash(ProcessId::Worker(0), 10)));
    });
    trial.assert_all_held();
    let mut quiet = 0;
    for (_, _, seen) in &trial.runs {
        let mut is_quiet = false;
        for (_, event) in &seen.0 {
            match event {
                Event::Completed { .. } => {
                    quiet += usize::from(std::mem::replace(&mut is_quiet, true))
                }
                Event::Read { .. } | Event::AttemptStarted { .. } => is_quiet = false,
                _ => {}
            }
        }
    }
    assert!(quiet > 0, "checkpoints complete with nothing read since the one before");
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

#[test]
fn every_scenario_holds_however_its_input_is_dealt() {
    let deals = [Deal::Uneven, Deal::Empty { splits: 1 }, Deal::Empty { splits: 2 }];
    for mut scenario in scenario::built_in() {
        scenario.job.deal = deals.to_vec();
        let trial = Trial::run_with(&scenario, 12, |_, _| {});
        trial.assert_all_held();
        let shapes: BTreeSet<_> = trial.runs.iter().map(|(plan, _, _)| plan.job.deal).collect();
        let can_all = scenario.job.splits.min > 1;
        assert!(!can_all || shapes.len() > 1, "{} draws {shapes:?}", scenario.name);
    }
}
