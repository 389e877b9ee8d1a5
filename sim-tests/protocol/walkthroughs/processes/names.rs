//! The names of a walk-through, and its words.

use std::collections::BTreeMap;

use cutwater::cluster::message::{
    Answer, MetaOperation, ObjectOperation, Route, SinkOperation, ToCoordinator, ToSinkTarget,
    ToWorker,
};
use cutwater::cluster::{CoordinatorWakeUp, Message, Parcel, SinkTimer, TaskTimer, Timer};
use cutwater::dataflow::Item;
use cutwater::protocol::{
    ChannelId, CoordinatorTimer, Element, LineageId, ObjectKey, OperatorRole, ProcessId, SubtaskId,
    Topology, TransactionId,
};
use cutwater::render::words::{Clause, clause};
use cutwater::trace::{Event, MessageKind};
use strum::IntoEnumIterator;

/// Who is called what, and what each record holds.
#[derive(Debug)]
pub struct Names {
    topology: Topology,
    /// By subtask.
    members: Vec<String>,
    /// What was seen in channels.
    values: BTreeMap<LineageId, i64>,
    /// The channel that closes the loop, if there is one.
    round: Option<String>,
}

impl Names {
    /// The names of a job's subtasks, each of which has a worker of its own.
    pub fn new(topology: Topology, members: Vec<String>, round: Option<String>) -> Self {
        Self { topology, members, values: BTreeMap::new(), round }
    }

    /// What a record counts that comes by this channel: none where it is even and comes round.
    pub fn counts(&self, channel: ChannelId, value: i64) -> Option<i64> {
        match self.round.as_ref().is_some_and(|round| *round == self.of_channel(channel)) {
            true => (value % 2 != 0).then_some(1),
            false => Some(value),
        }
    }

    /// The subtask with this name.
    pub fn subtask(&self, name: &str) -> Result<SubtaskId, String> {
        let found = self.members.iter().position(|member| member == name);
        let index = found.ok_or_else(|| format!("unknown subtask {name:?}"))?;
        Ok(SubtaskId(index as u16))
    }

    /// The process with this name; a subtask's is the worker that hosts it.
    pub fn process(&self, name: &str) -> Result<ProcessId, String> {
        match name {
            "coordinator" => Ok(ProcessId::Coordinator),
            "meta-store" => Ok(ProcessId::MetaStore),
            "object-store" => Ok(ProcessId::ObjectStore),
            "sink-target" => Ok(ProcessId::SinkTarget),
            name => Ok(ProcessId::Worker(self.subtask(name)?.0)),
        }
    }

    /// What this process is called: a worker after its subtask.
    pub fn of_process(&self, process: ProcessId) -> String {
        match process {
            ProcessId::Worker(worker) => match self.members.get(usize::from(worker)) {
                Some(name) => format!("worker of {name}"),
                None => process.to_string(),
            },
            other => other.to_string(),
        }
    }

    /// The channel with this name, `a->sum`.
    pub fn channel(&self, name: &str) -> Result<ChannelId, String> {
        let mut channels = self.topology.channel_ids();
        let found = channels.find(|channel| self.of_channel(*channel) == name);
        found.ok_or_else(|| format!("unknown channel {name:?}"))
    }

    /// How many subtasks there are.
    pub fn count(&self) -> usize {
        self.members.len()
    }

    /// What this subtask is called.
    pub fn of_subtask(&self, subtask: SubtaskId) -> &str {
        &self.members[subtask.index()]
    }

    /// What it does.
    pub fn role(&self, subtask: SubtaskId) -> OperatorRole {
        self.topology.operator_of(subtask).role
    }

    /// Who sends in a channel.
    pub fn sender(&self, channel: ChannelId) -> SubtaskId {
        self.topology.channels[channel.index()].from
    }

    /// Who receives from a channel.
    pub fn receiver(&self, channel: ChannelId) -> SubtaskId {
        self.topology.channels[channel.index()].to
    }

    /// What a record holds.
    pub fn value(&self, lineage: LineageId) -> i64 {
        self.values.get(&lineage).copied().unwrap_or_default()
    }

    /// All channels, in order.
    pub fn channels(&self) -> impl Iterator<Item = ChannelId> + use<> {
        self.topology.channel_ids()
    }

    /// What this channel is called.
    pub fn of_channel(&self, channel: ChannelId) -> String {
        let shape = self.topology.channels[channel.index()];
        format!("{}->{}", self.members[shape.from.index()], self.members[shape.to.index()])
    }

    /// The ends of a channel: their workers.
    pub fn ends(&self, channel: ChannelId) -> (ProcessId, ProcessId) {
        let shape = self.topology.channels[channel.index()];
        (ProcessId::Worker(shape.from.0), ProcessId::Worker(shape.to.0))
    }

