//! The classes of faults: what scenarios ask for, tables count, and coverage crosses with points.

use serde::Serialize;
use strum::{EnumCount, EnumIter, EnumString, IntoStaticStr, VariantNames};

use super::fault::{ClockChange, Fault, MessageAction, PlannedFault, When};
use crate::cluster::{SinkFault, StoreFault};
use crate::protocol::ProcessId;
use crate::protocol::serde_by_name;
use crate::trace::{MessageKind, Point};

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
    /// A worker crashes.
    CrashWorker,
    /// The coordinator crashes.
    CrashCoordinator,
    /// A worker stalls.
    PauseWorker,
    /// Two processes are disconnected, in both directions.
    Disconnect,
    /// Control messages are lost.
    DropMessage,
    /// Control messages are late.
    DelayMessage,
    /// Control messages arrive twice.
    DuplicateMessage,
    /// A store is slow.
    SlowStore,
    /// A store refuses everything.
    FailingStore,
    /// A store, the source log or the sink target crashes, and keeps what was durable.
    CrashStore,
    /// A process crashes between the start of an attempt and its running.
    CrashInRecovery,
    /// A process crashes again, some time after a restart: most often before the next checkpoint completes.
    CrashAgain,
    /// The coordinator stalls.
    PauseCoordinator,
    /// A replaced worker goes on.
    ZombieWorker,
    /// A replaced coordinator goes on.
    ZombieCoordinator,
    /// One direction between two processes is cut.
    DisconnectOneWay,
    /// A process is cut off from all others.
    Isolate,
    /// What one process sends to another is held and let go.
    Hold,
    /// What one process sends to another vanishes until the connection is reset.
    HalfOpen,
    /// A reconnect loses elements of a channel.
    LossyReconnect,
    /// Control messages are overtaken by a barrier or a later checkpoint.
    ReorderMessage,
    /// A clock is ahead or behind from the beginning.
    ClockOffset,
    /// A clock gains or loses.
    ClockDrift,
    /// A clock jumps ahead.
    ClockStep,
    /// A clock jumps back.
    ClockBackwards,
    /// A store serves nothing, and everything later.
    StalledStore,
    /// A store has no room.
    FullStore,
    /// Writes leave only their beginning.
    TornWrite,
    /// Reads bring wrong bytes.
    CorruptRead,
    /// A store applies, and does not answer.
    LostAnswer,
    /// A request is applied after its client was restarted.
    LateRequest,
    /// Listings are out of date.
    StaleListing,
    /// Writes that were not synced are lost.
    LostUnsynced,
    /// Everything stored is gone.
    DestroyedStore,
    /// The sink target aborts open transactions.
    TransactionTimeout,
    /// The sink target fences producers that still write.
    FencedProducer,
    /// The sink target commits late.
    DelayedCommit,
    /// The sink target lets aborted transactions linger.
    HangingTransaction,
    /// A split has nothing new for a while.
    IdleSplit,
    /// The sink target refuses to commit.
    RefusedCommit,
    /// The sink target aborts prepared transactions.
    ExpiredTransaction,
    /// The sink target commits, and does not say so.
    UnansweredCommit,
    /// Somebody else commits to the same place.
    ForeignCommit,
}

serde_by_name!(FaultClass);

impl PlannedFault {
    /// Which class it belongs to; `struck` is the process in which its point was reached.
    #[must_use]
    pub fn class(&self, struck: ProcessId) -> FaultClass {
        match &self.fault {
            Fault::Crash { process, .. } => self.crash_class(process.unwrap_or(struck)),
            Fault::Zombie { process, .. } => match process.unwrap_or(struck) {
                ProcessId::Coordinator => FaultClass::ZombieCoordinator,
                _ => FaultClass::ZombieWorker,
            },
            Fault::Pause { process, .. } => match process.unwrap_or(struck) {
                ProcessId::Coordinator => FaultClass::PauseCoordinator,
                _ => FaultClass::PauseWorker,
            },
            Fault::Disconnect { both: true, .. } => FaultClass::Disconnect,
            Fault::Disconnect { both: false, .. } => FaultClass::DisconnectOneWay,
            Fault::Isolate { .. } => FaultClass::Isolate,
            Fault::Hold { .. } => FaultClass::Hold,
            Fault::HalfOpen { .. } => FaultClass::HalfOpen,
            Fault::Lose { .. } => FaultClass::LossyReconnect,
            Fault::Message { message, action, .. } => message_class(*message, *action),
            Fault::Clock { change, .. } => self.clock_class(*change),
            Fault::Store { fault, .. } => store_class(*fault),
            Fault::Sink { fault, .. } => sink_class(*fault),
            Fault::Idle { .. } => FaultClass::IdleSplit,
        }
    }

