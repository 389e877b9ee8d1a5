//! Scenario files: what a family of plans has in common, and what each seed may draw.

use serde::Deserialize;

use super::expectation::Expectation;
use super::fault_class::FaultClass;
use super::links::Latency;
use super::name::Name;
use super::random::{Span, root, salt};
use super::swarm::SwarmScenario;
use crate::cluster::{CostModel, StoreSettings};
use crate::dataflow::{Deal, SplitAssignment};
use crate::protocol::Protocol;
use crate::protocol::ordered::VecMap;

pub use super::built_in::{all, built_in, headings, named, names};
pub use super::heading::Heading;

/// The version of the scenario format that is read here.
pub const SCENARIO_VERSION: u32 = 1;

/// A scenario: ranges from which a seed draws a plan.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The format's version.
    pub version: u32,
    /// Unique among scenarios.
    pub name: Name,
    /// One sentence for people.
    pub about: String,
    /// Whether a sweep that names no scenario runs it.
    #[serde(default = "yes")]
    pub in_sweep: bool,
    /// What it is for: what a sweep of enough seeds must reach.
    #[serde(default)]
    pub sometimes: Vec<Expectation>,
    /// The job.
    pub job: JobScenario,
    /// The processes.
    #[serde(default)]
    pub cluster: ClusterScenario,
    /// Checkpoints.
    #[serde(default)]
    pub checkpoints: CheckpointScenario,
    /// The links.
    #[serde(default)]
    pub links: LinkScenario,
    /// At which other parallelisms the job goes on; absent: at none.
    #[serde(default)]
    pub rescale: Option<RescaleScenario>,
    /// How many faults of each class.
    #[serde(default)]
    pub faults: VecMap<FaultClass, Span>,
    /// What is asked of the coordinator, and how often.
    #[serde(default)]
    pub requests: RequestScenario,
    /// When and how they strike.
    #[serde(default)]
    pub nemesis: NemesisScenario,
    /// What a swarm may vary.
    #[serde(default)]
    pub swarm: SwarmScenario,
    /// Within how long after the last fault the job must finish. Where it is [`LIVENESS_DEFAULT_MS`], a plan whose
    /// slowest channel needs longer has longer.
    #[serde(default = "default_liveness_ms")]
    pub liveness_ms: u64,
}

impl Scenario {
    /// What the streams of its plan of this seed come from.
    #[must_use]
    pub fn root(&self, seed: u64) -> u64 {
        root(salt(&self.name), seed)
    }
}

pub(super) fn yes() -> bool {
    true
}

/// What a scenario has that states no bound on liveness, in milliseconds.
pub const LIVENESS_DEFAULT_MS: u64 = 60_000;

fn default_liveness_ms() -> u64 {
    LIVENESS_DEFAULT_MS
}

/// The job of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobScenario {
    /// The workload's name.
    pub workload: Name,
    /// How many records; absent: all of the input.
    pub records: Option<Span>,
    /// Subtasks of each operator that may have several.
    #[serde(default = "one")]
    pub parallelism: Span,
    /// Splits of each source; never fewer than its subtasks.
    #[serde(default = "one")]
    pub splits: Span,
    /// How entries may be dealt out to them; of those that fit so many splits, a seed draws one.
    #[serde(default = "even")]
    pub deal: Vec<Deal>,
    /// Who decides which subtask of a source reads which split.
    #[serde(default)]
    pub assignment: SplitAssignment,
}

fn even() -> Vec<Deal> {
    vec![Deal::Even]
}

fn one() -> Span {
    Span::new(1, 1)
}

