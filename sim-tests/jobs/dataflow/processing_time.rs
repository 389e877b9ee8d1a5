//! Timers in processing time: the clock comes in as a number, what is pending is in the snapshot.

use cutwater::dataflow::conformance::{Divergence, Step, check};
use cutwater::dataflow::{
    Collector, Context, EncodedSink, Input, Item, Job, JobBuilder, ListState, Operator, Outputs,
    Record, Replay, StateDeclarations, TimeToLive,
};
use cutwater::explore::Check;
use cutwater::protocol::{Defect, DefectSet, LineageId};

use super::harness::{Harness, payload, source};

/// Keeps records until the first of them is so old; what is left at the end leaves then.
#[derive(Clone)]
struct Linger {
    kept: ListState<u64>,
}

const LINGER_MS: i64 = 20;

impl Linger {
    fn new(states: &mut StateDeclarations) -> Self {
        Self { kept: states.list("kept") }
    }

    fn flush(&self, ctx: &mut Context<'_>, out: &mut Collector<'_, u64>) {
        let mut kept = ctx.list(&self.kept);
        kept.iter().for_each(|number| out.emit(number));
        kept.clear();
    }
}

impl Operator for Linger {
    type In = u64;
    type Out = u64;

    fn process(&mut self, number: u64, ctx: &mut Context<'_>, _: &mut Collector<'_, u64>) {
        if ctx.list(&self.kept).is_empty() {
            ctx.register_processing_timer(ctx.processing_time() + LINGER_MS);
            ctx.register_timer(i64::MAX);
        }
        ctx.list(&self.kept).push(&number);
    }

    fn on_timer(&mut self, _: i64, ctx: &mut Context<'_>, out: &mut Collector<'_, u64>) {
        self.flush(ctx, out);
    }

    fn on_processing_timer(&mut self, _: i64, ctx: &mut Context<'_>, out: &mut Collector<'_, u64>) {
        self.flush(ctx, out);
    }
}

fn linger() -> JobBuilder {
    let builder = JobBuilder::new("linger");
    source::<u64>(&builder, 1)
        .key_by(|number| number % 16)
        .process("linger", 2, Linger::new)
        .transactional_sink("out", 2, EncodedSink::new());
    builder
}

/// A subtask that is told the time.
struct Clocked {
    harness: Harness,
    now_ms: i64,
}

impl Clocked {
    fn new(job: &Job, name: &str, defects: DefectSet) -> Self {
        Self { harness: Harness::with_defects(job, name, defects), now_ms: 0 }
    }

    /// Feeds a record, and then fires what is due; gives what was emitted.
    fn feed(&mut self, at_ms: i64, number: Option<u64>) -> Vec<u64> {
        self.now_ms = at_ms;
        let mut out = Outputs { now_ms: at_ms, ..Outputs::default() };
        if let Some(number) = number {
            let item = Item::Record(Record {
                lineage: LineageId(number),
                timestamp: 0,
                payload: payload(&number),
            });
            self.harness.subtask.process(0, item, &mut out);
        }
        self.harness.subtask.fire_processing_timers(&mut out);
        self.harness.out = out;
        self.harness.records()
    }
}

impl Clocked {
    /// The ids of what is emitted when the clock has come so far.
    fn emitted(&mut self, at_ms: i64) -> Vec<LineageId> {
        self.feed(at_ms, None);
        self.harness.raw_records().map(|record| record.lineage).collect()
    }
}

/// A number whose key belongs to this subtask of two.
fn own(index: u16) -> u64 {
    let owner = |number: &u64| {
        let key = postcard::to_stdvec(&(number % 16)).unwrap();
        cutwater::protocol::KeyGroup::of(&key).owner(2)
    };
    (0..16).find(|number| owner(number) == index).expect("a subtask with a key")
}

#[test]
fn a_timer_in_processing_time_fires_when_the_clock_has_come_to_it_also_after_a_restore() {
    let job = linger().build().unwrap();
    let number = own(0);
    let mut clocked = Clocked::new(&job, "linger/0", DefectSet::NONE);
    assert!(clocked.feed(5, Some(number)).is_empty());
    assert_eq!(clocked.harness.out.wake_at_ms, Some(25));
    assert!(clocked.feed(24, Some(number)).is_empty());
    clocked.harness.recover();
    assert_eq!(clocked.harness.subtask.next_processing_timer(), Some(25));
    assert_eq!(clocked.feed(40, None), [number, number], "it came due while nobody was there");
    assert_eq!(clocked.harness.out.wake_at_ms, None);
}

/// A clock that was set back comes to the same time twice.
#[test]
fn a_timer_that_fires_again_at_the_same_time_emits_something_else() {
    let job = linger().build().unwrap();
    let number = own(0);
    let mut clocked = Clocked::new(&job, "linger/0", DefectSet::NONE);
    clocked.feed(5, Some(number));
    let first = clocked.emitted(25);
    clocked.feed(5, Some(number + 16));
    clocked.harness.recover();
    let second = clocked.emitted(25);
    assert_eq!((first.len(), second.len()), (1, 1));
    assert_ne!(first, second);
}

