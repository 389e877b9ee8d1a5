//! Draws plans: settings from end to end of their ranges, and faults of every class.

use std::ops::RangeInclusive;

use cutwater::cluster::{BufferSettings, ClusterSettings, CostModel, StoreFault, StoreSettings};
use cutwater::dataflow::{Deal, SplitAssignment};
use cutwater::plan::{
    Fault, JobPlan, Latency, LinkSettings, MessageAction, Name, Plan, PlannedFault, PlannedRescale,
    SlowLink, Span, When,
};
use cutwater::protocol::{
    ChannelId, CheckpointSettings, DefectSet, ProcessId, Protocol, SplitId, SubtaskId, Topology,
};
use cutwater::trace::{MessageKind, Point};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use strum::IntoEnumIterator as _;

use super::points::is_mortal;
use super::what::{DraftWhat, what};

/// When the last fault may strike, in microseconds.
const WINDOW_US: u64 = 1_500_000;

/// Of how many splits one may be idle; what is not there, is not struck.
const SPLITS_MAX: u16 = 4;

/// How long faults strike after the last entry should have been read, in microseconds.
const AFTER_LAST_ENTRY_US: u64 = 200_000;

/// A plan that does not know its job yet.
#[derive(Clone, Debug)]
pub struct DraftPlan {
    seed: u64,
    workers: u16,
    lost: u16,
    cluster: DraftCluster,
    checkpoints: CheckpointSettings,
    links: DraftLinks,
    mailbox_us: u64,
    faults: Vec<DraftFault>,
    /// In the hybrid protocol.
    aligned_timeout_ms: u64,
    /// When, as a share of the time to read the input; to how many; whether a checkpoint comes first.
    rescale: Option<(u64, u16, bool)>,
}

#[derive(Clone, Debug)]
struct DraftCluster {
    heartbeat_ms: u64,
    restart_delay_ms: u64,
    request_retry_ms: u64,
    credits: u32,
    buffers: Option<BufferSettings>,
    source_interval_us: u64,
    fetch_max: u32,
    sink_batch: u32,
    object_us: u64,
    meta_us: u64,
    cost: Option<CostModel>,
}

#[derive(Clone, Debug)]
struct DraftLinks {
    channels_us: (u64, u64),
    control_us: (u64, u64),
    heavy: bool,
    byte_ns: u64,
    slow: Vec<(u16, u64)>,
}

/// A fault that does not know yet how many workers and subtasks there are.
#[derive(Clone, Debug)]
pub struct DraftFault {
    when: DraftWhen,
    what: DraftWhat,
}

#[derive(Clone, Debug)]
enum DraftWhen {
    /// After this share of the time that the job takes to read its input, in thousandths.
    At(u64),
    Point {
        point: Point,
        subtask: Option<u16>,
        occurrence: u32,
        after_restarts: u32,
    },
}

/// Draws a plan with so many faults.
pub fn draft_plan(
    faults: RangeInclusive<usize>,
    rescaled_percent: u8,
) -> impl Strategy<Value = DraftPlan> {
    let rescale = (100_u64..900, 1_u16..=4, any::<bool>());
    let rescale = (rescale, 0_u8..100);
    let rescale =
        rescale.prop_map(move |(rescale, die)| (die < rescaled_percent).then_some(rescale));
    let processes = (any::<u64>(), 1_u16..=4, prop_oneof![4 => Just(0_u16), 1 => Just(1)]);
    let settings = (cluster(), checkpoints(), links(), prop_oneof![Just(0), 0_u64..5_000]);
    let drawn = (processes, settings, vec(fault(), faults), rescale, 0_u64..60);
    drawn.prop_map(|(processes, settings, faults, rescale, aligned_timeout_ms)| {
        let (seed, workers, lost) = processes;
        let (cluster, checkpoints, links, mailbox_us) = settings;
        let lost = lost.min(workers - 1);
        DraftPlan {
            seed,
            workers,
            lost,
            cluster,
            checkpoints,
            links,
            mailbox_us,
            faults,
            aligned_timeout_ms,
            rescale,
        }
    })
}

