//! The oracles by name, and the kinds of violations: what is broken, more finely than which oracle says so.
//!
//! Two runs fail the same way when the same oracle reports the same kind first: that is what shrinking
//! keeps, and what failures are grouped by.

use serde::{Deserialize, Serialize};
use strum::{EnumCount, EnumIter, EnumString, IntoStaticStr};

/// A table of kinds by oracle; what is documented of a kind is the property that it breaks.
macro_rules! kinds {
    ($(#[doc = $judged:literal] $oracle:ident { $(#[doc = $property:literal] $kind:ident,)+ })+) => {
        /// The oracles, by the property each one judges.
        #[derive(
            Clone,
            Copy,
            Debug,
            PartialEq,
            Eq,
            PartialOrd,
            Ord,
            Hash,
            Serialize,
            Deserialize,
            EnumCount,
            EnumIter,
            EnumString,
            IntoStaticStr,
            strum::Display,
        )]
        #[serde(rename_all = "kebab-case")]
        #[strum(serialize_all = "kebab-case")]
        pub enum OracleName {
            $(#[doc = $judged] $oracle,)+
        }

        /// What a violation is about. Each kind belongs to one oracle; its documentation is the property
        /// that is broken, in words: [`property`](Kind::property).
        #[derive(
            Clone,
            Copy,
            Debug,
            PartialEq,
            Eq,
            PartialOrd,
            Ord,
            Hash,
            Serialize,
            Deserialize,
            EnumCount,
            EnumIter,
            EnumString,
            IntoStaticStr,
            strum::Display,
        )]
        #[serde(rename_all = "kebab-case")]
        #[strum(serialize_all = "kebab-case")]
        pub enum Kind {
            $($(#[doc = $property] $kind,)+)+
        }

        impl Kind {
            /// Which oracle reports it.
            #[must_use]
            pub fn oracle(self) -> OracleName {
                match self {
                    $($(Self::$kind)|+ => OracleName::$oracle,)+
                }
            }

            /// What was expected, in a sentence.
            #[must_use]
            pub fn property(self) -> &'static str {
                match self {
                    $($(Self::$kind => $property.trim_ascii(),)+)+
                }
            }
        }
    };
}

impl OracleName {
    /// Whether it judges that something happens at all, rather than that nothing wrong does.
    #[must_use]
    pub fn is_liveness(self) -> bool {
        self == Self::Liveness
    }
}

