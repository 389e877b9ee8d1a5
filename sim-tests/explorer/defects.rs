//! Every seeded defect is found within so many seeds, and every oracle is the first to find one.
//!
//! The table says where to look. Seeds are run in order until the defect shows, and the plan that shows it must
//! hold without the defect; a defect that needs more
//! than its row allows has become harder to find, and an oracle that is not in its row has begun to find
//! it first: both are worth knowing. `CUTWATER_MEASURE=60 cargo test --test explorer defects -- --nocapture` runs
//! 60 seeds of each defect in each scenario and prints who found what, for whoever changes the table.

use std::collections::{BTreeMap, BTreeSet};

use cutwater::cluster::StoreFault;
use cutwater::explore::{Experiments, Outcome, Prepared, WorldKind, run_plan};
use cutwater::oracle::{OracleName, Verdict};
use cutwater::plan::{
    ClockChange, Fault, MessageAction, Plan, PlannedFault, Scenario, When, scenario,
};
use cutwater::protocol::{ChannelId, Defect, DefectSet, ProcessId};
use cutwater::trace::MessageKind;
use strum::IntoEnumIterator as _;

/// Who found a defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Finder {
    /// This oracle was the first to find something.
    Oracle(OracleName),
    /// An assertion of the system under test.
    Assertion,
    /// The same plan gave two traces.
    Determinism,
}

/// Where a defect is looked for.
struct Row {
    defect: Defect,
    scenario: &'static str,
    /// It must show within these many seeds: several times what it took when the row was written.
    seeds: u64,
    /// Who may be first.
    finders: &'static [Finder],
    /// Faults beside those that the scenario draws.
    faults: fn(&Plan) -> Vec<PlannedFault>,
}

const CAUSES: Finder = Finder::Oracle(OracleName::Causes);
const CONSERVATION: Finder = Finder::Oracle(OracleName::Conservation);
const CUT: Finder = Finder::Oracle(OracleName::Cut);
const DURABILITY: Finder = Finder::Oracle(OracleName::Durability);
const EVENT_TIME: Finder = Finder::Oracle(OracleName::EventTime);
const LIFECYCLE: Finder = Finder::Oracle(OracleName::Lifecycle);
const LIVENESS: Finder = Finder::Oracle(OracleName::Liveness);
const ORDER: Finder = Finder::Oracle(OracleName::Order);
const OUTPUT: Finder = Finder::Oracle(OracleName::Output);
const OWNERSHIP: Finder = Finder::Oracle(OracleName::Ownership);
const RECOVERY: Finder = Finder::Oracle(OracleName::Recovery);
const SPLITS: Finder = Finder::Oracle(OracleName::Splits);
const STATE: Finder = Finder::Oracle(OracleName::State);
const TERMINATION: Finder = Finder::Oracle(OracleName::Termination);
const VECTOR_CLOCK: Finder = Finder::Oracle(OracleName::VectorClock);
const STOPPED_WORLD: Finder = Finder::Oracle(OracleName::StoppedWorld);

const fn row(
    defect: Defect,
    scenario: &'static str,
    seeds: u64,
    finders: &'static [Finder],
) -> Row {
    Row { defect, scenario, seeds, finders, faults: none }
}

/// A row that needs a fault which no scenario draws.
const fn row_under(
    defect: Defect,
    scenario: &'static str,
    seeds: u64,
    finders: &'static [Finder],
    faults: fn(&Plan) -> Vec<PlannedFault>,
) -> Row {
    Row { defect, scenario, seeds, finders, faults }
}

/// A reconnect loses an element of each of the first channels.
fn lossy_reconnects(_: &Plan) -> Vec<PlannedFault> {
    let lose = |channel| PlannedFault {
        when: When::At { us: 150_000 },
        fault: Fault::Lose { channel: ChannelId(channel), count: 1 },
    };
    (0..4).map(lose).collect()
}

