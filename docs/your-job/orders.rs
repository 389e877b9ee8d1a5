//! A program with a job of its own, and every command of cutwater over it: `docs/YOUR_JOB.md` goes through it.

use std::process::ExitCode;

use cutwater::dataflow::{
    Collector, Context, EncodedSink, Input, JobBuilder, Operator, Replay, StateDeclarations,
    ValueState,
};
use cutwater::explore::Registry;
use cutwater::workload::{Experiment, Workload, WorkloadError, WorkloadSettings};

/// Numbers the orders of each customer.
#[derive(Clone)]
struct Number(ValueState<u64>);

impl Operator for Number {
    type In = String;
    type Out = (String, u64);

    fn process(&mut self, name: String, ctx: &mut Context<'_>, out: &mut Collector<'_, Self::Out>) {
        let number = ctx.value(&self.0).update(|last| last.unwrap_or(0) + 1);
        out.emit((name, number));
    }
}

/// Keeps the last number in a field, where no snapshot finds it.
#[derive(Clone)]
struct Forgetful(u64);

impl Operator for Forgetful {
    type In = String;
    type Out = (String, u64);

    fn process(&mut self, name: String, _: &mut Context<'_>, out: &mut Collector<'_, Self::Out>) {
        self.0 += 1;
        out.emit((name, self.0));
    }
}

/// The order of this number is of one of seven customers.
fn customer(order: u64) -> String {
    format!("customer-{}", order % 7)
}

/// The job, its input and what must come out, in the size that is asked for.
fn orders(settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
    let orders = 0..settings.records.unwrap_or(300);
    let (parallelism, splits) = (settings.parallelism, settings.splits);
    let job = JobBuilder::new("orders");
    job.source("orders", Replay::new(), parallelism, splits)
        .key_by(String::clone)
        .process("number", parallelism, |states: &mut StateDeclarations| {
            Number(states.value("last"))
        })
        .transactional_sink("numbered", parallelism, EncodedSink::new());
    let input = orders.clone().map(|order| Replay::entry(&customer(order)));
    let input = Input::dealt_as(input, splits, settings.deal);
    let expected: Vec<_> = orders.map(|order| (customer(order), order / 7 + 1)).collect();
    Experiment::new(&job, input, &expected)
}

/// One customer, whose orders are numbered by somebody who forgets.
fn forgetful(settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
    let orders = settings.records.unwrap_or(300);
    let name = || "customer".to_owned();
    let job = JobBuilder::new("forgetful");
    job.source("orders", Replay::new(), 1, 1)
        .key_by(String::clone)
        .process("number", 1, |_: &mut StateDeclarations| Forgetful(0))
        .transactional_sink("numbered", 1, EncodedSink::new());
    let input = Input::dealt((0..orders).map(|_| Replay::entry(&name())), 1);
    let expected: Vec<_> = (0..orders).map(|order| (name(), order + 1)).collect();
    Experiment::new(&job, input, &expected)
}

/// What this program knows; its tests use it as well.
fn registry() -> Registry {
    let orders = Workload::new("orders", orders).about("numbers the orders of each customer");
    let forgetful = Workload::new("forgetful", forgetful).single_split();
    Registry::new()
        .with(orders.records("orders", 300, 100_000))
        .with(forgetful.about("the same, with a number in a field"))
}

fn main() -> ExitCode {
    cutwater::cli::main(registry())
}
