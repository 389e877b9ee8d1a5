//! Draws a plan from a scenario and a seed.
//!
//! Each fault has a stream of its own, keyed by its class and number: taking one out re-rolls no other.

use std::time::Duration;

use super::fault::{Fault, MessageAction, PlannedFault, When};
use super::fault_class::FaultClass;
use super::links::{Latency, LinkSettings, SlowLink};
use super::random::{Concern, Span, Stream};
use super::scenario::{ClusterScenario, Scenario};
use super::{JobPlan, Plan};
use crate::cluster::{ClusterSettings, StoreFault};
use crate::dataflow::Deal;
use crate::protocol::{ChannelId, CheckpointSettings, DefectSet, ProcessId, Topology};
use crate::trace::{MessageKind, Point};

/// The plan of `seed`. `topology` gives the shape of a job plan's job.
///
/// # Errors
///
/// What `topology` says of a job that cannot be.
pub fn draw<E>(
    scenario: &Scenario,
    seed: u64,
    defects: DefectSet,
    topology: impl FnOnce(&JobPlan) -> Result<Topology, E>,
) -> Result<Plan, E> {
    let mut shape = Stream::new(seed, Concern::Shape, 0);
    let mut job = draw_job(scenario, &mut shape);
    job.deal = draw_deal(scenario, seed, job.splits);
    let topology = topology(&job)?;
    let mut cluster = draw_cluster(scenario, &topology, &mut shape);
    let links = draw_links(scenario, &topology, &mut shape);
    let lost = draw_lost(scenario, cluster.workers, &mut shape);
    let healthy = u64::from(cluster.workers) - lost.len() as u64;
    let subtasks = topology.subtasks.len() as u64;
    cluster.slots = small(subtasks.div_ceil(healthy));
    let mut faults = draw_faults(scenario, seed, cluster.workers);
    faults.extend(lost.iter().map(|worker| lose(scenario, seed, *worker)));
    Ok(Plan {
        scenario: scenario.name.clone(),
        seed,
        job,
        cluster,
        links,
        mailbox_us: scenario.cluster.mailbox_us,
        faults,
        safety_ms: scenario.nemesis.window_ms.max.saturating_add(HEALING_MS),
        liveness_ms: scenario.liveness_ms,
        lost: lost.into_iter().map(ProcessId::Worker).collect(),
        defects,
    })
}

/// What is left of the safety phase after the last moment at which a fault may strike.
const HEALING_MS: u64 = 500;

fn small(value: u64) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}

fn draw_job(scenario: &Scenario, stream: &mut Stream) -> JobPlan {
    let parallelism = stream.within(scenario.job.parallelism);
    JobPlan {
        workload: scenario.job.workload.clone(),
        records: scenario.job.records.map(|records| stream.within(records)),
        parallelism: small(parallelism),
        splits: small(stream.within(scenario.job.splits)),
        deal: Deal::Even,
    }
}

/// From a stream of its own: the shape of an input re-rolls nothing else.
fn draw_deal(scenario: &Scenario, seed: u64, splits: u16) -> Deal {
    let fitting = scenario.job.deal.iter().copied().filter(|deal| deal.fits(splits));
    let fitting: Vec<Deal> = fitting.collect();
    Stream::new(seed, Concern::Shape, DEAL_ENTITY).pick(&fitting).copied().unwrap_or_default()
}

/// The stream of a deal; that of all other shapes has entity 0.
const DEAL_ENTITY: u64 = 1;

fn draw_cluster(scenario: &Scenario, topology: &Topology, stream: &mut Stream) -> ClusterSettings {
    let ranges = &scenario.cluster;
    let workers = stream.within(ranges.workers).max(1);
    let heartbeat_timeout_ms = stream.within(ranges.heartbeat_timeout_ms);
    ClusterSettings {
        workers: small(workers),
        slots: small((topology.subtasks.len() as u64).div_ceil(workers)),
        heartbeat_ms: stream.within(ranges.heartbeat_ms).max(1),
        heartbeat_timeout_ms,
        session_timeout_ms: heartbeat_timeout_ms.saturating_mul(4),
        restart_delay_ms: stream.within(ranges.restart_delay_ms),
        request_retry_ms: stream.within(ranges.request_retry_ms).max(1),
        credits: stream.within(ranges.credits).max(1) as u32,
        source_interval_us: stream.within(ranges.source_interval_us),
        fetch_max: 64,
        sink_batch: stream.within(ranges.sink_batch).max(1) as u32,
        object_store: ClusterScenario::store(
            stream.within(ranges.object_store_us),
            ranges.object_store_byte_ns,
        ),
        meta_store: ClusterScenario::store(stream.within(ranges.meta_store_us), 0),
        cost: ranges.cost,
        checkpoints: draw_checkpoints(scenario, stream),
    }
}

