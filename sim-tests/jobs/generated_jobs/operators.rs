//! The operators of generated jobs, written against the library as a user would.

use std::collections::BTreeMap;

use cutwater::dataflow::{
    Collector, Context, Entry, ListState, MapState, Operator, OperatorState, Payload, Sink, Source,
    SourceCollector, StateDeclarations, TwoInputOperator, ValueState,
};

use super::spec::Row;

/// Reads rows, and counts by itself how many of each split it has seen.
#[derive(Clone)]
pub struct Rows {
    watermark_every: u64,
    seen: BTreeMap<u16, u64>,
}

impl Rows {
    pub fn new(watermark_every: u64) -> Self {
        Self { watermark_every, seen: BTreeMap::new() }
    }
}

impl Source for Rows {
    type Out = Row;
    type State = BTreeMap<u16, u64>;

    fn read(&mut self, entry: Entry<'_>, out: &mut SourceCollector<'_, Row>) {
        let row: Row = postcard::from_bytes(entry.bytes).expect("the input is the test's own");
        let seen = self.seen.entry(entry.split.0).or_insert(0);
        let time = seen.cast_signed();
        for copy in 0..multiplicity(row.value) {
            let value = row.value + *seen * 1_000 + copy * 500;
            out.emit(time, Row { key: row.key, value });
        }
        *seen += 1;
        if seen.is_multiple_of(self.watermark_every) {
            out.watermark(time);
        }
    }

    fn snapshot(&self) -> BTreeMap<u16, u64> {
        self.seen.clone()
    }

    fn restore(&mut self, state: BTreeMap<u16, u64>) {
        self.seen = state;
    }
}

/// How many records come of one.
pub fn multiplicity(value: u64) -> u64 {
    if value.is_multiple_of(5) { 2 } else { u64::from(value % 5 != 1) }
}

/// Passes records on; its list holds the last few.
#[derive(Clone)]
pub struct Remember {
    last: OperatorState<Row>,
}

/// How many records it remembers.
const REMEMBERED_MAX: usize = 3;

impl Remember {
    pub fn new(states: &mut StateDeclarations) -> Self {
        Self { last: states.operator_list("last") }
    }
}

impl Operator for Remember {
    type In = Row;
    type Out = Row;

    fn process(&mut self, row: Row, ctx: &mut Context<'_>, out: &mut Collector<'_, Row>) {
        let mut last = ctx.operator_list(&self.last);
        if last.len() == REMEMBERED_MAX {
            last.clear();
        }
        last.push(&row);
        out.emit(row);
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, Row>) {}
}

/// The n-th record of a key gives n.
#[derive(Clone)]
pub struct Count {
    count: ValueState<u64>,
}

impl Count {
    pub fn new(states: &mut StateDeclarations) -> Self {
        Self { count: states.value("count") }
    }
}

impl Operator for Count {
    type In = Row;
    type Out = Row;

    fn process(&mut self, row: Row, ctx: &mut Context<'_>, out: &mut Collector<'_, Row>) {
        let value = ctx.value(&self.count).update(|count| count.unwrap_or(0) + 1);
        out.emit(Row { key: row.key, value });
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, Row>) {}
}

/// Lets each value of a key through once.
#[derive(Clone)]
pub struct Distinct {
    seen: MapState<u64, ()>,
}

impl Distinct {
    pub fn new(states: &mut StateDeclarations) -> Self {
        Self { seen: states.map("seen") }
    }
}

impl Operator for Distinct {
    type In = Row;
    type Out = Row;

    fn process(&mut self, row: Row, ctx: &mut Context<'_>, out: &mut Collector<'_, Row>) {
        let mut seen = ctx.map(&self.seen);
        if !seen.contains_key(&row.value) {
            seen.insert(&row.value, &());
            out.emit(row);
        }
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, Row>) {}
}

/// The sum of a key's values, when all input has ended.
#[derive(Clone)]
pub struct Total {
    total: ValueState<u64>,
}

impl Total {
    pub fn new(states: &mut StateDeclarations) -> Self {
        Self { total: states.value("total") }
    }
}

