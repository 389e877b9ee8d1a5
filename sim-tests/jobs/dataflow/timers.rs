//! Event-time timers and the watermarks that fire them.

use cutwater::dataflow::{
    Collector, Context, EncodedSink, JobBuilder, Operator, StateDeclarations,
};

use super::harness::{Harness, Op, Shown, obedient_job, source};

fn harness() -> Harness {
    Harness::new(&obedient_job(), "obedient/0")
}

fn register(harness: &mut Harness, key: u16, at: i64) {
    let _: Vec<Shown> = harness.record(0, 0, &(key, Op::RegisterTimer(at)));
}

fn fired(shown: &[Shown]) -> Vec<(i64, u16)> {
    shown.iter().map(|shown| (shown.fired.unwrap(), shown.key)).collect()
}

#[test]
fn timers_fire_by_time_and_key_when_the_slowest_channel_passes_them() {
    let mut harness = harness();
    for (key, at) in [(2, 20), (1, 20), (3, 10), (1, 30), (1, 20)] {
        register(&mut harness, key, at);
    }
    assert_eq!(fired(&harness.watermark(0, 25)), []);
    assert_eq!(fired(&harness.watermark(1, 20)), [(10, 3), (20, 1), (20, 2)]);
    assert_eq!(harness.watermarks(), [(0, 20)], "the watermark follows what its timers emit");
    assert_eq!(fired(&harness.watermark(1, 25)), []);
}

#[test]
fn a_deleted_timer_does_not_fire() {
    let mut harness = harness();
    register(&mut harness, 1, 10);
    let _: Vec<Shown> = harness.record(0, 0, &(1_u16, Op::DeleteTimer(10)));
    let _: Vec<Shown> = harness.watermark(0, 50);
    assert_eq!(fired(&harness.watermark(1, 50)), []);
}

#[test]
fn timers_and_watermarks_survive_a_restore() {
    let mut harness = harness();
    register(&mut harness, 1, 10);
    register(&mut harness, 2, 40);
    let _: Vec<Shown> = harness.watermark(0, 25);
    harness.recover();
    assert_eq!(fired(&harness.watermark(1, 20)), [(10, 1)], "channel 0 is still at 25");
    harness.recover();
    let _: Vec<Shown> = harness.watermark(1, 20);
    assert_eq!(harness.watermarks(), [], "20 was forwarded before the snapshot");
}

#[test]
fn the_end_of_all_channels_is_the_last_watermark() {
    let mut harness = harness();
    register(&mut harness, 1, 10);
    harness.items(|subtask, out| subtask.end_channel(0, out));
    assert_eq!(harness.watermarks(), []);
    harness.items(|subtask, out| subtask.end_channel(1, out));
    assert_eq!(fired(&harness.records()), [(10, 1)]);
    assert_eq!(harness.watermarks(), [(0, i64::MAX)]);
    harness.items(|subtask, out| subtask.end_channel(1, out));
    assert_eq!(harness.watermarks(), [], "telling it again does nothing");
}

/// Registers the next timer whenever one fires, with the given distance.
#[derive(Clone)]
struct Ticker {
    distance: i64,
}

impl Operator for Ticker {
    type In = u16;
    type Out = (i64, i64);

    fn process(&mut self, _: u16, ctx: &mut Context<'_>, _: &mut Collector<'_, (i64, i64)>) {
        ctx.register_timer(ctx.timestamp());
    }

    fn on_timer(&mut self, at: i64, ctx: &mut Context<'_>, out: &mut Collector<'_, (i64, i64)>) {
        out.emit((ctx.timestamp(), ctx.watermark()));
        ctx.register_timer(at + self.distance);
    }
}

fn ticker(distance: i64) -> Harness {
    let builder = JobBuilder::new("ticker");
    source::<u16>(&builder, 1)
        .key_by(|key| *key)
        .process("ticker", 1, move |_: &mut StateDeclarations| Ticker { distance })
        .transactional_sink("sink", 1, EncodedSink::new());
    Harness::new(&builder.build().unwrap(), "ticker/0")
}

#[test]
fn a_timer_registered_by_a_timer_fires_within_the_same_advance() {
    let mut harness = ticker(10);
    let _: Vec<(i64, i64)> = harness.record(0, 5, &1_u16);
    let fired: Vec<(i64, i64)> = harness.watermark(0, 30);
    assert_eq!(fired, [(5, 30), (15, 30), (25, 30)]);
}

#[test]
#[should_panic(expected = "timers register timers without end at watermark 30")]
fn timers_that_never_end_are_stopped() {
    let mut harness = ticker(0);
    let _: Vec<(i64, i64)> = harness.record(0, 5, &1_u16);
    let _: Vec<(i64, i64)> = harness.watermark(0, 30);
}
