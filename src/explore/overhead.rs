//! What checkpoints cost a job of one's own: time, bytes, and how long channels are blocked.
//!
//! Virtual time only: the [cost model](CostModel) says what a record and a frozen byte take, and the
//! [store](StoreSettings) what an upload takes; the rest follows. The shipped processes run, without oracles and
//! without a stored trace.
//!
//! What it is not: a model of an engine. A record costs the same in every operator, cores are not shared, there is
//! no state backend that flushes and compacts, no saturation and no latency. It answers what a *protocol* makes of
//! one's own job and data: how often channels block, what is in flight, which bytes are uploaded. What checkpoints
//! cost on a real engine is the question of [`lab`](crate::lab); [`Overhead::in_laboratory`] puts a job of one's own
//! there.

mod laboratory;
mod meter;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use strum::IntoEnumIterator as _;

use super::experiments::Prepared;
use crate::cluster::{ClusterSettings, CostModel, StoreSettings};
use crate::dataflow::{BuildError, Deal, Input, JobBuilder, SplitAssignment};
use crate::plan::{JobPlan, Latency, LinkSettings, Name, Plan, Span};
use crate::protocol::{CheckpointSettings, DefectSet, Protocol};
use crate::workload::Experiment;
use crate::world::Kernel;
use meter::Meter;

/// When the hybrid goes on to overtake, in milliseconds.
const ALIGNED_TIMEOUT_MS: u64 = 10;

/// Something that is varied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vary {
    /// How the cut is made.
    Protocol(Vec<Protocol>),
    /// From one checkpoint to the next, in milliseconds.
    IntervalMs(Vec<u64>),
    /// How many items a channel takes before its sender waits.
    Credits(Vec<u32>),
}

/// One configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Case {
    /// How the subtasks come to a cut.
    pub protocol: Protocol,
    /// From one checkpoint to the next, in milliseconds; 0: none are taken.
    pub interval_ms: u64,
    /// How many items a channel takes before its sender waits.
    pub credits: u32,
}

/// Measures what checkpoints cost one job, with one input.
///
/// ```
/// use cutwater::dataflow::{EncodedSink, Input, JobBuilder, Replay};
/// use cutwater::explore::overhead::{Overhead, Vary};
/// use cutwater::protocol::Protocol;
///
/// let job = JobBuilder::new("double");
/// job.source("numbers", Replay::new(), 1, 1)
///     .map("double", 1, |number: u64| 2 * number)
///     .transactional_sink("out", 1, EncodedSink::new());
/// let input = Input::dealt((0..2_000_u64).map(|number| Replay::entry(&number)), 1);
/// let report = Overhead::new(&job, input)?
///     .vary(Vary::IntervalMs(vec![50, 10]))
///     .vary(Vary::Protocol(vec![Protocol::Aligned, Protocol::StopTheWorld]))
///     .run();
/// println!("{report}");
/// let of = |protocol| report.of(protocol, 10).expect("it was varied");
/// assert!(of(Protocol::StopTheWorld).overhead_percent > of(Protocol::Aligned).overhead_percent);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Overhead {
    prepared: Prepared,
    protocols: Vec<Protocol>,
    intervals_ms: Vec<u64>,
    credits: Vec<u32>,
    seeds: Range<u64>,
    cost: CostModel,
    store: StoreSettings,
}

/// What one configuration costs, over some seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// The configuration.
    #[serde(flatten)]
    pub case: Case,
    /// How long the work takes in virtual time: the mean, in milliseconds.
    pub virtual_ms: f64,
    /// Records of input in a second of virtual time.
    pub records_per_second: f64,
    /// By how much longer the work takes than without checkpoints.
    pub overhead_percent: f64,
    /// Checkpoints completed in a run: the mean.
    pub completed: f64,
    /// From trigger to completion: the mean, in milliseconds.
    pub checkpoint_ms: f64,
    /// The same for half of them, at most.
    pub checkpoint_p50_ms: f64,
    /// The same for 99 of 100, at most.
    pub checkpoint_p99_ms: f64,
    /// From the first barrier at a subtask with several inputs to the last: the mean, in milliseconds.
    pub alignment_ms: f64,
    /// How much of the run a channel into such a subtask spends blocked.
    pub blocked_percent: f64,
    /// Bytes that a completed checkpoint uploads: the mean.
    pub uploaded_bytes: f64,
    /// Records in it that were in flight: the mean.
    pub in_flight: f64,
}

