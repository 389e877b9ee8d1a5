//! Exactly once into a transactional log, after Flink's `KafkaSink` with pooled transactional ids (FLINK-34554).
//!
//! A subtask has a pool of transactional ids. One takes rows; at a cut it is promised, and another takes over. Before
//! an id takes rows again it is *begun* again: that raises its epoch, so that a late repetition of its commit cannot
//! end the next transaction. And that must wait until a checkpoint has completed whose cut was taken after the
//! commit: an attempt that is restored from an earlier one commits again, with the old epoch.
//!
//! At the beginning every id of the pool is begun, which fences older producers and aborts what they left, except
//! those that are promised: whoever has their committables commits them with the old epoch. Who begins an id says
//! whom he replaces, and asks once: a request that comes late or twice, or of an attempt that is over, must not
//! abort what is promised meanwhile. Where no id is free rows wait, and are in the state of the snapshot.
//!
//! States and committables are dealt out apart at a rescale. So the state holds the ids that are not promised, and
//! one that is promised belongs to whoever is given its committable: each id has one owner, who hears that it was
//! committed and may begin it again. A subtask that is given too few makes a pool of its own, and one that is given
//! more than it needs begins them once, against older producers, and lets them go.

use std::marker::PhantomData;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::AGAIN;
use super::seat::Seat;
use crate::dataflow::{
    Batch, CheckpointOutcome, CommittableId, CommittingSink, Data, NoAnswer, Opening, RowMaker,
    SinkOutputs,
};
use crate::external::Row;
use crate::external::transactional_log::{LogAnswer, LogRequest, Producer, Replaces};
use crate::protocol::{CheckpointId, Defect};

/// How many ids a subtask has at the least, and a pool that is made: as many checkpoints, less one, may be promised
/// and not committed.
const IDS: u8 = 6;

/// How long to wait for an answer to a request that must not be sent twice.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// A pool of transactional ids, by the checkpoint and the subtask that it was made for: the same again when that
/// attempt fails before it has a checkpoint, so that its ids are begun again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PoolId {
    checkpoint: u64,
    index: u16,
}

/// A transactional id of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PooledId {
    pool: PoolId,
    number: u8,
}

/// A part of what a snapshot holds of a sink, beside its committables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogState {
    /// An id that is not promised.
    Unpromised(PooledId),
    /// Rows that wait for an id, in order.
    Waiting(Vec<Row>),
}

/// A transaction that is promised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogCommittable {
    id: PooledId,
    producer: Producer,
}

/// What an id is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    /// It is being begun.
    Beginning,
    /// It can take rows.
    Free(Producer),
    /// It is promised: its committable is this subtask's to commit.
    Promised,
    /// It was committed after the cut of this checkpoint: a later one must complete before it is begun.
    Committed(Producer, CheckpointId),
}

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogToken {
    /// To know with which ids that were made where this sink begins somebody can still write.
    List,
    /// To know who has an id.
    Describe(PooledId),
    /// To begin an id, as the successor of this producer.
    Begin(PooledId, Option<Producer>),
    /// To know that so many rows are in the transaction of a checkpoint.
    Flush(CheckpointId, u64),
    /// To commit.
    Commit(CommittableId, LogCommittable),
}

/// The transaction that takes rows.
#[derive(Clone, Copy, Debug)]
struct Open {
    id: PooledId,
    producer: Producer,
    rows: u64,
}

/// Writes records to a [`TransactionalLog`](crate::external::transactional_log::TransactionalLog).
#[derive(Debug)]
pub struct LogSink<T> {
    /// How many rows go into a request.
    batch: usize,
    seat: Seat,
    ids: Vec<(PooledId, Stand)>,
    open: Option<Open>,
    /// The newest cut.
    cut: CheckpointId,
    /// Rows that were not appended.
    waiting: Vec<Row>,
    is_open: bool,
    _records: PhantomData<fn(T)>,
}

impl<T> LogSink<T> {
    /// A sink that appends so many rows at once; at least one.
    #[must_use]
    pub fn new(batch: usize) -> Self {
        Self {
            batch: batch.max(1),
            seat: Seat::none(),
            ids: Vec::new(),
            open: None,
            cut: CheckpointId::default(),
            waiting: Vec::new(),
            is_open: false,
            _records: PhantomData,
        }
    }

