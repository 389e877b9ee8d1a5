//! What one run of the laboratory is made of.

use super::profile::{EngineProfile, StoreProfile};
use crate::protocol::CheckpointSettings;
use crate::protocol::independent::Scheme;

/// How operators are put together.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr, strum::Display,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Shape {
    /// A source, and one operator after another behind it.
    Chain,
    /// Two sources, an operator with both as inputs, and one operator after another behind it.
    Join,
    /// A source, and operators of which the last sends some records back to the first; from one to the next they
    /// stay on their worker (the query of reachability in CheckMate).
    Loop,
}

/// How fast records come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// As fast as they are taken: a closed loop.
    Closed,
    /// So many a second in all, whether they are taken or not: an open loop.
    PerSecond(u64),
    /// So many per cent of what a closed loop takes without checkpoints.
    Load(u64),
}

/// The job.
#[derive(Clone, Debug, PartialEq)]
pub struct JobSettings {
    /// How operators are put together.
    pub shape: Shape,
    /// Shuffles, each into the next operator; into the join both are one.
    pub exchanges: u16,
    /// Subtasks an operator.
    pub parallelism: u16,
    /// Bytes of a record on the wire.
    pub record_bytes: u32,
    /// How fast records come.
    pub rate: Rate,
    /// Keys in all; they are spread over all operators that are no source.
    pub keys: u64,
    /// Bytes of payload that a key has.
    pub payload_bytes: u64,
    /// Thousandths of the keys that records touch at all.
    pub dirty_permille: u64,
    /// Thousandths of the records of each exchange that go to its first subtask, whatever their key.
    pub skew_permille: u64,
    /// Thousandths of the records that reach the end of a loop and go round once more.
    pub back_permille: u64,
    /// What the last operator's records cost beside what the profile says, in nanoseconds: a slow sink.
    pub sink_ns: u64,
}

/// The machines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterSettings {
    /// Machines for subtasks; each has as many of each operator as fall to it in turn.
    pub workers: u16,
    /// Thousandths of a core that a worker has.
    pub cores_milli: u64,
    /// Between two machines, one way.
    pub network_us: u64,
}

/// How much may be in flight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BufferSettings {
    /// Bytes of a buffer (Flink: `taskmanager.memory.segment-size`).
    pub bytes: u32,
    /// Buffers of its own that a channel has at its receiver (Flink: `buffers-per-channel`).
    pub exclusive: u32,
    /// Buffers that the channels of a gate share (Flink: `floating-buffers-per-gate`).
    pub floating: u32,
    /// Buffers that wait at the sender, a channel.
    pub output: u32,
    /// With it, a gate takes no more than its subtask processes in this time (FLIP-183).
    pub debloat_ms: Option<u64>,
}

/// Checkpoints that subtasks take each for itself: what coordinated ones are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndependentSettings {
    /// How they come about.
    pub scheme: Scheme,
    /// From one to the next, in milliseconds, give or take a fifth; what is forced comes on top.
    pub interval_ms: u64,
}

/// One run.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// What draws the tails of stores, and when the measured time begins; 0 is the first run of a configuration.
    pub seed: u64,
    /// The job.
    pub job: JobSettings,
    /// The machines.
    pub cluster: ClusterSettings,
    /// How much may be in flight.
    pub buffers: BufferSettings,
    /// When checkpoints are taken, and how; an interval of 0 is none.
    pub checkpoints: CheckpointSettings,
    /// With them nobody coordinates, and the interval above is 0.
    pub independent: Option<IndependentSettings>,
    /// What the engine charges.
    pub engine: EngineProfile,
    /// What the store takes.
    pub store: StoreProfile,
    /// When a worker dies, after the warm-up; it is replaced.
    pub fail_at_ms: Option<u64>,
    /// Not measured.
    pub warm_up_ms: u64,
    /// Measured.
    pub measure_ms: u64,
    /// How many records a batch stands for; none: as many as take [`QUANTUM_NS`].
    pub quantum: Option<u32>,
}

/// What processing a batch takes, in nanoseconds of a core, where nobody says otherwise.
pub const QUANTUM_NS: f64 = 200_000.0;

/// The measured time of a repetition begins no later than this after the warm-up, however rare checkpoints are.
const PHASE_MS_MAX: u64 = 10_000;

/// Where checkpoints are more frequent than this, it may begin anywhere in this time.
const PHASE_MS_MIN: u64 = 1_000;

