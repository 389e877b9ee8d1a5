//! Work that is begun and done, and noted meanwhile in a union list, as agents note which keys they are at.
//!
//! Each key comes twice, and all its records to one subtask: it is noted once when its work is done. After a
//! restore every subtask has the notes of all, and must keep its own: what it kept of others would be in its
//! next snapshot too, and found twice after the next restore.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

use super::draw::Draw;
use super::own::Build;
use super::records::Records;
use super::{Experiment, Workload, WorkloadError, WorkloadSettings, encoded};
use crate::dataflow::{
    Collector, Context, EncodedSink, Input, JobBuilder, Operator, OperatorState, StateDeclarations,
    SubtaskContext,
};
use crate::protocol::ordered::VecMap;

pub(super) const WORKLOAD: Workload = Workload {
    name: Cow::Borrowed("agents"),
    about: Cow::Borrowed(
        "keys at work noted in a union list, of which each subtask keeps its own after every restore",
    ),
    unit: Cow::Borrowed("keys"),
    records_usual: 500,
    records_max: 1_000_000,
    single_split: true,
    build: Build::Function(build),
};

/// How many keys are at work at once, at least and at most.
const AT_WORK: [u64; 2] = [10, 40];

/// What becomes of a key when its work is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Done {
    key: u64,
    /// How often it was noted.
    noted: u64,
}

fn build(settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
    let keys = drawn(settings.records.unwrap_or(WORKLOAD.records_usual), settings.seed);
    let input = Input::dealt(keys.iter().map(encoded), 1);
    Experiment::new(&job(settings), input, &reference(&keys))
}

fn job(settings: &WorkloadSettings) -> JobBuilder {
    let parallelism = settings.parallelism;
    let job = JobBuilder::new(&WORKLOAD.name);
    job.source("events", Records::<u64>::new(), 1, 1)
        .key_by(|key| *key)
        .process("agents", parallelism, Agents::new)
        .transactional_sink("done", parallelism, EncodedSink::new());
    job.fix("events");
    job
}

/// Notes keys that are at work.
#[derive(Clone)]
struct Agents {
    at_work: OperatorState<u64>,
}

impl Agents {
    fn new(states: &mut StateDeclarations) -> Self {
        Self { at_work: states.union_list("at-work") }
    }
}

impl Operator for Agents {
    type In = u64;
    type Out = Done;

    fn process(&mut self, key: u64, ctx: &mut Context<'_>, out: &mut Collector<'_, Done>) {
        let mut at_work = ctx.operator_list(&self.at_work);
        let noted = at_work.iter().filter(|other| *other == key).count() as u64;
        if noted == 0 {
            return at_work.push(&key);
        }
        at_work.retain(|other| *other != key);
        out.emit(Done { key, noted });
    }

    fn on_restore(&mut self, ctx: &mut SubtaskContext<'_>) {
        ctx.keep_own(&self.at_work, |key| *key);
    }
}

/// Each key twice: as its work begins and as it is done, `count` keys in all; drawn from `seed`.
fn drawn(count: u64, seed: u64) -> Vec<u64> {
    let mut draw = Draw::new("agents", seed);
    let mut events: Vec<(u64, u64)> = Vec::new();
    for key in 0..count {
        let last = 2 * (key + AT_WORK[0] + draw.below(AT_WORK[1] - AT_WORK[0]));
        events.extend([(2 * key, key), (last + 1, key)]);
    }
    events.sort_unstable();
    events.into_iter().map(|(_, key)| key).collect()
}

/// Every key that comes a second time was noted once.
fn reference(keys: &[u64]) -> Vec<Done> {
    let mut seen = VecMap::<u64, u64>::new();
    let mut done = Vec::new();
    for key in keys {
        let times = seen.entry(*key).or_insert(0);
        *times += 1;
        if *times == 2 {
            done.push(Done { key: *key, noted: 1 });
        }
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_begun_and_done() {
        let keys = drawn(200, 3);
        assert_eq!((keys.len(), reference(&keys).len()), (400, 200));
        let place = |key, times: usize| {
            let all = keys.iter().enumerate().filter(|(_, other)| **other == key);
            all.map(|(place, _)| place).nth(times).expect("it comes twice")
        };
        assert!(
            (0..150).all(|key| place(key, 1) - place(key, 0) > 10),
            "some work is done at once"
        );
    }
}
