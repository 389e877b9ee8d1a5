//! From where to where the messages went that a trace tells of.

use crate::protocol::ordered::{VecMap, VecSet};
use crate::protocol::{
    Attempt, ChannelId, CheckpointId, ObjectKey, ProcessId, SubtaskId, TransactionId,
};
use crate::trace::{Event, Shapes, Stamp};

/// A message, drawn in the row of its arrival; or what became of it, in the row where that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrow {
    /// Who sent it.
    pub from: ProcessId,
    /// To whom.
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
        match event {
            Event::Sent { channel, attempt, .. } | Event::BarrierSent { channel, attempt, .. } => {
                Some((self.sender_in(*channel, *attempt)?, *attempt))
            }
            Event::Received { channel, attempt, .. }
            | Event::BarrierReceived { channel, attempt, .. } => {
                let topology = self.shapes.in_attempt(*attempt);
                Some((topology.channels.get(channel.index())?.to, *attempt))
            }
            Event::Restored(restored) => Some((restored.subtask, restored.attempt)),
            Event::SnapshotTaken(taken) => Some((taken.subtask, taken.attempt)),
            Event::Read { subtask, attempt, .. } | Event::Acknowledged { subtask, attempt, .. } => {
                Some((*subtask, *attempt))
            }
            _ => None,
        }
    }

    fn sender(&mut self, event: &Event) -> Option<ProcessId> {
        match event {
            Event::Received { channel, attempt, .. }
            | Event::BarrierReceived { channel, attempt, .. }
            | Event::CancelReceived { channel, attempt, .. }
            | Event::EndReceived { channel, attempt, .. } => self.upstream(*channel, *attempt),
            Event::BarrierSent { channel, attempt, checkpoint, .. } => {
                let from = self.sender_in(*channel, *attempt)?;
                self.trigger(from, *attempt, *checkpoint)
            }
            Event::SnapshotTaken(taken) => {
                self.trigger(taken.subtask, taken.attempt, taken.checkpoint)
            }
            Event::AcknowledgementCounted { subtask, from_attempt, .. }
            | Event::AcknowledgementIgnored { subtask, from_attempt, .. } => {
                self.home(*subtask, *from_attempt)
            }
            Event::Restored(_) | Event::CompletionLearned { .. } | Event::AbortLearned { .. } => {
                Some(ProcessId::Coordinator)
            }
            Event::RecordWritten { .. } | Event::RecordRefused { .. } => {
                Some(ProcessId::Coordinator)
            }
            Event::SnapshotDurable { .. } => Some(ProcessId::ObjectStore),
            Event::ObjectStored { key, .. } | Event::ObjectRefused { key } => match key {
                ObjectKey::Snapshot { attempt, subtask, .. } => self.home(*subtask, *attempt),
                ObjectKey::Metadata { .. } | ObjectKey::Savepoint { .. } => {
                    Some(ProcessId::Coordinator)
                }
            },
            Event::TransactionCommitted { transaction, .. } => {
                let asked = self.commits.get(transaction).copied();
                asked.or_else(|| self.home(transaction.sink, transaction.attempt))
            }
            Event::TransactionOpened { transaction }
            | Event::TransactionPrepared { transaction, .. }
            | Event::ProducerRefused { transaction } => {
                self.home(transaction.sink, transaction.attempt)
            }
            Event::ProducersFenced { sink, attempt } => self.home(*sink, *attempt),
            _ => None,
        }
    }

    fn home(&self, subtask: SubtaskId, attempt: Attempt) -> Option<ProcessId> {
        self.places.get(&(subtask, attempt)).copied()
    }

    fn sender_in(&self, channel: ChannelId, attempt: Attempt) -> Option<SubtaskId> {
        Some(self.shapes.in_attempt(attempt).channels.get(channel.index())?.from)
    }

    fn upstream(&self, channel: ChannelId, attempt: Attempt) -> Option<ProcessId> {
        self.home(self.sender_in(channel, attempt)?, attempt)
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
    match event {
        Event::MessageDropped { from, to, .. }
        | Event::Disconnected { from, to }
        | Event::HalfOpened { from, to } => Some((*from, *to, Style::Lost)),
        Event::MessageDelayed { from, to, .. }
        | Event::MessageDuplicated { from, to, .. }
        | Event::MessageReordered { from, to, .. }
        | Event::Held { from, to } => Some((*from, *to, Style::Hampered)),
        _ => None,
    }
}
