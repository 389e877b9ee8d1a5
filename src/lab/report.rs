//! What a run measured, with the names that Flink's spans have for it.

use serde::{Deserialize, Serialize};

/// What one run measured. Times are virtual.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Records that left the job, a second of the measured time.
    pub records_per_second: f64,
    /// From when records came to when they left: over all of the measured time.
    pub latency: Quantiles,
    /// Checkpoints that were triggered and completed in the measured time; where subtasks take theirs by themselves,
    /// each counts.
    pub completed: u64,
    /// Of those that subtasks take by themselves, how many a message forced.
    pub forced: u64,
    /// Those that were aborted.
    pub aborted: u64,
    /// Why, and how many, in the order of first occurrence.
    pub abort_reasons: Vec<(String, u64)>,
    /// From trigger to completion.
    pub duration: Quantiles,
    /// From one trigger to the next, the mean, in milliseconds; 0 with fewer than two.
    pub period_ms: f64,
    /// Mean over all snapshots of the parts of a checkpoint, in milliseconds.
    pub parts: Parts,
    /// Bytes of state that a completed checkpoint uploads: the mean.
    pub checkpointed_bytes: f64,
    /// Bytes in flight that it holds: the mean.
    pub in_flight_bytes: f64,
    /// Bytes uploaded outside of checkpoints, in all.
    pub background_bytes: u64,
    /// Bytes that the store holds for the newest checkpoint at the end.
    pub stored_bytes: f64,
    /// Cores in use: the mean.
    pub cores: f64,
    /// How much of the time a channel is blocked: the mean over all, in per cent.
    pub blocked_percent: f64,
    /// How long records had waited that sources would have read next at the end, in milliseconds; 0 in a closed loop.
    pub behind_ms: f64,
    /// A restart, if there was one.
    pub recovery: Option<Recovery>,
    /// Slices of time, the warm-up included.
    pub slices: Vec<Slice>,
    /// Checkpoints, one by one, up to a bound.
    pub checkpoints: Vec<CheckpointFact>,
    /// Snapshots, one by one, up to a bound.
    pub subtasks: Vec<SubtaskFact>,
    /// Channels, one by one.
    pub channels: Vec<ChannelFact>,
    /// How many records a batch stood for.
    pub quantum: u32,
    /// Batches processed, in all.
    pub batches: u64,
    /// What has to be said about this run.
    pub notes: Vec<String>,
}

/// Quantiles of a duration, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// Half are no longer.
    pub p50: f64,
    /// Nine of ten.
    pub p90: f64,
    /// 99 of 100.
    pub p99: f64,
    /// 999 of 1,000.
    pub p999: f64,
    /// All.
    pub max: f64,
}

/// The parts of a snapshot, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Parts {
    /// From the trigger to the first barrier (Flink: `CheckpointStartDelayMs`).
    pub start_delay: f64,
    /// From the first barrier to the cut (Flink: `AlignmentDurationMs`).
    pub alignment: f64,
    /// The synchronous part (Flink: `SyncCheckpointDurationMs`).
    pub sync: f64,
    /// From its end until all is durable (Flink: `AsyncCheckpointDurationMs`).
    pub asynchronous: f64,
}

impl Parts {
    /// All of them.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.start_delay + self.alignment + self.sync + self.asynchronous
    }
}

/// A slice of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Slice {
    /// Where it begins, in milliseconds from the beginning of the run.
    pub from_ms: f64,
    /// How long it is.
    pub length_ms: f64,
    /// Records that left the job in it, a second.
    pub records_per_second: f64,
    /// Of those, from when they came to when they left.
    pub latency: Quantiles,
}

/// A checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CheckpointFact {
    /// Its number (Flink: `checkpointId`).
    pub checkpoint: u64,
    /// When it was triggered, in milliseconds from the beginning of the run (Flink: `startTs`).
    pub start_ms: f64,
    /// When it completed or was aborted (Flink: `endTs`).
    pub end_ms: f64,
    /// `completed`, or why it was aborted (Flink: `checkpointStatus`).
    pub status: String,
    /// Bytes of state uploaded (Flink: `checkpointedSize`).
    pub checkpointed_bytes: u64,
    /// Bytes in flight (Flink: `PersistedDataBytes`).
    pub in_flight_bytes: u64,
    /// Bytes that subtasks processed between their first barrier and their last (Flink: `ProcessedDataBytes`).
    pub processed_bytes: u64,
}

/// A snapshot of one subtask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SubtaskFact {
    /// Of which checkpoint.
    pub checkpoint: u64,
    /// Of which operator, from 0.
    pub operator: u32,
    /// Of which subtask of it, from 0.
    pub subtask: u32,
    /// Its parts.
    pub parts: Parts,
    /// Bytes of state uploaded.
    pub checkpointed_bytes: u64,
    /// Bytes in flight.
    pub in_flight_bytes: u64,
    /// Bytes processed between the first barrier and the last.
    pub processed_bytes: u64,
}

/// A channel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChannelFact {
    /// The operator and subtask that send.
    pub from: (u32, u32),
    /// Those that receive.
    pub to: (u32, u32),
    /// For how long it was blocked in the measured time.
    pub blocked_ms: f64,
    /// Bytes emitted and not processed, at the end of each slice of time.
    pub queued_bytes: Vec<u64>,
}

/// A restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recovery {
    /// From the death of the worker until the coordinator knows, in milliseconds; none, here and below: not in the
    /// time of the run.
    pub detect_ms: Option<f64>,
    /// From there until it has subtasks deployed.
    pub deploy_ms: Option<f64>,
    /// From there until all have their state.
    pub restore_ms: Option<f64>,
    /// From there until all is read again that had been read.
    pub replay_ms: Option<f64>,
    /// From there until records are read when they come.
    pub catch_up_ms: Option<f64>,
    /// From the death of the worker to the end of the run.
    pub until_end_ms: f64,
    /// Records that are read twice, known once the state is back.
    pub lost_records: Option<u64>,
    /// Of checkpoints that nobody coordinated: the share that the recovery line left behind, in per cent.
    pub discarded_percent: f64,
    /// Of subtasks that take theirs by themselves: the share that began anew, in per cent.
    pub anew_percent: f64,
}

impl Recovery {
    /// From the death of the worker until all have their state, in milliseconds; none: not in the time of the run.
    #[must_use]
    pub fn down_ms(&self) -> Option<f64> {
        Some(self.detect_ms? + self.deploy_ms? + self.restore_ms?)
    }

    /// One after the other, by name: what the restart went through.
    #[must_use]
    pub fn parts(&self) -> [(&'static str, Option<f64>); 5] {
        [
            ("detect", self.detect_ms),
            ("deploy", self.deploy_ms),
            ("restore", self.restore_ms),
            ("replay", self.replay_ms),
            ("catchUp", self.catch_up_ms),
        ]
    }
}