fn draw_checkpoints(scenario: &Scenario, stream: &mut Stream) -> CheckpointSettings {
    let ranges = &scenario.checkpoints;
    CheckpointSettings {
        interval_ms: stream.within(ranges.interval_ms),
        pause_min_ms: stream.within(ranges.pause_min_ms),
        timeout_ms: stream.within(ranges.timeout_ms).max(1),
        concurrent_max: stream.within(ranges.concurrent_max).max(1) as u32,
        failures_tolerated: stream.within(ranges.failures_tolerated) as u32,
        retained: stream.within(ranges.retained).max(1) as u32,
    }
}

fn draw_links(scenario: &Scenario, topology: &Topology, stream: &mut Stream) -> LinkSettings {
    let ranges = &scenario.links;
    let count = stream.within(ranges.slow);
    let channels = topology.channels.len() as u64;
    let slow = (0..count).map(|_| {
        let channel = ChannelId(small(stream.below(channels)));
        let top = stream.within(ranges.slow_us);
        SlowLink { channel, latency: Latency::Uniform(Span::new(top / 2, top)) }
    });
    let slow = slow.collect();
    LinkSettings {
        channels: ranges.channels,
        control: ranges.control,
        local_us: 20,
        byte_ns: stream.within(ranges.byte_ns),
        slow,
    }
}

/// Workers that are lost for good: neighbours, from a random one on, and never all.
fn draw_lost(scenario: &Scenario, workers: u16, stream: &mut Stream) -> Vec<u16> {
    let workers = u64::from(workers);
    let count = stream.within(scenario.cluster.losable).min(workers - 1);
    let first = stream.below(workers);
    (0..count).map(|n| small((first + n) % workers)).collect()
}

/// The crash from which a worker does not come back.
fn lose(scenario: &Scenario, seed: u64, worker: u16) -> PlannedFault {
    let entity = LOST_ENTITY | u64::from(worker);
    let mut draw =
        Draw { scenario, workers: 1, stream: Stream::new(seed, Concern::Faults, entity) };
    let when = draw.time();
    let fault = Fault::Crash { process: Some(ProcessId::Worker(worker)), restart_after_us: None };
    PlannedFault { when, fault }
}

/// Streams of crashes for good; those of other faults have their class and number.
const LOST_ENTITY: u64 = 1 << 48;

fn draw_faults(scenario: &Scenario, seed: u64, workers: u16) -> Vec<PlannedFault> {
    let mut faults = Vec::new();
    for (class, range) in &scenario.faults {
        let entity = (*class as u64) << 32;
        let count = Stream::new(seed, Concern::Faults, entity).within(*range);
        for number in 1..=count {
            let stream = Stream::new(seed, Concern::Faults, entity | number);
            faults.push(Draw { scenario, workers, stream }.fault(*class));
        }
    }
    faults
}

/// One fault being drawn.
struct Draw<'a> {
    scenario: &'a Scenario,
    workers: u16,
    stream: Stream,
}

