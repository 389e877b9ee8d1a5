//! What processes say to each other.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::dataflow::Record;
use crate::external::Reply;
use crate::protocol::rescale::FormerName;
use crate::protocol::{
    Acknowledgement, Attempt, Barrier, ChannelId, CheckpointId, DeclineReason, Element,
    Incarnation, ObjectKey, RequestNumber, SplitEvent, SplitId, SubtaskId, Term, TransactionId,
};
use crate::protocol::{ShapeHistory, SnapshotHandle};
use crate::trace::MessageKind;

use super::buffers::Parcel;
pub use super::savepoint_record::{Request, SavepointRecord};

/// Names a request of one incarnation of one process; its answer carries it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(pub u64);

impl RequestId {
    /// The first id of a life: ids of different lives never meet.
    #[must_use]
    pub fn first_of(incarnation: Incarnation) -> Self {
        Self(u64::from(incarnation.0) << 32)
    }

    /// Which life of its sender asked.
    #[must_use]
    pub fn incarnation(self) -> Incarnation {
        Incarnation((self.0 >> 32) as u32)
    }
}

/// A message. Those of [`Route::Channel`] and [`Route::Stream`] arrive in order and are not lost while
/// both ends live; all others travel alone: they may be lost, late, doubled and overtaken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are named after the ids they hold")]
pub enum Message {
    // ---- between subtasks
    /// An element of a channel, the `sequence`-th of the attempt, from 0.
    Data { attempt: Attempt, channel: ChannelId, sequence: u32, element: Element<Parcel> },
    /// So many elements have entered the channel before this: its sender has been quiet since.
    Tally { attempt: Attempt, channel: ChannelId, elements: u32 },
    /// The receiver of a channel can take this many items (or buffers) more.
    Credit { attempt: Attempt, channel: ChannelId, credits: u32 },

    // ---- worker and coordinator
    /// I live; `attempt` is what I run, if anything.
    Heartbeat(Heartbeat),
    /// I have heard you.
    HeartbeatSeen { term: Term },
    /// Hold these subtasks, from these snapshots: for this life of the worker only.
    Deploy { to: Incarnation, deploy: Arc<Deploy> },
    /// All my subtasks of this attempt hold their state.
    Ready(Heartbeat),
    /// Process.
    Run { attempt: Attempt },
    /// I do.
    Running(Heartbeat),
    /// Give your subtasks of this attempt up.
    Cancel { attempt: Attempt },
    /// Take part in this checkpoint, or savepoint.
    Trigger { attempt: Attempt, barrier: Barrier },
    /// All input of all my subtasks has ended.
    Ended(Heartbeat),
    /// The job is stopped at this savepoint, which has completed: commit, and finish.
    Stop { attempt: Attempt, checkpoint: CheckpointId },
    /// All my subtasks have.
    Finished(Heartbeat),
    /// Somebody asks the coordinator for something.
    Request { number: RequestNumber, request: Request },
    /// A snapshot is durable.
    Acknowledge(Box<Acknowledgement>),
    /// There will be no snapshot.
    Decline {
        attempt: Attempt,
        subtask: SubtaskId,
        checkpoint: CheckpointId,
        reason: DeclineReason,
    },
    /// The checkpoint completed.
    NotifyComplete { attempt: Attempt, checkpoint: CheckpointId },
    /// Nothing is on the loops of these subtasks, and nothing will be.
    LoopsOver { attempt: Attempt, over: Vec<SubtaskId> },
    /// The checkpoint was aborted.
    NotifyAborted { attempt: Attempt, checkpoint: CheckpointId },
    /// User code panicked, or state could not be restored.
    SubtaskFailed { attempt: Attempt, subtask: SubtaskId, reason: String },

    // ---- reader and enumerator
    /// I have nothing to read, and have taken so many events of this attempt.
    RequestSplit { attempt: Attempt, subtask: SubtaskId, taken: u32 },
    /// The `number`-th event of the attempt to this reader.
    TellReader { attempt: Attempt, subtask: SubtaskId, number: u32, event: SplitEvent },
    /// I have taken so many events of this attempt.
    SplitTaken { attempt: Attempt, subtask: SubtaskId, taken: u32 },

