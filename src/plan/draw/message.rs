//! Faults of control messages.

use super::below_u32;
use super::fault::FaultDraw;
use super::repertoire::Need;
use crate::plan::fault::{Fault, MessageAction, PlannedFault, When};
use crate::plan::fault_class::{FaultClass, MessageTrouble};
use crate::plan::limits::MESSAGES;
use crate::protocol::ProcessId;
use crate::trace::{MessageKind, Point};

impl FaultDraw<'_> {
    pub(super) fn message(&mut self, class: FaultClass, trouble: MessageTrouble) -> PlannedFault {
        let when = self.when(class);
        let mut message = if self.is_wide() { self.any_kind() } else { self.fragile_kind() };
        let count = MESSAGES.clamp(self.stream.within(self.ranges.messages));
        let us = self.us(self.ranges.delay_ms);
        let action = match trouble {
            MessageTrouble::Drop => MessageAction::Drop,
            MessageTrouble::Delay => MessageAction::Delay { us },
            MessageTrouble::Duplicate => MessageAction::Duplicate { us },
            MessageTrouble::Reorder if self.is_wide() => {
                MessageAction::Until { point: self.any_overtaker(message) }
            }
            MessageTrouble::Reorder => {
                let overtakers;
                (message, overtakers) = *self
                    .stream
                    .pick(self.overtaken())
                    .unwrap_or(&(message, &[Point::BarrierReceived]));
                let point = *self.stream.pick(overtakers).unwrap_or(&Point::BarrierReceived);
                MessageAction::Until { point }
            }
        };
        PlannedFault { when, fault: Fault::Message { message, to: None, count, action } }
    }

    fn fragile_kind(&mut self) -> MessageKind {
        let fragile = self.fragile();
        *self.stream.pick(&fragile).unwrap_or(&MessageKind::Trigger)
    }

    fn fragile(&self) -> Vec<MessageKind> {
        let repertoire = self.targets.repertoire;
        let usual = if repertoire.meets(Need::Enumerating) { FRAGILE_ENUMERATED } else { FRAGILE };
        let is_ended_otherwise = repertoire.meets(Need::Asking) || repertoire.finishing;
        let others = if is_ended_otherwise { FRAGILE_AT_THE_END } else { &[] };
        usual.iter().chain(others).copied().collect()
    }

    fn overtaken(&self) -> &'static [(MessageKind, &'static [Point])] {
        if self.targets.repertoire.meets(Need::Enumerating) {
            OVERTAKEN_ENUMERATED
        } else {
            OVERTAKEN
        }
    }

    /// A request to a store is held back until a process runs again, and a client of that store is
    /// crashed soon after: without the crash nothing would be late.
    pub(super) fn late_request(&mut self, class: FaultClass) -> Vec<PlannedFault> {
        let when = self.when(class);
        let store = self.a_store();
        let client = match store {
            // What workers write, they write to the object store; the coordinator writes to both.
            ProcessId::ObjectStore => self.actor(),
            _ => ProcessId::Coordinator,
        };
        let fault = Fault::Message {
            message: MessageKind::StoreRequest,
            to: Some(store),
            count: 1 + below_u32(&mut self.stream, LATE_REQUESTS_MAX),
            action: MessageAction::Until { point: Point::Restarted },
        };
        let crash_time = match when {
            When::At { us } => When::At { us: us + 1_000 + self.stream.below(60_000) },
            When::Point { .. } => self.time(),
        };
        let restart_after_us = Some(self.us(self.ranges.down_ms));
        let crash = Fault::Crash { process: Some(client), restart_after_us };
        vec![PlannedFault { when, fault }, PlannedFault { when: crash_time, fault: crash }]
    }
}

/// How many requests of all clients are held back: so that one of them is the victim's.
const LATE_REQUESTS_MAX: u64 = 6;

/// The control messages that faults hit; those that decide a checkpoint more often than others.
const FRAGILE: &[MessageKind] = &[
    MessageKind::Trigger,
    MessageKind::Trigger,
    MessageKind::Acknowledge,
    MessageKind::Acknowledge,
    MessageKind::Decline,
    MessageKind::NotifyComplete,
    MessageKind::NotifyComplete,
    MessageKind::NotifyComplete,
    MessageKind::NotifyComplete,
    MessageKind::NotifyAborted,
    MessageKind::Heartbeat,
    MessageKind::Deploy,
    MessageKind::Ready,
    MessageKind::Run,
    MessageKind::Running,
    MessageKind::Cancel,
    MessageKind::SubtaskFailed,
    MessageKind::StoreRequest,
    MessageKind::StoreAnswer,
    MessageKind::LogRequest,
    MessageKind::LogAnswer,
    MessageKind::SinkRequest,
    MessageKind::SinkAnswer,
];

