//! The events of a trace. Oracles see these and nothing else, and every one is a protocol point:
//! a fault can be aimed at its n-th occurrence, before whatever follows it in the same outbox.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use strum::{EnumCount, EnumDiscriminants, EnumIter, EnumString, IntoStaticStr};

use super::contents::{
    ChannelStateCaptured, ChannelStateDealt, ChannelStateRestored, OutputHeld, OutputRecord,
    Restored, RunStarted, SnapshotTaken,
};
use super::message_kind::MessageKind;
use super::tagged::{self, TaggedSerializer};
use super::trouble::{SinkTrouble, StoreTrouble};
use cutwater_protocol::serde_by_name;
use cutwater_protocol::{
    AbortReason, Attempt, ChannelId, CheckpointId, Digest, Incarnation, LineageId, MessageId,
    ObjectKey, OperatorId, ProcessId, SavepointMode, SplitId, SubtaskId, Term, Topology,
    TransactionId, VirtualTime,
};

/// When and where an event happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stamp {
    /// The position in the trace, from 0, without gaps.
    pub number: u64,
    /// Virtual time; never decreases along a trace.
    pub at: VirtualTime,
    /// The process in which it happened; for faults, the one they happened to.
    pub process: ProcessId,
}

/// What happened. Names are engine-neutral: a real engine can record the same events, and leave out
/// those per record.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, EnumDiscriminants)]
#[strum_discriminants(
    name(Point),
    doc = "The kind of an event: what a fault can be aimed at.",
    derive(
        Hash,
        PartialOrd,
        Ord,
        EnumCount,
        EnumIter,
        EnumString,
        IntoStaticStr,
        strum::Display,
        strum::VariantNames
    ),
    strum(serialize_all = "kebab-case"),
    allow(missing_docs)
)]
#[serde(remote = "Self", rename_all = "kebab-case", deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "the fields are named after the ids they hold, and mean the same in every event"
)]
pub enum Event {
    // ---- the run -------------------------------------------------------------------------------
    /// Always the first event.
    RunStarted(Box<RunStarted>),
    /// The safety phase is over: no fault acts any more, what was broken has been healed.
    FaultsEnded,

    // ---- faults, each as it takes effect -------------------------------------------------------
    /// The process lost its memory and stopped.
    Crashed { process: ProcessId },
    /// The process runs again, with empty memory.
    Restarted { process: ProcessId, incarnation: Incarnation },
    /// The process stopped making progress; what arrives is kept for it.
    Paused { process: ProcessId },
    /// The process goes on, with its memory.
    Resumed { process: ProcessId },
    /// Nothing sent by `from` reaches `to` any more; what channels carry is held, the rest is lost.
    Disconnected { from: ProcessId, to: ProcessId },
    /// `from` reaches `to` again.
    Healed { from: ProcessId, to: ProcessId },
    /// A control message was dropped.
    MessageDropped { from: ProcessId, to: ProcessId, message: MessageKind },
    /// A control message was held back for longer than its link would have.
    MessageDelayed { from: ProcessId, to: ProcessId, message: MessageKind },
    /// A control message was delivered twice.
    MessageDuplicated { from: ProcessId, to: ProcessId, message: MessageKind },
    /// A control message is held back until something else has happened.
    MessageReordered { from: ProcessId, to: ProcessId, message: MessageKind },
    /// The process is replaced, and this life of it goes on all the same, beside the next.
    Zombified { process: ProcessId, incarnation: Incarnation },
    /// A life that had been replaced is over.
    ZombieEnded { process: ProcessId, incarnation: Incarnation },
    /// What `from` sends to `to` is held from here on; nothing of it is lost.
    Held { from: ProcessId, to: ProcessId },
    /// What was held arrives from here on.
    Released { from: ProcessId, to: ProcessId },
    /// What `from` sends to `to` is lost from here on, channels included, and nobody is told.
    HalfOpened { from: ProcessId, to: ProcessId },
    /// Both ends learn that the connection from `from` to `to` was lost; the next one works.
    ConnectionReset { from: ProcessId, to: ProcessId },
    /// A reconnect lost one element of a channel, and nobody is told.
    ElementLost { channel: ChannelId },
    /// The clock of a process changed; it is this far ahead of virtual time now, in microseconds.
    ClockChanged { process: ProcessId, ahead_us: i64 },
    /// A store is in trouble from here on.
    StoreTroubled { process: ProcessId, trouble: StoreTrouble },
    /// A store works normally again.
    StoreRecovered { process: ProcessId },
    /// Every copy of the object is gone for good, though it had been durable.
    ObjectDestroyed { key: ObjectKey },
    /// The sink target is in trouble from here on.
    SinkTroubled { trouble: SinkTrouble },
    /// The sink target works normally again.
    SinkRecovered,
    /// The source log has nothing new to give in this split for a while.
    SplitIdle { split: SplitId },
    /// The split goes on.
    SplitResumed { split: SplitId },

