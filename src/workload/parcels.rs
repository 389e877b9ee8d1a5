//! Scans of parcels on their way through a depot and onto vans: every exchange goes by key, or in turns, so
//! that the job can be rescaled with records in flight.
//!
//! Each split scans parcels in order of time, and numbers the scans of each parcel. A depot, keyed by parcel,
//! checks that those of a split come one after another; a van, keyed by van and window, checks that they rise,
//! and counts them until the window closes. A scan that is lost, doubled, or out of order among those of its
//! parcel, and a watermark that runs ahead, each give an output that is never expected.
//!
//! The output is the number of scans by van and window: counting commutes, and nothing is late, since each
//! split is in order of time and the watermark is the least of all splits'.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::draw::Draw;
use super::{Build, Experiment, Workload, WorkloadError, WorkloadSettings, decoded, encoded};
use crate::dataflow::{
    Collector, Context, EncodedSink, Entry, Input, JobBuilder, MapState, Operator, Source,
    SourceCollector, StateDeclarations, ValueState,
};
use crate::protocol::ordered::VecMap;

pub(super) const WORKLOAD: Workload = Workload {
    name: Cow::Borrowed("parcels"),
    about: Cow::Borrowed(
        "scans of parcels, in order by parcel and counted by van and window: no forward edges",
    ),
    unit: Cow::Borrowed("scans"),
    records_usual: 2_000,
    records_max: 10_000_000,
    single_split: false,
    build: Build::Function(build),
};

/// Milliseconds that a window spans.
const SIZE: i64 = 500;
/// From one scan to the next, at most.
const STEP_MAX: u64 = 10;
const PARCELS: u64 = 40;
const VANS: u64 = 6;

/// A parcel is seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Scan {
    parcel: u64,
    at: i64,
    split: u16,
    /// Of those of its parcel in its split.
    number: u64,
}

/// What comes out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Told {
    /// So many scans.
    Load { van: u64, window: i64, scans: u64 },
    /// A scan that should not have been the next.
    Disorder { parcel: u64, split: u16, number: u64 },
}

/// What leaves the depot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Checked {
    scan: Scan,
    in_order: bool,
}

fn build(settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
    let scans = drawn(settings.records.unwrap_or(WORKLOAD.records_usual), settings);
    let mut logs = vec![Vec::new(); usize::from(settings.splits)];
    for scan in &scans {
        logs[usize::from(scan.split)].push(encoded(scan));
    }
    Experiment::new(&job(settings), Input::new(logs), &reference(&scans))
}

fn job(settings: &WorkloadSettings) -> JobBuilder {
    let parallelism = settings.parallelism;
    let job = JobBuilder::new(&WORKLOAD.name);
    job.source("scans", Scans, parallelism, settings.splits)
        .key_by(|scan| scan.parcel)
        .process("depot", parallelism, Depot::new)
        .key_by(|checked| (van_of(&checked.scan), window_of(&checked.scan)))
        .process("van", parallelism, Van::new)
        .rebalance()
        .transactional_sink("loads", parallelism, EncodedSink::new());
    job
}

fn van_of(scan: &Scan) -> u64 {
    scan.parcel % VANS
}

/// The beginning of the window of `scan`.
fn window_of(scan: &Scan) -> i64 {
    scan.at - scan.at.rem_euclid(SIZE)
}

/// Scans in order of time.
fn drawn(records: u64, settings: &WorkloadSettings) -> Vec<Scan> {
    let mut draw = Draw::new(&WORKLOAD.name, settings.seed);
    let mut numbers = VecMap::<(u16, u64), u64>::new();
    let mut at = 0;
    let mut scan = |index: u64| {
        at += draw.below(STEP_MAX).cast_signed();
        let split = settings.deal.split_of(index, settings.splits);
        let parcel = draw.below(PARCELS);
        let number = numbers.entry((split, parcel)).or_default();
        *number += 1;
        Scan { parcel, at, split, number: *number }
    };
    (0..records).map(&mut scan).collect()
}

/// Reads scans.
#[derive(Clone)]
struct Scans;

impl Source for Scans {
    type Out = Scan;
    type State = ();

