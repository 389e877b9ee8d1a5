//! Runs the walk-throughs of `fixtures/event-time/`: what watermarks, timers and late records do in one
//! subtask with two channels, before and after a restore.
//!
//! `UPDATE_WALKTHROUGHS=1 cargo test --test protocol event_time` rewrites what is expected: a claim, as elsewhere.
//!
//! | command | does |
//! |---|---|
//! | `defect NAME` | seeds a bug; before anything else |
//! | `record CHANNEL KEY TIME` | a record; it registers a timer of its key for its time, or is dropped as late |
//! | `watermark CHANNEL TIME`, `end CHANNEL` | a channel delivers a watermark, or its end |
//! | `snapshot`, `restore` | freezes the state; begins again from what was frozen last |

use std::fs;
use std::path::{Path, PathBuf};

use cutwater::dataflow::{
    Collector, Context, EncodedSink, Entry, Item, Job, JobBuilder, Operator, Outputs, Record,
    Source, SourceCollector, StateDeclarations, Subtask, SubtaskState, TimeStep, TimerId,
};
use cutwater::protocol::{Defect, DefectSet, Digest, LineageId, SubtaskId};

const KEYS: std::ops::Range<u16> = 0..10;

/// Reads nothing that matters here.
#[derive(Clone)]
struct Nothing;

impl Source for Nothing {
    type Out = u16;
    type State = ();

    fn read(&mut self, _: Entry<'_>, _: &mut SourceCollector<'_, u16>) {}

    fn snapshot(&self) {}

    fn restore(&mut self, (): ()) {}
}

/// A timer for each record that is not late.
#[derive(Clone)]
struct Alarm;

impl Operator for Alarm {
    type In = u16;
    type Out = u16;

    fn process(&mut self, _: u16, ctx: &mut Context<'_>, _: &mut Collector<'_, u16>) {
        if ctx.timestamp() <= ctx.watermark() {
            return ctx.drop_late();
        }
        ctx.register_timer(ctx.timestamp());
    }

    fn on_timer(&mut self, _: i64, ctx: &mut Context<'_>, out: &mut Collector<'_, u16>) {
        out.emit(ctx.key());
    }
}

fn job() -> Job {
    let builder = JobBuilder::new("alarm");
    builder
        .source("in", Nothing, 2, 2)
        .key_by(|key| *key)
        .process("alarm", 1, |_: &mut StateDeclarations| Alarm)
        .transactional_sink("out", 1, EncodedSink::new());
    builder.build().expect("the job is well formed")
}

/// The subtask on stage.
struct Stage {
    job: Job,
    defects: DefectSet,
    subtask: Subtask,
    frozen: SubtaskState,
    told: Vec<String>,
}

impl Stage {
    fn new() -> Self {
        let (job, defects) = (job(), DefectSet::NONE);
        let subtask = job.subtask(SubtaskId(2), defects);
        let frozen = subtask.freeze();
        Self { job, defects, subtask, frozen, told: Vec::new() }
    }