/// The coordinator's clock is set back by an hour, late, so that nothing restarts the triggers.
fn clock_set_back(plan: &Plan) -> Vec<PlannedFault> {
    let change = ClockChange::Step { us: -3_600_000_000 };
    let fault = Fault::Clock { process: Some(ProcessId::Coordinator), change };
    vec![PlannedFault { when: When::At { us: plan.safety_ms * 900 }, fault }]
}

/// A worker restores while reads bring wrong bytes.
fn corrupt_restore(_: &Plan) -> Vec<PlannedFault> {
    let (process, fault) = (ProcessId::ObjectStore, StoreFault::Corrupt);
    let restart_after_us = Some(20_000);
    let crash = Fault::Crash { process: Some(ProcessId::Worker(0)), restart_after_us };
    vec![
        PlannedFault {
            when: When::At { us: 300_000 },
            fault: Fault::Store { process, fault, for_us: 400_000 },
        },
        PlannedFault { when: When::At { us: 320_000 }, fault: crash },
    ]
}

/// The object store does not sync for a while, and then loses its power.
fn lost_power(_: &Plan) -> Vec<PlannedFault> {
    let (process, fault) = (ProcessId::ObjectStore, StoreFault::Unsynced);
    let fault = Fault::Store { process, fault, for_us: 250_000 };
    vec![PlannedFault { when: When::At { us: 150_000 }, fault }]
}

/// No subtask learns that a checkpoint was aborted: barriers of the next one tell it.
fn lost_aborts(_: &Plan) -> Vec<PlannedFault> {
    let (message, count, action) = (MessageKind::NotifyAborted, 100_000, MessageAction::Drop);
    let fault = Fault::Message { message, to: None, count, action };
    vec![PlannedFault { when: When::At { us: 0 }, fault }]
}

/// All workers but the first hear of a checkpoint long after its barriers may have come.
fn slow_triggers(plan: &Plan) -> Vec<PlannedFault> {
    let slow = |worker| {
        let (message, to) = (MessageKind::Trigger, Some(ProcessId::Worker(worker)));
        let (count, action) = (100_000, MessageAction::Delay { us: 40_000 });
        let fault = Fault::Message { message, to, count, action };
        PlannedFault { when: When::At { us: 0 }, fault }
    };
    (1..plan.cluster.workers).map(slow).collect()
}

/// The sink target is restarted now and then, so fast that nobody loses the connection.
fn sink_restarts(_: &Plan) -> Vec<PlannedFault> {
    let (process, restart_after_us) = (Some(ProcessId::SinkTarget), Some(500));
    let crash = |number: u64| PlannedFault {
        when: When::At { us: 200_000 + 61_000 * number },
        fault: Fault::Crash { process, restart_after_us },
    };
    (0..8).map(crash).collect()
}

