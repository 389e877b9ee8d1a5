//! Records that wait for the answers of a service, out of order and in order, and windows behind them.
//!
//! What an answer is depends on the record alone, and a window is given when the watermark has passed its
//! end. Records are in time within a split, and the watermark stays as close as it can; so a record that a
//! watermark overtook is late, and missing from its window.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

use super::draw::Draw;
use super::own::Build;
use super::{Experiment, Workload, WorkloadError, WorkloadSettings, decoded, encoded};
use crate::dataflow::{
    Aggregate, EncodedSink, Entry, Input, JobBuilder, Source, SourceCollector, WindowResult,
    Windows,
};
use crate::protocol::ordered::VecMap;

pub(super) const WORKLOAD: Workload = Workload {
    name: Cow::Borrowed("requests"),
    about: Cow::Borrowed(
        "answers of a service, out of order and in order, added up in narrow windows: requests under way at a cut",
    ),
    unit: Cow::Borrowed("questions"),
    records_usual: 1_000,
    records_max: 10_000_000,
    single_split: false,
    build: Build::Function(build),
};

/// How long a window is, in milliseconds.
const SIZE: i64 = 15;
const STEP_MAX: u64 = 10;
const TOPICS: u64 = 4;
/// How many requests of a subtask are under way at once: out of order, and in order.
const UNDER_WAY_MAX: [u16; 2] = [4, 2];

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Question {
    topic: u64,
    at: i64,
    number: u64,
}

/// What the answers of a window come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Sum {
    topic: u64,
    start: i64,
    answers: u64,
    sum: u64,
}

fn build(settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
    let questions = drawn(settings.records.unwrap_or(WORKLOAD.records_usual), settings.seed);
    let input = Input::dealt_as(questions.iter().map(encoded), settings.splits, settings.deal);
    Experiment::new(&job(settings), input, &reference(&questions))
}

fn job(settings: &WorkloadSettings) -> JobBuilder {
    let parallelism = settings.parallelism;
    let job = JobBuilder::new(&WORKLOAD.name);
    let [unordered, ordered] = UNDER_WAY_MAX;
    job.source("questions", Questions, parallelism, settings.splits)
        .rebalance()
        .unordered_wait("looked-up", parallelism, unordered, looked_up)
        .rebalance()
        .ordered_wait("rated", parallelism, ordered, |(topic, value)| [(topic, value * 2)])
        .key_by(|(topic, _)| *topic)
        .window(Windows::tumbling(SIZE as u32))
        .aggregate("sums", parallelism, Total)
        .map("told", parallelism, |WindowResult { key, window, value: (answers, sum) }| Sum {
            topic: key,
            start: window.start,
            answers,
            sum,
        })
        .transactional_sink("told-sums", parallelism, EncodedSink::new());
    job
}

/// One answer to most questions, two to some, none to a few.
fn looked_up(question: Question) -> Vec<(u64, u64)> {
    let Question { topic, number, .. } = question;
    (0..answers_to(number)).map(|which| (topic, number + which)).collect()
}

fn answers_to(number: u64) -> u64 {
    match number % 8 {
        0 => 2,
        1 => 0,
        _ => 1,
    }
}

/// How many answers, and what they come to.
#[derive(Clone)]
struct Total;

impl Aggregate for Total {
    type In = (u64, u64);
    type Accumulator = (u64, u64);
    type Out = (u64, u64);

    fn create(&self) -> (u64, u64) {
        (0, 0)
    }

    fn add(&self, (_, value): (u64, u64), (answers, sum): (u64, u64)) -> (u64, u64) {
        (answers + 1, sum + value)
    }

    fn merge(&self, one: (u64, u64), other: (u64, u64)) -> (u64, u64) {
        (one.0 + other.0, one.1 + other.1)
    }

    fn result(&self, total: &(u64, u64)) -> (u64, u64) {
        *total
    }
}

/// Questions in the order of their times; drawn from `seed`.
fn drawn(records: u64, seed: u64) -> Vec<Question> {
    let mut draw = Draw::new("requests", seed);
    let mut at = 0;
    let mut question = |_| {
        at += draw.below(STEP_MAX).cast_signed();
        Question { topic: draw.below(TOPICS), at, number: draw.below(1 << 20) }
    };
    (0..records).map(&mut question).collect()
}

/// Reads questions.
#[derive(Clone)]
struct Questions;

impl Source for Questions {
    type Out = Question;
    type State = ();

    fn read(&mut self, entry: Entry<'_>, out: &mut SourceCollector<'_, Question>) {
        let question: Question = decoded(entry.bytes);
        let at = question.at;
        out.emit(at, question);
        // More of the same time may follow.
        out.watermark(at - 1);
    }

    fn snapshot(&self) {}

    fn restore(&mut self, (): ()) {}
}

/// What the windows must come to.
fn reference(questions: &[Question]) -> Vec<Sum> {
    let mut windows = VecMap::<(i64, u64), Sum>::new();
    for Question { topic, at, number } in questions {
        for which in 0..answers_to(*number) {
            let start = at / SIZE * SIZE;
            let empty = Sum { topic: *topic, start, answers: 0, sum: 0 };
            let sum = windows.entry((start, *topic)).or_insert(empty);
            sum.answers += 1;
            sum.sum += 2 * (number + which);
        }
    }
    windows.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_added_up_by_topic_and_window() {
        let question = |at, number| Question { topic: 3, at, number };
        let sums = reference(&[question(0, 8), question(14, 2), question(15, 9), question(16, 3)]);
        let sum = |start, answers, sum| Sum { topic: 3, start, answers, sum };
        assert_eq!(sums, [sum(0, 3, 38), sum(15, 1, 6)]);
    }

    #[test]
    fn windows_are_many_and_narrow() {
        let questions = drawn(1_000, 0);
        assert!(questions.is_sorted_by_key(|question| question.at));
        assert!(reference(&questions).len() > 300);
    }
}
