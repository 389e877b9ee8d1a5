//! How the parts of a subtask's protocol work together: what the gate finds goes into the mailbox, what comes out
//! of it is snapshotted, and what becomes of the snapshot goes back to the gate.

use super::sink_side::{Delivery, SinkSide};
use super::{CheckpointOutput, Mailbox, SubtaskOutput, SubtaskProtocol};
use crate::barrier::Barrier;
use crate::defect::Defect;
use crate::gate::GateOutput;
use crate::ids::CheckpointId;
use crate::savepoint::SavepointMode;
use crate::step::ProtocolStep;
use crate::two_phase_commit::CommitOutput;
use alloc::boxed::Box;

impl<T: Clone> SubtaskProtocol<T> {
    /// A newer trigger says that the last checkpoint is over: a world that stopped for it goes on. So does a job
    /// that was to stop at it, unless a savepoint is triggered: nothing else is while a job is about to stop.
    pub(super) fn take_trigger(&mut self, barrier: Barrier) {
        let last = barrier.checkpoint.previous();
        match barrier.savepoint {
            None => self.savepoints.go_on(last),
            Some(mode) => self.savepoints.ask(barrier.checkpoint, mode),
        }
        self.resolve(last);
        match self.mailbox {
            Mailbox::BeforeGate => self.say(SubtaskOutput::Post(barrier)),
            Mailbox::BehindGate => self.gate.handle_trigger(barrier),
        }
    }

    /// `checkpoint` is over, and so are those before it.
    pub(super) fn resolve(&mut self, checkpoint: CheckpointId) {
        self.checkpoint.handle_resolved(checkpoint);
        self.drain_checkpoint();
    }

    pub(super) fn say(&mut self, output: SubtaskOutput<T>) {
        self.outputs.push_back(output);
    }

    pub(super) fn step(&mut self, step: ProtocolStep) {
        self.say(SubtaskOutput::Step(step));
    }

    /// What the gate says, and what is to be done at once because of it; the rest is in the queue.
    #[cold]
    pub(super) fn handle_gate(&mut self, output: GateOutput<T>) -> Option<SubtaskOutput<T>> {
        let step = match output {
            GateOutput::Item { channel: input, item } => {
                return Some(SubtaskOutput::Process { input, item });
            }
            GateOutput::EndSeen { channel: input } => {
                return Some(SubtaskOutput::EndInput { input });
            }
            GateOutput::AllEnded => return Some(SubtaskOutput::End),
            GateOutput::Step(step) => {
                self.pass_on(step);
                step
            }
            GateOutput::Aligned(barrier) => return self.handle_aligned(barrier),
            GateOutput::Overtaken(barrier) => {
                self.say(SubtaskOutput::Post(barrier));
                ProtocolStep::AlignmentOvertaken(barrier.checkpoint)
            }
            GateOutput::Announced(barrier) => {
                self.watch(barrier);
                ProtocolStep::Announced(barrier.checkpoint)
            }
            GateOutput::Captured(checkpoint) => {
                self.handle_captured(checkpoint);
                return None;
            }
            GateOutput::CaptureAbandoned(checkpoint) => {
                self.checkpoint.handle_capture_abandoned(checkpoint);
                self.drain_checkpoint();
                ProtocolStep::CaptureAbandoned(checkpoint)
            }
            GateOutput::AlignmentAborted(checkpoint) => {
                self.checkpoint.handle_alignment_aborted(checkpoint);
                self.drain_checkpoint();
                ProtocolStep::AlignmentAborted(checkpoint)
            }
        };
        Some(SubtaskOutput::Step(step))
    }

    /// A cancel marker is passed on when its checkpoint is given up, and not as often as it comes, unless a bug is
    /// seeded.
    fn pass_on(&mut self, step: ProtocolStep) {
        if let ProtocolStep::CancelSeen { checkpoint, .. } = step
            && self.defects.has(Defect::EveryCancelPassedOn)
        {
            self.say(SubtaskOutput::Cancel(checkpoint));
        }
    }

    /// All inputs have delivered the barrier or ended. Between that and the snapshot lies the mailbox; a source's
    /// trigger has been through it already.
    fn handle_aligned(&mut self, barrier: Barrier) -> Option<SubtaskOutput<T>> {
        match self.mailbox {
            Mailbox::BeforeGate => {
                self.drain_before(barrier.checkpoint);
                self.perform(barrier);
                None
            }
            Mailbox::BehindGate => {
                self.say(SubtaskOutput::Post(barrier));
                Some(SubtaskOutput::Step(ProtocolStep::AlignmentCompleted(barrier.checkpoint)))
            }
        }
    }

    /// The gate has recorded what came before the barriers.
    fn handle_captured(&mut self, checkpoint: CheckpointId) {
        if let Some(inputs) = self.gate.take_captured(checkpoint) {
            self.captures.record_inputs(checkpoint, inputs);
            self.persist_if_whole(checkpoint);
        }
    }

