//! A run as a view: its last events, with what is wrong in words and the command that shows it again.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::experiments::Prepared;
use super::explain::explain;
use super::report::headline;
use super::run::{Outcome, WorldKind, run_plan};
use super::signature::Signature;
use crate::oracle::{Verdict, Violation};
use crate::plan::Plan;
use crate::trace::{Event, Stamp};
use crate::view::{Finding, Subject, View};
use crate::world::Observer;

/// So many events are kept for a view that nobody asked for: enough to see what led to the end.
pub const UNASKED_MAX: usize = 20_000;

/// The first event of a run, every shape that the job had, and the last events.
///
/// Its copies share what they keep, so that it outlives a run that panics.
#[derive(Clone, Debug)]
pub struct Recording {
    kept: Arc<Mutex<Kept>>,
    most: usize,
}

#[derive(Debug, Default)]
struct Kept {
    /// Without these, nothing has a name.
    shapes: VecDeque<(Stamp, Event)>,
    last: VecDeque<(Stamp, Event)>,
}

/// So many shapes are kept.
const SHAPES_MAX: usize = 1_000;

impl Recording {
    /// A recording of so many events at most, beside the shapes.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { kept: Arc::default(), most }
    }

    /// What was kept, in order; numbers tell what was not.
    #[must_use]
    pub fn take(&self) -> Vec<(Stamp, Event)> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let Kept { shapes, last } = std::mem::take(&mut *kept);
        let first = last.front().map_or(u64::MAX, |(stamp, _)| stamp.number);
        let shapes = shapes.into_iter().filter(|(stamp, _)| stamp.number < first);
        shapes.chain(last).collect()
    }
}

impl Observer for Recording {
    fn observe(&mut self, stamp: Stamp, event: &Event) -> ControlFlow<()> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let is_shape = event.shape().is_some();
        if is_shape && kept.shapes.len() < SHAPES_MAX {
            kept.shapes.push_back((stamp, event.clone()));
        }
        if kept.last.len() == self.most {
            kept.last.pop_front();
        }
        kept.last.push_back((stamp, event.clone()));
        ControlFlow::Continue(())
    }
}

/// Runs a plan for a view of its last events, `most` of them at most; `command` shows it again.
#[must_use]
pub fn run_for_view(
    plan: &Plan,
    prepared: &Prepared,
    world: WorldKind,
    most: usize,
    command: &str,
) -> (Outcome, View) {
    let recording = Recording::new(most);
    let (outcome, _) = run_plan(plan, prepared, world, recording.clone());
    let view = view(plan, prepared, world, &outcome.verdict, command, &recording.take());
    (outcome, view)
}

/// A view of the events of a run that ended with this verdict.
#[must_use]
pub fn view(
    plan: &Plan,
    prepared: &Prepared,
    world: WorldKind,
    verdict: &Verdict,
    command: &str,
    trace: &[(Stamp, Event)],
) -> View {
    View::new(trace, subject(plan, prepared, world, verdict, command, trace))
}

fn subject(
    plan: &Plan,
    prepared: &Prepared,
    world: WorldKind,
    verdict: &Verdict,
    command: &str,
    trace: &[(Stamp, Event)],
) -> Subject {
    let topology = prepared.experiment.job.topology();
    let signature = Signature::of(verdict);
    let last = trace.last().map_or(0, |(stamp, _)| stamp.number);
    let finding = signature.as_ref().map(|signature| {
        let violation = verdict.violations().first();
        let explanation = explain(plan, topology, signature, violation);
        let headline = headline(verdict, &plan.scenario, plan.seed);
        finding(violation, headline, explanation.to_vec(), last)
    });
    let mut facts = vec![
        ("job".to_owned(), plan.job.workload.to_string()),
        ("protocol".to_owned(), plan.cluster.checkpoints.protocol.to_string()),
        ("world".to_owned(), world.to_string()),
    ];
    let defects: Vec<&str> = plan.defects.iter().map(|defect| defect.name()).collect();
    if !defects.is_empty() {
        facts.push(("defects".to_owned(), defects.join(", ")));
    }
    let verdict = signature.map_or_else(|| "held".to_owned(), |signature| signature.to_string());
    facts.push(("verdict".to_owned(), verdict));
    let title = format!("{}, seed {}", plan.scenario, plan.seed);
    Subject { title, facts, command: command.to_owned(), finding }
}

/// What a view opens at for a violation; for another failure, at the `last` event.
#[must_use]
pub fn finding(
    violation: Option<&Violation>,
    headline: String,
    explanation: Vec<String>,
    last: u64,
) -> Finding {
    Finding {
        event: violation.map_or(last, |violation| violation.event),
        headline,
        explanation,
        checkpoint: violation.and_then(|violation| violation.checkpoint),
        channel: violation.and_then(|violation| violation.channel),
        record: violation.and_then(|violation| violation.record),
        subtask: violation.and_then(|violation| violation.subtask),
    }
}

/// How many names are tried for a directory.
const NAMES_MAX: u32 = 10_000;

/// Makes a new directory `check-N` in `out`. Nothing is written over.
///
/// # Errors
///
/// When it cannot be made.
pub fn new_directory(out: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(out)?;
    for number in 1..=NAMES_MAX {
        let dir = out.join(format!("check-{number}"));
        match fs::create_dir(&dir) {
            Ok(()) => return Ok(dir),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("no name check-N is free"))
}
