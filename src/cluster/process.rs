//! A process: one input in, one ordered outbox out.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::coordinator::Coordinator;
use super::message::Message;
use super::meta_store::MetaStore;
use super::object_store::ObjectStore;
use super::settings::ClusterSettings;
use super::sink_target::SinkTarget;
use super::source_log::SourceLog;
use super::trouble::Trouble;
use super::worker::Worker;
use crate::dataflow;
use crate::dataflow::Job;
use crate::protocol::{
    Attempt, Barrier, CheckpointId, CoordinatorTimer, DefectSet, Incarnation, ProcessId,
    RescaleRequest, SubtaskId, TransactionId, VirtualTime,
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
    /// Worker: say that you live.
    Heartbeat,
    /// Send unanswered requests again.
    Retry,
    /// Task: the next source entry is due.
    Pace { subtask: SubtaskId, attempt: Attempt },
    /// Task: the mailbox has come to this barrier.
    Mail { subtask: SubtaskId, attempt: Attempt, barrier: Barrier },
    /// Task: the time of a barrier in its place is over.
    Overdue { subtask: SubtaskId, attempt: Attempt, barrier: Barrier },
    /// Task: what waits for its buffer to be full has waited long enough.
    Flush { subtask: SubtaskId, attempt: Attempt },
    /// Task: the processor is free again.
    Work { subtask: SubtaskId, attempt: Attempt },
    /// Task: a timer of user code may be due in processing time.
    Processing { subtask: SubtaskId, attempt: Attempt },
    /// Task: the service that it asks has answered.
    Answer { subtask: SubtaskId, attempt: Attempt, request: u64 },
    /// Task: the asynchronous part of a snapshot starts.
    Upload { subtask: SubtaskId, attempt: Attempt, checkpoint: CheckpointId },
    /// Task: a timer of its sink is due.
    Sink { subtask: SubtaskId, attempt: Attempt, number: u64 },
    /// Task: what its sink asked once has waited long enough for an answer.
    Unanswered { subtask: SubtaskId, attempt: Attempt, request: u64 },
    /// Task: what its sink could not commit is to be tried again.
    RetryCommit { subtask: SubtaskId, attempt: Attempt, transaction: TransactionId },
    /// Coordinator: something about checkpoints.
    Checkpoint(CoordinatorTimer),
    /// Coordinator: the enumerators' mailbox has come to this checkpoint.
    Enumerate(Barrier),
    /// Coordinator: look who has not been heard of.
    CheckWorkers,
    /// Coordinator: start the next attempt.
    Restart,
    /// Store or sink target: this request is due.
    Serve(u64),
    /// Sink target: a timer of its system is due.
    System(u64),
    /// Sink target: its system is to see this request, which was held back.
    HeldBack(u64),
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
        /// To whom.
        to: ProcessId,
        /// What.
        message: Message,
    },
    /// Wake me.
    SetTimer {
        /// When.
        after: Delay,
        /// With this.
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

/// Everything that the processes of one job need to be started.
#[derive(Clone)]
pub struct Cluster {
    /// The job.
    pub job: Arc<Job>,
    /// The content of the source log.
    pub input: Arc<dataflow::Input>,
    /// The settings.
    pub settings: Arc<ClusterSettings>,
    /// The seeded bugs.
    pub defects: DefectSet,
}

impl Cluster {
    /// All processes, in the order in which they are started.
    pub fn processes(&self) -> impl Iterator<Item = ProcessId> + use<> {
        let services = [
            ProcessId::ObjectStore,
            ProcessId::MetaStore,
            ProcessId::SourceLog,
            ProcessId::SinkTarget,
            ProcessId::Coordinator,
        ];
        services.into_iter().chain((0..self.settings.workers).map(ProcessId::Worker))
    }

    /// A process with empty memory.
    #[must_use]
    pub fn start(&self, id: ProcessId) -> Process {
        let settings = Arc::clone(&self.settings);
        match id {
            ProcessId::Coordinator => {
                let job = Arc::clone(&self.job);
                Process::Coordinator(Box::new(Coordinator::new(settings, job, self.defects)))
            }
            ProcessId::ObjectStore => {
                let store = ObjectStore::new(settings.object_store, self.defects);
                Process::ObjectStore(store)
            }
            ProcessId::MetaStore => Process::MetaStore(MetaStore::new(settings.meta_store)),
            ProcessId::SourceLog => Process::SourceLog(SourceLog::new(Arc::clone(&self.input))),
            ProcessId::SinkTarget => {
                Process::SinkTarget(SinkTarget::new(self.defects, self.job.external_system()))
            }
            ProcessId::Worker(index) => {
                let job = Arc::clone(&self.job);
                Process::Worker(Box::new(Worker::new(index, settings, job, self.defects)))
            }
        }
    }

    /// The next life of a process: with what was durable, and nothing else. Coordinator and workers keep
    /// nothing of their own.
    #[must_use]
    pub fn restart(&self, old: &Process) -> Process {
        match old {
            Process::Coordinator(_) => self.start(ProcessId::Coordinator),
            Process::Worker(worker) => self.start(ProcessId::Worker(worker.index())),
            Process::ObjectStore(_)
            | Process::MetaStore(_)
            | Process::SourceLog(_)
            | Process::SinkTarget(_) => old.remains(),
        }
    }
}

/// A process of the cluster. Cloning it forks it.
#[derive(Clone)]
pub enum Process {
    /// See [`Coordinator`].
    Coordinator(Box<Coordinator>),
    /// See [`ObjectStore`].
    ObjectStore(ObjectStore),
    /// See [`MetaStore`].
    MetaStore(MetaStore),
    /// See [`SourceLog`].
    SourceLog(SourceLog),
    /// See [`SinkTarget`].
    SinkTarget(SinkTarget),
    /// See [`Worker`].
    Worker(Box<Worker>),
}

impl Process {
    /// What a crash leaves: of a service what is durable, and its troubles, which are not its own. The memory of
    /// the others is what they are, and stays with their corpse.
    #[must_use]
    pub fn remains(&self) -> Self {
        match self {
            Process::ObjectStore(store) => Process::ObjectStore(store.restarted()),
            Process::MetaStore(store) => Process::MetaStore(store.restarted()),
            Process::SinkTarget(target) => Process::SinkTarget(target.restarted()),
            Process::Coordinator(_) | Process::SourceLog(_) | Process::Worker(_) => self.clone(),
        }
    }

    /// A service is told how it fares while it is down: it shows in its next life. What happens by it at once is
    /// given back; it answers nobody.
    pub fn handle_trouble_while_down(
        &mut self,
        now: VirtualTime,
        trouble: Trouble,
    ) -> impl Iterator<Item = Event> + use<> {
        let mut outbox = QueuedOutbox::new();
        *self = self.remains();
        self.handle(now, Input::Trouble(trouble), &mut outbox);
        outbox.outputs.into_iter().filter_map(|output| match output {
            Output::Event(event) => Some(event),
            Output::Send { .. } | Output::SetTimer { .. } => None,
        })
    }

    /// What is to be told of it when the run is over: what an external system holds, and readers do not see.
    #[must_use]
    pub fn held(&self) -> Vec<Event> {
        match self {
            Process::SinkTarget(target) => target.held(),
            Process::Coordinator(_)
            | Process::ObjectStore(_)
            | Process::MetaStore(_)
            | Process::SourceLog(_)
            | Process::Worker(_) => Vec::new(),
        }
    }

    /// Takes one input; its consequences go to `outbox`, in order.
    pub fn handle(&mut self, now: VirtualTime, input: Input, outbox: &mut dyn Outbox) {
        match self {
            Process::Coordinator(process) => process.handle(now, input, outbox),
            Process::ObjectStore(process) => process.handle(input, outbox),
            Process::MetaStore(process) => process.handle(input, outbox),
            Process::SourceLog(process) => process.handle(input, outbox),
            Process::SinkTarget(process) => process.handle(now, input, outbox),
            Process::Worker(process) => process.handle(now, input, outbox),
        }
    }
}
