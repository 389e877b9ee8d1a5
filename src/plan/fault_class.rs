//! The classes of faults: what scenarios ask for, tables count, and coverage crosses with points.

use serde::Serialize;
use strum::{EnumCount, EnumIter, EnumString, IntoStaticStr, VariantNames};

use super::fault::{ClockChange, Fault, MessageAction, PlannedFault, When};
use crate::protocol::ProcessId;
use crate::protocol::serde_by_name;
use crate::trace::{MessageKind, Point, SinkTrouble, StoreTrouble};

/// What is left of a planned fault when its times, its names and its numbers are taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// See [`Fault::Crash`].
    Crash(CrashKind),
    /// See [`Fault::Pause`].
    Pause {
        /// Whether it is the coordinator that stalls.
        coordinator: bool,
    },
    /// See [`Fault::Zombie`].
    Zombie {
        /// Whether it is the coordinator that goes on.
        coordinator: bool,
    },
    /// See [`Fault::Disconnect`].
    Disconnect {
        /// Whether both directions are cut.
        both: bool,
    },
    /// See [`Fault::Isolate`].
    Isolate,
    /// See [`Fault::Hold`].
    Hold,
    /// See [`Fault::HalfOpen`].
    HalfOpen,
    /// See [`Fault::Lose`].
    Lose,
    /// See [`Fault::Message`].
    Message(MessageTrouble),
    /// A message to a store that waits until a process was restarted.
    LateRequest,
    /// See [`Fault::Clock`].
    Clock(ClockTrouble),
    /// See [`Fault::Store`].
    Store(StoreTrouble),
    /// See [`Fault::Sink`].
    Sink(SinkTrouble),
    /// See [`Fault::Idle`].
    Idle,
}

/// Who crashes, and when in the life of the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashKind {
    /// A worker, at any time.
    Worker,
    /// The coordinator, at any time.
    Coordinator,
    /// A store, the source log or the sink target.
    Service,
    /// A worker or the coordinator, aimed at a point between the start of an attempt and its running.
    InRecovery,
    /// A worker or the coordinator, aimed at another point after a restart.
    Again,
}

/// What happens to control messages; see [`MessageAction`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageTrouble {
    /// They are lost.
    Drop,
    /// They are late.
    Delay,
    /// They come twice.
    Duplicate,
    /// They are overtaken.
    Reorder,
}

/// How a clock goes wrong; see [`ClockChange`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockTrouble {
    /// It is off from the beginning.
    Offset,
    /// It gains or loses.
    Drift,
    /// It jumps ahead.
    Ahead,
    /// It jumps back.
    Behind,
}

