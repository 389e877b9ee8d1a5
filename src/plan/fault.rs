//! Faults, and when they strike.

use serde::{Deserialize, Serialize};
use strum::{EnumCount, EnumIter, EnumString, IntoStaticStr};

use crate::cluster::StoreFault;
use crate::protocol::{ProcessId, SubtaskId};
use crate::trace::{MessageKind, Point};

/// A fault of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedFault {
    /// When it strikes, once.
    pub when: When,
    /// What it does.
    pub fault: Fault,
}

/// When a fault strikes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum When {
    /// At this time.
    At {
        /// In microseconds after the beginning.
        us: u64,
    },
    /// Right after an event, before whatever follows it in the same outbox.
    Point {
        /// The kind of event.
        point: Point,
        /// Of which subtask; absent: of any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subtask: Option<SubtaskId>,
        /// Which of those that match, from 1.
        occurrence: u32,
    },
}

/// What a fault does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    /// The process loses its memory and stops.
    Crash {
        /// Which; absent: the one in which the point was reached.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        process: Option<ProcessId>,
        /// When it is started again; absent: when the faults end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        restart_after_us: Option<u64>,
    },
    /// The process makes no progress for a while, and then goes on.
    Pause {
        /// Which; absent: the one in which the point was reached.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        process: Option<ProcessId>,
        /// For how long.
        for_us: u64,
    },
    /// Nothing gets from one process to another for a while.
    Disconnect {
        /// The sender.
        from: ProcessId,
        /// The receiver.
        to: ProcessId,
        /// Whether the other direction is cut as well.
        both: bool,
        /// For how long.
        for_us: u64,
    },
    /// Something happens to the next control messages of a kind.
    Message {
        /// Which kind.
        message: MessageKind,
        /// To whom; absent: anybody.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<ProcessId>,
        /// To how many of them.
        count: u32,
        /// What.
        action: MessageAction,
    },
    /// A store misbehaves for a while.
    Store {
        /// The object store or the meta store.
        process: ProcessId,
        /// How.
        fault: StoreFault,
        /// For how long.
        for_us: u64,
    },
}

/// What happens to a control message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum MessageAction {
    /// It never arrives.
    Drop,
    /// It arrives later.
    Delay {
        /// By how much.
        us: u64,
    },
    /// It arrives twice.
    Duplicate {
        /// How long after the first.
        us: u64,
    },
}

/// The classes of faults, as tables count them and scenarios ask for them.
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
#[expect(missing_docs, reason = "each is named after what it does")]
pub enum FaultClass {
    CrashWorker,
    CrashCoordinator,
    PauseWorker,
    Disconnect,
    DropMessage,
    DelayMessage,
    DuplicateMessage,
    SlowStore,
    FailingStore,
}

impl Fault {
    /// Which class it belongs to; `struck` is the process in which the point was reached.
    #[must_use]
    pub fn class(&self, struck: ProcessId) -> FaultClass {
        match self {
            Fault::Crash { process, .. } => match process.unwrap_or(struck) {
                ProcessId::Coordinator => FaultClass::CrashCoordinator,
                _ => FaultClass::CrashWorker,
            },
            Fault::Pause { .. } => FaultClass::PauseWorker,
            Fault::Disconnect { .. } => FaultClass::Disconnect,
            Fault::Message { action: MessageAction::Drop, .. } => FaultClass::DropMessage,
            Fault::Message { action: MessageAction::Delay { .. }, .. } => FaultClass::DelayMessage,
            Fault::Message { action: MessageAction::Duplicate { .. }, .. } => {
                FaultClass::DuplicateMessage
            }
            Fault::Store { fault: StoreFault::Slow { .. }, .. } => FaultClass::SlowStore,
            Fault::Store { .. } => FaultClass::FailingStore,
        }
    }
}