    fn name(&self, PooledId { pool, number }: PooledId) -> String {
        format!("{}-{}-{}-{number}", self.seat.operator.0, pool.checkpoint, pool.index)
    }

    fn stand(&mut self, id: PooledId) -> Option<&mut Stand> {
        self.ids.iter_mut().find(|(known, _)| *known == id).map(|(_, stand)| stand)
    }

    /// Whether it has ids of this pool.
    fn has_pool(&self, pool: PoolId) -> bool {
        self.ids.iter().any(|(id, _)| id.pool == pool)
    }

    fn add_pool(&mut self, index: u16) {
        let pool = PoolId { checkpoint: self.seat.restored, index };
        let ids = (0..IDS).map(|number| PooledId { pool, number });
        self.ids.extend(ids.map(|id| (id, Stand::Beginning)));
    }

    fn prefix(&self) -> String {
        format!("{}-{}-", self.seat.operator.0, self.seat.restored)
    }

    fn list(&self, out: &mut SinkOutputs<'_, LogToken>) {
        out.ask(LogToken::List, &LogRequest::List { prefix: self.prefix() });
    }

    /// There may have been more subtasks in an attempt that failed before it had a checkpoint: the pools of those
    /// that are gone are taken over, also where nothing was written yet, for it may be on its way. Then every id is
    /// begun that is not promised.
    fn handle_listed(&mut self, writable: &[String], out: &mut SinkOutputs<'_, LogToken>) {
        for name in writable {
            let index = name.strip_prefix(&self.prefix()).and_then(|rest| rest.split('-').next());
            let Some(Ok(index)) = index.map(str::parse::<u16>) else { continue };
            let pool = PoolId { checkpoint: self.seat.restored, index };
            if self.seat.succeeds(index.into()) && !self.has_pool(pool) {
                self.add_pool(index);
            }
        }
        for (id, _) in self.ids.iter().filter(|(_, stand)| *stand == Stand::Beginning) {
            self.describe(*id, out);
        }
        self.open_if_begun(out);
    }

    fn describe(&self, id: PooledId, out: &mut SinkOutputs<'_, LogToken>) {
        let transactional_id = self.name(id);
        out.ask(LogToken::Describe(id), &LogRequest::Describe { transactional_id });
    }

    /// Begins an id that this producer has.
    fn begin(&mut self, id: PooledId, old: Option<Producer>, out: &mut SinkOutputs<'_, LogToken>) {
        let transactional_id = self.name(id);
        if let Some(stand) = self.stand(id) {
            *stand = Stand::Beginning;
            let begin = LogRequest::Begin { transactional_id, replaces: Replaces::Only(old) };
            out.ask_once(LogToken::Begin(id, old), &begin, ANSWER_TIMEOUT);
        }
    }

    fn handle_begun(
        &mut self,
        id: PooledId,
        producer: Producer,
        out: &mut SinkOutputs<'_, LogToken>,
    ) {
        if let Some(stand) = self.stand(id) {
            *stand = Stand::Free(producer);
        }
        self.append_full(out);
        self.open_if_begun(out);
    }

    fn open_if_begun(&mut self, out: &mut SinkOutputs<'_, LogToken>) {
        let is_begun = self.ids.iter().all(|(_, stand)| *stand != Stand::Beginning);
        if is_begun && !self.is_open {
            self.is_open = true;
            self.drop_surplus();
            out.opened();
        }
    }

    /// Ids that are free beyond those that are needed: older producers are fenced, and nobody writes with them again.
    fn drop_surplus(&mut self) {
        let mut free = 0;
        self.ids.retain(|(_, stand)| {
            let is_free = matches!(stand, Stand::Free(_));
            free += usize::from(is_free);
            !is_free || free <= usize::from(IDS)
        });
    }

    fn append_full(&mut self, out: &mut SinkOutputs<'_, LogToken>) {
        if self.waiting.len() >= self.batch {
            self.append(out);
        }
    }