    /// A barrier's time in its place is watched once.
    pub(super) fn watch(&mut self, barrier: Barrier) {
        if barrier.checkpoint > self.watched {
            self.watched = barrier.checkpoint;
            self.say(SubtaskOutput::Watch(barrier));
        }
    }

    /// The turn of the cut has come, perhaps before the trigger by message.
    pub(super) fn perform(&mut self, barrier: Barrier) {
        if let Some(mode) = barrier.savepoint
            && !self.defects.has(Defect::StopKnownFromTrigger)
        {
            self.savepoints.ask(barrier.checkpoint, mode);
        }
        self.checkpoint.handle_barrier(barrier);
        self.drain_checkpoint();
        self.halt_behind(barrier);
    }

    /// The cut of a source is next: with a drain all input ends before it, and behind the cuts of older checkpoints.
    /// They are taken as of a source that goes on, which it does when the drain has failed.
    fn drain_before(&mut self, checkpoint: CheckpointId) {
        let is_drained = self.savepoints.mode_of(checkpoint) == Some(SavepointMode::Drain);
        if is_drained && !self.defects.has(Defect::NoEndInputOnDrain) {
            self.say(SubtaskOutput::EndSource);
        }
    }

    /// The cut of this checkpoint was taken: where the job is to stop at it, a source reads no more, and an operator
    /// emits nothing more of itself, by timers or answers: what comes behind the cut is lost.
    pub(super) fn halt_behind(&mut self, barrier: Barrier) {
        let Some(mode) = self.savepoints.mode_of(barrier.checkpoint) else { return };
        if self.mailbox == Mailbox::BehindGate {
            if mode == SavepointMode::Stop || self.cuts_behind_all(barrier) {
                self.savepoints.halt();
            }
            return;
        }
        if !self.defects.has(Defect::ReadsOnAfterStop) {
            self.savepoints.halt();
        }
        if self.defects.has(Defect::EndInputOnStop) {
            self.say(SubtaskOutput::EndSource);
        }
    }

    pub(super) fn drain_checkpoint(&mut self) {
        while let Some(output) = self.checkpoint.poll_output() {
            match output {
                CheckpointOutput::BroadcastBarrier(barrier) => {
                    self.captures.forward(barrier);
                    self.say(SubtaskOutput::Forward(barrier));
                }
                CheckpointOutput::BroadcastCancel(it) => self.say(SubtaskOutput::Cancel(it)),
                CheckpointOutput::TakeSnapshot(checkpoint) => self.snapshot(checkpoint),
                CheckpointOutput::Release(checkpoint) => self.gate.release(checkpoint),
                CheckpointOutput::Durable(it) => self.step(ProtocolStep::SnapshotDurable(it)),
                CheckpointOutput::Acknowledge(it) => self.say(SubtaskOutput::Acknowledge(it)),
                CheckpointOutput::Decline(checkpoint, reason) => {
                    self.say(SubtaskOutput::Decline(checkpoint, reason));
                }
                CheckpointOutput::DiscardSnapshot(checkpoint) => {
                    self.captures.discard(checkpoint);
                    self.say(SubtaskOutput::Discard(checkpoint));
                }
            }
        }
    }

    /// What was written before the cut is prepared before the state is frozen, which lists it.
    pub(super) fn snapshot(&mut self, checkpoint: CheckpointId) {
        self.pre_commit(checkpoint);
        self.say(SubtaskOutput::Freeze(checkpoint));
        let inputs_missing = self.gate.capture(checkpoint);
        if !self.captures.begin(checkpoint, inputs_missing) {
            self.say(SubtaskOutput::Persist { checkpoint, captured: None });
        }
    }

    pub(super) fn pre_commit(&mut self, checkpoint: CheckpointId) {
        let Some(sink) = &mut self.sink else { return };
        sink.await_pre_commit(checkpoint);
        match &mut sink.delivery {
            Delivery::Transactional(commit) => {
                commit.handle_barrier(checkpoint);
                self.drain_commit();
            }
            Delivery::AtLeastOnce(_) => self.say(SubtaskOutput::Flush(checkpoint)),
        }
    }

    pub(super) fn drain_commit(&mut self) {
        let Some(commit) = self.sink.as_mut().and_then(SinkSide::commit) else { return };
        while let Some(output) = commit.poll_output() {
            match output {
                // Done before anything is written: the subtask runs when its producers are fenced.
                CommitOutput::Fence => {}
                CommitOutput::PreCommit { transaction, checkpoint } => {
                    self.outputs.push_back(SubtaskOutput::PreCommit { transaction, checkpoint });
                }
                CommitOutput::Commit { transaction, checkpoint } => {
                    self.outputs.push_back(SubtaskOutput::Commit { transaction, checkpoint });
                }
            }
        }
    }

    /// The asynchronous part starts when the channel state is whole.
    pub(super) fn persist_if_whole(&mut self, checkpoint: CheckpointId) {
        if let Some(captured) = self.captures.take_whole(checkpoint) {
            self.say(SubtaskOutput::Persist { checkpoint, captured: Some(Box::new(captured)) });
        }
    }
}