    // ---- records and barriers in channels ------------------------------------------------------
    // `sequence` counts the records of a channel within an attempt from 0; for markers it is the
    // number of records before them.
    /// A source took the entry at `offset`; what it emits for it follows.
    Read { subtask: SubtaskId, attempt: Attempt, split: SplitId, offset: u64, lineage: LineageId },
    /// A record entered a channel; of so many bytes, where it is known of each record.
    Sent {
        channel: ChannelId,
        attempt: Attempt,
        sequence: u64,
        lineage: LineageId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bytes: Option<u32>,
    },
    /// A record left a channel and is processed by its receiver at once.
    Received { channel: ChannelId, attempt: Attempt, sequence: u64, lineage: LineageId },
    /// A barrier entered a channel.
    BarrierSent { channel: ChannelId, attempt: Attempt, checkpoint: CheckpointId, sequence: u64 },
    /// A barrier left a channel: the gate has seen it.
    BarrierReceived {
        channel: ChannelId,
        attempt: Attempt,
        checkpoint: CheckpointId,
        sequence: u64,
    },
    /// A barrier left a channel ahead of what waits there; `sequence` counts the records processed before.
    BarrierOvertook {
        channel: ChannelId,
        attempt: Attempt,
        checkpoint: CheckpointId,
        sequence: u64,
    },
    /// A record that a restore put back into a channel left it and is processed by its receiver.
    Replayed { channel: ChannelId, attempt: Attempt, lineage: LineageId },
    /// The channel state of an input ends within a record, whose end the barrier overtook elsewhere: it was
    /// in a buffer that had not been sent.
    RecordCut { channel: ChannelId, attempt: Attempt, checkpoint: CheckpointId },
    /// A cancel marker entered a channel.
    CancelSent { channel: ChannelId, attempt: Attempt, checkpoint: CheckpointId, sequence: u64 },
    /// A cancel marker left a channel.
    CancelReceived { channel: ChannelId, attempt: Attempt, checkpoint: CheckpointId, sequence: u64 },
    /// The end of input entered a channel; nothing follows in this attempt.
    EndSent { channel: ChannelId, attempt: Attempt, sequence: u64 },
    /// The end of input left a channel.
    EndReceived { channel: ChannelId, attempt: Attempt, sequence: u64 },
    /// The gate delivers nothing from this channel until `checkpoint` is aligned or given up.
    ChannelBlocked { channel: ChannelId, attempt: Attempt, checkpoint: CheckpointId },
    /// The gate delivers from this channel again.
    ChannelUnblocked { channel: ChannelId, attempt: Attempt, checkpoint: CheckpointId },

