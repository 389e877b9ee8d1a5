//! What a page is given: a head that it reads at once, and rows in parts that it reads as they come into sight.
//!
//! Rows are columns of small numbers, most of them differences from the row above: 25 to 30 bytes an event.

use serde::Serialize;
use serde_json::{Value, json};
use strum::IntoEnumIterator as _;

use crate::protocol::CheckpointId;
use crate::trace::Point;

use super::checkpoints::{Checkpoint, End, Member};
use super::cut::{ChannelCut, Flow};
use super::rows::{Row, Rows};
use super::wording::{Class, Word};
use super::{Finding, View};

/// So many rows are read together.
pub const PART_ROWS: usize = 2048;

/// So many arrows and records of cuts are listed in one view; of the rest there are counts.
const LISTED_MAX: usize = 200_000;

/// What a page is given, as JSON that can stand in markup.
pub struct Data {
    /// All but the rows.
    pub head: String,
    /// The rows, [`PART_ROWS`] in each but the last.
    pub parts: Vec<String>,
}

/// All that a view has to tell.
pub fn data(view: &View) -> Data {
    let parts: Vec<Part> = Part::all(&view.rows);
    let head = Head::new(view).value(&parts);
    Data {
        head: in_markup(&head),
        parts: parts.iter().map(|part| in_markup(&part.columns)).collect(),
    }
}

/// JSON in which nothing ends a script, or begins anything.
fn in_markup(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value).expect("plain data can be encoded");
    text.replace('<', "\\u003c")
}

/// Rows that are read together.
struct Part {
    first: Row,
    last: Row,
    first_record: usize,
    columns: Columns,
}

#[derive(Default, Serialize)]
struct Columns {
    /// The number of the first row; of every row, as differences, where they do not follow each other.
    n: Vec<i128>,
    /// When, in nanoseconds: of the first row, then how long after the one above.
    t: Vec<u64>,
    /// Whose event it is, from 1; 0 where events are missing.
    l: Vec<usize>,
    /// What it says.
    w: Vec<usize>,
    /// 0 where it carries no record, 1 a record that is new, 2 the newest one, 3 the one before that.
    r: Vec<usize>,
    /// How many rows above its cause is; 0 where it has none.
    p: Vec<usize>,
    /// The number that the sentence tells, of those that tell one.
    a: Vec<u64>,
    /// The new records, 16 digits each.
    d: String,
}

impl Part {
    fn all(rows: &Rows) -> Vec<Self> {
        let mut parts = Vec::new();
        let mut records = 0;
        for (index, part) in rows.all.chunks(PART_ROWS).enumerate() {
            let first_record = records;
            let columns = Columns::of(rows, part, index * PART_ROWS, &mut records);
            let (first, last) = (part[0], part[part.len() - 1]);
            parts.push(Self { first, last, first_record, columns });
        }
        parts
    }
}

impl Columns {
    fn of(rows: &Rows, part: &[Row], start: usize, records: &mut usize) -> Self {
        let mut columns = Self { n: numbers(part), ..Self::default() };
        let mut before = 0;
        for (offset, row) in part.iter().enumerate() {
            columns.t.push(row.at.0 - before);
            before = row.at.0;
            columns.l.push(row.life.map_or(0, |life| life + 1));
            columns.w.push(row.word);
            columns.r.push(row.record.map_or(0, |record| *records + 1 - record));
            if let Some(record) = row.record.filter(|record| record == records) {
                columns.d.push_str(&format!("{:016x}", rows.records[record].0));
                *records += 1;
            }
            columns.p.push(row.cause.map_or(0, |cause| start + offset - cause));
            columns.a.extend(row.told);
        }
        columns
    }
}

fn numbers(part: &[Row]) -> Vec<i128> {
    let number = |row: &Row| i128::from(row.number);
    let steps: Vec<i128> = part.windows(2).map(|two| number(&two[1]) - number(&two[0])).collect();
    let first = number(&part[0]);
    if steps.iter().all(|step| *step == 1) {
        return vec![first];
    }
    std::iter::once(first).chain(steps).collect()
}

/// All but the rows, with the tables that it refers to.
struct Head<'a> {
    view: &'a View,
    checkpoint_names: Vec<CheckpointId>,
    /// How many arrows and records may still be listed.
    room: usize,
}

impl<'a> Head<'a> {
    fn new(view: &'a View) -> Self {
        let words = view.rows.words.all.iter().filter_map(|word| word.checkpoint);
        let mut names: Vec<_> = words.chain(view.checkpoints.iter().map(|own| own.id)).collect();
        names.sort_unstable();
        names.dedup();
        Self { view, checkpoint_names: names, room: LISTED_MAX }
    }

    fn value(&mut self, parts: &[Part]) -> Value {
        let View { lanes, rows, shades, metrics, subject, .. } = self.view;
        let (row, checkpoint) = self.view.opening();
        let lives =
            lanes.lives.iter().map(|life| json!([life.lane, life.process.to_string(), life.turn]));
        let part = |part: &Part| json!([part.first.at.0, part.last.at.0, part.first_record]);
        let words = rows.words.all.iter().map(|word| self.word(word)).collect::<Vec<_>>();
        let checkpoints =
            self.view.checkpoints.iter().map(|own| self.checkpoint(own)).collect::<Vec<_>>();
        json!({
            "title": subject.title,
            "facts": subject.facts,
            "command": subject.command,
            "finding": subject.finding.as_ref().map(|finding| self.finding(finding)),
            "opening": [row, checkpoint],
            "lanes": lanes.all,
            "lives": lives.collect::<Vec<_>>(),
            "kinds": kinds(),
            "ids": self.checkpoint_names.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "words": words,
            "checkpoints": checkpoints,
            "shades": shades,
            "faults": self.faults(),
            "metrics": metrics,
            "rows": rows.all.len(),
            "missing": rows.missing(),
            "part": PART_ROWS,
            "parts": parts.iter().map(part).collect::<Vec<_>>(),
        })
    }

