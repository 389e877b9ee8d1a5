//! Idempotent writes by key: what is written again after a failure changes nothing, after Flink's upsert sinks.
//!
//! Rows are seen at once, so after a failure readers may see older rows of a key again, until the newest comes once
//! more. Every write bears a version that rises with each change of its key: what a dead attempt wrote, and what
//! arrives late, is dropped. All changes of a key must come to one subtask, in their order.

use std::fmt;

use crate::dataflow::{
    Batch, CheckpointOutcome, CommittingSink, Data, NoAnswer, Opening, RowMaker, SinkOutputs,
};
use crate::external::upsert_store::{Upsert, WriteBatch, Written};
use crate::protocol::{CheckpointId, Defect};

/// What a record is to the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The key.
    pub key: Vec<u8>,
    /// Rises with each change of the key.
    pub version: u64,
    /// Whether the key has no row from here on.
    pub deletes: bool,
}

/// Writes records to an [`UpsertStore`](crate::external::upsert_store::UpsertStore).
pub struct UpsertSink<T> {
    batch: usize,
    change_of: fn(&T) -> Change,
    waiting: Vec<Upsert>,
}

impl<T> UpsertSink<T> {
    /// A sink that writes so many changes at once, at least one; `change_of` says what a record is.
    #[must_use]
    pub fn new(batch: usize, change_of: fn(&T) -> Change) -> Self {
        Self { batch: batch.max(1), change_of, waiting: Vec::new() }
    }

    fn flush(&mut self, out: &mut SinkOutputs<'_, CheckpointId>) {
        if !self.waiting.is_empty() {
            out.tell(&WriteBatch { writes: std::mem::take(&mut self.waiting) });
        }
    }
}

impl<T> Clone for UpsertSink<T> {
    fn clone(&self) -> Self {
        Self { waiting: self.waiting.clone(), ..*self }
    }
}

impl<T> fmt::Debug for UpsertSink<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpsertSink").field("waiting", &self.waiting.len()).finish_non_exhaustive()
    }
}

impl<T: Data> CommittingSink for UpsertSink<T> {
    type In = T;
    type Committable = ();
    type State = ();
    type Token = CheckpointId;
    type Answer = Written;

    fn open(&mut self, _: Opening<(), ()>, out: &mut SinkOutputs<'_, CheckpointId>) {
        out.opened();
    }

    fn write(&mut self, record: T, row: RowMaker, out: &mut SinkOutputs<'_, CheckpointId>) {
        let Change { key, version, deletes } = (self.change_of)(&record);
        if deletes && out.has(Defect::DeletesNotWritten) {
            return;
        }
        let version = Some(version);
        let row = (!deletes).then(|| row.of(&record));
        self.waiting.push(Upsert { key, version, row });
        if self.waiting.len() >= self.batch {
            self.flush(out);
        }
    }

    /// Nothing is promised: what was written before the cut is there, and that is all.
    fn pre_commit(
        &mut self,
        checkpoint: CheckpointId,
        out: &mut SinkOutputs<'_, CheckpointId>,
    ) -> Vec<()> {
        self.flush(out);
        out.ask_in_order(checkpoint, &WriteBatch { writes: Vec::new() });
        Vec::new()
    }

    fn freeze(&self) -> Vec<()> {
        Vec::new()
    }

    fn commit(&mut self, batch: Batch<()>, out: &mut SinkOutputs<'_, CheckpointId>) {
        batch.parts.into_iter().for_each(|(part, ())| out.committed(part));
    }

    fn handle_answer(
        &mut self,
        checkpoint: CheckpointId,
        answer: Result<Written, NoAnswer>,
        out: &mut SinkOutputs<'_, CheckpointId>,
    ) {
        match answer {
            Ok(Written) => out.prepared(checkpoint),
            Err(error) => out.fail(format!("what was written before {checkpoint}: {error:?}")),
        }
    }

    fn handle_timer(&mut self, _: CheckpointId, _: &mut SinkOutputs<'_, CheckpointId>) {}

    fn handle_outcome(
        &mut self,
        _: CheckpointId,
        _: CheckpointOutcome,
        _: &mut SinkOutputs<'_, CheckpointId>,
    ) {
    }

    fn is_settled(&self) -> bool {
        self.waiting.is_empty()
    }
}