    // ---- subtasks ------------------------------------------------------------------------------
    /// A subtask holds the state it starts from, and processes nothing yet.
    Restored(Box<Restored>),
    /// All inputs not yet ended have delivered the barrier, or are about to: the first one has.
    AlignmentStarted { subtask: SubtaskId, attempt: Attempt, checkpoint: CheckpointId },
    /// Every input has delivered the barrier or ended.
    AlignmentCompleted { subtask: SubtaskId, attempt: Attempt, checkpoint: CheckpointId },
    /// A barrier came ahead: the cut is where the subtask stands, without waiting for the others.
    AlignmentOvertaken { subtask: SubtaskId, attempt: Attempt, checkpoint: CheckpointId },
    /// The subtask gave the checkpoint up before it took its snapshot.
    AlignmentAborted { subtask: SubtaskId, attempt: Attempt, checkpoint: CheckpointId },
    /// The synchronous part: the state at the cut is frozen. Barriers have been forwarded before it.
    SnapshotTaken(Box<SnapshotTaken>),
    /// The barrier has come everywhere: what it overtook is known, and part of the snapshot.
    ChannelStateCaptured(Box<ChannelStateCaptured>),
    /// What a subtask takes of what was on its way when the job had another shape. Precedes
    /// [`Event::ChannelStateRestored`].
    ChannelStateDealt(Box<ChannelStateDealt>),
    /// What was on its way at the cut is back in the channels, and nothing was processed yet. Precedes
    /// [`Event::Restored`] of the subtask.
    ChannelStateRestored(Box<ChannelStateRestored>),
    /// The asynchronous part is over, as far as the subtask knows: state and pre-commit are durable.
    SnapshotDurable { subtask: SubtaskId, attempt: Attempt, checkpoint: CheckpointId },
    /// The subtask is about to tell the coordinator so.
    Acknowledged { subtask: SubtaskId, attempt: Attempt, checkpoint: CheckpointId },
    /// The subtask is about to tell the coordinator that it has no snapshot to give.
    Declined { subtask: SubtaskId, attempt: Attempt, checkpoint: CheckpointId },
    /// The subtask learned that `checkpoint` completed, from a notification meant for `sent_to`.
    CompletionLearned {
        subtask: SubtaskId,
        attempt: Attempt,
        checkpoint: CheckpointId,
        sent_to: Attempt,
    },
    /// The subtask learned that `checkpoint` was aborted.
    AbortLearned { subtask: SubtaskId, attempt: Attempt, checkpoint: CheckpointId },
    /// All inputs have ended and everything was emitted.
    SubtaskEnded { subtask: SubtaskId, attempt: Attempt },
    /// User code panicked, or state could not be read.
    SubtaskFailed { subtask: SubtaskId, attempt: Attempt, reason: String },

    // ---- event time, where it is observed -------------------------------------------------------
    /// A subtask begins with this watermark, and with so many timers; none where snapshots hold no
    /// watermark, and it begins anew.
    TimeRestored { subtask: SubtaskId, attempt: Attempt, watermark: Option<i64>, timers: u64 },
    /// The watermark of a subtask rose: the minimum over its channels, or over the splits of a source.
    WatermarkAdvanced { subtask: SubtaskId, attempt: Attempt, watermark: i64 },
    /// A watermark entered a channel.
    WatermarkSent { channel: ChannelId, attempt: Attempt, watermark: i64, sequence: u64 },
    /// A watermark left a channel.
    WatermarkReceived { channel: ChannelId, attempt: Attempt, watermark: i64, sequence: u64 },
    /// A timer that was not there was registered for a key.
    TimerRegistered { subtask: SubtaskId, attempt: Attempt, key: Digest, timestamp: i64 },
    /// A timer was taken back.
    TimerDeleted { subtask: SubtaskId, attempt: Attempt, key: Digest, timestamp: i64 },
    /// A timer fires; what it emits follows.
    TimerFired { subtask: SubtaskId, attempt: Attempt, key: Digest, timestamp: i64 },
    /// A record was dropped because it is late; `record` is the digest of its bytes.
    DroppedLate {
        subtask: SubtaskId,
        attempt: Attempt,
        lineage: LineageId,
        record: Digest,
        timestamp: i64,
    },