/// What was measured, a row for each configuration.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OverheadReport {
    /// Those without checkpoints first.
    pub costs: Vec<Cost>,
}

impl Overhead {
    /// The cost of `job`, fed with `input`: with aligned barriers, every second, unless told otherwise.
    ///
    /// A record takes 100 µs and a frozen byte 10 ns, as in an engine that does some 10,000 records a second and
    /// subtask; an upload takes 5 ms and 10 ns a byte, as in an object store nearby.
    ///
    /// # Errors
    ///
    /// When the job cannot be built.
    pub fn new(job: &JobBuilder, input: Input) -> Result<Self, BuildError> {
        Ok(Self::of(Experiment {
            job: Arc::new(job.build()?),
            input: Arc::new(input),
            expected: Arc::default(),
            late: Arc::default(),
            show: None,
        }))
    }

    /// The cost of an experiment's job; what is expected of it plays no part.
    #[must_use]
    pub fn of(experiment: Experiment) -> Self {
        Self {
            prepared: Prepared::new(experiment),
            protocols: vec![Protocol::Aligned],
            intervals_ms: vec![1_000],
            credits: vec![64],
            seeds: 0..1,
            cost: CostModel { record_ns: 100_000, byte_ns: 10, freeze_byte_ns: 10 },
            store: StoreSettings { latency_us: 5_000, byte_ns: 10 },
        }
    }

    /// With these values of something, instead of those of before.
    #[must_use]
    pub fn vary(mut self, vary: Vary) -> Self {
        match vary {
            Vary::Protocol(protocols) => self.protocols = protocols,
            Vary::IntervalMs(intervals_ms) => self.intervals_ms = intervals_ms,
            Vary::Credits(credits) => self.credits = credits,
        }
        self
    }

    /// The mean over these seeds, which differ in the delays of links.
    #[must_use]
    pub fn seeds(self, seeds: Range<u64>) -> Self {
        Self { seeds, ..self }
    }

    /// With these costs of records and frozen bytes.
    #[must_use]
    pub fn cost(self, cost: CostModel) -> Self {
        Self { cost, ..self }
    }

    /// With this store of snapshots.
    #[must_use]
    pub fn store(self, store: StoreSettings) -> Self {
        Self { store, ..self }
    }

    /// Measures every configuration, each beside the same without checkpoints.
    ///
    /// What is compared is what a protocol takes, and not what the job is owed: a job that demands exactly-once is
    /// measured all the same with barriers that promise less.
    ///
    /// # Panics
    ///
    /// When there are no seeds, or a run does not do its work within [`LIVENESS_MS`].
    #[must_use]
    pub fn run(&self) -> OverheadReport {
        let mut costs = Vec::new();
        for &credits in &self.credits {
            let base = self.measure(Case { protocol: Protocol::Aligned, interval_ms: 0, credits });
            costs.push(base);
            for &interval_ms in self.intervals_ms.iter().filter(|interval_ms| **interval_ms > 0) {
                for &protocol in &self.protocols {
                    let mut cost = self.measure(Case { protocol, interval_ms, credits });
                    cost.overhead_percent = (cost.virtual_ms / base.virtual_ms - 1.0) * 100.0;
                    costs.push(cost);
                }
            }
        }
        costs.sort_by_key(|cost| cost.case.interval_ms > 0);
        OverheadReport { costs }
    }

    /// Measures one configuration, and nothing beside it: what a benchmark of wall-clock time repeats.
    ///
    /// Its `overhead_percent` is 0, since it is compared with nothing.
    ///
    /// # Panics
    ///
    /// When there are no seeds, or a run does not do its work within [`LIVENESS_MS`].
    #[must_use]
    pub fn measure(&self, case: Case) -> Cost {
        assert!(!self.seeds.is_empty(), "there is nothing to measure without a seed");
        let mut total = Meter::new(self.prepared.experiment.job.topology());
        let records: u64 = self.prepared.experiment.input.lengths().iter().sum();
        for seed in self.seeds.clone() {
            let plan = self.plan(case, seed);
            let cluster = self.prepared.cluster(&plan);
            let meter = Meter::new(self.prepared.experiment.job.topology());
            let (_, _, meter) = Kernel::new(&plan, &cluster, meter).run();
            assert!(meter.is_done(), "a run without faults does its work within its time");
            total.add(&meter);
        }
        total.cost(case, records, self.seeds.end - self.seeds.start)
    }

