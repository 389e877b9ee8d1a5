//! Whom a fault strikes, and when, where a scenario asks for anything: whatever a plan can say of the class.
//!
//! The usual draw leaves out what seldom matters, so that a sweep of a hundred seeds sees the rest more often.

use strum::IntoEnumIterator as _;

use super::aim::{self, Home};
use super::fault::FaultDraw;
use super::{below_u32, small};
use crate::plan::fault_class::{FaultClass, FaultKind};
use crate::plan::scenario::Breadth;
use crate::protocol::ProcessId;
use crate::trace::{MessageKind, Point};

/// Whatever is not a worker.
const OTHERS: [ProcessId; 5] = [
    ProcessId::Coordinator,
    ProcessId::ObjectStore,
    ProcessId::MetaStore,
    ProcessId::SourceLog,
    ProcessId::SinkTarget,
];

/// Those that are neither a worker nor the coordinator.
const SERVICES: [ProcessId; 4] =
    [ProcessId::ObjectStore, ProcessId::MetaStore, ProcessId::SourceLog, ProcessId::SinkTarget];

/// How many restarts a fault waits for at most.
const RESTARTS_MAX: u64 = 2;

impl FaultDraw<'_> {
    /// Whether anything is asked for.
    pub(super) fn is_wide(&self) -> bool {
        self.ranges.breadth == Breadth::Any
    }

    /// Any process.
    pub(super) fn process(&mut self) -> ProcessId {
        let number = self.stream.below(u64::from(self.targets.workers) + OTHERS.len() as u64);
        let other = usize::try_from(number).ok().and_then(|number| OTHERS.get(number));
        other.copied().unwrap_or_else(|| ProcessId::Worker(small(number - OTHERS.len() as u64)))
    }

    /// Any service.
    pub(super) fn service(&mut self) -> ProcessId {
        *self.stream.pick(&SERVICES).unwrap_or(&ProcessId::ObjectStore)
    }

    /// Any two processes.
    pub(super) fn pair(&mut self) -> (ProcessId, ProcessId) {
        let from = self.process();
        let mut others: Vec<_> = (0..self.targets.workers).map(ProcessId::Worker).collect();
        others.extend(OTHERS);
        others.retain(|process| *process != from);
        (from, *self.stream.pick(&others).unwrap_or(&ProcessId::Coordinator))
    }

    /// At the very beginning, now and then. A clock that steps there is off from the beginning, which is another class.
    pub(super) fn is_at_once(&mut self, class: FaultClass) -> bool {
        const AT_ONCE_PERCENT: u8 = 5;
        let is_of_clock = matches!(class.kind(), FaultKind::Clock(_));
        self.is_wide() && !is_of_clock && self.stream.chance(AT_ONCE_PERCENT)
    }

    /// Whether a fault of this class can be aimed at the point; where anything is asked for, at one that tells of the run
    /// or of faults as well.
    pub(super) fn can_aim(&self, class: FaultClass, point: Point) -> bool {
        let tells_of_the_run = Home::of(point).is_none() && class != FaultClass::ClockOffset;
        aim::can_aim(class, point) || (self.is_wide() && tells_of_the_run)
    }

    /// How many restarts a fault of this class waits for. A crash that waits for one is a crash again.
    pub(super) fn restarts(&mut self, class: FaultClass) -> u32 {
        const WAITING_PERCENT: u8 = 20;
        let waits = !matches!(class, FaultClass::CrashWorker | FaultClass::CrashCoordinator);
        if self.is_wide() && waits && self.stream.chance(WAITING_PERCENT) {
            self.some_restarts()
        } else {
            0
        }
    }

    /// At least one restart.
    pub(super) fn some_restarts(&mut self) -> u32 {
        if self.is_wide() { 1 + below_u32(&mut self.stream, RESTARTS_MAX) } else { 1 }
    }

    /// When a process that crashes is started again; now and then not before the faults end.
    pub(super) fn restart_after_us(&mut self) -> Option<u64> {
        const STAYS_DOWN_PERCENT: u8 = 10;
        let us = self.us(self.ranges.down_ms);
        let stays_down = self.is_wide() && self.stream.chance(STAYS_DOWN_PERCENT);
        (!stays_down).then_some(us)
    }

    /// A message of any kind.
    pub(super) fn any_kind(&mut self) -> MessageKind {
        let kinds: Vec<_> = MessageKind::iter().collect();
        *self.stream.pick(&kinds).unwrap_or(&MessageKind::Trigger)
    }

    /// What a message of this kind can wait for: any event, except for that which makes a request late.
    pub(super) fn any_overtaker(&mut self, message: MessageKind) -> Point {
        let is_late = |point| message == MessageKind::StoreRequest && point == Point::Restarted;
        let points: Vec<_> = Point::iter().filter(|point| !is_late(*point)).collect();
        *self.stream.pick(&points).unwrap_or(&Point::BarrierReceived)
    }
}
