//! A task's part in checkpoints: hands its protocol what it hears, and carries out what that wants done.

use std::time::Duration;

use super::super::buffers::Parcel;
use super::super::io::{Outbox, TaskTimer};
use super::super::message::{Message, ToCoordinator};
use super::{Env, Task};
use crate::dataflow::CheckpointOutcome;
use crate::protocol::{
    Attempt, Barrier, CheckpointId, Defect, Element, Passage, ProcessId, ProtocolStep, SubtaskId,
    SubtaskOutput,
};
use crate::trace::Event;

impl Task {
    /// What the subtask has decided, in order: it waits for nothing.
    pub(super) fn carry_out(&mut self, env: &mut Env<'_>) {
        while let Some(output) = self.protocol.poll_step() {
            self.handle_output(output, env);
        }
    }

    /// What was decided is carried out, and then the task goes on as far as it can.
    fn carry_on(&mut self, env: &mut Env<'_>) {
        self.carry_out(env);
        self.run(env);
    }

    /// One thing that the protocol wants done.
    #[inline]
    pub(super) fn handle_output(&mut self, output: SubtaskOutput<Parcel>, env: &mut Env<'_>) {
        match output {
            SubtaskOutput::Process { input, item } => self.take(input, item, env),
            other => self.handle_marker(other, env),
        }
    }

    /// Whatever is no item.
    #[cold]
    fn handle_marker(&mut self, output: SubtaskOutput<Parcel>, env: &mut Env<'_>) {
        let (subtask, attempt) = (self.id, self.attempt);
        match output {
            SubtaskOutput::Process { input, item } => self.take(input, item, env),
            SubtaskOutput::EndInput { input } => self.end_channel(input, env),
            SubtaskOutput::End => self.end_when_answered(env),
            SubtaskOutput::EndSource => self.end_early(env),
            SubtaskOutput::Post(barrier) => {
                env.outbox.schedule(TaskTimer::Mail { barrier }.of(subtask, attempt));
            }
            SubtaskOutput::Watch(barrier) => self.watch(barrier, env),
            SubtaskOutput::Forward(barrier) => self.forward(barrier, env),
            SubtaskOutput::Hurry(checkpoint) => self.hurry(checkpoint, env),
            SubtaskOutput::Cancel(checkpoint) => {
                self.outputs.broadcast(&Element::Cancel(checkpoint), env.outbox);
            }
            SubtaskOutput::Flush(checkpoint) => self.flush_for(checkpoint, env),
            SubtaskOutput::PreCommit { transaction, checkpoint } => {
                self.prepare(transaction, checkpoint, env);
            }
            SubtaskOutput::Commit { transaction, checkpoint } => {
                self.commit(transaction, checkpoint, env);
            }
            SubtaskOutput::Freeze(checkpoint) => self.take_snapshot(checkpoint, env),
            SubtaskOutput::Persist { checkpoint, captured } => {
                self.persist(checkpoint, captured, env);
            }
            SubtaskOutput::Acknowledge(checkpoint) => self.acknowledge(checkpoint, env),
            SubtaskOutput::Decline(checkpoint, reason) => {
                env.outbox.event(Event::Declined { subtask, attempt, checkpoint });
                let message = Message::Coordinator(ToCoordinator::Decline {
                    attempt,
                    subtask,
                    checkpoint,
                    reason,
                });
                env.outbox.send(ProcessId::Coordinator, message);
            }
            SubtaskOutput::Discard(checkpoint) => self.discard(checkpoint, env),
            SubtaskOutput::Step(step) => self.tell_step(step, env.outbox),
        }
    }

    /// A step of the protocol, as a trace tells it; nobody is told what changes nothing yet.
    fn tell_step(&self, step: ProtocolStep, outbox: &mut dyn Outbox) {
        let (subtask, attempt) = (self.id, self.attempt);
        let inputs = self.side.inputs();
        let channel = |input: usize| inputs[input].id();
        outbox.event(match step {
            ProtocolStep::BarrierSeen { input, checkpoint } => {
                inputs[input].barrier_seen(attempt, checkpoint)
            }
            ProtocolStep::BarrierOvertook { input, checkpoint } => {
                inputs[input].barrier_overtook(attempt, checkpoint)
            }
            ProtocolStep::CancelSeen { input, checkpoint } => {
                inputs[input].cancel_seen(attempt, checkpoint)
            }
            ProtocolStep::Blocked { input, checkpoint } => {
                Event::ChannelBlocked { channel: channel(input), attempt, checkpoint }
            }
            ProtocolStep::Unblocked { input, checkpoint } => {
                Event::ChannelUnblocked { channel: channel(input), attempt, checkpoint }
            }
            ProtocolStep::AlignmentStarted(checkpoint) => {
                Event::AlignmentStarted { subtask, attempt, checkpoint }
            }
            ProtocolStep::AlignmentCompleted(checkpoint) => {
                Event::AlignmentCompleted { subtask, attempt, checkpoint }
            }
            ProtocolStep::AlignmentOvertaken(checkpoint) => {
                Event::AlignmentOvertaken { subtask, attempt, checkpoint }
            }
            ProtocolStep::AlignmentAborted(checkpoint) => {
                Event::AlignmentAborted { subtask, attempt, checkpoint }
            }
            ProtocolStep::SnapshotDurable(checkpoint) => {
                Event::SnapshotDurable { subtask, attempt, checkpoint }
            }
            ProtocolStep::Announced(_) | ProtocolStep::CaptureAbandoned(_) => return,
        });
    }

