//! The driving of a sink that speaks with an external system: what it wants done, and what it hears.

use super::super::io::{SinkTimer, TaskTimer};
use super::super::message::{Message, RequestId, ToSinkTarget};
use super::{Env, Phase, Purpose, Task};
use crate::dataflow::{
    Ask, CheckpointOutcome, CommittableId, Heard, Outputs, OutsideTask, SinkStep,
};
use crate::protocol::{CheckpointId, Defect, ProcessId, TransactionId};
use crate::trace::Event;

/// How many steps one input of a sink may lead to, what they lead to included: a sink that answers itself for ever
/// is a bug of the sink, and told.
const STEPS_MAX: usize = 1 << 16;

impl Task {
    /// Whether it speaks with an external system.
    pub(super) fn is_outside(&self) -> bool {
        self.is_outside
    }

    /// The state is there: the sink begins, and says when records may come.
    pub(super) fn open_outside(&mut self, checkpoint: Option<CheckpointId>, env: &mut Env<'_>) {
        let (id, attempt) = (self.id, self.attempt);
        let restored = self.subtask.outside().map_or_else(Vec::new, |sink| sink.restored());
        self.protocol.open_sink(id, attempt, restored);
        self.phase = Phase::Fencing;
        self.drive(env, |sink, out| sink.open(attempt, checkpoint, out));
    }

    /// What is staged goes ahead of the barrier, or of the end.
    pub(super) fn stage(&mut self, checkpoint: Option<CheckpointId>, env: &mut Env<'_>) {
        if self.is_outside {
            self.drive(env, |sink, out| sink.stage(checkpoint, out));
        }
    }

    /// The cut is here: the sink promises what was written before it.
    pub(super) fn pre_commit_outside(
        &mut self,
        checkpoint: CheckpointId,
        transaction: Option<TransactionId>,
        env: &mut Env<'_>,
    ) {
        self.drive(env, |sink, out| sink.pre_commit(checkpoint, transaction, out));
    }

    /// What was promised is to be made visible; where nothing was promised, nobody asks for anything.
    pub(super) fn commit_outside(
        &mut self,
        transaction: TransactionId,
        checkpoint: CheckpointId,
        env: &mut Env<'_>,
    ) {
        if !self.subtask.outside().is_some_and(|sink| sink.holds(transaction)) {
            return self.protocol.handle_committed(transaction);
        }
        env.outbox.event(Event::CommitRequested { transaction, checkpoint });
        self.drive(env, |sink, out| sink.commit(transaction, out));
    }

    /// The sink hears what became of a checkpoint, behind the commits that follow from it.
    pub(super) fn tell_outcome(
        &mut self,
        checkpoint: CheckpointId,
        outcome: CheckpointOutcome,
        env: &mut Env<'_>,
    ) {
        if self.is_outside {
            self.carry_out(env);
            self.drive(env, |sink, out| sink.settle(checkpoint, outcome, out));
        }
    }

    /// The system was heard, or was not in time.
    pub fn handle_heard(&mut self, number: u64, heard: Heard, env: &mut Env<'_>) {
        let mut problem = None;
        self.drive(env, |sink, out| problem = sink.handle_heard(number, heard, out).err());
        if let Some(problem) = problem {
            self.fail(problem);
        }
        self.run(env);
    }

    /// A timer of the sink is due.
    pub fn handle_sink_timer(&mut self, number: u64, env: &mut Env<'_>) {
        self.drive(env, |sink, out| sink.handle_timer(number, out));
        self.run(env);
    }

    /// A request has waited long enough for its answer: its outcome is unknown.
    pub fn handle_unanswered(&mut self, request: u64, env: &mut Env<'_>) {
        if let Some(Purpose::Outside { number, .. }) = env.requests.answered(RequestId(request)) {
            self.handle_heard(number, Heard::Nothing, env);
        }
    }

    /// A committable is to be handed over again.
    pub fn handle_retry_commit(&mut self, transaction: TransactionId, env: &mut Env<'_>) {
        self.drive(env, |sink, out| sink.commit(transaction, out));
        self.run(env);
    }

