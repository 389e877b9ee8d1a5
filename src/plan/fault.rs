//! Faults, and when they strike.

use serde::{Deserialize, Serialize};

use crate::cluster::{SinkFault, StoreFault};
use crate::protocol::{ChannelId, ProcessId, SplitId, SubtaskId};
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
        /// Counting begins once the job has been restarted this often.
        #[serde(default, skip_serializing_if = "is_zero")]
        after_restarts: u32,
    },
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// What a fault does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    /// The process loses its memory and stops; a store keeps what was durable.
    Crash {
        /// Which; absent: the one in which the point was reached.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        process: Option<ProcessId>,
        /// When it is started again; absent: when the faults end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        restart_after_us: Option<u64>,
    },
    /// The process is taken for dead and replaced by its next life, while this one goes on: it sends,
    /// hears the answers to what it asks, and is reached by connections that led to it.
    Zombie {
        /// Which; absent: the one in which the point was reached. A worker or the coordinator.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        process: Option<ProcessId>,
        /// When the next life begins.
        restart_after_us: u64,
        /// How long the old one goes on.
        for_us: u64,
    },
    /// The process makes no progress for a while, and then goes on.
    Pause {
        /// Which; absent: the one in which the point was reached.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        process: Option<ProcessId>,
        /// For how long.
        for_us: u64,
    },
    /// Nothing gets from one process to another for a while: channels hold what they carry, all else
    /// is lost.
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
    /// A process is disconnected from all others, in both directions.
    Isolate {
        /// Which; absent: the one in which the point was reached.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        process: Option<ProcessId>,
        /// For how long.
        for_us: u64,
    },
    /// What one process sends to another is held for a while, and then let go: nothing is lost.
    Hold {
        /// The sender.
        from: ProcessId,
        /// The receiver.
        to: ProcessId,
        /// For how long.
        for_us: u64,
    },
    /// What one process sends to another vanishes for a while, channels included, and nobody is told;
    /// then both learn that their connection was lost.
    HalfOpen {
        /// The sender.
        from: ProcessId,
        /// The receiver.
        to: ProcessId,
        /// For how long.
        for_us: u64,
    },
    /// A reconnect loses the next elements of a channel, and nobody is told.
    Lose {
        /// Which channel.
        channel: ChannelId,
        /// How many elements.
        count: u32,
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
        /// What becomes of each.
        action: MessageAction,
    },
    /// The clock of a process changes.
    Clock {
        /// Which; absent: the one in which the point was reached.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        process: Option<ProcessId>,
        /// How its clock goes wrong.
        change: ClockChange,
    },
    /// A store misbehaves for a while.
    Store {
        /// The object store or the meta store.
        process: ProcessId,
        /// How it misbehaves.
        fault: StoreFault,
        /// For how long.
        for_us: u64,
    },
    /// The sink target misbehaves for a while.
    Sink {
        /// How it misbehaves.
        fault: SinkFault,
        /// For how long.
        for_us: u64,
    },
    /// A split of the source log has nothing new to give for a while.
    Idle {
        /// Which split.
        split: SplitId,
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
    /// It is held back until the next event of a kind, and sets out then; so it is overtaken.
    Until {
        /// The kind of event.
        point: Point,
    },
}

/// What happens to a clock. Timers run on it as well: those of a fast clock are early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ClockChange {
    /// It jumps; not before the beginning of the run. Running timers are not touched.
    Step {
        /// By how much; backwards when negative.
        us: i64,
    },
    /// It gains, or loses, from here on until the faults end.
    Drift {
        /// Microseconds a second.
        ppm: i32,
    },
}

impl Fault {
    /// The process that it strikes, where it may leave out which: then it is the one in which its point was reached.
    pub fn process_mut(&mut self) -> Option<&mut Option<ProcessId>> {
        match self {
            Fault::Crash { process, .. }
            | Fault::Zombie { process, .. }
            | Fault::Pause { process, .. }
            | Fault::Isolate { process, .. }
            | Fault::Clock { process, .. } => Some(process),
            Fault::Disconnect { .. }
            | Fault::Hold { .. }
            | Fault::HalfOpen { .. }
            | Fault::Lose { .. }
            | Fault::Message { .. }
            | Fault::Store { .. }
            | Fault::Sink { .. }
            | Fault::Idle { .. } => None,
        }
    }

    /// For how long it acts, in microseconds, if it does for a while.
    pub fn for_us_mut(&mut self) -> Option<&mut u64> {
        match self {
            Fault::Zombie { for_us, .. }
            | Fault::Pause { for_us, .. }
            | Fault::Disconnect { for_us, .. }
            | Fault::Isolate { for_us, .. }
            | Fault::Hold { for_us, .. }
            | Fault::HalfOpen { for_us, .. }
            | Fault::Store { for_us, .. }
            | Fault::Sink { for_us, .. }
            | Fault::Idle { for_us, .. } => Some(for_us),
            Fault::Crash { .. }
            | Fault::Lose { .. }
            | Fault::Message { .. }
            | Fault::Clock { .. } => None,
        }
    }
}