    /// Remembers what a record holds.
    pub fn learn(&mut self, element: &Element<Parcel>) {
        if let Element::Item(Parcel::Item(Item::Record(record))) = element
            && let Ok(value) = postcard::from_bytes(&record.payload)
        {
            self.values.insert(record.lineage, value);
        }
    }

    /// What an element is called.
    pub fn of_element(&self, element: &Element<Parcel>) -> String {
        match element {
            Element::Item(Parcel::Item(item)) => {
                let value = item.lineage().and_then(|lineage| self.values.get(&lineage));
                value.map_or_else(|| "a watermark".to_owned(), ToString::to_string)
            }
            Element::Item(Parcel::Buffer(_)) => "a buffer".to_owned(),
            Element::Barrier(barrier) => barrier.to_string(),
            Element::Cancel(checkpoint) => format!("|cancel {checkpoint}|"),
            Element::End => "|end|".to_owned(),
        }
    }

    /// The subtask that a worker hosts.
    pub fn hosted(&self, process: ProcessId) -> &str {
        match process {
            ProcessId::Worker(worker) => &self.members[usize::from(worker)],
            _ => "nobody",
        }
    }

    /// A message in brief: what it is about, and who sends it or gets it.
    pub fn in_brief(
        &self,
        [from, to]: [ProcessId; 2],
        message: &Message,
        confirmed: Option<TransactionId>,
    ) -> String {
        let (to, from) = (self.hosted(to), self.hosted(from));
        match message {
            Message::Worker(ToWorker::Trigger { barrier, .. }) => {
                format!("trigger {} to {to}", barrier.checkpoint)
            }
            Message::Coordinator(ToCoordinator::Acknowledge(it)) => {
                format!("acknowledge {} from {from}", it.checkpoint)
            }
            Message::Coordinator(ToCoordinator::Decline { checkpoint, .. }) => {
                format!("decline {checkpoint} from {from}")
            }
            Message::Worker(ToWorker::NotifyComplete { checkpoint, .. })
            | Message::Worker(ToWorker::Stop { checkpoint, .. }) => {
                format!("complete {checkpoint} to {to}")
            }
            Message::Worker(ToWorker::NotifyAborted { checkpoint, .. }) => {
                format!("abort {checkpoint} to {to}")
            }
            Message::SinkTarget(ToSinkTarget::Operation {
                operation: SinkOperation::Commit { transaction },
                ..
            }) => {
                format!("commit {transaction} from {from}")
            }
            Message::Worker(ToWorker::LoopsOver { .. }) => format!("loop-over to {to}"),
            other => match confirmed {
                Some(transaction) => format!("confirm {transaction} to {to}"),
                None => kind_of(other),
            },
        }
    }

    /// What becomes durable by this request.
    pub fn stored(&self, message: &Message) -> String {
        match message {
            Message::ObjectStore { operation: ObjectOperation::Put { key, .. }, .. } => match key {
                ObjectKey::Metadata { checkpoint } | ObjectKey::Savepoint { checkpoint } => {
                    format!("the metadata of {checkpoint} is durable")
                }
                ObjectKey::Snapshot { checkpoint, .. } => format!("{checkpoint} is durable"),
            },
            Message::MetaStore { operation: MetaOperation::Write { record, .. }, .. } => {
                let savepoint = record.savepoints.completed.last();
                let newest = record.retained.last().max(savepoint);
                let newest = newest.map_or_else(|| "it".to_owned(), ToString::to_string);
                format!("{newest} is in the store")
            }
            _ => "it is durable".to_owned(),
        }
    }

    /// An event as a line, if walk-throughs show it: what goes into a channel is seen when it is delivered.
    pub fn shown(&self, process: ProcessId, event: &Event) -> Option<String> {
        let line = match event {
            Event::Sent { .. } | Event::Read { .. } | Event::RunStarted(_) => return None,
            Event::WatermarkSent { .. } | Event::WatermarkReceived { .. } => return None,
            Event::Received { channel, lineage, .. } => {
                let to = self.topology.channels[channel.index()].to;
                let value = self.values.get(lineage).copied().unwrap_or_default();
                format!("{}: processes {value}", self.members[to.index()])
            }
            Event::SnapshotTaken(taken) => {
                let counts: u64 = taken.received.iter().map(|cut| cut.records).sum();
                let at: u64 = taken.positions.iter().map(|position| position.offset).sum();
                let behind = match taken.positions.is_empty() {
                    true => format!("behind {counts} records"),
                    false => format!("at offset {at}"),
                };
                let (name, checkpoint) = (&self.members[taken.subtask.index()], taken.checkpoint);
                format!("{name}: snapshots for {checkpoint}, {behind}")
            }
            event => {
                let Clause { subject, verb, object } = clause(&self.topology, event);
                let subject = if subject.is_empty() { self.of_process(process) } else { subject };
                let object = if object.is_empty() { object } else { format!(" {object}") };
                format!("{subject}: {verb}{object}")
            }
        };
        Some(format!("  {}", line.replace("/0", "")))
    }
}