impl Operator for Total {
    type In = Row;
    type Out = Row;

    fn process(&mut self, row: Row, ctx: &mut Context<'_>, _: &mut Collector<'_, Row>) {
        ctx.value(&self.total).update(|total| total.unwrap_or(0) + row.value);
        ctx.register_timer(i64::MAX);
    }

    fn on_timer(&mut self, _: i64, ctx: &mut Context<'_>, out: &mut Collector<'_, Row>) {
        let key = ctx.key();
        let mut total = ctx.value(&self.total);
        if let Some(value) = total.get() {
            out.emit(Row { key, value });
        }
        total.clear();
    }
}

/// Counts the records of each key in event-time windows.
#[derive(Clone)]
pub struct Window {
    width: i64,
    counts: MapState<i64, u64>,
}

impl Window {
    pub fn new(states: &mut StateDeclarations, width: i64) -> Self {
        Self { width, counts: states.map("counts") }
    }
}

impl Operator for Window {
    type In = Row;
    type Out = Row;

    fn process(&mut self, _: Row, ctx: &mut Context<'_>, _: &mut Collector<'_, Row>) {
        let number = ctx.timestamp().div_euclid(self.width);
        let mut counts = ctx.map(&self.counts);
        let count = counts.get(&number).unwrap_or(0) + 1;
        counts.insert(&number, &count);
        ctx.register_timer((number + 1) * self.width - 1);
    }

    fn on_timer(&mut self, at: i64, ctx: &mut Context<'_>, out: &mut Collector<'_, Row>) {
        let key = ctx.key();
        let number = at.div_euclid(self.width);
        if let Some(count) = ctx.map(&self.counts).remove(&number) {
            out.emit(Row { key, value: number.cast_unsigned() * 1_000 + count });
        }
    }
}

/// Pairs of a left and a right record with one key.
#[derive(Clone)]
pub struct Join {
    left: ListState<u64>,
    right: ListState<u64>,
}

impl Join {
    pub fn new(states: &mut StateDeclarations) -> Self {
        Self { left: states.list("left"), right: states.list("right") }
    }
}

impl TwoInputOperator for Join {
    type Left = Row;
    type Right = Row;
    type Out = Row;

    fn process_left(&mut self, row: Row, ctx: &mut Context<'_>, out: &mut Collector<'_, Row>) {
        ctx.list(&self.left).push(&row.value);
        for other in ctx.list(&self.right).iter() {
            out.emit(Row { key: row.key, value: row.value * 3 + other });
        }
    }

    fn process_right(&mut self, row: Row, ctx: &mut Context<'_>, out: &mut Collector<'_, Row>) {
        ctx.list(&self.right).push(&row.value);
        for other in ctx.list(&self.left).iter() {
            out.emit(Row { key: row.key, value: other * 3 + row.value });
        }
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, Row>) {}
}

/// Passes the records of both inputs on, and counts those of the left.
#[derive(Clone)]
pub struct Merge {
    lefts: ValueState<u64>,
}

impl Merge {
    pub fn new(states: &mut StateDeclarations) -> Self {
        Self { lefts: states.value("lefts") }
    }
}

impl TwoInputOperator for Merge {
    type Left = Row;
    type Right = Row;
    type Out = Row;

    fn process_left(&mut self, row: Row, ctx: &mut Context<'_>, out: &mut Collector<'_, Row>) {
        ctx.value(&self.lefts).update(|lefts| lefts.unwrap_or(0) + 1);
        out.emit(row);
    }

    fn process_right(&mut self, row: Row, _: &mut Context<'_>, out: &mut Collector<'_, Row>) {
        out.emit(row);
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, Row>) {}
}

/// Writes each row with the number of the sink, so that sinks cannot stand in for each other.
#[derive(Clone)]
pub struct Numbered(pub u8);

impl Sink for Numbered {
    type In = Row;

    fn write(&self, row: Row, _: i64) -> Payload {
        let bytes = postcard::to_stdvec(&(self.0, row)).expect("a row is plain data");
        Payload::from_vec(bytes)
    }
}