    /// Appends what waits, if some id can take it.
    fn append(&mut self, out: &mut SinkOutputs<'_, LogToken>) {
        if self.waiting.is_empty() {
            return;
        }
        let free = self.ids.iter().find_map(|(id, stand)| match stand {
            Stand::Free(producer) => Some(Open { id: *id, producer: *producer, rows: 0 }),
            Stand::Beginning | Stand::Promised | Stand::Committed(..) => None,
        });
        let Some(open) = self.open.or(free) else { return };
        let Open { id, producer, rows: first } = open;
        let rows = std::mem::take(&mut self.waiting);
        self.open = Some(Open { rows: first + rows.len() as u64, ..open });
        let transactional_id = self.name(id);
        out.tell(&LogRequest::Append { transactional_id, producer, first, rows });
    }

    fn handle_flushed(
        &mut self,
        checkpoint: CheckpointId,
        rows: u64,
        answer: &LogAnswer,
        out: &mut SinkOutputs<'_, LogToken>,
    ) {
        let is_flushed = *answer == LogAnswer::Appended { rows };
        if is_flushed || out.has(Defect::RefusedFlushAcknowledged) {
            out.prepared(checkpoint);
        } else {
            out.fail(format!("the log has not taken all {rows} rows of {checkpoint}: {answer:?}"));
        }
    }

    fn handle_ended(
        &mut self,
        part: CommittableId,
        committable: &LogCommittable,
        answer: &LogAnswer,
        out: &mut SinkOutputs<'_, LogToken>,
    ) {
        let name = self.name(committable.id);
        if *answer != LogAnswer::Ended && !out.has(Defect::ExpiredCommitDropped) {
            return out
                .fail(format!("the log cannot commit what it promised in {name}: {answer:?}"));
        }
        out.committed(part);
        let (id, producer, cut) = (committable.id, committable.producer, self.cut);
        let keeps_epoch = out.has(Defect::EpochKeptAfterCommit);
        if let Some(stand) = self.stand(id) {
            let committed = Stand::Committed(producer, cut);
            *stand = if keeps_epoch { Stand::Free(producer) } else { committed };
        }
        if out.has(Defect::PooledIdRecycledEarly) {
            self.begin(id, Some(producer), out);
        }
        self.append_full(out);
    }
}

impl<T> Clone for LogSink<T> {
    fn clone(&self) -> Self {
        Self { ids: self.ids.clone(), waiting: self.waiting.clone(), ..*self }
    }
}

impl<T: Data> CommittingSink for LogSink<T> {
    type In = T;
    type Committable = LogCommittable;
    type State = LogState;
    type Token = LogToken;
    type Answer = LogAnswer;

    fn open(
        &mut self,
        opening: Opening<LogState, LogCommittable>,
        out: &mut SinkOutputs<'_, LogToken>,
    ) {
        self.seat = Seat::of(&opening);
        if out.has(Defect::LingeringTransactionsLeft) {
            self.seat.restored = opening.attempt.0.into();
        }
        self.cut = opening.checkpoint.unwrap_or_default();
        for state in opening.states {
            match state {
                LogState::Unpromised(id) => self.ids.push((id, Stand::Beginning)),
                LogState::Waiting(rows) => self.waiting.extend(rows),
            }
        }
        let aborts = out.has(Defect::PromisedAbortedAtOpen);
        let promised = if aborts { Stand::Beginning } else { Stand::Promised };
        self.ids.extend(opening.committables.into_iter().map(|promise| (promise.id, promised)));
        if self.ids.len() < usize::from(IDS) || out.has(Defect::LingeringTransactionsLeft) {
            self.add_pool(opening.index);
        }
        self.list(out);
    }

    fn write(&mut self, record: T, row: RowMaker, out: &mut SinkOutputs<'_, LogToken>) {
        self.waiting.push(row.of(&record));
        self.append_full(out);
    }

