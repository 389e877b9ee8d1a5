//! What a task asks a service for: it is told when each answer is there, and emits what that allows.
//!
//! The service is the world's: it answers when the scheduler pleases. A request dies with its attempt; what
//! was not answered is in the snapshot, and is asked for again.

use super::super::io::{Outbox, TaskTimer};
use super::{Env, Task};
use crate::protocol::{Barrier, CheckpointId, Defect};

impl Task {
    /// Makes the requests of the last step.
    pub(super) fn ask(&mut self, outbox: &mut dyn Outbox) {
        let (subtask, attempt) = (self.id, self.attempt);
        for request in self.produced.requests.drain(..) {
            outbox.schedule(TaskTimer::Answer { request }.of(subtask, attempt));
        }
    }

    /// Makes the requests again that the snapshot held.
    pub(super) fn request_again(&mut self, outbox: &mut dyn Outbox) {
        self.produced.requests = self.subtask.requests_under_way();
        self.ask(outbox);
    }

    /// An answer is there.
    pub fn handle_answer(&mut self, request: u64, env: &mut Env<'_>) {
        self.subtask.answer(request);
        self.has_answers = true;
        self.run(env);
    }

    /// Emits what the answers allow, when the protocol wants nothing done and no cut waits for its snapshot: except
    /// one that waits for the answers. Whether there was anything to do.
    pub(super) fn emit_answered(&mut self, env: &mut Env<'_>) -> bool {
        let may_emit = self.may_emit_of_itself() || self.awaiting_cut.is_some();
        if !self.has_answers || !self.can_work() || !may_emit {
            return false;
        }
        self.has_answers = false;
        self.subtask.emit_answered(&mut self.produced);
        self.deliver(env);
        self.end_if_answered(env);
        self.cut_if_complete();
        true
    }

    /// Lets a cut wait for what is under way, where it is to be behind everything. Whether it waits.
    pub(super) fn await_all(&mut self, barrier: Barrier) -> bool {
        let awaits = self.protocol.cuts_behind_all(barrier) && self.is_amid();
        self.awaiting_cut = awaits.then_some(barrier);
        awaits
    }

    /// Whether requests are under way, or the rest of entries of which a part was read.
    fn is_amid(&self) -> bool {
        self.subtask.requests_pending() > 0 || self.awaits_entries()
    }

    /// What the cut waited for may have come.
    pub(super) fn cut_if_complete(&mut self) {
        if self.awaiting_cut.is_some()
            && !self.is_amid()
            && let Some(barrier) = self.awaiting_cut.take()
        {
            self.protocol.handle_mail(barrier);
        }
    }

    /// The checkpoint was aborted: if its cut waits, its turn is over. Nothing may be emitted for its sake any more.
    pub(super) fn give_up_cut(&mut self, checkpoint: CheckpointId) {
        if let Some(barrier) = self.awaiting_cut.take_if(|cut| cut.checkpoint == checkpoint) {
            self.protocol.handle_mail(barrier);
        }
    }

    /// Whether it must not be given a record.
    #[inline]
    pub(super) fn asks_enough(&self) -> bool {
        self.is_asynchronous && self.subtask.is_full()
    }

    /// All input has ended: so does the output, once everything that was asked for was answered.
    pub(super) fn end_when_answered(&mut self, env: &mut Env<'_>) {
        self.awaits_last_answers = true;
        self.end_if_answered(env);
    }

    fn end_if_answered(&mut self, env: &mut Env<'_>) {
        let is_answered = self.subtask.requests_pending() == 0;
        if self.awaits_last_answers
            && (is_answered || self.defects.has(Defect::LastAnswersNotAwaited))
        {
            self.awaits_last_answers = false;
            self.end(env);
        }
    }
}