/// The kinds that have a name of their own here; every other message that may be lost or late has that of its
/// [`MessageKind`]. What travels in order has none that a command may name.
const OWN_KINDS: [&str; 11] = [
    "record-read",
    "record-write",
    "record-answer",
    "object-put",
    "object-get",
    "object-delete",
    "object-answer",
    "stop",
    "loop-over",
    "commit",
    "confirm",
];

/// The timers.
const TIMERS: [&str; 14] = [
    "heartbeat",
    "retry",
    "pace",
    "mail",
    "overdue",
    "flush",
    "work",
    "upload",
    "trigger",
    "expire",
    "enumerate",
    "check-workers",
    "restart",
    "serve",
];

/// Whether commands may name this.
pub fn is_kind(name: &str) -> bool {
    let is_message = || MessageKind::iter().any(|kind| kind.to_string() == name);
    OWN_KINDS.contains(&name) || TIMERS.contains(&name) || is_message()
}

/// The name of a message's kind in commands.
pub fn kind_of(message: &Message) -> String {
    let own = match message {
        Message::MetaStore { operation: MetaOperation::Read, .. } => "record-read",
        Message::MetaStore { operation: MetaOperation::Write { .. }, .. } => "record-write",
        Message::Answer(Answer::Meta { .. }) => "record-answer",
        Message::ObjectStore { operation: ObjectOperation::Put { .. }, .. } => "object-put",
        Message::ObjectStore { operation: ObjectOperation::Get { .. }, .. } => "object-get",
        Message::ObjectStore { operation: ObjectOperation::Delete { .. }, .. } => "object-delete",
        Message::Answer(Answer::Object { .. }) => "object-answer",
        Message::Worker(ToWorker::Stop { .. }) => "stop",
        Message::Worker(ToWorker::LoopsOver { .. }) => "loop-over",
        Message::SinkTarget(ToSinkTarget::Operation {
            operation: SinkOperation::Commit { .. },
            ..
        }) => "commit",
        other => match other.route() {
            Route::Control(kind) => return kind.to_string(),
            Route::Channel(_) => "data",
            Route::Credit(_) => "credit",
            Route::Stream => "sink-write",
        },
    };
    own.to_owned()
}

/// The name of a timer in commands.
pub fn timer_of(timer: &Timer) -> &'static str {
    match timer {
        Timer::Heartbeat => "heartbeat",
        Timer::Retry => "retry",
        Timer::Task { what: TaskTimer::Pace, .. } => "pace",
        Timer::Task { what: TaskTimer::Mail { .. }, .. } => "mail",
        Timer::Task { what: TaskTimer::Overdue { .. }, .. } => "overdue",
        Timer::Task { what: TaskTimer::Flush, .. } => "flush",
        Timer::Task { what: TaskTimer::Work, .. } => "work",
        Timer::Task { what: TaskTimer::Processing, .. } => "processing",
        Timer::Task { what: TaskTimer::Answer { .. }, .. } => "answer",
        Timer::Task { what: TaskTimer::Upload { .. }, .. } => "upload",
        Timer::Coordinator(CoordinatorWakeUp::Checkpoint(CoordinatorTimer::Trigger)) => "trigger",
        Timer::Coordinator(CoordinatorWakeUp::Checkpoint(CoordinatorTimer::Expire(_))) => "expire",
        Timer::Coordinator(CoordinatorWakeUp::Enumerate(_)) => "enumerate",
        Timer::Coordinator(CoordinatorWakeUp::Discover) => "discover",
        Timer::Split(_) => "split",
        Timer::Coordinator(CoordinatorWakeUp::CheckWorkers) => "check-workers",
        Timer::Coordinator(CoordinatorWakeUp::Restart) => "restart",
        Timer::Serve(_) => "serve",
        Timer::Task { what: TaskTimer::Sink(SinkTimer::Due { .. }), .. } => "sink",
        Timer::Task { what: TaskTimer::Sink(SinkTimer::Unanswered { .. }), .. } => "unanswered",
        Timer::Task { what: TaskTimer::Sink(SinkTimer::RetryCommit { .. }), .. } => "retry-commit",
        Timer::System(_) => "system",
        Timer::HeldBack(_) => "held-back",
    }
}