    // ---- stores
    /// To the object store.
    Object { request: RequestId, operation: ObjectOperation },
    /// From the object store.
    ObjectAnswer { request: RequestId, result: ObjectResult },
    /// To the meta store.
    Meta { request: RequestId, operation: MetaOperation },
    /// From the meta store: whether a write took place, and what is there now.
    MetaAnswer { request: RequestId, written: bool, version: u64, record: JobRecord },

    // ---- source log
    /// Send entries of this split from this offset on.
    Fetch { request: RequestId, split: SplitId, offset: u64, entries_max: u32 },
    /// Entries of a split.
    Fetched(Box<Fetched>),
    /// Nothing before this offset will be read again.
    CommitOffset { split: SplitId, offset: u64 },

    // ---- sink target
    /// Records for a transaction (or, in an at-least-once sink, for the world to see at once), the first
    /// of them number `first` of the transaction (or of the attempt).
    SinkWrite { transaction: TransactionId, transactional: bool, first: u64, records: Vec<Record> },
    /// To the sink target; behind the writes before it.
    Sink { request: RequestId, operation: SinkOperation },
    /// From the sink target.
    SinkAnswer { request: RequestId, accepted: bool },
    /// To the system that the sink target hosts; behind what was told before, if `in_order`.
    Ask { request: RequestId, in_order: bool, bytes: Vec<u8> },
    /// To the system that the sink target hosts; it does not answer.
    Tell { bytes: Vec<u8> },
    /// From the system.
    Reply { request: RequestId, reply: Reply },
}

/// Which way a message takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// A channel between subtasks, downstream.
    Channel(ChannelId),
    /// The same channel, upstream.
    Credit(ChannelId),
    /// The ordered, reliable stream between a sink and its target.
    Stream,
    /// Alone.
    Control(MessageKind),
}

impl Message {
    /// Which way it takes.
    #[must_use]
    pub fn route(&self) -> Route {
        use MessageKind as Kind;
        let kind = match self {
            Message::Data { channel, .. } | Message::Tally { channel, .. } => {
                return Route::Channel(*channel);
            }
            Message::Credit { channel, .. } => return Route::Credit(*channel),
            Message::SinkWrite { .. }
            | Message::Tell { .. }
            | Message::Ask { in_order: true, .. } => return Route::Stream,
            Message::Ask { in_order: false, .. } => Kind::SinkRequest,
            Message::Sink { operation, .. } => match operation {
                SinkOperation::Prepare { .. } | SinkOperation::Flush { .. } => {
                    return Route::Stream;
                }
                SinkOperation::Fence { .. } | SinkOperation::Commit { .. } => Kind::SinkRequest,
            },
            Message::Heartbeat(_) | Message::HeartbeatSeen { .. } => Kind::Heartbeat,
            Message::Deploy { .. } => Kind::Deploy,
            Message::Ready(_) => Kind::Ready,
            Message::Run { .. } => Kind::Run,
            Message::Running(_) => Kind::Running,
            Message::Cancel { .. } => Kind::Cancel,
            Message::Trigger { .. } => Kind::Trigger,
            Message::Acknowledge(_) => Kind::Acknowledge,
            Message::Decline { .. } => Kind::Decline,
            Message::NotifyComplete { .. } | Message::Stop { .. } | Message::LoopsOver { .. } => {
                Kind::NotifyComplete
            }
            Message::Ended(_) | Message::Finished(_) => Kind::Finished,
            Message::Request { .. } => Kind::Request,
            Message::NotifyAborted { .. } => Kind::NotifyAborted,
            Message::SubtaskFailed { .. } => Kind::SubtaskFailed,
            Message::RequestSplit { .. } => Kind::RequestSplit,
            Message::TellReader { event: SplitEvent::Assign(_), .. } => Kind::AssignSplit,
            Message::TellReader { event: SplitEvent::NoMore, .. } => Kind::NoMoreSplits,
            Message::SplitTaken { .. } => Kind::TakeSplit,
            Message::Object { .. } | Message::Meta { .. } => Kind::StoreRequest,
            Message::ObjectAnswer { .. } | Message::MetaAnswer { .. } => Kind::StoreAnswer,
            Message::Fetch { .. } | Message::CommitOffset { .. } => Kind::LogRequest,
            Message::Fetched(_) => Kind::LogAnswer,
            Message::SinkAnswer { .. } | Message::Reply { .. } => Kind::SinkAnswer,
        };
        Route::Control(kind)
    }

