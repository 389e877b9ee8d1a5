//! What an engine and a store charge: profiles, as files.
//!
//! Every parameter has its unit in its name. A parameter that a profile does not give has the default that is
//! said here, with its source; where there is none, it is free of charge.

mod built_in;
mod ranges;

pub use built_in::{engine, engine_names, store, store_names};

use serde::{Deserialize, Serialize};

use super::error::LabError;

/// The version of profile files.
pub const PROFILE_VERSION: u32 = 1;

/// What an engine charges: for records, barriers, snapshots, its coordinator and its state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EngineProfile {
    /// [`PROFILE_VERSION`].
    pub version: u32,
    /// What it is called in tables.
    pub name: String,
    /// Where the figures come from.
    pub source: String,
    /// What subtasks pay.
    #[serde(default)]
    pub task: TaskCost,
    /// What the coordinator pays.
    #[serde(default)]
    pub coordinator: CoordinatorCost,
    /// What state costs.
    pub state: StateCost,
    /// The disk of a worker, where state backends keep their files.
    #[serde(default)]
    pub disk: DiskCost,
    /// What a restart takes.
    #[serde(default)]
    pub recovery: RecoveryCost,
    /// What subtasks pay that take checkpoints by themselves.
    #[serde(default, skip_serializing_if = "is_default")]
    pub independent: IndependentCost,
    /// What the figures were fitted to; a prediction outside says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibrated: Option<Calibrated>,
}

/// What a subtask's thread pays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct TaskCost {
    /// A source makes or reads a record, with all that is chained to it.
    pub source_record_ns: f64,
    /// Any other subtask processes a record, its state apart.
    pub record_ns: f64,
    /// A byte is serialised, and the same again where it is read.
    pub byte_ns: f64,
    /// A barrier is taken from a channel, or put into one.
    pub barrier_us: f64,
    /// The synchronous part of a snapshot, whatever the state: the thread does nothing else meanwhile.
    pub freeze_us: f64,
    /// The asynchronous part of a snapshot, whatever the state: beside the thread, on the same cores.
    pub persist_us: f64,
    /// A subtask hears that a checkpoint completed.
    pub notify_us: f64,
}

/// What the coordinator's thread pays, one thing after another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct CoordinatorCost {
    /// A checkpoint is begun: id, place to store it.
    pub trigger_us: f64,
    /// A message to a subtask is sent.
    pub message_us: f64,
    /// An acknowledgement is counted.
    pub acknowledge_us: f64,
    /// A checkpoint is completed: metadata, store.
    pub complete_us: f64,
    /// The older one is deleted, beside the thread, on the same cores (Flink: `CheckpointsCleaner`).
    pub cleanup_us: f64,
    /// A message is on its way, beside the cores.
    pub latency_us: f64,
    /// Whether it has a machine of its own; else it shares that of the first worker.
    pub apart: bool,
}

/// Which kind of state backend.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::Display,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum BackendKind {
    /// Objects in memory; every snapshot is a full copy (Flink: `HashMapStateBackend`).
    Heap,
    /// A log-structured merge tree of which only new files are uploaded (Flink:
    /// `EmbeddedRocksDBStateBackend`, incremental).
    Incremental,
    /// Changes are written to a log all the time, the state itself now and then (FLIP-158).
    Changelog,
}

/// What state costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StateCost {
    /// Which kind.
    pub backend: BackendKind,
    /// What a record pays for its state, by how many bytes of state there are in all; between two points it
    /// grows with the logarithm, as caches of ever larger levels miss.
    #[serde(default)]
    pub access: Vec<AccessPoint>,
    /// Bytes that an entry takes beside its payload.
    #[serde(default)]
    pub entry_overhead_bytes: f64,
    /// Bytes that each byte of payload takes.
    #[serde(default = "one")]
    pub entry_factor: f64,
    /// A byte is copied and serialised for a snapshot, beside the subtask's thread, on the same cores; including
    /// what the operating system pays to write it.
    #[serde(default)]
    pub copy_byte_ns: f64,
    /// An entry that is changed for the first time while a snapshot of it is written must be copied
    /// (Flink: `CopyOnWriteStateMap`).
    #[serde(default)]
    pub copy_on_write_ns: f64,
    /// What a log-structured backend charges; others charge none of it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub log_structured: LogStructuredCost,
    /// What a changelog charges; others charge none of it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub changelog: ChangelogCost,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn one() -> f64 {
    1.0
}

