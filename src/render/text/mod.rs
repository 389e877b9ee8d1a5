//! The story of a run as a space-time diagram in text: one column a process, time downwards.
//!
//! A diagram is about one checkpoint: the one that the violation names, or the last one triggered.
//! It tells that checkpoint in full, the faults and restarts around it, and of all else only how
//! much there was. Where there is no room, what is oldest and least about the violation goes first.

mod columns;
mod crossings;
mod focus;
pub mod journey;
mod lifelines;
mod moments;
mod page;
mod rank;
mod selection;
#[cfg(test)]
mod tests;

use crate::protocol::{ChannelId, CheckpointId, LineageId, SubtaskId};
use crate::trace::{Event, Shapes, Stamp};

use self::focus::Focus;
use self::page::Page;

/// What a diagram should make stand out: a violation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Highlight {
    /// The number of the event at which it showed.
    pub event: u64,
    /// What is wrong, in words.
    pub what: String,
    /// The checkpoint it concerns.
    pub checkpoint: Option<CheckpointId>,
    /// The channel it concerns.
    pub channel: Option<ChannelId>,
    /// The record it concerns.
    pub record: Option<LineageId>,
    /// The subtask it concerns.
    pub subtask: Option<SubtaskId>,
}

/// How a diagram is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// What stands out, if anything does.
    pub highlight: Option<Highlight>,
    /// How many characters a line may have; less than [`WIDTH_MIN`] is taken for that.
    pub width: usize,
    /// How many rows it may have, those for what is left out included. A row whose words are long takes
    /// more than one line.
    pub rows_max: usize,
}

/// Narrower than this no diagram can be.
pub const WIDTH_MIN: usize = 72;

impl Default for Options {
    fn default() -> Self {
        Self { highlight: None, width: 100, rows_max: 48 }
    }
}

/// Draws a trace. It may lack events, also in the middle: numbers tell how many; an empty one gives an
/// empty text. Every line ends with a line feed, none with spaces.
#[must_use]
pub fn diagram(trace: &[(Stamp, Event)], options: &Options) -> String {
    let shapes = Shapes::of(trace);
    let focus = Focus::of(trace, options.highlight.as_ref());
    let moments = moments::gather(trace, &shapes, &focus);
    let rows = selection::choose(&moments, trace, options.rows_max.max(1));
    Page::new(&moments, &rows, &focus, &shapes, options).draw()
}
