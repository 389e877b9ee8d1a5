//! Runners on a track: each goes round a loop by its own key, as often as it has laps to run.
//!
//! The edge that leads back goes by key, so that what is on its way round can be dealt out when the job is
//! rescaled. The track counts the laps of each runner in its keyed state; a runner that is lost never comes
//! home, one that is doubled or comes to a subtask that does not own it comes home with another count.
//!
//! Runners are unique and do not meet: the output is each with its laps, a multiset.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::draw::Draw;
use super::records::Records;
use super::{Build, Experiment, Workload, WorkloadError, WorkloadSettings, encoded};
use crate::dataflow::{
    Collector, Context, EncodedSink, Input, JobBuilder, StateDeclarations, TwoInputOperator,
    ValueState,
};

pub(super) const WORKLOAD: Workload = Workload {
    name: Cow::Borrowed("laps"),
    about: Cow::Borrowed("runners that go round a loop by their own key, counted at every lap"),
    unit: Cow::Borrowed("runners"),
    records_usual: 500,
    records_max: 10_000_000,
    single_split: false,
    build: Build::Function(build),
};

const LAPS_MAX: u64 = 40;

/// A runner who has so many laps to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Runner {
    number: u64,
    left: u64,
    /// How many laps the track has counted.
    counted: u64,
}

fn build(settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
    let count = settings.records.unwrap_or(WORKLOAD.records_usual);
    let mut draw = Draw::new(&WORKLOAD.name, settings.seed);
    let runner = |number| Runner { number, left: 1 + draw.below(LAPS_MAX), counted: 0 };
    let runners: Vec<Runner> = (0..count).map(runner).collect();
    let input = Input::dealt_as(runners.iter().map(encoded), settings.splits, settings.deal);
    Experiment::new(&job(settings), input, &reference(&runners))
}

fn job(settings: &WorkloadSettings) -> JobBuilder {
    let parallelism = settings.parallelism;
    let job = JobBuilder::new(&WORKLOAD.name);
    let again = job.feedback::<Runner>("again");
    let laps = job
        .source("runners", Records::<Runner>::new(), parallelism, settings.splits)
        .key_by(|runner| runner.number)
        .connect(again.stream().key_by(|runner| runner.number))
        .process2("track", parallelism, Track::new);
    again.close(&laps.filter("running", parallelism, |runner| runner.left > 0));
    laps.filter("home", parallelism, |runner| runner.left == 0)
        .map("laps", parallelism, |runner| (runner.number, runner.counted))
        .transactional_sink("results", parallelism, EncodedSink::new());
    job
}

/// Counts the laps of each runner.
#[derive(Clone)]
struct Track {
    laps: ValueState<u64>,
}

impl Track {
    fn new(states: &mut StateDeclarations) -> Self {
        Self { laps: states.value("laps") }
    }

    fn run(&self, runner: Runner, ctx: &mut Context<'_>, out: &mut Collector<'_, Runner>) {
        let counted = ctx.value(&self.laps).update(|laps| laps.unwrap_or(0) + 1);
        out.emit(Runner { left: runner.left.saturating_sub(1), counted, ..runner });
    }
}

impl TwoInputOperator for Track {
    type Left = Runner;
    type Right = Runner;
    type Out = Runner;

    fn process_left(
        &mut self,
        runner: Runner,
        ctx: &mut Context<'_>,
        out: &mut Collector<'_, Runner>,
    ) {
        self.run(runner, ctx, out);
    }

    fn process_right(
        &mut self,
        runner: Runner,
        ctx: &mut Context<'_>,
        out: &mut Collector<'_, Runner>,
    ) {
        self.run(runner, ctx, out);
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, Runner>) {}
}

/// Each runner with its laps.
fn reference(runners: &[Runner]) -> Vec<(u64, u64)> {
    runners.iter().map(|runner| (runner.number, runner.left)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_runs_the_laps_they_have() {
        let runners = [3, 1].map(|left| Runner { number: left, left, counted: 0 });
        assert_eq!(reference(&runners), [(3, 3), (1, 1)]);
    }
}
