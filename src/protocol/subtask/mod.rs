//! The protocol side of a subtask as one value: told what happens, it says what to do, in order.
//!
//! It couples the gate, which finds cuts, with what makes a snapshot of a cut: the mailbox, channel state,
//! pre-commits, acknowledgements, savepoints. Who embeds it keeps the data: state, records, queues, requests.

mod captures;
mod checkpoint;
mod composition;
mod handlers;
mod loop_place;
mod output;
mod savepoints;
mod sink_side;

pub use checkpoint::{AsyncPart, CheckpointOutput, OUTSTANDING_MAX, SubtaskCheckpoint};
pub use loop_place::LoopPlace;
pub use output::{Captured, SubtaskOutput};

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use captures::Captures;
use savepoints::SavepointSide;
use sink_side::SinkSide;

use super::barrier::Barrier;
use super::defect::{Defect, DefectSet};
use super::gate::{GateOutput, InputGate};
use super::ids::{CheckpointId, TransactionId};
use super::protocols::Protocol;
use super::savepoint::SavepointMode;
use super::topology::OperatorRole;

/// How many items may wait at the end of one input that leads back: no credit bounds them.
pub const BACK_EDGE_MAX: usize = 1 << 16;

/// Where the mailbox lies in which a checkpoint waits for its turn (Flink: `StreamTask.mailboxProcessor`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mailbox {
    /// In a source, before the gate: triggers wait in it.
    BeforeGate,
    /// Everywhere else, behind the gate: cuts wait in it.
    BehindGate,
}

/// What has to be durable before a snapshot is acknowledged.
fn async_parts(role: OperatorRole) -> &'static [AsyncPart] {
    match role {
        OperatorRole::Source | OperatorRole::Operator => &[AsyncPart::Upload],
        OperatorRole::TransactionalSink
        | OperatorRole::AtLeastOnceSink
        | OperatorRole::CommittingSink
        | OperatorRole::ConvergingSink
        | OperatorRole::StagingWriter => &[AsyncPart::Upload, AsyncPart::PreCommit],
    }
}

/// The part of one subtask, in one attempt, in checkpoints and savepoints.
///
/// The grammar: `handle_…` in, then [`poll_output`](Self::poll_output) until it is empty. While no item can be
/// processed, [`poll_urgent`](Self::poll_urgent) gives what must not wait until one can; while nothing can be
/// done at all, [`poll_step`](Self::poll_step) gives what the subtask itself has decided.
///
/// An operator with one input gets an item, a barrier, and another item. Here its turn in the mailbox comes at
/// once, and what it writes is durable at once:
///
/// ```
/// use cutwater_protocol::{
///     Barrier, CheckpointId, DefectSet, Element, LoopPlace, OperatorRole, Protocol, SubtaskOutput,
///     SubtaskProtocol, VirtualTime,
/// };
///
/// let (role, place) = (OperatorRole::Operator, LoopPlace::default());
/// let mut subtask = SubtaskProtocol::new(role, 1, Protocol::Aligned, place, DefectSet::NONE);
/// let barrier = Barrier::in_order(CheckpointId(1));
/// for element in [Element::Item('x'), Element::Barrier(barrier), Element::Item('y')] {
///     subtask.handle_element(0, element, VirtualTime::ZERO)?;
/// }
/// let mut done = Vec::new();
/// while let Some(output) = subtask.poll_output() {
///     match output {
///         SubtaskOutput::Process { item, .. } => done.push(format!("process {item}")),
///         SubtaskOutput::Post(barrier) => subtask.handle_mail(barrier),
///         SubtaskOutput::Forward(barrier) => done.push(format!("forward {barrier}")),
///         SubtaskOutput::Freeze(checkpoint) => done.push(format!("freeze for {checkpoint}")),
///         SubtaskOutput::Persist { checkpoint, .. } => subtask.handle_uploaded(checkpoint),
///         SubtaskOutput::Acknowledge(checkpoint) => done.push(format!("acknowledge {checkpoint}")),
///         _ => {}
///     }
/// }
/// let cut = ["forward |ckpt-1|", "freeze for ckpt-1", "acknowledge ckpt-1"];
/// assert_eq!(done, [&["process x"][..], &cut, &["process y"]].concat());
/// # Ok::<(), cutwater_protocol::ProtocolError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SubtaskProtocol<T> {
    role: OperatorRole,
    protocol: Protocol,
    gate: InputGate<T>,
    place: LoopPlace,
    mailbox: Mailbox,
    checkpoint: SubtaskCheckpoint,
    captures: Captures<T>,
    savepoints: SavepointSide,
    sink: Option<SinkSide>,
    /// The newest barrier for whose time in its place somebody watches.
    watched: CheckpointId,
    /// What was decided, and comes before whatever the gate has to say.
    outputs: VecDeque<SubtaskOutput<T>>,
    defects: DefectSet,
}

