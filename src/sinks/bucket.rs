//! Exactly once into a bucket: an object a checkpoint and subtask, after Flink's `FileSink` over
//! `S3RecoverableWriter`.
//!
//! An upload is begun ahead, so that it is there when rows come. At a cut its parts are on their way, and it is
//! promised; on completion it is completed. An upload that is not known any more was completed by an earlier
//! request if its object is there, and was aborted if it is not: then its rows are lost, and that is told.
//! Names of objects are never borne again, so that no object replaces another.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::AGAIN;
use crate::dataflow::{
    Batch, CheckpointOutcome, CommittableId, CommittingSink, Data, NoAnswer, Opening, RowMaker,
    SinkOutputs,
};
use crate::external::Row;
use crate::external::bucket::{BucketAnswer, BucketRequest};
use crate::protocol::{Attempt, CheckpointId, Defect, OperatorId};

/// An upload that is promised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromisedUpload {
    key: String,
    upload: u64,
    parts: u32,
}

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BucketToken {
    /// To begin the upload of this object.
    Create(String),
    /// To know that all parts are durable for this checkpoint.
    Flush(CheckpointId),
    /// To complete.
    Complete(CommittableId, PromisedUpload),
    /// To know whether it was completed.
    Head(CommittableId, PromisedUpload),
}

/// The upload that takes rows.
#[derive(Clone, Debug)]
struct Open {
    key: String,
    upload: u64,
    parts: u32,
}

/// Writes records to an [`ObjectBucket`](crate::external::bucket::ObjectBucket).
#[derive(Debug)]
pub struct BucketSink<T> {
    batch: usize,
    operator: OperatorId,
    index: u16,
    attempt: Attempt,
    /// How many objects were begun.
    objects: u64,
    open: Option<Open>,
    /// Rows that were not uploaded.
    waiting: Vec<Row>,
    is_open: bool,
    _records: PhantomData<fn(T)>,
}

impl<T> BucketSink<T> {
    /// A sink whose parts hold so many rows; at least one.
    #[must_use]
    pub fn new(batch: usize) -> Self {
        Self {
            batch: batch.max(1),
            operator: OperatorId::default(),
            index: 0,
            attempt: Attempt::default(),
            objects: 0,
            open: None,
            waiting: Vec::new(),
            is_open: false,
            _records: PhantomData,
        }
    }

    /// Begins the next upload.
    fn create(&mut self, out: &mut SinkOutputs<'_, BucketToken>) {
        self.objects += 1;
        let attempt = if out.has(Defect::ObjectNameReused) { 0 } else { self.attempt.0 };
        let key = format!("{}/{}/{attempt}/{}", self.operator.0, self.index, self.objects);
        out.ask(BucketToken::Create(key.clone()), &BucketRequest::Create { key });
    }

    fn handle_created(&mut self, key: String, upload: u64, out: &mut SinkOutputs<'_, BucketToken>) {
        self.open = Some(Open { key, upload, parts: 0 });
        if !self.is_open {
            self.is_open = true;
            out.opened();
        }
        self.upload_full(out);
    }

    fn upload_full(&mut self, out: &mut SinkOutputs<'_, BucketToken>) {
        if self.waiting.len() >= self.batch {
            self.upload(out);
        }
    }

    /// Uploads what waits as a part, if an upload is open.
    fn upload(&mut self, out: &mut SinkOutputs<'_, BucketToken>) {
        let Some(open) = self.open.as_mut().filter(|_| !self.waiting.is_empty()) else { return };
        let rows = std::mem::take(&mut self.waiting);
        out.tell(&BucketRequest::Upload { upload: open.upload, part: open.parts, rows });
        open.parts += 1;
    }
}

impl<T> Clone for BucketSink<T> {
    fn clone(&self) -> Self {
        Self { open: self.open.clone(), waiting: self.waiting.clone(), ..*self }
    }
}

impl<T: Data> CommittingSink for BucketSink<T> {
    type In = T;
    type Committable = PromisedUpload;
    type State = Row;
    type Token = BucketToken;
    type Answer = BucketAnswer;