/// In the order of [`Defect`].
const TABLE: &[Row] = &[
    row(Defect::ChannelNotBlocked, "sequence", 5, &[CUT]),
    row(Defect::PositionAfterNextRecord, "word-count", 5, &[CUT]),
    row(Defect::EndedChannelStillExpected, "uneven-ends", 200, &[LIVENESS]),
    row(Defect::BarrierOvertakesBacklog, "back-pressure", 5, &[ORDER]),
    row(Defect::StaleBarrierAccepted, "zombies", 40, &[ORDER]),
    row(Defect::NewerBarrierWaits, "control-chaos", 150, &[CUT]),
    row(Defect::AbortWithoutCancelMarker, "zombies", 40, &[ORDER]),
    row(Defect::EarlyAbortForgotten, "storage-trouble", 40, &[LIFECYCLE]),
    row(Defect::AbortLeavesBlocked, "zombies", 40, &[LIVENESS]),
    row(Defect::CaptureMissesChannel, "unaligned-join", 20, &[CUT]),
    row(Defect::CaptureReordered, "unaligned", 20, &[CUT]),
    row(Defect::AcknowledgeBeforeCaptured, "unaligned", 20, &[CUT]),
    row(Defect::OutputNotCaptured, "unaligned", 20, &[CUT]),
    row(Defect::UnreadNotCaptured, "buffers", 40, &[CUT, LIVENESS]),
    row(Defect::OpenBufferNotCaptured, "buffers", 20, &[CUT]),
    row(Defect::AbortedOvertakes, "hybrid-aborts", 300, &[CUT]),
    row_under(Defect::SupersededOvertakes, "hybrid-aborts", 200, &[CUT], lost_aborts),
    row(Defect::OvertakenListedTwice, "hybrid", 20, &[CUT]),
    row(Defect::ProcessedCaptured, "hybrid", 20, &[CUT]),
    row(Defect::AbortedCaptureKept, "hybrid-aborts", 300, &[CUT]),
    row(Defect::BehindBarrierCaptured, "hybrid", 40, &[CUT]),
    row(Defect::BarrierBeforeOpenBuffer, "buffers-hybrid", 20, &[CUT, ORDER]),
    row(Defect::RestoredRestForgotten, "buffers", 100, &[CAUSES, LIVENESS]),
    row(Defect::NewOvertakesRestored, "unaligned", 40, &[ORDER]),
    row(Defect::RestoredNotCapturedAgain, "unaligned-recovery", 60, &[CUT]),
    row(Defect::WorldGoesOn, "stop-the-world", 5, &[STOPPED_WORLD]),
    row(Defect::NoBackEdgeLog, "reachability", 20, &[CUT]),
    row(Defect::LogStartedLate, "collatz", 40, &[CUT]),
    row(Defect::LogStoppedLate, "collatz", 40, &[CUT]),
    row(Defect::LoopWithoutIds, "collatz", 40, &[LIVENESS]),
    row(Defect::BackEdgeIfVisited, "reachability", 60, &[VECTOR_CLOCK, CUT, LIVENESS]),
    row(Defect::NewOvertakesRestored, "collatz", 40, &[ORDER]),
    row(Defect::LiveStateInUpload, "bank", 5, &[DURABILITY]),
    row(Defect::KeyGroupsCollide, "bank", 20, &[CONSERVATION]),
    row(Defect::KeyGroupsCollide, "flights", 20, &[OUTPUT]),
    row(Defect::EmptyEpochResetsPosition, "uneven-ends", 60, &[STATE]),
    row(Defect::OffsetCommittedEarly, "word-count", 5, &[STATE]),
    row(Defect::AcknowledgeBeforeDurable, "word-count", 5, &[DURABILITY]),
    row(Defect::UploadFailureSwallowed, "storage-trouble", 20, &[DURABILITY]),
    row(Defect::NotifyBeforeStore, "word-count", 5, &[LIFECYCLE]),
    row(Defect::StaleAcknowledgementCounted, "bank", 300, &[LIFECYCLE]),
    row(Defect::DuplicateAcknowledgementCounted, "control-chaos", 80, &[LIFECYCLE]),
    row(Defect::CheckpointIdReused, "word-count", 20, &[LIFECYCLE]),
    row(Defect::OlderCheckpointRestored, "flights", 20, &[RECOVERY]),
    row_under(Defect::ClockSetBackStopsTriggers, "relay", 40, &[LIVENESS], clock_set_back),
    row(Defect::OldProducerNotFenced, "zombies", 300, &[RECOVERY]),
    row(Defect::LostNotificationNeverCommitted, "control-chaos", 20, &[LIVENESS]),
    row(Defect::NotificationCrossesRestart, "coordinator-crashes", 200, &[LIFECYCLE]),
    row(Defect::RestoredCommittablesDropped, "coordinator-crashes", 20, &[LIVENESS, OUTPUT]),
    row(Defect::CommitNotIdempotent, "flights", 20, &[OUTPUT]),
    row(Defect::CommitAtPreCommit, "word-count", 5, &[LIFECYCLE]),
    row(Defect::RefusedCommitForgotten, "sink-refuses", 40, &[OUTPUT]),
    row(Defect::RefusedCommitForgotten, "sink-expires", 40, &[OUTPUT]),
    row(Defect::RefusedCommitGivenUp, "sink-refuses", 100, &[OUTPUT]),
    row(Defect::LingeringTransactionKept, "coordinator-crashes", 20, &[OUTPUT]),
    row(Defect::NoFlushAtBarrier, "word-count", 5, &[OUTPUT]),
    row(Defect::LatestFromListing, "coordinator-crashes", 60, &[DURABILITY, RECOVERY]),
    row_under(
        Defect::CorruptReadAccepted,
        "bank",
        20,
        &[STATE, Finder::Assertion],
        corrupt_restore,
    ),
    row_under(Defect::AnsweredBeforeSynced, "word-count", 20, &[DURABILITY], lost_power),
    row_under(Defect::ReconnectLossUnnoticed, "sequence", 20, &[ORDER], lossy_reconnects),
    row(Defect::EndInputOnStop, "savepoints", 40, &[TERMINATION]),
    row(Defect::NoEndInputOnDrain, "drained", 20, &[TERMINATION]),
    row(Defect::ReadsOnAfterStop, "savepoints", 40, &[TERMINATION]),
    row(Defect::StoppedBeforeMetadata, "drained", 20, &[LIFECYCLE, TERMINATION]),
    row(Defect::FinishedBeforeCommitted, "drained", 60, &[TERMINATION]),
    row(Defect::FinalCheckpointAwaited, "final-checkpoint", 5, &[LIVENESS]),
    row(Defect::FailedStopHaltsTriggers, "savepoints", 600, &[LIVENESS]),
    row(Defect::SavepointAnnounced, "savepoints", 40, &[LIFECYCLE]),
    row(Defect::SavepointUsedInRecovery, "savepoint-recovery", 40, &[RECOVERY]),
    row(Defect::SavepointTakenForLeftover, "savepoints", 400, &[DURABILITY]),
    row(Defect::SavepointOvertakes, "savepoints-unaligned", 20, &[CUT, TERMINATION]),
    row(Defect::PositionMovedByStop, "savepoints", 40, &[CUT]),
    row(Defect::SavepointSettlesSplits, "savepoints-enumerated", 60, &[SPLITS, STATE]),
    row(Defect::TimersNotRestored, "event-time", 20, &[EVENT_TIME]),
    row(Defect::FiredTimerInSnapshot, "late-reports", 20, &[EVENT_TIME]),
    row(Defect::WatermarkNotRestored, "late-reports", 20, &[EVENT_TIME]),
    row(Defect::WatermarkRestoredAsMaximum, "event-time", 20, &[EVENT_TIME]),
    row(Defect::WatermarkComparedAsBytes, "event-time", 20, &[EVENT_TIME]),
    row(Defect::SilentInputIgnored, "event-time", 20, &[EVENT_TIME]),
    row(Defect::EndedInputHoldsWatermark, "event-time", 5, &[EVENT_TIME]),
    row(Defect::WatermarkOvertakesBacklog, "event-time", 20, &[EVENT_TIME]),
    row(Defect::BarrierOvertakesWatermark, "event-time", 20, &[EVENT_TIME]),
    row(Defect::KeyGroupsOfOtherMaximum, "rescale-words", 10, &[OWNERSHIP]),
    row(Defect::KeyGroupDroppedAtBoundary, "rescale-words", 20, &[OWNERSHIP]),
    row(Defect::StateOfOtherIdentity, "rescale-words", 10, &[OWNERSHIP]),
    row(Defect::SplitListNotDealtOut, "rescale-lists", 20, &[OWNERSHIP]),
    row(Defect::UnionListIncomplete, "rescale-lists", 20, &[OWNERSHIP]),
    row(Defect::UnionListIncomplete, "union-lists", 20, &[OUTPUT, OWNERSHIP]),
    row(Defect::VanishedSinkForgotten, "rescale-words", 60, &[OUTPUT]),
    row(Defect::FirstWatermarkForAll, "rescale-windows", 40, &[OUTPUT]),
    row(Defect::FinalCheckpointSkipped, "rescale-words", 60, &[OWNERSHIP]),
    row(Defect::FinalCheckpointSkipped, "savepoints", 30, &[LIFECYCLE, TERMINATION]),
    row(Defect::ChannelStateToOldIndex, "rescale-unaligned", 20, &[OWNERSHIP]),
    row(Defect::ChannelStateToOldIndex, "rescale-laps", 30, &[OWNERSHIP]),
    row(Defect::ChannelStateNotFiltered, "rescale-unaligned", 20, &[OWNERSHIP]),
    row(Defect::ChannelsOfVanishedForgotten, "rescale-unaligned", 40, &[OWNERSHIP]),
    row(Defect::UnsentBeforeArrived, "rescale-unaligned", 40, &[OWNERSHIP]),
    row(Defect::NewOvertakesRestored, "rescale-unaligned", 10, &[ORDER]),
    row(Defect::DealtWatermarkPassedOn, "rescale-unaligned", 80, &[OUTPUT]),
    row(Defect::EmptyChannelStateRefused, "rescale-unaligned", 20, &[LIVENESS]),
    row(Defect::ForwardStateDealtOut, "rescale-forward", 20, &[OUTPUT]),
    row(Defect::FinalCheckpointSkipped, "rescale-forward", 30, &[OWNERSHIP]),
    row(Defect::DiscardedSnapshotsKept, "relay", 10, &[DURABILITY]),
    row(Defect::AbortedSnapshotsKept, "abort-storm", 10, &[DURABILITY]),
    row(Defect::AddingGivenUp, "lost-answers", 300, &[DURABILITY]),
    row(Defect::DiscardedBeforeRecorded, "word-count", 20, &[DURABILITY]),
    row(Defect::LeftoversNotSwept, "coordinator-crashes", 40, &[DURABILITY]),
    row(Defect::EveryCancelPassedOn, "abort-storm", 60, &[ORDER]),
    row(Defect::AbortCancelsAgain, "abort-storm", 40, &[ORDER]),
    row_under(Defect::RolledBackReopens, "relay", 40, &[OUTPUT], sink_restarts),
    row(Defect::TimedOutReopens, "sink-trouble", 40, &[OUTPUT]),
    row(Defect::AbortFailsSubtask, "abort-storm", 20, &[CAUSES]),
    row(Defect::ImpatientDetector, "relay", 40, &[CAUSES]),
    row(Defect::RetriesAtOnce, "relay", 2, &[LIVENESS]),
    row(Defect::ExpiresEarly, "calm", 40, &[CAUSES]),
    row(Defect::MailWaitsForIdle, "steady", 4, &[CAUSES]),
    row(Defect::StateLeaksBetweenRuns, "zombies", 20, &[Finder::Determinism]),
    row(Defect::SplitsDiscoveredAgain, "enumerated", 60, &[SPLITS]),
    row(Defect::GatewayLeftOpen, "enumerated", 20, &[STATE]),
    row(Defect::LostEventUnnoticed, "lossy-requests", 20, &[STATE, LIVENESS]),
    row(Defect::SplitsNotReturned, "enumerated", 20, &[SPLITS, STATE]),
    row(Defect::CheckpointedSplitsReturned, "enumerated", 20, &[SPLITS]),
    row(Defect::SourcesBeforeEnumerator, "lossy-requests", 10, &[SPLITS, STATE]),
    row(Defect::EnumeratorOfAbortedSnapshots, "lossy-requests", 300, &[SPLITS]),
    row(Defect::RepeatedAssignmentTaken, "enumerated", 10, &[SPLITS]),
    row(Defect::StateFoundByPlace, "savepoints-upgraded", 10, &[OWNERSHIP]),
    row(Defect::RenamedStateDropped, "savepoints-upgraded", 10, &[OWNERSHIP]),
    row(Defect::MergingSessionsNotSnapshotted, "visits", 20, &[OUTPUT]),
    row(Defect::MergedSessionForgotten, "visits", 5, &[OUTPUT]),
    row(Defect::MergedTimerLost, "visits", 5, &[OUTPUT]),
    row(Defect::WindowPurgedWhenGiven, "visits", 5, &[OUTPUT]),
    row(Defect::DuplicateMovesExpiry, "payments", 5, &[OUTPUT]),
    row(Defect::AnsweredNotSnapshotted, "requests", 40, &[OUTPUT]),
    row(Defect::SnapshotWhileQueueFull, "requests", 60, &[OUTPUT, OWNERSHIP]),
    row(Defect::RestoredRequestsNotCounted, "requests", 150, &[OUTPUT]),
    row(Defect::UnionListNotPruned, "union-lists", 40, &[OUTPUT]),
    row(Defect::RestoredEnumeratorSilent, "savepoints-enumerated", 100, &[LIVENESS]),
    row(Defect::NewestPositionCommitted, "word-count", 5, &[STATE]),
    row(Defect::PrefetchedInPosition, "word-count", 5, &[CUT, STATE]),
    row(Defect::BroadcastNotCopied, "tariffs", 40, &[OWNERSHIP]),
    row(Defect::JoinWaitsSwapped, "payments", 5, &[OUTPUT]),
    row(Defect::LastAnswersNotAwaited, "requests", 20, &[OUTPUT]),
    row(Defect::DrainedBesideRequests, "drained-requests", 20, &[TERMINATION]),
    row_under(
        Defect::StopKnownFromTrigger,
        "savepoints-requests",
        100,
        &[TERMINATION],
        slow_triggers,
    ),
    row(Defect::RefusedFlushAcknowledged, "log-sink", 100, &[CAUSES, LIVENESS]),
    row(Defect::RefusedCommitConfirmed, "log-sink", 60, &[OUTPUT]),
    row(Defect::ExpiredCommitDropped, "log-sink-expires", 40, &[OUTPUT]),
    row(Defect::EpochKeptAfterCommit, "log-sink", 60, &[OUTPUT]),
    row(Defect::LingeringTransactionsLeft, "log-sink", 40, &[OUTPUT]),
    row(Defect::PromisedAbortedAtOpen, "log-sink", 40, &[CAUSES, LIVENESS]),
    row(Defect::PooledIdRecycledEarly, "log-sink", 40, &[CAUSES, LIVENESS]),
    row(Defect::StagedFileOverwritten, "table-sink", 20, &[OUTPUT]),
    row(Defect::CommitRepeatedUnasked, "table-sink", 40, &[OUTPUT]),
    row(Defect::CommitterIdentityLost, "table-sink", 60, &[OUTPUT]),
    row(Defect::LastFilesForgotten, "table-sink", 5, &[OUTPUT]),
    row(Defect::ConflictTakenForSuccess, "table-sink", 150, &[OUTPUT]),
    row(Defect::CommittedBranchTakenForLost, "database-sink", 40, &[CAUSES, LIVENESS]),
    row(Defect::PreparedRolledBackAtOpen, "database-sink", 60, &[OUTPUT]),
    row(Defect::CompletedUploadTakenForLost, "bucket-sink", 40, &[CAUSES, LIVENESS]),
    row(Defect::ObjectNameReused, "bucket-sink", 40, &[OUTPUT]),
    row(Defect::WaitingRowsForgotten, "bucket-sink", 100, &[OUTPUT]),
    row(Defect::MessageNamedByAttempt, "queue-sink", 40, &[OUTPUT]),
    row(Defect::DeduplicationNumberReset, "queue-sink", 40, &[OUTPUT]),
    row(Defect::OnlyNewestRestored, "queue-sink", 60, &[OWNERSHIP, OUTPUT]),
    row(Defect::CommitRetryForgotten, "queue-sink", 60, &[LIVENESS]),
    row(Defect::DeletesNotWritten, "upsert-sink", 5, &[OUTPUT]),
    row(Defect::NothingUndone, "counter-sink", 40, &[OUTPUT]),
    row(Defect::UndoAppliedTwice, "counter-sink", 100, &[OUTPUT]),
    row(Defect::LeftBranchesKept, "database-sink", 40, &[OUTPUT]),
    row(Defect::LeftUploadsKept, "bucket-sink", 40, &[OUTPUT]),
    row(Defect::DiscoveredSplitsForgotten, "discovered", 60, &[SPLITS]),
    row(Defect::KnownSplitsForgotten, "discovered", 60, &[SPLITS]),
    row(Defect::MissingSplitTakenForRemoved, "discovered", 60, &[SPLITS]),
    row(Defect::DiscoveryNotResumed, "discovered", 100, &[LIVENESS, SPLITS]),
    row(Defect::MessagesAcknowledgedOnDelivery, "shared-queue", 5, &[STATE]),
    row(Defect::MessageIdsNotSnapshotted, "shared-queue", 60, &[OUTPUT]),
    row(Defect::SplitReleasedAtItsEnd, "discovered", 20, &[STATE]),
    row(Defect::CommittedOffsetsRestored, "coordinator-crashes", 60, &[STATE]),
    row(Defect::BatchPositionOnly, "batches", 20, &[CUT, STATE, OUTPUT]),
    row(Defect::ReducedReplaced, "meters", 5, &[OUTPUT]),
    row(Defect::UnchangedNotAccumulated, "meters", 5, &[OUTPUT]),
    row(Defect::FirstStreamsWatermark, "meters", 5, &[EVENT_TIME]),
];

