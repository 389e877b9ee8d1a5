//! Phases of a job, told from its trace.

use serde::{Deserialize, Serialize};
use strum::{EnumCount, EnumIter, EnumString, IntoStaticStr};

use crate::protocol::{CheckpointId, ProcessId};
use crate::trace::Event;

/// What a job is about. Where several checkpoints are pending the one that has come farthest counts.
///
/// A coordinator that was replaced and goes on is not told from its successor.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    EnumCount,
    EnumIter,
    EnumString,
    IntoStaticStr,
    strum::Display,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Phase {
    /// No coordinator reigns: none has taken over yet, or the last one is lost.
    #[default]
    Leaderless,
    /// The first attempt is about to run.
    Deploying,
    /// Something failed before, and the next attempt is about to run, or to be started.
    Recovering,
    /// All subtasks run, and no checkpoint is pending.
    Idle,
    /// A checkpoint was triggered, and nobody has acknowledged it.
    Triggered,
    /// Some have acknowledged a checkpoint.
    Acknowledging,
    /// All have acknowledged a checkpoint, and it is being written.
    Completing,
    /// A checkpoint is complete, and the subtasks have not been told.
    Completed,
}

/// How far a pending checkpoint has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Triggered,
    Acknowledging,
    Completing,
    Completed,
}

/// Follows the phases of a run, and keeps when they changed.
#[derive(Clone, Debug, Default)]
pub(super) struct PhaseTracker {
    is_led: bool,
    is_running: bool,
    has_failed: bool,
    /// Attempts after the first.
    restores: u64,
    /// At most [`PENDING_MAX`], in the order of their triggers.
    pending: Vec<(CheckpointId, Stage)>,
    /// How many events there were when a phase began; at most [`CHANGES_MAX`], in order.
    changes: Vec<(u64, Phase)>,
}

/// More checkpoints than these are not told apart.
const PENDING_MAX: usize = 64;

/// After so many changes the last one is taken for the rest of the run; the longest built-in run has a
/// few thousand.
const CHANGES_MAX: usize = 1 << 16;

impl PhaseTracker {
    /// Sees an event with which the run has so many.
    pub fn observe(&mut self, events: u64, event: &Event) {
        match event {
            Event::Crashed { process: ProcessId::Coordinator }
            | Event::Zombified { process: ProcessId::Coordinator, .. } => self.lose_leader(),
            Event::LeadershipTaken { .. } => self.is_led = true,
            Event::AttemptStarted { attempt, .. } => self.start(attempt.0 > 1),
            Event::AttemptRunning { .. } => self.is_running = true,
            Event::AttemptFailed { .. } => self.fail(),
            Event::Triggered { checkpoint, .. } => self.advance(*checkpoint, Stage::Triggered),
            Event::AcknowledgementCounted { checkpoint, .. } => {
                self.advance(*checkpoint, Stage::Acknowledging);
            }
            Event::Assembled { checkpoint, .. } => self.advance(*checkpoint, Stage::Completing),
            Event::Completed { checkpoint, .. } => self.advance(*checkpoint, Stage::Completed),
            Event::CompletionNotified { checkpoint, .. } | Event::Aborted { checkpoint, .. } => {
                self.pending.retain(|(pending, _)| pending != checkpoint);
            }
            _ => return,
        }
        self.note(events);
    }

    /// What the job is about now.
    pub fn phase(&self) -> Phase {
        if !self.is_led {
            return Phase::Leaderless;
        }
        if !self.is_running {
            return if self.has_failed { Phase::Recovering } else { Phase::Deploying };
        }
        match self.pending.iter().map(|(_, stage)| *stage).max() {
            None => Phase::Idle,
            Some(Stage::Triggered) => Phase::Triggered,
            Some(Stage::Acknowledging) => Phase::Acknowledging,
            Some(Stage::Completing) => Phase::Completing,
            Some(Stage::Completed) => Phase::Completed,
        }
    }

    /// What it was about once the run had so many events.
    pub fn phase_at(&self, events: u64) -> Phase {
        let place = self.changes.partition_point(|(since, _)| *since <= events);
        place.checked_sub(1).map_or(Phase::default(), |last| self.changes[last].1)
    }

    /// Whether all subtasks run.
    pub fn is_running(&self) -> bool {
        self.is_running
    }

    /// How many attempts were started after the first.
    pub fn restores(&self) -> u64 {
        self.restores
    }

    /// How many checkpoints have been triggered, and are not complete.
    pub fn pending(&self) -> usize {
        self.pending.iter().filter(|(_, stage)| *stage < Stage::Completed).count()
    }

    fn lose_leader(&mut self) {
        self.is_led = false;
        self.fail();
    }

    fn start(&mut self, is_again: bool) {
        self.is_running = false;
        self.has_failed |= is_again;
        self.restores += u64::from(is_again);
    }

    fn fail(&mut self) {
        self.is_running = false;
        self.has_failed = true;
        self.pending.clear();
    }

    /// A checkpoint has come at least so far.
    fn advance(&mut self, checkpoint: CheckpointId, stage: Stage) {
        if let Some((_, reached)) = self.pending.iter_mut().find(|(id, _)| *id == checkpoint) {
            *reached = stage.max(*reached);
        } else if self.pending.len() < PENDING_MAX {
            self.pending.push((checkpoint, stage));
        }
    }

    fn note(&mut self, events: u64) {
        let phase = self.phase();
        let last = self.changes.last().map_or(Phase::default(), |(_, phase)| *phase);
        if phase != last && self.changes.len() < CHANGES_MAX {
            self.changes.push((events, phase));
        }
    }
}
