//! How much an event has to say for a diagram.

use super::focus::Focus;
use crate::protocol::{CheckpointId, ObjectKey};
use crate::trace::Event;

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

fn kind(event: &Event, focus: &Focus) -> Kind {
    match event {
        Event::RunStarted(_)
        | Event::Read { .. }
        | Event::Sent { .. }
        | Event::Received { .. }
        | Event::Replayed { .. }
        | Event::WatermarkSent { .. }
        | Event::WatermarkReceived { .. }
        | Event::TimerRegistered { .. }
        | Event::TimerDeleted { .. } => Kind::Record,
        Event::BarrierSent { checkpoint, .. }
        | Event::BarrierReceived { checkpoint, .. }
        | Event::BarrierOvertook { checkpoint, .. }
        | Event::AlignmentOvertaken { checkpoint, .. }
        | Event::RecordCut { checkpoint, .. }
        | Event::CancelSent { checkpoint, .. }
        | Event::CancelReceived { checkpoint, .. }
        | Event::ChannelBlocked { checkpoint, .. }
        | Event::AlignmentCompleted { checkpoint, .. }
        | Event::AlignmentAborted { checkpoint, .. }
        | Event::CompletionLearned { checkpoint, .. }
        | Event::AbortLearned { checkpoint, .. }
        | Event::CommitRequested { checkpoint, .. } => Kind::Marker(*checkpoint),
        Event::Acknowledged { checkpoint, .. }
        | Event::AcknowledgementCounted { checkpoint, .. }
        | Event::AcknowledgementIgnored { checkpoint, .. }
        | Event::Assembled { checkpoint, .. }
        | Event::CompletionNotified { checkpoint, .. } => Kind::Cut(*checkpoint),
        Event::SnapshotTaken(taken) => Kind::Cut(taken.checkpoint),
        Event::ChannelStateCaptured(captured) => Kind::Cut(captured.checkpoint),
        Event::ChannelStateDealt(dealt) => Kind::Detail(Some(dealt.checkpoint)),
        Event::ChannelStateRestored(restored) => Kind::Detail(Some(restored.checkpoint)),
        Event::Restored(restored) => match restored.checkpoint {
            Some(checkpoint) if focus.checkpoint == Some(checkpoint) => Kind::Cut(checkpoint),
            checkpoint => Kind::Detail(checkpoint),
        },
        Event::Triggered { checkpoint, .. }
        | Event::Declined { checkpoint, .. }
        | Event::Completed { checkpoint, .. }
        | Event::Aborted { checkpoint, .. }
        | Event::SavepointTriggered { checkpoint, .. }
        | Event::SavepointCompleted { checkpoint, .. }
        | Event::JobStopped { checkpoint, .. }
        | Event::JobResumed { checkpoint }
        | Event::Discarded { checkpoint } => Kind::Outline(*checkpoint),
        Event::AlignmentStarted { checkpoint, .. }
        | Event::ChannelUnblocked { checkpoint, .. }
        | Event::SnapshotDurable { checkpoint, .. } => Kind::Detail(Some(*checkpoint)),
        Event::ObjectStored { key, .. }
        | Event::ObjectRefused { key }
        | Event::ObjectDeleted { key } => Kind::Detail(Some(checkpoint_of(*key))),
        Event::TransactionPrepared { transaction, .. }
        | Event::TransactionCommitted { transaction, .. }
        | Event::TransactionAborted { transaction } => {
            match focus.checkpoint.filter(|_| focus.transactions.contains(transaction)) {
                Some(checkpoint) => Kind::Marker(checkpoint),
                None => Kind::Detail(None),
            }
        }
        Event::EnumeratorSnapshot { checkpoint, .. } => Kind::Cut(*checkpoint),
        Event::GatewayClosed { checkpoint, .. } | Event::GatewayReopened { checkpoint, .. } => {
            Kind::Marker(*checkpoint)
        }
        _ => kind_of_step(event),
    }
}

/// What belongs to no checkpoint.
fn kind_of_step(event: &Event) -> Kind {
    match event {
        Event::SplitRequested { .. }
        | Event::SplitAssigned { .. }
        | Event::SplitAccepted { .. }
        | Event::SplitsExhausted { .. }
        | Event::EnumeratorRestored { .. }
        | Event::EndSent { .. }
        | Event::EndReceived { .. }
        | Event::SubtaskEnded { .. }
        | Event::RecordWritten { .. }
        | Event::OffsetCommitted { .. }
        | Event::ProducersFenced { .. }
        | Event::TransactionOpened { .. }
        | Event::OutputWritten { .. }
        | Event::OutputShown { .. }
        | Event::OutputHidden { .. }
        | Event::OutputExpired { .. }
        | Event::OutputHeld(_)
        | Event::TimeRestored { .. }
        | Event::WatermarkAdvanced { .. }
        | Event::TimerFired { .. }
        | Event::DroppedLate { .. } => Kind::Detail(None),
        _ => kind_of_trouble(event),
    }
}

/// Faults and what they lead to: each tells why something else went as it did.
fn kind_of_trouble(event: &Event) -> Kind {
    match event {
        Event::StoreRecovered { .. } | Event::SinkRecovered | Event::SplitResumed { .. } => {
            Kind::Detail(None)
        }
        _ => Kind::Story,
    }
}

fn checkpoint_of(key: ObjectKey) -> CheckpointId {
    match key {
        ObjectKey::Snapshot { checkpoint, .. }
        | ObjectKey::Metadata { checkpoint }
        | ObjectKey::Savepoint { checkpoint } => checkpoint,
    }
}
