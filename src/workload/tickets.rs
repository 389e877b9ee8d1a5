//! Tickets out of a queue with several consumers, which gives again what was not acknowledged.
//!
//! A ticket has a number, which its publisher gave it. It counts when a number is seen for the first time, and it is the
//! numbers that have been seen, by a state with a key, that tell whether it is: a ticket comes again in another place, in
//! another order, and to another consumer, so that no position says what was read.
//!
//! The output is each ticket, once: who takes it, and how often it comes, changes nothing.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::draw::Draw;
use super::own::Build;
use super::{Experiment, Workload, WorkloadError, WorkloadSettings, decoded, encoded};
use crate::dataflow::{
    Collector, Context, EncodedSink, Entry, Input, JobBuilder, Operator, Source, SourceCollector,
    StateDeclarations, ValueState,
};
use crate::protocol::Defect;

pub(super) const WORKLOAD: Workload = Workload {
    name: Cow::Borrowed("tickets"),
    about: Cow::Borrowed(
        "tickets from a queue with several consumers, each counted once by its number however often it comes",
    ),
    unit: Cow::Borrowed("tickets"),
    records_usual: 1_000,
    records_max: 10_000_000,
    single_split: false,
    build: Build::Function(build),
};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Ticket {
    /// Which its publisher gave it; no two have the same.
    number: u64,
    seats: u64,
}

fn build(settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
    let tickets = drawn(settings.records.unwrap_or(WORKLOAD.records_usual), settings.seed);
    let input = Input::dealt_as(tickets.iter().map(encoded), settings.splits, settings.deal);
    Experiment::new(&job(settings), input.queued(), &tickets)
}

fn job(settings: &WorkloadSettings) -> JobBuilder {
    let parallelism = settings.parallelism;
    let job = JobBuilder::new(&WORKLOAD.name);
    job.source("queue", Tickets, parallelism, settings.splits)
        .key_by(|ticket| ticket.number)
        .process("once", parallelism, Once::new)
        .rebalance()
        .transactional_sink("tickets", parallelism, EncodedSink::new());
    job
}

/// Takes tickets as they come; their order says nothing, nor does their time.
#[derive(Clone)]
struct Tickets;

impl Source for Tickets {
    type Out = Ticket;
    type State = ();

    fn read(&mut self, entry: Entry<'_>, out: &mut SourceCollector<'_, Ticket>) {
        out.emit(0, decoded(entry.bytes));
    }

    fn snapshot(&self) {}

    fn restore(&mut self, (): ()) {}
}

/// Lets a ticket through when its number is seen for the first time.
#[derive(Clone)]
struct Once {
    seen: ValueState<bool>,
    /// Numbers where no snapshot holds them: as a defect has it, and empty without.
    seen_since_start: BTreeSet<u64>,
}

impl Once {
    fn new(states: &mut StateDeclarations) -> Self {
        Self { seen: states.value("seen"), seen_since_start: BTreeSet::new() }
    }

    fn is_new(&mut self, number: u64, ctx: &mut Context<'_>) -> bool {
        if ctx.defects.has(Defect::MessageIdsNotSnapshotted) {
            return self.seen_since_start.insert(number);
        }
        let mut seen = ctx.value(&self.seen);
        let is_new = seen.get().is_none();
        seen.set(&true);
        is_new
    }
}

impl Operator for Once {
    type In = Ticket;
    type Out = Ticket;

    fn process(&mut self, ticket: Ticket, ctx: &mut Context<'_>, out: &mut Collector<'_, Ticket>) {
        if self.is_new(ticket.number, ctx) {
            out.emit(ticket);
        }
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, Ticket>) {}
}

fn drawn(records: u64, seed: u64) -> Vec<Ticket> {
    let mut draw = Draw::new(&WORKLOAD.name, seed);
    (0..records).map(|number| Ticket { number, seats: draw.below(10) }).collect()
}