/// Declares the classes, each with the kind of fault that it is the name of. A kind without a class does not
/// compile, nor does one with two.
macro_rules! classes {
    ($($(#[$doc:meta])* $class:ident = ($($kind:tt)+),)+) => {
        /// The classes of faults. The order is part of what a seed draws: new ones go to the end.
        #[derive(
            Clone,
            Copy,
            Debug,
            PartialEq,
            Eq,
            PartialOrd,
            Ord,
            Hash,
            EnumCount,
            EnumIter,
            EnumString,
            IntoStaticStr,
            VariantNames,
            strum::Display,
        )]
        #[strum(serialize_all = "kebab-case")]
        pub enum FaultClass {
            $($(#[$doc])* $class,)+
        }

        impl FaultClass {
            /// The class of this kind.
            #[must_use]
            #[deny(unreachable_patterns, reason = "a kind has one class")]
            pub const fn of(kind: FaultKind) -> Self {
                match kind {
                    $(FaultKind::$($kind)+ => Self::$class,)+
                }
            }

            /// What faults of this class have in common.
            #[must_use]
            pub const fn kind(self) -> FaultKind {
                match self {
                    $(Self::$class => FaultKind::$($kind)+,)+
                }
            }
        }
    };
}

classes! {
    /// A worker crashes.
    CrashWorker = (Crash(CrashKind::Worker)),
    /// The coordinator crashes.
    CrashCoordinator = (Crash(CrashKind::Coordinator)),
    /// A worker stalls.
    PauseWorker = (Pause { coordinator: false }),
    /// Two processes are disconnected, in both directions.
    Disconnect = (Disconnect { both: true }),
    /// Control messages are lost.
    DropMessage = (Message(MessageTrouble::Drop)),
    /// Control messages are late.
    DelayMessage = (Message(MessageTrouble::Delay)),
    /// Control messages arrive twice.
    DuplicateMessage = (Message(MessageTrouble::Duplicate)),
    /// A store is slow.
    SlowStore = (Store(StoreTrouble::Slow)),
    /// A store refuses everything.
    FailingStore = (Store(StoreTrouble::Failing)),
    /// A store, the source log or the sink target crashes, and keeps what was durable.
    CrashStore = (Crash(CrashKind::Service)),
    /// A process crashes between the start of an attempt and its running.
    CrashInRecovery = (Crash(CrashKind::InRecovery)),
    /// A process crashes again, some time after a restart: most often before the next checkpoint completes.
    CrashAgain = (Crash(CrashKind::Again)),
    /// The coordinator stalls.
    PauseCoordinator = (Pause { coordinator: true }),
    /// A replaced worker goes on.
    ZombieWorker = (Zombie { coordinator: false }),
    /// A replaced coordinator goes on.
    ZombieCoordinator = (Zombie { coordinator: true }),
    /// One direction between two processes is cut.
    DisconnectOneWay = (Disconnect { both: false }),
    /// A process is cut off from all others.
    Isolate = (Isolate),
    /// What one process sends to another is held and let go.
    Hold = (Hold),
    /// What one process sends to another vanishes until the connection is reset.
    HalfOpen = (HalfOpen),
    /// A reconnect loses elements of a channel.
    LossyReconnect = (Lose),
    /// Control messages are overtaken by a barrier or a later checkpoint.
    ReorderMessage = (Message(MessageTrouble::Reorder)),
    /// A clock is ahead or behind from the beginning.
    ClockOffset = (Clock(ClockTrouble::Offset)),
    /// A clock gains or loses.
    ClockDrift = (Clock(ClockTrouble::Drift)),
    /// A clock jumps ahead.
    ClockStep = (Clock(ClockTrouble::Ahead)),
    /// A clock jumps back.
    ClockBackwards = (Clock(ClockTrouble::Behind)),
    /// A store serves nothing, and everything later.
    StalledStore = (Store(StoreTrouble::Stalled)),
    /// A store has no room.
    FullStore = (Store(StoreTrouble::Full)),
    /// Writes leave only their beginning.
    TornWrite = (Store(StoreTrouble::Torn)),
    /// Reads bring wrong bytes.
    CorruptRead = (Store(StoreTrouble::Corrupt)),
    /// A store applies, and does not answer.
    LostAnswer = (Store(StoreTrouble::Mute)),
    /// A request is applied after its client was restarted.
    LateRequest = (LateRequest),
    /// Listings are out of date.
    StaleListing = (Store(StoreTrouble::Lagging)),
    /// Writes that were not synced are lost.
    LostUnsynced = (Store(StoreTrouble::Unsynced)),
    /// Everything stored is gone.
    DestroyedStore = (Store(StoreTrouble::Destroyed)),
    /// The sink target aborts open transactions.
    TransactionTimeout = (Sink(SinkTrouble::TransactionTimeout)),
    /// The sink target fences producers that still write.
    FencedProducer = (Sink(SinkTrouble::FencedProducer)),
    /// The sink target commits late.
    DelayedCommit = (Sink(SinkTrouble::DelayedCommit)),
    /// The sink target lets aborted transactions linger.
    HangingTransaction = (Sink(SinkTrouble::HangingTransaction)),
    /// A split has nothing new for a while.
    IdleSplit = (Idle),
    /// The sink target refuses to commit.
    RefusedCommit = (Sink(SinkTrouble::RefusedCommit)),
    /// The sink target aborts prepared transactions.
    ExpiredTransaction = (Sink(SinkTrouble::ExpiredTransaction)),
    /// The sink target commits, and does not say so.
    UnansweredCommit = (Sink(SinkTrouble::UnansweredCommit)),
    /// Somebody else commits to the same place.
    ForeignCommit = (Sink(SinkTrouble::ForeignCommit)),
}

serde_by_name!(FaultClass);

impl PlannedFault {
    /// Which class it belongs to; `struck` is the process in which its point was reached.
    #[must_use]
    pub fn class(&self, struck: ProcessId) -> FaultClass {
        FaultClass::of(self.kind(struck))
    }

    /// A plan says what happens, and not how that is called: one that was shrunk, or written by hand, would have
    /// to say both, and could contradict itself.
    fn kind(&self, struck: ProcessId) -> FaultKind {
        let is_coordinator =
            |process: Option<ProcessId>| process.unwrap_or(struck) == ProcessId::Coordinator;
        match &self.fault {
            Fault::Crash { process, .. } => {
                FaultKind::Crash(CrashKind::of(process.unwrap_or(struck), &self.when))
            }
            Fault::Zombie { process, .. } => {
                FaultKind::Zombie { coordinator: is_coordinator(*process) }
            }
            Fault::Pause { process, .. } => {
                FaultKind::Pause { coordinator: is_coordinator(*process) }
            }
            Fault::Disconnect { both, .. } => FaultKind::Disconnect { both: *both },
            Fault::Isolate { .. } => FaultKind::Isolate,
            Fault::Hold { .. } => FaultKind::Hold,
            Fault::HalfOpen { .. } => FaultKind::HalfOpen,
            Fault::Lose { .. } => FaultKind::Lose,
            Fault::Message {
                message: MessageKind::StoreRequest,
                action: MessageAction::Until { point: Point::Restarted },
                ..
            } => FaultKind::LateRequest,
            Fault::Message { action, .. } => FaultKind::Message(MessageTrouble::of(*action)),
            Fault::Clock { change, .. } => FaultKind::Clock(ClockTrouble::of(*change, &self.when)),
            Fault::Store { fault, .. } => FaultKind::Store(fault.into()),
            Fault::Sink { fault, .. } => FaultKind::Sink(fault.into()),
            Fault::Idle { .. } => FaultKind::Idle,
        }
    }
}

impl CrashKind {
    fn of(process: ProcessId, when: &When) -> Self {
        match (process, when) {
            (
                ProcessId::ObjectStore
                | ProcessId::MetaStore
                | ProcessId::SourceLog
                | ProcessId::SinkTarget,
                _,
            ) => Self::Service,
            (_, When::Point { point, .. }) if point.begins_recovery() => Self::InRecovery,
            (_, When::Point { after_restarts: 1.., .. }) => Self::Again,
            (ProcessId::Coordinator, _) => Self::Coordinator,
            (ProcessId::Worker(_), _) => Self::Worker,
        }
    }
}

impl MessageTrouble {
    fn of(action: MessageAction) -> Self {
        match action {
            MessageAction::Drop => Self::Drop,
            MessageAction::Delay { .. } => Self::Delay,
            MessageAction::Duplicate { .. } => Self::Duplicate,
            MessageAction::Until { .. } => Self::Reorder,
        }
    }
}

impl ClockTrouble {
    fn of(change: ClockChange, when: &When) -> Self {
        match (change, when) {
            (ClockChange::Drift { .. }, _) => Self::Drift,
            (ClockChange::Step { .. }, When::At { us: 0 }) => Self::Offset,
            (ClockChange::Step { us: 0.. }, _) => Self::Ahead,
            (ClockChange::Step { .. }, _) => Self::Behind,
        }
    }
}

/// Classes that strike the same kind of thing; the columns of a wide table.
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
    EnumIter,
    IntoStaticStr,
    strum::Display,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum FaultFamily {
    /// Processes that die.
    Crash,
    /// Processes that stall, or go on when they should not.
    Stall,
    /// Links.
    Network,
    /// Control messages.
    Message,
    /// Clocks.
    Clock,
    /// The object store and the meta store.
    Store,
    /// The sink target.
    Sink,
    /// The source log.
    Input,
}

impl FaultClass {
    /// Whether it strikes only where a scenario names it: it may take what nothing brings back, or needs an
    /// external system of a certain kind.
    #[must_use]
    pub fn is_by_name_only(self) -> bool {
        self.loses_for_good() || matches!(self, Self::UnansweredCommit | Self::ForeignCommit)
    }

    /// Whether it may take what nothing brings back: the end of a job is not owed after it.
    #[must_use]
    pub fn loses_for_good(self) -> bool {
        matches!(self, Self::DestroyedStore | Self::ExpiredTransaction)
    }

    /// What it strikes.
    #[must_use]
    pub fn family(self) -> FaultFamily {
        match self.kind() {
            FaultKind::Crash(_) => FaultFamily::Crash,
            FaultKind::Pause { .. } | FaultKind::Zombie { .. } => FaultFamily::Stall,
            FaultKind::Disconnect { .. }
            | FaultKind::Isolate
            | FaultKind::Hold
            | FaultKind::HalfOpen
            | FaultKind::Lose => FaultFamily::Network,
            FaultKind::Message(_) | FaultKind::LateRequest => FaultFamily::Message,
            FaultKind::Clock(_) => FaultFamily::Clock,
            FaultKind::Store(_) => FaultFamily::Store,
            FaultKind::Sink(_) => FaultFamily::Sink,
            FaultKind::Idle => FaultFamily::Input,
        }
    }
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator as _;

    use super::*;

    #[test]
    fn a_class_is_that_of_its_kind() {
        for class in FaultClass::iter() {
            assert_eq!(FaultClass::of(class.kind()), class);
        }
    }
}