/// Oracles that are never first, each with the reason.
const NEVER_FIRST: &[(OracleName, &str)] = &[
    (OracleName::Trace, "judges traces from elsewhere: a world of ours numbers its events itself"),
    (OracleName::VectorClock, "a second opinion on cuts, which fires where the first has fired"),
];

/// One seed of a row: the plan with the defect, and what it takes to run it.
struct Trial {
    plan: Plan,
    prepared: Prepared,
}

impl Trial {
    fn new(
        defect: Defect,
        faults: fn(&Plan) -> Vec<PlannedFault>,
        scenario: &Scenario,
        seed: u64,
        experiments: &Experiments,
    ) -> Self {
        let drawn = experiments.draw(scenario, seed, DefectSet::only(defect));
        let mut plan = drawn.expect("built-in scenarios can be drawn");
        plan.faults.extend(faults(&plan));
        let prepared = experiments.prepare(&plan.job).expect("it was drawn for it");
        Self { plan, prepared }
    }

    fn run(&self) -> Outcome {
        run_plan(&self.plan, &self.prepared, WorldKind::Kernel, ()).0
    }

    /// Who finds something wrong with the plan, if anybody does.
    fn finder(&self, defect: Defect) -> Option<Finder> {
        let first = self.run();
        match &first.verdict {
            Verdict::Violated(found) => found.first().map(|first| Finder::Oracle(first.oracle)),
            Verdict::Panicked { .. } => Some(Finder::Assertion),
            Verdict::Held | Verdict::NotOwed { .. } | Verdict::Undecided
                if defect == Defect::StateLeaksBetweenRuns =>
            {
                (self.run().digest != first.digest).then_some(Finder::Determinism)
            }
            Verdict::Held | Verdict::NotOwed { .. } | Verdict::Undecided => None,
        }
    }