    fn read(&mut self, entry: Entry<'_>, out: &mut SourceCollector<'_, Scan>) {
        let scan: Scan = decoded(entry.bytes);
        let at = scan.at;
        out.emit(at, scan);
        out.watermark(at - 1);
    }

    fn snapshot(&self) {}

    fn restore(&mut self, (): ()) {}
}

/// Checks that the scans of a parcel come one after another.
#[derive(Clone)]
struct Depot {
    /// The number of the last one, by split.
    last: MapState<u16, u64>,
}

impl Depot {
    fn new(states: &mut StateDeclarations) -> Self {
        Self { last: states.map("last") }
    }
}

impl Operator for Depot {
    type In = Scan;
    type Out = Checked;

    fn process(&mut self, scan: Scan, ctx: &mut Context<'_>, out: &mut Collector<'_, Checked>) {
        let mut last = ctx.map(&self.last);
        let in_order = scan.number == last.get(&scan.split).unwrap_or(0) + 1;
        last.insert(&scan.split, &scan.number);
        out.emit(Checked { scan, in_order });
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, Checked>) {}
}

/// What a van has in a window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Loading {
    scans: u64,
    /// The number of the last scan, by split and parcel.
    last: VecMap<(u16, u64), u64>,
}

/// Counts the scans of a van in a window.
#[derive(Clone)]
struct Van {
    loading: ValueState<Loading>,
}

impl Van {
    fn new(states: &mut StateDeclarations) -> Self {
        Self { loading: states.value("loading") }
    }
}

impl Operator for Van {
    type In = Checked;
    type Out = Told;

    fn process(
        &mut self,
        Checked { scan, in_order }: Checked,
        ctx: &mut Context<'_>,
        out: &mut Collector<'_, Told>,
    ) {
        let last_instant = window_of(&scan) + SIZE - 1;
        if last_instant <= ctx.watermark() {
            return ctx.drop_late();
        }
        let mut loading = ctx.value(&self.loading).get().unwrap_or_default();
        let Scan { parcel, split, number, .. } = scan;
        let before = loading.last.insert((split, parcel), number);
        if !in_order || before.is_some_and(|before| before >= number) {
            out.emit(Told::Disorder { parcel, split, number });
        }
        loading.scans += 1;
        ctx.value(&self.loading).set(&loading);
        ctx.register_timer(last_instant);
    }

    fn on_timer(&mut self, _: i64, ctx: &mut Context<'_>, out: &mut Collector<'_, Told>) {
        let (van, window) = ctx.key();
        let mut state = ctx.value(&self.loading);
        let loading = state.get().unwrap_or_default();
        state.clear();
        out.emit(Told::Load { van, window, scans: loading.scans });
    }
}

/// The scans of each van and window.
fn reference(scans: &[Scan]) -> Vec<Told> {
    let mut counts = VecMap::<(i64, u64), u64>::new();
    for scan in scans {
        *counts.entry((scan.at / SIZE * SIZE, scan.parcel % VANS)).or_default() += 1;
    }
    let load = |((window, van), scans)| Told::Load { van, window, scans };
    counts.into_iter().map(load).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scans_are_counted_by_van_and_window() {
        let scan = |parcel, at| Scan { parcel, at, split: 0, number: 1 };
        let scans = [scan(1, 0), scan(7, 499), scan(1, 500), scan(2, 501)];
        let load = |van, window, scans| Told::Load { van, window, scans };
        assert_eq!(reference(&scans), [load(1, 0, 2), load(1, 500, 1), load(2, 500, 1)]);
    }

    #[test]
    fn the_scans_of_a_parcel_in_a_split_are_numbered() {
        let settings = WorkloadSettings { parallelism: 1, splits: 2, ..Default::default() };
        let scans = drawn(500, &settings);
        let of = |split, parcel| -> Vec<u64> {
            let mine = scans.iter().filter(|scan| (scan.split, scan.parcel) == (split, parcel));
            mine.map(|scan| scan.number).collect()
        };
        for parcel in 0..PARCELS {
            let numbers = of(1, parcel);
            assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
        }
    }
}