    fn plan(&self, case: Case, seed: u64) -> Plan {
        let subtasks = self.prepared.experiment.job.topology().subtasks.len();
        let name = Name::resembling(self.prepared.experiment.job.name());
        Plan {
            salt: 0,
            scenario: name.clone(),
            seed,
            job: JobPlan {
                workload: name,
                records: None,
                parallelism: 1,
                splits: self.prepared.experiment.input.split_count(),
                deal: Deal::Even,
                assignment: SplitAssignment::Static,
            },
            cluster: self.cluster(case, subtasks),
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
            liveness_ms: LIVENESS_MS,
            lost: Vec::new(),
            rescales: Vec::new(),
            defects: DefectSet::NONE,
        }
    }

    fn cluster(&self, case: Case, subtasks: usize) -> ClusterSettings {
        const WORKERS: u16 = 2;
        let slots = subtasks.div_ceil(usize::from(WORKERS));
        ClusterSettings {
            workers: WORKERS,
            slots: u16::try_from(slots).unwrap_or(u16::MAX),
            heartbeat_ms: 1_000,
            heartbeat_timeout_ms: 10_000,
            session_timeout_ms: 20_000,
            restart_delay_ms: 100,
            request_retry_ms: 1_000,
            credits: case.credits,
            buffers: None,
            source_interval_us: 0,
            discovery: None,
            fetch_max: 64,
            sink_batch: 64,
            object_store: self.store,
            meta_store: StoreSettings { latency_us: 1_000, byte_ns: 0 },
            cost: Some(self.cost),
            checkpoints: CheckpointSettings {
                protocol: case.protocol,
                aligned_timeout_ms: ALIGNED_TIMEOUT_MS,
                interval_ms: case.interval_ms,
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
}

/// How long a run may take in virtual time, in milliseconds: a day.
pub const LIVENESS_MS: u64 = 86_400_000;

/// Every protocol that can run without a loop, to be varied.
#[must_use]
pub fn protocols() -> Vec<Protocol> {
    Protocol::iter().filter(|protocol| !protocol.traits().has_loops).collect()
}

impl OverheadReport {
    /// The cost of this protocol at this interval, if it was measured; of several credits the first.
    #[must_use]
    pub fn of(&self, protocol: Protocol, interval_ms: u64) -> Option<&Cost> {
        let is_it =
            |cost: &&Cost| cost.case.protocol == protocol && cost.case.interval_ms == interval_ms;
        self.costs.iter().find(is_it)
    }

    /// The rows as CSV, a configuration each.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut csv = crate::lab::csv::Csv::new(&[
            "protocol",
            "interval_ms",
            "credits",
            "virtual_ms",
            "records_per_second",
            "overhead_percent",
            "completed",
            "checkpoint_ms",
            "checkpoint_p50_ms",
            "checkpoint_p99_ms",
            "alignment_ms",
            "blocked_percent",
            "uploaded_bytes",
            "in_flight",
        ]);
        for cost in &self.costs {
            let Case { protocol, interval_ms, credits } = cost.case;
            let names = [protocol.to_string(), interval_ms.to_string(), credits.to_string()];
            let numbers = [
                cost.virtual_ms,
                cost.records_per_second,
                cost.overhead_percent,
                cost.completed,
                cost.checkpoint_ms,
                cost.checkpoint_p50_ms,
                cost.checkpoint_p99_ms,
                cost.alignment_ms,
                cost.blocked_percent,
                cost.uploaded_bytes,
                cost.in_flight,
            ];
            csv.row(names.into_iter().chain(numbers.map(|number| format!("{number:.3}"))));
        }
        csv.into_text()
    }
}

impl fmt::Display for OverheadReport {
    /// A line for each configuration.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for cost in &self.costs {
            let Case { protocol, interval_ms, credits } = cost.case;
            if interval_ms == 0 {
                writeln!(f, "none, {credits} credits: {:.0} ms", cost.virtual_ms)?;
                continue;
            }
            writeln!(
                f,
                "{protocol} every {interval_ms} ms, {credits} credits: {:+.1} %, {:.0} checkpoints, each {:.1} ms \
                 (p99 {:.1} ms), blocked {:.1} %, {:.0} bytes, {:.0} records in flight",
                cost.overhead_percent,
                cost.completed,
                cost.checkpoint_ms,
                cost.checkpoint_p99_ms,
                cost.blocked_percent,
                cost.uploaded_bytes,
                cost.in_flight
            )?;
        }
        Ok(())
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
