//! What checkpoints cost: the same work, without faults, under different checkpoint intervals and protocols.
//!
//! Virtual time only: the [cost model](CostModel) says what a record and a frozen byte take, and the
//! stores and links what an upload takes. So the figures are the same on every machine, and tell what the
//! protocol costs (alignment, freezing, uploads) apart from what this program costs.

use std::ops::{ControlFlow, Range};
use std::time::Duration;

use serde::Serialize;
use strum::IntoEnumIterator as _;

use super::experiments::{Experiments, Prepared};
use crate::cluster::{ClusterSettings, CostModel, StoreSettings};
use crate::dataflow::{Deal, SplitAssignment};
use crate::plan::{JobPlan, Latency, LinkSettings, Name, Plan, Span};
use crate::protocol::ordered::VecMap;
use crate::protocol::{
    ChannelId, CheckpointId, CheckpointSettings, DefectSet, Protocol, SubtaskId, VirtualTime,
};
use crate::trace::{Event, Stamp};
use crate::workload::WorkloadError;
use crate::world::{Kernel, Observer};

/// The intervals that are compared, in milliseconds; 0 is no checkpoints, and comes first.
pub const INTERVALS_MS: [u64; 4] = [0, 1_000, 100, 10];

/// The interval at which protocols are compared, in milliseconds: every one of them completes what it begins.
pub const COMPARED_MS: u64 = 200;

/// When the hybrid goes on to overtake, in milliseconds.
const ALIGNED_TIMEOUT_MS: u64 = 10;

/// What one protocol costs at one interval, over some seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// How the subtasks come to a cut.
    pub protocol: Protocol,
    /// From one checkpoint to the next; 0: none are taken.
    pub interval_ms: u64,
    /// How long the work takes in virtual time: the mean, in milliseconds.
    pub virtual_ms: f64,
    /// Records of output in a second of virtual time.
    pub records_per_second: f64,
    /// By how much longer the work takes than without checkpoints.
    pub overhead_percent: f64,
    /// Checkpoints completed in a run: the mean.
    pub completed: f64,
    /// From trigger to completion: the mean, in milliseconds.
    pub checkpoint_ms: f64,
    /// From the first barrier at a subtask with several inputs to the last: the mean, in milliseconds.
    pub alignment_ms: f64,
    /// How much of the run a channel into such a subtask spends blocked.
    pub blocked_percent: f64,
    /// Bytes that a completed checkpoint uploads: the mean.
    pub uploaded_bytes: f64,
    /// Records in it that were in flight: the mean.
    pub in_flight: f64,
}

/// A protocol and the interval between two checkpoints, in milliseconds.
pub type Case = (Protocol, u64);

/// The plan that is measured: word count of *Emma* on two subtasks an operator, no faults.
///
/// A record takes 100 µs and a frozen byte 10 ns, as in an engine that does some 20,000 records a second;
/// an upload takes 5 ms and 10 ns a byte, as in an object store nearby.
#[must_use]
pub fn plan((protocol, interval_ms): Case, seed: u64) -> Plan {
    Plan {
        salt: 0,
        scenario: Name::literal("overhead"),
        seed,
        job: JobPlan {
            workload: Name::literal("word-count"),
            records: Some(80_000),
            parallelism: 2,
            splits: 2,
            deal: Deal::Even,
            assignment: SplitAssignment::Static,
        },
        cluster: cluster((protocol, interval_ms)),
        links: LinkSettings {
            channels: Latency::Uniform(Span::new(200, 1_000)),
            control: Latency::Uniform(Span::new(200, 1_000)),
            local_us: 20,
            byte_ns: 0,
            slow: Vec::new(),
            slow_control: Vec::new(),
            priorities: Vec::new(),
        },
        mailbox_us: Span::new(0, 100),
        requests: Vec::new(),
        faults: Vec::new(),
        safety_ms: 1,
        liveness_ms: 600_000,
        lost: Vec::new(),
        rescales: Vec::new(),
        defects: DefectSet::NONE,
    }
}

