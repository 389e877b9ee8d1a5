//! Judges the situations that take more than one event to tell.

use strum::EnumCount as _;

use super::phase::{Phase, PhaseTracker};
use crate::plan::Situation;
use crate::protocol::ordered::{VecMap, VecSet};
use crate::protocol::{AbortReason, Attempt, CheckpointId, ProcessId, SubtaskId, Topology};
use crate::trace::Event;

/// What has been met so far, and what it takes to tell.
#[derive(Clone, Debug, Default)]
pub(super) struct Situations {
    met: [bool; Situation::COUNT],
    /// The current attempt.
    attempt: Attempt,
    /// Whether the current attempt was started and has not run yet.
    is_starting: bool,
    /// Whether a checkpoint completed since the current attempt was started.
    has_completed: bool,
    /// Aborted checkpoints, the newest [`ABORTED_MAX`].
    aborted: VecSet<CheckpointId>,
    /// Savepoints that are pending.
    savepoints: VecSet<CheckpointId>,
    /// Workers that are down.
    down: VecSet<ProcessId>,
    /// Subtasks that wait for barriers, and for whose, where none has come ahead.
    aligning: VecMap<SubtaskId, Option<CheckpointId>>,
    /// The receiver of each channel.
    receivers: Vec<SubtaskId>,
}

/// How many aborted checkpoints are remembered; an acknowledgement is not later than that.
const ABORTED_MAX: usize = 64;

impl Situations {
    /// Sees an event; `phases` are those before it.
    pub fn observe(&mut self, event: &Event, phases: &PhaseTracker) {
        match event {
            Event::RunStarted(started) => self.begin(&started.topology),
            Event::Crashed { process } | Event::Zombified { process, .. } => {
                self.lose(*process, phases);
            }
            Event::Restarted { process, .. } => {
                self.down.remove(process);
            }
            Event::AttemptStarted { attempt, restored, .. } => self.start(*attempt, *restored),
            Event::AttemptRunning { .. } => self.is_starting = false,
            Event::AttemptFailed { .. } => self.aligning.clear(),
            Event::Triggered { .. } => {
                let is_second = phases.is_checkpoint_pending(&self.savepoints);
                self.meet_if(Situation::TwoCheckpointsPending, is_second);
                let is_beside = !self.savepoints.is_empty();
                self.meet_if(Situation::SavepointBesideCheckpoint, is_beside);
            }
            Event::SavepointTriggered { checkpoint, .. } => {
                let is_beside = phases.is_checkpoint_pending(&self.savepoints);
                self.meet_if(Situation::SavepointBesideCheckpoint, is_beside);
                self.savepoints.insert(*checkpoint);
            }
            Event::SavepointCompleted { checkpoint, .. } => {
                self.savepoints.remove(checkpoint);
            }
            Event::LeadershipTaken { .. } => self.savepoints.clear(),
            Event::Completed { .. } => self.has_completed = true,
            Event::Aborted { checkpoint, reason, .. } => self.abort(*checkpoint, *reason),
            Event::AcknowledgementIgnored { checkpoint, from_attempt, .. } => {
                self.ignore(*checkpoint, *from_attempt);
            }
            _ => self.observe_task(event),
        }
    }

    /// Which situations were met.
    pub fn met(&self) -> [u64; Situation::COUNT] {
        self.met.map(u64::from)
    }

