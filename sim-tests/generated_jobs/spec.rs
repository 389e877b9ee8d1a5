//! What a generated job is, as data.

use serde::{Deserialize, Serialize};

/// The only type of record: every operator takes and emits it, so that any can follow any.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Row {
    /// What keyed operators are keyed by.
    pub key: u16,
    /// Changed by most operators.
    pub value: u64,
}

/// A job: sources, then steps on earlier streams, then sinks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobSpec {
    /// Their streams are numbered from 0.
    pub sources: Vec<SourceSpec>,
    /// Their streams follow, in order.
    pub steps: Vec<Step>,
    /// At least one for each stream that nothing else consumes.
    pub sinks: Vec<SinkSpec>,
}

/// A source and all that it reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSpec {
    pub parallelism: u16,
    /// By split, its entries; never fewer splits than subtasks.
    pub splits: Vec<Vec<Row>>,
    /// A watermark is emitted with every n-th entry of a split.
    pub watermark_every: u64,
}

/// How records get from one operator to the next where there is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partitioner {
    Forward,
    Rebalance,
    Shift,
    Broadcast,
}

/// A stream, and how it is spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    pub stream: usize,
    pub partitioner: Partitioner,
}

/// An operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub kind: StepKind,
    pub parallelism: u16,
    pub input: Edge,
    /// The second stream of a two-input operator; its first is `input`. Both are spread by key.
    pub second: usize,
}

/// What an operator does. Each turns a multiset into a multiset, whatever the order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// Changes key and value.
    Map { add: u64 },
    /// Keeps some values.
    Filter { modulus: u64 },
    /// None, one or two for each.
    FlatMap,
    /// Passes records on, and remembers them in a list that belongs to the subtask.
    Remember,
    /// Keyed: the n-th record of a key gives n.
    Count,
    /// Keyed: the first record of each value.
    Distinct,
    /// Keyed: the sum of all values, when all input has ended.
    Total,
    /// Keyed: how many records in each event-time window.
    Window { width: i64 },
    /// Two inputs: every pair of a left and a right record with one key.
    Join,
    /// Two inputs: every record of both.
    Merge,
}

/// A sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SinkSpec {
    pub input: Edge,
    pub parallelism: u16,
    pub transactional: bool,
}

impl StepKind {
    /// Whether records reach it by key.
    pub fn is_keyed(self) -> bool {
        match self {
            Self::Map { .. } | Self::Filter { .. } | Self::FlatMap | Self::Remember => false,
            Self::Count
            | Self::Distinct
            | Self::Total
            | Self::Window { .. }
            | Self::Join
            | Self::Merge => true,
        }
    }

    /// Whether it takes two streams.
    pub fn is_binary(self) -> bool {
        matches!(self, Self::Join | Self::Merge)
    }
}

impl JobSpec {
    /// The parallelism of the operator that emits this stream.
    pub fn parallelism(&self, stream: usize) -> u16 {
        match self.sources.get(stream) {
            Some(source) => source.parallelism,
            None => self.steps[stream - self.sources.len()].parallelism,
        }
    }

    /// How many entries the busiest source subtask reads.
    pub fn entries_of_busiest(&self) -> u64 {
        let busiest = |source: &SourceSpec| {
            let subtasks = usize::from(source.parallelism);
            let entries = move |subtask| {
                let own = source.splits.iter().skip(subtask).step_by(subtasks);
                own.map(|entries| entries.len() as u64).sum::<u64>()
            };
            (0..subtasks).map(entries).max().unwrap_or(0)
        };
        self.sources.iter().map(busiest).max().unwrap_or(0)
    }
}
