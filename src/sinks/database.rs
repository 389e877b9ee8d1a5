//! Exactly once into a database with prepared transactions, after Flink's `JdbcExactlyOnceSinkWriter`.
//!
//! Branches have names that nobody bears again, and that hold the newest cut before their first row. At the
//! beginning, whatever an older attempt has prepared and has a cut in its name that is not older than the restored
//! checkpoint was prepared for a checkpoint that did not complete: it is rolled back. All others are, or were, in
//! somebody's committables, and are left alone.
//!
//! A commit is repeated until it is answered. A branch that the database does not know was committed by an earlier
//! request: what is prepared does not vanish. One that was rolled back by somebody else is lost, and that is told.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::AGAIN;
use super::seat::Seat;
use crate::dataflow::{
    Batch, CheckpointOutcome, CommittableId, CommittingSink, Data, NoAnswer, Opening, RowMaker,
    SinkOutputs,
};
use crate::external::Row;
use crate::external::database::{XaAnswer, XaRequest};
use crate::protocol::{CheckpointId, Defect};

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum XaToken {
    /// To know what is prepared.
    Recover,
    /// To roll back what nobody will commit.
    Rollback(String),
    /// To prepare for this checkpoint.
    Prepare(CheckpointId),
    /// To commit.
    Commit(CommittableId),
}

/// Writes records to an [`XaDatabase`](crate::external::database::XaDatabase).
#[derive(Debug)]
pub struct XaSink<T> {
    batch: usize,
    seat: Seat,
    /// Its newest cut.
    cut: u64,
    /// How many branches it has had.
    branches: u64,
    /// How many rows were inserted into the open branch.
    inserted: u64,
    waiting: Vec<Row>,
    rolling_back: usize,
    _records: PhantomData<fn(T)>,
}

impl<T> XaSink<T> {
    /// A sink that inserts so many rows at once; at least one.
    #[must_use]
    pub fn new(batch: usize) -> Self {
        Self {
            batch: batch.max(1),
            seat: Seat::none(),
            cut: 0,
            branches: 0,
            inserted: 0,
            waiting: Vec::new(),
            rolling_back: 0,
            _records: PhantomData,
        }
    }

    fn prefix(&self) -> String {
        format!("{}/", self.seat.operator.0)
    }

    /// The open branch: cut, subtask, attempt and number tell it from all others.
    fn xid(&self) -> String {
        let (cut, index, attempt, branch) =
            (self.cut, self.seat.index, self.seat.attempt.0, self.branches);
        format!("{}{cut}/{index}/{attempt}/{branch}", self.prefix())
    }

    /// Whether nobody will commit this branch, and it is this subtask's to roll it back. An attempt that is over, and
    /// has not heard of it, leaves its successors alone.
    fn is_left(&self, xid: &str, out: &SinkOutputs<'_, XaToken>) -> bool {
        let mut fields = xid.split('/').skip(1).map(str::parse::<u64>);
        let (Some(Ok(cut)), Some(Ok(index)), Some(Ok(attempt))) =
            (fields.next(), fields.next(), fields.next())
        else {
            return false;
        };
        let is_ours = self.seat.succeeds(index);
        let is_older = attempt < u64::from(self.seat.attempt.0);
        let is_unpromised = cut >= self.seat.restored || out.has(Defect::PreparedRolledBackAtOpen);
        is_ours && is_older && is_unpromised && !out.has(Defect::LeftBranchesKept)
    }

    fn insert(&mut self, out: &mut SinkOutputs<'_, XaToken>) {
        if self.waiting.is_empty() {
            return;
        }
        let rows = std::mem::take(&mut self.waiting);
        let (xid, first) = (self.xid(), self.inserted);
        self.inserted += rows.len() as u64;
        out.tell(&XaRequest::Insert { xid, first, rows });
    }

    fn handle_recovered(&mut self, prepared: Vec<String>, out: &mut SinkOutputs<'_, XaToken>) {
        for xid in prepared.into_iter().filter(|xid| self.is_left(xid, out)).collect::<Vec<_>>() {
            self.rolling_back += 1;
            out.ask(XaToken::Rollback(xid.clone()), &XaRequest::Rollback { xid });
        }
        self.open_if_alone(out);
    }

