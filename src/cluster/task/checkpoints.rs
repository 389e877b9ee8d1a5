//! A task's part in checkpoints: what its gate says of barriers, and what the coordinator says.

use std::time::Duration;

use super::super::buffers::Parcel;
use super::super::process::{Outbox, Timer};
use super::{Env, Task};
use crate::protocol::{
    Attempt, Barrier, CheckpointId, Defect, Element, GateOutput, Passage, Protocol,
};
use crate::trace::Event;

impl Task {
    /// What the gate says, in order.
    pub(super) fn handle_output(&mut self, output: GateOutput<Parcel>, env: &mut Env<'_>) {
        let (subtask, attempt) = (self.id, self.attempt);
        match output {
            GateOutput::Item { channel, item } => self.take(channel, item, env),
            GateOutput::BarrierSeen { channel, checkpoint } => {
                env.outbox.event(self.inputs[channel].barrier_seen(attempt, checkpoint));
            }
            GateOutput::BarrierOvertook { channel, checkpoint } => {
                env.outbox.event(self.inputs[channel].barrier_overtook(attempt, checkpoint));
            }
            GateOutput::CancelSeen { channel, checkpoint } => {
                env.outbox.event(self.inputs[channel].cancel_seen(attempt, checkpoint));
                if self.defects.has(Defect::EveryCancelPassedOn) {
                    self.outputs.broadcast(&Element::Cancel(checkpoint), env.outbox);
                }
            }
            GateOutput::EndSeen { channel } => self.end_channel(channel, env),
            GateOutput::Blocked { channel, checkpoint } => {
                let channel = self.inputs[channel].id();
                env.outbox.event(Event::ChannelBlocked { channel, attempt, checkpoint });
            }
            GateOutput::Unblocked { channel, checkpoint } => {
                let channel = self.inputs[channel].id();
                env.outbox.event(Event::ChannelUnblocked { channel, attempt, checkpoint });
            }
            GateOutput::AlignmentStarted(checkpoint) => {
                env.outbox.event(Event::AlignmentStarted { subtask, attempt, checkpoint });
            }
            GateOutput::Aligned(barrier) => self.handle_aligned(barrier, env),
            GateOutput::Overtaken(barrier) => self.handle_overtaken(barrier, env),
            GateOutput::Announced(barrier) => self.watch(barrier, env),
            GateOutput::Captured(checkpoint) => self.handle_captured(checkpoint, env),
            GateOutput::CaptureAbandoned(checkpoint) => {
                self.checkpoint.handle_capture_abandoned(checkpoint);
                self.carry_out(env);
            }
            GateOutput::AlignmentAborted(checkpoint) => {
                env.outbox.event(Event::AlignmentAborted { subtask, attempt, checkpoint });
                self.checkpoint.handle_alignment_aborted(checkpoint);
                self.carry_out(env);
            }
            GateOutput::AllEnded => self.end(env),
        }
    }

    /// A trigger by message: a source's mailbox takes it; elsewhere it counts once all inputs have ended.
    pub fn handle_trigger(&mut self, barrier: Barrier, env: &mut Env<'_>) {
        // While the job is about to stop nothing else is triggered.
        self.savepoint.give_up(CheckpointId(barrier.checkpoint.0.saturating_sub(1)));
        self.take_trigger(barrier, env);
    }

    pub(super) fn take_trigger(&mut self, barrier: Barrier, env: &mut Env<'_>) {
        self.resolve_before(barrier.checkpoint, env);
        if self.inputs.is_empty() {
            self.post(barrier, env.outbox);
        } else {
            self.gate.handle_trigger(barrier);
            self.run(env);
        }
    }

    /// Where the world stops for one checkpoint at a time, the next one says that the last is over.
    fn resolve_before(&mut self, checkpoint: CheckpointId, env: &mut Env<'_>) {
        self.resolve(CheckpointId(checkpoint.0.saturating_sub(1)), env);
    }

    fn resolve(&mut self, checkpoint: CheckpointId, env: &mut Env<'_>) {
        if self.protocol == Protocol::StopTheWorld {
            self.checkpoint.handle_resolved(checkpoint);
            self.carry_out(env);
            self.run(env);
        }
    }