/// The processes of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClusterScenario {
    /// How many workers.
    pub workers: Span,
    /// Of which this many may be lost for good; the others have slots for all.
    pub losable: Span,
    /// From one heartbeat to the next.
    pub heartbeat_ms: Span,
    /// When silence means death.
    pub heartbeat_timeout_ms: Span,
    /// From the end of an attempt to the next.
    pub restart_delay_ms: Span,
    /// When a request is repeated.
    pub request_retry_ms: Span,
    /// Items under way in a channel.
    pub credits: Span,
    /// How items are put together into buffers; absent: each travels alone.
    pub buffers: Option<BufferScenario>,
    /// How splits come up and go away; absent: all are there for good.
    pub discovery: Option<DiscoveryScenario>,
    /// From one source entry to the next.
    pub source_interval_us: Span,
    /// Records that a sink collects.
    pub sink_batch: Span,
    /// How long mail waits.
    pub mailbox_us: Span,
    /// What a request to the object store takes.
    pub object_store_us: Span,
    /// What it takes more for each byte.
    pub object_store_byte_ns: u64,
    /// What a request to the meta store takes.
    pub meta_store_us: Span,
    /// What processing costs.
    pub cost: Option<CostModel>,
    /// Whether a job whose input has all ended takes its last checkpoints at once.
    pub final_at_once: bool,
    /// Whether the trace tells of watermarks, timers and late records.
    pub observe_time: bool,
}

impl Default for ClusterScenario {
    fn default() -> Self {
        Self {
            workers: Span::new(2, 4),
            losable: Span::new(0, 0),
            heartbeat_ms: Span::new(50, 50),
            heartbeat_timeout_ms: Span::new(200, 200),
            restart_delay_ms: Span::new(20, 20),
            request_retry_ms: Span::new(100, 100),
            credits: Span::new(4, 64),
            buffers: None,
            discovery: None,
            source_interval_us: Span::new(500, 1_000),
            sink_batch: Span::new(1, 16),
            mailbox_us: Span::new(0, 2_000),
            object_store_us: Span::new(1_000, 5_000),
            object_store_byte_ns: 10,
            meta_store_us: Span::new(500, 2_000),
            cost: None,
            final_at_once: false,
            observe_time: false,
        }
    }
}

/// How splits come up and go away in a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiscoveryScenario {
    /// From one look of an enumerator to the next.
    pub interval_ms: Span,
    /// When splits come up, of which one in two is there from the beginning.
    pub appears_ms: Span,
    /// How long one stays that was read to its end.
    pub retained_ms: Span,
}

/// The buffers of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BufferScenario {
    /// How many bytes a buffer holds.
    pub bytes: Span,
    /// How long an item waits for its buffer to be full.
    pub timeout_ms: Span,
}

impl ClusterScenario {
    /// A store that takes this long.
    #[must_use]
    pub fn store(latency_us: u64, byte_ns: u64) -> StoreSettings {
        StoreSettings { latency_us, byte_ns }
    }
}

/// The checkpoints of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CheckpointScenario {
    /// How cuts are made.
    pub protocol: Protocol,
    /// In the hybrid protocol, how long a barrier stays in its place.
    pub aligned_timeout_ms: Span,
    /// From one trigger to the next.
    pub interval_ms: Span,
    /// From the end of one to the next trigger.
    pub pause_min_ms: Span,
    /// When one expires.
    pub timeout_ms: Span,
    /// How many at once.
    pub concurrent_max: Span,
    /// How many may fail in a row.
    pub failures_tolerated: Span,
    /// How many are kept.
    pub retained: Span,
}

impl Default for CheckpointScenario {
    fn default() -> Self {
        Self {
            protocol: Protocol::default(),
            aligned_timeout_ms: Span::new(0, 40),
            interval_ms: Span::new(50, 100),
            pause_min_ms: Span::new(0, 10),
            timeout_ms: Span::new(500, 1_000),
            concurrent_max: Span::new(1, 1),
            failures_tolerated: Span::new(100, 100),
            retained: Span::new(1, 3),
        }
    }
}

/// The rescales of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RescaleScenario {
    /// How many.
    pub count: Span,
    /// To which parallelism.
    pub parallelism: Span,
    /// When they are asked for.
    pub within_ms: Span,
    /// How many in a hundred wait for a checkpoint.
    #[serde(default)]
    pub checkpoint_first_percent: u8,
}

/// The links of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinkScenario {
    /// Of channels.
    pub channels: Latency,
    /// Of control messages.
    pub control: Latency,
    /// What a channel takes more for each byte.
    pub byte_ns: Span,
    /// How many channels are slower than the others.
    pub slow: Span,
    /// How long those take.
    pub slow_us: Span,
    /// How many control links have delays of their own.
    pub slow_control: Span,
    /// Which ones they may have; a seed draws one of them for each link.
    pub slow_control_latency: Vec<Latency>,
}

