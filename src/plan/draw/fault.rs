//! One fault of a class: when, whom, how.

use strum::IntoEnumIterator as _;

use super::aim::{self, Aim, Home};
use super::repertoire::Repertoire;
use super::{below_u32, small};
use crate::plan::Plan;
use crate::plan::fault::{Fault, PlannedFault, When};
use crate::plan::fault_class::{CrashKind, FaultClass, FaultKind};
use crate::plan::limits::ELEMENTS;
use crate::plan::random::{Span, Stream};
use crate::plan::scenario::NemesisScenario;
use crate::protocol::{ChannelId, ProcessId, SubtaskId, Topology};
use crate::trace::Point;

/// What there is to strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Targets {
    /// How many workers.
    pub workers: u16,
    /// How many channels.
    pub channels: u16,
    /// How many subtasks.
    pub subtasks: u16,
    /// How many splits each source has; those of the first source alone are struck.
    pub splits: u16,
    /// Which points can be reached.
    pub repertoire: Repertoire,
}

impl Targets {
    /// What a job of this shape has, run by this plan.
    #[must_use]
    pub fn of(topology: &Topology, plan: &Plan) -> Self {
        Self {
            workers: plan.cluster.workers,
            channels: small(topology.channels.len() as u64),
            subtasks: small(topology.subtasks.len() as u64),
            splits: plan.job.splits,
            repertoire: Repertoire::of(plan, topology),
        }
    }
}

/// One fault being drawn.
#[derive(Debug)]
pub struct FaultDraw<'a> {
    pub(super) ranges: &'a NemesisScenario,
    pub(super) targets: Targets,
    pub(super) stream: Stream,
    /// Where it must be aimed, if anywhere.
    aim: Option<Aim>,
}

impl<'a> FaultDraw<'a> {
    /// Draws from this stream, which belongs to the fault alone.
    #[must_use]
    pub fn new(ranges: &'a NemesisScenario, targets: Targets, stream: Stream) -> Self {
        Self { ranges, targets, stream, aim: None }
    }

    /// A fault of `class`, first, and with it what it makes no sense without. Aimed where `aim` says;
    /// where it says nothing, at a time or at any point, as often as the scenario says.
    ///
    /// # Panics
    ///
    /// When the class cannot be [aimed](aim::can_aim) there.
    pub fn fault(&mut self, class: FaultClass, aim: Option<Aim>) -> Vec<PlannedFault> {
        if let Some(aim) = aim {
            assert!(aim::can_aim(class, aim.point), "{class} cannot be aimed at {}", aim.point);
        }
        self.aim = aim;
        let planned = match class.kind() {
            FaultKind::Crash(crash) => self.crash(class, crash),
            FaultKind::Pause { coordinator } => self.pause(class, coordinator),
            FaultKind::Zombie { coordinator } => self.zombie(class, coordinator),
            FaultKind::Disconnect { both } => self.obstacle(class, |_, from, to, for_us| {
                Fault::Disconnect { from, to, both, for_us }
            }),
            FaultKind::Isolate => self.obstacle(class, |draw, _, _, for_us| Fault::Isolate {
                process: Some(draw.anyone()),
                for_us,
            }),
            FaultKind::Hold => {
                self.obstacle(class, |_, from, to, for_us| Fault::Hold { from, to, for_us })
            }
            FaultKind::HalfOpen => {
                self.obstacle(class, |_, from, to, for_us| Fault::HalfOpen { from, to, for_us })
            }
            FaultKind::Lose => self.lossy_reconnect(class),
            FaultKind::Message(trouble) => self.message(class, trouble),
            FaultKind::LateRequest => return self.late_request(class),
            FaultKind::Clock(trouble) => self.clock(class, trouble),
            FaultKind::Store(trouble) => self.store(class, trouble),
            FaultKind::Sink(trouble) => self.sink(class, trouble),
            FaultKind::Idle => self.idle(class),
        };
        vec![planned]
    }

    /// Microseconds from a range of milliseconds.
    pub(super) fn us(&mut self, range_ms: Span) -> u64 {
        let range =
            Span::new(range_ms.min.saturating_mul(1_000), range_ms.max.saturating_mul(1_000));
        self.stream.within(range)
    }