    /// Between seeing a barrier and performing the snapshot lies the mailbox; a source's trigger has
    /// been through it already.
    fn handle_aligned(&mut self, barrier: Barrier, env: &mut Env<'_>) {
        if self.inputs.is_empty() {
            self.perform(barrier, env);
            return;
        }
        let (subtask, attempt, checkpoint) = (self.id, self.attempt, barrier.checkpoint);
        env.outbox.event(Event::AlignmentCompleted { subtask, attempt, checkpoint });
        self.post(barrier, env.outbox);
    }

    /// The cut is where the subtask stands, whatever its inputs have delivered.
    fn handle_overtaken(&mut self, barrier: Barrier, env: &mut Env<'_>) {
        let (subtask, attempt, checkpoint) = (self.id, self.attempt, barrier.checkpoint);
        env.outbox.event(Event::AlignmentOvertaken { subtask, attempt, checkpoint });
        self.post(barrier, env.outbox);
    }

    /// Wakes up when the time of a barrier in its place is over, but no later than it could be over if
    /// it were triggered now: a clock that is behind delays it, and does not lose it.
    pub(super) fn watch(&mut self, barrier: Barrier, env: &mut Env<'_>) {
        if barrier.checkpoint > self.timed {
            self.timed = barrier.checkpoint;
            self.arm(barrier, env);
        }
    }

    fn arm(&self, barrier: Barrier, env: &mut Env<'_>) {
        let Passage::InOrderUntil(at) = barrier.passage else { return };
        let longest = Duration::from_millis(env.settings.checkpoints.aligned_timeout_ms.max(1));
        let (subtask, attempt) = (self.id, self.attempt);
        let timer = Timer::Overdue { subtask, attempt, barrier };
        env.outbox.set_timer((at - env.now).min(longest), timer);
    }

    /// The time of a barrier in its place is over, unless the clock was set back meanwhile.
    pub fn handle_overdue(&mut self, barrier: Barrier, env: &mut Env<'_>) {
        let checkpoint = barrier.checkpoint;
        if !barrier.passage.is_ahead(env.now) {
            return self.arm(barrier, env);
        }
        self.gate.handle_overdue(checkpoint);
        self.outputs.hurry(checkpoint, env.outbox);
        self.look_for_captured_outputs(env);
        self.run(env);
    }

    fn post(&self, barrier: Barrier, outbox: &mut dyn Outbox) {
        outbox.schedule(Timer::Mail { subtask: self.id, attempt: self.attempt, barrier });
    }

    /// The mailbox has come to this barrier.
    pub fn handle_mail(&mut self, barrier: Barrier, env: &mut Env<'_>) {
        if self.inputs.is_empty() {
            self.drain_before(barrier.checkpoint, env);
            self.gate.handle_trigger(barrier);
        } else {
            self.perform(barrier, env);
        }
        self.run(env);
    }

    fn perform(&mut self, barrier: Barrier, env: &mut Env<'_>) {
        self.checkpoint.handle_barrier(barrier);
        self.carry_out(env);
        self.halt_behind(barrier.checkpoint, env);
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
        self.commit_completed(checkpoint, env);
        self.resolve(checkpoint, env);
    }

    /// The coordinator says that `checkpoint` was aborted.
    pub fn handle_aborted(&mut self, checkpoint: CheckpointId, env: &mut Env<'_>) {
        let (subtask, attempt) = (self.id, self.attempt);
        env.outbox.event(Event::AbortLearned { subtask, attempt, checkpoint });
        self.savepoint.give_up(checkpoint);
        if self.defects.has(Defect::AbortFailsSubtask) {
            self.fail(format!("{checkpoint} was aborted"));
        }
        if self.defects.has(Defect::AbortCancelsAgain) {
            self.outputs.broadcast(&Element::Cancel(checkpoint), env.outbox);
        }
        self.checkpoint.handle_aborted(checkpoint);
        self.gate.handle_aborted(checkpoint);
        self.carry_out(env);
        self.resolve(checkpoint, env);
        self.run(env);
    }
}
