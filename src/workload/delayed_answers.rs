//! Questions that an operator keeps until its clock has gone on, and that a service answers then: all that is emitted
//! when no record leads to it, by timers in processing time and by answers.
//!
//! What comes out depends on each question alone, and not on when it comes out: how long one is kept is the clock's
//! affair, and at the end of the input what is left leaves. So a job that was stopped and resumed gives the same, and
//! one that was drained gives what was read, each answer once. Some leave by a side output and join the others again.
//! Nothing stands between the last answers and the sink: what is emitted behind a savepoint is in a channel there.

use std::borrow::Cow;

use super::draw::Draw;
use super::own::Build;
use super::records::Records;
use super::{Experiment, Workload, WorkloadError, WorkloadSettings, encoded};
use crate::dataflow::{
    Collector, Context, EncodedSink, Input, JobBuilder, ListState, Operator, OutputTag,
    StateDeclarations,
};

pub(super) const WORKLOAD: Workload = Workload {
    name: Cow::Borrowed("delayed-answers"),
    about: Cow::Borrowed(
        "questions kept until the clock has gone on, and answered by a service: emitted by timers and answers, not by records",
    ),
    unit: Cow::Borrowed("questions"),
    records_usual: 500,
    records_max: 10_000_000,
    single_split: false,
    build: Build::Function(build),
};

/// How many requests of a subtask are under way at once: out of order, and in order.
const UNDER_WAY_MAX: [u16; 2] = [4, 2];

/// For how long a question is kept, in milliseconds on the clock of the worker.
const KEPT_MS: i64 = 8;

const TOPICS: u64 = 5;

/// Questions that take another way.
const ASIDE: OutputTag<u64> = OutputTag::new("aside");

fn build(settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
    let numbers = drawn(settings.records.unwrap_or(WORKLOAD.records_usual), settings.seed);
    let input = Input::dealt_as(numbers.iter().map(encoded), settings.splits, settings.deal);
    Experiment::new(&job(settings), input, &reference(&numbers))
}

fn job(settings: &WorkloadSettings) -> JobBuilder {
    let parallelism = settings.parallelism;
    let job = JobBuilder::new(&WORKLOAD.name);
    let [unordered, ordered] = UNDER_WAY_MAX;
    let kept = job
        .source("questions", Records::<u64>::new(), parallelism, settings.splits)
        .key_by(|question| question % TOPICS)
        .process("kept", parallelism, Kept::new);
    let aside = kept.side_output(ASIDE).map("turned", parallelism, |question| question + 1);
    kept.union("all", parallelism, &[&aside])
        .unordered_wait("looked-up", parallelism, unordered, answers_to)
        .rebalance()
        .ordered_wait("rated", parallelism, ordered, |answer| [answer * 2])
        .transactional_sink("told", parallelism, EncodedSink::new());
    job
}

/// One answer to most questions, two to some, none to a few.
fn answers_to(number: u64) -> Vec<u64> {
    match number % 8 {
        0 => vec![number, number + 1],
        1 => Vec::new(),
        _ => vec![number],
    }
}

/// Keeps what it is given until the oldest of a topic is so old, or the input has ended.
#[derive(Clone)]
struct Kept {
    questions: ListState<u64>,
}

impl Kept {
    fn new(states: &mut StateDeclarations) -> Self {
        Self { questions: states.list("questions") }
    }

    fn release(&self, ctx: &mut Context<'_>, out: &mut Collector<'_, u64>) {
        let mut questions = ctx.list(&self.questions);
        for question in questions.iter() {
            match is_aside(question) {
                true => out.emit_to(ASIDE, question),
                false => out.emit(question),
            }
        }
        questions.clear();
    }
}

fn is_aside(question: u64) -> bool {
    question.is_multiple_of(3)
}

impl Operator for Kept {
    type In = u64;
    type Out = u64;

    fn process(&mut self, question: u64, ctx: &mut Context<'_>, _: &mut Collector<'_, u64>) {
        if ctx.list(&self.questions).is_empty() {
            ctx.register_processing_timer(ctx.processing_time() + KEPT_MS);
            ctx.register_timer(i64::MAX);
        }
        ctx.list(&self.questions).push(&question);
    }

    fn on_timer(&mut self, _: i64, ctx: &mut Context<'_>, out: &mut Collector<'_, u64>) {
        self.release(ctx, out);
    }

    fn on_processing_timer(&mut self, _: i64, ctx: &mut Context<'_>, out: &mut Collector<'_, u64>) {
        self.release(ctx, out);
    }
}

/// Questions; drawn from `seed`.
fn drawn(records: u64, seed: u64) -> Vec<u64> {
    let mut draw = Draw::new("delayed-answers", seed);
    (0..records).map(|_| draw.below(1 << 20)).collect()
}

/// What comes of each question.
fn reference(questions: &[u64]) -> Vec<u64> {
    let mut told = Vec::new();
    for question in questions {
        let asked = question + u64::from(question % 3 == 0);
        let answers = match asked % 8 {
            0 => vec![asked, asked + 1],
            1 => Vec::new(),
            _ => vec![asked],
        };
        told.extend(answers.iter().map(|answer| 2 * answer));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_told_once_whatever_way_its_question_took() {
        assert_eq!(reference(&[8, 17, 10, 12, 15]), [16, 18, 20, 26, 32, 34]);
    }

    #[test]
    fn some_go_each_way() {
        let questions = drawn(300, 0);
        let aside = questions.iter().filter(|question| is_aside(**question)).count();
        assert!((50..150).contains(&aside), "{aside} of 300");
    }
}