fn cluster() -> impl Strategy<Value = DraftCluster> {
    let times = (20_u64..=100, 0_u64..=50, 40_u64..=200);
    let interval_us = prop_oneof![1 => Just(0), 6 => 500_u64..20_000];
    let flow = (1_u32..=64, interval_us, 1_u32..=64, 1_u32..=16, buffers());
    let stores = (0_u64..=10_000, 0_u64..=5_000);
    let cost = prop::option::of((0_u64..200_000, 0_u64..5_000, 0_u64..50_000).prop_map(
        |(record_ns, byte_ns, freeze_byte_ns)| CostModel { record_ns, byte_ns, freeze_byte_ns },
    ));
    (times, flow, stores, cost).prop_map(|(times, flow, stores, cost)| DraftCluster {
        heartbeat_ms: times.0,
        restart_delay_ms: times.1,
        request_retry_ms: times.2,
        credits: flow.0,
        buffers: flow.4,
        source_interval_us: flow.1,
        fetch_max: flow.2,
        sink_batch: flow.3,
        object_us: stores.0,
        meta_us: stores.1,
        cost,
    })
}

/// From a few bytes, which most records span, to some records.
fn buffers() -> impl Strategy<Value = Option<BufferSettings>> {
    let settings = (4_u32..200, 1_u64..=10);
    let settings = settings.prop_map(|(bytes, timeout_ms)| BufferSettings { bytes, timeout_ms });
    prop::option::weighted(0.6, settings)
}

fn checkpoints() -> impl Strategy<Value = CheckpointSettings> {
    let times = (10_u64..=200, 0_u64..=50, 300_u64..=1_500);
    (times, 1_u32..=3, prop_oneof![Just(100_u32), 3_u32..10], 1_u32..=4).prop_map(
        |(
            (interval_ms, pause_min_ms, timeout_ms),
            concurrent_max,
            failures_tolerated,
            retained,
        )| {
            CheckpointSettings {
                protocol: Protocol::Aligned,
                aligned_timeout_ms: 0,
                interval_ms,
                pause_min_ms,
                timeout_ms,
                concurrent_max,
                failures_tolerated,
                retained,
            }
        },
    )
}

fn links() -> impl Strategy<Value = DraftLinks> {
    let latency = || (0_u64..3_000, 0_u64..8_000).prop_map(|(min, more)| (min, min + more));
    let slow = vec((any::<u16>(), 5_000_u64..30_000), 0..=2);
    (latency(), latency(), any::<bool>(), prop_oneof![Just(0), 1_u64..2_000], slow).prop_map(
        |(channels_us, control_us, heavy, byte_ns, slow)| DraftLinks {
            channels_us,
            control_us,
            heavy,
            byte_ns,
            slow,
        },
    )
}

fn fault() -> impl Strategy<Value = DraftFault> {
    (when(), what()).prop_map(|(when, what)| DraftFault { when, what })
}

fn when() -> impl Strategy<Value = DraftWhen> {
    let points: Vec<Point> = Point::iter().collect();
    let restarts = prop_oneof![4 => Just(0), 1 => 1_u32..3];
    let aimed = (select(points), prop::option::weighted(0.3, any::<u16>()), 1_u32..30, restarts);
    prop_oneof![
        1 => Just(DraftWhen::At(0)),
        10 => (0_u64..1_000).prop_map(DraftWhen::At),
        11 => aimed.prop_map(|(point, subtask, occurrence, after_restarts)| DraftWhen::Point {
            point,
            subtask,
            occurrence,
            after_restarts,
        }),
    ]
}

fn planned_rescale(
    (share, parallelism, checkpoint_first): (u64, u16, bool),
    span_us: u64,
) -> PlannedRescale {
    let when = When::At { us: span_us * share / 1_000 };
    PlannedRescale { when, parallelism, checkpoint_first }
}

impl DraftPlan {
    /// How checkpoints are taken in a protocol.
    pub fn checkpoints(&self, protocol: Protocol) -> CheckpointSettings {
        let mut settings = CheckpointSettings { protocol, ..self.checkpoints.clone() };
        if protocol.is_one_at_a_time() {
            settings.concurrent_max = 1;
        }
        if protocol == Protocol::Hybrid {
            settings.aligned_timeout_ms = self.aligned_timeout_ms;
        }
        settings
    }

