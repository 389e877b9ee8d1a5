//! Lineage: the same replay gives the same ids, different paths give different ones.

use std::collections::BTreeSet;

use cutwater::dataflow::{
    Collector, Context, EncodedSink, JobBuilder, Operator, StateDeclarations, TwoInputOperator,
};
use cutwater::protocol::{Digest, LineageId, OperatorId, SplitId};

use super::harness::{Harness, obedient_job, source};
use super::harness::{Op, Shown};

/// Emits what it gets, twice.
#[derive(Clone)]
pub struct Keep;

impl Keep {
    pub fn new(_: &mut StateDeclarations) -> Self {
        Self
    }
}

impl Operator for Keep {
    type In = u64;
    type Out = u64;

    fn process(&mut self, n: u64, _: &mut Context<'_>, out: &mut Collector<'_, u64>) {
        out.emit(n);
        out.emit(n);
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, u64>) {}
}

impl TwoInputOperator for Keep {
    type Left = u64;
    type Right = u64;
    type Out = u64;

    fn process_left(&mut self, n: u64, _: &mut Context<'_>, out: &mut Collector<'_, u64>) {
        out.emit(n);
    }

    fn process_right(&mut self, n: u64, _: &mut Context<'_>, out: &mut Collector<'_, u64>) {
        out.emit(n);
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, u64>) {}
}

fn lineages(harness: &Harness) -> Vec<LineageId> {
    harness.raw_records().map(|record| record.lineage).collect()
}

#[test]
fn a_source_record_descends_from_its_entry() {
    let job = obedient_job();
    let mut harness = Harness::new(&job, "source/1");
    let entry = postcard::to_stdvec(&(3_u16, Op::Show)).unwrap();
    harness.items(|subtask, out| subtask.read(SplitId(1), 4, &entry, out));
    let expected = LineageId::of_entry(SplitId(1), 4).child(OperatorId(0), 0);
    assert_eq!(lineages(&harness), [expected]);
}

#[test]
fn outputs_are_numbered_within_a_step() {
    let builder = JobBuilder::new("keep");
    let kept = source::<u64>(&builder, 1).process("keep", 1, Keep::new);
    kept.transactional_sink("sink", 1, EncodedSink::new());
    let mut harness = Harness::new(&builder.build().unwrap(), "keep/0");
    for fed in 0..2 {
        let _: Vec<u64> = harness.record(0, 0, &1_u64);
        let parent = LineageId::of_entry(SplitId(99), fed);
        let child = |index| parent.child(OperatorId(1), index);
        assert_eq!(lineages(&harness), [child(0), child(1)]);
    }
}

#[test]
fn what_a_timer_emits_descends_from_key_and_time() {
    let mut harness = Harness::new(&obedient_job(), "obedient/0");
    let _: Vec<Shown> = harness.record(0, 0, &(3_u16, Op::RegisterTimer(10)));
    harness.recover();
    let _: Vec<Shown> = harness.watermark(0, 10);
    let _: Vec<Shown> = harness.watermark(1, 10);
    let key = Digest::of(&postcard::to_stdvec(&3_u16).unwrap()).0;
    let expected = LineageId::of_timer(OperatorId(1), key, 10).child(OperatorId(1), 0);
    assert_eq!(lineages(&harness), [expected]);
}

/// As the timer of a window that late records open again.
#[test]
fn what_a_timer_emits_that_fires_again_is_something_else() {
    let mut harness = Harness::new(&obedient_job(), "obedient/0");
    let mut emitted = BTreeSet::new();
    for watermark in [10, 20, 30] {
        let _: Vec<Shown> = harness.record(0, 0, &(3_u16, Op::RegisterTimer(10)));
        harness.recover();
        let _: Vec<Shown> = harness.watermark(0, watermark);
        let _: Vec<Shown> = harness.watermark(1, watermark);
        emitted.extend(lineages(&harness));
    }
    assert_eq!(emitted.len(), 3);
}

#[test]
fn a_record_on_both_inputs_has_two_descendants() {
    let builder = JobBuilder::new("self-join");
    let keyed = source::<u64>(&builder, 1).key_by(|n| *n);
    let joined = keyed.connect(keyed.clone()).process2("join", 1, Keep::new);
    joined.transactional_sink("sink", 1, EncodedSink::new());
    let job = builder.build().unwrap();
    let mut source = Harness::new(&job, "source/0");
    let entry = postcard::to_stdvec(&1_u64).unwrap();
    let sent = source.items(|subtask, out| subtask.read(SplitId(0), 0, &entry, out)).to_vec();
    let mut join = Harness::new(&job, "join/0");
    let descendants: BTreeSet<_> = sent
        .into_iter()
        .flat_map(|(output, item)| {
            join.items(|subtask, out| subtask.process(usize::from(output), item, out));
            lineages(&join)
        })
        .collect();
    assert_eq!(descendants.len(), 2);
}