impl Settings {
    /// When the measured time begins, in nanoseconds: after the warm-up. A repetition, which is a seed above 0, begins
    /// at a point of its own between two checkpoints, or within ten seconds where there are none: what a window
    /// happens to hold of checkpoints and compactions is most of what repeated measurements differ by.
    #[must_use]
    pub fn measured_from_ns(&self) -> u64 {
        let warm_ns = self.warm_up_ms.saturating_mul(1_000_000);
        let period_ms = match self.interval_ms() {
            0 => PHASE_MS_MAX,
            interval_ms => interval_ms.clamp(PHASE_MS_MIN, PHASE_MS_MAX),
        };
        let phase_ns = match self.seed {
            0 => 0,
            seed => super::store::mixed(seed, 0) % (period_ms * 1_000_000),
        };
        warm_ns.saturating_add(phase_ns)
    }

    /// How many operators there are, sources included.
    #[must_use]
    pub fn operators(&self) -> usize {
        match self.job.shape {
            Shape::Chain | Shape::Loop => usize::from(self.job.exchanges) + 1,
            Shape::Join => usize::from(self.job.exchanges) + 2,
        }
    }

    /// How many of them are sources.
    #[must_use]
    pub fn sources(&self) -> usize {
        match self.job.shape {
            Shape::Chain | Shape::Loop => 1,
            Shape::Join => 2,
        }
    }

    /// How many subtasks there are, sources included.
    #[must_use]
    pub fn subtasks(&self) -> usize {
        self.operators() * usize::from(self.job.parallelism)
    }

    /// How many channels there are: a shuffle leads from every subtask to every other, a step within a loop to the one
    /// beside it.
    #[must_use]
    pub fn channels(&self) -> usize {
        let (exchanges, parallelism) =
            (usize::from(self.job.exchanges), usize::from(self.job.parallelism));
        let shuffle = parallelism * parallelism;
        match self.job.shape {
            Shape::Chain => exchanges * shuffle,
            Shape::Join => (exchanges + 1) * shuffle,
            Shape::Loop => 2 * shuffle + (exchanges - 1) * parallelism,
        }
    }

    /// Bytes of state in all.
    #[must_use]
    pub fn state_bytes(&self) -> f64 {
        self.job.keys as f64 * self.engine.entry_bytes(self.job.payload_bytes)
    }

    /// What a record costs in every operator of its way, in nanoseconds of a core, snapshots apart.
    #[must_use]
    pub fn record_ns(&self) -> f64 {
        let stages = (self.operators() - self.sources()) as f64;
        let each = stages * self.operator_ns() + self.job.sink_ns as f64;
        self.source_ns() + each * self.rounds()
    }

    /// How often a record passes each operator behind the source: the mean, which is 1 without a loop.
    #[must_use]
    pub fn rounds(&self) -> f64 {
        1e3 / (1_000 - self.job.back_permille.min(999)) as f64
    }

    /// From one checkpoint to the next, in milliseconds, whoever takes them; 0 where there are none.
    #[must_use]
    pub fn interval_ms(&self) -> u64 {
        self.independent.map_or(self.checkpoints.interval_ms, |independent| independent.interval_ms)
    }

    /// What a source pays for a record.
    #[must_use]
    pub fn source_ns(&self) -> f64 {
        let task = &self.engine.task;
        let bytes = f64::from(self.job.record_bytes);
        task.source_record_ns
            + if self.operators() > self.sources() { bytes * task.byte_ns } else { 0.0 }
    }

    /// What an operator with another behind it pays for a record.
    #[must_use]
    pub fn operator_ns(&self) -> f64 {
        let task = &self.engine.task;
        let bytes = f64::from(self.job.record_bytes);
        task.record_ns + bytes * task.byte_ns + self.access_ns()
    }

    /// What a record pays for its state, what depends on a memtable apart.
    #[must_use]
    pub fn access_ns(&self) -> f64 {
        super::backend::access_ns(&self.engine.state.access, self.state_bytes())
    }

    /// How many records a batch stands for.
    ///
    /// At least one, no more than a buffer holds, no more than come in a millisecond.
    #[must_use]
    pub fn batch_records(&self) -> u32 {
        if let Some(quantum) = self.quantum {
            return quantum.max(1);
        }
        let per_stage = self.source_ns().max(self.operator_ns() + self.job.sink_ns as f64);
        let mut records = QUANTUM_NS / per_stage.max(1.0);
        records = records.min(f64::from(self.buffers.bytes / self.job.record_bytes.max(1)));
        if let Rate::PerSecond(rate) = self.job.rate {
            let subtasks = f64::from(self.job.parallelism) * self.sources() as f64;
            records = records.min(rate as f64 / subtasks / 1_000.0);
        }
        records.clamp(1.0, 1e6) as u32
    }
}
