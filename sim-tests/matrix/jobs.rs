//! The shapes of jobs. What each emits does not depend on the order of arrival, and every operator that
//! can has state, so that a wrong cut shows.

use std::sync::Arc;

use cutwater::dataflow::{
    BuildError, Collector, Context, EncodedSink, Input, JobBuilder, Operator, Replay,
    StateDeclarations, Stream, TwoInputOperator, ValueState,
};
use cutwater::protocol::{CheckpointSettings, Protocol};
use cutwater::workload::Experiment;
use strum::EnumIter;

/// How many records each source has.
const RECORDS: u64 = 9;

/// How many splits each source has.
const SPLITS: u16 = 3;

/// What a number gains each time round; a multiple of the next, and more than there are records.
const ROUND: u64 = 60;

/// How often a number goes round: it modulo this, and once more.
const ROUNDS_MAX: u64 = 3;

/// A shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, strum::Display)]
#[strum(serialize_all = "kebab-case")]
pub enum Topology {
    /// One after the other.
    Chain,
    /// Two ways from one source to one operator.
    Diamond,
    /// Two sources, one operator.
    Join,
    /// All to all, by key and in turn.
    Shuffle,
    /// Every record to every subtask.
    Broadcast,
    /// Every record some times round.
    Loop,
}

/// Keeps the sum of each key, and passes records on.
#[derive(Clone)]
struct Sum(ValueState<u64>);

impl Operator for Sum {
    type In = u64;
    type Out = u64;

    fn process(&mut self, number: u64, ctx: &mut Context<'_>, out: &mut Collector<'_, u64>) {
        ctx.value(&self.0).update(|sum| sum.unwrap_or(0).wrapping_add(number));
        out.emit(number);
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, u64>) {}
}

/// Keeps the sum of each key over both inputs, and passes records on with their side.
#[derive(Clone)]
struct Merge(ValueState<u64>);

impl Merge {
    fn merge(&self, number: u64, ctx: &mut Context<'_>) {
        ctx.value(&self.0).update(|sum| sum.unwrap_or(0).wrapping_add(number));
    }
}

impl TwoInputOperator for Merge {
    type Left = u64;
    type Right = u64;
    type Out = u64;

    fn process_left(&mut self, number: u64, ctx: &mut Context<'_>, out: &mut Collector<'_, u64>) {
        self.merge(number, ctx);
        out.emit(2 * number);
    }

    fn process_right(&mut self, number: u64, ctx: &mut Context<'_>, out: &mut Collector<'_, u64>) {
        self.merge(number, ctx);
        out.emit(2 * number + 1);
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, u64>) {}
}

impl Topology {
    /// The job at this parallelism, with its input and its output.
    ///
    /// # Errors
    ///
    /// When the protocol is one that it cannot have.
    pub fn job(self, parallelism: u16, protocol: Protocol) -> Result<Experiment, BuildError> {
        let job = JobBuilder::new("matrix");
        let numbers = job.source("numbers", Replay::<u64>::new(), parallelism, SPLITS);
        let (end, sources) = self.operators(&job, &numbers, parallelism);
        if protocol == Protocol::AtLeastOnce {
            end.at_least_once_sink("out", parallelism, EncodedSink::new());
        } else {
            end.transactional_sink("out", parallelism, EncodedSink::new());
        }
        if self == Topology::Broadcast {
            // How often a record comes depends on how many there are.
            job.fix("copy");
            job.fix("out");
        }
        let built = job.checkpoints(&one_at_a_time(protocol)).build()?;
        let expected = self.expected(parallelism);
        let encoded = |number: &u64| Replay::entry(number);
        Ok(Experiment {
            job: Arc::new(built),
            input: Arc::new(input(sources)),
            expected: Arc::new(expected.iter().map(encoded).collect()),
            late: Arc::default(),
            show: None,
        })
    }

    fn operators(self, job: &JobBuilder, numbers: &Stream<u64>, wide: u16) -> (Stream<u64>, u16) {
        let sum = |states: &mut StateDeclarations| Sum(states.value("sum"));
        let merge = |states: &mut StateDeclarations| Merge(states.value("sum"));
        let key = |number: &u64| number % 5;
        match self {
            Topology::Chain => (numbers.map("one", wide, |n| 3 * n + 1), 1),
            Topology::Diamond => {
                let left = numbers.rebalance().map("left", wide, |n| n).key_by(key);
                let right = numbers.shift().map("right", wide, |n| n).key_by(key);
                (left.connect(right).process2("merge", wide, merge).into_stream(), 1)
            }
            Topology::Join => {
                let others = job.source("others", Replay::<u64>::new(), 1, SPLITS);
                let both = numbers.key_by(key).connect(others.key_by(key));
                (both.process2("merge", wide, merge).into_stream(), 2)
            }
            Topology::Shuffle => {
                let sums = numbers.key_by(key).process("sum", wide, sum).into_stream();
                (sums.rebalance(), 1)
            }
            Topology::Broadcast => (numbers.broadcast().map("copy", wide, |n| n), 1),
            Topology::Loop => {
                let again = job.feedback::<u64>("again");
                let all = numbers.merge("all", wide, &again.stream().rebalance());
                let sums = all.key_by(key).process("sum", wide, sum).into_stream();
                let rounds = sums.map("round", wide, |n| n + ROUND);
                again.close(&rounds.filter("more", wide, |n| n / ROUND <= n % ROUNDS_MAX));
                (rounds.filter("last", wide, |n| n / ROUND > n % ROUNDS_MAX), 1)
            }
        }
    }

    fn expected(self, wide: u16) -> Vec<u64> {
        let numbers = 0..RECORDS;
        match self {
            Topology::Chain => numbers.map(|n| 3 * n + 1).collect(),
            Topology::Diamond | Topology::Join => {
                numbers.flat_map(|n| [2 * n, 2 * n + 1]).collect()
            }
            Topology::Shuffle => numbers.collect(),
            Topology::Broadcast => numbers.flat_map(|n| (0..wide).map(move |_| n)).collect(),
            Topology::Loop => numbers.map(|n| n + ROUND * (n % ROUNDS_MAX + 1)).collect(),
        }
    }
}

/// The same numbers for each source, dealt out to its splits.
fn input(sources: u16) -> Input {
    let of_split = |split: u16| {
        let numbers = (u64::from(split % SPLITS)..RECORDS).step_by(usize::from(SPLITS));
        numbers.map(|number| Replay::entry(&number)).collect()
    };
    Input::new((0..sources * SPLITS).map(of_split).collect())
}

fn one_at_a_time(protocol: Protocol) -> CheckpointSettings {
    CheckpointSettings {
        protocol,
        aligned_timeout_ms: 0,
        interval_ms: 10,
        pause_min_ms: 0,
        timeout_ms: 100,
        concurrent_max: 1,
        failures_tolerated: 100,
        retained: 1,
    }
}