fn cluster((protocol, interval_ms): Case) -> ClusterSettings {
    ClusterSettings {
        workers: 2,
        slots: 4,
        heartbeat_ms: 1_000,
        heartbeat_timeout_ms: 10_000,
        session_timeout_ms: 20_000,
        restart_delay_ms: 100,
        request_retry_ms: 1_000,
        credits: 64,
        buffers: None,
        source_interval_us: 0,
        fetch_max: 64,
        sink_batch: 64,
        object_store: StoreSettings { latency_us: 5_000, byte_ns: 10 },
        meta_store: StoreSettings { latency_us: 1_000, byte_ns: 0 },
        cost: Some(CostModel { record_ns: 100_000, byte_ns: 10, freeze_byte_ns: 10 }),
        checkpoints: CheckpointSettings {
            protocol,
            aligned_timeout_ms: ALIGNED_TIMEOUT_MS,
            interval_ms,
            pause_min_ms: 0,
            timeout_ms: 60_000,
            concurrent_max: 1,
            failures_tolerated: 100,
            retained: 1,
        },
        final_at_once: false,
        observe_time: false,
    }
}

/// Every interval with aligned barriers, in order.
#[must_use]
pub fn intervals() -> Vec<Case> {
    INTERVALS_MS.map(|interval_ms| (Protocol::Aligned, interval_ms)).to_vec()
}

/// Every protocol at the same interval, in order.
#[must_use]
pub fn protocols() -> Vec<Case> {
    Protocol::iter().map(|protocol| (protocol, COMPARED_MS)).collect()
}

/// Measures every case under the same seeds, at least one. What is compared is what a protocol takes, and not
/// what the job is owed: word count demands exactly-once, and is measured all the same with barriers that
/// promise less.
///
/// # Errors
///
/// When the workload cannot be made.
///
/// # Panics
///
/// When a run does not finish its work, which would be a bug.
pub fn measure(
    experiments: &Experiments,
    seeds: &Range<u64>,
    cases: &[Case],
) -> Result<Vec<Cost>, WorkloadError> {
    let measure = |case: &Case| measure_one(experiments, seeds, *case);
    let base = measure(&(Protocol::Aligned, 0))?.virtual_ms;
    let mut costs = cases.iter().map(measure).collect::<Result<Vec<_>, _>>()?;
    for cost in &mut costs {
        cost.overhead_percent = (cost.virtual_ms / base - 1.0) * 100.0;
    }
    Ok(costs)
}

fn measure_one(
    experiments: &Experiments,
    seeds: &Range<u64>,
    case: Case,
) -> Result<Cost, WorkloadError> {
    let run_one = |seed| {
        let plan = plan(case, seed);
        Ok(run(&plan, &experiments.prepare(&plan.job)?))
    };
    let meters: Result<Vec<_>, WorkloadError> = seeds.clone().map(run_one).collect();
    Ok(mean(case, &meters?))
}

fn run(plan: &Plan, prepared: &Prepared) -> Meter {
    let topology = prepared.experiment.job.topology();
    let joined = topology.subtask_ids().filter(|id| topology.inputs(*id).count() > 1);
    let meter = Meter {
        running: topology.subtasks.len(),
        records: prepared.experiment.expected.len() as u64,
        joined_channels: joined.map(|id| topology.inputs(id).count() as u64).sum(),
        ..Meter::default()
    };
    let cluster = prepared.cluster(plan);
    let (_, _, meter) = Kernel::new(plan, &cluster, meter).run();
    assert!(meter.running == 0, "a run without faults does its work");
    meter
}