    fn pre_commit(
        &mut self,
        checkpoint: CheckpointId,
        out: &mut SinkOutputs<'_, LogToken>,
    ) -> Vec<LogCommittable> {
        self.cut = checkpoint;
        self.append(out);
        let Some(Open { id, producer, rows }) = self.open.take() else {
            out.prepared(checkpoint);
            return Vec::new();
        };
        if let Some(stand) = self.stand(id) {
            *stand = Stand::Promised;
        }
        let (transactional_id, first) = (self.name(id), rows);
        let flush = LogRequest::Append { transactional_id, producer, first, rows: Vec::new() };
        out.ask_in_order(LogToken::Flush(checkpoint, rows), &flush);
        vec![LogCommittable { id, producer }]
    }

    fn freeze(&self) -> Vec<LogState> {
        let unpromised = self.ids.iter().filter(|(_, stand)| *stand != Stand::Promised);
        let mut states: Vec<_> = unpromised.map(|(id, _)| LogState::Unpromised(*id)).collect();
        if !self.waiting.is_empty() {
            states.push(LogState::Waiting(self.waiting.clone()));
        }
        states
    }

    fn commit(&mut self, batch: Batch<LogCommittable>, out: &mut SinkOutputs<'_, LogToken>) {
        for (part, committable) in batch.parts {
            let (transactional_id, producer) = (self.name(committable.id), committable.producer);
            let end = LogRequest::End { transactional_id, producer, commit: true };
            out.ask(LogToken::Commit(part, committable), &end);
        }
    }

    fn handle_answer(
        &mut self,
        token: LogToken,
        answer: Result<LogAnswer, NoAnswer>,
        out: &mut SinkOutputs<'_, LogToken>,
    ) {
        match (token, answer) {
            (LogToken::List, Ok(LogAnswer::Listed(open))) => self.handle_listed(&open, out),
            (LogToken::Describe(id), Ok(LogAnswer::Described(producer))) => {
                self.begin(id, producer, out);
            }
            (LogToken::Begin(id, _), Ok(LogAnswer::Begun(producer))) => {
                self.handle_begun(id, producer, out);
            }
            (LogToken::Flush(checkpoint, rows), Ok(answer)) => {
                self.handle_flushed(checkpoint, rows, &answer, out);
            }
            (LogToken::Commit(part, committable), Ok(answer)) => {
                self.handle_ended(part, &committable, &answer, out);
            }
            (LogToken::Commit(part, _), Err(_)) if out.has(Defect::RefusedCommitConfirmed) => {
                out.committed(part);
            }
            (LogToken::Commit(part, _), Err(NoAnswer::Unavailable | NoAnswer::Unknown)) => {
                out.retry(part, AGAIN);
            }
            (token, Err(NoAnswer::Unavailable | NoAnswer::Unknown)) => out.wake(AGAIN, token),
            (LogToken::List, Ok(answer)) => {
                out.fail(format!("the log does not list open transactions: {answer:?}"));
            }
            (LogToken::Describe(id) | LogToken::Begin(id, _), Ok(answer)) => {
                out.fail(format!("the log does not begin {}: {answer:?}", self.name(id)));
            }
        }
    }

    fn handle_timer(&mut self, token: LogToken, out: &mut SinkOutputs<'_, LogToken>) {
        match token {
            LogToken::List => self.list(out),
            LogToken::Describe(id) => self.describe(id, out),
            LogToken::Begin(id, old) => self.begin(id, old, out),
            // What comes in order is answered, and a commit is handed over again.
            LogToken::Flush(..) | LogToken::Commit(..) => {}
        }
    }

    /// No attempt will commit again what was committed before the cut of a completed checkpoint.
    fn handle_outcome(
        &mut self,
        checkpoint: CheckpointId,
        outcome: CheckpointOutcome,
        out: &mut SinkOutputs<'_, LogToken>,
    ) {
        if outcome == CheckpointOutcome::Aborted {
            return;
        }
        for (id, stand) in self.ids.clone() {
            match stand {
                Stand::Committed(producer, cut) if cut < checkpoint => {
                    self.begin(id, Some(producer), out);
                }
                Stand::Committed(..) | Stand::Beginning | Stand::Free(_) | Stand::Promised => {}
            }
        }
    }

    fn is_settled(&self) -> bool {
        self.waiting.is_empty() && self.open.is_none()
    }
}

#[cfg(test)]
mod tests;