    /// A time at which faults may strike.
    pub(super) fn time(&mut self) -> When {
        When::At { us: self.us(self.ranges.window_ms) }
    }

    /// At a time, or at a protocol point.
    pub(super) fn when(&mut self, class: FaultClass) -> When {
        if self.aim.is_some() {
            return self.aimed(class, 0);
        }
        if self.is_at_once(class) {
            return When::At { us: 0 };
        }
        if !self.stream.chance(self.ranges.aimed_percent) {
            return self.time();
        }
        let after_restarts = self.restarts(class);
        self.aimed(class, after_restarts)
    }

    /// At the point that was asked for, or at any that this class can be aimed at.
    fn aimed(&mut self, class: FaultClass, after_restarts: u32) -> When {
        let aim = self.aim.unwrap_or_else(|| {
            let points = self.points(class);
            self.aim_at(&points)
        });
        let Aim { point, subtask, occurrence } = aim;
        When::Point { point, subtask, occurrence, after_restarts }
    }

    /// Where a fault of this class can be aimed, in this job.
    fn points(&self, class: FaultClass) -> Vec<Point> {
        let repertoire = self.targets.repertoire;
        Point::iter()
            .filter(|point| repertoire.has(*point) && self.can_aim(class, *point))
            .collect()
    }

    /// One of these points: early occurrences are more likely than late ones, and now and then only
    /// those in one subtask count.
    fn aim_at(&mut self, points: &[Point]) -> Aim {
        const SUBTASK_PERCENT: u8 = 15;
        let point = *self.stream.pick(points).unwrap_or(&Point::SnapshotTaken);
        let doublings = aim::doublings(point).max(if self.is_wide() { aim::DOUBLINGS } else { 0 });
        let bound = 1 << self.stream.below(doublings + 1);
        let occurrence = 1 + below_u32(&mut self.stream, bound);
        let has_subtask = Home::of(point) == Some(Home::Worker) && !point.names_channel();
        let subtask = (has_subtask && self.stream.chance(SUBTASK_PERCENT))
            .then(|| SubtaskId(small(self.stream.below(self.targets.subtasks.into()))));
        Aim { point, subtask, occurrence }
    }

    pub(super) fn worker(&mut self) -> ProcessId {
        ProcessId::Worker(small(self.stream.below(u64::from(self.targets.workers))))
    }

    /// How many in a hundred crashes after a restart may come at any point, and not only at those before the
    /// next checkpoint completes.
    const ANYWHERE_PERCENT: u8 = 40;

    /// The worker in which the point is reached, if it is reached in one and none but chance is against
    /// it; else any.
    pub(super) fn struck_worker(&mut self, when: &When) -> Option<ProcessId> {
        const ELSEWHERE_PERCENT: u8 = 15;
        let is_there = match when {
            When::At { .. } => false,
            When::Point { point, .. } => Home::of(*point) == Some(Home::Worker),
        };
        (!is_there || self.stream.chance(ELSEWHERE_PERCENT)).then(|| self.worker())
    }

    fn crash(&mut self, class: FaultClass, crash: CrashKind) -> PlannedFault {
        let when = self.crash_time(class, crash);
        let process = match crash {
            CrashKind::Coordinator => Some(ProcessId::Coordinator),
            CrashKind::Service if self.is_wide() => Some(self.service()),
            CrashKind::Service => Some(self.a_store()),
            CrashKind::InRecovery | CrashKind::Again if self.stream.chance(30) => {
                Some(ProcessId::Coordinator)
            }
            CrashKind::Worker | CrashKind::InRecovery | CrashKind::Again => {
                self.struck_worker(&when)
            }
        };
        let restart_after_us = self.restart_after_us();
        PlannedFault { when, fault: Fault::Crash { process, restart_after_us } }
    }

