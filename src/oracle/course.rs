//! The course of the job, as its trace tells it: what every oracle may know, each thing once.
//!
//! It takes each event before an oracle hears of it. It says whether the event counts ([`Hearing`]), keeps what all of
//! them build on (which attempt counts, what has completed, what is in the store, whether a fault acts), and says what
//! follows from the event ([`Fact`]). An oracle asks the course, and never another oracle; what only an oracle can find
//! out, and another one excuses something with, is among the [`Excuses`](super::findings::Excuses).

mod fact;
mod hearing;
mod lives;
mod reign;
mod store;
mod weather;

use std::sync::Arc;

pub(super) use fact::Fact;
pub(super) use hearing::Hearing;
use lives::Lives;
use reign::Reign;
use store::Store;
pub(super) use store::checkpoint_of;
use weather::Weather;

use super::findings::Findings;
use super::kind::Kind;
use super::reference::Reference;
use super::shape::Shape;
use super::verdict::Violation;
use crate::protocol::{Attempt, CheckpointId, SavepointMode};
use crate::trace::{Event, RunStarted, Stamp};

/// What is known of the job.
#[derive(Clone, Debug, Default)]
pub(super) struct Course {
    /// Of whom it consists.
    pub shape: Shape,
    /// What its output must be.
    pub reference: Arc<Reference>,
    /// Who reigns, and which attempt counts.
    pub reign: Reign,
    /// Which checkpoints are under way, and which have completed.
    pub lives: Lives,
    /// What the object store holds, and what of it recovery needs.
    pub store: Store,
    /// Whether something acts that can make things fail.
    pub weather: Weather,
}

/// What follows from an event, in order.
pub(super) type Facts = [Option<Fact>; 2];

impl Course {
    /// A job whose output must be `reference`.
    pub fn new(reference: Arc<Reference>) -> Self {
        Self { reference, ..Self::default() }
    }

    /// A run begins. A description that makes no sense leaves the shape as it was, and is told of.
    pub fn start(&mut self, run: &RunStarted) -> Result<(), String> {
        let shape = std::mem::take(&mut self.shape);
        *self = Self::new(Arc::clone(&self.reference));
        match Shape::new(run) {
            Ok(shape) => self.shape = shape,
            Err(text) => {
                self.shape = shape;
                return Err(text);
            }
        }
        Ok(())
    }

    /// The attempt whose events count.
    #[inline]
    pub fn attempt(&self) -> Option<Attempt> {
        self.reign.attempt()
    }

    /// Whether a completion is told that is known.
    fn is_told_again(&self, event: &Event) -> bool {
        match event {
            Event::Completed { checkpoint, .. } | Event::SavepointCompleted { checkpoint, .. } => {
                self.lives.has_completed(*checkpoint)
            }
            _ => false,
        }
    }

    /// An event is of the past. What a deposed coordinator begins is heard of, and is nobody's.
    #[cold]
    pub fn overhear(&mut self, event: &Event) {
        match event {
            Event::AttemptStarted { attempt, .. } => self.reign.start_in_vain(*attempt),
            Event::Triggered { checkpoint, .. } | Event::SavepointTriggered { checkpoint, .. } => {
                self.lives.abandon(*checkpoint);
            }
            _ => {}
        }
    }

    /// What an event reveals that had happened before it: a checkpoint that completed without a word.
    pub fn reveal(&mut self, event: &Event) -> Facts {
        match *event {
            Event::AttemptStarted { restored: Some(checkpoint), .. }
                if self.lives.is_silent(checkpoint) =>
            {
                self.complete(checkpoint, true)
            }
            Event::JobStopped { checkpoint, .. } if self.lives.is_silent(checkpoint) => {
                self.complete_savepoint(checkpoint, SavepointMode::Stop)
            }
            _ => [None, None],
        }
    }

    /// Takes an event that counts.
    pub fn take(&mut self, stamp: Stamp, event: &Event) {
        self.weather.take(stamp, event);
        self.reign.take(event);
        self.lives.take(event);
        self.store.take(&self.shape, event);
    }

    /// What follows from an event that counts, once all who want to have heard of it.
    pub fn follow(&mut self, findings: &mut Findings, stamp: Stamp, event: &Event) -> Facts {
        match *event {
            Event::Completed { checkpoint, .. } => self.complete(checkpoint, false),
            Event::SavepointCompleted { checkpoint, mode, .. } => {
                self.complete_savepoint(checkpoint, mode)
            }
            Event::AttemptStarted { attempt, restored, .. } => {
                [self.start_attempt(findings, stamp, attempt, restored), None]
            }
            Event::SplitReleased { subtask: reader, split, .. } => {
                [Some(Fact::Released { reader, split }), None]
            }
            Event::JobStopped { clean, .. } => [Some(Fact::Stopped { clean }), None],
            Event::JobFinished { .. } => [Some(Fact::Finished), None],
            _ => [None, None],
        }
    }

    fn complete(&mut self, checkpoint: CheckpointId, is_silent: bool) -> Facts {
        self.lives.complete(checkpoint);
        self.store.complete(&self.shape, checkpoint);
        let newest = Fact::Newest { checkpoint, is_savepoint: false };
        [Some(Fact::Completed { checkpoint, is_silent }), Some(newest)]
    }

    /// A savepoint that the job is over with is what recovery goes back to; any other is none of its business.
    fn complete_savepoint(&mut self, checkpoint: CheckpointId, mode: SavepointMode) -> Facts {
        let is_terminal = mode.is_terminal();
        self.lives.complete_savepoint(checkpoint, is_terminal);
        self.store.complete_savepoint(checkpoint, is_terminal);
        let newest = Fact::Newest { checkpoint, is_savepoint: true };
        [Some(Fact::SavepointCompleted { checkpoint, mode }), is_terminal.then_some(newest)]
    }

    /// An attempt begins, in the shape that was told of it. One that is not new begins nothing.
    fn start_attempt(
        &mut self,
        findings: &mut Findings,
        stamp: Stamp,
        attempt: Attempt,
        restored: Option<CheckpointId>,
    ) -> Option<Fact> {
        let reshaped = self.reign.start_attempt(attempt)?;
        self.weather.start_attempt();
        let result = reshaped.map(|topology| self.shape.reshape(attempt, &topology));
        let is_reshaped = result.unwrap_or(Ok(false)).unwrap_or_else(|text| {
            findings.report(&self.shape, stamp, Violation::new(Kind::UnknownEntity, text));
            false
        });
        Some(Fact::AttemptStarted { attempt, restored, is_reshaped })
    }
}
