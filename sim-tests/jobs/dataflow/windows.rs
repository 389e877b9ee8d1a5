//! Windows: when they are given, what is late for them, and what a restore keeps of them.

use cutwater::dataflow::{
    EncodedSink, Job, JobBuilder, OutputTag, TimeWindow, WindowResult, Windows,
};
use cutwater::protocol::{Defect, DefectSet};

use super::harness::{Harness, source};

/// A key, and a number that is added up.
type Reading = (u8, u64);

type Sum = WindowResult<u8, Reading>;

const LATE: OutputTag<Reading> = OutputTag::new("late");

/// Sums in these windows; what is late leaves by a channel of its own, the second.
fn job(windows: Windows, lateness_ms: u32) -> Job {
    let builder = JobBuilder::new("sums");
    let sums = source::<Reading>(&builder, 1)
        .key_by(|(key, _)| *key)
        .window(windows)
        .allowed_lateness(lateness_ms)
        .side_output_late(LATE)
        .reduce("sums", 1, |(key, one), (_, other)| (key, one + other));
    sums.transactional_sink("out", 1, EncodedSink::new());
    sums.side_output(LATE).transactional_sink("late", 1, EncodedSink::new());
    builder.build().unwrap()
}

fn harness(windows: Windows, lateness_ms: u32) -> Harness {
    Harness::new(&job(windows, lateness_ms), "sums/0")
}

/// Feeds a reading of the only key; gives the windows that are given at once, as (start, end, sum).
fn reading(harness: &mut Harness, at: i64, number: u64) -> Vec<(i64, i64, u64)> {
    harness.record::<_, Sum>(0, at, &(1_u8, number)).iter().map(shown).collect()
}

fn watermark(harness: &mut Harness, watermark: i64) -> Vec<(i64, i64, u64)> {
    harness.watermark::<Sum>(0, watermark).iter().map(shown).collect()
}

fn shown(sum: &Sum) -> (i64, i64, u64) {
    let TimeWindow { start, end } = sum.window;
    (start, end, sum.value.1)
}

#[test]
fn a_tumbling_window_is_given_when_the_watermark_reaches_its_last_instant() {
    let mut harness = harness(Windows::tumbling(10), 0);
    assert_eq!(reading(&mut harness, 3, 1), []);
    assert_eq!(reading(&mut harness, 9, 2), []);
    assert_eq!(reading(&mut harness, 10, 4), []);
    assert_eq!(watermark(&mut harness, 8), []);
    harness.recover();
    assert_eq!(watermark(&mut harness, 9), [(0, 10, 3)]);
    let given: Vec<i64> = harness.raw_records().map(|record| record.timestamp).collect();
    assert_eq!(given, [9], "with the time of its last instant");
    assert_eq!(watermark(&mut harness, 100), [(10, 20, 4)]);
    assert!(
        harness.subtask.freeze().key_groups.is_empty(),
        "nothing is kept of windows that are over"
    );
}

#[test]
fn a_sliding_window_takes_what_its_neighbours_do_not() {
    let mut harness = harness(Windows::sliding(10, 5), 0);
    assert_eq!(reading(&mut harness, 12, 1), []);
    assert_eq!(watermark(&mut harness, 14), [(5, 15, 1)]);
    assert_eq!(reading(&mut harness, 13, 2), [], "late for the one, in time for the other");
    assert_eq!(harness.out.items.len(), 0, "and so it is not late");
    assert_eq!(watermark(&mut harness, 19), [(10, 20, 3)]);
}

#[test]
fn a_late_record_corrects_a_window_while_it_is_allowed_and_goes_aside_then() {
    let mut harness = harness(Windows::tumbling(10), 5);
    assert_eq!(reading(&mut harness, 3, 1), []);
    assert_eq!(watermark(&mut harness, 9), [(0, 10, 1)]);
    harness.recover();
    assert_eq!(reading(&mut harness, 4, 2), [(0, 10, 3)]);
    assert_eq!(watermark(&mut harness, 13), []);
    assert_eq!(reading(&mut harness, 5, 4), [(0, 10, 7)]);
    assert_eq!(watermark(&mut harness, 14), []);
    let late: Vec<Reading> = harness.record(0, 6, &(1_u8, 8_u64));
    assert_eq!(late, [(1, 8)]);
    assert_eq!(harness.out.items[0].0, 1, "by the channel of the side output");
    assert!(harness.subtask.freeze().key_groups.is_empty());
}

#[test]
fn sessions_merge_and_their_timers_move() {
    let mut harness = harness(Windows::session(10), 0);
    assert_eq!(reading(&mut harness, 0, 1), []);
    assert_eq!(reading(&mut harness, 25, 2), []);
    assert_eq!(reading(&mut harness, 5, 4), []);
    harness.recover();
    assert_eq!(watermark(&mut harness, 13), [], "the first is longer by now");
    assert_eq!(reading(&mut harness, 15, 8), [], "touches both");
    assert_eq!(watermark(&mut harness, 33), []);
    assert_eq!(watermark(&mut harness, 34), [(0, 35, 15)]);
    assert_eq!(watermark(&mut harness, 1_000), []);
}

#[test]
fn a_session_that_was_given_is_given_again_when_late_records_make_it_longer() {
    let mut harness = harness(Windows::session(10), 100);
    assert_eq!(reading(&mut harness, 0, 1), []);
    assert_eq!(watermark(&mut harness, 12), [(0, 10, 1)]);
    assert_eq!(reading(&mut harness, 1, 2), [(0, 11, 3)]);
    assert_eq!(reading(&mut harness, 8, 4), [], "is not over yet");
    assert_eq!(watermark(&mut harness, 17), [(0, 18, 7)]);
    assert_eq!(watermark(&mut harness, 116), []);
    assert_eq!(reading(&mut harness, 2, 8), [(0, 18, 15)], "the last that is allowed");
    assert_eq!(watermark(&mut harness, 117), []);
    let late: Vec<Reading> = harness.record(0, 3, &(1_u8, 8_u64));
    assert_eq!(late, [(1, 8)]);
}

/// One window's cleanup may be due when another is to be given: neither timer takes the other's place.
#[test]
fn a_timer_of_two_windows_is_not_taken_back_for_one() {
    let mut harness = harness(Windows::session(10), 20);
    assert_eq!(reading(&mut harness, 0, 1), []);
    assert_eq!(reading(&mut harness, 20, 2), []);
    assert_eq!(watermark(&mut harness, 9), [(0, 10, 1)]);
    assert_eq!(
        reading(&mut harness, 25, 4),
        [],
        "the second would have ended when the first is forgotten"
    );
    assert_eq!(watermark(&mut harness, 29), []);
    assert_eq!(watermark(&mut harness, 34), [(20, 35, 6)]);
    let late: Vec<Reading> = harness.record(0, 1, &(1_u8, 8_u64));
    assert_eq!(late, [(1, 8)]);
}

#[test]
fn what_each_defect_does_to_sessions() {
    let run = |defect: Defect| {
        let job = job(Windows::session(10), 0);
        let mut harness = Harness::with_defects(&job, "sums/0", DefectSet::only(defect));
        for (at, number) in [(0, 1), (5, 2)] {
            assert_eq!(reading(&mut harness, at, number), []);
        }
        watermark(&mut harness, 100)
    };
    assert_eq!(run(Defect::MergedSessionForgotten), [(0, 15, 2)]);
    assert_eq!(run(Defect::MergedTimerLost), []);
    assert_eq!(run(Defect::MergingSessionsNotSnapshotted), [(0, 15, 3)], "nothing was restored");
}
