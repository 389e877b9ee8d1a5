//! Phases and situations on traces written by hand; what is counted, added, encoded and judged.

mod savepoints;

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use proptest::prelude::*;
use strum::{EnumCount as _, IntoEnumIterator as _};

use super::matrix::Entry;
use super::summary::{EXPECTATION_RUNS_MIN, ScenarioReach};
use super::*;
use crate::plan::draw::repertoire::{Need, Repertoire};
use crate::plan::{Expectation, FaultClass, FaultFamily, Name, Situation};
use crate::protocol::ordered::{VecMap, VecSet};
use crate::protocol::{
    AbortReason, Attempt, CheckpointId, Incarnation, ProcessId, SubtaskId, Term, TransactionId,
};
use crate::trace::{Event, Point};
use crate::world::faults::{Moment, Strike};

const COORDINATOR: ProcessId = ProcessId::Coordinator;
const SUBTASK: SubtaskId = SubtaskId(0);

fn leader() -> Event {
    Event::LeadershipTaken { term: Term(1) }
}

fn started(attempt: u32, restored: Option<u64>) -> Event {
    let restored = restored.map(CheckpointId);
    Event::AttemptStarted { attempt: Attempt(attempt), term: Term(1), restored }
}

fn running(attempt: u32) -> Event {
    Event::AttemptRunning { attempt: Attempt(attempt) }
}

fn failed(attempt: u32) -> Event {
    Event::AttemptFailed { attempt: Attempt(attempt), reason: String::new() }
}

fn triggered(checkpoint: u64) -> Event {
    Event::Triggered { attempt: Attempt(1), checkpoint: CheckpointId(checkpoint) }
}

fn counted(checkpoint: u64) -> Event {
    let (from_attempt, checkpoint) = (Attempt(1), CheckpointId(checkpoint));
    Event::AcknowledgementCounted { subtask: SUBTASK, from_attempt, checkpoint }
}

fn ignored(checkpoint: u64, attempt: u32) -> Event {
    let (from_attempt, checkpoint) = (Attempt(attempt), CheckpointId(checkpoint));
    Event::AcknowledgementIgnored { subtask: SUBTASK, from_attempt, checkpoint }
}

fn assembled(checkpoint: u64) -> Event {
    Event::Assembled { checkpoint: CheckpointId(checkpoint), snapshots: Vec::new() }
}

fn completed(checkpoint: u64) -> Event {
    Event::Completed { attempt: Attempt(1), checkpoint: CheckpointId(checkpoint) }
}

fn notified(checkpoint: u64) -> Event {
    Event::CompletionNotified { attempt: Attempt(1), checkpoint: CheckpointId(checkpoint) }
}

fn aborted(checkpoint: u64, reason: AbortReason) -> Event {
    Event::Aborted { attempt: Attempt(1), checkpoint: CheckpointId(checkpoint), reason }
}

fn crashed(process: ProcessId) -> Event {
    Event::Crashed { process }
}

/// What a run of these events reaches, with one strike after each of them.
fn reach_of(events: &[Event]) -> Reach {
    let mut tracker = ReachTracker::new();
    let mut strikes = Vec::new();
    for (number, event) in (1_u64..).zip(events) {
        tracker.observe(event);
        let moment = Moment { events: number, after: Some(Point::from(event)) };
        strikes.push(Strike { fault: 0, class: FaultClass::CrashWorker, moment });
    }
    tracker.finish(&Repertoire::ALL, &strikes)
}

/// The phase after each of these events.
fn phases(events: &[Event]) -> Vec<Phase> {
    (1..=events.len()).map(|end| phase_after(&events[..end])).collect()
}

fn phase_after(events: &[Event]) -> Phase {
    let mut tracker = ReachTracker::new();
    events.iter().for_each(|event| tracker.observe(event));
    let moment = Moment { events: events.len() as u64, after: None };
    let reach = tracker
        .finish(&Repertoire::ALL, &[Strike { fault: 0, class: FaultClass::Isolate, moment }]);
    let (cell, count) = reach.cells().next().expect("one strike");
    assert_eq!((cell.point, cell.class, count), (Point::RunStarted, FaultClass::Isolate, 1));
    cell.phase
}

fn situations(events: &[Event]) -> Vec<Situation> {
    reach_of(events).situations().map(|(situation, _)| situation).collect()
}

