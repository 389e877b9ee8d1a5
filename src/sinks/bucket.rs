//! Exactly once into a bucket: an object a checkpoint and subtask, after Flink's `FileSink` over
//! `S3RecoverableWriter`.
//!
//! An upload is begun ahead, so that it is there when rows come. At a cut its parts are on their way, and it is
//! promised; on completion it is completed. An upload that is not known any more was completed by an earlier
//! request if its object is there, and was aborted if it is not: then its rows are lost, and that is told.
//! Names of objects are never borne again, so that no object replaces another.
//!
//! A name holds the newest cut before the upload was begun. At the beginning uploads of older attempts are given up:
//! those with a cut that is not older than the restored checkpoint, and those of which a state says that they were
//! not promised at that checkpoint. All others are, or were, in somebody's committables, and are left alone.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::AGAIN;
use super::seat::Seat;
use crate::dataflow::{
    Batch, CheckpointOutcome, CommittableId, CommittingSink, Data, NoAnswer, Opening, RowMaker,
    SinkOutputs,
};
use crate::external::Row;
use crate::external::bucket::{BucketAnswer, BucketRequest};
use crate::protocol::{CheckpointId, Defect};

/// An upload that is promised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromisedUpload {
    key: String,
    upload: u64,
    parts: u32,
}

/// A part of what a snapshot holds of a sink, beside its committables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BucketState {
    /// A row that waits for an upload.
    Waiting(Row),
    /// The name of an upload that was begun, and is not promised.
    Unpromised(String),
}

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BucketToken {
    /// To know which uploads are under way.
    List,
    /// To give up what nobody will complete.
    Abort(u64),
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
    seat: Seat,
    /// Its newest cut.
    cut: u64,
    /// How many objects were begun.
    objects: u64,
    /// The upload that was begun last, while it is not promised.
    unpromised: Option<String>,
    /// Uploads of older attempts of which a state says that they were not promised, until they are given up.
    given: Vec<String>,
    /// How many uploads of older attempts are still to be given up, once that is known.
    left: Option<usize>,
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
            seat: Seat::none(),
            cut: 0,
            objects: 0,
            unpromised: None,
            given: Vec::new(),
            left: None,
            open: None,
            waiting: Vec::new(),
            is_open: false,
            _records: PhantomData,
        }
    }

    fn prefix(&self) -> String {
        format!("{}/", self.seat.operator.0)
    }

    /// Begins the next upload.
    fn create(&mut self, out: &mut SinkOutputs<'_, BucketToken>) {
        self.objects += 1;
        let is_reused = out.has(Defect::ObjectNameReused);
        let (cut, attempt) = if is_reused { (0, 0) } else { (self.cut, self.seat.attempt.0) };
        let key = format!("{}{cut}/{}/{attempt}/{}", self.prefix(), self.seat.index, self.objects);
        self.unpromised = Some(key.clone());
        out.ask(BucketToken::Create(key.clone()), &BucketRequest::Create { key });
    }

    fn handle_created(&mut self, key: String, upload: u64, out: &mut SinkOutputs<'_, BucketToken>) {
        self.open = Some(Open { key, upload, parts: 0 });
        self.open_if_alone(out);
        self.upload_full(out);
    }

    fn list(&self, out: &mut SinkOutputs<'_, BucketToken>) {
        out.ask(BucketToken::List, &BucketRequest::List { prefix: self.prefix() });
    }

    /// Whether nobody will complete this upload, and it is this subtask's to give it up. An attempt that is over, and
    /// has not heard of it, leaves its successors alone.
    fn is_left(&self, key: &str) -> bool {
        let mut fields = key.split('/').skip(1).map(str::parse::<u64>);
        let (Some(Ok(cut)), Some(Ok(index)), Some(Ok(attempt))) =
            (fields.next(), fields.next(), fields.next())
        else {
            return false;
        };
        let is_ours = self.seat.succeeds(index);
        let is_unpromised = (is_ours && cut >= self.seat.restored)
            || self.given.iter().any(|unpromised| unpromised == key);
        is_unpromised && attempt < u64::from(self.seat.attempt.0)
    }

    fn handle_listed(&mut self, uploads: &[(String, u64)], out: &mut SinkOutputs<'_, BucketToken>) {
        // Names that are borne again do not tell whose an upload is.
        let keeps = out.has(Defect::LeftUploadsKept) || out.has(Defect::ObjectNameReused);
        let left = uploads.iter().filter(|(key, _)| !keeps && self.is_left(key));
        let left: Vec<u64> = left.map(|(_, upload)| *upload).collect();
        self.left = Some(left.len());
        left.into_iter().for_each(|upload| Self::abort(upload, out));
        self.open_if_alone(out);
    }

    fn abort(upload: u64, out: &mut SinkOutputs<'_, BucketToken>) {
        out.ask(BucketToken::Abort(upload), &BucketRequest::Abort { upload });
    }

    fn handle_aborted(&mut self, out: &mut SinkOutputs<'_, BucketToken>) {
        self.left = self.left.map(|left| left.saturating_sub(1));
        self.open_if_alone(out);
    }

    /// An upload is there, and what older attempts left is not.
    fn open_if_alone(&mut self, out: &mut SinkOutputs<'_, BucketToken>) {
        if !self.is_open && self.open.is_some() && self.left == Some(0) {
            self.is_open = true;
            self.given.clear();
            out.opened();
        }
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
        Self {
            unpromised: self.unpromised.clone(),
            given: self.given.clone(),
            open: self.open.clone(),
            waiting: self.waiting.clone(),
            ..*self
        }
    }
}

impl<T: Data> CommittingSink for BucketSink<T> {
    type In = T;
    type Committable = PromisedUpload;
    type State = BucketState;
    type Token = BucketToken;
    type Answer = BucketAnswer;

    fn open(
        &mut self,
        opening: Opening<BucketState, PromisedUpload>,
        out: &mut SinkOutputs<'_, BucketToken>,
    ) {
        self.seat = Seat::of(&opening);
        self.cut = self.seat.restored;
        for state in opening.states {
            match state {
                BucketState::Waiting(_) if out.has(Defect::WaitingRowsForgotten) => {}
                BucketState::Waiting(row) => self.waiting.push(row),
                BucketState::Unpromised(key) => self.given.push(key),
            }
        }
        self.list(out);
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
        self.cut = checkpoint.0;
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

    fn freeze(&self) -> Vec<BucketState> {
        let unpromised = self.given.iter().chain(&self.unpromised).cloned();
        let waiting = self.waiting.iter().cloned();
        waiting.map(BucketState::Waiting).chain(unpromised.map(BucketState::Unpromised)).collect()
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
            (BucketToken::List, Ok(BucketAnswer::Listed(uploads))) => {
                self.handle_listed(&uploads, out);
            }
            (BucketToken::Abort(_), Ok(BucketAnswer::Aborted | BucketAnswer::NoSuchUpload)) => {
                self.handle_aborted(out)
            }
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
            (
                token @ (BucketToken::List | BucketToken::Abort(_) | BucketToken::Create(_)),
                Err(_),
            ) => out.wake(AGAIN, token),
            (token, answer) => out.fail(format!("the bucket answers {token:?} with {answer:?}")),
        }
    }

    fn handle_timer(&mut self, token: BucketToken, out: &mut SinkOutputs<'_, BucketToken>) {
        match token {
            BucketToken::List => self.list(out),
            BucketToken::Abort(upload) => Self::abort(upload, out),
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

#[cfg(test)]
mod tests;
