//! What an event is about, told once for all: where it happened, in which attempt, for which checkpoint, with
//! which record. Every match names every event, so that a new one has its place before it compiles.

use super::contents::OutputRecord;
use super::event::{Event, Point};
use cutwater_protocol::{
    Attempt, ChannelId, CheckpointId, LineageId, ObjectKey, SubtaskId, TransactionId,
};

/// Which part of the job an event is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// The sender of a channel put something into it.
    Into(ChannelId),
    /// The receiver of a channel took something out of it, or its gate did something to the channel.
    OutOf(ChannelId),
    /// A channel, seen from outside.
    Channel(ChannelId),
    /// A subtask did this, or it happened to it, where the subtask lives.
    Within(SubtaskId),
    /// Somebody else did something that concerns a subtask.
    Concerning(SubtaskId),
    /// No part of the job.
    #[default]
    Elsewhere,
}

/// The records that an event moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Carried<'a> {
    /// None, or none that is named.
    #[default]
    Nothing,
    /// This one.
    Record(LineageId),
    /// These become visible.
    Output(&'a [OutputRecord]),
}

/// What an event is about, as far as it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct About<'a> {
    /// Which part of the job.
    pub place: Place,
    /// In which attempt; of a transaction or a snapshot, the one that made it.
    pub attempt: Option<Attempt>,
    /// For which checkpoint or savepoint.
    pub checkpoint: Option<CheckpointId>,
    /// With which records.
    pub carried: Carried<'a>,
}

impl<'a> About<'a> {
    fn at(place: Place, attempt: Attempt) -> Self {
        Self { place, attempt: Some(attempt), ..Self::default() }
    }

    fn of_attempt(attempt: Attempt) -> Self {
        Self::at(Place::Elsewhere, attempt)
    }

    fn of_transaction(transaction: TransactionId) -> Self {
        Self::at(Place::Concerning(transaction.sink), transaction.attempt)
    }

    fn of_object(key: ObjectKey) -> Self {
        match key {
            ObjectKey::Snapshot { attempt, checkpoint, .. } => {
                Self::of_attempt(attempt).in_checkpoint(checkpoint)
            }
            ObjectKey::Metadata { checkpoint } | ObjectKey::Savepoint { checkpoint } => {
                Self::default().in_checkpoint(checkpoint)
            }
        }
    }

    fn in_checkpoint(self, checkpoint: CheckpointId) -> Self {
        Self { checkpoint: Some(checkpoint), ..self }
    }

    fn with(self, lineage: LineageId) -> Self {
        Self { carried: Carried::Record(lineage), ..self }
    }

    fn showing(self, records: &'a [OutputRecord]) -> Self {
        Self { carried: Carried::Output(records), ..self }
    }
}

