//! The events around a step, in words.

use std::ops::Range;

use serde::Serialize;

use crate::explore::experiments::Prepared;
use crate::explore::recording::Recording;
use crate::explore::run::{WorldKind, run_plan};
use crate::plan::Plan;
use crate::render::words::clause;
use crate::trace::{Event, Point, Shapes, Stamp};

/// One event, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContextLine {
    /// Its number.
    pub number: u64,
    /// When, in nanoseconds of virtual time.
    pub at_ns: u64,
    /// The process in which it happened.
    pub process: String,
    /// The event in words.
    pub words: String,
    /// Whether it is of the step itself.
    pub is_sealing: bool,
}

/// How many events are told before the step, of it, and after it.
const TOLD: (usize, usize, usize) = (4, 8, 4);

/// The events of a step, which may be none, with those before and after it that do not merely move a record.
pub fn around(plan: &Plan, prepared: &Prepared, step: Range<u64>) -> Vec<ContextLine> {
    let recording = Recording::default();
    let _ = run_plan(plan, prepared, WorldKind::Kernel, recording.clone());
    let trace = recording.take();
    let shapes = Shapes::of(&trace);
    let line = |(stamp, event): &(Stamp, Event)| ContextLine {
        number: stamp.number,
        at_ns: stamp.at.0,
        process: stamp.process.to_string(),
        words: clause(shapes.around(*stamp, event), event).sentence(),
        is_sealing: step.contains(&stamp.number),
    };
    let (before, within, after) = TOLD;
    let telling = |(_, event): &&(Stamp, Event)| !Point::from(event).moves_record();
    let earlier = trace.iter().rev().filter(|(stamp, _)| stamp.number < step.start);
    let mut lines: Vec<ContextLine> = earlier.filter(telling).take(before).map(line).collect();
    lines.reverse();
    let of_step = trace.iter().filter(|(stamp, _)| step.contains(&stamp.number));
    lines.extend(of_step.take(within).map(line));
    let later = trace.iter().filter(|(stamp, _)| stamp.number >= step.end);
    lines.extend(later.filter(telling).take(after).map(line));
    lines
}
