//! The words of Jane Austen's *Emma*, counted.
//!
//! Every update is an output: the n-th time that a word comes, `(word, n)`. All updates of a word are
//! made by one subtask, one at a time, so that the updates of a word that comes *m* times are
//! `(word, 1)` to `(word, m)` in whatever order its occurrences arrive: a multiset.

mod reference;
mod text;

use std::borrow::Cow;

use super::{Build, Experiment, Workload, WorkloadError, WorkloadSettings};
use crate::dataflow::{
    Collector, Context, EncodedSink, Entry, Input, JobBuilder, Operator, Source, SourceCollector,
    StateDeclarations, ValueState,
};

/// How many words the text has.
const WORDS: u64 = 160_994;

pub(super) const WORKLOAD: Workload = Workload {
    name: Cow::Borrowed("word-count"),
    about: Cow::Borrowed(
        "the words of Jane Austen's Emma counted, every update an output: keyed state with skewed keys",
    ),
    unit: Cow::Borrowed("words"),
    records_usual: WORDS,
    records_max: WORDS,
    single_split: false,
    build: Build::Function(build),
};

fn build(settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
    let text = text::slice(settings.records, settings.seed);
    let input = Input::dealt_as(text.lines(), settings.splits, settings.deal);
    Experiment::new(&job(settings), input, &reference::updates(text))
}

fn job(settings: &WorkloadSettings) -> JobBuilder {
    let parallelism = settings.parallelism;
    let job = JobBuilder::new(&WORKLOAD.name);
    job.source("lines", Lines, parallelism, settings.splits)
        .flat_map("words", parallelism, |line: String| text::words(&line).collect::<Vec<_>>())
        .key_by(String::clone)
        .process("count", parallelism, Count::new)
        .transactional_sink("counts", parallelism, EncodedSink::new());
    job
}

/// Reads lines of text.
#[derive(Clone)]
struct Lines;

impl Source for Lines {
    type Out = String;
    type State = ();

    fn read(&mut self, entry: Entry<'_>, out: &mut SourceCollector<'_, String>) {
        let line = String::from_utf8_lossy(entry.bytes).into_owned();
        out.emit(entry.offset.cast_signed(), line);
    }

    fn snapshot(&self) {}

    fn restore(&mut self, (): ()) {}
}

/// Counts each word.
#[derive(Clone)]
struct Count {
    count: ValueState<u64>,
}

impl Count {
    fn new(states: &mut StateDeclarations) -> Self {
        Self { count: states.value("count") }
    }
}

impl Operator for Count {
    type In = String;
    type Out = (String, u64);

    fn process(
        &mut self,
        word: String,
        ctx: &mut Context<'_>,
        out: &mut Collector<'_, (String, u64)>,
    ) {
        let count = ctx.value(&self.count).update(|count| count.unwrap_or(0) + 1);
        out.emit((word, count));
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, (String, u64)>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_as_many_words_as_the_workload_says() {
        assert_eq!(text::word_count(), WORDS);
    }
}
