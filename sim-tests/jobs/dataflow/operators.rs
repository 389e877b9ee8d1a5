//! The operators that everybody writes: what they emit and keep, across restores.

use cutwater::dataflow::{
    Aggregate, BroadcastContext, BroadcastState, Collector, Context, EncodedSink, JobBuilder,
    KeyedBroadcastOperator, Operator, OutputTag, StateDeclarations, TimeToLive,
};
use cutwater::protocol::{Defect, DefectSet};

use super::harness::{Harness, source};

type Reading = (u8, u64);

#[test]
fn a_reduce_gives_what_records_have_come_to() {
    let builder = JobBuilder::new("reduce");
    source::<Reading>(&builder, 1)
        .key_by(|(key, _)| *key)
        .reduce("reduce", 1, |(key, one), (_, other)| (key, one * 10 + other))
        .transactional_sink("out", 1, EncodedSink::new());
    let mut harness = Harness::new(&builder.build().unwrap(), "reduce/0");
    let fed = [(1, 4), (2, 7), (1, 5)].map(|reading: Reading| {
        harness.recover();
        harness.record::<_, Reading>(0, 0, &reading)
    });
    assert_eq!(fed.concat(), [(1, 4), (2, 7), (1, 45)], "in the order in which they came");
}

/// How many, and the last.
#[derive(Clone)]
struct Latest;

impl Aggregate for Latest {
    type In = Reading;
    type Accumulator = (u64, u64);
    type Out = String;

    fn create(&self) -> (u64, u64) {
        (0, 0)
    }

    fn add(&self, (_, number): Reading, (count, _): (u64, u64)) -> (u64, u64) {
        (count + 1, number)
    }

    fn merge(&self, one: (u64, u64), other: (u64, u64)) -> (u64, u64) {
        (one.0 + other.0, other.1)
    }

    fn result(&self, (count, latest): &(u64, u64)) -> String {
        format!("{latest}, number {count}")
    }
}

#[test]
fn an_aggregate_emits_another_type_than_it_keeps() {
    let builder = JobBuilder::new("aggregate");
    source::<Reading>(&builder, 1)
        .key_by(|(key, _)| *key)
        .aggregate("latest", 1, Latest)
        .transactional_sink("out", 1, EncodedSink::new());
    let mut harness = Harness::new(&builder.build().unwrap(), "latest/0");
    assert_eq!(harness.record::<_, String>(0, 0, &(1_u8, 4_u64)), ["4, number 1"]);
    harness.recover();
    assert_eq!(harness.record::<_, String>(0, 0, &(1_u8, 9_u64)), ["9, number 2"]);
}

fn deduplicate(defects: DefectSet) -> Harness {
    let builder = JobBuilder::new("deduplicate");
    source::<Reading>(&builder, 1)
        .key_by(|(key, _)| *key)
        .deduplicate("once", 1, TimeToLive::event_time(10))
        .transactional_sink("out", 1, EncodedSink::new());
    Harness::with_defects(&builder.build().unwrap(), "once/0", defects)
}

/// Whether a record of this time is emitted.
fn passes(harness: &mut Harness, at: i64) -> bool {
    !harness.record::<_, Reading>(0, at, &(1_u8, 0_u64)).is_empty()
}

#[test]
fn a_key_is_remembered_from_its_first_record_on() {
    let mut harness = deduplicate(DefectSet::NONE);
    assert!(passes(&mut harness, 10));
    assert!(!passes(&mut harness, 19));
    harness.recover();
    assert!(!passes(&mut harness, 3), "an earlier one is known, and moves nothing");
    let _: Vec<Reading> = harness.watermark(0, 15);
    assert!(!passes(&mut harness, 16));
    assert!(passes(&mut harness, 20));
    let _: Vec<Reading> = harness.watermark(0, 29);
    assert!(
        !passes(&mut harness, 29),
        "it was seen anew at 20, and the timer of 10 is of no interest"
    );
    let _: Vec<Reading> = harness.watermark(0, 30);
    assert!(harness.subtask.freeze().key_groups.is_empty(), "forgotten");
}

#[test]
fn a_duplicate_that_moves_the_time_to_live_is_told_from_one_that_does_not() {
    let mut harness = deduplicate(DefectSet::only(Defect::DuplicateMovesExpiry));
    assert!(passes(&mut harness, 10));
    assert!(!passes(&mut harness, 19));
    assert!(!passes(&mut harness, 20));
}

