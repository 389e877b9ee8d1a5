//! What processes say to each other.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::dataflow::Record;
use crate::external::Reply;
use crate::protocol::{
    Acknowledgement, Attempt, Barrier, ChannelId, CheckpointId, DeclineReason, Element,
    Incarnation, Listing, RequestNumber, SplitEvent, SplitId, SubtaskId, Term, TransactionId,
};

use super::buffers::Parcel;
pub use super::payload::{
    Deploy, DeployedShape, Fetched, Heartbeat, JobRecord, MetaOperation, ObjectOperation,
    ObjectResult, Redistribution, SinkOperation,
};
pub use super::route::Route;
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

/// A message, by who receives it. Those of [`Route::Channel`] and [`Route::Stream`] arrive in order and are not
/// lost while both ends live; all others travel alone: they may be lost, late, doubled and overtaken.
///
/// Each process matches what it can receive by name, so that a new message compiles when its receiver has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are named after what they hold")]
pub enum Message {
    /// To a worker.
    Worker(ToWorker),
    /// To the coordinator.
    Coordinator(ToCoordinator),
    /// To the object store.
    ObjectStore { request: RequestId, operation: ObjectOperation },
    /// To the meta store.
    MetaStore { request: RequestId, operation: MetaOperation },
    /// To the source log.
    SourceLog(ToSourceLog),
    /// To the sink target.
    SinkTarget(ToSinkTarget),
    /// To whoever asked.
    Answer(Answer),
}

/// What a worker receives: from the workers at the other ends of its channels, and from the coordinator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are named after the ids they hold")]
pub enum ToWorker {
    /// An element of a channel, the `sequence`-th of the attempt, from 0.
    Data { attempt: Attempt, channel: ChannelId, sequence: u32, element: Element<Parcel> },
    /// This number of elements has entered the channel before this: its sender has been quiet since.
    Tally { attempt: Attempt, channel: ChannelId, elements: u32 },
    /// The receiver of a channel can take this many items (or buffers) more.
    Credit { attempt: Attempt, channel: ChannelId, credits: u32 },

    /// The coordinator has heard a heartbeat.
    HeartbeatSeen { term: Term },
    /// Hold these subtasks, from these snapshots: for this life of the worker only.
    Deploy { to: Incarnation, deploy: Arc<Deploy> },
    /// Process.
    Run { attempt: Attempt },
    /// Give your subtasks of this attempt up.
    Cancel { attempt: Attempt },
    /// Take part in this checkpoint, or savepoint.
    Trigger { attempt: Attempt, barrier: Barrier },
    /// The job is stopped at this savepoint, which has completed: commit, and finish.
    Stop { attempt: Attempt, checkpoint: CheckpointId },
    /// The checkpoint completed.
    NotifyComplete { attempt: Attempt, checkpoint: CheckpointId },
    /// Nothing is on the loops of these subtasks, and nothing will be.
    LoopsOver { attempt: Attempt, over: Vec<SubtaskId> },
    /// The checkpoint was aborted.
    NotifyAborted { attempt: Attempt, checkpoint: CheckpointId },
    /// The `number`-th event of the attempt to this reader, from its enumerator.
    TellReader { attempt: Attempt, subtask: SubtaskId, number: u32, event: SplitEvent },
}

/// What the coordinator receives: from workers, and from whoever asks something of the job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are named after the ids they hold")]
pub enum ToCoordinator {
    /// A worker lives, and runs this, if anything.
    Heartbeat(Heartbeat),
    /// All subtasks of the worker hold their state.
    Ready(Heartbeat),
    /// They process.
    Running(Heartbeat),
    /// All input of all of them has ended.
    Ended(Heartbeat),
    /// They have finished, as they were told.
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
    /// User code panicked, or state could not be restored.
    SubtaskFailed { attempt: Attempt, subtask: SubtaskId, reason: String },
    /// A reader has nothing to read, and has taken this number of events of the attempt.
    RequestSplit { attempt: Attempt, subtask: SubtaskId, taken: u32 },
    /// A reader has taken this number of events of the attempt.
    SplitTaken { attempt: Attempt, subtask: SubtaskId, taken: u32 },
}