/// So much state, so much an access.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AccessPoint {
    /// Bytes of state in all.
    pub state_bytes: u64,
    /// What a record pays.
    pub ns: f64,
}

/// A log-structured merge tree. The defaults of sizes and numbers are those of RocksDB 8 and of Flink's options.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct LogStructuredCost {
    /// Bytes that a memtable holds before it is flushed (RocksDB: `write_buffer_size`).
    pub memtable_bytes: u64,
    /// An access to the memtable goes down a skip list: each doubling of its entries costs so much.
    pub memtable_level_ns: f64,
    /// The first access to a key since the memtable was flushed goes to files instead: to each flushed one that is
    /// not merged, and to those below.
    pub miss_ns: f64,
    /// A byte of the memtable is flushed; the thread waits for it where a barrier asks for the flush
    /// (RocksDB: `Checkpoint::CreateCheckpoint`).
    pub flush_byte_ns: f64,
    /// Where a barrier asks for the flush, the thread waits for the disk as well, and for so many syncs one after
    /// another: table, manifest, directory, and the same of the links that are the snapshot.
    pub flush_syncs: u32,
    /// A byte is read, merged and written again by compaction.
    pub compact_byte_ns: f64,
    /// So many flushed files are merged with the level below (RocksDB: `level0_file_num_compaction_trigger`).
    pub compact_files: u32,
    /// With so many flushed files, writes wait for compaction (RocksDB: `level0_stop_writes_trigger`).
    pub stall_files: u32,
    /// Requests that a snapshot makes of the store: new tables, manifest, options, current.
    pub files: u32,
}

impl Default for LogStructuredCost {
    fn default() -> Self {
        Self {
            memtable_bytes: 64 << 20,
            memtable_level_ns: 0.0,
            miss_ns: 0.0,
            flush_byte_ns: 0.0,
            flush_syncs: 5,
            compact_byte_ns: 0.0,
            compact_files: 4,
            stall_files: 36,
            files: 4,
        }
    }
}

/// A changelog. The defaults are those of Flink's options.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ChangelogCost {
    /// A byte of a change is serialised into the log, by the subtask's thread.
    pub log_byte_ns: f64,
    /// With so many bytes not uploaded, an upload begins whether or not a checkpoint asks for it
    /// (Flink: `dstl.dfs.preemptive-persist-threshold`).
    pub upload_bytes: u64,
    /// From one materialisation of the whole state to the next (Flink:
    /// `execution.checkpointing.periodic-materialization.interval`).
    pub materialise_ms: u64,
}

impl Default for ChangelogCost {
    fn default() -> Self {
        Self { log_byte_ns: 0.0, upload_bytes: 5 << 20, materialise_ms: 600_000 }
    }
}

/// The disk of a worker: shared, like its cores, by all that write to it at the same time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct DiskCost {
    /// A byte is written. What is read was written not long ago, and comes from memory.
    pub byte_ns: f64,
    /// One stream writes a byte no faster than this, however little the disk has to do.
    pub stream_byte_ns: f64,
    /// What was written is made durable (`fsync`), as often as a backend does so.
    pub sync_ms: f64,
}

/// What a restart takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct RecoveryCost {
    /// From the death of a worker to the moment at which the coordinator knows.
    pub detect_ms: u64,
    /// From there until subtasks are deployed and may read their state.
    pub deploy_ms: u64,
    /// A byte of state is put in place, beside what the store takes to read it.
    pub restore_byte_ns: f64,
}

/// What checkpoints cost that nobody coordinates, beside the snapshots themselves.
///
/// The defaults are those of a log that is written as a channel is: a record takes what a method call and a
/// length take, a byte what serialising it takes, and one read again what the disk of a worker takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct IndependentCost {
    /// The receiver of a record logs it, on its thread.
    pub log_record_ns: f64,
    /// The same for a byte of it.
    pub log_byte_ns: f64,
    /// A byte of the log is read again after a failure, beside what the store takes.
    pub replay_byte_ns: f64,
    /// What a record carries for induced checkpoints is merged with what its receiver knows.
    pub carried_record_ns: f64,
    /// So many bytes are sent for each byte that is carried at the least, eight a number and a bit a flag.
    pub carried_factor: f64,
}

