//! The writing side of a sink: a buffer, transactions, and what becomes of them.

use super::super::message::{Message, SinkOperation};
use super::{Env, Phase, Purpose, Task};
use crate::dataflow::Record;
use crate::protocol::ordered::{VecMap, VecSet};
use crate::protocol::rescale::FormerName;
use crate::protocol::subtask::AsyncPart;
use crate::protocol::{
    Attempt, CheckpointId, CommitOutput, Defect, OperatorRole, ProcessId, TransactionId,
    TwoPhaseCommit,
};
use crate::trace::Event;

/// What a sink has not yet handed to the target, and its transactions.
#[derive(Clone, Debug)]
pub struct SinkWriter {
    /// Records not yet written to the target.
    buffer: Vec<Record>,
    /// Pre-commits under way, and whether each was confirmed. A snapshot holds what all earlier ones
    /// prepared: none is durable before they are.
    pre_commits: VecMap<CheckpointId, bool>,
    mode: Mode,
}

/// What happens to records at the target.
#[derive(Clone, Debug)]
enum Mode {
    /// Not known before the restore.
    Closed { transactional: bool },
    /// They become visible when their checkpoint completes.
    Transactional { commit: TwoPhaseCommit, written: u64, nonempty: VecSet<TransactionId> },
    /// They are visible at once.
    AtLeastOnce { producer: TransactionId, written: u64 },
}

impl SinkWriter {
    /// The writer of a subtask in this role, if it is a sink's.
    pub fn for_role(role: OperatorRole) -> Option<Self> {
        let transactional = match role {
            OperatorRole::Source | OperatorRole::Operator => return None,
            OperatorRole::TransactionalSink => true,
            OperatorRole::AtLeastOnceSink => false,
        };
        Some(Self {
            buffer: Vec::new(),
            pre_commits: VecMap::new(),
            mode: Mode::Closed { transactional },
        })
    }

    /// Takes records, and hands full batches to the target.
    pub fn write(&mut self, records: &mut Vec<Record>, env: &mut Env<'_>) {
        self.buffer.append(records);
        if self.buffer.len() >= env.settings.sink_batch as usize {
            self.flush(env);
        }
    }

    /// A pre-commit was confirmed: those that are durable by it, in order.
    fn confirm(&mut self, checkpoint: CheckpointId) -> Vec<CheckpointId> {
        if let Some(confirmed) = self.pre_commits.get_mut(&checkpoint) {
            *confirmed = true;
        }
        let mut durable = Vec::new();
        while let Some((first, _)) = self.pre_commits.pop_first_if(|_, confirmed| *confirmed) {
            durable.push(first);
        }
        durable
    }

    /// Hands what is buffered to the target, into the open transaction.
    fn flush(&mut self, env: &mut Env<'_>) {
        if self.buffer.is_empty() {
            return;
        }
        let room = Vec::with_capacity(self.buffer.len());
        let records = std::mem::replace(&mut self.buffer, room);
        let (transaction, transactional, written) = match &mut self.mode {
            Mode::Closed { .. } => return,
            Mode::Transactional { commit, written, .. } => (commit.open(), true, written),
            Mode::AtLeastOnce { producer, written } => (*producer, false, written),
        };
        let first = *written;
        *written += records.len() as u64;
        let message = Message::SinkWrite { transaction, transactional, first, records };
        env.outbox.send(ProcessId::SinkTarget, message);
    }

    /// Prepared and not known to be committed: what a snapshot must hold.
    pub fn uncommitted(&self) -> Vec<(CheckpointId, TransactionId)> {
        match &self.mode {
            Mode::Transactional { commit, .. } => commit.uncommitted().collect(),
            Mode::Closed { .. } | Mode::AtLeastOnce { .. } => Vec::new(),
        }
    }

    /// Whether everything written is visible, or will be when nothing more is done.
    pub fn is_settled(&self) -> bool {
        match &self.mode {
            Mode::Transactional { nonempty, .. } => nonempty.is_empty(),
            Mode::Closed { .. } | Mode::AtLeastOnce { .. } => true,
        }
    }
}

impl Task {
    /// The state is there: commit again what it holds prepared, and fence older producers.
    pub(super) fn open_sink(
        &mut self,
        restored: Vec<(CheckpointId, TransactionId)>,
        (since, former): (Attempt, Vec<FormerName>),
        env: &mut Env<'_>,
    ) {
        let (id, attempt, defects) = (self.id, self.attempt, self.defects);
        let Some(sink) = &mut self.sink else { return };
        let keep: Vec<_> = restored.iter().map(|(_, transaction)| *transaction).collect();
        sink.mode = match sink.mode {
            Mode::Closed { transactional: true } => Mode::Transactional {
                commit: TwoPhaseCommit::new(id, attempt, restored, defects),
                written: 0,
                nonempty: keep.iter().copied().collect(),
            },
            Mode::Closed { transactional: false } => {
                let producer = TransactionId { sink: id, attempt, number: 0 };
                Mode::AtLeastOnce { producer, written: 0 }
            }
            Mode::Transactional { .. } | Mode::AtLeastOnce { .. } => {
                unreachable!("a sink is opened once")
            }
        };
        self.phase = Phase::Fencing;
        let operation = SinkOperation::Fence { sink: id, attempt, keep, since, former };
        request(Purpose::Fence { subtask: id }, operation, env);
    }