impl<T: Clone> SubtaskProtocol<T> {
    /// A subtask that starts from nothing, with so many inputs; a source has none.
    #[must_use]
    pub fn new(
        role: OperatorRole,
        inputs: usize,
        protocol: Protocol,
        place: LoopPlace,
        defects: DefectSet,
    ) -> Self {
        let gate = if protocol.traits().has_loops {
            InputGate::looping(place.back(inputs), defects)
        } else {
            InputGate::of(protocol, inputs, defects)
        };
        let mailbox = match role {
            OperatorRole::Source => Mailbox::BeforeGate,
            OperatorRole::Operator
            | OperatorRole::TransactionalSink
            | OperatorRole::AtLeastOnceSink
            | OperatorRole::CommittingSink
            | OperatorRole::ConvergingSink
            | OperatorRole::StagingWriter => Mailbox::BehindGate,
        };
        Self {
            role,
            protocol,
            gate,
            place,
            mailbox,
            checkpoint: SubtaskCheckpoint::of(protocol, None, async_parts(role), defects),
            captures: Captures::new(defects),
            savepoints: SavepointSide::default(),
            sink: None,
            watched: CheckpointId::default(),
            outputs: VecDeque::new(),
            defects,
        }
    }

    /// What to do next, if anything. The caller stops polling while it cannot process an item; what it left is
    /// still there when it goes on.
    #[inline]
    pub fn poll_output(&mut self) -> Option<SubtaskOutput<T>> {
        loop {
            if !self.outputs.is_empty() {
                return self.outputs.pop_front();
            }
            let output = match self.gate.poll_output()? {
                GateOutput::Item { channel: input, item } => {
                    return Some(SubtaskOutput::Process { input, item });
                }
                other => self.handle_gate(other),
            };
            if output.is_some() {
                return output;
            }
        }
    }

    /// What cannot wait until items can be processed, if anything: a barrier that came ahead must get past a
    /// subtask whose outputs are full. Never an item.
    pub fn poll_urgent(&mut self) -> Option<SubtaskOutput<T>> {
        // That of a source holds no items, only triggers: its barrier takes its place behind the records that
        // wait for credit.
        if self.mailbox == Mailbox::BeforeGate {
            return self.poll_output();
        }
        loop {
            if !self.outputs.is_empty() {
                return self.outputs.pop_front();
            }
            let output = self.gate.poll_urgent()?;
            let output = self.handle_gate(output);
            if output.is_some() {
                return output;
            }
        }
    }

    /// What the subtask itself has decided, whatever can be done.
    #[inline]
    pub fn poll_step(&mut self) -> Option<SubtaskOutput<T>> {
        if self.outputs.is_empty() {
            return None;
        }
        self.outputs.pop_front()
    }

    /// Whether nothing is delivered, and a source must not read: a cut is here, and its snapshot is not.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.gate.is_held()
    }

    /// Whether the subtask was told of a cut, so that what it took off its inputs must wait as well.
    #[must_use]
    pub fn awaits_snapshot(&self) -> bool {
        self.gate.awaits_release()
    }

    /// Whether a source must not read, and an operator not emit anything of itself, by timers in processing time or
    /// by answers: the job is about to stop (Flink: nothing else runs in the mailbox of a task from a synchronous
    /// savepoint on).
    #[must_use]
    pub fn halts(&self) -> bool {
        self.savepoints.halts()
    }

    /// Whether the turn of this barrier has only come when everything that the subtask owes was emitted, such as answers
    /// that it waits for. With a drain it is so: all input ends before the cut, nobody goes on from it, and what came
    /// behind it would be lost (Flink: `AsyncWaitOperator.endInput`).
    #[must_use]
    pub fn cuts_behind_all(&self, barrier: Barrier) -> bool {
        barrier.savepoint == Some(SavepointMode::Drain)
            && !self.defects.has(Defect::DrainedBesideRequests)
    }

    /// How the job is to stop at this checkpoint, if it is.
    #[must_use]
    pub fn stops_at(&self, checkpoint: CheckpointId) -> Option<SavepointMode> {
        self.savepoints.mode_of(checkpoint)
    }

    /// Whether the snapshot of `checkpoint` is wanted, now that `completed` has completed.
    #[must_use]
    pub fn outlives(&self, checkpoint: CheckpointId, completed: CheckpointId) -> bool {
        self.savepoints.outlives(checkpoint, completed)
    }

    /// Those checkpoints whose barriers may wait in an output queue, and would overtake there; oldest first.
    pub fn forwarding(&self) -> impl Iterator<Item = CheckpointId> + '_ {
        self.captures.forwarding()
    }

    /// What takes the records that a sink writes now; none before it was opened, or if it is no sink.
    #[must_use]
    pub fn open_transaction(&self) -> Option<TransactionId> {
        self.sink.as_ref().map(SinkSide::open)
    }

    /// Prepared and not known to be committed, oldest first: what a snapshot must hold.
    #[must_use]
    pub fn uncommitted(&self) -> Vec<(CheckpointId, TransactionId)> {
        self.sink.as_ref().map_or_else(Vec::new, SinkSide::uncommitted)
    }

    /// Whether the job has stopped at a savepoint, and there is nothing left to commit.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        let is_committed = self.uncommitted().is_empty();
        self.savepoints.is_stopped()
            && (is_committed || self.defects.has(Defect::FinishedBeforeCommitted))
    }

    /// Whether nothing enters the subtask's loops through it any more.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.place.is_quiet(|input| self.gate.has_ended(input))
    }

    /// Whether this input leads back.
    #[must_use]
    pub fn leads_back(&self, input: usize) -> bool {
        self.place.leads_back(input)
    }
}

#[cfg(test)]
mod tests;