impl Draw<'_> {
    fn fault(&mut self, class: FaultClass) -> PlannedFault {
        match class {
            FaultClass::CrashWorker => self.crash_worker(),
            FaultClass::CrashCoordinator => self.crash_coordinator(),
            FaultClass::PauseWorker => self.pause_worker(),
            FaultClass::Disconnect => self.disconnect(true),
            FaultClass::DisconnectOneWay => self.disconnect(false),
            FaultClass::DropMessage => self.message(|_| MessageAction::Drop),
            FaultClass::DelayMessage => self.message(|us| MessageAction::Delay { us }),
            FaultClass::DuplicateMessage => self.message(|us| MessageAction::Duplicate { us }),
            FaultClass::SlowStore => self.slow_store(),
            FaultClass::FailingStore => self.store(StoreFault::Failing),
            _ => self.store(StoreFault::Failing),
        }
    }

    fn us(&mut self, range_ms: Span) -> u64 {
        let range =
            Span::new(range_ms.min.saturating_mul(1_000), range_ms.max.saturating_mul(1_000));
        self.stream.within(range)
    }

    fn time(&mut self) -> When {
        When::At { us: self.us(self.scenario.nemesis.window_ms) }
    }

    /// At a time, or at a protocol point.
    fn when(&mut self, points: &[Point]) -> When {
        if !self.stream.chance(self.scenario.nemesis.aimed_percent) {
            return self.time();
        }
        let point = self.stream.pick(points).copied().unwrap_or(Point::SnapshotTaken);
        let occurrence = 1 + self.stream.below(OCCURRENCES_MAX) as u32;
        When::Point { point, subtask: None, occurrence, after_restarts: 0 }
    }

    fn worker(&mut self) -> ProcessId {
        ProcessId::Worker(small(self.stream.below(u64::from(self.workers))))
    }

    /// Where the point is reached, if it is aimed at one; else a worker.
    fn victim(&mut self, when: &When) -> Option<ProcessId> {
        match when {
            When::At { .. } => Some(self.worker()),
            When::Point { .. } => None,
        }
    }

    fn crash_worker(&mut self) -> PlannedFault {
        let when = self.when(WORKER_POINTS);
        let process = self.victim(&when);
        let restart_after_us = Some(self.us(self.scenario.nemesis.down_ms));
        PlannedFault { when, fault: Fault::Crash { process, restart_after_us } }
    }

    fn crash_coordinator(&mut self) -> PlannedFault {
        let when = self.when(COORDINATOR_POINTS);
        let process = Some(ProcessId::Coordinator);
        let restart_after_us = Some(self.us(self.scenario.nemesis.down_ms));
        PlannedFault { when, fault: Fault::Crash { process, restart_after_us } }
    }

    fn pause_worker(&mut self) -> PlannedFault {
        let when = self.when(WORKER_POINTS);
        let process = self.victim(&when);
        let for_us = self.us(self.scenario.nemesis.pause_ms);
        PlannedFault { when, fault: Fault::Pause { process, for_us } }
    }

    fn disconnect(&mut self, both: bool) -> PlannedFault {
        let when = self.time();
        let from = self.worker();
        let to = self.peer(from);
        let (from, to) = if self.stream.chance(50) { (from, to) } else { (to, from) };
        let for_us = self.us(self.scenario.nemesis.disconnect_ms);
        PlannedFault { when, fault: Fault::Disconnect { from, to, both, for_us } }
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

    fn message(&mut self, action: impl FnOnce(u64) -> MessageAction) -> PlannedFault {
        let when = self.time();
        let message = *self.stream.pick(FRAGILE).unwrap_or(&MessageKind::Trigger);
        let count = self.stream.within(self.scenario.nemesis.messages) as u32;
        let action = action(self.us(self.scenario.nemesis.delay_ms));
        PlannedFault { when, fault: Fault::Message { message, to: None, count, action } }
    }

    fn slow_store(&mut self) -> PlannedFault {
        let extra_ms = self.stream.within(self.scenario.nemesis.store_extra_ms);
        self.store(StoreFault::Slow { extra_ms })
    }

    fn store(&mut self, fault: StoreFault) -> PlannedFault {
        let when = self.time();
        let object = self.stream.chance(70);
        let process = if object { ProcessId::ObjectStore } else { ProcessId::MetaStore };
        let for_us = self.us(self.scenario.nemesis.store_ms);
        PlannedFault { when, fault: Fault::Store { process, fault, for_us } }
    }
}

/// Up to which occurrence of a point a fault is aimed.
const OCCURRENCES_MAX: u64 = 24;

/// Points inside a worker behind which real bugs were found.
const WORKER_POINTS: &[Point] = &[
    Point::BarrierSent,
    Point::BarrierReceived,
    Point::AlignmentStarted,
    Point::AlignmentCompleted,
    Point::SnapshotTaken,
    Point::SnapshotDurable,
    Point::Acknowledged,
    Point::CompletionLearned,
    Point::CommitRequested,
    Point::Restored,
    Point::SubtaskEnded,
];

/// Points inside the coordinator behind which real bugs were found.
const COORDINATOR_POINTS: &[Point] = &[
    Point::LeadershipTaken,
    Point::AttemptStarted,
    Point::AttemptRunning,
    Point::Triggered,
    Point::AcknowledgementCounted,
    Point::Assembled,
    Point::Completed,
    Point::CompletionNotified,
    Point::Aborted,
];

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
    MessageKind::StoreRequest,
    MessageKind::StoreAnswer,
    MessageKind::LogRequest,
    MessageKind::LogAnswer,
    MessageKind::SinkRequest,
    MessageKind::SinkAnswer,
];

impl Plan {
    /// When the faults end.
    #[must_use]
    pub fn safety(&self) -> Duration {
        Duration::from_millis(self.safety_ms)
    }

    /// When the run ends, whatever happens: just after the job is late.
    #[must_use]
    pub fn limit(&self) -> Duration {
        let liveness = Duration::from_millis(self.liveness_ms.saturating_add(1));
        self.safety().saturating_add(liveness)
    }
}
