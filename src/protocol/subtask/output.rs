//! What a subtask's protocol wants done, in order.

use crate::abort::DeclineReason;
use crate::barrier::Barrier;
use crate::ids::{CheckpointId, TransactionId};
use crate::step::ProtocolStep;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// One consequence of what a subtask was told. `T` is what travels in its channels.
///
/// They are to be carried out in this order: an item that is processed before [`Freeze`](Self::Freeze) is in
/// the snapshot, one that is processed after it is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubtaskOutput<T> {
    /// Process this item of this input. Items that it leads to enter the outputs before any marker that follows.
    Process {
        /// The index of the input.
        input: usize,
        /// The item.
        item: T,
    },
    /// The end of this input has come: nothing more of it will be processed.
    EndInput {
        /// The index of the input.
        input: usize,
    },
    /// All inputs have ended: send the end of input on every output.
    End,
    /// A source that drains: its splits end where they stand, and so do its outputs.
    EndSource,
    /// Put this into the mailbox; [`handle_mail`](super::SubtaskProtocol::handle_mail) when its turn has come. Not before
    /// everything that the subtask owes was emitted, where the barrier
    /// [wants that](super::SubtaskProtocol::cuts_behind_all).
    Post(Barrier),
    /// At the time that the barrier names,
    /// [`handle_overdue`](super::SubtaskProtocol::handle_overdue) is due.
    Watch(Barrier),
    /// Send the barrier on every output, past what waits there if it goes ahead. Tell what it overtook, by
    /// [`handle_overtaken`](super::SubtaskProtocol::handle_overtaken), and when it has left every queue, by
    /// [`handle_forwarded`](super::SubtaskProtocol::handle_forwarded).
    Forward(Barrier),
    /// Where the barrier of this checkpoint still waits in an output queue, it goes ahead; tell as for
    /// [`Forward`](Self::Forward).
    Hurry(CheckpointId),
    /// Send a cancel marker on every output.
    Cancel(CheckpointId),
    /// Flush what is buffered to the target: it belongs to this checkpoint (an at-least-once sink).
    Flush(CheckpointId),
    /// Flush what is buffered into the transaction; then prepare it, on behalf of the checkpoint.
    PreCommit {
        /// The transaction that was open until now.
        transaction: TransactionId,
        /// Its checkpoint.
        checkpoint: CheckpointId,
    },
    /// Make the prepared transaction visible; repeat until the target confirms.
    Commit {
        /// The prepared transaction.
        transaction: TransactionId,
        /// The checkpoint it was prepared for.
        checkpoint: CheckpointId,
    },
    /// Freeze the state: the synchronous part of the snapshot.
    Freeze(CheckpointId),
    /// Write what was frozen: the asynchronous part. Where barriers may overtake, or channels lead back, with
    /// what was on its way.
    Persist {
        /// The checkpoint.
        checkpoint: CheckpointId,
        /// The channel state.
        captured: Option<Box<Captured<T>>>,
    },
    /// Tell the coordinator that the snapshot is durable.
    Acknowledge(CheckpointId),
    /// Tell the coordinator that there will be no snapshot.
    Decline(CheckpointId, DeclineReason),
    /// Drop what is left of the snapshot, and delete what was written of it.
    Discard(CheckpointId),
    /// This happened; nothing is to be done.
    Step(ProtocolStep),
}

/// What was on its way at a cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured<T> {
    /// By input, what had arrived, or was under way ahead of the barrier, and was not processed. Empty where no
    /// input was recorded.
    pub inputs: Vec<Vec<T>>,
    /// What had been emitted, and was overtaken before it was sent: by output.
    pub outputs: Vec<(usize, Vec<T>)>,
}