    /// Which request it answers, if it is an answer.
    #[must_use]
    pub fn answers(&self) -> Option<RequestId> {
        match self {
            Message::ObjectAnswer { request, .. }
            | Message::MetaAnswer { request, .. }
            | Message::SinkAnswer { request, .. }
            | Message::Reply { request, .. } => Some(*request),
            Message::Fetched(fetched) => Some(fetched.request),
            _ => None,
        }
    }

    /// The attempt whose channel it travels in, if it does.
    #[must_use]
    pub fn channel_attempt(&self) -> Option<Attempt> {
        match self {
            Message::Data { attempt, .. }
            | Message::Tally { attempt, .. }
            | Message::Credit { attempt, .. } => Some(*attempt),
            _ => None,
        }
    }

    /// How many bytes of content it carries; what a link with limited bandwidth charges for,
    /// beside a fixed header.
    #[must_use]
    pub fn content_bytes(&self) -> usize {
        match self {
            Message::Data { element: Element::Item(parcel), .. } => parcel.content_bytes(),
            Message::Fetched(fetched) => fetched.bytes.len(),
            Message::SinkWrite { records, .. } => records.iter().map(|r| r.payload.len()).sum(),
            Message::Ask { bytes, .. } | Message::Tell { bytes } => bytes.len(),
            Message::Reply { reply: Reply::Answer(bytes), .. } => bytes.len(),
            Message::Object { operation: ObjectOperation::Put { bytes, .. }, .. } => bytes.len(),
            Message::ObjectAnswer { result: ObjectResult::Read(bytes), .. } => bytes.len(),
            _ => 0,
        }
    }
}

/// A sign of life: who speaks, and what it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Which life of the worker.
    pub incarnation: Incarnation,
    /// Counts the signs of this life, so that one that was overtaken is recognised.
    pub sequence: u64,
    /// What it holds or runs, if anything.
    pub attempt: Option<Attempt>,
}

/// What a worker needs to hold its share of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deploy {
    /// The attempt.
    pub attempt: Attempt,
    /// Under whose reign.
    pub term: Term,
    /// What all subtasks start from.
    pub checkpoint: Option<CheckpointId>,
    /// By subtask: the worker that hosts it.
    pub placement: Vec<u16>,
    /// By subtask: its snapshot; empty where there is no checkpoint, or several make one.
    pub snapshots: Vec<SnapshotHandle>,
    /// By subtask: the snapshots of all subtasks of its operator, where that has a union list and starts from
    /// snapshots of its own shape. Empty where no operator has one.
    pub unions: Vec<Vec<SnapshotHandle>>,
    /// The shape, once the job has been rescaled.
    pub shape: Option<Box<DeployedShape>>,
}

/// The shape of an attempt of a job that has been rescaled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeployedShape {
    /// How many subtasks each operator has that may have several.
    pub parallelism: u16,
    /// The first attempt in this shape.
    pub since: Attempt,
    /// By subtask: what its sink's transactions were called in older shapes, those it takes over included.
    pub former: Vec<Vec<FormerName>>,
    /// Where its state comes from, if it was taken in another shape.
    pub redistribution: Option<Redistribution>,
}

/// Snapshots of another shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redistribution {
    /// The parallelism at which they were taken; none where as declared.
    pub parallelism: Option<u16>,
    /// By subtask: those of its operator that it must read.
    pub snapshots: Vec<Vec<SnapshotHandle>>,
    /// By subtask: those of whoever sent to its operator, where something of theirs may be in flight.
    pub senders: Vec<Vec<SnapshotHandle>>,
}

impl Deploy {
    /// What a subtask starts from, in the order of the subtasks that took it.
    #[must_use]
    pub fn snapshots_of(&self, subtask: SubtaskId) -> &[SnapshotHandle] {
        let index = subtask.index();
        match self.redistribution() {
            Some(redistribution) => redistribution.snapshots.get(index).map_or(&[], Vec::as_slice),
            None => self.snapshots.get(index).map_or(&[], std::slice::from_ref),
        }
    }