    fn open(
        &mut self,
        opening: Opening<Row, PromisedUpload>,
        out: &mut SinkOutputs<'_, BucketToken>,
    ) {
        (self.operator, self.index) = (opening.operator, opening.index);
        self.attempt = opening.attempt;
        if !out.has(Defect::WaitingRowsForgotten) {
            self.waiting = opening.states;
        }
        self.create(out);
    }

    fn write(&mut self, record: T, row: RowMaker, out: &mut SinkOutputs<'_, BucketToken>) {
        self.waiting.push(row.of(&record));
        self.upload_full(out);
    }

    fn pre_commit(
        &mut self,
        checkpoint: CheckpointId,
        out: &mut SinkOutputs<'_, BucketToken>,
    ) -> Vec<PromisedUpload> {
        self.upload(out);
        let Some(Open { key, upload, parts }) = self.open.take_if(|open| open.parts > 0) else {
            out.prepared(checkpoint);
            return Vec::new();
        };
        // The last part again, empty and beyond the end: what is answered in order says that all before arrived.
        let flush = BucketRequest::Upload { upload, part: parts, rows: Vec::new() };
        out.ask_in_order(BucketToken::Flush(checkpoint), &flush);
        self.create(out);
        vec![PromisedUpload { key, upload, parts }]
    }

    /// Rows that wait for an upload.
    fn freeze(&self) -> Vec<Row> {
        self.waiting.clone()
    }

    fn commit(&mut self, batch: Batch<PromisedUpload>, out: &mut SinkOutputs<'_, BucketToken>) {
        for (part, promised) in batch.parts {
            let PromisedUpload { upload, parts, .. } = promised;
            let complete = BucketRequest::Complete { upload, parts };
            out.ask(BucketToken::Complete(part, promised), &complete);
        }
    }

    fn handle_answer(
        &mut self,
        token: BucketToken,
        answer: Result<BucketAnswer, NoAnswer>,
        out: &mut SinkOutputs<'_, BucketToken>,
    ) {
        match (token, answer) {
            (BucketToken::Create(key), Ok(BucketAnswer::Created(upload))) => {
                self.handle_created(key, upload, out);
            }
            (BucketToken::Flush(checkpoint), Ok(BucketAnswer::Uploaded)) => {
                out.prepared(checkpoint)
            }
            (BucketToken::Complete(part, _), Ok(BucketAnswer::Completed)) => out.committed(part),
            (BucketToken::Complete(part, promised), Ok(BucketAnswer::NoSuchUpload))
                if !out.has(Defect::CompletedUploadTakenForLost) =>
            {
                let key = promised.key.clone();
                out.ask(BucketToken::Head(part, promised), &BucketRequest::Head { key });
            }
            (BucketToken::Head(part, _), Ok(BucketAnswer::Found(true))) => out.committed(part),
            (BucketToken::Head(_, promised), Ok(BucketAnswer::Found(false))) => {
                out.fail(format!("the upload of {} was aborted, and was promised", promised.key));
            }
            (BucketToken::Complete(part, _) | BucketToken::Head(part, _), Err(_)) => {
                out.retry(part, AGAIN);
            }
            (token @ BucketToken::Create(_), Err(_)) => out.wake(AGAIN, token),
            (token, answer) => out.fail(format!("the bucket answers {token:?} with {answer:?}")),
        }
    }

    fn handle_timer(&mut self, token: BucketToken, out: &mut SinkOutputs<'_, BucketToken>) {
        match token {
            BucketToken::Create(key) => {
                out.ask(BucketToken::Create(key.clone()), &BucketRequest::Create { key });
            }
            // What comes in order is answered, and a commit is handed over again.
            BucketToken::Flush(_) | BucketToken::Complete(..) | BucketToken::Head(..) => {}
        }
    }

    fn handle_outcome(
        &mut self,
        _: CheckpointId,
        _: CheckpointOutcome,
        _: &mut SinkOutputs<'_, BucketToken>,
    ) {
    }

    fn is_settled(&self) -> bool {
        self.waiting.is_empty() && self.open.as_ref().is_none_or(|open| open.parts == 0)
    }
}