/// Those that faults hit as well where a job is asked to stop, or says that its input has ended.
const FRAGILE_AT_THE_END: &[MessageKind] =
    &[MessageKind::Finished, MessageKind::Finished, MessageKind::Request, MessageKind::Request];

/// What overtakes what: barriers, later checkpoints, and the next attempt.
const OVERTAKEN: &[(MessageKind, &[Point])] = &[
    (MessageKind::Trigger, &[Point::BarrierReceived, Point::Triggered, Point::Aborted]),
    (MessageKind::Trigger, &[Point::AlignmentCompleted, Point::Completed, Point::AttemptStarted]),
    (MessageKind::Acknowledge, &[Point::Triggered, Point::Completed, Point::Aborted]),
    (MessageKind::Acknowledge, &[Point::AttemptStarted, Point::AttemptRunning]),
    (MessageKind::Decline, &[Point::Triggered, Point::Completed]),
    (MessageKind::NotifyComplete, &[Point::BarrierReceived, Point::SnapshotTaken]),
    (MessageKind::NotifyComplete, &[Point::Completed, Point::AttemptStarted, Point::Restored]),
    (MessageKind::NotifyAborted, &[Point::BarrierReceived, Point::SnapshotTaken]),
    (MessageKind::NotifyAborted, &[Point::Triggered, Point::Completed]),
    (MessageKind::Run, &[Point::AttemptRunning, Point::AttemptStarted]),
    (MessageKind::Deploy, &[Point::AttemptStarted, Point::LeadershipTaken]),
    (MessageKind::Cancel, &[Point::AttemptStarted, Point::Restored]),
    (MessageKind::Running, &[Point::AttemptStarted, Point::Triggered]),
    (MessageKind::StoreRequest, &[Point::Completed, Point::Aborted, Point::AttemptStarted]),
    (MessageKind::StoreAnswer, &[Point::Triggered, Point::Aborted, Point::AttemptStarted]),
    (MessageKind::SinkRequest, &[Point::AttemptStarted, Point::ProducersFenced]),
    (MessageKind::SinkAnswer, &[Point::BarrierReceived, Point::AttemptStarted]),
    (MessageKind::LogAnswer, &[Point::BarrierSent, Point::AttemptStarted]),
];

/// The control messages that faults hit where an enumerator assigns splits: those of readers and enumerator
/// as often as all others.
const FRAGILE_ENUMERATED: &[MessageKind] = &[
    MessageKind::RequestSplit,
    MessageKind::RequestSplit,
    MessageKind::AssignSplit,
    MessageKind::AssignSplit,
    MessageKind::AssignSplit,
    MessageKind::NoMoreSplits,
    MessageKind::TakeSplit,
    MessageKind::TakeSplit,
    MessageKind::Trigger,
    MessageKind::Trigger,
    MessageKind::Acknowledge,
    MessageKind::Acknowledge,
    MessageKind::NotifyComplete,
    MessageKind::NotifyAborted,
    MessageKind::Cancel,
    MessageKind::StoreAnswer,
];

/// What overtakes what where an enumerator assigns splits: checkpoints, and the next attempt.
const OVERTAKEN_ENUMERATED: &[(MessageKind, &[Point])] = &[
    (MessageKind::RequestSplit, &[Point::SplitAccepted, Point::AttemptStarted, Point::Triggered]),
    (
        MessageKind::AssignSplit,
        &[Point::Triggered, Point::EnumeratorSnapshot, Point::SnapshotTaken],
    ),
    (MessageKind::AssignSplit, &[Point::SplitAccepted, Point::AttemptStarted, Point::Completed]),
    (MessageKind::NoMoreSplits, &[Point::Triggered, Point::SnapshotTaken, Point::AttemptStarted]),
    (MessageKind::TakeSplit, &[Point::Triggered, Point::SplitRequested, Point::AttemptStarted]),
    (MessageKind::Trigger, &[Point::GatewayReopened, Point::Triggered, Point::Aborted]),
    (MessageKind::Acknowledge, &[Point::Triggered, Point::Completed, Point::SplitAssigned]),
    (MessageKind::NotifyComplete, &[Point::EnumeratorSnapshot, Point::AttemptStarted]),
    (MessageKind::Cancel, &[Point::AttemptStarted, Point::EnumeratorRestored]),
];
