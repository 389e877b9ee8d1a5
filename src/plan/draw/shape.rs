//! The shape of a run: its job, its processes, its checkpoints, its links.

use super::small;
use crate::cluster::{BufferSettings, ClusterSettings, DiscoverySettings};
use crate::dataflow::Deal;
use crate::plan::JobPlan;
use crate::plan::limits as l;
use crate::plan::links::{ControlLink, Latency, LinkSettings, SlowLink};
use crate::plan::random::{Concern, Span, Stream};
use crate::plan::scenario::{BufferScenario, ClusterScenario, Scenario};
use crate::protocol::{
    BarrierTravel, ChannelId, CheckpointSettings, OperatorRole, ProcessId, Topology,
};

pub fn job(scenario: &Scenario, stream: &mut Stream) -> JobPlan {
    let parallelism = stream.within(scenario.job.parallelism);
    JobPlan {
        workload: scenario.job.workload.clone(),
        records: scenario.job.records.map(|records| stream.within(records)),
        parallelism: l::JOB_PARALLELISM.clamp(parallelism),
        splits: l::JOB_SPLITS.clamp(stream.within(scenario.job.splits)),
        deal: Deal::Even,
        assignment: scenario.job.assignment,
    }
}

/// From a stream of its own: the shape of an input re-rolls nothing else.
pub fn deal(scenario: &Scenario, seed: u64, splits: u16) -> Deal {
    let fitting = scenario.job.deal.iter().copied().filter(|deal| deal.fits(splits));
    let fitting: Vec<Deal> = fitting.collect();
    Stream::new(seed, Concern::Shape, DEAL_ENTITY).pick(&fitting).copied().unwrap_or_default()
}

/// The stream of a deal; that of all other shapes has entity 0.
const DEAL_ENTITY: u64 = 1;

pub fn cluster(scenario: &Scenario, topology: &Topology, stream: &mut Stream) -> ClusterSettings {
    let ranges = &scenario.cluster;
    let workers: u16 = l::WORKERS.clamp(stream.within(ranges.workers));
    let heartbeat_timeout_ms =
        l::HEARTBEAT_TIMEOUT_MS.clamp(stream.within(ranges.heartbeat_timeout_ms));
    ClusterSettings {
        workers,
        slots: small((topology.subtasks.len() as u64).div_ceil(workers.into())),
        heartbeat_ms: l::HEARTBEAT_MS.clamp(stream.within(ranges.heartbeat_ms)),
        heartbeat_timeout_ms,
        session_timeout_ms: l::SESSION_TIMEOUT_MS.clamp(heartbeat_timeout_ms.saturating_mul(4)),
        restart_delay_ms: l::RESTART_DELAY_MS.clamp(stream.within(ranges.restart_delay_ms)),
        request_retry_ms: l::REQUEST_RETRY_MS.clamp(stream.within(ranges.request_retry_ms)),
        credits: l::CREDITS.clamp(stream.within(ranges.credits)),
        buffers: ranges.buffers.map(|ranges| buffers(ranges, stream)),
        source_interval_us: l::SOURCE_INTERVAL_US.clamp(stream.within(ranges.source_interval_us)),
        discovery: None,
        fetch_max: 64,
        sink_batch: l::SINK_BATCH.clamp(stream.within(ranges.sink_batch)),
        object_store: ClusterScenario::store(
            l::OBJECT_STORE_US.clamp(stream.within(ranges.object_store_us)),
            l::OBJECT_STORE_BYTE_NS.clamp(ranges.object_store_byte_ns),
        ),
        meta_store: ClusterScenario::store(
            l::META_STORE_US.clamp(stream.within(ranges.meta_store_us)),
            0,
        ),
        cost: ranges.cost,
        checkpoints: checkpoints(scenario, stream),
        final_at_once: ranges.final_at_once,
        observe_time: ranges.observe_time,
    }
}

/// When splits come up and go away, from a stream of its own; a split in two is there from the beginning.
pub fn discovery(
    scenario: &Scenario,
    seed: u64,
    splits: u16,
    topology: &Topology,
) -> Option<DiscoverySettings> {
    let ranges = scenario.cluster.discovery?;
    let mut stream = Stream::new(seed, Concern::Shape, DISCOVERY_ENTITY);
    let sources =
        topology.operators.iter().filter(|operator| operator.role == OperatorRole::Source);
    let splits = u64::from(splits).saturating_mul(sources.count() as u64);
    let mut appears_ms = || match stream.chance(50) {
        true => 0,
        false => l::DISCOVERY_APPEARS_MS.clamp(stream.within(ranges.appears_ms)),
    };
    let appears_ms = (0..splits).map(|_| appears_ms()).collect();
    Some(DiscoverySettings {
        interval_ms: l::DISCOVERY_INTERVAL_MS.clamp(stream.within(ranges.interval_ms)),
        appears_ms,
        retained_ms: l::DISCOVERY_RETAINED_MS.clamp(stream.within(ranges.retained_ms)),
    })
}

