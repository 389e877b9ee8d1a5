//! From where to where the messages went that a trace tells of.

use crate::protocol::ordered::{VecMap, VecSet};
use crate::protocol::{
    Attempt, ChannelId, ChannelShape, CheckpointId, ObjectKey, ProcessId, SubtaskId, TransactionId,
};
use crate::trace::{Event, Hindrance, Place, Shapes, Stamp};

/// A message, drawn in the row of its arrival; or what became of it, in the row where that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrow {
    /// Who sent it.
    pub from: ProcessId,
    /// The receiver.
    pub to: ProcessId,
    /// How it is drawn.
    pub style: Style,
}

/// How an arrow is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// It arrived.
    Arrived,
    /// It is late, doubled or held: it has not arrived here.
    Hampered,
    /// It is lost, or nothing comes through.
    Lost,
}

/// Knows who sent what, from the events so far.
///
/// Some messages have no event of their own when they arrive: the first thing that a source does for a
/// checkpoint is what a trigger brought about.
pub struct Crossings<'a> {
    shapes: &'a Shapes,
    /// Where each subtask lived in each attempt.
    places: VecMap<(SubtaskId, Attempt), ProcessId>,
    /// Who asked for a commit last.
    commits: VecMap<TransactionId, ProcessId>,
    /// The sources that a trigger has reached.
    triggered: VecSet<(SubtaskId, Attempt, CheckpointId)>,
}

impl<'a> Crossings<'a> {
    /// Nothing is known yet.
    pub fn new(shapes: &'a Shapes) -> Self {
        let (places, commits, triggered) = (VecMap::new(), VecMap::new(), VecSet::new());
        Self { shapes, places, commits, triggered }
    }

    /// The message that led to this event, or that it is about. Events come in order.
    pub fn arrow(&mut self, stamp: Stamp, event: &Event) -> Option<Arrow> {
        self.learn(stamp, event);
        if let Some((from, to, style)) = hampered(event) {
            return Some(Arrow { from, to, style });
        }
        let from = self.sender(event)?;
        let to = stamp.process;
        (from != to).then_some(Arrow { from, to, style: Style::Arrived })
    }

    fn learn(&mut self, stamp: Stamp, event: &Event) {
        if let Some(place) = self.place(event) {
            self.places.insert(place, stamp.process);
        }
        if let Event::CommitRequested { transaction, .. } = event {
            self.commits.insert(*transaction, stamp.process);
        }
    }

    /// Which subtask of which attempt does this itself, and so lives where it happens.
    fn place(&self, event: &Event) -> Option<(SubtaskId, Attempt)> {
        let about = event.about();
        let attempt = about.attempt?;
        let subtask = match about.place {
            Place::Into(channel) => self.ends(channel, attempt)?.from,
            Place::OutOf(channel) => self.ends(channel, attempt)?.to,
            Place::Within(subtask) => subtask,
            Place::Channel(_) | Place::Concerning(_) | Place::Elsewhere => return None,
        };
        Some((subtask, attempt))
    }

