//! What the larger events hold.

use serde::{Deserialize, Serialize};

use super::ownership::Ownership;
use cutwater_protocol::{
    Attempt, ChannelId, CheckpointId, Digest, KeyGroup, LineageId, OperatorId, Protocol, SplitId,
    SubtaskId, Topology, TransactionId, VirtualTime,
};

/// The first event of a trace: what ran.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunStarted {
    /// The job's shape.
    pub topology: Topology,
    /// How many entries each split of the source log holds; [`UNBOUNDED`](Self::UNBOUNDED) for the consumers of a
    /// queue.
    pub split_lengths: Vec<u64>,
    /// How many completed checkpoints are kept.
    pub retained: u32,
    /// After the last fault the job must finish within this.
    pub liveness_bound_ms: u64,
    /// How many checkpoints may be pending at once.
    pub concurrent_max: u32,
    /// How the cuts are made.
    #[serde(default, skip_serializing_if = "Protocol::is_aligned")]
    pub protocol: Protocol,
}

impl RunStarted {
    /// The length of a split of which nobody can say how long it will be: a consumer of a queue gets what others have
    /// not got, some of it more than once.
    pub const UNBOUNDED: u64 = u64::MAX;
}

/// What one subtask knew when it froze its state.
///
/// The cut oracles work from this alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotTaken {
    /// Whose state it is.
    pub subtask: SubtaskId,
    /// In which attempt.
    pub attempt: Attempt,
    /// For which checkpoint.
    pub checkpoint: CheckpointId,
    /// Per input channel, what had been processed.
    pub received: Vec<ChannelCut>,
    /// Per output channel, what had been emitted (records waiting for credit included).
    pub sent: Vec<ChannelCut>,
    /// Where reading goes on.
    pub positions: Vec<SplitPosition>,
    /// The digest of the encoded snapshot.
    pub state: Digest,
    /// The conserved quantity in this state, where the job declares one.
    pub tokens: Option<i64>,
    /// Pre-committed and not known to be committed, each with the checkpoint that commits it.
    pub transactions: Vec<(CheckpointId, TransactionId)>,
    /// Whether all input has ended.
    pub ended: bool,
    /// What of the state it owns, where the job may be rescaled.
    #[serde(default, skip_serializing_if = "Ownership::is_empty")]
    pub ownership: Ownership,
}

/// What an external system holds of one operator, under one name, when the run is over; no reader sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputHeld {
    /// Whose records it holds.
    pub operator: OperatorId,
    /// What its clients call it: a transaction, a branch, an upload, a file.
    pub name: String,
    /// Since when, by the clock of the system.
    pub since: VirtualTime,
    /// Who is to see to it that it goes.
    pub upkeep: Upkeep,
    /// The records.
    pub records: Vec<OutputRecord>,
}

/// Who is to see to it that what is left in an external system goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Upkeep {
    /// Whoever writes next: it holds locks, costs money, or keeps readers waiting.
    Client,
    /// Whoever maintains the system, in his own time: it is in nobody's way.
    Maintenance,
}

/// What one subtask starts from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restored {
    /// Which subtask.
    pub subtask: SubtaskId,
    /// In which attempt.
    pub attempt: Attempt,
    /// The checkpoint it was restored from; none where there was none.
    pub checkpoint: Option<CheckpointId>,
    /// The digest of the snapshot as it was read; equal to [`SnapshotTaken::state`] of its origin,
    /// and the default digest where there was none, or there were several.
    pub state: Digest,
    /// Where it goes on reading.
    pub positions: Vec<SplitPosition>,
    /// What of the state it owns, where the job may be rescaled.
    #[serde(default, skip_serializing_if = "Ownership::is_empty")]
    pub ownership: Ownership,
}

/// What one subtask's channels held at its cut, known when the barrier has come on all of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelStateCaptured {
    /// Whose channels.
    pub subtask: SubtaskId,
    /// In which attempt.
    pub attempt: Attempt,
    /// For which checkpoint.
    pub checkpoint: CheckpointId,
    /// Per input channel that is not empty, what was sent before the cut and not processed before it.
    pub inputs: Vec<InFlight>,
    /// Per output channel that is not empty, what was emitted before the cut and overtaken before it
    /// was sent.
    pub outputs: Vec<InFlight>,
    /// The digest of the whole snapshot, channel state included; takes the place of
    /// [`SnapshotTaken::state`].
    pub state: Digest,
}

/// What one subtask found in the channel state of the checkpoint that it starts from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelStateRestored {
    /// Whose channels.
    pub subtask: SubtaskId,
    /// In which attempt.
    pub attempt: Attempt,
    /// The checkpoint.
    pub checkpoint: CheckpointId,
    /// Per input channel, what is processed before anything that arrives.
    pub inputs: Vec<InFlight>,
    /// Per output channel, what is sent before anything that is emitted.
    pub outputs: Vec<InFlight>,
}

/// What one subtask took of what was in flight when the job had another shape.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelStateDealt {
    /// Which subtask.
    pub subtask: SubtaskId,
    /// In which attempt.
    pub attempt: Attempt,
    /// The checkpoint.
    pub checkpoint: CheckpointId,
    /// Per old channel of which it takes something.
    pub dealt: Vec<Dealt>,
}

/// What a subtask took of one old channel.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dealt {
    /// The channel, of the shape in which the checkpoint was taken.
    pub from: ChannelId,
    /// The channel of this attempt that it goes into.
    pub into: ChannelId,
    /// The records, in order.
    pub records: Vec<LineageId>,
    /// By record, the key group that it belongs to; empty where no key decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key_groups: Vec<KeyGroup>,
}

/// Records on their way in one channel, in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InFlight {
    /// The channel.
    pub channel: ChannelId,
    /// How many of the first records a restore had put back: no count of this attempt has them.
    pub restored: u64,
    /// All of them.
    pub records: Vec<LineageId>,
}

/// How far one end of a channel has come within an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelCut {
    /// The channel.
    pub channel: ChannelId,
    /// How many records.
    pub records: u64,
    /// Their lineage, [pushed](Digest::push) in order onto a default digest.
    pub digest: Digest,
}

/// A source's position in one split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitPosition {
    /// The split.
    pub split: SplitId,
    /// The offset of the *next* entry.
    pub offset: u64,
}

/// One record in the sink target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputRecord {
    /// Where it came from.
    pub lineage: LineageId,
    /// The digest of its bytes.
    pub digest: Digest,
}
