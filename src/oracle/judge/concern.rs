//! Whom an event concerns that is not per record.

use crate::protocol::ProcessId;
use crate::trace::{Event, Point};

/// Whom an event concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Concern {
    Run,
    Channel,
    Subtask,
    Time,
    Coordinator,
    Savepoints,
    Splits,
    Outside,
    Nobody,
}

/// Exhaustive, so that a new event must be thought of.
#[rustfmt::skip]
pub(super) fn concern(event: &Event) -> Concern {
    use Event as E;
    match event {
        E::RunStarted(_) | E::FaultsEnded | E::Zombified { .. } | E::ZombieEnded { .. } => Concern::Run,
        E::BarrierSent { .. } | E::BarrierReceived { .. } | E::CancelSent { .. }
        | E::CancelReceived { .. } | E::EndSent { .. } | E::EndReceived { .. }
        | E::BarrierOvertook { .. } | E::Replayed { .. }
        | E::ChannelBlocked { .. } | E::ChannelUnblocked { .. } => Concern::Channel,
        E::Restored(_) | E::AlignmentStarted { .. } | E::AlignmentAborted { .. }
        | E::AlignmentOvertaken { .. } | E::ChannelStateCaptured(_) | E::ChannelStateDealt(_)
        | E::ChannelStateRestored(_)
        | E::SnapshotTaken(_) | E::Acknowledged { .. } | E::CompletionLearned { .. }
        | E::SubtaskFailed { .. } | E::AbortLearned { .. } => Concern::Subtask,
        E::TimeRestored { .. } | E::WatermarkAdvanced { .. } | E::WatermarkSent { .. }
        | E::WatermarkReceived { .. } | E::TimerRegistered { .. } | E::TimerDeleted { .. }
        | E::TimerFired { .. } | E::DroppedLate { .. } => Concern::Time,
        E::RescaleRequested { .. } | E::RescaleStarted { .. }
        | E::Reshaped { .. } => Concern::Coordinator,
        E::LeadershipTaken { .. } | E::AttemptStarted { .. } | E::AttemptRunning { .. }
        | E::AttemptFailed { .. } | E::Triggered { .. } | E::AcknowledgementCounted { .. }
        | E::Assembled { .. } | E::Completed { .. } | E::CompletionNotified { .. }
        | E::Aborted { .. } | E::Discarded { .. } | E::JobFinished { .. } => Concern::Coordinator,
        E::SavepointTriggered { .. } | E::SavepointCompleted { .. } | E::JobStopped { .. }
        | E::JobResumed { .. } => Concern::Savepoints,
        E::SplitAppeared { .. } | E::SplitDiscovered { .. } | E::SplitsKnown { .. } | E::SplitReleased { .. }
        | E::SplitRemoved { .. } | E::SplitAssigned { .. } | E::SplitAccepted { .. } | E::EnumeratorSnapshot { .. }
        | E::EnumeratorRestored { .. } => Concern::Splits,
        E::ObjectStored { .. } | E::ObjectDeleted { .. } | E::ObjectDestroyed { .. }
        | E::StoreTroubled { .. } | E::StoreRecovered { .. }
        | E::SinkTroubled { .. } | E::SinkRecovered | E::RecordWritten { .. }
        | E::OffsetCommitted { .. } | E::ProducersFenced { .. } | E::TransactionOpened { .. }
        | E::TransactionPrepared { .. } | E::CommitRequested { .. }
        | E::TransactionCommitted { .. } | E::TransactionAborted { .. } | E::OutputWritten { .. }
        | E::OutputShown { .. } | E::OutputHidden { .. } | E::OutputExpired { .. } | E::OutputHeld(_)
        | E::ClockChanged { process: ProcessId::SinkTarget, .. } => Concern::Outside,
        E::Sent { .. } | E::Received { .. } | E::Read { .. } | E::Crashed { .. }
        | E::Restarted { .. } | E::Paused { .. } | E::Resumed { .. } | E::Disconnected { .. }
        | E::Healed { .. } | E::MessageDropped { .. } | E::MessageDelayed { .. }
        | E::MessageDuplicated { .. } | E::MessageReordered { .. } | E::Held { .. }
        | E::Released { .. } | E::HalfOpened { .. } | E::ConnectionReset { .. }
        | E::ElementLost { .. } | E::ClockChanged { .. } | E::SplitIdle { .. } | E::SplitResumed { .. } | E::MessageRedelivered { .. }
        | E::RecordCut { .. } | E::AlignmentCompleted { .. } | E::SnapshotDurable { .. } | E::Declined { .. }
        | E::SubtaskEnded { .. } | E::AcknowledgementIgnored { .. }
        | E::RequestRefused { .. } | E::RescaleRefused { .. }
        | E::SplitRequested { .. } | E::SplitsExhausted { .. } | E::SplitsReturned { .. }
        | E::GatewayClosed { .. } | E::GatewayReopened { .. }
        | E::ObjectRefused { .. } | E::RecordRefused { .. } | E::ProducerRefused { .. } => Concern::Nobody,
    }
}

/// An event that concerns somebody, and of which nobody was told: [`concern`] promises an arm that is missing.
///
/// That is a mistake in the judge and not in the trace, so it fails the tests, all of which judge their runs.
#[cold]
pub(super) fn forgotten(event: &Event) {
    debug_assert!(false, "no oracle is told of {}, which concerns some", Point::from(event));
}