const DISCOVERY_ENTITY: u64 = 3;

fn checkpoints(scenario: &Scenario, stream: &mut Stream) -> CheckpointSettings {
    let ranges = &scenario.checkpoints;
    CheckpointSettings {
        protocol: ranges.protocol,
        aligned_timeout_ms: aligned_timeout_ms(scenario, stream),
        interval_ms: l::INTERVAL_MS.clamp(stream.within(ranges.interval_ms)),
        pause_min_ms: l::PAUSE_MIN_MS.clamp(stream.within(ranges.pause_min_ms)),
        timeout_ms: l::TIMEOUT_MS.clamp(stream.within(ranges.timeout_ms)),
        concurrent_max: l::CONCURRENT_MAX.clamp(stream.within(ranges.concurrent_max)),
        failures_tolerated: l::FAILURES_TOLERATED.clamp(stream.within(ranges.failures_tolerated)),
        retained: l::RETAINED.clamp(stream.within(ranges.retained)),
    }
}

fn buffers(ranges: BufferScenario, stream: &mut Stream) -> BufferSettings {
    BufferSettings {
        bytes: l::BUFFER_BYTES.clamp(stream.within(ranges.bytes)),
        timeout_ms: l::BUFFER_TIMEOUT_MS.clamp(stream.within(ranges.timeout_ms)),
    }
}

/// Drawn where it matters, so that plans of other protocols are what they always were.
fn aligned_timeout_ms(scenario: &Scenario, stream: &mut Stream) -> u64 {
    match scenario.checkpoints.protocol.traits().travel {
        BarrierTravel::InOrderAtFirst => {
            l::ALIGNED_TIMEOUT_MS.clamp(stream.within(scenario.checkpoints.aligned_timeout_ms))
        }
        BarrierTravel::InOrder | BarrierTravel::Ahead => 0,
    }
}

pub fn links(scenario: &Scenario, topology: &Topology, stream: &mut Stream) -> LinkSettings {
    let ranges = &scenario.links;
    let count: u64 = l::SLOW.clamp(stream.within(ranges.slow));
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
        byte_ns: l::LINK_BYTE_NS.clamp(stream.within(ranges.byte_ns)),
        slow,
        slow_control: Vec::new(),
        priorities: Vec::new(),
    }
}

/// Control links with delays of their own, from a stream of their own as the deal is.
pub fn slow_control(scenario: &Scenario, seed: u64, workers: u16) -> Vec<ControlLink> {
    let mut stream = Stream::new(seed, Concern::Shape, SLOW_CONTROL_ENTITY);
    let count: u64 = l::SLOW_CONTROL.clamp(stream.within(scenario.links.slow_control));
    let latencies = &scenario.links.slow_control_latency;
    let mut link = || {
        let (from, to) = control_ends(workers, &mut stream);
        let latency = *stream.pick(latencies)?;
        Some(ControlLink { from, to, latency })
    };
    (0..count).filter_map(|_| link()).collect()
}

/// One end of a control link is a worker or the coordinator, the other somebody whom it talks to.
fn control_ends(workers: u16, stream: &mut Stream) -> (ProcessId, ProcessId) {
    const SERVICES: &[ProcessId] = &[
        ProcessId::Coordinator,
        ProcessId::ObjectStore,
        ProcessId::SourceLog,
        ProcessId::SinkTarget,
    ];
    const STORES: &[ProcessId] = &[ProcessId::ObjectStore, ProcessId::MetaStore];
    const COORDINATOR_PERCENT: u8 = 25;
    let (one, others) = if stream.chance(COORDINATOR_PERCENT) {
        (ProcessId::Coordinator, STORES)
    } else {
        (ProcessId::Worker(small(stream.below(u64::from(workers)))), SERVICES)
    };
    let other = *stream.pick(others).unwrap_or(&ProcessId::ObjectStore);
    if stream.chance(50) { (one, other) } else { (other, one) }
}

const SLOW_CONTROL_ENTITY: u64 = 2;

/// Workers that are lost for good: neighbours, from a random one on, and never all.
pub fn lost(scenario: &Scenario, workers: u16, stream: &mut Stream) -> Vec<u16> {
    let workers = u64::from(workers);
    let count = stream.within(scenario.cluster.losable).min(workers - 1);
    let first = stream.below(workers);
    (0..count).map(|n| small((first + n) % workers)).collect()
}
