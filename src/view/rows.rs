//! The rows of a view: an event each, or the events that are missing between two.

use std::collections::BTreeMap;

use crate::protocol::{LineageId, VirtualTime};
use crate::trace::{Carried, Event, Shapes, Stamp};

use super::causes::Causes;
use super::lanes::Lanes;
use super::wording::Words;

/// One row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The number of the event, or of the first that is missing.
    pub number: u64,
    /// When; never before the row above.
    pub at: VirtualTime,
    /// Whose event it is; none where events are missing.
    pub life: Option<usize>,
    /// What it says.
    pub word: usize,
    /// The number in that sentence: an offset, or how many events are missing.
    pub told: Option<u64>,
    /// The record that it carries.
    pub record: Option<usize>,
    /// The row of the event whose message led to this one.
    pub cause: Option<usize>,
}

/// All rows, with what they share.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// From the first to the last.
    pub all: Vec<Row>,
    /// What they say.
    pub words: Words,
    /// The records that they carry, in the order in which they appear.
    pub records: Vec<LineageId>,
    /// By event of the trace.
    of_events: Vec<usize>,
    known: BTreeMap<LineageId, usize>,
}

impl Rows {
    /// The rows of a trace.
    #[must_use]
    pub fn of(trace: &[(Stamp, Event)], shapes: &Shapes, lanes: &Lanes) -> Self {
        let mut rows = Self::default();
        let mut causes = Causes::new(shapes);
        let mut expected = 0;
        for (place, (stamp, event)) in trace.iter().enumerate() {
            rows.add_gap(expected, *stamp);
            expected = stamp.number.saturating_add(1);
            let next = rows.all.len();
            rows.of_events.push(next);
            let row = Row {
                number: stamp.number,
                at: rows.now().max(stamp.at),
                life: Some(lanes.life_of(place)),
                word: rows.words.say(*stamp, event, shapes),
                told: told(event),
                record: rows.record_of(event),
                cause: causes.take(next, event),
            };
            rows.all.push(row);
        }
        rows
    }

    /// The row of an event, by its place in the trace.
    #[must_use]
    pub fn of_event(&self, place: usize) -> usize {
        self.of_events[place]
    }

    /// The row of the event with this number; of the gap that it is in, where it is not kept.
    #[must_use]
    pub fn at(&self, number: u64) -> Option<usize> {
        self.all.partition_point(|row| row.number <= number).checked_sub(1)
    }

    /// Which of the [records](Self::records) this is.
    #[must_use]
    pub fn record(&self, lineage: LineageId) -> Option<usize> {
        self.known.get(&lineage).copied()
    }

    /// How many events are missing.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.all.iter().filter(|row| row.life.is_none()).filter_map(|row| row.told).sum()
    }

    fn now(&self) -> VirtualTime {
        self.all.last().map_or(VirtualTime::ZERO, |row| row.at)
    }

    fn add_gap(&mut self, expected: u64, stamp: Stamp) {
        let Some(missing @ 1..) = stamp.number.checked_sub(expected) else { return };
        let (word, at) = (self.words.say_gap(), self.now());
        let (number, told) = (expected, Some(missing));
        self.all.push(Row { number, at, life: None, word, told, record: None, cause: None });
    }

    fn record_of(&mut self, event: &Event) -> Option<usize> {
        let Carried::Record(lineage) = event.about().carried else { return None };
        let next = self.records.len();
        let index = *self.known.entry(lineage).or_insert(next);
        if index == next {
            self.records.push(lineage);
        }
        Some(index)
    }
}

fn told(event: &Event) -> Option<u64> {
    let Event::Read { offset, .. } = event else { return None };
    Some(*offset)
}
