//! Exactly once into a queue that drops repetitions: rows are kept in the state until their checkpoint completes,
//! and are then published, after Flink's `GenericWriteAheadSink` and the labels of the Doris connector.
//!
//! A message has a name of its own, made of where its subtask began and of the checkpoint, and it is in the
//! committable: whoever publishes the message, after however many restarts and rescales, publishes it under the same
//! name. A name for the subtask and rising numbers would not do: after a rescale two messages of one subtask may be
//! published by two, and the queue drops the lower number if it comes later.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::AGAIN;
use super::seat::Seat;
use crate::dataflow::{
    Batch, CheckpointOutcome, CommittableId, CommittingSink, Data, NoAnswer, Opening, RowMaker,
    SinkOutputs,
};
use crate::external::Row;
use crate::external::queue::{Acknowledged, Publish};
use crate::protocol::{CheckpointId, Defect};

/// A message that is promised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    producer: String,
    number: u64,
    rows: Vec<Row>,
}

/// Writes records to a [`DeduplicatingQueue`](crate::external::queue::DeduplicatingQueue).
#[derive(Debug)]
pub struct QueueSink<T> {
    name: String,
    seat: Seat,
    /// How many messages were promised in this attempt.
    messages: u64,
    rows: Vec<Row>,
    _records: PhantomData<fn(T)>,
}

impl<T> QueueSink<T> {
    /// A sink whose messages have this name, which it must keep for ever, and what tells them apart.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            seat: Seat::none(),
            messages: 0,
            rows: Vec::new(),
            _records: PhantomData,
        }
    }

    /// What the queue knows the message of this checkpoint by.
    fn label(
        &self,
        checkpoint: CheckpointId,
        out: &SinkOutputs<'_, CommittableId>,
    ) -> (String, u64) {
        let Self { name, seat: Seat { index, restored, .. }, .. } = self;
        if out.has(Defect::DeduplicationNumberReset) {
            return (format!("{name}-{index}"), self.messages);
        }
        (format!("{name}-{restored}-{index}-{}", checkpoint.0), 0)
    }
}

impl<T> Clone for QueueSink<T> {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), rows: self.rows.clone(), ..*self }
    }
}

impl<T: Data> CommittingSink for QueueSink<T> {
    type In = T;
    type Committable = Message;
    type State = ();
    type Token = CommittableId;
    type Answer = Acknowledged;

    fn open(&mut self, opening: Opening<(), Message>, out: &mut SinkOutputs<'_, CommittableId>) {
        self.seat = Seat::of(&opening);
        out.opened();
    }

    fn write(&mut self, record: T, row: RowMaker, _: &mut SinkOutputs<'_, CommittableId>) {
        self.rows.push(row.of(&record));
    }

    fn pre_commit(
        &mut self,
        checkpoint: CheckpointId,
        out: &mut SinkOutputs<'_, CommittableId>,
    ) -> Vec<Message> {
        out.prepared(checkpoint);
        let rows = std::mem::take(&mut self.rows);
        if rows.is_empty() {
            return Vec::new();
        }
        self.messages += 1;
        let (producer, number) = self.label(checkpoint, out);
        vec![Message { producer, number, rows }]
    }

    fn freeze(&self) -> Vec<()> {
        Vec::new()
    }

    fn commit(&mut self, batch: Batch<Message>, out: &mut SinkOutputs<'_, CommittableId>) {
        for (part, Message { mut producer, number, rows }) in batch.parts {
            if out.has(Defect::MessageNamedByAttempt) {
                producer = format!("{producer}-{}", self.seat.attempt.0);
            }
            out.ask(part, &Publish { producer, number, rows });
        }
    }

    fn handle_answer(
        &mut self,
        part: CommittableId,
        answer: Result<Acknowledged, NoAnswer>,
        out: &mut SinkOutputs<'_, CommittableId>,
    ) {
        match answer {
            Ok(Acknowledged) => out.committed(part),
            Err(NoAnswer::Unavailable | NoAnswer::Unknown) => out.retry(part, AGAIN),
        }
    }

    fn handle_timer(&mut self, _: CommittableId, _: &mut SinkOutputs<'_, CommittableId>) {}

    fn handle_outcome(
        &mut self,
        _: CheckpointId,
        _: CheckpointOutcome,
        _: &mut SinkOutputs<'_, CommittableId>,
    ) {
    }

    fn is_settled(&self) -> bool {
        self.rows.is_empty()
    }
}