    fn crash_time(&mut self, class: FaultClass, crash: CrashKind) -> When {
        let points = match crash {
            CrashKind::InRecovery => aim::RECOVERY.to_vec(),
            CrashKind::Again if self.stream.chance(Self::ANYWHERE_PERCENT) => self.points(class),
            CrashKind::Again => aim::BEFORE_COMPLETION.to_vec(),
            CrashKind::Worker | CrashKind::Coordinator | CrashKind::Service => {
                return self.when(class);
            }
        };
        let aim = self.aim.unwrap_or_else(|| self.aim_at(&points));
        self.aim = Some(aim);
        // The first attempt is a recovery as well: of nothing.
        let is_again = crash == CrashKind::Again || self.stream.chance(50);
        debug_assert_eq!(aim.point.begins_recovery(), crash == CrashKind::InRecovery);
        let after_restarts = if is_again { self.some_restarts() } else { 0 };
        self.aimed(class, after_restarts)
    }

    fn pause(&mut self, class: FaultClass, coordinator: bool) -> PlannedFault {
        const SERVICE_PERCENT: u8 = 40;
        let when = self.when(class);
        let is_service = self.is_wide() && !coordinator && self.stream.chance(SERVICE_PERCENT);
        let process =
            if is_service { Some(self.service()) } else { self.victim(coordinator, &when) };
        let for_us = self.us(self.ranges.pause_ms);
        PlannedFault { when, fault: Fault::Pause { process, for_us } }
    }

    fn zombie(&mut self, class: FaultClass, coordinator: bool) -> PlannedFault {
        let when = self.when(class);
        let process = self.victim(coordinator, &when);
        let restart_after_us = self.us(self.ranges.down_ms);
        let for_us = self.us(self.ranges.zombie_ms);
        PlannedFault { when, fault: Fault::Zombie { process, restart_after_us, for_us } }
    }

    fn victim(&mut self, coordinator: bool, when: &When) -> Option<ProcessId> {
        if coordinator { Some(ProcessId::Coordinator) } else { self.struck_worker(when) }
    }

    /// Something between a worker and another process.
    fn obstacle(
        &mut self,
        class: FaultClass,
        fault: impl FnOnce(&mut Self, ProcessId, ProcessId, u64) -> Fault,
    ) -> PlannedFault {
        let when = self.when(class);
        let (from, to) = if self.is_wide() { self.pair() } else { self.neighbours() };
        let for_us = self.us(self.ranges.disconnect_ms);
        PlannedFault { when, fault: fault(self, from, to, for_us) }
    }

    /// A worker and whom it talks to, one way or the other.
    fn neighbours(&mut self) -> (ProcessId, ProcessId) {
        let worker = self.worker();
        let peer = self.peer(worker);
        if self.stream.chance(50) { (worker, peer) } else { (peer, worker) }
    }

    /// Whoever can be cut off, or have a clock that is wrong.
    pub(super) fn anyone(&mut self) -> ProcessId {
        if self.is_wide() { self.process() } else { self.actor() }
    }

    /// A worker; seldom the coordinator.
    pub(super) fn actor(&mut self) -> ProcessId {
        const COORDINATOR_PERCENT: u8 = 30;
        let worker = self.worker();
        if self.stream.chance(COORDINATOR_PERCENT) { ProcessId::Coordinator } else { worker }
    }

    fn peer(&mut self, of: ProcessId) -> ProcessId {
        // The coordinator's silence is what makes zombies.
        const SERVICES: [ProcessId; 6] = [
            ProcessId::Coordinator,
            ProcessId::Coordinator,
            ProcessId::Coordinator,
            ProcessId::ObjectStore,
            ProcessId::SinkTarget,
            ProcessId::SourceLog,
        ];
        let worker = self.worker();
        if worker != of && self.stream.chance(50) {
            return worker;
        }
        *self.stream.pick(&SERVICES).unwrap_or(&ProcessId::Coordinator)
    }

    fn lossy_reconnect(&mut self, class: FaultClass) -> PlannedFault {
        let when = self.when(class);
        let channel = ChannelId(small(self.stream.below(self.targets.channels.into())));
        let count = ELEMENTS.clamp(self.stream.within(self.ranges.elements));
        PlannedFault { when, fault: Fault::Lose { channel, count } }
    }
}