impl Event {
    /// What it is about.
    #[must_use]
    #[rustfmt::skip]
    pub fn about(&self) -> About<'_> {
        use Event as E;
        match self {
            E::Sent { channel, attempt, lineage, .. } => About::at(Place::Into(*channel), *attempt).with(*lineage),
            E::Received { channel, attempt, lineage, .. } | E::Replayed { channel, attempt, lineage } =>
                About::at(Place::OutOf(*channel), *attempt).with(*lineage),
            E::BarrierSent { channel, attempt, checkpoint, .. } | E::CancelSent { channel, attempt, checkpoint, .. } =>
                About::at(Place::Into(*channel), *attempt).in_checkpoint(*checkpoint),
            E::BarrierReceived { channel, attempt, checkpoint, .. } | E::BarrierOvertook { channel, attempt, checkpoint, .. }
            | E::RecordCut { channel, attempt, checkpoint } | E::CancelReceived { channel, attempt, checkpoint, .. }
            | E::ChannelBlocked { channel, attempt, checkpoint } | E::ChannelUnblocked { channel, attempt, checkpoint } =>
                About::at(Place::OutOf(*channel), *attempt).in_checkpoint(*checkpoint),
            E::EndSent { channel, attempt, .. } | E::WatermarkSent { channel, attempt, .. } => About::at(Place::Into(*channel), *attempt),
            E::EndReceived { channel, attempt, .. } | E::WatermarkReceived { channel, attempt, .. } =>
                About::at(Place::OutOf(*channel), *attempt),
            E::ElementLost { channel } => About { place: Place::Channel(*channel), ..About::default() },
            E::Read { subtask, attempt, lineage, .. } | E::DroppedLate { subtask, attempt, lineage, .. } =>
                About::at(Place::Within(*subtask), *attempt).with(*lineage),
            E::AlignmentStarted { subtask, attempt, checkpoint } | E::AlignmentCompleted { subtask, attempt, checkpoint }
            | E::AlignmentOvertaken { subtask, attempt, checkpoint } | E::AlignmentAborted { subtask, attempt, checkpoint }
            | E::SnapshotDurable { subtask, attempt, checkpoint } | E::Acknowledged { subtask, attempt, checkpoint }
            | E::Declined { subtask, attempt, checkpoint } | E::CompletionLearned { subtask, attempt, checkpoint, .. }
            | E::AbortLearned { subtask, attempt, checkpoint } | E::SplitReleased { subtask, attempt, checkpoint, .. } =>
                About::at(Place::Within(*subtask), *attempt).in_checkpoint(*checkpoint),
            E::SnapshotTaken(taken) => About::at(Place::Within(taken.subtask), taken.attempt).in_checkpoint(taken.checkpoint),
            E::ChannelStateCaptured(own) => About::at(Place::Within(own.subtask), own.attempt).in_checkpoint(own.checkpoint),
            E::ChannelStateDealt(own) => About::at(Place::Within(own.subtask), own.attempt).in_checkpoint(own.checkpoint),
            E::ChannelStateRestored(own) => About::at(Place::Within(own.subtask), own.attempt).in_checkpoint(own.checkpoint),
            E::Restored(own) => About { checkpoint: own.checkpoint, ..About::at(Place::Within(own.subtask), own.attempt) },
            E::SubtaskEnded { subtask, attempt } | E::SubtaskFailed { subtask, attempt, .. }
            | E::TimeRestored { subtask, attempt, .. } | E::WatermarkAdvanced { subtask, attempt, .. }
            | E::TimerRegistered { subtask, attempt, .. } | E::TimerDeleted { subtask, attempt, .. }
            | E::TimerFired { subtask, attempt, .. } | E::SplitRequested { subtask, attempt }
            | E::SplitAccepted { subtask, attempt, .. } => About::at(Place::Within(*subtask), *attempt),
            E::SplitAssigned { subtask, attempt, .. } | E::SplitsExhausted { subtask, attempt }
            | E::SplitsReturned { subtask, attempt, .. } | E::ProducersFenced { sink: subtask, attempt } =>
                About::at(Place::Concerning(*subtask), *attempt),
            E::AcknowledgementCounted { subtask, from_attempt: attempt, checkpoint }
            | E::AcknowledgementIgnored { subtask, from_attempt: attempt, checkpoint }
            | E::GatewayClosed { subtask, attempt, checkpoint } | E::GatewayReopened { subtask, attempt, checkpoint } =>
                About::at(Place::Concerning(*subtask), *attempt).in_checkpoint(*checkpoint),
            E::CommitRequested { transaction, checkpoint } => About::of_transaction(*transaction).in_checkpoint(*checkpoint),
            E::TransactionCommitted { transaction, records } => About::of_transaction(*transaction).showing(records),
            E::ProducerRefused { transaction } | E::TransactionOpened { transaction }
            | E::TransactionPrepared { transaction, .. } | E::TransactionAborted { transaction } => About::of_transaction(*transaction),
            E::OutputWritten { sink, records } => About { place: Place::Concerning(*sink), ..About::default() }.showing(records),
            E::OutputShown { records, .. } | E::OutputHidden { records, .. } | E::OutputExpired { records, .. } => About::default().showing(records),
            E::OutputHeld(held) => About::default().showing(&held.records),
            E::RunStarted(_) | E::FaultsEnded | E::Crashed { .. } | E::Restarted { .. } | E::Paused { .. } | E::Resumed { .. }
            | E::Disconnected { .. } | E::Healed { .. } | E::MessageDropped { .. } | E::MessageDelayed { .. }
            | E::MessageDuplicated { .. } | E::MessageReordered { .. } | E::Zombified { .. } | E::ZombieEnded { .. }
            | E::Held { .. } | E::Released { .. } | E::HalfOpened { .. } | E::ConnectionReset { .. } | E::ClockChanged { .. }
            | E::StoreTroubled { .. } | E::StoreRecovered { .. } | E::SinkTroubled { .. } | E::SinkRecovered | E::SplitIdle { .. }
            | E::SplitResumed { .. } | E::RescaleRefused { .. } | E::RequestRefused { .. } | E::LeadershipTaken { .. }
            | E::RecordWritten { .. } | E::RecordRefused { .. } | E::OffsetCommitted { .. } | E::MessageRedelivered { .. }
            | E::SplitAppeared { .. } | E::SplitRemoved { .. } => About::default(),
            E::RescaleRequested { attempt, .. } | E::RescaleStarted { attempt, .. } | E::Reshaped { attempt, .. }
            | E::AttemptStarted { attempt, .. } | E::AttemptRunning { attempt } | E::AttemptFailed { attempt, .. }
            | E::JobFinished { attempt } | E::EnumeratorRestored { attempt, .. } | E::SplitDiscovered { attempt, .. } => About::of_attempt(*attempt),
            E::Triggered { attempt, checkpoint } | E::Completed { attempt, checkpoint }
            | E::CompletionNotified { attempt, checkpoint } | E::Aborted { attempt, checkpoint, .. }
            | E::SavepointTriggered { attempt, checkpoint, .. } | E::SavepointCompleted { attempt, checkpoint, .. }
            | E::JobStopped { attempt, checkpoint, .. } | E::EnumeratorSnapshot { attempt, checkpoint, .. } | E::SplitsKnown { attempt, checkpoint, .. } =>
                About::of_attempt(*attempt).in_checkpoint(*checkpoint),
            E::Assembled { checkpoint, .. } | E::Discarded { checkpoint } | E::JobResumed { checkpoint } =>
                About::default().in_checkpoint(*checkpoint),
            E::ObjectStored { key, .. } | E::ObjectRefused { key } | E::ObjectDeleted { key } | E::ObjectDestroyed { key } =>
                About::of_object(*key),
        }
    }
}