    fn command(&mut self, line: &str) {
        self.told.push(format!("> {line}"));
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["defect", name] => {
                let defect: Defect = name.parse().expect("the name of a defect");
                self.defects = DefectSet::only(defect);
                self.subtask = self.job.subtask(SubtaskId(2), self.defects);
            }
            ["record", channel, key, time] => {
                let payload = postcard::to_stdvec(&number::<u16>(key)).expect("plain data");
                let record = Record {
                    lineage: LineageId(0),
                    timestamp: number(time),
                    payload: payload.as_slice().into(),
                };
                self.process(channel, Item::Record(record));
            }
            ["watermark", channel, time] => self.process(channel, Item::Watermark(number(time))),
            ["end", channel] => {
                self.step(|subtask, out| subtask.end_channel(input(channel), out));
            }
            ["snapshot"] => {
                self.frozen = self.subtask.freeze();
                self.tell_stand("freezes");
            }
            ["restore"] => {
                self.subtask = self.job.subtask(SubtaskId(2), self.defects);
                self.subtask.restore(&self.frozen).expect("its own snapshot");
                self.tell_stand("begins with");
            }
            _ => panic!("unknown command {line:?}"),
        }
    }

    fn process(&mut self, channel: &str, item: Item) {
        self.step(|subtask, out| subtask.process(input(channel), item, out));
    }

    fn step(&mut self, step: impl FnOnce(&mut Subtask, &mut Outputs)) {
        let mut out = Outputs { observes_time: true, ..Outputs::default() };
        step(&mut self.subtask, &mut out);
        let mut steps = out.time.into_iter().peekable();
        for (sent, (_, item)) in out.items.into_iter().enumerate() {
            while let Some((_, step)) = steps.next_if(|(before, _)| *before <= sent) {
                self.told.push(format!("  alarm: {}", told(step)));
            }
            self.told.push(format!("  alarm: {}", sent_item(&item)));
        }
        self.told.extend(steps.map(|(_, step)| format!("  alarm: {}", told(step))));
    }

    fn tell_stand(&mut self, verb: &str) {
        let stand = self.subtask.time();
        let (watermark, timers) = (time(stand.watermark), stand.timers);
        self.told.push(format!("  alarm: {verb} watermark {watermark}, timers {timers}"));
    }
}

fn number<T: std::str::FromStr>(word: &str) -> T {
    word.parse().unwrap_or_else(|_| panic!("{word:?} is not a number"))
}

fn input(channel: &str) -> usize {
    ["a", "b"].iter().position(|name| *name == channel).expect("the channels are a and b")
}

fn time(watermark: i64) -> String {
    match watermark {
        i64::MIN => "none".to_owned(),
        i64::MAX => "last".to_owned(),
        watermark => watermark.to_string(),
    }
}

fn timer(timer: TimerId) -> String {
    let is_it = |key: &u16| Digest::of(&postcard::to_stdvec(key).expect("plain data")) == timer.key;
    let key = KEYS.clone().find(is_it).expect("keys are below 10");
    format!("timer of {key} for {}", timer.timestamp)
}

fn told(step: TimeStep) -> String {
    match step {
        TimeStep::Advanced { watermark } => format!("watermark {}", time(watermark)),
        TimeStep::Registered(id) => format!("register {}", timer(id)),
        TimeStep::Deleted(id) => format!("delete {}", timer(id)),
        TimeStep::Fired(id) => format!("fire {}", timer(id)),
        TimeStep::Dropped { timestamp, .. } => format!("drop record of {timestamp} as late"),
    }
}

fn sent_item(item: &Item) -> String {
    match item {
        Item::Record(record) => {
            let key: u16 = postcard::from_bytes(&record.payload).expect("plain data");
            format!("emit {key} of {}", record.timestamp)
        }
        Item::Watermark(watermark) => format!("send watermark {}", time(*watermark)),
    }
}

/// The text with what the commands lead to.
fn played(text: &str) -> String {
    let mut stage = Stage::new();
    let mut shown = Vec::new();
    for block in text.trim_end().split("\n\n") {
        let (commands, _) = block.split_once("\n----").unwrap_or((block, ""));
        shown.extend(commands.lines().map(str::to_owned));
        let is_command = |line: &&str| !line.starts_with('#') && !line.is_empty();
        let commands: Vec<_> = commands.lines().filter(is_command).collect();
        if !commands.is_empty() {
            commands.into_iter().for_each(|line| stage.command(line));
            shown.push("----".to_owned());
            shown.append(&mut stage.told);
        }
        shown.push(String::new());
    }
    shown.pop();
    shown.join("\n") + "\n"
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/event-time");
    let entries = fs::read_dir(folder).expect("the folder is there");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    files.sort();
    files
}

#[test]
fn every_walkthrough_of_event_time_holds() {
    let files = files();
    assert!(!files.is_empty(), "there are no walk-throughs");
    for path in files {
        let text = fs::read_to_string(&path).expect("readable");
        let shown = played(&text);
        if std::env::var_os("UPDATE_WALKTHROUGHS").is_some() {
            fs::write(&path, &shown).expect("writable");
        } else {
            assert_eq!(text, shown, "{}", path.display());
        }
    }
}