    /// The plan for a job of this shape, whose busiest source subtask reads this many entries.
    pub fn settle(&self, topology: &Topology, protocol: Protocol, entries: u64) -> Plan {
        let reading_us = entries * self.cluster.source_interval_us;
        let span_us = (reading_us + AFTER_LAST_ENTRY_US).min(WINDOW_US);
        let subtasks = u16::try_from(topology.subtasks.len()).expect("few subtasks");
        let most = self.rescale.map_or(0, |(_, parallelism, _)| {
            parallelism * u16::try_from(topology.operators.len()).expect("few operators")
        });
        let cluster = &self.cluster;
        let heartbeat_timeout_ms = cluster.heartbeat_ms * 4;
        Plan {
            salt: 0,
            scenario: Name::literal("generated"),
            seed: self.seed,
            job: JobPlan {
                workload: Name::literal("generated"),
                records: None,
                parallelism: 1,
                splits: 1,
                deal: Deal::Even,
                assignment: SplitAssignment::Static,
            },
            cluster: ClusterSettings {
                final_at_once: false,
                observe_time: true,
                workers: self.workers,
                slots: subtasks.max(most).div_ceil(self.workers - self.lost),
                heartbeat_ms: cluster.heartbeat_ms,
                heartbeat_timeout_ms,
                session_timeout_ms: heartbeat_timeout_ms * 2,
                restart_delay_ms: cluster.restart_delay_ms,
                request_retry_ms: cluster.request_retry_ms,
                credits: cluster.credits,
                buffers: cluster.buffers,
                source_interval_us: cluster.source_interval_us,
                discovery: None,
                fetch_max: cluster.fetch_max,
                sink_batch: cluster.sink_batch,
                object_store: StoreSettings { latency_us: cluster.object_us, byte_ns: 10 },
                meta_store: StoreSettings { latency_us: cluster.meta_us, byte_ns: 0 },
                cost: cluster.cost,
                checkpoints: self.checkpoints(protocol),
            },
            links: self.links.settle(topology),
            mailbox_us: Span::new(0, self.mailbox_us),
            faults: self.faults.iter().map(|each| self.fault(each, topology, span_us)).collect(),
            requests: Vec::new(),
            rescales: self
                .rescale
                .iter()
                .map(|rescale| planned_rescale(*rescale, span_us))
                .collect(),
            safety_ms: WINDOW_US / 1_000 + 500,
            liveness_ms: 60_000,
            lost: (0..self.lost).map(ProcessId::Worker).collect(),
            defects: DefectSet::NONE,
        }
    }

    fn fault(&self, draft: &DraftFault, topology: &Topology, span_us: u64) -> PlannedFault {
        let subtasks = topology.subtasks.len() as u16;
        let when = match draft.when {
            DraftWhen::At(share) => When::At { us: span_us * share / 1_000 },
            DraftWhen::Point { point, subtask, occurrence, after_restarts } => {
                let subtask = subtask.map(|subtask| SubtaskId(subtask % subtasks));
                When::Point { point, subtask, occurrence, after_restarts }
            }
        };
        PlannedFault { when: when.clone(), fault: self.effect(&draft.what, &when, topology) }
    }

