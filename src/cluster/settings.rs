//! What the processes are told about their surroundings.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::protocol::{CheckpointSettings, Defect, DefectSet, ProcessId, SplitId};

/// The settings of all processes of one cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterSettings {
    /// How many workers there are.
    pub workers: u16,
    /// How many subtasks one worker takes.
    pub slots: u16,
    /// From one heartbeat of a worker to the next.
    pub heartbeat_ms: u64,
    /// A worker not heard of for this long is dead to the coordinator.
    pub heartbeat_timeout_ms: u64,
    /// A worker that has not heard of the coordinator for this long gives its subtasks up.
    pub session_timeout_ms: u64,
    /// From the end of an attempt to the next deployment.
    pub restart_delay_ms: u64,
    /// A request not answered within this is sent again.
    pub request_retry_ms: u64,
    /// Items, or buffers where there are any, that may be under way in one channel, at least 1.
    pub credits: u32,
    /// How items are put together into buffers; absent: each travels alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffers: Option<BufferSettings>,
    /// From one source entry to the next; 0: as fast as the outputs take them.
    pub source_interval_us: u64,
    /// How splits come up and go away, where enumerators discover them; absent: all are there from the beginning,
    /// for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discovery: Option<DiscoverySettings>,
    /// Entries that one fetch from the source log brings at most.
    pub fetch_max: u32,
    /// Records that a sink collects before it writes them to the target.
    pub sink_batch: u32,
    /// How the object store performs.
    pub object_store: StoreSettings,
    /// How the meta store performs.
    pub meta_store: StoreSettings,
    /// What processing costs in virtual time; absent: nothing.
    pub cost: Option<CostModel>,
    /// When checkpoints are taken and what is kept.
    pub checkpoints: CheckpointSettings,
    /// Whether a job whose input has all ended takes its last checkpoints at once, and not when they are due.
    #[serde(default, skip_serializing_if = "is_off")]
    pub final_at_once: bool,
    /// Whether the trace tells of watermarks, timers and late records.
    #[serde(default, skip_serializing_if = "is_off")]
    pub observe_time: bool,
}

/// Whether a switch is off, and need not be written down.
fn is_off(switch: &bool) -> bool {
    !*switch
}

/// How splits come up and go away in the source log, and how often an enumerator looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiscoverySettings {
    /// From one listing of the splits to the next, at least 1 (Flink: `partition.discovery.interval.ms`).
    pub interval_ms: u64,
    /// By split: when it comes up, in milliseconds after the beginning. Those that are not listed are there
    /// from the beginning.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub appears_ms: Vec<u64>,
    /// How long a split stays that was committed to its end; until then all of its entries can be read.
    pub retained_ms: u64,
}

impl DiscoverySettings {
    /// How often an enumerator looks where nothing is said.
    pub const INTERVAL_MS: u64 = 50;

    /// When this split comes up.
    #[must_use]
    pub fn appears(&self, split: SplitId) -> Duration {
        Duration::from_millis(self.appears_ms.get(split.index()).copied().unwrap_or(0))
    }
}

/// How items are put together into buffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BufferSettings {
    /// How many bytes a buffer holds, at least 1. An item that has more spans several.
    pub bytes: u32,
    /// How long an item waits for its buffer to be full, at least 1 (Flink:
    /// `execution.buffer-timeout.interval`).
    pub timeout_ms: u64,
}

/// Three workers with room for any small job, on a fast network, with checkpoints as they are
/// [by default](CheckpointSettings::default).
impl Default for ClusterSettings {
    fn default() -> Self {
        Self {
            workers: 3,
            slots: 64,
            heartbeat_ms: 50,
            heartbeat_timeout_ms: 200,
            session_timeout_ms: 400,
            restart_delay_ms: 20,
            request_retry_ms: 100,
            credits: 16,
            buffers: None,
            source_interval_us: 500,
            discovery: None,
            fetch_max: 64,
            sink_batch: 8,
            object_store: StoreSettings { latency_us: 1_000, byte_ns: 10 },
            meta_store: StoreSettings { latency_us: 500, byte_ns: 0 },
            cost: None,
            checkpoints: CheckpointSettings::default(),
            final_at_once: false,
            observe_time: false,
        }
    }
}

impl ClusterSettings {
    /// All processes, in the order in which they are started.
    pub fn processes(&self) -> impl Iterator<Item = ProcessId> + use<> {
        let services = [
            ProcessId::ObjectStore,
            ProcessId::MetaStore,
            ProcessId::SourceLog,
            ProcessId::SinkTarget,
            ProcessId::Coordinator,
        ];
        services.into_iter().chain((0..self.workers).map(ProcessId::Worker))
    }

    /// When a request that is not answered is sent again.
    #[must_use]
    pub fn request_retry(&self, defects: DefectSet) -> Duration {
        if defects.has(Defect::RetriesAtOnce) {
            return Duration::ZERO;
        }
        Duration::from_millis(self.request_retry_ms)
    }
}

/// How a store performs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreSettings {
    /// What every request takes.
    pub latency_us: u64,
    /// What it takes more for each byte, in nanoseconds.
    pub byte_ns: u64,
}

impl StoreSettings {
    /// How long a request with `bytes` bytes of content takes.
    #[must_use]
    pub fn duration(&self, bytes: usize) -> Duration {
        Duration::from_micros(self.latency_us)
            + Duration::from_nanos(self.byte_ns.saturating_mul(bytes as u64))
    }
}

/// What a subtask's work costs in virtual time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostModel {
    /// To process one record or watermark.
    pub record_ns: u64,
    /// For each byte of it.
    pub byte_ns: u64,
    /// To freeze one byte of state: the synchronous part of a snapshot.
    pub freeze_byte_ns: u64,
}

impl CostModel {
    /// What processing an item of `bytes` bytes takes.
    #[must_use]
    pub fn item(&self, bytes: usize) -> Duration {
        let bytes = self.byte_ns.saturating_mul(bytes as u64);
        Duration::from_nanos(self.record_ns.saturating_add(bytes))
    }

    /// What freezing `bytes` bytes of state takes.
    #[must_use]
    pub fn freeze(&self, bytes: usize) -> Duration {
        Duration::from_nanos(self.freeze_byte_ns.saturating_mul(bytes as u64))
    }
}
