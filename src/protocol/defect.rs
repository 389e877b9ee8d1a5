//! Seeded bugs: wrong decisions that real systems once made, switchable, none by default.
//!
//! Each is one line at the very place in the protocol where the real bug sat:
//! `if self.defects.has(Defect::…)`. They exist so that every oracle is seen to fail.

use core::fmt;

use strum::{EnumCount, EnumIter, EnumString, IntoEnumIterator, IntoStaticStr, VariantNames};

pub use super::defect_set::DefectSet;
use crate::serde_by_name;

/// A wrong decision that can be switched on.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    EnumIter,
    EnumCount,
    EnumString,
    IntoStaticStr,
    VariantNames,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Defect {
    /// B1, FLINK-17568: a channel goes on delivering after its barrier, while others still align.
    ChannelNotBlocked,
    /// B1, FLINK-2098: a source captures its position one entry after the barrier's place in the stream.
    PositionAfterNextRecord,
    /// B1, FLINK-1775: a channel that has ended is still expected to deliver barriers.
    EndedChannelStillExpected,
    /// B1, Jet #542: a barrier is sent ahead of the records that wait for credit.
    BarrierOvertakesBacklog,
    /// B2, FLINK-17994: a barrier with an id at or below the last handled one starts an alignment.
    StaleBarrierAccepted,
    /// B2, FLINK-2427: a newer barrier does not end the alignment of an older checkpoint.
    NewerBarrierWaits,
    /// B3, FLINK-4985: an aborted checkpoint is not cancelled downstream.
    AbortWithoutCancelMarker,
    /// B3, FLINK-28474: an abort that arrives before the barrier is forgotten.
    EarlyAbortForgotten,
    /// B3, FLINK-18063: an abort leaves the channels of its alignment blocked.
    AbortLeavesBlocked,
    /// B4, FLINK-18139: channel state is captured of the first channels only.
    CaptureMissesChannel,
    /// B4, FLINK-17564: what arrives while channel state is captured goes before what waited.
    CaptureReordered,
    /// B4, FLINK-25305: a snapshot is uploaded, and acknowledged, before its channel state is whole.
    AcknowledgeBeforeCaptured,
    /// B4, FLINK-20654: what an unaligned barrier overtakes in an output queue is not captured.
    OutputNotCaptured,
    /// B4, FLINK-17315: what was taken off a channel and not read, the beginning of a record, is not captured.
    UnreadNotCaptured,
    /// B4, M4.1: an unaligned barrier overtakes the buffer that is not full yet, and it is not captured.
    OpenBufferNotCaptured,
    /// B4: a barrier whose checkpoint was aborted while it waited in an output queue still goes ahead when its
    /// time is over, and what it overtakes is filed under the next checkpoint.
    AbortedOvertakes,
    /// B4: what a late barrier overtakes in an output queue is filed under the checkpoint that was triggered
    /// behind it.
    SupersededOvertakes,
    /// B4: what an aligned barrier overtakes when its time is over is listed twice.
    OvertakenListedTwice,
    /// B4, FLINK-17315 turned round: what was processed last before the cut is captured with what was not.
    ProcessedCaptured,
    /// B4: what was captured for a checkpoint that was aborted is still there when the next capture begins.
    AbortedCaptureKept,
    /// B4, FLINK-19681: when an alignment times out, what waits behind the barriers that had come is captured.
    BehindBarrierCaptured,
    /// B1, M1.2: a barrier is sent ahead of the buffer that is not full yet.
    BarrierBeforeOpenBuffer,
    /// B5, M5.5: when the last buffer that a restore put back has been taken, so is the beginning of the record
    /// whose end is still to come.
    RestoredRestForgotten,
    /// B5, FLINK-38544: new records overtake those that a restore puts back into a channel.
    NewOvertakesRestored,
    /// B5, FLIP-547: what a restore put back and nobody has processed yet is missing from the next capture.
    RestoredNotCapturedAgain,
    /// B1, Naiad: after its snapshot a subtask goes on, though the world was to stop.
    WorldGoesOn,
    /// B6, FLINK-9269: the asynchronous part reads the live state instead of the frozen copy.
    LiveStateInUpload,
    /// B6, Jet #840: two key groups of a snapshot share one key, and one overwrites the other.
    KeyGroupsCollide,
    /// B7, RW #24529: a source with nothing read since its restore snapshots the default position.
    EmptyEpochResetsPosition,
    /// B7, RW #16058: offsets are committed to the source log when snapshotted, not when completed.
    OffsetCommittedEarly,
    /// B9, FLINK-36421: a subtask acknowledges before its snapshot is durable.
    AcknowledgeBeforeDurable,
    /// B9, FLINK-20675: a failed upload is swallowed, and the snapshot acknowledged all the same.
    UploadFailureSwallowed,
    /// B10, FLINK-31077: completion is announced before the checkpoint is in the store.
    NotifyBeforeStore,
    /// B10, FLINK-5063: an acknowledgement from a dead attempt is counted.
    StaleAcknowledgementCounted,
    /// B10, Jet #1435: a duplicate acknowledgement is counted as another subtask's.
    DuplicateAcknowledgementCounted,
    /// B10, CheckMate A6: checkpoint ids start again from the last completed one after a restart.
    CheckpointIdReused,
    /// B10, FLINK-14145: recovery takes the oldest retained checkpoint instead of the newest.
    OlderCheckpointRestored,
    /// B11, Quartz.NET #1508: a clock that is set back stops the triggers.
    ClockSetBackStopsTriggers,
    /// B12, RW #27087: the sink target accepts a producer of an older attempt.
    OldProducerNotFenced,
    /// B15, Delta connectors #467: completion commits only its own checkpoint, not older prepared ones.
    LostNotificationNeverCommitted,
    /// B15, FLINK-24096: a notification sent to an earlier attempt is taken by the next.
    NotificationCrossesRestart,
    /// B16, Arroyo #224: restored committables are dropped instead of committed again.
    RestoredCommittablesDropped,
    /// B16, Iceberg #14425: a repeated commit makes the records visible again.
    CommitNotIdempotent,
    /// B16, "commit at pre-commit": a transaction is committed at the barrier, before the checkpoint completed.
    CommitAtPreCommit,
    /// B16, Flink's `signalFailedWithKnownReason`: a commit that the target refuses is taken for one that is done.
    RefusedCommitForgotten,
    /// B16: a restored transaction whose commit the target refuses is aborted instead of kept for later.
    RefusedCommitGivenUp,
    /// B17, FLINK-23854: transactions of a dead attempt are never aborted.
    LingeringTransactionKept,
    /// B18, FLINK-7637: the sink does not flush its buffer at the barrier.
    NoFlushAtBarrier,
    /// B19, Jet #2532: elements that a silent reconnect lost are not missed.
    ReconnectLossUnnoticed,
    /// B12, FLINK-22502: recovery takes the newest metadata that a listing shows, not what the job's record
    /// says, and so an older or an incomplete set.
    LatestFromListing,
    /// B20, KAFKA-10362: what a restore finds is taken for what was checkpointed, without a check.
    CorruptReadAccepted,
    /// B9, Hazelcast #23201: the store answers before it has synced.
    AnsweredBeforeSynced,
    /// B19, FLINK-21132: a plain stop ends the input, as a drain does.
    EndInputOnStop,
    /// B19, FLINK-21453: with a drain the input is not ended.
    NoEndInputOnDrain,
    /// B19, FLINK-21028: a source reads on behind the barrier of the savepoint that the job stops at.
    ReadsOnAfterStop,
    /// B19, Arroyo #1124: the job is stopped before the metadata of its savepoint is durable.
    StoppedBeforeMetadata,
    /// B19, FLINK-38370: a sink finishes before its last commit is confirmed.
    FinishedBeforeCommitted,
    /// B19, FLINK-28386: a job whose input has all ended waits until its last checkpoint is due.
    FinalCheckpointAwaited,
    /// B11, FLINK-15152: after a stop that failed nothing is triggered any more.
    FailedStopHaltsTriggers,
    /// B10, FLINK-10354: completion of a savepoint that the job survives is announced to the subtasks.
    SavepointAnnounced,
    /// B12, FLINK-10354: recovery takes a savepoint for a checkpoint.
    SavepointUsedInRecovery,
    /// B13, once savepoints are no longer in the store (FLINK-25191): they are deleted with what nobody else
    /// refers to.
    SavepointTakenForLeftover,
    /// B4, M4.7, FLINK-18252: the barriers of a savepoint overtake, as those of the job's checkpoints do.
    SavepointOvertakes,
    /// B7, HUDI-6087: a source that is told to stop moves on before its position is captured.
    PositionMovedByStop,
    /// B8, FLINK-20290: completion of a savepoint that the job survives settles what was assigned before it, so
    /// that a restart from the checkpoint before does not hand it back.
    SavepointSettlesSplits,
    /// B20, FLINK-4651, Bytewax #138: a restore leaves out the timers.
    TimersNotRestored,
    /// B20, FLINK-4651 turned round: a timer that has fired stays in the snapshot, and fires again after a
    /// restore.
    FiredTimerInSnapshot,
    /// B20, FLINK-36663: after a restore the watermark is back at the minimum.
    WatermarkNotRestored,
    /// B20, RW #6309: after a restore the watermark is the maximum over the inputs, not the minimum.
    WatermarkRestoredAsMaximum,
    /// B20, RW #25547: after a restore the least watermark is looked for by encoded bytes, not by value.
    WatermarkComparedAsBytes,
    /// B20, FLINK-26018: an input that has said nothing yet is left out of the watermark.
    SilentInputIgnored,
    /// B20, FLINK-1775: an input that has ended still holds the watermark back.
    EndedInputHoldsWatermark,
    /// B1, Jet #542: a watermark is sent ahead of the records that wait for credit.
    WatermarkOvertakesBacklog,
    /// B1, Jet #542: a barrier is sent ahead of the watermark that waits for credit before it.
    BarrierOvertakesWatermark,
    /// B20, FLINK-40113: key groups are assigned as of another maximum parallelism than the job's.
    KeyGroupsOfOtherMaximum,
    /// B20, M20.1: a key group at the edge of two ranges belongs to nobody after a rescale.
    KeyGroupDroppedAtBoundary,
    /// B20, FLINK-13973: state is looked up by an identity that is not the operator's, and is not found.
    StateOfOtherIdentity,
    /// B20, Flink's `RoundRobinOperatorStateRepartitioner`: a subtask takes only the list elements of the
    /// old subtask with its index.
    SplitListNotDealtOut,
    /// B19, FLINK-21080: the union of a list lacks what one of the old subtasks had.
    UnionListIncomplete,
    /// B17, FLINK-23854: nobody takes over the transactions of a sink subtask that a rescale removed.
    VanishedSinkForgotten,
    /// B20, RW #6309: after a rescale the watermark of the first input is the watermark of all, so that
    /// those whose records still come do not hold it back.
    FirstWatermarkForAll,
    /// B19, Arroyo 2090cb97, 6f9bf300: the final checkpoint before a rescale, or the savepoint that the job
    /// is to stop at, is asked for while a checkpoint is under way, and silently not taken.
    FinalCheckpointSkipped,
    /// B13, FLINK-22014's neighbour: of a discarded checkpoint only the metadata is deleted.
    DiscardedSnapshotsKept,
    /// B13, FLINK-9114: what was acknowledged for a checkpoint that is aborted stays in the store.
    AbortedSnapshotsKept,
    /// B13, Flink's `PossibleInconsistentStateException`: when an attempt fails while a checkpoint is being added
    /// to the store, its snapshots are deleted, though the record may name it.
    AddingGivenUp,
    /// B10, FLINK-22014's order turned round: what a checkpoint replaces is deleted before the record stops naming it.
    DiscardedBeforeRecorded,
    /// B13: a new coordinator does not look for what its predecessors left behind.
    LeftoversNotSwept,
    /// B3: a cancel marker is passed on whenever it arrives, not once; round a loop it multiplies.
    EveryCancelPassedOn,
    /// B3: a subtask that hears of an abort from the coordinator cancels downstream, whether it has done so or not.
    AbortCancelsAgain,
    /// B17: after a restart of the sink target a transaction that was open, and is gone, takes records again.
    RolledBackReopens,
    /// B17: a transaction that timed out takes records again.
    TimedOutReopens,
    /// B3, FLINK-10615's default: a subtask that learns of an abort fails.
    AbortFailsSubtask,
    /// B14, FLINK-23403: the coordinator takes a worker for dead after a tenth of the time that was configured.
    ImpatientDetector,
    /// A retry without a delay: what is not answered at once is asked for again at once, for ever.
    RetriesAtOnce,
    /// A timeout in the wrong unit: checkpoints expire after a tenth of the time that they have.
    ExpiresEarly,
    /// FLINK-35051's class: records come before mail, so that a source takes part in a checkpoint once it has
    /// nothing left to read.
    MailWaitsForIdle,
    /// Determinism (Sui #26400): a counter shared by all runs of a process leaks into a run.
    StateLeaksBetweenRuns,
    /// B7, FLINK-38453: a restored enumerator discovers its splits again, from the start, though readers have
    /// them.
    SplitsDiscoveredAgain,
    /// B8, FLINK-28606: the gateway to a reader stays open between the enumerator's snapshot and the reader's.
    GatewayLeftOpen,
    /// B8, FLINK-21996: an assignment that is lost on its way to the reader is taken for delivered.
    LostEventUnnoticed,
    /// B8, mutant M8.4: what was assigned since the restored checkpoint is not handed back.
    SplitsNotReturned,
    /// B8, FLINK-20290: splits are handed back though the restored checkpoint has them in a reader.
    CheckpointedSplitsReturned,
    /// B8, FLINK-18641: sources are asked for their snapshots before the enumerator has taken its own.
    SourcesBeforeEnumerator,
    /// B10, FLINK-27148: the enumerator snapshots for a checkpoint that was given up meanwhile, and its gateways
    /// stay closed.
    EnumeratorOfAbortedSnapshots,
    /// B8, Flink's `SubtaskGatewayImpl` (which relies on calls that come once): an assignment that comes twice
    /// is taken twice.
    RepeatedAssignmentTaken,
    /// B1, FLINK-3257 (M1.5): what is on its way along back edges is in no checkpoint.
    NoBackEdgeLog,
    /// B1, M1.5: the log of a back edge starts one record late.
    LogStartedLate,
    /// B1, M1.5: the log of a back edge stops one record late.
    LogStoppedLate,
    /// Carbone et al. 2015, Algorithm 2: barriers have no ids, so that the one of the next checkpoint is taken
    /// for one of the checkpoint whose barrier has not come round.
    LoopWithoutIds,
    /// Carbone et al. 2015, §4.3: an edge to an operator that the search has *visited* leads back, not only
    /// one to an operator on its stack; and a loop's head aligns when exactly its other inputs have
    /// delivered the barrier.
    BackEdgeIfVisited,
    /// B5, M5.2: after a rescale what was in flight goes to the subtask with the index of its old receiver, not
    /// to the owner of its key.
    ChannelStateToOldIndex,
    /// B5, M5.2 (Flink's `RecordFilter` left out): after a rescale every subtask that reads a channel's state
    /// takes all of it.
    ChannelStateNotFiltered,
    /// B5, FLINK-38544: when there are fewer receivers than before, what was in flight to those that are gone is
    /// lost.
    ChannelsOfVanishedForgotten,
    /// B5, M5.1: of an old channel, what had not been sent is processed before what had arrived.
    UnsentBeforeArrived,
    /// B5, Flink's `DemultiplexingRecordDeserializer`: a watermark that was in flight in one old channel is
    /// passed on as if it were of all.
    DealtWatermarkPassedOn,
    /// B5, FLINK-38483: a subtask to which no channel state falls is taken for one that cannot be restored.
    EmptyChannelStateRefused,
    /// B5, FLINK-21936 (M5.4): what was in flight on a forward edge is dealt out in turns.
    ForwardStateDealtOut,
    /// B20, FLINK-3740: which sessions a key has is known to the operator's memory alone, and not to its snapshot.
    MergingSessionsNotSnapshotted,
    /// B20, FLINK-26536: of sessions that become one, only the last record is kept.
    MergedSessionForgotten,
    /// B20, FLINK-5717: the timer of a session that others were merged into is lost.
    MergedTimerLost,
    /// B20, FLINK-3714: a window is forgotten when it is given, though late records may come for it.
    WindowPurgedWhenGiven,
    /// Flink's `StateTtlConfig.UpdateType`: a duplicate moves the time until which its key is remembered.
    DuplicateMovesExpiry,
    /// B6, M6.3: requests that were answered, and whose answers wait for their turn, are missing from the snapshot.
    AnsweredNotSnapshotted,
    /// B1, FLINK-13063: a snapshot is taken while a record waits for a place in the queue of requests, and is in
    /// neither side of the cut.
    SnapshotWhileQueueFull,
    /// B20, Hazelcast #23271: requests that a restore makes again are not counted, and a watermark overtakes them.
    RestoredRequestsNotCounted,
    /// B20, flink-agents #824: after a restore a subtask keeps what others had in a union list, and snapshots it again.
    UnionListNotPruned,
    /// B8, FLINK-31006: an enumerator that is restored with nothing left to assign never says that there is no more.
    RestoredEnumeratorSilent,
    /// B7, flink-cdc #2538: on completion the outside is told the newest position, not that of the checkpoint.
    NewestPositionCommitted,
    /// B7, yugabyte-db #15718: what a reader has fetched ahead counts as read in its position.
    PrefetchedInPosition,
    /// B19, FLINK-23475: a subtask that a rescale adds gets the broadcast state of one that has none.
    BroadcastNotCopied,
    /// Flink's `IntervalJoinOperator`: each side of a join by time is kept for as long as the other should be.
    JoinWaitsSwapped,
    /// B19, Hazelcast #23245: the output ends before the last requests were answered.
    LastAnswersNotAwaited,
    /// B18, SeaTunnel #10574, Doris connector #624: a sink acknowledges though its system refused what it flushed.
    RefusedFlushAcknowledged,
    /// B16, SeaTunnel #11569: a commit that the system refuses counts as confirmed.
    RefusedCommitConfirmed,
    /// B16, FLINK-30068, FLINK-24773: a transaction that has expired when it is to be committed is dropped, and only
    /// logged.
    ExpiredCommitDropped,
    /// B17, KIP-890 (KAFKA-14402): a producer goes on with its epoch after a commit, so that a late repetition of
    /// that commit ends its next transaction.
    EpochKeptAfterCommit,
    /// B17, FLINK-23854: transactions that a failed attempt left open are not aborted, and readers wait for them.
    LingeringTransactionsLeft,
    /// B17, FLINK-40626: what is begun at a restore includes ids that are promised, which aborts them.
    PromisedAbortedAtOpen,
    /// B17, FLINK-40703: a pooled transactional id is used again as soon as it is committed, though an attempt that is
    /// restored from an earlier checkpoint will commit it again, and is fenced.
    PooledIdRecycledEarly,
    /// B16, Iceberg #15846: what is prepared for a checkpoint has the name of what was prepared for the one before,
    /// and replaces it.
    StagedFileOverwritten,
    /// B16, Iceberg #14425: a commit whose outcome is unknown, or that an earlier attempt has made, is made again
    /// without a look at what is there.
    CommitRepeatedUnasked,
    /// B16, FLINK-28221 (Paimon #200): after a restart the committer has another name, and does not know its commits.
    CommitterIdentityLost,
    /// B19, FLINK-26403: a global committer forgets what writers gave it that have ended.
    LastFilesForgotten,
    /// B16, Delta: a conflict with another writer is taken for a repetition of one's own commit.
    ConflictTakenForSuccess,
    /// B16, FLINK-25293's and Debezium's way with `XAER_NOTA`: a branch that an earlier request has committed is taken
    /// for lost, so that recovery fails for ever.
    CommittedBranchTakenForLost,
    /// B17, Flink's `JdbcXaSinkFunction` with `recoveredAndRollback`: everything prepared is rolled back at a
    /// restore, what was promised included.
    PreparedRolledBackAtOpen,
    /// B16, Arroyo #1027: an upload that an earlier request has completed is taken for lost.
    CompletedUploadTakenForLost,
    /// B16, Arroyo #894: after a restart names of objects begin anew, and objects replace those of before.
    ObjectNameReused,
    /// B18: rows that wait for an upload are in no snapshot.
    WaitingRowsForgotten,
    /// B16, Doris connector's label prefix: a message goes out again under another name, and is taken again.
    MessageNamedByAttempt,
    /// B16, Pulsar's sequence ids: numbers begin anew after a restart, and the queue drops what it has not seen.
    DeduplicationNumberReset,
    /// B16, FLINK-29627: of what a subtask is restored with, only the newest checkpoint's committables are kept.
    OnlyNewestRestored,
    /// B16, FLINK-23896: what a sink could not commit, and wants to commit later, is not handed over again.
    CommitRetryForgotten,
    /// B18, FLINK-22826's neighbour: a sink by key writes new rows and no deletions.
    DeletesNotWritten,
    /// B16, Fluss FIP-21: what was added since the checkpoint is added again after a restore, and not undone.
    NothingUndone,
    /// B16, Fluss FIP-21: what a failed restore has undone is undone once more.
    UndoAppliedTwice,
    /// B19, FLINK-13491: an operator ends without the answers that it waits for. Here in a drain, whose savepoint is
    /// taken while requests are under way, in the belief that what is owed comes out anyway.
    DrainedBesideRequests,
    /// B19, FLINK-24846: answers are emitted behind the barrier that the job stops at. Here because an operator knows
    /// that from the trigger by message alone, and the barrier was faster.
    StopKnownFromTrigger,
    /// B17, Flink's `JdbcXaSinkFunction` without `recoveredAndRollback`: what an attempt has prepared for a checkpoint
    /// that never completed stays prepared, with its locks.
    LeftBranchesKept,
    /// B17, Flink's S3 writer and Hadoop's S3A committers: uploads that an attempt has begun and nobody completes are
    /// not given up, and are paid for.
    LeftUploadsKept,
    /// B8, FLINK-40469: splits that were discovered and not assigned are in no snapshot, so that a restored
    /// enumerator, which knows them, never assigns them.
    DiscoveredSplitsForgotten,
    /// B8, FLINK-7143: which splits were discovered is in no snapshot, so that a restored enumerator discovers
    /// those that its readers have, and those that were read to their end.
    KnownSplitsForgotten,
    /// B8, FLINK-6006, FLINK-7195: a split that a listing lacks, because a broker was away, is taken for removed;
    /// when it is back, it is discovered again.
    MissingSplitTakenForRemoved,
    /// B8, FLINK-31006's class: an enumerator that is restored does not look for splits any more.
    DiscoveryNotResumed,
    /// B7, alpakka #97, pulsar #24353: a reader acknowledges messages of a queue as they arrive, and not when a checkpoint
    /// that holds them has completed.
    MessagesAcknowledgedOnDelivery,
    /// B7, Flink's `MultipleIdsMessageAcknowledgingSourceBase`, whose ids are state: the ids of messages that were seen
    /// are in no snapshot, so that what a queue gives again counts again.
    MessageIdsNotSnapshotted,
    /// B8, FLINK-37627, FLINK-37416: a reader lets go of a split when it has read it to its end, and not when a
    /// checkpoint that holds that has completed.
    SplitReleasedAtItsEnd,
    /// B7, SeaTunnel #9940: a source that is restored goes on where the outside says that it was, and not where its
    /// snapshot says.
    CommittedOffsetsRestored,
    /// B7, Flink's `CheckpointedPosition`, which is an offset and a number of records behind it: where a batch was read
    /// in part, only its offset is restored.
    BatchPositionOnly,
    /// B20, Flink's `pipeline.object-reuse`: what is kept of a key is the record that came last, and not what all have
    /// come to.
    ReducedReplaced,
    /// B20, Flink's `GroupAggFunction`, which does not emit a result that equals the one before: what is known of a
    /// key is not kept either where its result stays the same.
    UnchangedNotAccumulated,
    /// B20, Flink's `StatusWatermarkValve`, which takes the minimum over all channels: the watermark of several
    /// streams in one is that of the first.
    FirstStreamsWatermark,
    /// B10, Flink's `StreamGraphHasherV2`, which makes up the uids that nobody gives: state is found by the place of
    /// its operator in the graph, so that one that was inserted takes over another's.
    StateFoundByPlace,
    /// B10, Flink's `allowNonRestoredState`: state is found by the name of its operator; that of one that was renamed
    /// is dropped in silence, and the operator starts anew.
    RenamedStateDropped,
}

serde_by_name!(Defect);

impl Defect {
    /// Every defect, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::iter()
    }

    /// The name in plans and on the command line: `channel-not-blocked`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