    fn drive(&mut self, env: &mut Env<'_>, call: impl FnOnce(&mut dyn OutsideTask, &mut Outputs)) {
        self.produced.now = env.now;
        self.subtask.drive(&mut self.produced, call);
        self.deliver(env);
    }

    /// What the sink wants done, in order; what that leads to comes behind.
    #[cold]
    pub(super) fn carry_out_steps(&mut self, env: &mut Env<'_>) {
        if self.carries_out {
            return; // Whoever carries out now goes on with these.
        }
        self.carries_out = true;
        for count in 0.. {
            let steps = std::mem::take(&mut self.produced.steps);
            if steps.is_empty() {
                break;
            }
            if count > STEPS_MAX {
                self.fail(format!("it wants more than {STEPS_MAX} things done at once"));
                break;
            }
            steps.into_iter().for_each(|step| self.carry_out_step(step, env));
        }
        self.carries_out = false;
    }

    fn carry_out_step(&mut self, step: SinkStep, env: &mut Env<'_>) {
        let (subtask, attempt) = (self.id, self.attempt);
        match step {
            SinkStep::Ask { number, bytes, ask } => self.ask_outside(number, bytes, ask, env),
            SinkStep::Tell { bytes } => {
                let message = Message::SinkTarget(ToSinkTarget::Tell { bytes });
                env.outbox.send(ProcessId::SinkTarget, message);
            }
            SinkStep::Wake { number, after } => {
                let timer = TaskTimer::Sink(SinkTimer::Due { number });
                env.outbox.set_timer(after, timer.of(subtask, attempt));
            }
            SinkStep::Opened => self.handle_opened(env),
            SinkStep::Prepared(checkpoint) => self.handle_prepared(checkpoint, env),
            SinkStep::Committed(part) => self.handle_visible(part),
            SinkStep::RetryCommit { part, after } => {
                self.hold_against(|sink| sink.put_off(part));
                let CommittableId { transaction, .. } = part;
                let timer = TaskTimer::Sink(SinkTimer::RetryCommit { transaction });
                if !self.defects.has(Defect::CommitRetryForgotten) {
                    env.outbox.set_timer(after, timer.of(subtask, attempt));
                }
            }
            SinkStep::Failed(reason) => self.fail(reason),
        }
    }

    fn ask_outside(&mut self, number: u64, bytes: Vec<u8>, ask: Ask, env: &mut Env<'_>) {
        let (subtask, attempt) = (self.id, self.attempt);
        let purpose = Purpose::Outside { subtask, number };
        let Ask { in_order, within } = ask;
        let message = |request| Message::SinkTarget(ToSinkTarget::Ask { request, in_order, bytes });
        let (now, to) = (env.now, ProcessId::SinkTarget);
        match within {
            None => env.requests.send(now, to, purpose, message, env.outbox),
            Some(within) => {
                let request = env.requests.send_once(to, purpose, message, env.outbox).0;
                let timer = TaskTimer::Sink(SinkTimer::Unanswered { request });
                env.outbox.set_timer(within, timer.of(subtask, attempt));
            }
        }
    }

    fn handle_opened(&mut self, env: &mut Env<'_>) {
        match self.phase {
            Phase::Fencing => self.handle_fenced(env),
            Phase::Restoring | Phase::Ready | Phase::Running | Phase::Ended => {
                self.fail("it says that it is open, and nobody waits for that".to_owned());
            }
        }
    }

    fn handle_prepared(&mut self, checkpoint: CheckpointId, env: &mut Env<'_>) {
        if self.hold_against(|sink| sink.confirm_prepared(checkpoint)).is_some() {
            self.handle_pre_committed(checkpoint, env);
        }
    }

    fn handle_visible(&mut self, part: CommittableId) {
        if self.hold_against(|sink| sink.confirm_committed(part)) == Some(true) {
            self.protocol.handle_committed(part.transaction);
        }
    }

    /// What the sink says is held against what it was asked for.
    fn hold_against<T>(
        &mut self,
        judge: impl FnOnce(&mut dyn OutsideTask) -> Result<T, String>,
    ) -> Option<T> {
        match judge(self.subtask.outside()?) {
            Ok(held) => Some(held),
            Err(problem) => {
                self.fail(problem);
                None
            }
        }
    }
}