    // ---- coordinator ---------------------------------------------------------------------------
    /// A coordinator reigns, and knows what its predecessors made durable.
    LeadershipTaken { term: Term },
    /// Somebody asked for the job to go on at another parallelism; with `checkpoint_first`, only once a
    /// checkpoint triggered after this has completed.
    RescaleRequested { attempt: Attempt, parallelism: u16, checkpoint_first: bool },
    /// What was asked for cannot be; the job goes on as it is.
    RescaleRefused { parallelism: u16, reason: String },
    /// The parallelism of the next attempt is durable, and `attempt` is about to be ended for it; the
    /// newest completed checkpoint is this one.
    RescaleStarted { attempt: Attempt, parallelism: u16, newest: Option<CheckpointId> },
    /// `attempt`, whose start follows, has this shape. Not told while a job has the shape that it was
    /// started with.
    Reshaped { attempt: Attempt, term: Term, topology: Box<Topology> },
    /// All subtasks are being deployed, from this checkpoint or from nothing.
    AttemptStarted { attempt: Attempt, term: Term, restored: Option<CheckpointId> },
    /// All subtasks run.
    AttemptRunning { attempt: Attempt },
    /// The attempt is over; the next one follows.
    AttemptFailed { attempt: Attempt, reason: String },
    /// The coordinator is about to ask the subtasks for this checkpoint.
    Triggered { attempt: Attempt, checkpoint: CheckpointId },
    /// An acknowledgement from `from_attempt` was counted.
    AcknowledgementCounted { subtask: SubtaskId, from_attempt: Attempt, checkpoint: CheckpointId },
    /// An acknowledgement was late, duplicate or of a dead attempt, and was not counted.
    AcknowledgementIgnored { subtask: SubtaskId, from_attempt: Attempt, checkpoint: CheckpointId },
    /// Every subtask has acknowledged; the metadata is about to be written. Holds the snapshots it lists.
    Assembled { checkpoint: CheckpointId, snapshots: Vec<(SubtaskId, ObjectKey)> },
    /// The checkpoint is in the store: it is what recovery will use, and cannot be aborted any more.
    Completed { attempt: Attempt, checkpoint: CheckpointId },
    /// The coordinator is about to tell the subtasks that the checkpoint completed.
    CompletionNotified { attempt: Attempt, checkpoint: CheckpointId },
    /// The checkpoint will never complete.
    Aborted { attempt: Attempt, checkpoint: CheckpointId, reason: AbortReason },
    /// A completed checkpoint fell out of retention, or what is left of one that is not retained was
    /// found; its objects are about to be deleted.
    Discarded { checkpoint: CheckpointId },
    /// Everything was read, processed, snapshotted in a completed checkpoint and committed.
    JobFinished { attempt: Attempt },

    /// The coordinator is about to ask the subtasks for a savepoint.
    SavepointTriggered { attempt: Attempt, checkpoint: CheckpointId, mode: SavepointMode },
    /// The savepoint is there. After a terminal one the job is over, whatever happens.
    SavepointCompleted { attempt: Attempt, checkpoint: CheckpointId, mode: SavepointMode },
    /// The job is stopped at this savepoint. Unless it is `clean`, what is committed may be less than what
    /// the savepoint holds; nothing is lost, since who resumes from it commits the rest.
    JobStopped { attempt: Attempt, term: Term, checkpoint: CheckpointId, clean: bool },
    /// The stopped job is started again from this savepoint, or a coordinator finds that it was.
    JobResumed { checkpoint: CheckpointId },
    /// A request is not carried out.
    RequestRefused { reason: String },

