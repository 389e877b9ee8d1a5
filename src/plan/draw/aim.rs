//! Protocol points as targets: where each is reached, and which classes of faults may be aimed at it.

use strum::IntoEnumIterator as _;

use super::repertoire::Repertoire;
use crate::plan::fault_class::FaultClass;
use crate::protocol::SubtaskId;
use crate::trace::Point;

/// A place in a run that a fault is aimed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Aim {
    /// The kind of event.
    pub point: Point,
    /// Of which subtask; none: of any.
    pub subtask: Option<SubtaskId>,
    /// Which of those that match, from 1.
    pub occurrence: u32,
}

/// Where a protocol point is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// In a worker.
    Worker,
    /// In the coordinator.
    Coordinator,
    /// In a store, the source log or the sink target.
    Service,
}

impl Home {
    /// Where `point` is reached; none for what no fault is aimed at: what tells of the run or of faults.
    #[must_use]
    #[rustfmt::skip]
    pub fn of(point: Point) -> Option<Self> {
        use Point as P;
        match point {
            P::RunStarted | P::FaultsEnded | P::JobFinished | P::OutputHeld => None,
            P::Crashed | P::Restarted | P::Paused | P::Resumed | P::Disconnected | P::Healed
            | P::MessageDropped | P::MessageDelayed | P::MessageDuplicated | P::MessageReordered
            | P::Zombified | P::ZombieEnded | P::Held | P::Released | P::HalfOpened
            | P::ConnectionReset | P::ElementLost | P::ClockChanged | P::StoreTroubled
            | P::StoreRecovered | P::ObjectDestroyed | P::SinkTroubled | P::SinkRecovered
            | P::SplitIdle | P::SplitResumed | P::SplitAppeared | P::SplitRemoved | P::MessageRedelivered => None,
            P::BarrierOvertook | P::Replayed | P::RecordCut | P::AlignmentOvertaken
            | P::ChannelStateCaptured | P::ChannelStateDealt | P::ChannelStateRestored => Some(Home::Worker),
            P::Read | P::Sent | P::Received | P::BarrierSent | P::BarrierReceived | P::CancelSent
            | P::CancelReceived | P::EndSent | P::EndReceived | P::ChannelBlocked
            | P::ChannelUnblocked | P::Restored | P::AlignmentStarted | P::AlignmentCompleted
            | P::AlignmentAborted | P::SnapshotTaken | P::SnapshotDurable | P::Acknowledged
            | P::Declined | P::CompletionLearned | P::AbortLearned | P::SubtaskEnded
            | P::SubtaskFailed | P::CommitRequested | P::TimeRestored | P::WatermarkAdvanced
            | P::WatermarkSent | P::WatermarkReceived | P::TimerRegistered | P::TimerDeleted
            | P::TimerFired | P::DroppedLate | P::SplitRequested | P::SplitAccepted
            | P::SplitReleased => Some(Home::Worker),
            P::LeadershipTaken | P::AttemptStarted | P::AttemptRunning | P::AttemptFailed
            | P::Triggered | P::AcknowledgementCounted | P::AcknowledgementIgnored | P::Assembled
            | P::Completed | P::CompletionNotified | P::Aborted | P::Discarded | P::SplitAssigned
            | P::SplitsExhausted | P::SplitsReturned | P::EnumeratorSnapshot | P::SplitDiscovered | P::SplitsKnown
            | P::EnumeratorRestored | P::GatewayClosed | P::GatewayReopened
            | P::SavepointTriggered | P::SavepointCompleted | P::JobStopped | P::JobResumed
            | P::RequestRefused | P::RescaleRequested | P::RescaleRefused | P::RescaleStarted | P::Reshaped => {
                Some(Home::Coordinator)
            }
            P::ObjectStored | P::ObjectRefused | P::ObjectDeleted | P::RecordWritten
            | P::RecordRefused | P::OffsetCommitted | P::ProducersFenced | P::ProducerRefused
            | P::TransactionOpened | P::TransactionPrepared | P::TransactionCommitted
            | P::TransactionAborted | P::OutputWritten | P::OutputShown
            | P::OutputHidden | P::OutputExpired => Some(Home::Service),
        }
    }
}

/// All points of these runs that a fault may be aimed at, in order.
pub fn points(repertoire: Repertoire) -> impl Iterator<Item = Point> {
    Point::iter().filter(move |point| Home::of(*point).is_some() && repertoire.has(*point))
}

/// Whether a fault that is aimed at `point` can be of this class.
///
/// A crash at a point of recovery is a crash in recovery, whoever dies; a clock that is off from the
/// beginning is off before any point.
#[must_use]
pub fn can_aim(class: FaultClass, point: Point) -> bool {
    let is_recovery = point.begins_recovery();
    Home::of(point).is_some()
        && match class {
            FaultClass::CrashWorker | FaultClass::CrashCoordinator | FaultClass::CrashAgain => {
                !is_recovery
            }
            FaultClass::CrashInRecovery => is_recovery,
            FaultClass::ClockOffset => false,
            _ => true,
        }
}

/// Points at which a crash shortly after a restart comes before the next checkpoint completes.
pub const BEFORE_COMPLETION: &[Point] = &[
    Point::AttemptRunning,
    Point::Read,
    Point::Sent,
    Point::Received,
    Point::CommitRequested,
    Point::TransactionOpened,
    Point::Triggered,
    Point::BarrierSent,
    Point::BarrierReceived,
    Point::AlignmentStarted,
    Point::AlignmentCompleted,
    Point::SnapshotTaken,
    Point::ObjectStored,
    Point::TransactionPrepared,
    Point::SnapshotDurable,
    Point::Acknowledged,
    Point::AcknowledgementCounted,
    Point::Assembled,
];

/// Points between the start of an attempt and its running.
pub const RECOVERY: &[Point] = &[Point::LeadershipTaken, Point::AttemptStarted, Point::Restored];

/// How many doublings lie between the first occurrence of a step of a checkpoint and the last that is aimed at.
pub const DOUBLINGS: u64 = 5;

/// How many doublings lie between the first occurrence of a point and the last at which a fault is
/// aimed: points per record are reached by the thousand, steps of a checkpoint by the dozen, and the
/// ends of things once or twice.
#[must_use]
pub fn doublings(point: Point) -> u64 {
    match point {
        Point::Read | Point::Sent | Point::Received => 10,
        Point::LeadershipTaken
        | Point::AttemptStarted
        | Point::AttemptRunning
        | Point::AttemptFailed
        | Point::SubtaskFailed => 2,
        Point::Restored
        | Point::ProducersFenced
        | Point::EndSent
        | Point::EndReceived
        | Point::SubtaskEnded
        | Point::RecordRefused
        | Point::ProducerRefused
        | Point::ObjectRefused
        | Point::AcknowledgementIgnored
        | Point::Declined => 3,
        _ => DOUBLINGS,
    }
}