    /// A barrier leaves: in its place, or past what waits for credit.
    fn forward(&mut self, barrier: Barrier, env: &mut Env<'_>) {
        let checkpoint = barrier.checkpoint;
        self.stage(Some(checkpoint), env);
        for (output, parcels) in self.outputs.broadcast_barrier(barrier, env.outbox) {
            self.protocol.handle_overtaken(checkpoint, output, parcels);
        }
        if self.outputs.is_stalled() {
            self.protocol.handle_waiting(barrier);
        }
        self.look_for_forwarded();
    }

    /// Where a barrier still waits, it goes ahead.
    fn hurry(&mut self, checkpoint: CheckpointId, env: &mut Env<'_>) {
        for (output, parcels) in self.outputs.hurry(checkpoint, env.outbox) {
            if self.defects.has(Defect::OvertakenListedTwice) {
                self.protocol.handle_overtaken(checkpoint, output, parcels.clone());
            }
            self.protocol.handle_overtaken(checkpoint, output, parcels);
        }
        self.look_for_forwarded();
    }

    /// Whether barriers have left every output queue: what they overtook there is known then.
    pub(super) fn look_for_forwarded(&mut self) {
        loop {
            let mut forwarding = self.protocol.forwarding();
            let left = forwarding.find(|checkpoint| !self.outputs.owes(*checkpoint));
            drop(forwarding);
            let Some(checkpoint) = left else { return };
            self.protocol.handle_forwarded(checkpoint);
        }
    }

    /// Wakes up when the time of a barrier in its place is over, but no later than it could be over if
    /// it were triggered now: a clock that is behind delays it, and does not lose it.
    fn watch(&self, barrier: Barrier, env: &mut Env<'_>) {
        let Passage::InOrderUntil(at) = barrier.passage else { return };
        let longest = Duration::from_millis(env.settings.checkpoints.aligned_timeout_ms.max(1));
        let timer = TaskTimer::Overdue { barrier }.of(self.id, self.attempt);
        env.outbox.set_timer((at - env.now).min(longest), timer);
    }

    /// A trigger by message, perhaps of a savepoint.
    pub fn handle_trigger(&mut self, barrier: Barrier, env: &mut Env<'_>) {
        self.protocol.handle_trigger(barrier);
        self.carry_on(env);
    }

    /// The time of a barrier in its place is over.
    pub fn handle_overdue(&mut self, barrier: Barrier, env: &mut Env<'_>) {
        self.protocol.handle_overdue(barrier, env.now);
        self.carry_on(env);
    }

    /// The mailbox has come to this barrier.
    pub fn handle_mail(&mut self, barrier: Barrier, env: &mut Env<'_>) {
        if self.defects.has(Defect::MailWaitsForIdle) && self.side.is_reading() {
            let mail = TaskTimer::Mail { barrier }.of(self.id, self.attempt);
            return env.outbox.set_timer(Duration::from_millis(1), mail);
        }
        if !self.await_all(barrier) {
            self.protocol.handle_mail(barrier);
        }
        self.carry_on(env);
    }

    /// The coordinator says that `checkpoint` completed; it said so to `sent_to`.
    pub fn handle_completed(
        &mut self,
        checkpoint: CheckpointId,
        sent_to: Attempt,
        env: &mut Env<'_>,
    ) {
        let (subtask, attempt) = (self.id, self.attempt);
        env.outbox.event(Event::CompletionLearned { subtask, attempt, checkpoint, sent_to });
        self.forget_completed(checkpoint, env);
        self.protocol.handle_completed(checkpoint);
        self.tell_outcome(checkpoint, CheckpointOutcome::Completed, env);
        self.carry_on(env);
    }

    /// The coordinator says that `checkpoint` was aborted.
    pub fn handle_aborted(&mut self, checkpoint: CheckpointId, env: &mut Env<'_>) {
        let (subtask, attempt) = (self.id, self.attempt);
        env.outbox.event(Event::AbortLearned { subtask, attempt, checkpoint });
        if self.defects.has(Defect::AbortFailsSubtask) {
            self.fail(format!("{checkpoint} was aborted"));
        }
        self.protocol.handle_aborted(checkpoint);
        self.give_up_cut(checkpoint);
        self.tell_outcome(checkpoint, CheckpointOutcome::Aborted, env);
        self.carry_on(env);
    }

    /// The savepoint that the job stops at has completed: nothing is left to do but to commit.
    pub fn handle_stopped(&mut self, checkpoint: CheckpointId, env: &mut Env<'_>) {
        if self.protocol.handle_stopped() {
            self.handle_completed(checkpoint, self.attempt, env);
        }
    }

    /// Whether it has nothing left to do.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.protocol.is_finished()
    }

    /// Nothing is on the loops of these subtasks, and nothing will be.
    pub fn handle_loops_over(&mut self, over: &[SubtaskId], env: &mut Env<'_>) {
        if over.contains(&self.id) {
            self.protocol.handle_loop_over();
            self.run(env);
        }
    }
}