#[test]
fn a_checkpoint_goes_through_its_phases() {
    use Phase::{Acknowledging, Completed, Completing, Deploying, Idle, Leaderless, Triggered};
    let events = [
        Event::FaultsEnded,
        leader(),
        started(1, None),
        running(1),
        triggered(1),
        counted(1),
        counted(1),
        assembled(1),
        completed(1),
        notified(1),
    ];
    let expected = [
        Leaderless,
        Deploying,
        Deploying,
        Idle,
        Triggered,
        Acknowledging,
        Acknowledging,
        Completing,
        Completed,
        Idle,
    ];
    assert_eq!(phases(&events), expected);
}

#[test]
fn the_checkpoint_that_has_come_farthest_counts() {
    use Phase::{Acknowledging, Deploying, Idle, Triggered};
    let expired = aborted(1, AbortReason::Expired);
    let events =
        [leader(), running(1), triggered(1), counted(1), triggered(2), expired, notified(2)];
    let expected = [Deploying, Idle, Triggered, Acknowledging, Acknowledging, Triggered, Idle];
    assert_eq!(phases(&events), expected);
}

#[test]
fn a_failure_leads_to_recovery_and_a_lost_coordinator_to_none() {
    use Phase::{Deploying, Idle, Leaderless, Recovering, Triggered};
    let zombie = Event::Zombified { process: COORDINATOR, incarnation: Incarnation(0) };
    let events = [
        leader(),
        running(1),
        triggered(1),
        failed(1),
        started(2, None),
        running(2),
        crashed(ProcessId::Worker(0)),
        crashed(COORDINATOR),
        leader(),
        started(3, None),
        running(3),
        zombie,
    ];
    let expected = [
        Deploying, Idle, Triggered, Recovering, Recovering, Idle, Idle, Leaderless, Recovering,
        Recovering, Idle, Leaderless,
    ];
    assert_eq!(phases(&events), expected);
}

#[test]
fn a_strike_is_placed_in_the_phase_of_its_moment() {
    let events = [leader(), started(1, None), running(1), triggered(1)];
    let mut tracker = ReachTracker::new();
    events.iter().for_each(|event| tracker.observe(event));
    let strike = |events, after| {
        let moment = Moment { events, after };
        Strike { fault: 0, class: FaultClass::CrashStore, moment }
    };
    let first = strike(0, None);
    let early = strike(2, Some(Point::AttemptStarted));
    let cells: Vec<Cell> =
        tracker.finish(&Repertoire::ALL, &[first, early]).cells().map(|(cell, _)| cell).collect();
    let class = FaultClass::CrashStore;
    let expected = [
        Cell { point: Point::RunStarted, class, phase: Phase::Leaderless },
        Cell { point: Point::AttemptStarted, class, phase: Phase::Deploying },
    ];
    assert_eq!(cells, expected);
}

#[test]
fn situations_of_acknowledgements_and_aborts() {
    use Situation::{
        AcknowledgementAfterAbort, AcknowledgementOfDeadAttempt, CheckpointDeclined,
        CheckpointSubsumed, RestartWithoutCheckpoint, TwoCheckpointsPending,
    };
    let declined = aborted(1, AbortReason::Declined);
    let before = [started(1, None), running(1), triggered(1), declined];
    assert_eq!(situations(&before), [CheckpointDeclined]);
    let mut after = before.to_vec();
    after.push(ignored(1, 1));
    assert_eq!(situations(&after), [AcknowledgementAfterAbort, CheckpointDeclined]);
    let dead = [started(1, None), running(1), triggered(1), started(2, None), ignored(7, 1)];
    assert_eq!(situations(&dead), [AcknowledgementOfDeadAttempt, RestartWithoutCheckpoint]);
    let subsumed = [triggered(1), triggered(2), completed(2), aborted(1, AbortReason::Subsumed)];
    assert_eq!(situations(&subsumed), [CheckpointSubsumed, TwoCheckpointsPending]);
    let one_by_one = [triggered(1), completed(1), triggered(2)];
    assert_eq!(situations(&one_by_one), [], "a complete one is not pending");
}

