//! What a process hears and says: its inputs, its timers, and the outbox that takes what it brings about, in order.
//!
//! It names no process, so that all can name it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::message::Message;
use super::trouble::Trouble;
use crate::protocol::{
    Attempt, Barrier, CheckpointId, CoordinatorTimer, Incarnation, ProcessId, RescaleRequest,
    SplitId, SubtaskId, TransactionId,
};
use crate::trace::Event;

/// What a world tells a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// You have just been started, with empty memory.
    Start(Incarnation),
    /// A message arrived.
    Message {
        /// Who sent it; its incarnation is not known.
        from: ProcessId,
        /// What it says.
        message: Message,
    },
    /// A timer that was set by this incarnation.
    Timer(Timer),
    /// To the coordinator: go on at another parallelism.
    Rescale(RescaleRequest),
    /// The health of this service changes.
    Trouble(Trouble),
    /// The connection to a peer was lost: what was under way to it and from it may be gone.
    ConnectionLost {
        /// The peer.
        peer: ProcessId,
    },
}

/// A wake-up that a process asks of its world. None can be cancelled: those no longer of interest
/// are ignored when they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are named after the ids they hold")]
pub enum Timer {
    /// Worker: tell the coordinator that you live.
    Heartbeat,
    /// Worker or coordinator: send unanswered requests again.
    Retry,
    /// Worker: a task of this attempt has set it.
    Task { subtask: SubtaskId, attempt: Attempt, what: TaskTimer },
    /// Coordinator.
    Coordinator(CoordinatorWakeUp),
    /// Store or sink target: this request is due.
    Serve(u64),
    /// Source log: this split comes up, or is removed.
    Split(SplitId),
    /// Sink target: a timer of its system is due.
    System(u64),
    /// Sink target: its system is to see this request, which was held back.
    HeldBack(u64),
}

/// What a task wants to be woken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are named after the ids they hold")]
pub enum TaskTimer {
    /// The next source entry is due.
    Pace,
    /// The mailbox has come to this barrier.
    Mail { barrier: Barrier },
    /// The time of a barrier in its place is over.
    Overdue { barrier: Barrier },
    /// What waits for its buffer to be full has waited long enough.
    Flush,
    /// The processor is free again.
    Work,
    /// A timer of user code may be due in processing time.
    Processing,
    /// The service that it asks has answered.
    Answer { request: u64 },
    /// The asynchronous part of a snapshot starts.
    Upload { checkpoint: CheckpointId },
    /// Its sink.
    Sink(SinkTimer),
}

impl TaskTimer {
    /// The timer of this subtask in this attempt.
    #[must_use]
    pub fn of(self, subtask: SubtaskId, attempt: Attempt) -> Timer {
        Timer::Task { subtask, attempt, what: self }
    }
}

/// What a sink wants to be woken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are named after the ids they hold")]
pub enum SinkTimer {
    /// A timer of its own is due.
    Due { number: u64 },
    /// What it asked once has waited long enough for an answer.
    Unanswered { request: u64 },
    /// What it could not commit is to be tried again.
    RetryCommit { transaction: TransactionId },
}

/// What the coordinator process wants to be woken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CoordinatorWakeUp {
    /// Something about checkpoints.
    Checkpoint(CoordinatorTimer),
    /// The enumerators' mailbox has come to this checkpoint.
    Enumerate(Barrier),
    /// Look which splits there are.
    Discover,
    /// Look who has not been heard of.
    CheckWorkers,
    /// Start the next attempt.
    Restart,
}

/// When a timer fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delay {
    /// After exactly this long.
    Exactly(Duration),
    /// When the scheduler pleases: the world draws it. This is the time that mail waits in a mailbox.
    Scheduled,
}

/// One consequence of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this.
    Send {
        /// The receiver.
        to: ProcessId,
        /// The message.
        message: Message,
    },
    /// Wake me.
    SetTimer {
        /// When it is due.
        after: Delay,
        /// What the process gets back.
        timer: Timer,
    },
    /// This happened. A crash aimed at it drops everything behind it in the outbox.
    Event(Event),
}

/// Takes the consequences of one input, in order. *Order is the protocol.*
///
/// There is one, and everything leaves through it: a world carries each consequence out before it looks
/// at the next, and drops those behind an event at which the process crashed.
pub trait Outbox {
    /// Sends a message.
    fn send(&mut self, to: ProcessId, message: Message);

    /// Asks for a wake-up.
    fn wake(&mut self, after: Delay, timer: Timer);

    /// Tells what happened.
    fn event(&mut self, event: Event);

    /// Asks for a wake-up after exactly `after`.
    fn set_timer(&mut self, after: Duration, timer: Timer) {
        self.wake(Delay::Exactly(after), timer);
    }

    /// Asks for a wake-up when the scheduler pleases.
    fn schedule(&mut self, timer: Timer) {
        self.wake(Delay::Scheduled, timer);
    }
}

/// An outbox that keeps what it is given, for a world that carries it out later.
#[derive(Clone, Debug, Default)]
pub struct QueuedOutbox {
    outputs: Vec<Output>,
}

impl QueuedOutbox {
    /// An empty outbox.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes everything out, in order; the room stays for the next input.
    pub fn drain(&mut self) -> std::vec::Drain<'_, Output> {
        self.outputs.drain(..)
    }

    /// What is in it, in order.
    pub fn into_outputs(self) -> impl Iterator<Item = Output> {
        self.outputs.into_iter()
    }
}

impl Outbox for QueuedOutbox {
    fn send(&mut self, to: ProcessId, message: Message) {
        self.outputs.push(Output::Send { to, message });
    }

    fn wake(&mut self, after: Delay, timer: Timer) {
        self.outputs.push(Output::SetTimer { after, timer });
    }

    fn event(&mut self, event: Event) {
        self.outputs.push(Output::Event(event));
    }
}