/// Parts of [`Event::about`], for whoever asks for one of them.
impl Event {
    /// Which subtask it is about, if it is about one.
    #[must_use]
    pub fn subtask(&self) -> Option<SubtaskId> {
        match self.about().place {
            Place::Within(subtask) | Place::Concerning(subtask) => Some(subtask),
            Place::Into(_) | Place::OutOf(_) | Place::Channel(_) | Place::Elsewhere => None,
        }
    }

    /// Which channel it is about, if it is about one.
    #[must_use]
    pub fn channel(&self) -> Option<ChannelId> {
        match self.about().place {
            Place::Into(channel) | Place::OutOf(channel) | Place::Channel(channel) => Some(channel),
            Place::Within(_) | Place::Concerning(_) | Place::Elsewhere => None,
        }
    }

    /// In which attempt it happened, where it says so.
    #[must_use]
    pub fn attempt(&self) -> Option<Attempt> {
        self.about().attempt
    }
}

/// What a kind of event tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// The run itself.
    Run,
    /// Faults that strike or end, and not the system.
    Fault,
    /// Records and markers in channels.
    Channel,
    /// Subtasks, what they read, and their snapshots.
    Subtask,
    /// Event time, which a trace tells of only where it is observed.
    Time,
    /// The coordinator.
    Coordinator,
    /// Sources with an enumerator.
    Enumerator,
    /// Stores and the source log.
    Store,
    /// The sink target, and who writes to it.
    Sink,
}