    fn open_if_alone(&self, out: &mut SinkOutputs<'_, XaToken>) {
        if self.rolling_back == 0 {
            out.opened();
        }
    }

    fn recover(&self, out: &mut SinkOutputs<'_, XaToken>) {
        let prefix = self.prefix();
        out.ask(XaToken::Recover, &XaRequest::Recover { prefix });
    }
}

impl<T> Clone for XaSink<T> {
    fn clone(&self) -> Self {
        Self { waiting: self.waiting.clone(), ..*self }
    }
}

/// A prepared branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreparedBranch {
    xid: String,
}

impl<T: Data> CommittingSink for XaSink<T> {
    type In = T;
    type Committable = PreparedBranch;
    type State = ();
    type Token = XaToken;
    type Answer = XaAnswer;

    fn open(&mut self, opening: Opening<(), PreparedBranch>, out: &mut SinkOutputs<'_, XaToken>) {
        self.seat = Seat::of(&opening);
        self.cut = self.seat.restored;
        self.recover(out);
    }

    fn write(&mut self, record: T, row: RowMaker, out: &mut SinkOutputs<'_, XaToken>) {
        self.waiting.push(row.of(&record));
        if self.waiting.len() >= self.batch {
            self.insert(out);
        }
    }

    fn pre_commit(
        &mut self,
        checkpoint: CheckpointId,
        out: &mut SinkOutputs<'_, XaToken>,
    ) -> Vec<PreparedBranch> {
        self.insert(out);
        let (xid, rows) = (self.xid(), std::mem::take(&mut self.inserted));
        self.cut = checkpoint.0;
        self.branches += 1;
        if rows == 0 {
            out.prepared(checkpoint);
            return Vec::new();
        }
        let prepare = XaRequest::Prepare { xid: xid.clone(), rows };
        out.ask_in_order(XaToken::Prepare(checkpoint), &prepare);
        vec![PreparedBranch { xid }]
    }

    fn freeze(&self) -> Vec<()> {
        Vec::new()
    }

    fn commit(&mut self, batch: Batch<PreparedBranch>, out: &mut SinkOutputs<'_, XaToken>) {
        for (part, PreparedBranch { xid }) in batch.parts {
            out.ask(XaToken::Commit(part), &XaRequest::Commit { xid });
        }
    }

    fn handle_answer(
        &mut self,
        token: XaToken,
        answer: Result<XaAnswer, NoAnswer>,
        out: &mut SinkOutputs<'_, XaToken>,
    ) {
        match (token, answer) {
            (XaToken::Recover, Ok(XaAnswer::Recovered(prepared))) => {
                self.handle_recovered(prepared, out);
            }
            (XaToken::Rollback(_), Ok(_)) => {
                self.rolling_back -= 1;
                self.open_if_alone(out);
            }
            (XaToken::Prepare(checkpoint), Ok(XaAnswer::Done)) => out.prepared(checkpoint),
            (XaToken::Commit(_), Ok(XaAnswer::Unknown))
                if out.has(Defect::CommittedBranchTakenForLost) =>
            {
                out.fail("the database does not know a branch that it has prepared");
            }
            (XaToken::Commit(part), Ok(XaAnswer::Done | XaAnswer::Unknown)) => out.committed(part),
            (XaToken::Commit(part), Err(_)) => out.retry(part, AGAIN),
            (token @ (XaToken::Recover | XaToken::Rollback(_)), Err(_)) => out.wake(AGAIN, token),
            (token, answer) => out.fail(format!("the database answers {token:?} with {answer:?}")),
        }
    }

    fn handle_timer(&mut self, token: XaToken, out: &mut SinkOutputs<'_, XaToken>) {
        match token {
            XaToken::Recover => self.recover(out),
            XaToken::Rollback(xid) => {
                out.ask(XaToken::Rollback(xid.clone()), &XaRequest::Rollback { xid });
            }
            // What comes in order is answered, and a commit is handed over again.
            XaToken::Prepare(_) | XaToken::Commit(_) => {}
        }
    }

    fn handle_outcome(
        &mut self,
        _: CheckpointId,
        _: CheckpointOutcome,
        _: &mut SinkOutputs<'_, XaToken>,
    ) {
    }

    fn is_settled(&self) -> bool {
        self.waiting.is_empty() && self.inserted == 0
    }
}

#[cfg(test)]
mod tests;
