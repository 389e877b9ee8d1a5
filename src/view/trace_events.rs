//! A view as Chrome's trace-event JSON, which Perfetto and `chrome://tracing` open.
//!
//! Slices of one track must nest or be apart, and a flow must begin and end within slices. So each column has a track
//! for its events, each a slice of a nanosecond, those of one moment one after the other; and a track for
//! each phase of a checkpoint, with more of them where checkpoints overlap. Flows are numbered.
//! (Trace Event Format, revision of 2016; what Perfetto makes of it: perfetto.dev, "Other formats".)

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::View;
use super::checkpoints::{End, Member};
use super::rows::Row;
use super::shades::Kind;

/// A stretch of time on a track of its own.
struct Slice {
    lane: usize,
    phase: &'static str,
    name: String,
    from: usize,
    to: usize,
}

/// The trace as JSON.
#[must_use]
pub fn trace_events(view: &View) -> String {
    let times = times(&view.rows.all);
    let mut told = Told { view, times: &times, events: Vec::new(), tracks: BTreeMap::new() };
    told.name_processes();
    told.tell_events();
    told.tell_flows();
    let mut slices = slices(view);
    slices.sort_by_key(|slice| (slice.from, std::cmp::Reverse(slice.to)));
    slices.iter().for_each(|slice| told.tell_slice(slice));
    let whole = json!({ "displayTimeUnit": "ms", "traceEvents": told.events });
    whole.to_string()
}

/// When each row is told to have happened, in nanoseconds: at its time, or one later than the row before.
fn times(rows: &[Row]) -> Vec<u64> {
    let mut free = 0;
    let time = |row: &Row| {
        let at = row.at.0.max(free);
        free = at.saturating_add(1);
        at
    };
    rows.iter().map(time).collect()
}

struct Told<'a> {
    view: &'a View,
    times: &'a [u64],
    events: Vec<Value>,
    /// By column and phase, the tracks with when each is free again.
    tracks: BTreeMap<(usize, &'static str), Vec<(u64, u64)>>,
}

impl Told<'_> {
    /// A column is a process there, since its tracks belong together.
    fn name_processes(&mut self) {
        for (lane, own) in self.view.lanes.all.iter().enumerate() {
            let args = json!({ "name": own.name });
            self.events.push(json!({ "ph": "M", "name": "process_name", "pid": lane + 1, "tid": 0, "args": args }));
            let args = json!({ "sort_index": lane });
            self.events.push(json!({ "ph": "M", "name": "process_sort_index", "pid": lane + 1, "tid": 0, "args": args }));
            self.name_track(lane, 1, "events");
        }
    }

    fn name_track(&mut self, lane: usize, track: u64, name: &str) {
        let args = json!({ "name": name });
        self.events.push(json!({ "ph": "M", "name": "thread_name", "pid": lane + 1, "tid": track, "args": args }));
    }

    fn lane(&self, row: usize) -> Option<usize> {
        self.view.rows.all[row].life.map(|life| self.view.lanes.lives[life].lane)
    }

    fn tell_events(&mut self) {
        for row in 0..self.view.rows.all.len() {
            let Some(lane) = self.lane(row) else { continue };
            let (name, number) = (self.view.sentence(row), self.view.rows.all[row].number);
            let category = self.view.class(row);
            self.events.push(json!({
                "ph": "X", "name": name, "cat": category, "pid": lane + 1, "tid": 1,
                "ts": us(self.times[row]), "dur": us(1), "args": { "event": number },
            }));
        }
    }

    fn tell_flows(&mut self) {
        for row in 0..self.view.rows.all.len() {
            let Some(cause) = self.view.rows.all[row].cause else { continue };
            let (Some(from), Some(to)) = (self.lane(cause), self.lane(row)) else { continue };
            // An event has one cause at most, so that its row numbers the flow.
            let end = |phase: &str, lane: usize, at: usize| {
                json!({
                    "ph": phase, "name": "message", "cat": "message", "id": row + 1, "bp": "e",
                    "pid": lane + 1, "tid": 1, "ts": us(self.times[at]),
                })
            };
            let ends = [end("s", from, cause), end("f", to, row)];
            self.events.extend(ends);
        }
    }

    fn tell_slice(&mut self, slice: &Slice) {
        let (from, to) =
            (self.times[slice.from], self.times[slice.to].max(self.times[slice.from] + 1));
        let track = self.track(slice.lane, slice.phase, from, to);
        self.events.push(json!({
            "ph": "X", "name": slice.name, "cat": slice.phase, "pid": slice.lane + 1, "tid": track,
            "ts": us(from), "dur": us(to - from),
        }));
    }

    /// A track of this phase that is free; a new one where none is.
    fn track(&mut self, lane: usize, phase: &'static str, from: u64, to: u64) -> u64 {
        let tracks = self.tracks.entry((lane, phase)).or_default();
        if let Some(free) = tracks.iter_mut().find(|(_, until)| *until <= from) {
            free.1 = to;
            return free.0;
        }
        let all: usize = self.tracks.values().map(Vec::len).sum();
        let track = all as u64 + 2;
        self.tracks.entry((lane, phase)).or_default().push((track, to));
        self.name_track(lane, track, phase);
        track
    }
}

/// Nanoseconds as the format's microseconds, to the last digit.
fn us(ns: u64) -> Value {
    let text = format!("{}.{:03}", ns / 1_000, ns % 1_000);
    serde_json::from_str(&text).expect("it is a number")
}

/// What goes on for a while: checkpoints, what subtasks do for them, and channels that are blocked.
fn slices(view: &View) -> Vec<Slice> {
    let last = view.rows.all.len().saturating_sub(1);
    let mut slices = Vec::new();
    for own in &view.checkpoints {
        let end = match own.end {
            End::Pending => last,
            End::Completed(row) | End::Aborted(row, _) => row,
        };
        let home = own.triggered.and_then(|row| view.rows.all[row].life);
        if let (Some(from), Some(life)) = (own.triggered, home) {
            let lane = view.lanes.lives[life].lane;
            slices.push(Slice {
                lane,
                phase: "checkpoint",
                name: own.id.to_string(),
                from,
                to: end,
            });
        }
        for member in &own.members {
            slices.extend(phases(member, &own.id.to_string(), end));
        }
    }
    for shade in view.shades.iter().filter(|shade| shade.kind != Kind::Aligning) {
        let phase = match shade.kind {
            Kind::Blocked => "blocked",
            Kind::Down => "down",
            Kind::Paused | Kind::Aligning => "paused",
        };
        let (from, to) = (shade.from, shade.to.unwrap_or(last));
        slices.push(Slice { lane: shade.lane, phase, name: shade.about.clone(), from, to });
    }
    slices.retain(|slice| slice.to >= slice.from);
    slices
}

/// Alignment, upload, and the wait until the outcome is known.
fn phases(member: &Member, id: &str, end: usize) -> Vec<Slice> {
    let steps = [
        ("alignment", member.barrier, member.snapshot),
        ("upload", member.snapshot, member.durable.or(member.acknowledged)),
        ("waiting for the outcome", member.acknowledged, member.learned.or(Some(end))),
    ];
    let slice = |(phase, from, to): (&'static str, Option<usize>, Option<usize>)| {
        Some(Slice {
            lane: member.lane,
            phase,
            name: format!("{id}: {phase}"),
            from: from?,
            to: to?,
        })
    };
    steps.into_iter().filter_map(slice).collect()
}
