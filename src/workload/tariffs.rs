//! Meter readings priced by the tariff of their time: a keyed stream beside a broadcast state.
//!
//! A reading waits until the watermark, of readings and tariffs together, has reached its time: then every
//! tariff that could be in force has come, whatever was read first. So the output is a multiset.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

use super::draw::Draw;
use super::own::Build;
use super::records::TimedRecords;
use super::{Experiment, Workload, WorkloadError, WorkloadSettings, decoded, encoded};
use crate::dataflow::{
    BroadcastContext, BroadcastState, Collector, Context, EncodedSink, Entry, Input, JobBuilder,
    KeyedBroadcastOperator, MapState, Source, SourceCollector, StateDeclarations,
};

pub(super) const WORKLOAD: Workload = Workload {
    name: Cow::Borrowed("tariffs"),
    about: Cow::Borrowed(
        "readings priced by tariffs that all subtasks are told: keyed state beside a broadcast state",
    ),
    unit: Cow::Borrowed("readings and tariffs"),
    records_usual: 1_000,
    records_max: 10_000_000,
    single_split: false,
    build: Build::Function(build),
};

/// Records for each tariff, the tariff among them.
const RECORDS_PER_TARIFF: u64 = 20;
const ZONES: u64 = 3;
const METERS: u64 = 12;
const STEP_MAX: u64 = 20;
/// How far a reading may come after a later one.
const OUT_OF_ORDER_MAX: i64 = 100;

/// What a unit costs in a zone from a time on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Tariff {
    zone: u64,
    from: i64,
    rate: u64,
}

/// What a meter shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Reading {
    meter: u64,
    zone: u64,
    at: i64,
    units: u64,
}

/// What is to be paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Bill {
    meter: u64,
    at: i64,
    price: u64,
}

fn build(settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
    let records = settings.records.unwrap_or(WORKLOAD.records_usual);
    let (tariffs, readings) = drawn(records, settings.seed);
    let mut logs = vec![tariffs.iter().map(encoded).collect::<Vec<_>>()];
    logs.extend(vec![Vec::new(); usize::from(settings.splits)]);
    for (index, reading) in (0..).zip(&readings) {
        let split = settings.deal.split_of(index, settings.splits);
        logs[1 + usize::from(split)].push(encoded(reading));
    }
    Experiment::new(&job(settings), Input::new(logs), &reference(&tariffs, &readings))
}

fn job(settings: &WorkloadSettings) -> JobBuilder {
    let parallelism = settings.parallelism;
    let job = JobBuilder::new(&WORKLOAD.name);
    let tariffs = job.source("tariffs", Tariffs, 1, 1);
    job.fix("tariffs");
    job.source(
        "readings",
        TimedRecords::new(OUT_OF_ORDER_MAX, |reading: &Reading| reading.at),
        parallelism,
        settings.splits,
    )
    .key_by(|reading| reading.meter)
    .connect_broadcast(&tariffs)
    .process("bill", parallelism, Price::new)
    .transactional_sink("bills", parallelism, EncodedSink::new());
    job
}

/// Tariffs, and readings, `records` in all, each in the order in which they come; drawn from `seed`.
fn drawn(records: u64, seed: u64) -> (Vec<Tariff>, Vec<Reading>) {
    let mut draw = Draw::new("tariffs", seed);
    let mut now = 0;
    let (mut tariffs, mut readings) = (Vec::new(), Vec::new());
    for number in 0..records {
        now += draw.below(STEP_MAX).cast_signed();
        let zone = draw.below(ZONES);
        if number % RECORDS_PER_TARIFF == 0 {
            tariffs.push(Tariff { zone, from: now, rate: 1 + draw.below(100) });
        } else {
            let comes = now + draw.below(OUT_OF_ORDER_MAX.unsigned_abs()).cast_signed();
            let reading =
                Reading { meter: draw.below(METERS), zone, at: now, units: draw.below(50) };
            readings.push((comes, reading));
        }
    }
    readings.sort_by_key(|(comes, _)| *comes);
    (tariffs, readings.into_iter().map(|(_, reading)| reading).collect())
}

