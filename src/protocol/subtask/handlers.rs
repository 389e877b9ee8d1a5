//! What a subtask's protocol is told.

use super::sink_side::SinkSide;
use super::{
    AsyncPart, BACK_EDGE_MAX, Mailbox, SubtaskCheckpoint, SubtaskOutput, SubtaskProtocol,
    async_parts,
};
use crate::barrier::Barrier;
use crate::defect::Defect;
use crate::error::ProtocolError;
use crate::gate::Element;
use crate::ids::{Attempt, CheckpointId, SubtaskId, TransactionId};
use crate::time::VirtualTime;
use crate::topology::OperatorRole;
use alloc::vec::Vec;

impl<T: Clone> SubtaskProtocol<T> {
    /// Takes back what was in an input at the cut that the subtask is restored from. Only before the first element.
    ///
    /// # Errors
    ///
    /// When there is no such input.
    pub fn restore(
        &mut self,
        input: usize,
        items: impl IntoIterator<Item = T>,
    ) -> Result<(), ProtocolError> {
        self.gate.restore(input, items)
    }

    /// The state is that of this checkpoint, or of none: nothing at or below it is ever snapshotted again.
    pub fn handle_restored(&mut self, checkpoint: Option<CheckpointId>) {
        let parts = async_parts(self.role);
        self.checkpoint = SubtaskCheckpoint::of(self.protocol, checkpoint, parts, self.defects);
    }

    /// A sink begins: `restored` is what its snapshot held prepared. It has to fence its producers of older
    /// attempts; [`handle_fenced`](Self::handle_fenced) when that is done.
    pub fn open_sink(
        &mut self,
        sink: SubtaskId,
        attempt: Attempt,
        restored: Vec<(CheckpointId, TransactionId)>,
    ) {
        self.sink = match self.role {
            OperatorRole::Source | OperatorRole::Operator => None,
            OperatorRole::TransactionalSink
            | OperatorRole::CommittingSink
            | OperatorRole::ConvergingSink => {
                Some(SinkSide::transactional(sink, attempt, restored, self.defects))
            }
            OperatorRole::AtLeastOnceSink | OperatorRole::StagingWriter => {
                Some(SinkSide::at_least_once(sink, attempt))
            }
        };
    }

    /// The target has fenced older producers: what a restored snapshot held prepared is committed again.
    pub fn handle_fenced(&mut self) {
        self.drain_commit();
    }

    // ---- what channels and the coordinator say

    /// An element arrived in an input. A barrier whose time in its place is over by `now` overtakes at once.
    ///
    /// # Errors
    ///
    /// When there is no such input, it has ended before, or more waits in one that leads back than may.
    #[inline]
    pub fn handle_element(
        &mut self,
        input: usize,
        mut element: Element<T>,
        now: VirtualTime,
    ) -> Result<(), ProtocolError> {
        if let Element::Barrier(barrier) = &mut element
            && barrier.passage.is_ahead(now)
        {
            *barrier = barrier.hurried();
        }
        self.gate.handle_element(input, element)?;
        if self.place.leads_back(input) && self.gate.queued(input) > BACK_EDGE_MAX {
            return Err(ProtocolError::BackEdgeFull { channel: input, items_max: BACK_EDGE_MAX });
        }
        Ok(())
    }

    /// A checkpoint, perhaps a savepoint, is triggered by message: a source injects its barrier when its turn has
    /// come; elsewhere the trigger counts once all inputs have ended.
    pub fn handle_trigger(&mut self, barrier: Barrier) {
        match barrier.savepoint.is_some() && self.defects.has(Defect::SavepointOvertakes) {
            true => self.take_trigger(barrier.hurried()),
            false => self.take_trigger(barrier),
        }
    }

    /// The mailbox has come to this barrier.
    pub fn handle_mail(&mut self, barrier: Barrier) {
        match self.mailbox {
            Mailbox::BeforeGate => self.gate.handle_trigger(barrier),
            Mailbox::BehindGate => self.perform(barrier),
        }
    }

