//! Draws plans: settings from end to end of their ranges, and faults of every class, by the product's own drawer.

use std::ops::{Range, RangeInclusive};

use cutwater::cluster::{BufferSettings, ClusterSettings, CostModel, StoreSettings};
use cutwater::dataflow::{Deal, SplitAssignment};
use cutwater::plan::draw::{FaultDraw, Targets, patience};
use cutwater::plan::{
    Breadth, Concern, Fault, FaultClass, JobPlan, Latency, LinkSettings, Name, NemesisScenario,
    Plan, PlannedFault, PlannedRescale, SlowLink, Span, Stream, When,
};
use cutwater::protocol::{ChannelId, CheckpointSettings, DefectSet, ProcessId, Protocol, Topology};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use strum::IntoEnumIterator as _;

/// When the last fault may strike, in microseconds.
const WINDOW_US: u64 = 1_500_000;

/// Of how many splits one may be idle; what is not there, is not struck.
const SPLITS_MAX: u16 = 4;

/// How long faults strike after the last entry should have been read, in microseconds.
const AFTER_LAST_ENTRY_US: u64 = 200_000;

/// What a row takes in a buffer at most, with what goes before it.
const ROW_BYTES: u64 = 32;

/// No checkpoint has more time than this, however slow its way.
const TIMEOUT_MAX_MS: u64 = 10_000;

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
    flow: DraftFlow,
    /// Instead, where barriers may overtake: others wait behind it for longer than they have.
    congestion: Option<DraftFlow>,
    fetch_max: u32,
    sink_batch: u32,
    object_us: u64,
    meta_us: u64,
}

/// How fast records come and go.
#[derive(Clone, Debug)]
struct DraftFlow {
    credits: u32,
    buffers: Option<BufferSettings>,
    source_interval_us: u64,
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

/// A fault that the product is to draw: of which class, and from which seed.
type DraftFault = (FaultClass, u64);

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
    let flow = (usual_flow(), prop::option::of(congestion()));
    let batches = (1_u32..=64, 1_u32..=16);
    let stores = (0_u64..=10_000, 0_u64..=5_000);
    (times, flow, batches, stores).prop_map(|(times, flow, batches, stores)| DraftCluster {
        heartbeat_ms: times.0,
        restart_delay_ms: times.1,
        request_retry_ms: times.2,
        flow: flow.0,
        congestion: flow.1,
        fetch_max: batches.0,
        sink_batch: batches.1,
        object_us: stores.0,
        meta_us: stores.1,
    })
}

fn usual_flow() -> impl Strategy<Value = DraftFlow> {
    let interval_us = prop_oneof![1 => Just(0), 6 => 500_u64..20_000];
    let buffers = prop::option::weighted(0.6, buffers(4..200));
    let cost = prop::option::of(cost(0..200_000));
    flow(1..=64, buffers, interval_us, cost)
}

/// More comes than is processed, and few bytes are on their way at a time: barriers find something to overtake, and
/// most records span buffers, so that a barrier that overtakes cuts one in two.
fn congestion() -> impl Strategy<Value = DraftFlow> {
    let (buffers, cost) = (buffers(4..30).prop_map(Some), cost(100_000..1_000_000).prop_map(Some));
    flow(1..=4, buffers, 0_u64..200, cost)
}

fn flow(
    credits: RangeInclusive<u32>,
    buffers: impl Strategy<Value = Option<BufferSettings>>,
    interval_us: impl Strategy<Value = u64>,
    cost: impl Strategy<Value = Option<CostModel>>,
) -> impl Strategy<Value = DraftFlow> {
    (credits, buffers, interval_us, cost).prop_map(
        |(credits, buffers, source_interval_us, cost)| DraftFlow {
            credits,
            buffers,
            source_interval_us,
            cost,
        },
    )
}

/// From a few bytes, which most records span, to some records.
fn buffers(bytes: Range<u32>) -> impl Strategy<Value = BufferSettings> {
    (bytes, 1_u64..=10).prop_map(|(bytes, timeout_ms)| BufferSettings { bytes, timeout_ms })
}

