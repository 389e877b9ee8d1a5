//! The jobs that walk-throughs of rescaling are about, with the operators that they are made of.

use cutwater::dataflow::{
    Collector, Context, EncodedSink, Job, JobBuilder, Operator, OperatorState, Replay,
    StateDeclarations, TwoInputOperator, ValueState,
};

/// How many splits every source has.
const SPLITS: u16 = 4;

/// The job with this name: `counting` words by key, `noting` them in lists, `stamping` them behind a forward
/// edge, or `circling` them on a loop.
pub fn job(name: &str, parallelism: u16) -> Result<Job, String> {
    let builder = JobBuilder::new(name);
    let words = builder.source("words", Replay::<String>::new(), parallelism, SPLITS);
    match name {
        "counting" => words
            .key_by(String::clone)
            .process("count", parallelism, |states: &mut StateDeclarations| Count::new(states))
            .rebalance()
            .transactional_sink("out", 1, EncodedSink::new()),
        "noting" => words
            .rebalance()
            .process("note", parallelism, |states: &mut StateDeclarations| Note::new(states))
            .rebalance()
            .transactional_sink("out", 1, EncodedSink::new()),
        "stamping" => words
            .map("stamp", parallelism, |word| word)
            .key_by(String::clone)
            .process("count", parallelism, |states: &mut StateDeclarations| Count::new(states))
            .rebalance()
            .transactional_sink("out", 1, EncodedSink::new()),
        "circling" => {
            let again = builder.feedback::<String>("again");
            let seen = words
                .key_by(String::clone)
                .connect(again.stream().key_by(String::clone))
                .process2("count", parallelism, |states: &mut StateDeclarations| Round {
                    count: Count::new(states),
                })
                .map("word", parallelism, |(word, _)| word);
            again.close(&seen.filter("again", parallelism, |_| false));
            seen.rebalance().transactional_sink("out", 1, EncodedSink::new());
        }
        _ => return Err(format!("unknown job {name:?}")),
    }
    builder.fix("out");
    builder.build().map_err(|error| error.to_string())
}

/// Counts words; a word's timer is set for its own time.
#[derive(Clone)]
struct Count {
    seen: ValueState<u64>,
}

impl Count {
    fn new(states: &mut StateDeclarations) -> Self {
        Self { seen: states.value("seen") }
    }

    fn count(&self, word: String, ctx: &mut Context<'_>, out: &mut Collector<'_, (String, u64)>) {
        let seen = ctx.value(&self.seen).update(|seen| seen.unwrap_or(0) + 1);
        out.emit((word, seen));
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
        self.count(word, ctx, out);
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, (String, u64)>) {}
}

/// Counts words that come from outside, and those that come round.
#[derive(Clone)]
struct Round {
    count: Count,
}

impl TwoInputOperator for Round {
    type Left = String;
    type Right = String;
    type Out = (String, u64);

    fn process_left(
        &mut self,
        word: String,
        ctx: &mut Context<'_>,
        out: &mut Collector<'_, (String, u64)>,
    ) {
        self.count.count(word, ctx, out);
    }

    fn process_right(
        &mut self,
        word: String,
        ctx: &mut Context<'_>,
        out: &mut Collector<'_, (String, u64)>,
    ) {
        self.count.count(word, ctx, out);
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, (String, u64)>) {}
}

/// Notes each word in a list of its own and in a union, and the first ones in a list that is the same everywhere.
#[derive(Clone)]
struct Note {
    own: OperatorState<String>,
    all: OperatorState<String>,
    rules: OperatorState<String>,
}

impl Note {
    fn new(states: &mut StateDeclarations) -> Self {
        Self {
            own: states.operator_list("own"),
            all: states.union_list("all"),
            rules: states.broadcast_list("rules"),
        }
    }
}

impl Operator for Note {
    type In = String;
    type Out = String;

    fn process(&mut self, word: String, ctx: &mut Context<'_>, _: &mut Collector<'_, String>) {
        if let Some(rule) = word.strip_prefix('!') {
            return ctx.operator_list(&self.rules).push(&rule.to_owned());
        }
        ctx.operator_list(&self.own).push(&word);
        ctx.operator_list(&self.all).push(&word);
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, String>) {}
}