kinds! {
    /// What fails, fails for a reason: a fault that acts, or a limit that was configured.
    Causes {
        /// A checkpoint is finalised unless something is in trouble.
        NeedlessAbort,
        /// Where nothing is in trouble, checkpoints complete, by and large.
        NeedlessAborts,
        /// Where nothing is in trouble, nothing fails.
        NeedlessFailure,
    }
    /// O8: what the job conserves is the same in every cut.
    Conservation {
        /// In every whole cut, what the job conserves sums to zero.
        TokenImbalance,
    }
    /// O1, O2, O3: no orphan, no lost record, nothing in transit, in any cut.
    Cut {
        /// A channel is captured once at each end, for each checkpoint.
        CapturedTwice,
        /// A subtask captures its own channels, for a checkpoint that it has frozen its state for.
        CapturedUnduly,
        /// A snapshot claims to have processed and emitted what the events before it say.
        ClaimMismatch,
        /// Both ends of a channel hold the same records in a cut.
        ContentMismatch,
        /// What a cut holds as sent, it holds once: as processed, or as on its way.
        CountedTwice,
        /// What a cut holds as sent, it holds as processed, or as on its way.
        LostRecord,
        /// A barrier lies in its channel exactly where its sender's snapshot was taken.
        MisplacedBarrier,
        /// A checkpoint completes only when all that its barriers overtook is captured.
        MissingChannelState,
        /// A checkpoint completes only when every subtask has taken its snapshot.
        MissingSnapshot,
        /// What a cut holds as processed, it holds as sent.
        OrphanRecord,
        /// What a restore put back and nobody has processed is on its way in the next cut as well.
        RestoredNotCaptured,
        /// The barriers of a savepoint overtake nothing.
        SavepointOvertook,
        /// A snapshot lists each end of each channel of its subtask, once.
        UnlistedChannel,
    }
    /// O21, I6: what is acknowledged is durable, unchanged, and stays.
    Durability {
        /// A subtask acknowledges only after its snapshot is durable.
        AcknowledgedBeforeDurable,
        /// A subtask acknowledges only after its transactions are prepared.
        AcknowledgedBeforePrepared,
        /// A checkpoint completes only with snapshots that are durable.
        CompletedBeforeDurable,
        /// A checkpoint completes only after its metadata is durable.
        CompletedBeforeMetadata,
        /// A completed checkpoint holds what its subtasks froze.
        CompletedWithOtherState,
        /// What a retained checkpoint needs is not deleted.
        DeletedWhileRetained,
        /// What the newest record of the job names is not deleted.
        DeletedWhileRecorded,
        /// The newest completed checkpoints are retained.
        DiscardedTooEarly,
        /// When the job finishes, what its coordinator discarded, gave up or inherited is gone from the store.
        LeftInStore,
        /// What a savepoint needs is deleted by nobody but who asked for it.
        SavepointDeleted,
        /// What is stored is what was frozen at the cut.
        StoredOtherState,
    }
    /// O24, I20: timers fire once, watermarks never fall, nothing is dropped late that must be kept.
    EventTime {
        /// A record is dropped as late only where the reference drops it, and after its time.
        DroppedUnduly,
        /// What the reference drops as late is dropped.
        LateRecordKept,
        /// A timer fires only when the watermark has reached its time.
        TimerFiredEarly,
        /// On the history that survives, a timer fires once for each time that it is registered.
        TimerFiredUnduly,
        /// A timer whose time has come fires.
        TimerNeverFired,
        /// A restore brings back the timers that were pending at the cut.
        TimersRestoredOtherwise,
        /// A watermark is no higher than what all inputs have promised.
        WatermarkAhead,
        /// In a cut, the receiver of a channel knows the watermark of its sender.
        WatermarkCutApart,
        /// A watermark leaves a channel where it entered it.
        WatermarkDisplaced,
        /// Within an attempt, watermarks only rise.
        WatermarkFell,
        /// A watermark rises as soon as all inputs have promised more.
        WatermarkHeldBack,
        /// A restore brings back the watermark of the cut, where snapshots hold it.
        WatermarkRestoredOtherwise,
    }
    /// I5, I7, I9, I10: a checkpoint's life, from its trigger to its end.
    Lifecycle {
        /// A checkpoint that completed is not aborted.
        AbortedAfterCompletion,
        /// A completion is announced only after it happened.
        AnnouncedBeforeCompletion,
        /// A checkpoint is assembled while it is pending.
        AssembledNotPending,
        /// A checkpoint is assembled only when every subtask has acknowledged it.
        AssembledTooEarly,
        /// A checkpoint lists one snapshot of its own of each subtask.
        AssembledWrongSnapshots,
        /// A sink commits only for checkpoints that completed.
        CommitBeforeCompletion,
        /// A checkpoint completes once.
        CompletedTwice,
        /// A checkpoint completes only while it is pending, assembled, and newer than those that completed.
        CompletedUnduly,
        /// A subtask learns of a completion only after it happened.
        LearnedBeforeCompletion,
        /// A subtask takes only completions that were sent to its own attempt.
        LearnedFromOtherAttempt,
        /// An acknowledgement counts once, for the pending checkpoint and attempt that it was given for.
        MiscountedAcknowledgement,
        /// A subtask takes snapshots in the order of their checkpoints, one for each.
        SnapshotOutOfOrder,
        /// A subtask takes no snapshot for a checkpoint that it knows to be aborted.
        SnapshotOfAborted,
        /// No more checkpoints are pending than may be.
        TooManyPending,
        /// Checkpoints are triggered in the order of their ids.
        TriggeredOutOfOrder,
    }
    /// O16, I12, I13: the job ends, and so does every checkpoint and every blockage.
    Liveness {
        /// No channel stays blocked for a checkpoint that is settled.
        BlockedTooLong,
        /// A run comes to an end, after a bounded number of steps.
        Circling,
        /// By the end of the job every older checkpoint has completed or was aborted.
        ForgottenCheckpoint,
        /// The job finishes when its run does.
        NeverFinished,
        /// Once the faults have ended, recovery gets somewhere: an attempt now and then completes a checkpoint.
        NeverRecovers,
        /// Once the faults have ended, the job finishes within its bound.
        Overdue,
        /// As long as the job has not finished, something is left to happen.
        Stuck,
    }
    /// O6, I5, I12: channels are FIFO, and markers keep their place and their order.
    Order {
        /// A subtask aligns for each checkpoint once, in order.
        AlignmentRepeated,
        /// Barriers pass a channel in the order of their checkpoints.
        BarrierOutOfOrder,
        /// A marker leaves a channel where it entered it.
        MarkerDisplaced,
        /// Nothing enters a channel after the end of input.
        MarkerAfterEnd,
        /// A marker enters a channel after as many records as it says.
        MarkerMisnumbered,
        /// A channel carries at most one barrier and one cancel marker of a checkpoint.
        MarkerRepeated,
        /// A subtask that gave a checkpoint up cancels it downstream before it sends a newer barrier.
        MissingCancel,
        /// What a restore puts back into a channel leaves it before anything that arrives.
        OvertookRestored,
        /// No record enters a channel after the end of input.
        RecordAfterEnd,
        /// Records enter a channel with consecutive numbers.
        RecordMisnumbered,
        /// A channel delivers its records in order, each once.
        RecordOutOfOrder,
        /// No record overtakes a barrier.
        RecordOvertookMarker,
        /// At the end of the job every channel is empty.
        RecordsLeftBehind,
        /// What a restore puts back into a channel leaves it in order, each record once.
        ReplayedOutOfOrder,
    }
    /// O10, I3, I16: the visible output is the reference output, once each.
    Output {
        /// A transaction that is visible, or owed, is not aborted.
        AbortedTransaction,
        /// A transaction is committed as it was prepared, once, and only for a completed checkpoint.
        CommittedUnduly,
        /// What becomes visible together behind one sink subtask is in the order in which it was given it.
        DisorderedOutput,
        /// Each record becomes visible once.
        DuplicateOutput,
        /// A reader of an external system sees a record only when a checkpoint that holds it has completed.
        EarlyOutput,
        /// What a reader of an external system has seen behind a committing sink stays.
        HiddenOutput,
        /// At the end of the job an external system holds nothing that its sinks were to end.
        LeftOutput,
        /// At the end of the job no transaction lingers.
        LingeringTransaction,
        /// At the end of the job all that is expected is visible.
        MissingOutput,
        /// Nothing is written twice unless an attempt has failed.
        RepeatedWrite,
        /// A transaction that was committed or aborted takes no records again.
        ReopenedTransaction,
        /// At the end of the job a reader of a converging sink sees nothing but what is expected.
        StaleOutput,
        /// Only what is expected becomes visible, as often as it is expected.
        UnexpectedOutput,
    }
    /// O18, I19: a rescale gives every piece of state to whom it belongs, and loses none.
    Ownership {
        /// A broadcast list is the same in every subtask.
        BroadcastDiffers,
        /// A rescale that was to wait for a checkpoint starts from one triggered after it was asked for.
        FinalCheckpointMissing,
        /// After a rescale a subtask puts back what was dealt out to it.
        InFlightAltered,
        /// After a rescale a record that was in flight falls to one subtask.
        InFlightDealtTwice,
        /// After a rescale every record that was in flight falls to some subtask.
        InFlightLost,
        /// After a rescale a record that was in flight falls to the owner of its key group.
        InFlightMisrouted,
        /// What falls to a subtask of an old channel is in the order in which it was sent.
        InFlightReordered,
        /// What is restored of a key group is what was snapshotted of it.
        KeyGroupAltered,
        /// What was snapshotted of a key group is restored into some subtask.
        KeyGroupLost,
        /// No two subtasks own the same key group.
        KeyGroupOwnedTwice,
        /// The subtasks of an operator own all key groups between them.
        KeyGroupsNotPartitioned,
        /// The elements of a list are dealt out, each to one subtask.
        ListElementsDiffer,
        /// An operator that the job did not have when a checkpoint was taken is restored from it with nothing.
        NewcomerHoldsState,
        /// After every restore everybody has all elements of a union, in the order of the subtasks.
        UnionIncomplete,
    }
    /// O12, I8, I17: what is restored may be, and the dead take no effect.
    Recovery {
        /// Attempts start in the order of their numbers.
        AttemptOutOfOrder,
        /// A fenced producer takes no effect.
        FencedProducerActed,
        /// Only attempts that have started do anything.
        FromNowhere,
        /// A subtask is restored from the checkpoint that its attempt starts from.
        OtherCheckpoint,
        /// The job's record is replaced by newer versions only, and by the newest coordinator only.
        RecordOverwritten,
        /// Coordinators reign in the order of their terms, one at a time.
        TermOutOfOrder,
        /// An attempt starts from the newest completed checkpoint.
        WrongCheckpoint,
    }
    /// I18: a split that an enumerator assigns has one owner, and every cut tells who.
    Splits {
        /// A reader takes a split that was assigned to it, once.
        AcceptedUnduly,
        /// An enumerator assigns only splits that no reader has.
        AssignedTwice,
        /// A split is discovered once, and never again by whoever is restored with it.
        DiscoveredTwice,
        /// A reader is frozen after its enumerator.
        FrozenBeforeEnumerator,
        /// An enumerator is frozen only for a checkpoint that may still complete.
        FrozenForSettled,
        /// An enumerator freezes what it has.
        FrozenOtherSplits,
        /// Once the faults have ended, a split that comes up is discovered.
        NeverDiscovered,
        /// At the end of the job every split has been taken by a reader.
        NeverTaken,
        /// A reader reads only the splits that are its own.
        ReadByStranger,
        /// An enumerator has after a restart what it had at the restored cut.
        RestoredOtherSplits,
        /// Nobody has a split that somebody else has.
        TwoOwners,
    }
    /// O9, I2, I18: every record counts once in the state, on the history that survives.
    State {
        /// Where there is no checkpoint, a subtask starts from the initial state.
        NotInitial,
        /// On the history that survives, what was sent over a channel is processed, once.
        ProcessedOtherwise,
        /// The source log is told to forget only what completed checkpoints hold as read.
        ReleasedTooEarly,
        /// A subtask puts back into its channels what was on its way at the cut.
        RestoredOtherChannelState,
        /// A subtask restores the positions that it froze.
        RestoredOtherPositions,
        /// A subtask restores the state that it froze.
        RestoredOtherState,
        /// On the history that survives, no entry is read twice.
        ReadTwice,
        /// A source reads only what its splits hold.
        ReadBeyondEnd,
        /// On the history that survives, every entry is read.
        Skipped,
        /// In a cut each split has one owner.
        SplitOwnership,
        /// A reader lets go of a split only when a completed checkpoint holds that all of it was read.
        SplitReleasedEarly,
        /// A snapshot holds the place where reading stands.
        WrongPosition,
    }
    /// Naiad's pause: between its snapshot and the end of the checkpoint a subtask stands still.
    StoppedWorld {
        /// From its snapshot until the checkpoint is over, a subtask reads and processes nothing.
        MovedWhileStopped,
    }
    /// O20, I22: a stopped job is its savepoint, no more and no less.
    Termination {
        /// Only the cut of a drain holds a source as ended that has not read all of its input.
        CutShort,
        /// A plain stop ends no input.
        EndedByStop,
        /// Behind the savepoint that a job stops at there is no failover.
        FailoverAfterStop,
        /// With a drain all input ends before the cut.
        NotDrained,
        /// A source reads nothing behind the barrier of the savepoint that its job stops at.
        ReadAfterStop,
        /// Nobody emits anything behind the barrier of the savepoint that the job stops at, except in and behind a loop.
        SentAfterStop,
        /// A job is stopped cleanly only when all that its savepoint holds is committed.
        StoppedUncommitted,
        /// A job is stopped only at a savepoint that has completed.
        StoppedWithoutSavepoint,
    }
    /// The trace itself: numbered without gaps, in time order, within its topology.
    Trace {
        /// A trace is numbered without gaps, in the order of time.
        MisnumberedEvent,
        /// A trace begins with the start of its run, and holds one run.
        MisplacedStart,
        /// A checkpoint is triggered in the attempt that runs.
        TriggeredElsewhere,
        /// Events are of subtasks and channels that the topology has, and the topology is whole.
        UnknownEntity,
    }
    /// O4: no cut depends on what happened after it elsewhere.
    VectorClock {
        /// No cut depends on what another subtask did after its own.
        DependentCut,
    }
}