    /// The control: what is wrong with the same plan when no defect is switched on. Nothing may be: what
    /// fails anyway tells nothing of a defect.
    fn control(mut self, defect: Defect) -> Option<String> {
        self.plan.defects = DefectSet::NONE;
        let outcome = self.run();
        match (self.finder(defect), outcome.is_held(&self.plan)) {
            (None, true) => None,
            (finder, _) => Some(format!("{}, found by {finder:?}", outcome.verdict)),
        }
    }
}

fn built_in(name: &str) -> Scenario {
    let found = scenario::built_in().into_iter().find(|scenario| scenario.name == name);
    found.unwrap_or_else(|| panic!("the table names scenario {name:?}, which is not built in"))
}

/// What is wrong with a row, if anything.
fn complaint(row: &Row, experiments: &Experiments) -> Option<String> {
    let Row { defect, scenario, seeds, finders, faults } = row;
    let shape = built_in(scenario);
    let trial = |seed| Trial::new(*defect, *faults, &shape, seed, experiments);
    let mut hunts = (0..*seeds).map(|seed| (seed, trial(seed).finder(*defect)));
    let Some((seed, finder)) = hunts.find_map(|(seed, found)| Some((seed, found?))) else {
        return Some(format!("{defect} was not found in {seeds} seeds of {scenario}"));
    };
    let command = format!("cargo run --release -- run {scenario} --strategy random --seed {seed}");
    if let Some(wrong) = trial(seed).control(*defect) {
        return Some(format!("{defect}: the plan fails without it: {wrong}\n  {command}"));
    }
    let is_right = finders.contains(&finder);
    let told = format!(
        "{defect} was found by {finder:?}, not by {finders:?}\n  {command} --defect {defect}"
    );
    (!is_right).then_some(told)
}

