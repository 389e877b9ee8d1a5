//! Exactly once into a queue that drops repetitions: rows are kept in the state until their checkpoint completes,
//! and are then published, after Flink's `GenericWriteAheadSink` and the labels of the Doris connector.
//!
//! A message is named by its producer and the checkpoint, and both are in the committable: whoever publishes it,
//! after however many restarts and rescales, publishes it under the same name. Of one producer a message is
//! published when those before it have been acknowledged, since the queue drops what comes late.

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::dataflow::{
    Batch, CheckpointOutcome, CommittableId, CommittingSink, Data, NoAnswer, Opening, RowMaker,
    SinkOutputs,
};
use crate::external::Row;
use crate::external::queue::{Acknowledged, Publish};
use crate::protocol::{CheckpointId, Defect};

/// How long to wait when the queue is not available.
const AGAIN: Duration = Duration::from_millis(20);

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
    producer: String,
    /// How many messages were promised in this attempt.
    messages: u64,
    rows: Vec<Row>,
    /// Oldest first; the first is being published.
    due: VecDeque<(CommittableId, Message)>,
    is_busy: bool,
    _records: PhantomData<fn(T)>,
}

impl<T> QueueSink<T> {
    /// A sink whose producers have this name, which they must keep for ever, and their number.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            producer: String::new(),
            messages: 0,
            rows: Vec::new(),
            due: VecDeque::new(),
            is_busy: false,
            _records: PhantomData,
        }
    }

    fn publish_next(&mut self, out: &mut SinkOutputs<'_, ()>) {
        if let Some((_, message)) = self.due.front().filter(|_| !self.is_busy) {
            self.is_busy = true;
            let Message { producer, number, rows } = message.clone();
            out.ask((), &Publish { producer, number, rows });
        }
    }
}

impl<T> Clone for QueueSink<T> {
    fn clone(&self) -> Self {
        Self {
            name: self.name.clone(),
            producer: self.producer.clone(),
            rows: self.rows.clone(),
            due: self.due.clone(),
            ..*self
        }
    }
}

impl<T: Data> CommittingSink for QueueSink<T> {
    type In = T;
    type Committable = Message;
    type State = ();
    type Token = ();
    type Answer = Acknowledged;

    /// A producer has the number of the subtask; in another parallelism it is another producer, since what was
    /// promised by the old one may still have to be published.
    fn open(&mut self, opening: Opening<(), Message>, out: &mut SinkOutputs<'_, ()>) {
        let Opening { index, parallelism, attempt, .. } = opening;
        self.producer = format!("{}-{index}-{parallelism}", self.name);
        if out.has(Defect::ProducerNamedByAttempt) {
            self.producer = format!("{}-{}", self.producer, attempt.0);
        }
        out.opened();
    }

    fn write(&mut self, record: T, row: RowMaker, _: &mut SinkOutputs<'_, ()>) {
        self.rows.push(row.of(&record));
    }

    fn pre_commit(
        &mut self,
        checkpoint: CheckpointId,
        out: &mut SinkOutputs<'_, ()>,
    ) -> Vec<Message> {
        out.prepared(checkpoint);
        let rows = std::mem::take(&mut self.rows);
        if rows.is_empty() {
            return Vec::new();
        }
        self.messages += 1;
        let is_counted = out.has(Defect::DeduplicationNumberReset);
        let number = if is_counted { self.messages } else { checkpoint.0 };
        vec![Message { producer: self.producer.clone(), number, rows }]
    }

    fn freeze(&self) -> Vec<()> {
        Vec::new()
    }

    fn commit(&mut self, batch: Batch<Message>, out: &mut SinkOutputs<'_, ()>) {
        for (part, mut message) in batch.parts {
            if out.has(Defect::ProducerNamedByAttempt) {
                message.producer.clone_from(&self.producer);
            }
            self.due.push_back((part, message));
        }
        self.publish_next(out);
    }

    fn handle_answer(
        &mut self,
        (): (),
        answer: Result<Acknowledged, NoAnswer>,
        out: &mut SinkOutputs<'_, ()>,
    ) {
        match answer {
            Ok(Acknowledged) => {
                self.is_busy = false;
                if let Some((part, _)) = self.due.pop_front() {
                    out.committed(part);
                }
                self.publish_next(out);
            }
            Err(NoAnswer::Unavailable | NoAnswer::Unknown) => out.wake(AGAIN, ()),
        }
    }

    fn handle_timer(&mut self, (): (), out: &mut SinkOutputs<'_, ()>) {
        self.is_busy = false;
        self.publish_next(out);
    }

    fn handle_outcome(
        &mut self,
        _: CheckpointId,
        _: CheckpointOutcome,
        _: &mut SinkOutputs<'_, ()>,
    ) {
    }

    fn is_settled(&self) -> bool {
        self.rows.is_empty()
    }
}
