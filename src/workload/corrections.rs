//! Sums of readings in windows that are given when their time has come, and again for each late reading
//! that is still allowed; what comes later is dropped.
//!
//! Which readings correct a sum and which are dropped is a function of the order of readings alone: there
//! is one split and one source, which sends its watermark on every channel right behind the reading that
//! raised it. So every window's subtask sees its readings and all watermarks in that order, whatever fails,
//! as long as a restore brings the watermark back.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::draw::Draw;
use super::records::TimedRecords;
use super::{Build, Experiment, Workload, WorkloadError, WorkloadSettings, encoded};
use crate::dataflow::{
    Collector, Context, EncodedSink, Input, JobBuilder, Operator, StateDeclarations, ValueState,
};
use crate::protocol::ordered::VecMap;

pub(super) const WORKLOAD: Workload = Workload {
    name: Cow::Borrowed("corrections"),
    about: Cow::Borrowed(
        "sums in windows with allowed lateness: given, corrected by late readings, closed",
    ),
    unit: Cow::Borrowed("readings"),
    records_usual: 2_000,
    records_max: 10_000_000,
    single_split: true,
    build: Build::Function(build),
};

/// Milliseconds that a window spans.
const SIZE: i64 = 1_000;
/// How far the watermark stays behind the latest reading.
const OUT_OF_ORDER_MAX: i64 = 300;
/// How long after its end a window takes corrections.
const LATENESS_MAX: i64 = 700;
/// How long a reading is under way that is not held up, and one that is.
const DELAYS: [u64; 2] = [300, 4_000];
/// One reading in so many is held up.
const HELD_UP: u64 = 6;
const STEP_MAX: u64 = 60;
const METERS: u64 = 4;

/// What a meter shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Reading {
    meter: u64,
    at: i64,
    amount: u64,
}

/// The sum of a window so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Sum {
    meter: u64,
    window: i64,
    readings: u64,
    amount: u64,
}

fn build(settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
    let readings = drawn(settings.records.unwrap_or(WORKLOAD.records_usual), settings.seed);
    let input = Input::dealt(readings.iter().map(encoded), 1);
    let (sums, late) = reference(&readings);
    Ok(Experiment::new(&job(settings), input, &sums)?.dropping(&late))
}

fn job(settings: &WorkloadSettings) -> JobBuilder {
    let parallelism = settings.parallelism;
    let job = JobBuilder::new(&WORKLOAD.name);
    job.source(
        "readings",
        TimedRecords::new(OUT_OF_ORDER_MAX, |reading: &Reading| reading.at),
        1,
        1,
    )
    .key_by(|reading| (reading.meter, window_of(reading)))
    .process("sums", parallelism, Sums::new)
    .transactional_sink("given", parallelism, EncodedSink::new());
    job
}

/// The beginning of the window of `reading`.
fn window_of(reading: &Reading) -> i64 {
    reading.at - reading.at.rem_euclid(SIZE)
}

/// Readings in the order in which they come; drawn from `seed`.
fn drawn(records: u64, seed: u64) -> Vec<Reading> {
    let mut draw = Draw::new("corrections", seed);
    let mut now = 0;
    let mut readings: Vec<(i64, Reading)> = (0..records)
        .map(|_| {
            now += draw.below(STEP_MAX).cast_signed();
            let delay = DELAYS[usize::from(draw.below(HELD_UP) == 0)];
            let comes = now + draw.below(delay).cast_signed();
            (comes, Reading { meter: draw.below(METERS), at: now, amount: draw.below(100) })
        })
        .collect();
    readings.sort_by_key(|(comes, _)| *comes);
    readings.into_iter().map(|(_, reading)| reading).collect()
}

/// Sums the readings of each meter and window.
#[derive(Clone)]
struct Sums {
    sum: ValueState<Sum>,
}

impl Sums {
    fn new(states: &mut StateDeclarations) -> Self {
        Self { sum: states.value("sum") }
    }
}