    /// All that a subtask reads: what it starts from, and then what its senders had in flight, or what of all
    /// subtasks of its operator is united.
    #[must_use]
    pub fn reads_of(&self, subtask: SubtaskId) -> Vec<SnapshotHandle> {
        let senders = self.redistribution().and_then(|other| other.senders.get(subtask.index()));
        let senders = senders.map_or(&[][..], Vec::as_slice);
        [self.snapshots_of(subtask), senders, self.united_in(subtask)].concat()
    }

    /// The snapshots of all subtasks of its operator, where a union list is made of them.
    #[must_use]
    pub fn united_in(&self, subtask: SubtaskId) -> &[SnapshotHandle] {
        self.unions.get(subtask.index()).map_or(&[], Vec::as_slice)
    }

    fn redistribution(&self) -> Option<&Redistribution> {
        self.shape.as_ref().and_then(|shape| shape.redistribution.as_ref())
    }
}

/// A request to the object store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are named after what they hold")]
pub enum ObjectOperation {
    /// Make these bytes durable under this key.
    Put { key: ObjectKey, bytes: Arc<[u8]> },
    /// Send me what lies there.
    Get { key: ObjectKey },
    /// Remove it; it may be gone already.
    Delete { key: ObjectKey },
    /// Tell me what there is. The answer may be older than the request.
    List,
}

/// What the object store did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ObjectResult {
    /// Put or deleted.
    Done,
    /// Read.
    Read(Arc<[u8]>),
    /// The keys under which something lies, or lay a while ago.
    Listed(Vec<ObjectKey>),
    /// There is nothing under this key.
    Missing,
    /// Not done; trying again may help.
    Failed,
}

/// What a job knows about itself, durably: one record, replaced whole, so that every change is atomic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRecord {
    /// The newest reign.
    pub term: Term,
    /// Which life of the coordinator reigns.
    pub leader: Incarnation,
    /// The newest attempt.
    pub attempt: Attempt,
    /// The highest checkpoint id that may have been used.
    pub last_checkpoint: CheckpointId,
    /// The completed checkpoints, oldest first: the completed-checkpoint store.
    pub retained: Vec<CheckpointId>,
    /// Nothing is left to do.
    pub finished: bool,
    /// The parallelism of the next attempt, once somebody has asked for another than the declared one.
    pub parallelism: Option<u16>,
    /// In which shapes attempts have run.
    pub shapes: ShapeHistory,
    /// What is asked of this job, the savepoints that were taken, and whether it is stopped at one.
    pub savepoints: Box<SavepointRecord>,
}

/// A request to the meta store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are named after what they hold")]
pub enum MetaOperation {
    /// Send me the record.
    Read,
    /// Replace the record, if its version is still the expected one and no later term has written.
    Write { expected_version: u64, record: JobRecord },
}

/// Entries of a split, back to back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetched {
    /// What it answers.
    pub request: RequestId,
    /// The split.
    pub split: SplitId,
    /// What was asked for.
    pub requested: u64,
    /// The offset of the first entry: higher than asked for where the log has let go of older ones.
    pub offset: u64,
    /// The content of all entries.
    pub bytes: Vec<u8>,
    /// Where each entry ends in `bytes`.
    pub ends: Vec<u32>,
    /// Where the split ends: no entry has this offset or a higher one.
    pub split_end: u64,
}

/// A request to the sink target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are named after the ids they hold")]
pub enum SinkOperation {
    /// Refuse producers of this sink older than `attempt`, and abort their transactions but `keep`: those
    /// that go by its name since attempt `since`, and by a former one.
    Fence {
        sink: SubtaskId,
        attempt: Attempt,
        keep: Vec<TransactionId>,
        since: Attempt,
        former: Vec<FormerName>,
    },
    /// Make what was written durable, still invisible. `records` is how many there must be.
    Prepare { transaction: TransactionId, records: u64 },
    /// Make it visible; again and again has the same effect as once.
    Commit { transaction: TransactionId },
    /// Answer when everything written before, outside transactions, is visible. `records` is how many
    /// the attempt has written.
    Flush { sink: SubtaskId, attempt: Attempt, records: u64 },
}