/// What the source log receives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are named after the ids they hold")]
pub enum ToSourceLog {
    /// Send entries of this split from this offset on. A queue gives messages to consumers of the newest attempt only.
    Fetch { request: RequestId, attempt: Attempt, split: SplitId, offset: u64, entries_max: u32 },
    /// Nothing before this offset will be read again.
    CommitOffset { split: SplitId, offset: u64 },
    /// Which splits are there?
    ListSplits { request: RequestId },
}

/// What the sink target receives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are named after the ids they hold")]
pub enum ToSinkTarget {
    /// Records for a transaction; or, from an at-least-once sink, for the world to see at once. The first of them
    /// has the number `first` in the transaction, or in the attempt.
    Write { transaction: TransactionId, transactional: bool, first: u64, records: Vec<Record> },
    /// Something about transactions; behind the writes before it.
    Operation { request: RequestId, operation: SinkOperation },
    /// To the system that it hosts; behind what was told before, if `in_order`.
    Ask { request: RequestId, in_order: bool, bytes: Vec<u8> },
    /// To the system that it hosts; it does not answer.
    Tell { bytes: Vec<u8> },
}

/// What a store, the source log or the sink target answers to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are named after what they hold")]
pub enum Answer {
    /// From the object store.
    Object { request: RequestId, result: ObjectResult },
    /// From the meta store: whether a write took place, and what is there now.
    Meta { request: RequestId, written: bool, version: u64, record: JobRecord },
    /// From the source log: entries of a split.
    Fetched(Box<Fetched>),
    /// From the source log: which splits are there.
    SplitsListed { request: RequestId, listing: Box<Listing> },
    /// From the sink target.
    Sink { request: RequestId, accepted: bool },
    /// From the system that the sink target hosts.
    System { request: RequestId, reply: Reply },
}

impl Answer {
    /// Which request it answers.
    #[must_use]
    pub fn request(&self) -> RequestId {
        match self {
            Answer::Object { request, .. }
            | Answer::Meta { request, .. }
            | Answer::SplitsListed { request, .. }
            | Answer::Sink { request, .. }
            | Answer::System { request, .. } => *request,
            Answer::Fetched(fetched) => fetched.request,
        }
    }

    fn content_bytes(&self) -> usize {
        match self {
            Answer::Fetched(fetched) => fetched.bytes.len(),
            Answer::System { reply: Reply::Answer(bytes), .. } => bytes.len(),
            Answer::Object { result: ObjectResult::Read(bytes), .. } => bytes.len(),
            Answer::System { .. }
            | Answer::Object { .. }
            | Answer::Meta { .. }
            | Answer::SplitsListed { .. }
            | Answer::Sink { .. } => 0,
        }
    }
}

impl Message {
    /// Which request it answers, if it is an answer.
    #[must_use]
    pub fn answers(&self) -> Option<RequestId> {
        let Message::Answer(answer) = self else { return None };
        Some(answer.request())
    }

    /// The attempt whose channel it travels in, if it does.
    #[inline]
    #[must_use]
    pub fn channel_attempt(&self) -> Option<Attempt> {
        let Message::Worker(
            ToWorker::Data { attempt, .. }
            | ToWorker::Tally { attempt, .. }
            | ToWorker::Credit { attempt, .. },
        ) = self
        else {
            return None;
        };
        Some(*attempt)
    }

    /// How many bytes of content it carries; what a link with limited bandwidth charges for,
    /// beside a fixed header.
    #[must_use]
    pub fn content_bytes(&self) -> usize {
        match self {
            Message::Worker(message) => message.content_bytes(),
            Message::ObjectStore { operation: ObjectOperation::Put { bytes, .. }, .. } => {
                bytes.len()
            }
            Message::SinkTarget(message) => message.content_bytes(),
            Message::Answer(answer) => answer.content_bytes(),
            Message::ObjectStore { .. }
            | Message::MetaStore { .. }
            | Message::Coordinator(_)
            | Message::SourceLog(_) => 0,
        }
    }
}

impl ToWorker {
    fn content_bytes(&self) -> usize {
        let ToWorker::Data { element: Element::Item(parcel), .. } = self else { return 0 };
        parcel.content_bytes()
    }
}

impl ToSinkTarget {
    fn content_bytes(&self) -> usize {
        match self {
            ToSinkTarget::Write { records, .. } => records.iter().map(|r| r.payload.len()).sum(),
            ToSinkTarget::Ask { bytes, .. } | ToSinkTarget::Tell { bytes } => bytes.len(),
            ToSinkTarget::Operation { .. } => 0,
        }
    }
}
