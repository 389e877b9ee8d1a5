//! Which event sent the message that led to another: the arrows of a view, and with the order within each life
//! its happened-before (Lamport 1978).
//!
//! A trace does not number its messages. What arrives is paired with what was sent by what both are about: a
//! record by channel and sequence, an acknowledgement by subtask and checkpoint. A message of which only the
//! arrival has an event, as the opening of a transaction, has no arrow; no event gets a wrong one for that.

use std::collections::BTreeMap;

use crate::protocol::{
    Attempt, ChannelId, CheckpointId, ObjectKey, SplitId, SubtaskId, TransactionId,
};
use crate::trace::{Event, Shapes};

/// Tells what led to each event. Events come in order.
pub struct Causes<'a> {
    shapes: &'a Shapes,
    sent: BTreeMap<Message, usize>,
}

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Message {
    Record(ChannelId, Attempt, u64),
    Barrier(ChannelId, Attempt, CheckpointId),
    Cancel(ChannelId, Attempt, CheckpointId),
    End(ChannelId, Attempt),
    Watermark(ChannelId, Attempt, u64, i64),
    /// Taken by the first that a source does for the checkpoint.
    Trigger(Attempt, CheckpointId),
    /// A source has had it.
    Triggered(SubtaskId, Attempt, CheckpointId),
    Acknowledgement(SubtaskId, Attempt, CheckpointId),
    Upload(SubtaskId, Attempt, CheckpointId),
    Stored(ObjectKey),
    Metadata(CheckpointId),
    JobRecord,
    Outcome(CheckpointId),
    Deployment(Attempt),
    Prepare(TransactionId),
    Commit(TransactionId),
    SplitRequest(SubtaskId, Attempt),
    Split(SubtaskId, Attempt, SplitId),
}

impl<'a> Causes<'a> {
    /// Nothing was sent yet.
    #[must_use]
    pub fn new(shapes: &'a Shapes) -> Self {
        Self { shapes, sent: BTreeMap::new() }
    }

    /// The row of the event whose message led to this one, if a message did; `row` is its own.
    pub fn take(&mut self, row: usize, event: &Event) -> Option<usize> {
        let cause = self.arrived(row, event);
        self.send(row, event);
        cause
    }

    fn arrived(&mut self, row: usize, event: &Event) -> Option<usize> {
        if let Some(found) = self.trigger(row, event) {
            return Some(found);
        }
        let message =
            in_channel(event).or_else(|| outside(event)).or_else(|| by_coordinator(event))?;
        self.sent.get(&message).copied()
    }

    /// What a trigger brought about: the first thing that a source does for the checkpoint.
    fn trigger(&mut self, row: usize, event: &Event) -> Option<usize> {
        let (subtask, attempt, checkpoint) = match event {
            Event::BarrierSent { channel, attempt, checkpoint, .. } => {
                let topology = self.shapes.in_attempt(*attempt);
                (topology.channels.get(channel.index())?.from, *attempt, *checkpoint)
            }
            Event::SnapshotTaken(taken) => (taken.subtask, taken.attempt, taken.checkpoint),
            _ => return None,
        };
        let topology = self.shapes.in_attempt(attempt);
        topology.subtasks.get(subtask.index())?;
        if !topology.is_source(subtask) {
            return None;
        }
        let had = self.sent.insert(Message::Triggered(subtask, attempt, checkpoint), row);
        let trigger = self.sent.get(&Message::Trigger(attempt, checkpoint)).copied();
        if had.is_some() { None } else { trigger }
    }

