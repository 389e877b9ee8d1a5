//! The writing side of a sink: a buffer, and what it asks of its target.

use super::super::message::{Message, SinkOperation, ToSinkTarget};
use super::{Env, Phase, Purpose, Task};
use crate::dataflow::Record;
use crate::protocol::ordered::VecSet;
use crate::protocol::rescale::FormerName;
use crate::protocol::{Attempt, CheckpointId, Defect, OperatorRole, ProcessId, TransactionId};
use crate::trace::Event;

/// What a sink has not yet handed to the target, and what it has.
#[derive(Clone, Debug)]
pub struct SinkWriter {
    /// Whether records become visible with their transaction, or at once.
    transactional: bool,
    /// Records not yet written to the target.
    buffer: Vec<Record>,
    /// How many were written into the open transaction; in an at-least-once sink, in the attempt.
    written: u64,
    /// Transactions that hold records, and are not known to be committed.
    nonempty: VecSet<TransactionId>,
}

impl SinkWriter {
    /// The writer of a subtask in this role, if it is a sink's.
    pub fn for_role(role: OperatorRole) -> Option<Self> {
        let transactional = match role {
            OperatorRole::Source
            | OperatorRole::Operator
            | OperatorRole::CommittingSink
            | OperatorRole::ConvergingSink
            | OperatorRole::StagingWriter => return None,
            OperatorRole::TransactionalSink => true,
            OperatorRole::AtLeastOnceSink => false,
        };
        Some(Self { transactional, buffer: Vec::new(), written: 0, nonempty: VecSet::new() })
    }

    /// Takes records, and hands full batches to the target, into `open`.
    pub fn write(
        &mut self,
        records: &mut Vec<Record>,
        open: Option<TransactionId>,
        env: &mut Env<'_>,
    ) {
        self.buffer.append(records);
        if self.buffer.len() >= env.settings.sink_batch as usize {
            self.flush(open, env);
        }
    }

    /// Hands what is buffered to the target.
    fn flush(&mut self, open: Option<TransactionId>, env: &mut Env<'_>) {
        let Some(transaction) = open.filter(|_| !self.buffer.is_empty()) else { return };
        let room = Vec::with_capacity(self.buffer.len());
        let records = std::mem::replace(&mut self.buffer, room);
        let (first, transactional) = (self.written, self.transactional);
        self.written += records.len() as u64;
        let message =
            Message::SinkTarget(ToSinkTarget::Write { transaction, transactional, first, records });
        env.outbox.send(ProcessId::SinkTarget, message);
    }

    /// Whether everything written is visible, or will be when nothing more is done.
    pub fn is_settled(&self) -> bool {
        self.nonempty.is_empty()
    }
}

impl Task {
    /// The state is there: fence older producers, but for what it holds prepared.
    pub(super) fn open_sink(
        &mut self,
        restored: Vec<(CheckpointId, TransactionId)>,
        since: Attempt,
        former: Vec<FormerName>,
        env: &mut Env<'_>,
    ) {
        let (id, attempt) = (self.id, self.attempt);
        let Some(sink) = &mut self.sink else { return };
        let keep: Vec<_> = restored.iter().map(|(_, transaction)| *transaction).collect();
        if sink.transactional {
            sink.nonempty = keep.iter().copied().collect();
        }
        self.protocol.open_sink(id, attempt, restored);
        self.phase = Phase::Fencing;
        let operation = SinkOperation::Fence { sink: id, attempt, keep, since, former };
        request(Purpose::Fence { subtask: id }, operation, env);
    }

    /// The target has fenced older producers (or, not accepting it, a newer attempt has fenced us).
    pub fn handle_fenced(&mut self, env: &mut Env<'_>) {
        if self.phase == Phase::Fencing {
            self.phase = Phase::Ready;
            self.protocol.handle_fenced();
            self.carry_out(env);
        }
    }

    /// What was written before the cut of `checkpoint` is to be durable at the target.
    pub(super) fn flush_for(&mut self, checkpoint: CheckpointId, env: &mut Env<'_>) {
        if self.is_outside() {
            return self.pre_commit_outside(checkpoint, None, env);
        }
        let (subtask, attempt) = (self.id, self.attempt);
        let open = self.protocol.open_transaction();
        let Some(sink) = &mut self.sink else { return };
        sink.flush(open, env);
        let operation = SinkOperation::Flush { sink: subtask, attempt, records: sink.written };
        request(Purpose::PreCommit { subtask, checkpoint }, operation, env);
    }

    /// Flushes into `transaction`, which is no longer the open one, and prepares it.
    pub(super) fn prepare(
        &mut self,
        transaction: TransactionId,
        checkpoint: CheckpointId,
        env: &mut Env<'_>,
    ) {
        if self.is_outside() {
            return self.pre_commit_outside(checkpoint, Some(transaction), env);
        }
        let subtask = self.id;
        let flush = !self.defects.has(Defect::NoFlushAtBarrier);
        let Some(sink) = &mut self.sink else { return };
        if flush {
            sink.flush(Some(transaction), env);
        }
        let records = std::mem::take(&mut sink.written);
        if records > 0 {
            sink.nonempty.insert(transaction);
        }
        let operation = SinkOperation::Prepare { transaction, records };
        request(Purpose::PreCommit { subtask, checkpoint }, operation, env);
    }

    /// Asks the target to make what was prepared visible.
    pub(super) fn commit(
        &mut self,
        transaction: TransactionId,
        checkpoint: CheckpointId,
        env: &mut Env<'_>,
    ) {
        if self.is_outside() {
            return self.commit_outside(transaction, checkpoint, env);
        }
        env.outbox.event(Event::CommitRequested { transaction, checkpoint });
        let purpose = Purpose::Commit { subtask: self.id, transaction };
        request(purpose, SinkOperation::Commit { transaction }, env);
    }

    /// What was written before the barrier of `checkpoint` is durable.
    pub fn handle_pre_committed(&mut self, checkpoint: CheckpointId, env: &mut Env<'_>) {
        self.protocol.handle_pre_committed(checkpoint);
        self.carry_out(env);
    }

    /// The target refused a commit: the attempt fails, and what was promised stays in the state, so that it is
    /// committed again after the restart.
    pub fn handle_refused(
        &mut self,
        transaction: TransactionId,
        env: &mut Env<'_>,
    ) -> Result<(), String> {
        if self.defects.has(Defect::RefusedCommitForgotten) {
            self.handle_committed(transaction);
            return Ok(());
        }
        if self.defects.has(Defect::RefusedCommitGivenUp) {
            self.give_up_restored(env);
        }
        Err(format!("the sink target does not commit {transaction}"))
    }

    /// What earlier attempts have promised is aborted.
    fn give_up_restored(&self, env: &mut Env<'_>) {
        let (sink, attempt, since) = (self.id, self.attempt, Attempt(0));
        let (keep, former) = (Vec::new(), Vec::new());
        let operation = SinkOperation::Fence { sink, attempt, keep, since, former };
        request(Purpose::Fence { subtask: sink }, operation, env);
    }

    /// The target confirmed the commit.
    pub fn handle_committed(&mut self, transaction: TransactionId) {
        self.protocol.handle_committed(transaction);
        if let Some(sink) = &mut self.sink {
            sink.nonempty.remove(&transaction);
        }
    }
}

fn request(purpose: Purpose, operation: SinkOperation, env: &mut Env<'_>) {
    let message = |request| Message::SinkTarget(ToSinkTarget::Operation { request, operation });
    env.requests.send(env.now, ProcessId::SinkTarget, purpose, message, env.outbox);
}