#[test]
fn situations_of_crashes() {
    use Situation::{
        CoordinatorLostBeforeNotifying, CoordinatorLostWhileCompleting, CrashBeforeFirstCheckpoint,
        CrashInRecovery, RecoveryRepeated, RestartFromCheckpoint, TwoWorkersDown,
    };
    let (one, two) = (crashed(ProcessId::Worker(0)), crashed(ProcessId::Worker(1)));
    let store = crashed(ProcessId::ObjectStore);
    let begun = [leader(), started(1, None)];
    let with = |more: &[Event]| situations(&[&begun[..], more].concat());
    assert_eq!(with(&[store, running(1), one.clone()]), []);
    assert_eq!(with(&[one.clone(), two.clone()]), [CrashInRecovery, TwoWorkersDown]);
    let back = Event::Restarted { process: ProcessId::Worker(0), incarnation: Incarnation(1) };
    assert_eq!(with(&[running(1), one.clone(), back, two]), []);
    let again = [running(1), failed(1), started(2, Some(1)), running(2), one.clone()];
    assert_eq!(with(&again), [CrashBeforeFirstCheckpoint, RestartFromCheckpoint]);
    let later = [running(1), started(2, Some(1)), running(2), completed(2), one];
    assert_eq!(with(&later), [RestartFromCheckpoint]);
    assert_eq!(with(&[failed(1), started(2, Some(1))]), [RecoveryRepeated, RestartFromCheckpoint]);
    let lost = |last| with(&[running(1), triggered(1), assembled(1), last, crashed(COORDINATOR)]);
    assert_eq!(lost(assembled(1)), [CoordinatorLostWhileCompleting]);
    assert_eq!(lost(completed(1)), [CoordinatorLostBeforeNotifying]);
}

#[test]
fn situations_inside_workers() {
    use Situation::{CommitOfDeadAttempt, NotificationAcrossRestart};
    let learned = |attempt, sent_to| Event::CompletionLearned {
        subtask: SUBTASK,
        attempt: Attempt(attempt),
        checkpoint: CheckpointId(1),
        sent_to: Attempt(sent_to),
    };
    assert_eq!(situations(&[learned(2, 2)]), []);
    assert_eq!(situations(&[learned(2, 1)]), [NotificationAcrossRestart]);
    let transaction = TransactionId { sink: SUBTASK, attempt: Attempt(1), number: 0 };
    let commit = Event::TransactionCommitted { transaction, records: Vec::new() };
    assert_eq!(situations(&[started(1, None), commit.clone()]), []);
    let after = situations(&[started(1, None), started(2, Some(1)), commit]);
    assert!(after.contains(&CommitOfDeadAttempt), "{after:?}");
}

#[test]
fn a_channel_can_end_while_its_receiver_aligns() {
    use crate::oracle::testing::{LAST, OUT, run};
    let started = run(crate::protocol::OperatorRole::AtLeastOnceSink);
    let (attempt, checkpoint) = (Attempt(1), CheckpointId(1));
    let aligning = |subtask| Event::AlignmentStarted { subtask, attempt, checkpoint };
    let end = Event::EndReceived { channel: LAST, attempt, sequence: 0 };
    let begun = Event::RunStarted(Box::new(started));
    let others = [begun.clone(), aligning(SUBTASK), end.clone()];
    assert_eq!(situations(&others), [], "another subtask aligns");
    let its = [begun, aligning(OUT), end];
    assert_eq!(situations(&its), [Situation::EndedWhileAligning]);
}

#[test]
fn a_cell_is_impossible_by_one_rule_or_none() {
    let all: VecSet<FaultClass> = FaultClass::iter().collect();
    let matrix = Matrix::new(&Reach::default(), &all);
    let entry = |point: Point, class| matrix.rows()[point as usize].entry(class);
    let crash = FaultClass::CrashInRecovery;
    assert_eq!(entry(Point::Restored, crash), Entry::Missing);
    assert_eq!(entry(Point::Read, crash), Entry::Impossible(Rule::NotInRecovery));
    assert_eq!(entry(Point::Restored, FaultClass::CrashAgain), Entry::Impossible(Rule::NotAgain));
    let offset = FaultClass::ClockOffset;
    assert_eq!(entry(Point::RunStarted, offset), Entry::Missing);
    assert_eq!(entry(Point::Triggered, offset), Entry::Impossible(Rule::NotAtTheBeginning));
    assert_eq!(entry(Point::Crashed, offset), Entry::Impossible(Rule::TellsOfFault));
    assert_eq!(entry(Point::JobFinished, offset), Entry::Impossible(Rule::RunIsOver));
    assert_eq!(entry(Point::OutputWritten, offset), Entry::Impossible(Rule::NoSuchSink));
    let impossible: usize = matrix.impossible().iter().map(|(_, cells)| cells).sum();
    assert_eq!(impossible + matrix.missing().count(), matrix.cells().count());
    let rules: BTreeSet<&str> = Rule::iter().map(Rule::reason).collect();
    assert_eq!(rules.len(), Rule::iter().count(), "each has a reason of its own");
}

