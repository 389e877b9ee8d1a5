//! What a generated job is, as data.

use cutwater::protocol::{Guarantee, Protocol};
use serde::{Deserialize, Serialize};
use strum::IntoEnumIterator as _;

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
    /// How its cuts are made; one that the job admits.
    pub protocol: Protocol,
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
    /// Some times round.
    Loop(LoopSpec),
}

/// A loop. Every time round a value is halved, so that it ends; what is above the limit goes round again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoopSpec {
    pub limit: u64,
    /// How records come back.
    pub back: Partitioner,
    /// What else is done to them each time.
    pub body: Body,
    /// A loop within the loop: odd values lose a third, and go round it again while they are above the limit.
    pub inner: bool,
    /// A second way back, that overlaps with the first: some values go back half-way.
    pub shortcut: bool,
    /// A record leaves every time, and not the last time alone.
    pub every_time: bool,
}

/// What a loop does to each record, each time round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    Nothing,
    FlatMap,
    Remember,
    Distinct,
}

impl LoopSpec {
    /// How many operators it has.
    pub fn operators(&self) -> u16 {
        let body = u16::from(self.body != Body::Nothing);
        let left = u16::from(!self.every_time);
        3 + body + left + 3 * u16::from(self.inner) + 3 * u16::from(self.shortcut)
    }
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
            Self::Map { .. }
            | Self::Filter { .. }
            | Self::FlatMap
            | Self::Remember
            | Self::Loop(_) => false,
            Self::Count
            | Self::Distinct
            | Self::Total
            | Self::Window { .. }
            | Self::Join
            | Self::Merge => true,
        }
    }

    /// Whether what it emits is right, if now and then too often, where records are processed twice.
    pub fn bears_repetition(self) -> bool {
        match self {
            Self::Map { .. }
            | Self::Filter { .. }
            | Self::FlatMap
            | Self::Remember
            | Self::Distinct
            | Self::Join
            | Self::Merge => true,
            Self::Count | Self::Total | Self::Window { .. } | Self::Loop(_) => false,
        }
    }

    /// How many operators it is made of.
    pub fn operators(self) -> u16 {
        match self {
            Self::Loop(spec) => spec.operators(),
            _ => 1,
        }
    }

    /// Whether it takes two streams.
    pub fn is_binary(self) -> bool {
        matches!(self, Self::Join | Self::Merge)
    }
}

impl JobSpec {
    /// The protocols that it can have.
    pub fn protocols(&self) -> Vec<Protocol> {
        let is_repeatable = self.steps.iter().all(|step| step.kind.bears_repetition());
        let admits = |protocol: &Protocol| {
            let traits = protocol.traits();
            let goes_round = traits.has_loops || !self.has_loop();
            let has_place = !protocol.may_overtake() || !self.broadcasts();
            goes_round && has_place && (traits.guarantee == Guarantee::ExactlyOnce || is_repeatable)
        };
        Protocol::iter().filter(admits).collect()
    }

    /// Whether anything goes round.
    pub fn has_loop(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.kind, StepKind::Loop(_)))
    }

    fn broadcasts(&self) -> bool {
        let steps = self.steps.iter().filter(|step| !step.kind.is_keyed()).map(|step| step.input);
        let mut edges = steps.chain(self.sinks.iter().map(|sink| sink.input));
        edges.any(|edge| edge.partitioner == Partitioner::Broadcast)
    }

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
