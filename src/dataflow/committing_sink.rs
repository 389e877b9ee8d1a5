//! Sinks whose protocol is the user's: what is prepared, committed, aborted and recovered, and how.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::data::{Data, encode};
use super::outside::{Ask, Numbers, SinkStep};
use super::record::Outputs;
use crate::external::Row;
use crate::protocol::{
    Attempt, CheckpointId, Defect, DefectSet, LineageId, OperatorId, TransactionId, VirtualTime,
};

/// A sink that commits on completion, after Flink's `TwoPhaseCommittingSink` (FLIP-143, FLIP-191), as a plain state
/// machine: the engine calls it, and what it wants done it puts into `out`, in order. It never waits.
///
/// What the engine sees to:
///
/// - [`pre_commit`](Self::pre_commit) comes at the cut of a checkpoint, before [`freeze`](Self::freeze). What it
///   gives is in the snapshot; the checkpoint is acknowledged once the sink has said
///   [`prepared`](SinkOutputs::prepared).
/// - [`commit`](Self::commit) comes when the checkpoint, *or a later one*, has completed: an aborted checkpoint's
///   committables are part of the next one that completes. It comes again after each restore whose checkpoint holds
///   them, since the attempt before may have committed, and not lived to hear of it. So it must be idempotent, or
///   ask the system first.
/// - After a restore [`open`](Self::open) comes first, with the state, and before anything is committed again:
///   there is the place to fence older producers and to abort what they left, *but for what is in the
///   committables of any subtask*.
/// - Committables and states are lists: at a restore in another parallelism their elements are dealt out in turns,
///   so a subtask may be given those of others.
///
/// What the sink sees to: everything between it and the system. Requests may be lost, late, doubled and overtaken,
/// and outlive their client. A sink that breaks these rules fails its own subtask, by name.
pub trait CommittingSink: Clone + Send + Sync + 'static {
    /// What it takes.
    type In: Data;
    /// What is promised at a cut, and kept on completion.
    type Committable: Data;
    /// What it must know after a restore, beside the committables; `()` if nothing.
    type State: Data;
    /// What a request or a timer is for; the answer comes back with it.
    type Token: Clone + fmt::Debug + Send + Sync + 'static;
    /// What the system answers.
    type Answer: DeserializeOwned;

    /// The subtask begins; nothing is written before it has said [`opened`](SinkOutputs::opened).
    fn open(
        &mut self,
        opening: Opening<Self::State, Self::Committable>,
        out: &mut SinkOutputs<'_, Self::Token>,
    );

    /// Takes a record. `row` makes rows of it that keep its origin.
    fn write(&mut self, record: Self::In, row: RowMaker, out: &mut SinkOutputs<'_, Self::Token>);

    /// The cut of `checkpoint` is here: what was written before belongs to it. Sooner or later the sink says
    /// [`prepared`](SinkOutputs::prepared), once what it promises here is durable. Where nothing was written it
    /// promises nothing: a job finishes with the first checkpoint for which that is so everywhere.
    fn pre_commit(
        &mut self,
        checkpoint: CheckpointId,
        out: &mut SinkOutputs<'_, Self::Token>,
    ) -> Vec<Self::Committable>;

    /// What the snapshot holds of it, beside the committables.
    fn freeze(&self) -> Vec<Self::State>;

    /// Make these visible. Of each the sink says [`committed`](SinkOutputs::committed) in the end, or
    /// [`retry`](SinkOutputs::retry), and may say so at once.
    fn commit(&mut self, batch: Batch<Self::Committable>, out: &mut SinkOutputs<'_, Self::Token>);

    /// An answer came, or it will not.
    fn handle_answer(
        &mut self,
        token: Self::Token,
        answer: Result<Self::Answer, NoAnswer>,
        out: &mut SinkOutputs<'_, Self::Token>,
    );

    /// A timer that it has set is due.
    fn handle_timer(&mut self, token: Self::Token, out: &mut SinkOutputs<'_, Self::Token>);

    /// The coordinator says what became of a checkpoint; it may be late, or never be heard. After a completion what
    /// is to be committed has been handed over by [`commit`](Self::commit); nothing need be done here, but what was
    /// committed before the cut of this checkpoint will not be committed again by any attempt.
    fn handle_outcome(
        &mut self,
        checkpoint: CheckpointId,
        outcome: CheckpointOutcome,
        out: &mut SinkOutputs<'_, Self::Token>,
    );

    /// Whether everything written is visible, or in a committable: a job whose input has ended finishes only then.
    fn is_settled(&self) -> bool;
}

/// The first stage of a sink with a global committer: it writes, and what it promises at a cut goes downstream as
/// records, ahead of the barrier, to the one subtask that commits (Flink's `SupportsPreCommitTopology`, Iceberg's
/// `IcebergStreamWriter`).
///
/// What is emitted for a checkpoint has arrived at the committer when that takes its own cut, unless the barrier
/// may overtake: then it comes a checkpoint later.
pub trait StagingWriter: Clone + Send + Sync + 'static {
    /// What it takes.
    type In: Data;
    /// What it promises at a cut.
    type Staged: Data;
    /// What it must know after a restore; `()` if nothing.
    type State: Data;
    /// What a request or a timer is for.
    type Token: Clone + fmt::Debug + Send + Sync + 'static;
    /// What the system answers.
    type Answer: DeserializeOwned;

    /// The subtask begins; nothing is written before it has said [`opened`](SinkOutputs::opened).
    fn open(&mut self, opening: Opening<Self::State, ()>, out: &mut SinkOutputs<'_, Self::Token>);

    /// Takes a record. `row` makes rows of it that keep its origin.
    fn write(&mut self, record: Self::In, row: RowMaker, out: &mut SinkOutputs<'_, Self::Token>);

    /// The barrier of `checkpoint` is about to leave, or all input has ended and there is no barrier any more: what
    /// was written before is staged. What is given goes downstream at once.
    fn stage(
        &mut self,
        checkpoint: Option<CheckpointId>,
        out: &mut SinkOutputs<'_, Self::Token>,
    ) -> Vec<Self::Staged>;

    /// The cut of `checkpoint` is here. Once everything staged before is durable, the writer says
    /// [`prepared`](SinkOutputs::prepared).
    fn flush(&mut self, checkpoint: CheckpointId, out: &mut SinkOutputs<'_, Self::Token>);

    /// What the snapshot holds of it.
    fn freeze(&self) -> Vec<Self::State>;

    /// An answer came, or it will not.
    fn handle_answer(
        &mut self,
        token: Self::Token,
        answer: Result<Self::Answer, NoAnswer>,
        out: &mut SinkOutputs<'_, Self::Token>,
    );

    /// A timer that it has set is due.
    fn handle_timer(&mut self, token: Self::Token, out: &mut SinkOutputs<'_, Self::Token>);
}

/// What became of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckpointOutcome {
    /// It completed, and with it all earlier ones of the attempt: no restore goes back behind it.
    Completed,
    /// It was given up. What was promised for it is *not* void: its records are part of the next that completes.
    Aborted,
}

/// Who begins, and with what.
#[derive(Clone, Debug)]
pub struct Opening<S, C> {
    /// The operator.
    pub operator: OperatorId,
    /// Which of its subtasks, from 0.
    pub index: u16,
    /// How many there are.
    pub parallelism: u16,
    /// Which attempt of the job.
    pub attempt: Attempt,
    /// The checkpoint that it starts from, if any.
    pub checkpoint: Option<CheckpointId>,
    /// The states that fall to it.
    pub states: Vec<S>,
    /// The committables that fall to it, oldest first; [`CommittingSink::commit`] comes for them by itself, once the
    /// sink has opened.
    pub committables: Vec<C>,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// The system says that it did nothing, and that asking again later may help. An earlier copy of a request that
    /// is sent until it is answered may have been carried out.
    Unavailable,
    /// None came in time. The request may have been carried out, may be carried out yet, or never.
    Unknown,
}

/// Which committable, in what the engine keeps of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommittableId {
    pub(crate) transaction: TransactionId,
    pub(crate) index: u16,
}

/// What is to be committed together: all that one `pre_commit` gave and is not known to be committed.
#[derive(Clone, Debug)]
pub struct Batch<C> {
    /// The checkpoint at whose cut it was given.
    pub checkpoint: CheckpointId,
    /// The committables, in the order in which they were given.
    pub parts: Vec<(CommittableId, C)>,
}

/// Makes rows that keep the origin of the record which they are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowMaker {
    pub(crate) operator: OperatorId,
    pub(crate) lineage: LineageId,
    pub(crate) timestamp: i64,
}

impl RowMaker {
    /// A row that holds `content`, encoded as records are.
    ///
    /// # Panics
    ///
    /// When the type's `Serialize` refuses.
    #[must_use]
    pub fn of<T: Serialize>(self, content: &T) -> Row {
        let payload = encode(content).to_vec();
        Row { operator: self.operator, lineage: self.lineage, payload }
    }

    /// The event time of the record.
    #[must_use]
    pub fn timestamp(self) -> i64 {
        self.timestamp
    }
}

/// Takes what a sink wants done, in order.
pub struct SinkOutputs<'a, T> {
    pub(crate) defects: DefectSet,
    pub(crate) numbers: &'a mut Numbers<T>,
    pub(crate) out: &'a mut Outputs,
}

impl<T> SinkOutputs<'_, T> {
    /// Asks the system, alone: the request may be late, lost, doubled and overtaken. It is sent again until an answer
    /// comes, so it may be carried out several times.
    pub fn ask<R: Serialize>(&mut self, token: T, request: &R) {
        self.send(token, request, Ask { in_order: false, within: None });
    }

    /// Asks the system behind everything that was [told](Self::tell) before; sent again until an answer comes.
    pub fn ask_in_order<R: Serialize>(&mut self, token: T, request: &R) {
        self.send(token, request, Ask { in_order: true, within: None });
    }

    /// Asks the system, alone, and once. Without an answer within this time the outcome is
    /// [`NoAnswer::Unknown`]; an answer that comes later is dropped.
    pub fn ask_once<R: Serialize>(&mut self, token: T, request: &R, within: Duration) {
        self.send(token, request, Ask { in_order: false, within: Some(within) });
    }

    /// Tells the system something that it does not answer, over a connection: in order, and not lost as long as the
    /// attempt lives.
    pub fn tell<R: Serialize>(&mut self, request: &R) {
        self.out.steps.push(SinkStep::Tell { bytes: encoded(request) });
    }

    /// Sets a timer. None can be taken back.
    pub fn wake(&mut self, after: Duration, token: T) {
        let number = self.numbers.note(token);
        self.out.steps.push(SinkStep::Wake { number, after });
    }

    /// Older producers are fenced, and what they left is settled: records may come.
    pub fn opened(&mut self) {
        self.out.steps.push(SinkStep::Opened);
    }

    /// What was promised for this checkpoint is durable.
    pub fn prepared(&mut self, checkpoint: CheckpointId) {
        self.out.steps.push(SinkStep::Prepared(checkpoint));
    }

    /// This committable is visible for good.
    pub fn committed(&mut self, part: CommittableId) {
        self.out.steps.push(SinkStep::Committed(part));
    }

    /// Not yet: hand me this committable again after this long.
    pub fn retry(&mut self, part: CommittableId, after: Duration) {
        self.out.steps.push(SinkStep::RetryCommit { part, after });
    }

    /// The subtask cannot go on: the attempt fails, and the job goes back to its newest checkpoint.
    pub fn fail(&mut self, reason: impl Into<String>) {
        self.out.steps.push(SinkStep::Failed(reason.into()));
    }

    /// Now, as the clock of this worker has it.
    #[must_use]
    pub fn now(&self) -> VirtualTime {
        self.out.now
    }

    /// Whether a seeded bug of a ready-made sink is switched on.
    pub(crate) fn has(&self, defect: Defect) -> bool {
        self.defects.has(defect)
    }

    fn send<R: Serialize>(&mut self, token: T, request: &R, ask: Ask) {
        let number = self.numbers.note(token);
        self.out.steps.push(SinkStep::Ask { number, bytes: encoded(request), ask });
    }
}

fn encoded<R: Serialize>(request: &R) -> Vec<u8> {
    encode(request).to_vec()
}