/// What no plan that was run has rules out the rows that need it, and no others.
#[test]
fn a_row_is_impossible_where_nothing_that_was_run_has_what_it_needs() {
    let mut reach = Reach { runs: 1, ..Reach::default() };
    let rules = |reach: &Reach| {
        let repertoire = reach.repertoire();
        Point::iter().filter_map(|point| Some((point, Rule::of_row(point, &repertoire)?))).collect()
    };
    let nothing: VecMap<Point, Rule> = rules(&reach);
    assert_eq!(nothing[&Point::BarrierOvertook], Rule::NothingOvertakes);
    assert_eq!(nothing[&Point::SavepointTriggered], Rule::NoSavepoints);
    assert_eq!(nothing[&Point::JobFinished], Rule::RunIsOver);
    assert!(!nothing.contains_key(&Point::BarrierReceived));
    reach.needs_met[Need::Overtaking as usize] = 1;
    let overtaking = rules(&reach);
    assert!(!overtaking.contains_key(&Point::BarrierOvertook));
    assert_eq!(overtaking[&Point::RecordCut], Rule::NoBuffers);
    reach.needs_met = [1; Need::COUNT];
    let everything = rules(&reach);
    let is_left = |rule: &Rule| matches!(rule, Rule::RunIsOver | Rule::TellsOfFault);
    assert!(everything.values().all(is_left), "{everything:?}");
    let lacking: VecSet<Rule> = nothing.values().copied().collect();
    assert_eq!(lacking.len(), Need::COUNT + 2, "a rule for each need: {lacking:?}");
}

#[test]
fn a_matrix_tells_reached_missing_unasked_and_wrong_rules_apart() {
    let mut reach = reach_of(&[leader(), triggered(1), triggered(2)]);
    let lie = Cell { point: Point::Read, class: FaultClass::ClockOffset, phase: Phase::Idle };
    reach.cells.insert(lie, 2);
    let matrix = Matrix::new(&reach, &[FaultClass::HalfOpen].into());
    let row = &matrix.rows()[Point::Triggered as usize];
    assert_eq!(row.entry(FaultClass::CrashWorker), Entry::Reached(2));
    assert_eq!(row.entry(FaultClass::HalfOpen), Entry::Missing);
    assert_eq!(row.entry(FaultClass::Isolate), Entry::NotAsked);
    assert_eq!(row.family(FaultFamily::Crash), (2, 1, 1));
    assert_eq!(row.passed, 2);
    let contradictions: Vec<_> = matrix.contradictions().collect();
    assert_eq!(contradictions, [(Point::Read, FaultClass::ClockOffset, Rule::NotAtTheBeginning)]);
    let coverage = matrix.coverage();
    assert_eq!((coverage.cells_reached, coverage.points_passed), (2, 2));
}

#[test]
fn expectations_are_judged_once_there_are_enough_runs() {
    let sometimes = vec![
        Expectation::Point(Point::Triggered),
        Expectation::Point(Point::Declined),
        Expectation::Situation(Situation::CrashInRecovery),
    ];
    let mut reach = Reach::default();
    let one = reach_of(&[leader(), triggered(1)]);
    for _ in 1..EXPECTATION_RUNS_MIN {
        reach.add(&one);
    }
    let scenario =
        ScenarioReach { name: Name::literal("s"), asked: VecSet::new(), sometimes, reach };
    let mut sweep = SweepReach { scenarios: vec![scenario] };
    assert_eq!(sweep.unmet(), []);
    sweep.scenarios[0].reach.add(&one);
    let unmet: Vec<String> =
        sweep.unmet().iter().map(|unmet| unmet.expectation.to_string()).collect();
    assert_eq!(unmet, ["declined", "crash-in-recovery"]);
    assert!(sweep.figures().to_string().ends_with(", 1 of 3 expectations"), "{}", sweep.figures());
}

