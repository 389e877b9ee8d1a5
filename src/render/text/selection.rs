//! Which moments get a row, and what is said of the others.

use std::cmp::Reverse;

use super::moments::Moment;
use super::rank::Rank;
use crate::trace::{Event, Point, Stamp};

/// One row of a diagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A moment, by its place among all.
    Moment(usize),
    /// What lies between two of them.
    Gap(Gap),
}

/// What is left out at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// How many events.
    pub events: u64,
    /// How many records were received from channels.
    pub records: u64,
    /// Checkpoints that ended, attempts that failed, processes that crashed.
    pub ends: Vec<String>,
}

/// Housekeeping is told of the last moments only.
const NEAR: usize = 8;

/// Shorter gaps are not mentioned, unless something ended in them.
const GAP_MIN: u64 = 10;

/// The rows of a diagram, in order, at most so many.
///
/// Nothing after the violation is told: the run is stopped there, or what follows may come of it.
pub fn choose(moments: &[Moment], trace: &[(Stamp, Event)], rows_max: usize) -> Vec<Row> {
    let end = moments.iter().position(|moment| moment.is_violation);
    let end = end.map_or(moments.len(), |violation| violation + 1);
    let near = |index: usize| index + NEAR >= end;
    let is_told = |index: &usize| moments[*index].rank < Rank::Detail || near(*index);
    let mut wanted: Vec<usize> = (0..end).filter(is_told).collect();
    wanted.sort_by_key(|index| (moments[*index].rank, Reverse(*index)));
    wanted.truncate(rows_max);
    let received = received(trace);
    let last = trace.last().map_or(0, |(stamp, _)| stamp.number);
    loop {
        let mut chosen = wanted.clone();
        chosen.sort_unstable();
        let rows = with_gaps(&chosen, moments, &received, last);
        if rows.len() <= rows_max || wanted.len() <= 1 {
            return rows;
        }
        wanted.pop();
    }
}

/// The numbers of all events by which a record leaves a channel.
fn received(trace: &[(Stamp, Event)]) -> Vec<u64> {
    let is_received = |event: &Event| Point::from(event) == Point::Received;
    trace.iter().filter(|(_, event)| is_received(event)).map(|(stamp, _)| stamp.number).collect()
}

fn with_gaps(chosen: &[usize], moments: &[Moment], received: &[u64], last: u64) -> Vec<Row> {
    let mut rows = Vec::new();
    // The number of the first event, and the place of the first moment, that no row has told yet.
    let (mut number, mut place) = (0, 0);
    for index in chosen {
        let moment = &moments[*index];
        rows.extend(gap(number..moment.first, &moments[place..*index], received));
        rows.push(Row::Moment(*index));
        (number, place) = (moment.last + 1, index + 1);
    }
    rows.extend(gap(number..last + 1, &moments[place..], received));
    rows
}

fn gap(numbers: std::ops::Range<u64>, moments: &[Moment], received: &[u64]) -> Option<Row> {
    let events = numbers.end.saturating_sub(numbers.start);
    let below = |bound: u64| received.partition_point(|number| *number < bound);
    let records = below(numbers.end).saturating_sub(below(numbers.start)) as u64;
    let ends: Vec<String> = moments.iter().flat_map(|moment| moment.ends.clone()).collect();
    let is_told = events >= GAP_MIN || !ends.is_empty();
    is_told.then_some(Row::Gap(Gap { events, records, ends }))
}

/// So many ends are named.
const ENDS_MAX: usize = 6;

impl Gap {
    /// What is left out, in words.
    pub fn words(&self) -> String {
        let events = plural(self.events, "event");
        let records = (self.records > 0).then(|| plural(self.records, "record"));
        let more = self.ends.len().saturating_sub(ENDS_MAX);
        let more = (more > 0).then(|| format!("{more} more ends"));
        let ends = self.ends.iter().take(ENDS_MAX).cloned();
        let among: Vec<String> = records.into_iter().chain(ends).chain(more).collect();
        if among.is_empty() { events } else { format!("{events}: {}", among.join(", ")) }
    }
}

fn plural(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
