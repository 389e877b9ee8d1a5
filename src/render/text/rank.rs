//! How much an event has to say for a diagram.

use super::focus::Focus;
use crate::protocol::CheckpointId;
use crate::trace::{Event, Point};

/// What kind of thing an event tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A record moves, or the run begins; counted, not told.
    Record,
    /// The engine's housekeeping.
    Detail(Option<CheckpointId>),
    /// A checkpoint begins or ends.
    Outline(CheckpointId),
    /// A subtask joins the cut, or is known to have.
    Cut(CheckpointId),
    /// A marker moves.
    Marker(CheckpointId),
    /// A fault, a restart, the end.
    Story,
}

/// How early an event is left out when there is no room: the later in this order, the earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// It is what the diagram is there for.
    Marked,
    /// It is about the checkpoint, and the subtask or channel that stands out.
    Concerned,
    /// It is the checkpoint's beginning, cut or end, or a fault since its beginning.
    Central,
    /// It is another step of the checkpoint.
    Step,
    /// A fault or a restart from before.
    Story,
    /// Another checkpoint's beginning or end.
    Outline,
    /// Housekeeping of the checkpoint.
    Detail,
    /// All else.
    Rest,
}

impl Rank {
    /// The rank of an event; none where it is only counted.
    pub fn of(number: u64, event: &Event, focus: &Focus) -> Option<Self> {
        if focus.event() == Some(number) || focus.carries(event) {
            return Some(Self::Marked);
        }
        let about = |checkpoint: CheckpointId| focus.checkpoint == Some(checkpoint);
        let is_concerned = || focus.concerns(event);
        Some(match kind(event, focus) {
            Kind::Record => return None,
            Kind::Detail(Some(checkpoint)) if about(checkpoint) => Self::Detail,
            Kind::Detail(_) => Self::Rest,
            Kind::Outline(checkpoint) if about(checkpoint) => Self::Central,
            Kind::Outline(_) => Self::Outline,
            Kind::Cut(checkpoint) if about(checkpoint) && is_concerned() => Self::Concerned,
            Kind::Cut(checkpoint) if about(checkpoint) => Self::Central,
            Kind::Marker(checkpoint) if about(checkpoint) && is_concerned() => Self::Concerned,
            Kind::Marker(checkpoint) if about(checkpoint) => Self::Step,
            Kind::Cut(_) | Kind::Marker(_) => Self::Rest,
            Kind::Story if number >= focus.since => Self::Central,
            Kind::Story => Self::Story,
        })
    }
}

/// What an event tells, as far as its point says.
#[derive(Clone, Copy)]
enum Level {
    Record,
    Detail,
    Outline,
    Cut,
    Marker,
    Story,
}

/// Exhaustive: of each kind of event it is decided how much it has to say.
#[rustfmt::skip]
const fn level(point: Point) -> Level {
    use Point as P;
    match point {
        P::RunStarted | P::Read | P::Sent | P::Received | P::Replayed | P::WatermarkSent | P::WatermarkReceived
        | P::TimerRegistered | P::TimerDeleted => Level::Record,
        P::BarrierSent | P::BarrierReceived | P::BarrierOvertook | P::AlignmentOvertaken | P::RecordCut | P::CancelSent
        | P::CancelReceived | P::ChannelBlocked | P::AlignmentCompleted | P::AlignmentAborted | P::CompletionLearned
        | P::AbortLearned | P::CommitRequested | P::GatewayClosed | P::GatewayReopened => Level::Marker,
        P::Acknowledged | P::AcknowledgementCounted | P::AcknowledgementIgnored | P::Assembled | P::CompletionNotified
        | P::SnapshotTaken | P::ChannelStateCaptured | P::EnumeratorSnapshot | P::SplitsKnown => Level::Cut,
        P::Triggered | P::Declined | P::Completed | P::Aborted | P::SavepointTriggered | P::SavepointCompleted
        | P::JobStopped | P::JobResumed | P::Discarded => Level::Outline,
        P::AlignmentStarted | P::ChannelUnblocked | P::SnapshotDurable | P::ObjectStored | P::ObjectRefused
        | P::ObjectDeleted | P::ChannelStateDealt | P::ChannelStateRestored | P::Restored | P::TransactionPrepared
        | P::TransactionCommitted | P::TransactionAborted | P::SplitRequested | P::SplitAssigned | P::SplitAccepted
        | P::SplitsExhausted | P::EnumeratorRestored | P::EndSent | P::EndReceived | P::SubtaskEnded | P::RecordWritten
        | P::OffsetCommitted | P::MessageRedelivered | P::ProducersFenced | P::TransactionOpened | P::OutputWritten | P::OutputShown
        | P::OutputHidden | P::OutputExpired | P::OutputHeld | P::TimeRestored | P::WatermarkAdvanced | P::TimerFired
        | P::DroppedLate | P::SplitAppeared | P::SplitDiscovered | P::SplitReleased | P::SplitRemoved
        | P::StoreRecovered | P::SinkRecovered | P::SplitResumed => Level::Detail,
        P::FaultsEnded | P::Crashed | P::Restarted | P::Paused | P::Resumed | P::Disconnected | P::Healed
        | P::MessageDropped | P::MessageDelayed | P::MessageDuplicated | P::MessageReordered | P::Zombified
        | P::ZombieEnded | P::Held | P::Released | P::HalfOpened | P::ConnectionReset | P::ElementLost | P::ClockChanged
        | P::StoreTroubled | P::ObjectDestroyed | P::SinkTroubled | P::SplitIdle | P::SubtaskFailed | P::LeadershipTaken
        | P::RescaleRequested | P::RescaleRefused | P::RescaleStarted | P::Reshaped | P::AttemptStarted
        | P::AttemptRunning | P::AttemptFailed | P::JobFinished | P::RequestRefused | P::SplitsReturned
        | P::RecordRefused | P::ProducerRefused => Level::Story,
    }
}

fn kind(event: &Event, focus: &Focus) -> Kind {
    if let Some(checkpoint) = committed_by(event, focus) {
        return Kind::Marker(checkpoint);
    }
    let checkpoint = event.about().checkpoint;
    let begins_from_it = matches!(event, Event::Restored(_)) && checkpoint == focus.checkpoint;
    match (level(Point::from(event)), checkpoint) {
        (Level::Record, _) => Kind::Record,
        (Level::Story, _) => Kind::Story,
        (Level::Marker, Some(checkpoint)) => Kind::Marker(checkpoint),
        (Level::Cut, Some(checkpoint)) => Kind::Cut(checkpoint),
        (Level::Outline, Some(checkpoint)) => Kind::Outline(checkpoint),
        (Level::Detail, Some(checkpoint)) if begins_from_it => Kind::Cut(checkpoint),
        (Level::Detail | Level::Marker | Level::Cut | Level::Outline, checkpoint) => {
            Kind::Detail(checkpoint)
        }
    }
}

/// The checkpoint that the diagram is about, where the event is about a transaction that this one commits.
fn committed_by(event: &Event, focus: &Focus) -> Option<CheckpointId> {
    let (Event::TransactionPrepared { transaction, .. }
    | Event::TransactionCommitted { transaction, .. }
    | Event::TransactionAborted { transaction }) = event
    else {
        return None;
    };
    focus.checkpoint.filter(|_| focus.transactions.contains(transaction))
}
