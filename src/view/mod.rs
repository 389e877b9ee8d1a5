//! A run as one HTML file in which the cut of each checkpoint can be seen.
//!
//! A view is a space-time diagram: one column a subtask or process, time downwards. What it draws is computed
//! here, from the trace alone: who sent what led to an event ([`causes`]), where each subtask's cut lies and what
//! was in flight over it ([`checkpoints`], [`cut`]), which channels were blocked ([`shades`]). The page in
//! `page/` only draws it.
//!
//! The same trace is told to other viewers by [`trace_events`] and [`shiviz`].

#![deny(
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss
)]

pub mod causality;
pub mod causes;
pub mod checkpoints;
pub mod cut;
mod encode;
pub mod lanes;
pub mod markup;
pub mod metrics;
pub mod rows;
pub mod shades;
pub mod shiviz;
#[cfg(test)]
mod tests;
pub mod trace_events;
pub mod wording;

use crate::protocol::{ChannelId, CheckpointId, LineageId, SubtaskId};
use crate::trace::{Event, Shapes, Stamp};

use self::checkpoints::Checkpoint;
use self::lanes::Lanes;
use self::metrics::Metrics;
use self::rows::Rows;
use self::shades::Shade;
use self::wording::Class;

/// No view holds more events than this.
pub const EVENTS_MAX: usize = 1_000_000;

/// What a view is about: told by whoever ran, since a trace does not say it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// What ran, in a few words.
    pub title: String,
    /// What else there is to know, each with its name.
    pub facts: Vec<(String, String)>,
    /// The command that runs it again; empty where nobody knows one.
    pub command: String,
    /// What is wrong, if anything is.
    pub finding: Option<Finding>,
}

/// A violation: the event that a view opens at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The number of the event at which it showed.
    pub event: u64,
    /// What is wrong, in a line.
    pub headline: String,
    /// Why, line by line.
    pub explanation: Vec<String>,
    /// The checkpoint it concerns.
    pub checkpoint: Option<CheckpointId>,
    /// The channel it concerns.
    pub channel: Option<ChannelId>,
    /// The record it concerns.
    pub record: Option<LineageId>,
    /// The subtask it concerns.
    pub subtask: Option<SubtaskId>,
}

/// All that a page draws.
#[derive(Clone, Debug)]
pub struct View {
    /// The columns.
    pub lanes: Lanes,
    /// The events, in order, and what is missing between them.
    pub rows: Rows,
    /// The checkpoints and savepoints, in the order of their first events.
    pub checkpoints: Vec<Checkpoint>,
    /// For how long something was aligned, blocked, down or stalled.
    pub shades: Vec<Shade>,
    /// How the run went, over time.
    pub metrics: Metrics,
    shapes: Shapes,
    subject: Subject,
}

impl View {
    /// A view of a trace. It may lack events, also at its ends: numbers tell how many.
    #[must_use]
    pub fn new(trace: &[(Stamp, Event)], subject: Subject) -> Self {
        let shapes = Shapes::of(trace).renamed(wording::short);
        let lanes = Lanes::of(trace, &shapes);
        let rows = Rows::of(trace, &shapes, &lanes);
        let checkpoints = checkpoints::of(trace, &shapes, &lanes, &rows);
        let shades = shades::of(trace, &shapes, &lanes, &rows);
        let metrics = Metrics::of(trace);
        Self { lanes, rows, checkpoints, shades, metrics, shapes, subject }
    }

    /// The column of a subtask of the shape that the job had when the event with this number happened.
    fn lane_at(&self, subtask: SubtaskId, number: u64) -> Option<usize> {
        let name = self.shapes.at(number).name(subtask);
        self.lanes.all.iter().position(|lane| lane.name == name)
    }

    /// The name of a channel of that shape.
    fn channel_at(&self, channel: ChannelId, number: u64) -> String {
        self.shapes.at(number).channel_name(channel)
    }

    /// The page, whole and by itself: nothing that it needs is elsewhere.
    #[must_use]
    pub fn html(&self) -> String {
        markup::page(&self.subject.title, &encode::data(self))
    }

    /// What it is about.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// What the event of a row says, whole.
    #[must_use]
    pub fn sentence(&self, row: usize) -> String {
        let own = &self.rows.all[row];
        let record = own.record.map(|record| self.rows.records[record].to_string());
        let told = own.told.map(|told| told.to_string());
        let text = &self.rows.words.all[own.word].text;
        let text = text.replace(wording::RECORD, &record.unwrap_or_default());
        text.replace(wording::NUMBER, &told.unwrap_or_default())
    }

    /// What kind of row it is, as far as drawing goes.
    #[must_use]
    pub fn class(&self, row: usize) -> Class {
        self.rows.words.all[self.rows.all[row].word].point.map_or(Class::Gap, Class::of)
    }

    /// The row that a view opens at: where the violation showed, or else the end of the cut that has most to show.
    #[must_use]
    pub fn opening(&self) -> (Option<usize>, Option<usize>) {
        let row = self.subject.finding.as_ref().and_then(|finding| self.rows.at(finding.event));
        let named = self.subject.finding.as_ref().and_then(|finding| finding.checkpoint);
        let checkpoint = match named {
            Some(id) => self.checkpoints.iter().rposition(|it| it.id == id),
            None if self.subject.finding.is_some() => self.checkpoints.len().checked_sub(1),
            None => checkpoints::most_telling(&self.checkpoints),
        };
        (row, checkpoint)
    }
}