    fn crash_class(&self, process: ProcessId) -> FaultClass {
        match (process, &self.when) {
            (
                ProcessId::ObjectStore
                | ProcessId::MetaStore
                | ProcessId::SourceLog
                | ProcessId::SinkTarget,
                _,
            ) => FaultClass::CrashStore,
            (_, When::Point { point, .. }) if point.begins_recovery() => {
                FaultClass::CrashInRecovery
            }
            (_, When::Point { after_restarts: 1.., .. }) => FaultClass::CrashAgain,
            (ProcessId::Coordinator, _) => FaultClass::CrashCoordinator,
            _ => FaultClass::CrashWorker,
        }
    }

    fn clock_class(&self, change: ClockChange) -> FaultClass {
        match (change, &self.when) {
            (ClockChange::Drift { .. }, _) => FaultClass::ClockDrift,
            (ClockChange::Step { .. }, When::At { us: 0 }) => FaultClass::ClockOffset,
            (ClockChange::Step { us: 0.. }, _) => FaultClass::ClockStep,
            (ClockChange::Step { .. }, _) => FaultClass::ClockBackwards,
        }
    }
}

fn message_class(message: MessageKind, action: MessageAction) -> FaultClass {
    match (message, action) {
        (_, MessageAction::Drop) => FaultClass::DropMessage,
        (_, MessageAction::Delay { .. }) => FaultClass::DelayMessage,
        (_, MessageAction::Duplicate { .. }) => FaultClass::DuplicateMessage,
        (MessageKind::StoreRequest, MessageAction::Until { point: Point::Restarted }) => {
            FaultClass::LateRequest
        }
        (_, MessageAction::Until { .. }) => FaultClass::ReorderMessage,
    }
}

fn store_class(fault: StoreFault) -> FaultClass {
    match fault {
        StoreFault::Slow { .. } => FaultClass::SlowStore,
        StoreFault::Failing | StoreFault::Healthy => FaultClass::FailingStore,
        StoreFault::Stalled => FaultClass::StalledStore,
        StoreFault::Full => FaultClass::FullStore,
        StoreFault::Torn => FaultClass::TornWrite,
        StoreFault::Corrupt => FaultClass::CorruptRead,
        StoreFault::Mute => FaultClass::LostAnswer,
        StoreFault::Lagging => FaultClass::StaleListing,
        StoreFault::Unsynced => FaultClass::LostUnsynced,
        StoreFault::Destroyed => FaultClass::DestroyedStore,
    }
}

fn sink_class(fault: SinkFault) -> FaultClass {
    match fault {
        SinkFault::TransactionTimeout | SinkFault::Healthy => FaultClass::TransactionTimeout,
        SinkFault::FencedProducer => FaultClass::FencedProducer,
        SinkFault::DelayedCommit { .. } => FaultClass::DelayedCommit,
        SinkFault::HangingTransaction => FaultClass::HangingTransaction,
        SinkFault::RefusedCommit => FaultClass::RefusedCommit,
        SinkFault::ExpiredTransaction => FaultClass::ExpiredTransaction,
        SinkFault::UnansweredCommit => FaultClass::UnansweredCommit,
        SinkFault::ForeignCommit => FaultClass::ForeignCommit,
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
        match self {
            Self::CrashWorker
            | Self::CrashCoordinator
            | Self::CrashStore
            | Self::CrashInRecovery
            | Self::CrashAgain => FaultFamily::Crash,
            Self::PauseWorker
            | Self::PauseCoordinator
            | Self::ZombieWorker
            | Self::ZombieCoordinator => FaultFamily::Stall,
            Self::Disconnect
            | Self::DisconnectOneWay
            | Self::Isolate
            | Self::Hold
            | Self::HalfOpen
            | Self::LossyReconnect => FaultFamily::Network,
            Self::DropMessage
            | Self::DelayMessage
            | Self::DuplicateMessage
            | Self::ReorderMessage
            | Self::LateRequest => FaultFamily::Message,
            Self::ClockOffset | Self::ClockDrift | Self::ClockStep | Self::ClockBackwards => {
                FaultFamily::Clock
            }
            Self::SlowStore
            | Self::FailingStore
            | Self::StalledStore
            | Self::FullStore
            | Self::TornWrite
            | Self::CorruptRead
            | Self::LostAnswer
            | Self::StaleListing
            | Self::LostUnsynced
            | Self::DestroyedStore => FaultFamily::Store,
            Self::TransactionTimeout
            | Self::FencedProducer
            | Self::DelayedCommit
            | Self::HangingTransaction
            | Self::RefusedCommit
            | Self::ExpiredTransaction
            | Self::UnansweredCommit
            | Self::ForeignCommit => FaultFamily::Sink,
            Self::IdleSplit => FaultFamily::Input,
        }
    }
}