impl Default for IndependentCost {
    fn default() -> Self {
        Self {
            log_record_ns: 20.0,
            log_byte_ns: 1.0,
            replay_byte_ns: 10.0,
            carried_record_ns: 20.0,
            carried_factor: 1.0,
        }
    }
}

/// What a profile was fitted to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Calibrated {
    /// The machine: thousandths of a core that engine and coordinator got together.
    pub cores_milli: u64,
    /// The job: subtasks an operator.
    pub parallelism: u16,
    /// The job: shuffles.
    pub exchanges: u16,
    /// The job: bytes of a record on the wire.
    pub record_bytes: u32,
    /// The least bytes of state among the rows that were fitted.
    pub state_bytes_min: u64,
    /// The most.
    pub state_bytes_max: u64,
    /// The shortest interval among them, in milliseconds.
    pub interval_ms_min: u64,
    /// The longest.
    pub interval_ms_max: u64,
}

/// What a store takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StoreProfile {
    /// [`PROFILE_VERSION`].
    pub version: u32,
    /// What it is called in tables.
    pub name: String,
    /// Where the figures come from.
    pub source: String,
    /// From a request to its answer, whatever its size.
    pub latency_ms: f64,
    /// Whether it is the disk of the worker, whose bandwidth uploads then share with what else is written to it.
    #[serde(default)]
    pub local: bool,
    /// A byte in one connection.
    pub byte_ns: f64,
    /// Connections that a subtask uploads through at once.
    pub parallelism: u32,
    /// So many requests in a million take `tail-ms` instead of `latency-ms`.
    #[serde(default)]
    pub tail_per_million: u32,
    /// What those take.
    #[serde(default)]
    pub tail_ms: f64,
    /// What a request costs the worker's cores.
    #[serde(default)]
    pub request_us: f64,
}

impl EngineProfile {
    /// Reads a profile from the text of a file.
    ///
    /// # Errors
    ///
    /// When it is no profile, or a figure is outside its range: the message names the line or the field.
    pub fn parse(path: &str, text: &str) -> Result<Self, LabError> {
        let profile: Self =
            toml::from_str(text).map_err(|error| LabError::toml(path, text, &error))?;
        ranges::of_engine(&profile).map_err(|problem| problem.inside(path, text))?;
        Ok(profile)
    }

    /// The text of a file of it.
    ///
    /// # Panics
    ///
    /// Never: a profile is plain data.
    #[must_use]
    pub fn text(&self) -> String {
        toml::to_string(self).expect("plain data can be written")
    }

    /// The bytes that an entry with such a payload takes.
    #[must_use]
    pub fn entry_bytes(&self, payload: u64) -> f64 {
        self.state.entry_overhead_bytes + self.state.entry_factor * payload as f64
    }

    /// With four digits a figure: a fit knows no more.
    #[must_use]
    pub fn rounded(mut self) -> Self {
        let (task, coordinator) = (&mut self.task, &mut self.coordinator);
        let (state, disk) = (&mut self.state, &mut self.disk);
        let log = &mut state.log_structured;
        let figures = [
            &mut task.freeze_us,
            &mut task.persist_us,
            &mut task.notify_us,
            &mut coordinator.trigger_us,
            &mut coordinator.message_us,
            &mut coordinator.acknowledge_us,
            &mut coordinator.complete_us,
            &mut coordinator.cleanup_us,
            &mut coordinator.latency_us,
            &mut state.entry_overhead_bytes,
            &mut state.entry_factor,
            &mut state.copy_byte_ns,
            &mut log.miss_ns,
            &mut log.flush_byte_ns,
            &mut log.compact_byte_ns,
            &mut disk.stream_byte_ns,
        ];
        let access = state.access.iter_mut().map(|point| &mut point.ns);
        for figure in figures.into_iter().chain(access) {
            *figure = format!("{figure:.3e}").parse().unwrap_or(*figure);
        }
        self
    }
}

impl StoreProfile {
    /// Reads a profile from the text of a file.
    ///
    /// # Errors
    ///
    /// When it is no profile, or a figure is outside its range: the message names the line or the field.
    pub fn parse(path: &str, text: &str) -> Result<Self, LabError> {
        let profile: Self =
            toml::from_str(text).map_err(|error| LabError::toml(path, text, &error))?;
        ranges::of_store(&profile).map_err(|problem| problem.inside(path, text))?;
        Ok(profile)
    }
}
