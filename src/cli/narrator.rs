//! The story of a run: what matters of its trace, one line each, told as it happens.

use std::io::{self, Write as _};
use std::ops::ControlFlow;
use std::time::Duration;

use super::console::Console;
use crate::protocol::ordered::VecMap;
use crate::protocol::{CheckpointId, ProcessId, Topology, VirtualTime};
use crate::render::words::clause;
use crate::trace::{Event, Point, Stamp};
use crate::world::Observer;

/// Tells a run.
pub struct Narrator {
    out: Console,
    topology: Topology,
    /// When each pending checkpoint was triggered.
    triggered: VecMap<CheckpointId, VirtualTime>,
    /// How long completed ones took.
    durations: Vec<Duration>,
    error: Option<io::Error>,
}

impl Narrator {
    /// A story told on `out`.
    pub fn new(out: Console) -> Self {
        Self {
            out,
            topology: Topology::default(),
            triggered: VecMap::new(),
            durations: Vec::new(),
            error: None,
        }
    }

    /// The end: how long each completed checkpoint took, in order of completion, unless the story could
    /// not be told.
    pub fn finish(self) -> io::Result<Vec<Duration>> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.durations),
        }
    }

    fn tell(&mut self, at: VirtualTime, line: &str) {
        let told = writeln!(self.out, "{:>12}  {line}", at.to_string());
        if let Err(error) = told {
            self.error.get_or_insert(error);
        }
    }

    fn line(&mut self, stamp: Stamp, event: &Event) -> Option<String> {
        let point = Point::from(event);
        if point.tells_of_fault() {
            let mark = if point.strikes() { "fault: " } else { "" };
            return Some(format!("{mark}{}", clause(&self.topology, event).sentence()));
        }
        self.checkpoint_line(stamp.at, event)
            .or_else(|| is_told(point).then(|| self.sentence(stamp.process, event)))
    }

    /// An event in words, with the process where it is the one that does it.
    fn sentence(&self, process: ProcessId, event: &Event) -> String {
        let clause = clause(&self.topology, event);
        let is_named = !clause.subject.is_empty() || names_subject(Point::from(event));
        let who = if is_named { String::new() } else { format!("{process} ") };
        format!("{who}{}", clause.sentence())
    }

    fn checkpoint_line(&mut self, at: VirtualTime, event: &Event) -> Option<String> {
        Some(match event {
            Event::Triggered { checkpoint, .. } => {
                self.triggered.insert(*checkpoint, at);
                format!("{checkpoint} triggered")
            }
            Event::Completed { checkpoint, .. } => {
                let took = self.took(*checkpoint, at);
                self.durations.extend(took);
                format!("{checkpoint} completed{}", after(took))
            }
            Event::Aborted { checkpoint, reason, .. } => {
                let took = self.took(*checkpoint, at);
                format!("{checkpoint} aborted{}: {reason}", after(took))
            }
            _ => return None,
        })
    }

    fn took(&mut self, checkpoint: CheckpointId, at: VirtualTime) -> Option<Duration> {
        self.triggered.remove(&checkpoint).map(|triggered| at.since(triggered))
    }
}

fn after(took: Option<Duration>) -> String {
    took.map_or_else(String::new, |took| format!(" after {}", ms(took)))
}

/// Whether an event is told that is neither a fault nor a step of a checkpoint: it changes what the job does.
fn is_told(point: Point) -> bool {
    matches!(
        point,
        Point::LeadershipTaken
            | Point::AttemptStarted
            | Point::AttemptRunning
            | Point::AttemptFailed
            | Point::RescaleRequested
            | Point::RescaleRefused
            | Point::RescaleStarted
            | Point::SubtaskFailed
            | Point::SubtaskEnded
            | Point::Declined
            | Point::SavepointCompleted
            | Point::JobStopped
            | Point::JobResumed
            | Point::RequestRefused
            | Point::JobFinished
    )
}

/// Whether the words of an event say themselves who does it: an attempt or the job.
fn names_subject(point: Point) -> bool {
    matches!(
        point,
        Point::AttemptStarted
            | Point::AttemptRunning
            | Point::AttemptFailed
            | Point::JobStopped
            | Point::JobResumed
            | Point::JobFinished
    )
}

/// A duration as traces show times.
pub fn ms(duration: Duration) -> String {
    (VirtualTime::ZERO + duration).to_string()
}

impl Observer for Narrator {
    fn observe(&mut self, stamp: Stamp, event: &Event) -> ControlFlow<()> {
        if let Some(topology) = event.shape() {
            self.topology.clone_from(topology);
        }
        if let Some(line) = self.line(stamp, event) {
            self.tell(stamp.at, &line);
        }
        ControlFlow::Continue(())
    }
}
