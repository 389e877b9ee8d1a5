//! Whole jobs in one thread, interrupted anywhere between two entries: the output is the same to the byte.

use std::collections::{BTreeMap, VecDeque};

use cutwater::dataflow::{
    Collector, Context, EncodedSink, Entry, Input, Item, Job, JobBuilder, Operator, Outputs,
    Record, Source, SourceCollector, StateDeclarations, Subtask, ValueState,
};
use cutwater::protocol::{DefectSet, SplitId, SubtaskId};
use proptest::collection::vec;
use proptest::prelude::*;

/// Lines of words; their time is the offset.
#[derive(Clone)]
struct Lines;

impl Source for Lines {
    type Out = String;
    type State = ();

    fn read(&mut self, entry: Entry<'_>, out: &mut SourceCollector<'_, String>) {
        let time = entry.offset as i64;
        out.emit(time, String::from_utf8_lossy(entry.bytes).into_owned());
        out.watermark(time);
    }

    fn snapshot(&self) {}

    fn restore(&mut self, (): ()) {}
}

/// Counts each word in windows of ten, and emits a window when the watermark passes its end.
#[derive(Clone)]
struct Windows {
    count: ValueState<u64>,
}

impl Windows {
    fn new(states: &mut StateDeclarations) -> Self {
        Self { count: states.value("count") }
    }
}

impl Operator for Windows {
    type In = (String, i64);
    type Out = (String, i64, u64);

    fn process(
        &mut self,
        (_, window): (String, i64),
        ctx: &mut Context<'_>,
        _: &mut Collector<'_, Self::Out>,
    ) {
        ctx.value(&self.count).update(|count| count.unwrap_or(0) + 1);
        ctx.register_timer(window + 9);
    }

    fn on_timer(&mut self, at: i64, ctx: &mut Context<'_>, out: &mut Collector<'_, Self::Out>) {
        let (word, window): (String, i64) = ctx.key();
        assert_eq!(at, window + 9);
        let count = ctx.value(&self.count).get().expect("a window with a timer has a count");
        ctx.value(&self.count).clear();
        out.emit((word, window, count));
    }
}

/// Gives each word its window; operator without a key.
#[derive(Clone)]
struct Assign;

impl Operator for Assign {
    type In = String;
    type Out = (String, i64);

    fn process(&mut self, word: String, ctx: &mut Context<'_>, out: &mut Collector<'_, Self::Out>) {
        out.emit((word, ctx.timestamp().div_euclid(10) * 10));
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, Self::Out>) {}
}

fn words_job(splits: u16, parallelism: u16) -> Job {
    let builder = JobBuilder::new("windows");
    builder
        .source("lines", Lines, 1, splits)
        .shift()
        .flat_map("words", parallelism, |line: String| {
            line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        })
        .process("assign", parallelism, |_: &mut StateDeclarations| Assign)
        .key_by(|assigned| assigned.clone())
        .process("windows", parallelism, Windows::new)
        .rebalance()
        .transactional_sink("sink", 2, EncodedSink::new());
    builder.build().unwrap()
}

/// All subtasks of a job, and what their sinks have written.
struct Run {
    job: Job,
    subtasks: Vec<Subtask>,
    written: Vec<(SubtaskId, Record)>,
}

impl Run {
    fn new(job: &Job) -> Self {
        let subtasks = job.topology().subtask_ids().map(|id| job.subtask(id, DefectSet::NONE));
        Self { job: job.clone(), subtasks: subtasks.collect(), written: Vec::new() }
    }

    /// Reads all input, split by split in turn; restores every subtask before each entry in `cuts`.
    fn read_all(mut self, input: &Input, cuts: &[usize]) -> Vec<(SubtaskId, Record)> {
        let longest = input.lengths().into_iter().max().unwrap_or(0);
        let splits = || (0..input.split_count()).map(SplitId);
        let entries = (0..=longest).flat_map(|offset| splits().map(move |split| (split, offset)));
        for (number, (split, offset)) in entries.enumerate() {
            if cuts.contains(&number) {
                self.restore();
            }
            self.read(input, split, offset);
        }
        self.written
    }

    fn restore(&mut self) {
        for subtask in &mut self.subtasks {
            let state = subtask.freeze();
            *subtask = self.job.subtask(subtask.id(), DefectSet::NONE);
            subtask.restore(&state).unwrap();
        }
    }

    fn read(&mut self, input: &Input, split: SplitId, offset: u64) {
        let mut out = Outputs::default();
        let source = &mut self.subtasks[0];
        match input.entry(split, offset) {
            Some(entry) => source.read(split, offset, entry, &mut out),
            None if offset == input.len(split) => drop(source.end_split(split, &mut out)),
            None => {}
        }
        self.deliver(SubtaskId(0), out);
    }

    /// Delivers what a subtask produced, and all that follows from it.
    fn deliver(&mut self, from: SubtaskId, out: Outputs) {
        let mut queue = VecDeque::from([(from, out)]);
        while let Some((from, out)) = queue.pop_front() {
            self.written.extend(out.written.into_iter().map(|record| (from, record)));
            for (output, item) in out.items {
                queue.push_back(self.hand_over(from, output, item));
            }
        }
    }

    fn hand_over(&mut self, from: SubtaskId, output: u16, item: Item) -> (SubtaskId, Outputs) {
        let topology = self.job.topology();
        let channel = topology.outputs(from).nth(usize::from(output)).unwrap();
        let to = topology.channels[channel.index()].to;
        let index = topology.inputs(to).position(|input| input == channel).unwrap();
        let mut out = Outputs::default();
        self.subtasks[to.index()].process(index, item, &mut out);
        (to, out)
    }
}

/// What the job should write, by a program that shares nothing with it.
fn reference(splits: &[Vec<String>]) -> BTreeMap<(String, i64), u64> {
    let mut windows = BTreeMap::new();
    for (offset, line) in splits.iter().flat_map(|split| (0_i64..).zip(split)) {
        for word in line.split_whitespace() {
            *windows.entry((word.to_owned(), offset / 10 * 10)).or_insert(0) += 1;
        }
    }
    windows
}

fn decoded(written: &[(SubtaskId, Record)]) -> BTreeMap<(String, i64), u64> {
    let decode = |(_, record): &(SubtaskId, Record)| {
        let (word, window, count) = postcard::from_bytes(&record.payload).unwrap();
        ((word, window), count)
    };
    let windows: BTreeMap<_, _> = written.iter().map(decode).collect();
    assert_eq!(windows.len(), written.len(), "each window is written once");
    windows
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn restores_between_entries_change_nothing(
        splits in vec(vec("([a-c]{1,2} ?){0,4}", 0..30), 1..4),
        parallelism in 1..5_u16,
        cuts in vec(0..90_usize, 0..4),
    ) {
        let lines = |split: &Vec<String>| split.iter().map(|line| line.clone().into_bytes()).collect();
        let input = Input::new(splits.iter().map(lines).collect());
        let job = words_job(input.split_count(), parallelism);
        let undisturbed = Run::new(&job).read_all(&input, &[]);
        prop_assert_eq!(decoded(&undisturbed), reference(&splits));
        prop_assert_eq!(Run::new(&job).read_all(&input, &cuts), undisturbed);
    }
}