    /// What others will hear of because of this event.
    #[rustfmt::skip]
    fn send(&mut self, row: usize, event: &Event) {
        use Event as E;
        use Message as M;
        let message = match event {
            E::Sent { channel, attempt, sequence, .. } => M::Record(*channel, *attempt, *sequence),
            E::BarrierSent { channel, attempt, checkpoint, .. } => M::Barrier(*channel, *attempt, *checkpoint),
            E::CancelSent { channel, attempt, checkpoint, .. } => M::Cancel(*channel, *attempt, *checkpoint),
            E::EndSent { channel, attempt, .. } => M::End(*channel, *attempt),
            E::WatermarkSent { channel, attempt, watermark, sequence } =>
                M::Watermark(*channel, *attempt, *sequence, *watermark),
            E::Triggered { attempt, checkpoint } | E::SavepointTriggered { attempt, checkpoint, .. } =>
                M::Trigger(*attempt, *checkpoint),
            E::Acknowledged { subtask, attempt, checkpoint } => M::Acknowledgement(*subtask, *attempt, *checkpoint),
            E::SnapshotTaken(taken) => {
                for (_, transaction) in &taken.transactions {
                    self.sent.insert(M::Prepare(*transaction), row);
                }
                M::Upload(taken.subtask, taken.attempt, taken.checkpoint)
            }
            E::ChannelStateCaptured(own) => M::Upload(own.subtask, own.attempt, own.checkpoint),
            E::ObjectStored { key, .. } => M::Stored(*key),
            E::Assembled { checkpoint, .. } => M::Metadata(*checkpoint),
            E::RecordWritten { .. } => M::JobRecord,
            E::CompletionNotified { checkpoint, .. } | E::Aborted { checkpoint, .. }
            | E::SavepointCompleted { checkpoint, .. } => M::Outcome(*checkpoint),
            E::AttemptStarted { attempt, .. } => M::Deployment(*attempt),
            E::CommitRequested { transaction, .. } => M::Commit(*transaction),
            E::SplitRequested { subtask, attempt } => M::SplitRequest(*subtask, *attempt),
            E::SplitAssigned { subtask, attempt, split } => M::Split(*subtask, *attempt, *split),
            _ => return,
        };
        self.sent.insert(message, row);
    }
}

fn in_channel(event: &Event) -> Option<Message> {
    Some(match event {
        Event::Received { channel, attempt, sequence, .. } => {
            Message::Record(*channel, *attempt, *sequence)
        }
        Event::BarrierReceived { channel, attempt, checkpoint, .. }
        | Event::BarrierOvertook { channel, attempt, checkpoint, .. } => {
            Message::Barrier(*channel, *attempt, *checkpoint)
        }
        Event::CancelReceived { channel, attempt, checkpoint, .. } => {
            Message::Cancel(*channel, *attempt, *checkpoint)
        }
        Event::EndReceived { channel, attempt, .. } => Message::End(*channel, *attempt),
        Event::WatermarkReceived { channel, attempt, watermark, sequence } => {
            Message::Watermark(*channel, *attempt, *sequence, *watermark)
        }
        _ => return None,
    })
}

/// What stores and the sink target are asked for, and what they answer.
fn outside(event: &Event) -> Option<Message> {
    Some(match event {
        Event::ObjectStored { key, .. } | Event::ObjectRefused { key } => match *key {
            ObjectKey::Snapshot { checkpoint, attempt, subtask } => {
                Message::Upload(subtask, attempt, checkpoint)
            }
            ObjectKey::Metadata { checkpoint } | ObjectKey::Savepoint { checkpoint } => {
                Message::Metadata(checkpoint)
            }
        },
        Event::SnapshotDurable { subtask, attempt, checkpoint } => {
            let (subtask, attempt, checkpoint) = (*subtask, *attempt, *checkpoint);
            Message::Stored(ObjectKey::Snapshot { checkpoint, attempt, subtask })
        }
        Event::TransactionPrepared { transaction, .. } => Message::Prepare(*transaction),
        Event::TransactionCommitted { transaction, .. } => Message::Commit(*transaction),
        Event::ProducersFenced { attempt, .. } => Message::Deployment(*attempt),
        _ => return None,
    })
}

/// What the coordinator tells and hears.
fn by_coordinator(event: &Event) -> Option<Message> {
    Some(match event {
        Event::AcknowledgementCounted { subtask, from_attempt, checkpoint }
        | Event::AcknowledgementIgnored { subtask, from_attempt, checkpoint } => {
            Message::Acknowledgement(*subtask, *from_attempt, *checkpoint)
        }
        Event::Completed { .. } => Message::JobRecord,
        Event::CompletionLearned { checkpoint, .. } | Event::AbortLearned { checkpoint, .. } => {
            Message::Outcome(*checkpoint)
        }
        Event::Restored(restored) => Message::Deployment(restored.attempt),
        Event::SplitAssigned { subtask, attempt, .. }
        | Event::SplitsExhausted { subtask, attempt } => Message::SplitRequest(*subtask, *attempt),
        Event::SplitAccepted { subtask, attempt, split, .. } => {
            Message::Split(*subtask, *attempt, *split)
        }
        _ => return None,
    })
}