impl Point {
    /// What it tells of.
    #[must_use]
    #[rustfmt::skip]
    pub const fn family(self) -> Family {
        use Point as P;
        match self {
            P::RunStarted => Family::Run,
            P::FaultsEnded | P::Crashed | P::Restarted | P::Paused | P::Resumed | P::Disconnected | P::Healed
            | P::MessageDropped | P::MessageDelayed | P::MessageDuplicated | P::MessageReordered | P::Zombified
            | P::ZombieEnded | P::Held | P::Released | P::HalfOpened | P::ConnectionReset | P::ElementLost
            | P::ClockChanged | P::StoreTroubled | P::StoreRecovered | P::ObjectDestroyed | P::SinkTroubled
            | P::SinkRecovered | P::SplitIdle | P::SplitResumed => Family::Fault,
            P::Sent | P::Received | P::BarrierSent | P::BarrierReceived | P::BarrierOvertook | P::Replayed
            | P::RecordCut | P::CancelSent | P::CancelReceived | P::EndSent | P::EndReceived | P::ChannelBlocked
            | P::ChannelUnblocked => Family::Channel,
            P::Read | P::Restored | P::AlignmentStarted | P::AlignmentCompleted | P::AlignmentOvertaken | P::AlignmentAborted
            | P::SnapshotTaken | P::ChannelStateCaptured | P::ChannelStateDealt | P::ChannelStateRestored
            | P::SnapshotDurable | P::Acknowledged | P::Declined | P::CompletionLearned | P::AbortLearned
            | P::SubtaskEnded | P::SubtaskFailed => Family::Subtask,
            P::TimeRestored | P::WatermarkAdvanced | P::WatermarkSent | P::WatermarkReceived | P::TimerRegistered
            | P::TimerDeleted | P::TimerFired | P::DroppedLate => Family::Time,
            P::LeadershipTaken | P::RescaleRequested | P::RescaleRefused | P::RescaleStarted | P::Reshaped
            | P::AttemptStarted | P::AttemptRunning | P::AttemptFailed | P::Triggered | P::AcknowledgementCounted
            | P::AcknowledgementIgnored | P::Assembled | P::Completed | P::CompletionNotified | P::Aborted
            | P::Discarded | P::JobFinished | P::SavepointTriggered | P::SavepointCompleted | P::JobStopped
            | P::JobResumed | P::RequestRefused => Family::Coordinator,
            P::SplitAppeared | P::SplitDiscovered | P::SplitsKnown | P::SplitReleased | P::SplitRemoved
            | P::SplitRequested | P::SplitAssigned | P::SplitAccepted | P::SplitsExhausted | P::SplitsReturned
            | P::EnumeratorSnapshot | P::EnumeratorRestored | P::GatewayClosed | P::GatewayReopened => Family::Enumerator,
            P::ObjectStored | P::ObjectRefused | P::ObjectDeleted | P::RecordWritten | P::RecordRefused
            | P::OffsetCommitted | P::MessageRedelivered => Family::Store,
            P::ProducersFenced | P::ProducerRefused | P::TransactionOpened | P::TransactionPrepared
            | P::CommitRequested | P::TransactionCommitted | P::TransactionAborted | P::OutputWritten
            | P::OutputShown | P::OutputHidden | P::OutputExpired | P::OutputHeld => Family::Sink,
        }
    }

    /// Whether its events name a channel, and no subtask.
    #[must_use]
    pub const fn names_channel(self) -> bool {
        match self.family() {
            Family::Channel => true,
            Family::Time => matches!(self, Self::WatermarkSent | Self::WatermarkReceived),
            Family::Fault => matches!(self, Self::ElementLost),
            Family::Run
            | Family::Subtask
            | Family::Coordinator
            | Family::Enumerator
            | Family::Store
            | Family::Sink => false,
        }
    }

    /// Whether it tells of event time, which a trace does only where that is observed.
    #[must_use]
    pub const fn tells_of_time(self) -> bool {
        matches!(self.family(), Family::Time)
    }

    /// Whether it tells of a fault that strikes or ends, and not of the system.
    #[must_use]
    pub const fn tells_of_fault(self) -> bool {
        matches!(self.family(), Family::Fault)
    }
}