    fn word(&self, word: &Word) -> Value {
        let kind = word.point.map_or(0, |point| 1 + point as usize);
        json!([kind, word.checkpoint.map(|id| self.name(id)), word.text])
    }

    fn name(&self, id: CheckpointId) -> usize {
        self.checkpoint_names.partition_point(|other| *other < id)
    }

    fn finding(&self, finding: &Finding) -> Value {
        let rows = &self.view.rows;
        json!({
            "row": rows.at(finding.event),
            "event": finding.event,
            "headline": finding.headline,
            "explanation": finding.explanation,
            "record": finding.record.and_then(|record| rows.record(record)),
            "lane": finding.subtask.and_then(|subtask| self.view.lane_at(subtask, finding.event)),
            "channel": finding.channel.map(|channel| self.view.channel_at(channel, finding.event)),
        })
    }

    /// The rows of faults, up to a bound.
    fn faults(&self) -> Vec<usize> {
        const FAULTS_MAX: usize = 10_000;
        let rows = &self.view.rows;
        let is_fault =
            |row: &Row| rows.words.all[row.word].point.is_some_and(|point| point.tells_of_fault());
        let all = rows.all.iter().enumerate().filter(|(_, row)| is_fault(row));
        all.map(|(index, _)| index).take(FAULTS_MAX).collect()
    }

    fn checkpoint(&mut self, own: &Checkpoint) -> Value {
        let end = match own.end {
            End::Pending => json!({ "is": "pending" }),
            End::Completed(row) => json!({ "is": "completed", "row": row }),
            End::Aborted(row, reason) => {
                json!({ "is": "aborted", "row": row, "reason": reason.to_string() })
            }
        };
        json!({
            "id": own.id.to_string(),
            "attempt": own.attempt.0,
            "savepoint": own.savepoint.map(|mode| mode.to_string()),
            "triggered": own.triggered,
            "end": end,
            "broken": own.is_broken(),
            "told": own.is_told,
            "times": self.times(own),
            "members": own.members.iter().map(member).collect::<Vec<_>>(),
            "channels": own.channels.iter().map(|channel| self.channel(channel)).collect::<Vec<_>>(),
        })
    }

    /// When it began, when its first and its last subtask froze its state, when the last acknowledged, and when it
    /// ended: each only where it came to that.
    fn times(&self, own: &Checkpoint) -> [Option<u64>; 5] {
        let at = |row: usize| self.view.rows.all[row].at.0;
        let snapshots = || own.members.iter().filter_map(|member| member.snapshot).map(at);
        let acknowledged =
            own.members.iter().filter_map(|member| member.acknowledged).map(at).max();
        let (first, last) = (snapshots().min(), snapshots().max());
        let is_whole = own.members.iter().all(|member| member.snapshot.is_some());
        let end = match own.end {
            End::Pending => None,
            End::Completed(row) | End::Aborted(row, _) => Some(at(row)),
        };
        [Some(own.span.0.0), first, last.filter(|_| is_whole), acknowledged, end]
    }

    fn channel(&mut self, own: &ChannelCut) -> Value {
        let arrows =
            self.listed(&own.arrows).iter().map(|(sent, received)| json!([sent, received]));
        let arrows: Vec<Value> = arrows.collect();
        let rows = &self.view.rows;
        let state = self.listed(&own.state).iter().map(|lineage| match rows.record(*lineage) {
            Some(known) => json!(known),
            None => json!(lineage.to_string()),
        });
        json!([
            own.name,
            own.ends.0,
            own.ends.1,
            own.sent,
            own.received,
            own.captured,
            own.put_back,
            flow(own.flow),
            own.flow.records(),
            arrows,
            state.collect::<Vec<_>>(),
            own.bytes,
        ])
    }

    fn listed<'l, T>(&mut self, all: &'l [T]) -> &'l [T] {
        let shown = all.len().min(self.room);
        self.room -= shown;
        &all[..shown]
    }
}

fn flow(flow: Flow) -> &'static str {
    match flow {
        Flow::Open => "open",
        Flow::Empty => "empty",
        Flow::Captured { .. } => "captured",
        Flow::Overtaken { .. } => "overtaken",
        Flow::Lost { .. } => "lost",
        Flow::Orphan { .. } => "orphan",
        Flow::Doubled { .. } => "doubled",
        Flow::Others => "others",
    }
}

fn member(own: &Member) -> Value {
    json!([
        own.lane,
        own.barrier,
        own.snapshot,
        own.captured,
        own.stored,
        own.bytes,
        own.durable,
        own.acknowledged,
        own.counted,
        own.declined,
        own.learned,
    ])
}

/// Kinds of events by their number, from 1, with what each is as far as drawing goes.
fn kinds() -> Vec<(String, Class)> {
    let gap = ("gap".to_owned(), Class::Gap);
    std::iter::once(gap)
        .chain(Point::iter().map(|point| (point.to_string(), Class::of(point))))
        .collect()
}