impl Default for LinkScenario {
    fn default() -> Self {
        Self {
            channels: Latency::Uniform(Span::new(1_000, 10_000)),
            control: Latency::Uniform(Span::new(500, 5_000)),
            byte_ns: Span::new(0, 0),
            slow: Span::new(0, 1),
            slow_us: Span::new(10_000, 40_000),
            slow_control: Span::new(0, 0),
            slow_control_latency: vec![
                Latency::Uniform(Span::new(5_000, 40_000)),
                Latency::HeavyTail(Span::new(500, 100_000)),
            ],
        }
    }
}

/// What is asked of the coordinator in a scenario: at times within the nemesis' window, or at protocol points.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RequestScenario {
    /// Savepoints that the job survives.
    pub savepoints: Span,
    /// Savepoints that the job stops at, and is resumed from.
    pub stops: Span,
    /// How many subtasks each operator has then that may have several; as before where nothing is said.
    pub resume_parallelism: Option<Span>,
    /// As which version of the job it is resumed, from 0; as the one that was stopped where nothing is said.
    pub resume_version: Option<Span>,
    /// Savepoints that the job is drained for. With one of them nothing is resumed.
    pub drains: Span,
}

impl Default for RequestScenario {
    fn default() -> Self {
        let none = Span::new(0, 0);
        Self {
            savepoints: none,
            stops: none,
            resume_parallelism: None,
            resume_version: None,
            drains: none,
        }
    }
}

/// What the faults of a scenario are drawn from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Breadth {
    /// What is known to matter: the processes, connections and messages that decide a checkpoint or a recovery.
    #[default]
    Usual,
    /// Whatever a plan can say: any process, any two of them, any kind of message, any point.
    Any,
}

/// When and how the faults of a scenario strike.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NemesisScenario {
    /// What faults are drawn from.
    pub breadth: Breadth,
    /// The time in which they strike; after its end they are healed.
    pub window_ms: Span,
    /// How many in a hundred faults are aimed at a protocol point instead of a time.
    pub aimed_percent: u8,
    /// How long a crashed process stays down.
    pub down_ms: Span,
    /// How long a pause lasts.
    pub pause_ms: Span,
    /// How long a zombie goes on.
    pub zombie_ms: Span,
    /// How long a disconnect lasts; an isolation, a hold and a half-open connection as well.
    pub disconnect_ms: Span,
    /// How many elements a lossy reconnect loses.
    pub elements: Span,
    /// How long a delayed message is held back, or its duplicate.
    pub delay_ms: Span,
    /// How many messages of a kind in a row are hit.
    pub messages: Span,
    /// How long a store misbehaves.
    pub store_ms: Span,
    /// How much slower a slow store gets.
    pub store_extra_ms: Span,
    /// How long the sink target misbehaves.
    pub sink_ms: Span,
    /// How late a delayed commit takes effect.
    pub sink_extra_ms: Span,
    /// How far a clock jumps, or is off from the beginning.
    pub clock_step_ms: Span,
    /// How much a clock gains or loses, in microseconds a second; at most 900,000.
    pub clock_drift_ppm: Span,
    /// How long a split has nothing new.
    pub idle_ms: Span,
}

impl Default for NemesisScenario {
    fn default() -> Self {
        Self {
            breadth: Breadth::Usual,
            window_ms: Span::new(50, 1_500),
            aimed_percent: 50,
            down_ms: Span::new(1, 400),
            pause_ms: Span::new(1, 500),
            zombie_ms: Span::new(1, 500),
            disconnect_ms: Span::new(1, 500),
            elements: Span::new(1, 3),
            delay_ms: Span::new(1, 300),
            messages: Span::new(1, 3),
            store_ms: Span::new(10, 500),
            store_extra_ms: Span::new(10, 300),
            sink_ms: Span::new(10, 500),
            sink_extra_ms: Span::new(10, 300),
            clock_step_ms: Span::new(1, 500),
            clock_drift_ppm: Span::new(100, 200_000),
            idle_ms: Span::new(10, 600),
        }
    }
}