    fn effect(&self, what: &DraftWhat, when: &When, topology: &Topology) -> Fault {
        let worker = |number: u16| Some(ProcessId::Worker(number % self.workers));
        let coordinator = Some(ProcessId::Coordinator);
        match *what {
            DraftWhat::CrashWorker { worker: number, restart_after_us } => {
                Fault::Crash { process: worker(number), restart_after_us }
            }
            DraftWhat::CrashCoordinator { restart_after_us } => {
                Fault::Crash { process: coordinator, restart_after_us }
            }
            DraftWhat::CrashWhoReachedIt { restart_after_us } => {
                let process = if is_mortal(when) { None } else { worker(0) };
                Fault::Crash { process, restart_after_us }
            }
            DraftWhat::PauseWorker { worker: number, for_us } => {
                Fault::Pause { process: worker(number), for_us }
            }
            DraftWhat::PauseCoordinator { for_us } => Fault::Pause { process: coordinator, for_us },
            DraftWhat::Disconnect { from, to, both, for_us } => {
                let (from, to) = self.pair(from, to);
                Fault::Disconnect { from, to, both, for_us }
            }
            DraftWhat::Message { message, count, action } => {
                Fault::Message { message, to: None, count, action }
            }
            DraftWhat::Store { object, fault, for_us } => {
                // The meta store keeps one record, replaced whole, that is not listed.
                let is_of_objects =
                    matches!(fault, StoreFault::Torn | StoreFault::Corrupt | StoreFault::Lagging);
                let process = store_of(object || is_of_objects);
                Fault::Store { process, fault, for_us }
            }
            DraftWhat::LateRequest { object, count } => {
                let (message, to) = (MessageKind::StoreRequest, Some(store_of(object)));
                let action = MessageAction::Until { point: Point::Restarted };
                Fault::Message { message, to, count, action }
            }
            DraftWhat::Sink { fault, for_us } => Fault::Sink { fault, for_us },
            DraftWhat::Idle { split, for_us } => {
                Fault::Idle { split: SplitId(split % SPLITS_MAX), for_us }
            }
            DraftWhat::CrashService { service, restart_after_us } => {
                let process = Some(self.pair(1 + service % 4, 0).0);
                Fault::Crash { process, restart_after_us: Some(restart_after_us) }
            }
            DraftWhat::Zombie { worker: number, restart_after_us, for_us } => {
                let process = number.map_or(coordinator, worker);
                Fault::Zombie { process, restart_after_us, for_us }
            }
            DraftWhat::Isolate { process, for_us } => {
                Fault::Isolate { process: Some(self.pair(process, 0).0), for_us }
            }
            DraftWhat::Hold { from, to, for_us } => {
                let (from, to) = self.pair(from, to);
                Fault::Hold { from, to, for_us }
            }
            DraftWhat::HalfOpen { from, to, for_us } => {
                let (from, to) = self.pair(from, to);
                Fault::HalfOpen { from, to, for_us }
            }
            DraftWhat::Lose { channel, count } => {
                let channels = topology.channels.len() as u16;
                Fault::Lose { channel: ChannelId(channel % channels), count }
            }
            DraftWhat::Clock { process, change } => {
                Fault::Clock { process: Some(self.pair(process, 0).0), change }
            }
        }
    }

    /// Two different processes, any.
    fn pair(&self, from: u16, to: u16) -> (ProcessId, ProcessId) {
        let services = [
            ProcessId::Coordinator,
            ProcessId::ObjectStore,
            ProcessId::MetaStore,
            ProcessId::SourceLog,
            ProcessId::SinkTarget,
        ];
        let all: Vec<_> =
            services.into_iter().chain((0..self.workers).map(ProcessId::Worker)).collect();
        let from = usize::from(from) % all.len();
        let to = (from + 1 + usize::from(to) % (all.len() - 1)) % all.len();
        (all[from], all[to])
    }
}

fn store_of(is_object_store: bool) -> ProcessId {
    if is_object_store { ProcessId::ObjectStore } else { ProcessId::MetaStore }
}

impl DraftLinks {
    fn settle(&self, topology: &Topology) -> LinkSettings {
        let latency = |(min, max): (u64, u64)| {
            let span = Span::new(min, max);
            if self.heavy { Latency::HeavyTail(span) } else { Latency::Uniform(span) }
        };
        let channels = u16::try_from(topology.channels.len()).expect("few channels");
        let slow = |(channel, top): &(u16, u64)| SlowLink {
            channel: ChannelId(channel % channels),
            latency: Latency::Uniform(Span::new(top / 2, *top)),
        };
        LinkSettings {
            channels: latency(self.channels_us),
            control: latency(self.control_us),
            local_us: 20,
            byte_ns: self.byte_ns,
            slow: self.slow.iter().map(slow).collect(),
            slow_control: Vec::new(),
            priorities: Vec::new(),
        }
    }
}
