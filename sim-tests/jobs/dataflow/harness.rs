//! A subtask under test, and the operators that several tests share.

use cutwater::dataflow::{
    Collector, Context, Item, Job, JobBuilder, ListState, MapState, Operator, OperatorState,
    Outputs, Payload, Record, Replay, StateDeclarations, Stream, Subtask, SubtaskState, ValueState,
};
use cutwater::protocol::{DefectSet, LineageId, SplitId, SubtaskId};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A subtask, and what it produced last.
pub struct Harness {
    job: Job,
    pub subtask: Subtask,
    pub out: Outputs,
    fed: u64,
}

impl Harness {
    pub fn new(job: &Job, name: &str) -> Self {
        Self::with_defects(job, name, DefectSet::NONE)
    }

    pub fn with_defects(job: &Job, name: &str, defects: DefectSet) -> Self {
        let id = subtask_id(job, name);
        let subtask = job.subtask(id, defects);
        Self { job: job.clone(), subtask, out: Outputs::default(), fed: 0 }
    }

    /// Feeds a record with its own lineage to a channel; gives the decoded records emitted.
    pub fn record<T: Serialize, U: DeserializeOwned>(
        &mut self,
        channel: usize,
        timestamp: i64,
        value: &T,
    ) -> Vec<U> {
        let lineage = LineageId::of_entry(SplitId(99), self.fed);
        self.fed += 1;
        let item = Item::Record(Record { lineage, timestamp, payload: payload(value) });
        self.items(|subtask, out| subtask.process(channel, item, out));
        self.records()
    }

    /// Feeds a watermark; gives the decoded records that timers emitted.
    pub fn watermark<U: DeserializeOwned>(&mut self, channel: usize, watermark: i64) -> Vec<U> {
        self.items(|subtask, out| subtask.process(channel, Item::Watermark(watermark), out));
        self.records()
    }

    /// Runs one call, and keeps what it produced.
    pub fn items(&mut self, call: impl FnOnce(&mut Subtask, &mut Outputs)) -> &[(u16, Item)] {
        self.out = Outputs::default();
        call(&mut self.subtask, &mut self.out);
        &self.out.items
    }

    /// The records of the last call, decoded.
    pub fn records<U: DeserializeOwned>(&self) -> Vec<U> {
        self.raw_records().map(|record| postcard::from_bytes(&record.payload).unwrap()).collect()
    }

    /// The records of the last call.
    pub fn raw_records(&self) -> impl Iterator<Item = &Record> {
        self.out.items.iter().filter_map(|(_, item)| match item {
            Item::Record(record) => Some(record),
            Item::Watermark(_) => None,
        })
    }

    /// The watermarks of the last call, each with its channel.
    pub fn watermarks(&self) -> Vec<(u16, i64)> {
        let watermark = |(channel, item): &(u16, Item)| match item {
            Item::Record(_) => None,
            Item::Watermark(watermark) => Some((*channel, *watermark)),
        };
        self.out.items.iter().filter_map(watermark).collect()
    }

    /// Goes on with a fresh subtask, restored from a snapshot that went through bytes.
    pub fn recover(&mut self) {
        let bytes = self.subtask.freeze().encode();
        let state = SubtaskState::decode(&bytes).unwrap();
        self.subtask = self.job.subtask(self.subtask.id(), DefectSet::NONE);
        self.subtask.restore(&state).unwrap();
        assert_eq!(self.subtask.freeze(), state, "a restored subtask has the state restored");
    }
}

pub fn payload<T: Serialize>(value: &T) -> Payload {
    Payload::from_vec(postcard::to_stdvec(value).unwrap())
}

pub fn subtask_id(job: &Job, name: &str) -> SubtaskId {
    job.topology().subtask_named(name).unwrap_or_else(|| panic!("the job has a subtask {name}"))
}

/// A source of records of a type.
pub fn source<T: cutwater::dataflow::Data>(builder: &JobBuilder, parallelism: u16) -> Stream<T> {
    builder.source("source", Replay::new(), parallelism, parallelism)
}

/// What the test operator is told to do with the state of a key.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Op {
    SetValue(u64),
    ClearValue,
    Push(String),
    ClearList,
    Insert(u32, u64),
    Remove(u32),
    ClearMap,
    PushShared(u64),
    RegisterTimer(i64),
    DeleteTimer(i64),
    Show,
}

/// All that the test operator knows under one key.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Shown {
    pub key: u16,
    pub value: Option<u64>,
    pub list: Vec<String>,
    pub map: Vec<(u32, u64)>,
    pub shared: Vec<u64>,
    pub fired: Option<i64>,
}

/// Has every kind of state, and does what it is told.
#[derive(Clone)]
pub struct Obedient {
    pub value: ValueState<u64>,
    pub list: ListState<String>,
    pub map: MapState<u32, u64>,
    pub shared: OperatorState<u64>,
}

impl Obedient {
    pub fn new(states: &mut StateDeclarations) -> Self {
        Self {
            value: states.value("value"),
            list: states.list("list"),
            map: states.map("map"),
            shared: states.operator_list("shared"),
        }
    }

    fn show(&self, fired: Option<i64>, ctx: &mut Context<'_>) -> Shown {
        Shown {
            key: ctx.key(),
            value: ctx.value(&self.value).get(),
            list: ctx.list(&self.list).iter().collect(),
            map: ctx.map(&self.map).iter().collect(),
            shared: ctx.operator_list(&self.shared).iter().collect(),
            fired,
        }
    }
}

impl Operator for Obedient {
    type In = (u16, Op);
    type Out = Shown;

    fn process(
        &mut self,
        (_, op): (u16, Op),
        ctx: &mut Context<'_>,
        out: &mut Collector<'_, Shown>,
    ) {
        match op {
            Op::SetValue(value) => ctx.value(&self.value).set(&value),
            Op::ClearValue => ctx.value(&self.value).clear(),
            Op::Push(element) => ctx.list(&self.list).push(&element),
            Op::ClearList => ctx.list(&self.list).clear(),
            Op::Insert(key, value) => ctx.map(&self.map).insert(&key, &value),
            Op::Remove(key) => drop(ctx.map(&self.map).remove(&key)),
            Op::ClearMap => ctx.map(&self.map).clear(),
            Op::PushShared(element) => ctx.operator_list(&self.shared).push(&element),
            Op::RegisterTimer(timestamp) => ctx.register_timer(timestamp),
            Op::DeleteTimer(timestamp) => ctx.delete_timer(timestamp),
            Op::Show => out.emit(self.show(None, ctx)),
        }
    }

    fn on_timer(&mut self, at: i64, ctx: &mut Context<'_>, out: &mut Collector<'_, Shown>) {
        out.emit(self.show(Some(at), ctx));
    }
}

/// A job with one obedient operator; `obedient/0` has two input channels.
pub fn obedient_job() -> Job {
    let builder = JobBuilder::new("obedient");
    source::<(u16, Op)>(&builder, 2)
        .key_by(|(key, _)| *key)
        .process("obedient", 1, Obedient::new)
        .conserving(|operator, state| state.values(&operator.value).map(|n| n as i64).sum())
        .transactional_sink("sink", 1, cutwater::dataflow::EncodedSink::new());
    builder.build().unwrap()
}