#[test]
fn an_interval_join_pairs_what_is_near_whichever_comes_first_and_forgets_what_is_over() {
    let builder = JobBuilder::new("join");
    let left = builder.source("left", cutwater::dataflow::Replay::<Reading>::new(), 1, 1);
    let right = builder.source("right", cutwater::dataflow::Replay::<Reading>::new(), 1, 1);
    left.key_by(|(key, _)| *key)
        .interval_join(&right.key_by(|(key, _)| *key), -2..=5)
        .process("join", 1, |left, right| (left.1, right.1))
        .transactional_sink("out", 1, EncodedSink::new());
    let mut harness = Harness::new(&builder.build().unwrap(), "join/0");
    let feed = |harness: &mut Harness, channel, at, number: u64| {
        harness.recover();
        harness.record::<_, (u64, u64)>(channel, at, &(1_u8, number))
    };
    assert_eq!(feed(&mut harness, 0, 10, 1), []);
    assert_eq!(feed(&mut harness, 1, 7, 100), [], "3 earlier");
    assert_eq!(feed(&mut harness, 1, 8, 200), [(1, 200)]);
    assert_eq!(feed(&mut harness, 1, 15, 300), [(1, 300)]);
    assert_eq!(feed(&mut harness, 1, 16, 400), [], "6 later");
    assert_eq!(feed(&mut harness, 0, 10, 2), [(2, 200), (2, 300)]);
    let times: Vec<i64> = harness.raw_records().map(|record| record.timestamp).collect();
    assert_eq!(times, [10, 15], "the later of the two");
    let _: Vec<Reading> = harness.watermark(0, 14);
    let _: Vec<Reading> = harness.watermark(1, 14);
    assert_eq!(feed(&mut harness, 1, 15, 500), [(1, 500), (2, 500)]);
    assert_eq!(feed(&mut harness, 0, 14, 3), [], "behind the watermark");
    let _: Vec<Reading> = harness.watermark(0, 30);
    let _: Vec<Reading> = harness.watermark(1, 30);
    assert!(harness.subtask.freeze().key_groups.is_empty());
}

/// Emits numbers that are allowed, and says who it was that refused the others.
#[derive(Clone)]
struct Allow {
    allowed: BroadcastState<u64, bool>,
}

const REFUSED: OutputTag<String> = OutputTag::new("refused");

impl KeyedBroadcastOperator for Allow {
    type In = Reading;
    type Broadcast = u64;
    type Out = u64;

    fn process(
        &mut self,
        (key, number): Reading,
        ctx: &mut Context<'_>,
        out: &mut Collector<'_, u64>,
    ) {
        match ctx.broadcast_state(&self.allowed).get(&number) {
            Some(true) => out.emit(number),
            Some(false) | None => {
                let (index, of) = (ctx.subtask_index(), ctx.parallelism());
                out.emit_to(REFUSED, format!("{number} of {key} by {index} of {of}"));
            }
        }
    }

    fn process_broadcast(
        &mut self,
        number: u64,
        ctx: &mut BroadcastContext<'_, '_>,
        _: &mut Collector<'_, u64>,
    ) {
        ctx.state(&self.allowed).insert(&number, &true);
    }
}

fn allow() -> Harness {
    let builder = JobBuilder::new("allow");
    let rules = builder.source("rules", cutwater::dataflow::Replay::<u64>::new(), 1, 1);
    let allowed = source::<Reading>(&builder, 1)
        .key_by(|(key, _)| *key)
        .connect_broadcast(&rules)
        .process("allow", 3, |states: &mut StateDeclarations| Allow {
            allowed: states.broadcast_map("allowed"),
        });
    allowed
        .side_output(REFUSED)
        .key_by(String::len)
        .map("told", 2, |text| text)
        .rebalance()
        .transactional_sink("refusals", 1, EncodedSink::new());
    allowed.rebalance().transactional_sink("out", 1, EncodedSink::new());
    Harness::new(&builder.build().unwrap(), "allow/0")
}

#[test]
fn a_broadcast_state_is_read_by_all_keys_and_survives() {
    let mut harness = allow();
    // A key of this subtask.
    let own = (0..).find(|key| owner(*key) == 0).unwrap();
    assert_eq!(harness.record::<_, String>(0, 0, &(own, 7_u64)), [format!("7 of {own} by 0 of 3")]);
    let _: Vec<u64> = harness.record(1, 0, &7_u64);
    harness.recover();
    assert_eq!(harness.record::<_, u64>(0, 0, &(own, 7_u64)), [7]);
}

/// Which of three subtasks a key belongs to.
fn owner(key: u8) -> u16 {
    cutwater::protocol::KeyGroup::of(&postcard::to_stdvec(&key).unwrap()).owner(3)
}

/// Registers a timer and says nothing of what it is for.
#[derive(Clone)]
struct Mute;

impl Operator for Mute {
    type In = Reading;
    type Out = u64;

    fn process(&mut self, _: Reading, ctx: &mut Context<'_>, _: &mut Collector<'_, u64>) {
        ctx.register_timer(5);
    }
}

#[test]
#[should_panic(
    expected = "a timer for 5 fired in jobs::dataflow::operators::Mute, which has no on_timer"
)]
fn a_timer_that_nobody_asked_for_is_told() {
    let builder = JobBuilder::new("mute");
    source::<Reading>(&builder, 1)
        .key_by(|(key, _)| *key)
        .process("mute", 1, |_| Mute)
        .transactional_sink("out", 1, EncodedSink::new());
    let mut harness = Harness::new(&builder.build().unwrap(), "mute/0");
    let _: Vec<u64> = harness.record(0, 0, &(1_u8, 1_u64));
    let _: Vec<u64> = harness.watermark(0, 9);
}