/// Reads tariffs, which come in the order of their times.
#[derive(Clone)]
struct Tariffs;

impl Source for Tariffs {
    type Out = Tariff;
    type State = ();

    fn read(&mut self, entry: Entry<'_>, out: &mut SourceCollector<'_, Tariff>) {
        let tariff: Tariff = decoded(entry.bytes);
        let from = tariff.from;
        out.emit(from, tariff);
        out.watermark(from - 1);
    }

    fn snapshot(&self) {}

    fn restore(&mut self, (): ()) {}
}

/// Prices readings when all tariffs of their time have come.
#[derive(Clone)]
struct Price {
    /// Rates by zone and the time from which they are in force.
    rates: BroadcastState<(u64, i64), u64>,
    /// Readings by time.
    waiting: MapState<i64, Vec<Reading>>,
}

impl Price {
    fn new(states: &mut StateDeclarations) -> Self {
        Self { rates: states.broadcast_map("rates"), waiting: states.map("waiting") }
    }

    fn rate(&self, reading: &Reading, ctx: &Context<'_>) -> u64 {
        let rates = ctx.broadcast_state(&self.rates);
        let in_force =
            |((zone, from), _): &((u64, i64), u64)| *zone == reading.zone && *from <= reading.at;
        let latest = rates.iter().rfind(in_force);
        latest.map_or(0, |(_, rate)| rate)
    }
}

impl KeyedBroadcastOperator for Price {
    type In = Reading;
    type Broadcast = Tariff;
    type Out = Bill;

    fn process(&mut self, reading: Reading, ctx: &mut Context<'_>, _: &mut Collector<'_, Bill>) {
        let at = reading.at;
        let mut waiting = ctx.map(&self.waiting);
        let mut together = waiting.get(&at).unwrap_or_default();
        together.push(reading);
        waiting.insert(&at, &together);
        ctx.register_timer(at);
    }

    fn process_broadcast(
        &mut self,
        Tariff { zone, from, rate }: Tariff,
        ctx: &mut BroadcastContext<'_, '_>,
        _: &mut Collector<'_, Bill>,
    ) {
        ctx.state(&self.rates).insert(&(zone, from), &rate);
    }

    fn on_timer(&mut self, at: i64, ctx: &mut Context<'_>, out: &mut Collector<'_, Bill>) {
        for reading in ctx.map(&self.waiting).remove(&at).unwrap_or_default() {
            let price = reading.units * self.rate(&reading, ctx);
            out.emit(Bill { meter: reading.meter, at, price });
        }
    }
}

/// What each reading costs.
fn reference(tariffs: &[Tariff], readings: &[Reading]) -> Vec<Bill> {
    let mut bills = Vec::new();
    for Reading { meter, zone, at, units } in readings {
        let mut rate = 0;
        for tariff in tariffs {
            if tariff.zone == *zone && tariff.from <= *at {
                rate = tariff.rate;
            }
        }
        bills.push(Bill { meter: *meter, at: *at, price: units * rate });
    }
    bills
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_tariff_of_the_zone_counts() {
        let tariff = |zone, from, rate| Tariff { zone, from, rate };
        let reading = |zone, at| Reading { meter: 1, zone, at, units: 10 };
        let tariffs = [tariff(0, 5, 2), tariff(1, 6, 7), tariff(0, 9, 3)];
        let bills =
            reference(&tariffs, &[reading(0, 4), reading(0, 8), reading(0, 9), reading(1, 9)]);
        assert_eq!(bills.iter().map(|bill| bill.price).collect::<Vec<_>>(), [0, 20, 30, 70]);
    }

    #[test]
    fn no_two_tariffs_of_a_zone_are_of_one_time_that_matters() {
        let (tariffs, readings) = drawn(1_000, 0);
        assert_eq!((tariffs.len(), readings.len()), (50, 950));
        assert!(tariffs.is_sorted_by_key(|tariff| tariff.from));
    }
}