    /// The target has fenced older producers (or, not accepting it, a newer attempt has fenced us).
    pub fn handle_fenced(&mut self, env: &mut Env<'_>) {
        if self.phase == Phase::Fencing {
            self.phase = Phase::Ready;
            self.carry_out_commits(env);
        }
    }

    /// The cut is here: what was written before it belongs to `checkpoint`.
    pub(super) fn pre_commit(&mut self, checkpoint: CheckpointId, env: &mut Env<'_>) {
        let (subtask, attempt) = (self.id, self.attempt);
        let Some(sink) = &mut self.sink else { return };
        sink.pre_commits.insert(checkpoint, false);
        match &mut sink.mode {
            Mode::Closed { .. } => {}
            Mode::Transactional { commit, .. } => {
                commit.handle_barrier(checkpoint);
                self.carry_out_commits(env);
            }
            Mode::AtLeastOnce { .. } => {
                sink.flush(env);
                let Mode::AtLeastOnce { written: records, .. } = sink.mode else { return };
                let operation = SinkOperation::Flush { sink: subtask, attempt, records };
                let purpose = Purpose::PreCommit { subtask, checkpoint };
                request(purpose, operation, env);
            }
        }
    }

    pub(super) fn commit_completed(&mut self, checkpoint: CheckpointId, env: &mut Env<'_>) {
        if let Some(SinkWriter { mode: Mode::Transactional { commit, .. }, .. }) = &mut self.sink {
            commit.handle_completed(checkpoint);
            self.carry_out_commits(env);
        }
    }

    fn carry_out_commits(&mut self, env: &mut Env<'_>) {
        while let Some(output) = self.poll_commit() {
            match output {
                // Done before the task was ready: nothing may be written ahead of it.
                CommitOutput::Fence => {}
                CommitOutput::PreCommit { transaction, checkpoint } => {
                    self.prepare(transaction, checkpoint, env);
                }
                CommitOutput::Commit { transaction, checkpoint } => {
                    env.outbox.event(Event::CommitRequested { transaction, checkpoint });
                    let purpose = Purpose::Commit { subtask: self.id, transaction };
                    request(purpose, SinkOperation::Commit { transaction }, env);
                }
            }
        }
    }

    fn poll_commit(&mut self) -> Option<CommitOutput> {
        match &mut self.sink.as_mut()?.mode {
            Mode::Transactional { commit, .. } => commit.poll_output(),
            Mode::Closed { .. } | Mode::AtLeastOnce { .. } => None,
        }
    }

    /// Flushes into `transaction`, which is no longer the open one, and prepares it.
    fn prepare(&mut self, transaction: TransactionId, checkpoint: CheckpointId, env: &mut Env<'_>) {
        let subtask = self.id;
        let flush = !self.defects.has(Defect::NoFlushAtBarrier);
        let Some(sink) = &mut self.sink else { return };
        let Mode::Transactional { written, nonempty, .. } = &mut sink.mode else { return };
        if flush && !sink.buffer.is_empty() {
            let (first, records) = (*written, std::mem::take(&mut sink.buffer));
            *written += records.len() as u64;
            let message = Message::SinkWrite { transaction, transactional: true, first, records };
            env.outbox.send(ProcessId::SinkTarget, message);
        }
        let records = std::mem::take(written);
        if records > 0 {
            nonempty.insert(transaction);
        }
        let operation = SinkOperation::Prepare { transaction, records };
        request(Purpose::PreCommit { subtask, checkpoint }, operation, env);
    }

    /// What was written before the barrier of `checkpoint` is durable.
    pub fn handle_pre_committed(&mut self, checkpoint: CheckpointId, env: &mut Env<'_>) {
        let durable = self.sink.as_mut().map_or(Vec::new(), |sink| sink.confirm(checkpoint));
        for checkpoint in durable {
            self.checkpoint.handle_part_durable(checkpoint, AsyncPart::PreCommit);
        }
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
        if let Some(SinkWriter { mode: Mode::Transactional { commit, nonempty, .. }, .. }) =
            &mut self.sink
        {
            commit.handle_committed(transaction);
            nonempty.remove(&transaction);
        }
    }
}

fn request(purpose: Purpose, operation: SinkOperation, env: &mut Env<'_>) {
    let message = |request| Message::Sink { request, operation };
    env.requests.send(env.now, ProcessId::SinkTarget, purpose, message, env.outbox);
}
