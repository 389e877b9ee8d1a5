//! Watermarks, timers and late records.

use super::super::testing::{SOURCES, SUM};
use super::*;
use crate::protocol::{Attempt, ChannelId, Digest, LineageId, SubtaskId};

const A: SubtaskId = SOURCES[0];
const FIRST: Attempt = Attempt(1);
const KEY: Digest = Digest(7);

/// The healthy run with these events before anything is read.
#[track_caller]
fn tells(words: &str, told: impl IntoIterator<Item = Event>) {
    breaks(OracleName::EventTime, words, |events| {
        let place = at(events, |event| matches!(event, Event::Read { .. }));
        events.splice(place..place, told);
    });
}

fn advanced(subtask: SubtaskId, watermark: i64) -> Event {
    Event::WatermarkAdvanced { subtask, attempt: FIRST, watermark }
}

fn registered(subtask: SubtaskId, timestamp: i64) -> Event {
    Event::TimerRegistered { subtask, attempt: FIRST, key: KEY, timestamp }
}

fn fired(subtask: SubtaskId, timestamp: i64) -> Event {
    Event::TimerFired { subtask, attempt: FIRST, key: KEY, timestamp }
}

fn sent(channel: u16, watermark: i64) -> Event {
    let channel = ChannelId(channel);
    Event::WatermarkSent { channel, attempt: FIRST, watermark, sequence: 0 }
}

fn received(channel: u16, watermark: i64, sequence: u64) -> Event {
    Event::WatermarkReceived { channel: ChannelId(channel), attempt: FIRST, watermark, sequence }
}

fn restored(watermark: Option<i64>, timers: u64) -> Event {
    Event::TimeRestored { subtask: SUM, attempt: FIRST, watermark, timers }
}

fn dropped(timestamp: i64) -> Event {
    let (subtask, attempt, lineage, record) = (A, FIRST, LineageId(1), Digest(2));
    Event::DroppedLate { subtask, attempt, lineage, record, timestamp }
}

#[test]
fn a_timer_fires_when_it_is_pending_and_its_time_has_come() {
    tells("fires the timer of", [advanced(A, 9), fired(A, 5)]);
    tells("which is not pending", [registered(A, 5), advanced(A, 9), fired(A, 5), fired(A, 5)]);
    tells("for 5 at watermark 4", [registered(A, 5), advanced(A, 4), fired(A, 5)]);
}

#[test]
fn a_timer_whose_time_has_come_fires_before_the_watermark_rises_again() {
    let told = [registered(A, 5), advanced(A, 5), advanced(A, 6)];
    tells("a/0 has come to watermark 5 without firing the timer of", told);
}

#[test]
fn watermarks_rise_to_what_all_inputs_have_promised() {
    tells("a/0 has come to watermark 5 after watermark 5", [advanced(A, 5), advanced(A, 5)]);
    tells("was sent watermark 6, its sender has watermark 5", [advanced(A, 5), sent(0, 6)]);
    let one = [advanced(A, 5), sent(0, 5), received(0, 5, 0), advanced(SUM, 5)];
    tells("sum/0 has come to watermark 5, its inputs to no watermark", one);
    let both = [
        restored(Some(i64::MIN), 0),
        advanced(A, 5),
        advanced(SOURCES[1], 6),
        sent(0, 5),
        sent(1, 6),
        received(0, 5, 0),
        received(1, 6, 0),
    ];
    tells("sum/0 stays at no watermark, all its inputs have come to watermark 5", both);
}

#[test]
fn a_watermark_keeps_its_place_in_its_channel() {
    let words = "delivered watermark 5 after 1 records, and watermark 5 after 0 records is due";
    tells(words, [advanced(A, 5), sent(0, 5), received(0, 5, 1)]);
    tells("and nothing is due", [received(0, 5, 0)]);
    tells("sent watermark 5 after watermark 5", [advanced(A, 5), sent(0, 5), sent(0, 5)]);
}

#[test]
fn a_subtask_begins_with_what_was_so_at_its_cut() {
    tells("begins with 2 timers, 0 were pending", [restored(None, 2)]);
    tells("begins with watermark 4, at its cut it was no watermark", [restored(Some(4), 0)]);
}

#[test]
fn only_what_the_reference_drops_is_late() {
    tells("as late, though the watermark is no watermark", [dropped(3)]);
    tells("for the 1. time, the reference drops it 0 times", [advanced(A, 5), dropped(3)]);
}