fn cost(record_ns: Range<u64>) -> impl Strategy<Value = CostModel> {
    let bytes_ns = (0_u64..5_000, 0_u64..50_000);
    (record_ns, bytes_ns).prop_map(|(record_ns, (byte_ns, freeze_byte_ns))| CostModel {
        record_ns,
        byte_ns,
        freeze_byte_ns,
    })
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

/// Any class. Those are rare after which the end of the job is not owed, or which are about what few jobs have.
fn fault() -> impl Strategy<Value = DraftFault> {
    let classes = FaultClass::iter();
    let (rare, usual): (Vec<_>, Vec<_>) = classes.partition(|class| class.is_by_name_only());
    (prop_oneof![1 => select(rare), 30 => select(usual)], any::<u64>())
}

/// From end to end of what the system has to stand. A clock is off by half a second, or by a day.
fn ranges(span_us: u64, seed: u64) -> NemesisScenario {
    let clock_step_ms = if seed.is_multiple_of(2) { 500 } else { 90_000_000 };
    NemesisScenario {
        breadth: Breadth::Any,
        window_ms: Span::new(0, span_us / 1_000),
        down_ms: Span::new(0, 400),
        pause_ms: Span::new(0, 600),
        zombie_ms: Span::new(0, 800),
        disconnect_ms: Span::new(0, 600),
        delay_ms: Span::new(0, 400),
        messages: Span::new(1, 6),
        store_ms: Span::new(0, 600),
        store_extra_ms: Span::new(10, 400),
        sink_ms: Span::new(0, 600),
        sink_extra_ms: Span::new(10, 400),
        clock_step_ms: Span::new(1, clock_step_ms),
        clock_drift_ppm: Span::new(1, 700_000),
        idle_ms: Span::new(0, 600),
        ..NemesisScenario::default()
    }
}

fn planned_rescale(
    (share, parallelism, checkpoint_first): (u64, u16, bool),
    span_us: u64,
) -> PlannedRescale {
    let when = When::At { us: span_us * share / 1_000 };
    PlannedRescale { when, parallelism, checkpoint_first }
}

impl DraftCluster {
    fn flow(&self, protocol: Protocol) -> &DraftFlow {
        let congestion = self.congestion.as_ref().filter(|_| protocol.may_overtake());
        congestion.unwrap_or(&self.flow)
    }
}

/// What sweeps grant as well: a checkpoint may take what it takes on average, in a loop above all, or the job
/// restarts for ever without any bug. A row that spans buffers takes as many turns.
fn grant_patience(plan: &mut Plan, topology: &Topology) {
    let turns = plan.cluster.buffers.map_or(1, |buffers| ROW_BYTES.div_ceil(buffers.bytes.into()));
    let drawn_ms = std::mem::take(&mut plan.cluster.checkpoints.timeout_ms);
    patience::grant(plan, topology, Span::new(0, TIMEOUT_MAX_MS));
    let timeout_ms = &mut plan.cluster.checkpoints.timeout_ms;
    *timeout_ms = (*timeout_ms * turns).clamp(drawn_ms, TIMEOUT_MAX_MS);
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
        let flow = self.cluster.flow(protocol);
        let reading_us = entries * flow.source_interval_us;
        let span_us = (reading_us + AFTER_LAST_ENTRY_US).min(WINDOW_US);
        let cluster = &self.cluster;
        let heartbeat_timeout_ms = cluster.heartbeat_ms * 4;
        let mut plan = Plan {
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
                slots: self.subtasks_max(topology).div_ceil(self.workers - self.lost),
                heartbeat_ms: cluster.heartbeat_ms,
                heartbeat_timeout_ms,
                session_timeout_ms: heartbeat_timeout_ms * 2,
                restart_delay_ms: cluster.restart_delay_ms,
                request_retry_ms: cluster.request_retry_ms,
                credits: flow.credits,
                buffers: flow.buffers,
                source_interval_us: flow.source_interval_us,
                discovery: None,
                fetch_max: cluster.fetch_max,
                sink_batch: cluster.sink_batch,
                object_store: StoreSettings { latency_us: cluster.object_us, byte_ns: 10 },
                meta_store: StoreSettings { latency_us: cluster.meta_us, byte_ns: 0 },
                cost: flow.cost,
                checkpoints: self.checkpoints(protocol),
            },
            links: self.links.settle(topology),
            mailbox_us: Span::new(0, self.mailbox_us),
            faults: Vec::new(),
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
        };
        grant_patience(&mut plan, topology);
        plan.faults = self.draw_faults(&plan, topology, span_us);
        plan
    }

    /// How many subtasks the job has at most: sources keep their parallelism when it is rescaled.
    fn subtasks_max(&self, topology: &Topology) -> u16 {
        let asked = self.rescale.map_or(0, |(_, parallelism, _)| parallelism);
        topology.operators.iter().map(|operator| operator.parallelism.max(asked)).sum()
    }

    fn draw_faults(&self, plan: &Plan, topology: &Topology, span_us: u64) -> Vec<PlannedFault> {
        let targets = Targets { splits: SPLITS_MAX, ..Targets::of(topology, plan) };
        let draw = |(class, seed): DraftFault| {
            let stream = Stream::new(seed, Concern::Faults, 0);
            FaultDraw::new(&ranges(span_us, seed), targets, stream).fault(class, None)
        };
        let mut faults: Vec<_> = self.faults.iter().copied().flat_map(draw).collect();
        if !faults.is_empty() {
            for lost in &plan.lost {
                let crashes = draw((FaultClass::CrashWorker, self.seed)).into_iter();
                faults.extend(crashes.map(|crash| for_good(crash, *lost)));
            }
        }
        faults
    }
}

/// The crash is that of a worker that does not come back.
fn for_good(crash: PlannedFault, lost: ProcessId) -> PlannedFault {
    let fault = Fault::Crash { process: Some(lost), restart_after_us: None };
    PlannedFault { fault, ..crash }
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
