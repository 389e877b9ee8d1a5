//! Phases of a job, told from its trace.

use serde::{Deserialize, Serialize};
use strum::{EnumCount, EnumIter, EnumString, IntoStaticStr};

use crate::protocol::ordered::VecSet;
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
    /// The first attempt is about to run, or a job is stopped.
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
    #[rustfmt::skip]
    pub fn observe(&mut self, events: u64, event: &Event) {
        use Event as E;
        match event {
            E::Crashed { process: ProcessId::Coordinator }
            | E::Zombified { process: ProcessId::Coordinator, .. } => self.lose_leader(),
            E::LeadershipTaken { .. } => self.is_led = true,
            E::AttemptStarted { attempt, .. } => self.start(attempt.0 > 1),
            E::AttemptRunning { .. } => self.is_running = true,
            E::AttemptFailed { .. } => self.fail(),
            E::Triggered { checkpoint, .. } | E::SavepointTriggered { checkpoint, .. } => {
                self.advance(*checkpoint, Stage::Triggered);
            }
            E::AcknowledgementCounted { checkpoint, .. } => self.advance(*checkpoint, Stage::Acknowledging),
            E::Assembled { checkpoint, .. } => self.advance(*checkpoint, Stage::Completing),
            E::Completed { checkpoint, .. } => self.advance(*checkpoint, Stage::Completed),
            // Nobody is told of a savepoint: with it, the coordinator is done.
            E::CompletionNotified { checkpoint, .. } | E::SavepointCompleted { checkpoint, .. }
            | E::Aborted { checkpoint, .. } => self.settle(*checkpoint),
            E::JobStopped { .. } => self.stop(),
            E::RunStarted(_) | E::FaultsEnded | E::Crashed { .. } | E::Restarted { .. } | E::Paused { .. }
            | E::Resumed { .. } | E::Disconnected { .. } | E::Healed { .. } | E::MessageDropped { .. }
            | E::MessageDelayed { .. } | E::MessageDuplicated { .. } | E::MessageReordered { .. } | E::Zombified { .. }
            | E::ZombieEnded { .. } | E::Held { .. } | E::Released { .. } | E::HalfOpened { .. }
            | E::ConnectionReset { .. } | E::ElementLost { .. } | E::ClockChanged { .. } | E::StoreTroubled { .. }
            | E::StoreRecovered { .. } | E::ObjectDestroyed { .. } | E::SinkTroubled { .. } | E::SinkRecovered
            | E::SplitIdle { .. } | E::SplitResumed { .. } | E::Read { .. } | E::Sent { .. } | E::Received { .. }
            | E::BarrierSent { .. } | E::BarrierReceived { .. } | E::BarrierOvertook { .. } | E::Replayed { .. }
            | E::RecordCut { .. } | E::CancelSent { .. } | E::CancelReceived { .. } | E::EndSent { .. }
            | E::EndReceived { .. } | E::ChannelBlocked { .. } | E::ChannelUnblocked { .. } | E::Restored(_)
            | E::AlignmentStarted { .. } | E::AlignmentCompleted { .. } | E::AlignmentOvertaken { .. }
            | E::AlignmentAborted { .. } | E::SnapshotTaken(_) | E::ChannelStateCaptured(_) | E::ChannelStateDealt(_)
            | E::ChannelStateRestored(_) | E::SnapshotDurable { .. } | E::Acknowledged { .. } | E::Declined { .. }
            | E::CompletionLearned { .. } | E::AbortLearned { .. } | E::SubtaskEnded { .. } | E::SubtaskFailed { .. }
            | E::TimeRestored { .. } | E::WatermarkAdvanced { .. } | E::WatermarkSent { .. }
            | E::WatermarkReceived { .. } | E::TimerRegistered { .. } | E::TimerDeleted { .. } | E::TimerFired { .. }
            | E::DroppedLate { .. } | E::RescaleRequested { .. } | E::RescaleRefused { .. } | E::RescaleStarted { .. }
            | E::Reshaped { .. } | E::AcknowledgementIgnored { .. } | E::Discarded { .. } | E::JobFinished { .. }
            | E::JobResumed { .. } | E::RequestRefused { .. } | E::SplitAppeared { .. } | E::SplitDiscovered { .. } | E::SplitsKnown { .. }
            | E::SplitReleased { .. } | E::SplitRemoved { .. } | E::SplitRequested { .. } | E::SplitAssigned { .. }
            | E::SplitAccepted { .. } | E::SplitsExhausted { .. } | E::SplitsReturned { .. }
            | E::EnumeratorSnapshot { .. } | E::EnumeratorRestored { .. } | E::GatewayClosed { .. }
            | E::GatewayReopened { .. } | E::ObjectStored { .. } | E::ObjectRefused { .. } | E::ObjectDeleted { .. }
            | E::RecordWritten { .. } | E::RecordRefused { .. } | E::OffsetCommitted { .. } | E::MessageRedelivered { .. }
            | E::ProducersFenced { .. }
            | E::ProducerRefused { .. } | E::TransactionOpened { .. } | E::TransactionPrepared { .. }
            | E::CommitRequested { .. } | E::TransactionCommitted { .. } | E::TransactionAborted { .. }
            | E::OutputWritten { .. } | E::OutputShown { .. } | E::OutputHidden { .. } | E::OutputExpired { .. }
            | E::OutputHeld(_) => return,
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

    /// Whether checkpoints have been triggered, and are not complete, that are none of these savepoints.
    pub fn is_checkpoint_pending(&self, savepoints: &VecSet<CheckpointId>) -> bool {
        let mut pending = self.pending.iter().filter(|(_, stage)| *stage < Stage::Completed);
        pending.any(|(checkpoint, _)| !savepoints.contains(checkpoint))
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

    /// The job is stopped: nothing runs until it is resumed.
    fn stop(&mut self) {
        self.is_running = false;
        self.pending.clear();
    }

    /// A checkpoint is over, as far as the coordinator is concerned.
    fn settle(&mut self, checkpoint: CheckpointId) {
        self.pending.retain(|(pending, _)| *pending != checkpoint);
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
