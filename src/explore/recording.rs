//! What is kept of a run for a picture of it: in bounded memory, however long the run is.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use super::experiments::Prepared;
use super::run::{WorldKind, run_plan};
use crate::oracle::{Verdict, Violation};
use crate::plan::Plan;
use crate::render::text::{Highlight, Options, diagram};
use crate::trace::{Event, Point, Stamp};
use crate::world::Observer;

/// The beginning of a run, its last records, and the last of all else.
///
/// Its copies share what they keep, so that it outlives a run that panics.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    first: Option<(Stamp, Event)>,
    /// The shapes that the job has had.
    shapes: VecDeque<(Stamp, Event)>,
    records: VecDeque<(Stamp, Event)>,
    rest: VecDeque<(Stamp, Event)>,
}

/// So many events that tell of records are kept.
const RECORDS_MAX: usize = 100_000;

/// So many changes of the job's shape are kept.
const SHAPES_MAX: usize = 1_000;

/// So many other events are kept.
const REST_MAX: usize = 50_000;

impl Recording {
    /// What was kept, in order; numbers tell what was not.
    #[must_use]
    pub fn take(&self) -> Vec<(Stamp, Event)> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let Kept { first, shapes, records, rest } = std::mem::take(&mut *kept);
        let mut events: Vec<(Stamp, Event)> =
            first.into_iter().chain(shapes).chain(records).chain(rest).collect();
        events.sort_by_key(|(stamp, _)| stamp.number);
        events
    }
}

impl Observer for Recording {
    fn observe(&mut self, stamp: Stamp, event: &Event) -> ControlFlow<()> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.first.is_none() {
            kept.first = Some((stamp, event.clone()));
            return ControlFlow::Continue(());
        }
        let (queue, most) = if Point::from(event).moves_record() {
            (&mut kept.records, RECORDS_MAX)
        } else if event.shape().is_some() {
            (&mut kept.shapes, SHAPES_MAX)
        } else {
            (&mut kept.rest, REST_MAX)
        };
        if queue.len() == most {
            queue.pop_front();
        }
        queue.push_back((stamp, event.clone()));
        ControlFlow::Continue(())
    }
}

/// What a diagram makes stand out for a verdict: its first violation.
#[must_use]
pub fn highlight(verdict: &Verdict) -> Option<Highlight> {
    verdict.violations().first().map(highlight_of)
}

fn highlight_of(violation: &Violation) -> Highlight {
    Highlight {
        event: violation.event,
        what: format!("{}: {}", violation.oracle, violation.text),
        checkpoint: violation.checkpoint,
        channel: violation.channel,
        record: violation.record,
        subtask: violation.subtask,
    }
}

/// Runs a plan again for a picture of it, which shows where `verdict` came from.
#[must_use]
pub fn picture(
    plan: &Plan,
    prepared: &Prepared,
    world: WorldKind,
    verdict: &Verdict,
    width: usize,
) -> String {
    let recording = Recording::default();
    let _ = run_plan(plan, prepared, world, recording.clone());
    let options = Options { highlight: highlight(verdict), width, ..Options::default() };
    diagram(&recording.take(), &options)
}