    /// Sees an event inside a worker or the sink target.
    fn observe_task(&mut self, event: &Event) {
        match event {
            Event::EndReceived { channel, .. } => {
                let receiver = self.receivers.get(channel.index());
                if receiver.is_some_and(|receiver| self.aligning.contains_key(receiver)) {
                    self.meet(Situation::EndedWhileAligning);
                }
            }
            Event::BarrierOvertook { channel, checkpoint, .. } => {
                let receiver = self.receivers.get(channel.index());
                let aligned = receiver.and_then(|receiver| self.aligning.get(receiver)).copied();
                let is_newer = aligned.flatten().is_some_and(|aligned| aligned < *checkpoint);
                self.meet_if(Situation::OvertakenWhileAligning, is_newer);
            }
            Event::AlignmentStarted { subtask, checkpoint, .. } => {
                self.aligning.insert(*subtask, Some(*checkpoint));
            }
            Event::AlignmentOvertaken { subtask, .. } => {
                self.aligning.insert(*subtask, None);
            }
            Event::AlignmentCompleted { subtask, .. } | Event::AlignmentAborted { subtask, .. } => {
                self.aligning.remove(subtask);
            }
            Event::SnapshotTaken(taken) if taken.ended => self.meet(Situation::SnapshotAfterEnd),
            Event::CompletionLearned { attempt, sent_to, .. } if sent_to < attempt => {
                self.meet(Situation::NotificationAcrossRestart);
            }
            Event::TransactionCommitted { transaction, .. }
                if transaction.attempt < self.attempt =>
            {
                self.meet(Situation::CommitOfDeadAttempt);
            }
            _ => {}
        }
    }

    fn begin(&mut self, job: &Topology) {
        self.receivers = job.channels.iter().map(|channel| channel.to).collect();
    }

    fn meet(&mut self, situation: Situation) {
        self.met[situation as usize] = true;
    }

    fn meet_if(&mut self, situation: Situation, is_met: bool) {
        self.met[situation as usize] |= is_met;
    }

    /// A process crashed, or is taken for dead.
    fn lose(&mut self, process: ProcessId, phases: &PhaseTracker) {
        match process {
            ProcessId::Coordinator => match phases.phase() {
                Phase::Completing => self.meet(Situation::CoordinatorLostWhileCompleting),
                Phase::Completed => self.meet(Situation::CoordinatorLostBeforeNotifying),
                _ => {}
            },
            ProcessId::Worker(_) => {
                self.down.insert(process);
                if self.down.len() > 1 {
                    self.meet(Situation::TwoWorkersDown);
                }
            }
            _ => return,
        }
        if self.is_starting {
            self.meet(Situation::CrashInRecovery);
        }
        if self.attempt > Attempt(1) && phases.is_running() && !self.has_completed {
            self.meet(Situation::CrashBeforeFirstCheckpoint);
        }
    }

    fn start(&mut self, attempt: Attempt, restored: Option<CheckpointId>) {
        if self.is_starting {
            self.meet(Situation::RecoveryRepeated);
        }
        match restored {
            Some(_) => self.meet(Situation::RestartFromCheckpoint),
            None if attempt > Attempt(1) => self.meet(Situation::RestartWithoutCheckpoint),
            None => {}
        }
        self.attempt = attempt;
        self.is_starting = true;
        self.has_completed = false;
        self.aligning.clear();
    }

    fn abort(&mut self, checkpoint: CheckpointId, reason: AbortReason) {
        let is_savepoint = self.savepoints.remove(&checkpoint);
        self.meet_if(Situation::SavepointAborted, is_savepoint);
        self.aborted.insert(checkpoint);
        if self.aborted.len() > ABORTED_MAX {
            self.aborted.pop_first();
        }
        match reason {
            AbortReason::Declined => self.meet(Situation::CheckpointDeclined),
            AbortReason::Expired => self.meet(Situation::CheckpointExpired),
            AbortReason::FinalizationFailed => self.meet(Situation::FinalizationFailed),
            AbortReason::Subsumed => self.meet(Situation::CheckpointSubsumed),
            AbortReason::AttemptFailed | AbortReason::JobOver => {}
        }
    }

    fn ignore(&mut self, checkpoint: CheckpointId, from_attempt: Attempt) {
        if self.aborted.contains(&checkpoint) {
            self.meet(Situation::AcknowledgementAfterAbort);
        }
        if from_attempt < self.attempt {
            self.meet(Situation::AcknowledgementOfDeadAttempt);
        }
    }
}