impl Operator for Sums {
    type In = Reading;
    type Out = Sum;

    fn process(&mut self, reading: Reading, ctx: &mut Context<'_>, out: &mut Collector<'_, Sum>) {
        let window = window_of(&reading);
        let last_instant = window + SIZE - 1;
        if last_instant + LATENESS_MAX <= ctx.watermark() {
            return ctx.drop_late();
        }
        let Reading { meter, amount, .. } = reading;
        let empty = Sum { meter, window, readings: 0, amount: 0 };
        let sum = ctx.value(&self.sum).get().unwrap_or(empty);
        let sum = Sum { readings: sum.readings + 1, amount: sum.amount + amount, ..sum };
        ctx.value(&self.sum).set(&sum);
        ctx.register_timer(last_instant + LATENESS_MAX);
        if last_instant <= ctx.watermark() {
            out.emit(sum);
        } else {
            ctx.register_timer(last_instant);
        }
    }

    fn on_timer(&mut self, at: i64, ctx: &mut Context<'_>, out: &mut Collector<'_, Sum>) {
        let mut state = ctx.value(&self.sum);
        match state.get() {
            Some(sum) if at == sum.window + SIZE - 1 => out.emit(sum),
            Some(_) | None => state.clear(),
        }
    }
}

/// What must be given, and what must be dropped: readings are gone through one by one.
fn reference(readings: &[Reading]) -> (Vec<Sum>, Vec<Reading>) {
    let (mut given, mut dropped) = (Vec::new(), Vec::new());
    let mut waiting = VecMap::<(i64, u64), Sum>::new();
    let mut known = VecMap::<(i64, u64), Sum>::new();
    let mut latest: Option<i64> = None;
    for reading in readings {
        let watermark = latest.map_or(i64::MIN, |latest| latest - OUT_OF_ORDER_MAX - 1);
        let passed = |window: i64, more: i64| window + SIZE + more - 1 <= watermark;
        while let Some((key, sum)) = waiting.pop_first_if(|(window, _), _| passed(*window, 0)) {
            given.push(sum.clone());
            known.insert(key, sum);
        }
        let window = reading.at / SIZE * SIZE;
        let key = (window, reading.meter);
        if passed(window, LATENESS_MAX) {
            dropped.push(reading.clone());
        } else {
            let sums = if passed(window, 0) { &mut known } else { &mut waiting };
            let new = Sum { meter: reading.meter, window, readings: 0, amount: 0 };
            let sum = sums.entry(key).or_insert(new);
            sum.readings += 1;
            sum.amount += reading.amount;
            if passed(window, 0) {
                given.push(sum.clone());
            }
        }
        latest = latest.max(Some(reading.at));
    }
    given.extend(waiting.into_values());
    (given, dropped)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(at: i64) -> Reading {
        Reading { meter: 1, at, amount: 10 }
    }

    /// Worked out by hand: after 1,300 the watermark is 999, so that window 0 is given; after 2,000 it is
    /// 1,699, so that window 0 is closed and window 1,000 is not.
    #[test]
    fn a_window_is_given_corrected_and_closed() {
        let readings = [10, 1_300, 20, 2_000, 30, 1_400].map(reading);
        let (given, dropped) = reference(&readings);
        let shown: Vec<_> = given.iter().map(|sum| (sum.window, sum.readings)).collect();
        assert_eq!(shown, [(0, 1), (0, 2), (1_000, 2), (2_000, 1)]);
        assert_eq!(dropped, [reading(30)]);
    }

    #[test]
    fn some_readings_correct_and_some_are_dropped() {
        let readings = drawn(1_000, 0);
        let (given, dropped) = reference(&readings);
        let windows = given.iter().map(|sum| (sum.window, sum.meter));
        let windows: std::collections::BTreeSet<_> = windows.collect();
        assert!(given.len() > windows.len() + 20, "{} given of {}", given.len(), windows.len());
        assert!((20..400).contains(&dropped.len()), "{} are dropped", dropped.len());
    }
}