    /// The time of a barrier in its place is over, unless the clock was set back meanwhile: then it is watched on.
    pub fn handle_overdue(&mut self, barrier: Barrier, now: VirtualTime) {
        let checkpoint = barrier.checkpoint;
        if !barrier.passage.is_ahead(now) {
            return self.say(SubtaskOutput::Watch(barrier));
        }
        self.gate.handle_overdue(checkpoint);
        if self.captures.may_overtake(checkpoint) {
            self.say(SubtaskOutput::Hurry(checkpoint));
        }
    }

    /// The coordinator says that `checkpoint` completed.
    pub fn handle_completed(&mut self, checkpoint: CheckpointId) {
        let savepoints = &self.savepoints;
        self.captures.retain(|id| savepoints.outlives(id, checkpoint));
        if let Some(commit) = self.sink.as_mut().and_then(SinkSide::commit) {
            commit.handle_completed(checkpoint);
        }
        self.drain_commit();
        self.resolve(checkpoint);
    }

    /// The coordinator says that `checkpoint` was aborted.
    pub fn handle_aborted(&mut self, checkpoint: CheckpointId) {
        self.savepoints.give_up(checkpoint);
        if self.defects.has(Defect::AbortCancelsAgain) {
            self.say(SubtaskOutput::Cancel(checkpoint));
        }
        self.checkpoint.handle_aborted(checkpoint);
        self.gate.handle_aborted(checkpoint);
        self.drain_checkpoint();
        self.resolve(checkpoint);
    }

    /// The savepoint that the job stops at has completed: nothing is left to do but to commit. Whether that is
    /// news: then [`handle_completed`](Self::handle_completed) is due.
    pub fn handle_stopped(&mut self) -> bool {
        self.savepoints.stop()
    }

    /// Nothing is on the loops of this subtask, and nothing will be.
    pub fn handle_loop_over(&mut self) {
        self.gate.handle_loop_over();
    }

    // ---- what became of what was asked for

    /// The barrier of `checkpoint`, on its way out, waits for credit: its time in its place is watched.
    pub fn handle_waiting(&mut self, barrier: Barrier) {
        self.watch(barrier);
    }

    /// The barrier of `checkpoint` overtook this in the queue of an output.
    pub fn handle_overtaken(&mut self, checkpoint: CheckpointId, output: usize, items: Vec<T>) {
        self.captures.overtake(checkpoint, output, items);
    }

    /// The barrier of `checkpoint` has left every output queue.
    pub fn handle_forwarded(&mut self, checkpoint: CheckpointId) {
        self.captures.record_outputs(checkpoint);
        self.persist_if_whole(checkpoint);
    }

    /// One asynchronous part of `checkpoint` is durable.
    pub fn handle_uploaded(&mut self, checkpoint: CheckpointId) {
        self.checkpoint.handle_part_durable(checkpoint, AsyncPart::Upload);
        self.drain_checkpoint();
    }

    /// What was frozen for `checkpoint` could not be written, for good.
    pub fn handle_upload_failed(&mut self, checkpoint: CheckpointId) {
        self.checkpoint.handle_part_failed(checkpoint, AsyncPart::Upload);
        self.drain_checkpoint();
    }

    /// What was written before the barrier of `checkpoint` is durable at the target.
    pub fn handle_pre_committed(&mut self, checkpoint: CheckpointId) {
        let Some(sink) = &mut self.sink else { return };
        sink.confirm(checkpoint);
        while let Some(checkpoint) = sink.next_confirmed() {
            self.checkpoint.handle_part_durable(checkpoint, AsyncPart::PreCommit);
        }
        self.drain_checkpoint();
    }

    /// The target confirmed the commit.
    pub fn handle_committed(&mut self, transaction: TransactionId) {
        if let Some(commit) = self.sink.as_mut().and_then(SinkSide::commit) {
            commit.handle_committed(transaction);
        }
    }
}