#[test]
fn every_defect_is_found_and_by_whom() {
    if let Ok(seeds) = std::env::var("CUTWATER_MEASURE") {
        return measure(seeds.parse().expect("CUTWATER_MEASURE is a number of seeds"));
    }
    let experiments = Experiments::new();
    let complaints: Vec<_> = TABLE.iter().filter_map(|row| complaint(row, &experiments)).collect();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn the_table_covers_every_defect() {
    let in_table: BTreeSet<_> = TABLE.iter().map(|row| row.defect).collect();
    let missing: Vec<_> = Defect::all().filter(|defect| !in_table.contains(defect)).collect();
    assert!(missing.is_empty(), "nobody looks for {missing:?}");
}

#[test]
fn every_oracle_is_the_first_to_find_some_defect() {
    let excused: BTreeSet<_> = NEVER_FIRST.iter().map(|(oracle, _)| *oracle).collect();
    for oracle in OracleName::iter() {
        let is_first = TABLE.iter().any(|row| row.finders == [Finder::Oracle(oracle)]);
        assert!(is_first != excused.contains(&oracle), "{oracle} has no defect of its own");
    }
}

fn none(_: &Plan) -> Vec<PlannedFault> {
    Vec::new()
}

fn row_of(defect: Defect) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.defect == defect)
}

fn measure(seeds: u64) {
    let experiments = Experiments::new();
    for defect in Defect::all() {
        println!("{defect}");
        for scenario in scenario::built_in() {
            let mut finders = BTreeMap::new();
            let mut first = None;
            for seed in 0..seeds {
                let faults = row_of(defect).map_or(none as fn(&_) -> _, |row| row.faults);
                let trial = Trial::new(defect, faults, &scenario, seed, &experiments);
                if let Some(finder) = trial.finder(defect) {
                    *finders.entry(finder).or_insert(0) += 1;
                    first.get_or_insert(seed);
                }
            }
            if let Some(first) = first {
                println!("   {:20} first {first:3} {finders:?}", scenario.name);
            }
        }
    }
}