#[test]
fn a_document_is_read_back_as_what_it_was_made_of() {
    let scenario = ScenarioReach {
        name: Name::literal("s"),
        asked: [FaultClass::CrashWorker, FaultClass::HalfOpen].into(),
        sometimes: vec![Expectation::Point(Point::Read)],
        reach: reach_of(&[leader(), triggered(1)]),
    };
    let sweep = SweepReach { scenarios: vec![scenario] };
    let text = serde_json::to_string(&ReachDocument::new(&sweep)).expect("plain data");
    assert_eq!(ReachDocument::read(&text).expect("it was written so"), sweep);
    for (from, to, said) in [
        ("cutwater-reach", "cutwater-plan", "format is \"cutwater-plan\""),
        ("\"version\":1", "\"version\":2", "version 2 of the format"),
        ("\"layout\":", "\"layout\":1", "a reach of another build"),
    ] {
        let error = ReachDocument::read(&text.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn cells_that_do_not_exist_are_refused() {
    let text = serde_json::to_string(&reach_of(&[leader()])).expect("plain data");
    let cell = text.find("\"cells\":[[").expect("one strike") + "\"cells\":[[".len();
    let end = cell + text[cell..].find(',').expect("a cell has several numbers");
    let mut wrong = text.clone();
    wrong.replace_range(cell..end, "250");
    let error = serde_json::from_str::<Reach>(&wrong).unwrap_err().to_string();
    assert!(error.contains("a cell that does not exist"), "{error}: {wrong}");
}

fn any_cell() -> impl Strategy<Value = Cell> {
    let point = proptest::sample::select(Point::iter().collect::<Vec<_>>());
    let class = proptest::sample::select(FaultClass::iter().collect::<Vec<_>>());
    let phase = proptest::sample::select(Phase::iter().collect::<Vec<_>>());
    (point, class, phase).prop_map(|(point, class, phase)| Cell { point, class, phase })
}

fn any_reach() -> impl Strategy<Value = Reach> {
    let numbers = proptest::collection::vec(0..5_u64, Point::iter().count());
    let cells = proptest::collection::btree_map(any_cell(), 1..9_u64, 0..12);
    (numbers, cells, 0..3_u64).prop_map(|(numbers, cells, runs)| {
        let cells = cells.into_iter().collect();
        let mut reach =
            Reach { runs, needs_met: [runs / 2; Need::COUNT], cells, ..Reach::default() };
        reach.points.copy_from_slice(&numbers);
        let places = reach.situations.len();
        reach.situations.copy_from_slice(&numbers[..places]);
        reach
    })
}

fn sum(reaches: &[&Reach]) -> Reach {
    let mut sum = Reach::default();
    reaches.iter().for_each(|reach| sum.add(reach));
    sum
}

/// Few cells, so that runs repeat each other.
fn few_cells() -> impl Strategy<Value = Reach> {
    let phase = proptest::sample::select(Phase::iter().collect::<Vec<_>>());
    proptest::collection::vec(phase, 0..2).prop_map(|phases| {
        let (point, class) = (Point::Read, FaultClass::CrashWorker);
        let cells = phases.into_iter().map(|phase| (Cell { point, class, phase }, 1)).collect();
        Reach { runs: 1, cells, ..Reach::default() }
    })
}

/// Where the plateau is when runs come in this order.
fn plateau(patience: u64, runs: &[(u64, Reach)]) -> Option<u64> {
    let mut plateau = Plateau::new(patience);
    let mut is_over = false;
    for (place, reach) in runs {
        let flow = plateau.add(*place, reach);
        assert!(!is_over || flow.is_break(), "a plateau is not left again");
        is_over = flow == ControlFlow::Break(());
        assert_eq!(is_over, plateau.end().is_some());
    }
    plateau.end()
}

proptest! {
    #[test]
    fn adding_is_commutative_and_associative(a in any_reach(), b in any_reach(), c in any_reach()) {
        prop_assert_eq!(sum(&[&a, &b]), sum(&[&b, &a]));
        prop_assert_eq!(sum(&[&sum(&[&a, &b]), &c]), sum(&[&a, &sum(&[&b, &c])]));
        prop_assert_eq!(sum(&[&a, &Reach::default()]), a);
    }

    #[test]
    fn what_is_encoded_is_decoded(reach in any_reach()) {
        let text = serde_json::to_string(&reach).expect("plain data");
        prop_assert_eq!(serde_json::from_str::<Reach>(&text).expect("it was written so"), reach);
    }

    #[test]
    fn a_plateau_does_not_depend_on_the_order_in_which_runs_come_in(
        (runs, shuffled, patience) in proptest::collection::vec(few_cells(), 1..40)
            .prop_map(|runs| (0_u64..).zip(runs).collect::<Vec<_>>())
            .prop_flat_map(|runs| (Just(runs.clone()), Just(runs).prop_shuffle(), 1..8_u64))
    ) {
        let end = plateau(patience, &runs);
        prop_assert_eq!(end, plateau(patience, &shuffled));
        let shows_new = |place: usize| {
            let before: BTreeSet<Cell> =
                runs[..place].iter().flat_map(|(_, reach)| reach.cells().map(|(cell, _)| cell)).collect();
            runs[place].1.cells().any(|(cell, _)| !before.contains(&cell))
        };
        let is_flat = |end: usize| {
            end + 1 >= patience as usize && !(end + 1 - patience as usize..=end).any(shows_new)
        };
        prop_assert_eq!(end, (0..runs.len()).find(|end| is_flat(*end)).map(|end| end as u64));
    }
}