    // ---- sources with an enumerator -------------------------------------------------------------
    /// The source log has a split more.
    SplitAppeared { split: SplitId },
    /// The enumerator has learned of a split, which is unassigned from here on.
    SplitDiscovered { operator: OperatorId, attempt: Attempt, split: SplitId },
    /// The enumerator's part of the cut, where it discovers splits: those that were discovered and are not
    /// removed, whoever has them. It comes ahead of what is unassigned.
    SplitsKnown {
        operator: OperatorId,
        attempt: Attempt,
        checkpoint: CheckpointId,
        known: Vec<SplitId>,
    },
    /// The reader has read the split to its end, this completed checkpoint holds that, and its later snapshots
    /// do not hold the split any more.
    SplitReleased { subtask: SubtaskId, attempt: Attempt, checkpoint: CheckpointId, split: SplitId },
    /// The source log has the split no longer.
    SplitRemoved { split: SplitId },
    /// A reader is about to ask for a split.
    SplitRequested { subtask: SubtaskId, attempt: Attempt },
    /// The enumerator gave the split to this reader, who has yet to be told.
    SplitAssigned { subtask: SubtaskId, attempt: Attempt, split: SplitId },
    /// The reader has the split, and reads it from this offset on.
    SplitAccepted { subtask: SubtaskId, attempt: Attempt, split: SplitId, offset: u64 },
    /// The enumerator has nothing left for this reader, who has yet to be told.
    SplitsExhausted { subtask: SubtaskId, attempt: Attempt },
    /// What the enumerator had given to this reader since the restored checkpoint is unassigned again.
    SplitsReturned { subtask: SubtaskId, attempt: Attempt, splits: Vec<SplitId> },
    /// The enumerator's part of the cut: the splits that no reader has.
    EnumeratorSnapshot {
        operator: OperatorId,
        attempt: Attempt,
        checkpoint: CheckpointId,
        unassigned: Vec<SplitId>,
    },
    /// What the enumerator has to give, as the attempt starts.
    EnumeratorRestored { operator: OperatorId, attempt: Attempt, unassigned: Vec<SplitId> },
    /// Nothing leaves for this reader until it has acknowledged the checkpoint.
    GatewayClosed { subtask: SubtaskId, attempt: Attempt, checkpoint: CheckpointId },
    /// What was held back for this reader leaves.
    GatewayReopened { subtask: SubtaskId, attempt: Attempt, checkpoint: CheckpointId },

    // ---- stores --------------------------------------------------------------------------------
    /// The object is durable, with this content.
    ObjectStored { key: ObjectKey, digest: Digest, bytes: u64 },
    /// The store refused a write.
    ObjectRefused { key: ObjectKey },
    /// The object is gone.
    ObjectDeleted { key: ObjectKey },
    /// The job's record was replaced by its next version, which names these completed checkpoints.
    RecordWritten {
        version: u64,
        term: Term,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        retained: Vec<CheckpointId>,
    },
    /// A write to the job's record was refused: another term or version is there.
    RecordRefused { version: u64, term: Term },
    /// The source log was told that everything before `offset` is no longer needed, and let go of it.
    OffsetCommitted { split: SplitId, offset: u64 },
    /// A queue gives a message once more: this consumer, a split of the source, gets it under this number.
    MessageRedelivered { message: MessageId, consumer: SplitId, number: u64 },

    // ---- sink target ---------------------------------------------------------------------------
    /// Producers of this sink with an attempt below `attempt` are refused from here on.
    ProducersFenced { sink: SubtaskId, attempt: Attempt },
    /// A write of a fenced producer was refused.
    ProducerRefused { transaction: TransactionId },
    /// The first records were written into the transaction.
    TransactionOpened { transaction: TransactionId },
    /// The transaction holds these many records, durable and invisible.
    TransactionPrepared { transaction: TransactionId, records: u64 },
    /// The sink is about to make the transaction visible, because this checkpoint or a later completed.
    CommitRequested { transaction: TransactionId, checkpoint: CheckpointId },
    /// The records became visible, in this order.
    TransactionCommitted { transaction: TransactionId, records: Vec<OutputRecord> },
    /// The transaction and its records are gone.
    TransactionAborted { transaction: TransactionId },
    /// Records became visible outside any transaction.
    OutputWritten { sink: SubtaskId, records: Vec<OutputRecord> },
    /// A reader of the external system sees these records of the operator from here on.
    OutputShown { operator: OperatorId, records: Vec<OutputRecord> },
    /// A reader of the external system does not see these records of the operator any more.
    OutputHidden { operator: OperatorId, records: Vec<OutputRecord> },
    /// The external system has let go of these records of the operator, which it had said to be safe, and which
    /// nobody has seen.
    OutputExpired { operator: OperatorId, records: Vec<OutputRecord> },
    /// The run is over, and the external system still holds something that no reader sees.
    OutputHeld(Box<OutputHeld>),
}

/// How the reason of a failure ends that silence explains, of the coordinator or of a worker: a limit that was
/// configured.
pub const SILENCE: &str = "has not been heard of";

serde_by_name!(Point);

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Event::serialize(self, TaggedSerializer::new(serializer))
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        tagged::deserialize(deserializer, Event::deserialize)
    }
}