/// FLINK-4651.
#[test]
fn timers_that_a_restore_leaves_out_are_missing() {
    let job = linger().build().unwrap();
    let mut clocked = Clocked::new(&job, "linger/0", DefectSet::NONE);
    clocked.feed(5, Some(own(0)));
    let state = clocked.harness.subtask.freeze();
    let defects = DefectSet::only(Defect::TimersNotRestored);
    let mut restored = job.subtask(clocked.harness.subtask.id(), defects);
    restored.restore(&state).unwrap();
    assert_eq!(restored.next_processing_timer(), None);
}

/// A snapshot without timers in processing time has the bytes that it would have if there were no such timers.
#[test]
fn a_snapshot_shows_timers_in_processing_time_only_where_there_are_any() {
    let job = linger().build().unwrap();
    let mut clocked = Clocked::new(&job, "linger/0", DefectSet::NONE);
    let empty = clocked.harness.subtask.freeze();
    clocked.feed(0, Some(own(0)));
    let pending = clocked.harness.subtask.freeze();
    clocked.feed(20, None);
    let fired = clocked.harness.subtask.freeze();
    let bytes = |state: &cutwater::dataflow::SubtaskState| state.key_groups.clone();
    assert!(bytes(&empty).is_empty());
    assert_ne!(bytes(&pending), bytes(&fired));
}

#[test]
fn what_lingers_leaves_once_whatever_fails() {
    let numbers: Vec<u64> = (0..200).collect();
    let input = Input::dealt(numbers.iter().map(Replay::entry), 1);
    let job = linger();
    let held = Check::new(&job, input, &numbers).unwrap().seeds(0..30).run();
    let statistics = held.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(statistics.statistics.restores > 5, "{statistics:?}");
}

/// Lingers as the other does, and keeps in a field when it is to flush.
#[derive(Clone)]
struct Forgetful {
    linger: Linger,
    is_waiting: bool,
}

impl Operator for Forgetful {
    type In = u64;
    type Out = u64;

    fn process(&mut self, number: u64, ctx: &mut Context<'_>, _: &mut Collector<'_, u64>) {
        if !self.is_waiting {
            self.is_waiting = true;
            ctx.register_processing_timer(ctx.processing_time() + LINGER_MS);
        }
        ctx.list(&self.linger.kept).push(&number);
    }

    fn on_processing_timer(&mut self, _: i64, ctx: &mut Context<'_>, out: &mut Collector<'_, u64>) {
        self.is_waiting = false;
        self.linger.flush(ctx, out);
    }
}

#[test]
fn conformance_drives_the_clock() {
    let steps = [
        Step::Clock(5),
        Step::Record(0, 1),
        Step::Clock(15),
        Step::Record(0, 2),
        Step::Clock(25),
        Step::Record(0, 3),
    ];
    assert_eq!(check(Linger::new, |_| 0_u8, &steps), Ok(()));
    let forgetful = |states: &mut StateDeclarations| Forgetful {
        linger: Linger::new(states),
        is_waiting: false,
    };
    assert_eq!(check(forgetful, |_| 0_u8, &steps), Err(Divergence::FinalState { prefix: 2 }));
}

/// Registers a timer for the time at which it fires.
#[derive(Clone)]
struct Restless;

impl Operator for Restless {
    type In = u64;
    type Out = u64;

    fn process(&mut self, _: u64, ctx: &mut Context<'_>, _: &mut Collector<'_, u64>) {
        ctx.register_processing_timer(ctx.processing_time());
    }

    fn on_processing_timer(&mut self, _: i64, ctx: &mut Context<'_>, _: &mut Collector<'_, u64>) {
        ctx.register_processing_timer(ctx.processing_time());
    }
}

#[test]
#[should_panic(
    expected = "timers register timers without end at 5 ms on the clock: more than 100000, at last one for 5 of the \
                key with the bytes [7], in"
)]
fn timers_that_never_end_at_one_time_are_stopped() {
    let builder = JobBuilder::new("restless");
    source::<u64>(&builder, 1)
        .key_by(|number| *number)
        .process("restless", 1, |_: &mut StateDeclarations| Restless)
        .transactional_sink("out", 1, EncodedSink::new());
    let job = builder.build().unwrap();
    Clocked::new(&job, "restless/0", DefectSet::NONE).feed(5, Some(7));
}

#[test]
fn a_key_is_remembered_by_the_clock() {
    let builder = JobBuilder::new("once");
    source::<u64>(&builder, 1)
        .key_by(|number| *number)
        .deduplicate("once", 1, TimeToLive::processing_time(10))
        .transactional_sink("out", 1, EncodedSink::new());
    let mut clocked = Clocked::new(&builder.build().unwrap(), "once/0", DefectSet::NONE);
    assert_eq!(clocked.feed(100, Some(7)), [7]);
    assert!(clocked.feed(109, Some(7)).is_empty());
    clocked.harness.recover();
    assert!(clocked.feed(109, Some(7)).is_empty());
    assert!(clocked.feed(110, None).is_empty());
    assert!(clocked.harness.subtask.freeze().key_groups.is_empty(), "forgotten");
    assert_eq!(clocked.feed(111, Some(7)), [7]);
}