/// The mean of some runs.
fn mean((protocol, interval_ms): Case, meters: &[Meter]) -> Cost {
    let runs = meters.len() as f64;
    let sum = |of: fn(&Meter) -> f64| meters.iter().map(of).sum::<f64>();
    let completed = sum(|meter| meter.completed as f64);
    let alignments = sum(|meter| meter.alignments as f64);
    let channel_time = sum(|meter| meter.done.0 as f64 * meter.joined_channels as f64);
    let each = |total: f64, of: f64| if of > 0.0 { total / of } else { 0.0 };
    Cost {
        protocol,
        interval_ms,
        virtual_ms: sum(|meter| meter.done.0 as f64) / runs / 1e6,
        records_per_second: each(
            sum(|meter| meter.records as f64) * 1e9,
            sum(|meter| meter.done.0 as f64),
        ),
        overhead_percent: 0.0,
        completed: completed / runs,
        checkpoint_ms: each(sum(|meter| ms(meter.checkpoints)), completed),
        alignment_ms: each(sum(|meter| ms(meter.aligning)), alignments),
        blocked_percent: each(sum(|meter| meter.blocking.as_nanos() as f64), channel_time) * 100.0,
        uploaded_bytes: each(sum(|meter| meter.uploaded as f64), completed),
        in_flight: each(sum(|meter| meter.in_flight as f64), completed),
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Measures one run by its trace, and ends it when the work is done: whether its output is committed does
/// not count, since without checkpoints it never is.
#[derive(Debug, Default)]
struct Meter {
    /// Subtasks that have not ended yet.
    running: usize,
    records: u64,
    /// Channels into subtasks with several inputs: only these are ever blocked.
    joined_channels: u64,
    done: VirtualTime,
    completed: u64,
    checkpoints: Duration,
    alignments: u64,
    aligning: Duration,
    blocking: Duration,
    uploaded: u64,
    in_flight: u64,
    triggered: VecMap<CheckpointId, VirtualTime>,
    aligning_since: VecMap<SubtaskId, VirtualTime>,
    blocked_since: VecMap<ChannelId, VirtualTime>,
}

impl Meter {
    fn handle_ended(&mut self, at: VirtualTime) -> ControlFlow<()> {
        self.running -= 1;
        if self.running > 0 {
            return ControlFlow::Continue(());
        }
        self.done = at;
        ControlFlow::Break(())
    }

    fn handle_completed(&mut self, at: VirtualTime, checkpoint: CheckpointId) {
        if let Some(triggered) = self.triggered.remove(&checkpoint) {
            self.completed += 1;
            self.checkpoints += at.since(triggered);
        }
    }

    fn handle_aligned(&mut self, at: VirtualTime, subtask: SubtaskId) {
        if let Some(since) = self.aligning_since.remove(&subtask) {
            self.alignments += 1;
            self.aligning += at.since(since);
        }
    }

    fn handle_unblocked(&mut self, at: VirtualTime, channel: ChannelId) {
        if let Some(since) = self.blocked_since.remove(&channel) {
            self.blocking += at.since(since);
        }
    }
}

impl Observer for Meter {
    fn observe(&mut self, stamp: Stamp, event: &Event) -> ControlFlow<()> {
        let at = stamp.at;
        match event {
            Event::SubtaskEnded { .. } => return self.handle_ended(at),
            Event::Triggered { checkpoint, .. } => {
                self.triggered.insert(*checkpoint, at);
            }
            Event::Completed { checkpoint, .. } => self.handle_completed(at, *checkpoint),
            Event::AlignmentStarted { subtask, .. } => {
                self.aligning_since.insert(*subtask, at);
            }
            Event::AlignmentCompleted { subtask, .. } => self.handle_aligned(at, *subtask),
            Event::ChannelBlocked { channel, .. } => {
                self.blocked_since.insert(*channel, at);
            }
            Event::ChannelUnblocked { channel, .. } => self.handle_unblocked(at, *channel),
            Event::ObjectStored { bytes, .. } => self.uploaded += bytes,
            Event::ChannelStateCaptured(captured) => {
                let channels = captured.inputs.iter().chain(&captured.outputs);
                self.in_flight += channels.map(|channel| channel.records.len() as u64).sum::<u64>();
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
