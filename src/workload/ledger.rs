//! State that belongs to subtasks and not to keys: a list that is dealt out, a union, a broadcast list.
//!
//! One source sends numbers to all subtasks of `rules`, which each keep every thirty-second in a broadcast
//! list; the first of them passes all on. They go in turn to the subtasks of `ledger`, which note every
//! fourth in a list of their own, and every sixteenth in a union, and pass all on.
//!
//! The output is the input, in whatever order it arrives: what is in the lists shows in snapshots alone,
//! where an oracle looks when a job is rescaled.

use std::borrow::Cow;

use super::draw::Draw;
use super::records::Records;
use super::{Build, Experiment, Workload, WorkloadError, WorkloadSettings, encoded};
use crate::dataflow::{
    Collector, Context, EncodedSink, Input, JobBuilder, Operator, OperatorState, StateDeclarations,
};

/// How many numbers there are when nobody says how many.
const RECORDS: u64 = 1_000;

pub(super) const WORKLOAD: Workload = Workload {
    name: Cow::Borrowed("ledger"),
    about: Cow::Borrowed(
        "numbers noted in lists of subtasks: dealt out, united and the same for all when a job is rescaled",
    ),
    unit: Cow::Borrowed("numbers"),
    records_usual: RECORDS,
    records_max: 1_000_000,
    single_split: true,
    build: Build::Function(build),
};

fn build(settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
    let numbers = numbers(settings.records.unwrap_or(RECORDS), settings.seed);
    let input = Input::dealt_as(numbers.iter().map(encoded), settings.splits, settings.deal);
    Experiment::new(&job(settings), input, &numbers)
}

fn job(settings: &WorkloadSettings) -> JobBuilder {
    let parallelism = settings.parallelism;
    let job = JobBuilder::new(&WORKLOAD.name);
    let numbers = job.source("numbers", Records::<u64>::new(), 1, settings.splits);
    job.fix("numbers");
    numbers
        .broadcast()
        .process("rules", parallelism, Rules::new)
        .rebalance()
        .process("ledger", parallelism, Ledger::new)
        .rebalance()
        .transactional_sink("noted", parallelism, EncodedSink::new());
    job
}

/// Keeps what all subtasks are told alike; one of them passes it on.
#[derive(Clone)]
struct Rules {
    rules: OperatorState<u64>,
}

impl Rules {
    fn new(states: &mut StateDeclarations) -> Self {
        Self { rules: states.broadcast_list("rules") }
    }
}

impl Operator for Rules {
    type In = u64;
    type Out = u64;

    fn process(&mut self, number: u64, ctx: &mut Context<'_>, out: &mut Collector<'_, u64>) {
        if number.is_multiple_of(32) {
            ctx.operator_list(&self.rules).push(&number);
        }
        if ctx.subtask_index() == 0 {
            out.emit(number);
        }
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, u64>) {}
}

/// Notes some of what it passes on.
#[derive(Clone)]
struct Ledger {
    own: OperatorState<u64>,
    all: OperatorState<u64>,
}

impl Ledger {
    fn new(states: &mut StateDeclarations) -> Self {
        Self { own: states.operator_list("own"), all: states.union_list("all") }
    }
}

impl Operator for Ledger {
    type In = u64;
    type Out = u64;

    fn process(&mut self, number: u64, ctx: &mut Context<'_>, out: &mut Collector<'_, u64>) {
        if number.is_multiple_of(4) {
            ctx.operator_list(&self.own).push(&number);
        }
        // What a union holds is held by all after a rescale: it must not grow with every one.
        if number.is_multiple_of(16) && ctx.operator_list(&self.all).len() < NOTED_MAX {
            ctx.operator_list(&self.all).push(&number);
        }
        out.emit(number);
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, u64>) {}
}

/// How many elements of a union a subtask adds to at most.
const NOTED_MAX: usize = 64;

fn numbers(count: u64, seed: u64) -> Vec<u64> {
    let mut draw = Draw::new("ledger", seed);
    (0..count).map(|_| draw.below(1 << 20)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_differ_between_seeds() {
        assert_eq!(numbers(100, 1), numbers(100, 1));
        assert_ne!(numbers(100, 1), numbers(100, 2));
    }
}