    /// Who sent what led to this event; nobody where nothing that was sent did.
    #[rustfmt::skip]
    fn sender(&mut self, event: &Event) -> Option<ProcessId> {
        use Event as E;
        match event {
            E::Received { channel, attempt, .. } | E::BarrierReceived { channel, attempt, .. }
            | E::BarrierOvertook { channel, attempt, .. } | E::CancelReceived { channel, attempt, .. }
            | E::EndReceived { channel, attempt, .. } | E::WatermarkReceived { channel, attempt, .. } => {
                self.home(self.ends(*channel, *attempt)?.from, *attempt)
            }
            E::BarrierSent { channel, attempt, checkpoint, .. } => {
                let from = self.ends(*channel, *attempt)?.from;
                self.trigger(from, *attempt, *checkpoint)
            }
            E::SnapshotTaken(taken) => self.trigger(taken.subtask, taken.attempt, taken.checkpoint),
            E::AcknowledgementCounted { subtask, from_attempt: attempt, .. }
            | E::AcknowledgementIgnored { subtask, from_attempt: attempt, .. }
            | E::ProducersFenced { sink: subtask, attempt } => self.home(*subtask, *attempt),
            E::Restored(_) | E::CompletionLearned { .. } | E::AbortLearned { .. } | E::SplitAccepted { .. }
            | E::RecordWritten { .. } | E::RecordRefused { .. } => Some(ProcessId::Coordinator),
            E::SnapshotDurable { .. } => Some(ProcessId::ObjectStore),
            E::ObjectStored { key, .. } | E::ObjectRefused { key } => match key {
                ObjectKey::Snapshot { attempt, subtask, .. } => self.home(*subtask, *attempt),
                ObjectKey::Metadata { .. } | ObjectKey::Savepoint { .. } => Some(ProcessId::Coordinator),
            },
            E::TransactionCommitted { transaction, .. } => {
                let asked = self.commits.get(transaction).copied();
                asked.or_else(|| self.home(transaction.sink, transaction.attempt))
            }
            E::TransactionOpened { transaction } | E::TransactionPrepared { transaction, .. }
            | E::ProducerRefused { transaction } => self.home(transaction.sink, transaction.attempt),
            // What a process does by itself, or what the trace does not tell the sender of.
            E::RunStarted(_) | E::FaultsEnded | E::Crashed { .. } | E::Restarted { .. } | E::Paused { .. }
            | E::Resumed { .. } | E::Disconnected { .. } | E::Healed { .. } | E::MessageDropped { .. }
            | E::MessageDelayed { .. } | E::MessageDuplicated { .. } | E::MessageReordered { .. } | E::Zombified { .. }
            | E::ZombieEnded { .. } | E::Held { .. } | E::Released { .. } | E::HalfOpened { .. }
            | E::ConnectionReset { .. } | E::ElementLost { .. } | E::ClockChanged { .. } | E::StoreTroubled { .. }
            | E::StoreRecovered { .. } | E::ObjectDestroyed { .. } | E::SinkTroubled { .. } | E::SinkRecovered
            | E::SplitIdle { .. } | E::SplitResumed { .. } | E::Read { .. } | E::Sent { .. } | E::Replayed { .. }
            | E::RecordCut { .. } | E::CancelSent { .. } | E::EndSent { .. } | E::ChannelBlocked { .. }
            | E::ChannelUnblocked { .. } | E::AlignmentStarted { .. } | E::AlignmentCompleted { .. }
            | E::AlignmentOvertaken { .. } | E::AlignmentAborted { .. } | E::ChannelStateCaptured(_)
            | E::ChannelStateDealt(_) | E::ChannelStateRestored(_) | E::Acknowledged { .. } | E::Declined { .. }
            | E::SubtaskEnded { .. } | E::SubtaskFailed { .. } | E::TimeRestored { .. } | E::WatermarkAdvanced { .. }
            | E::WatermarkSent { .. } | E::TimerRegistered { .. } | E::TimerDeleted { .. } | E::TimerFired { .. }
            | E::DroppedLate { .. } | E::LeadershipTaken { .. } | E::RescaleRequested { .. } | E::RescaleRefused { .. }
            | E::RescaleStarted { .. } | E::Reshaped { .. } | E::AttemptStarted { .. } | E::AttemptRunning { .. }
            | E::AttemptFailed { .. } | E::Triggered { .. } | E::Assembled { .. } | E::Completed { .. }
            | E::CompletionNotified { .. } | E::Aborted { .. } | E::Discarded { .. } | E::JobFinished { .. }
            | E::SavepointTriggered { .. } | E::SavepointCompleted { .. } | E::JobStopped { .. } | E::JobResumed { .. }
            | E::RequestRefused { .. } | E::SplitAppeared { .. } | E::SplitDiscovered { .. } | E::SplitsKnown { .. }
            | E::SplitReleased { .. } | E::SplitRemoved { .. } | E::SplitRequested { .. } | E::SplitAssigned { .. } | E::SplitsExhausted { .. }
            | E::SplitsReturned { .. } | E::EnumeratorSnapshot { .. } | E::EnumeratorRestored { .. }
            | E::GatewayClosed { .. } | E::GatewayReopened { .. } | E::ObjectDeleted { .. } | E::OffsetCommitted { .. }
            | E::MessageRedelivered { .. }
            | E::CommitRequested { .. } | E::TransactionAborted { .. } | E::OutputWritten { .. }
            | E::OutputShown { .. } | E::OutputHidden { .. } | E::OutputExpired { .. }
            | E::OutputHeld(_) => None,
        }
    }

    fn home(&self, subtask: SubtaskId, attempt: Attempt) -> Option<ProcessId> {
        self.places.get(&(subtask, attempt)).copied()
    }

    fn ends(&self, channel: ChannelId, attempt: Attempt) -> Option<&ChannelShape> {
        self.shapes.in_attempt(attempt).channels.get(channel.index())
    }

    fn trigger(
        &mut self,
        subtask: SubtaskId,
        attempt: Attempt,
        checkpoint: CheckpointId,
    ) -> Option<ProcessId> {
        let topology = self.shapes.in_attempt(attempt);
        topology.subtasks.get(subtask.index())?;
        let is_first =
            topology.is_source(subtask) && self.triggered.insert((subtask, attempt, checkpoint));
        is_first.then_some(ProcessId::Coordinator)
    }
}

/// What a fault does to what goes from one process to another.
fn hampered(event: &Event) -> Option<(ProcessId, ProcessId, Style)> {
    let (from, to, hindrance) = event.hindrance()?;
    let style = match hindrance {
        Hindrance::Lost => Style::Lost,
        Hindrance::Hampered => Style::Hampered,
    };
    Some((from, to, style))
}
