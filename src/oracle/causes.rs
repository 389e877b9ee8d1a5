//! What fails, fails for a reason: a fault that acts, or a limit that was configured.
//!
//! A failover out of nothing heals by itself, so that no other oracle sees it; a job that restarts ten times an hour
//! is broken all the same. A run is *calm* until its first fault, and again once its faults have ended and an attempt
//! that began after them runs; the end of faults is no fault itself. In calm
//!
//! 1. no subtask fails, unless its worker has not heard of the coordinator for as long as was configured;
//! 2. an attempt fails only when checkpoints were aborted in it (as many as are tolerated is a limit that was
//!    configured), when somebody asked for another parallelism, where links have turned out to be slower than
//!    the silence that is tolerated, or for want of a worker before faults have ended: plans by priority hold back
//!    what a process says, and that is no fault;
//! 3. no checkpoint fails to be finalised, and none expires before its time;
//! 4. by the end of the job, of the checkpoints that completed or expired in calm, one in [`SHARE_MIN`] has completed.
//!    Some expire; where nearly all do, the engine is in the way, and not the limit. It is judged where whoever knows
//!    the plan says that checkpoints have far more time than they take, and links have not turned out to be slower than the
//!    silence that is tolerated. One does not count whose barrier waits in a channel for records before it when it
//!    expires: back-pressure explains that it is late. Where barriers overtake, nothing does.
//!
//! What a destroyed object or an expired transaction breaks is broken for good: from then on nothing here is judged.

use std::time::Duration;

use super::kind::Kind;
use super::shape::Scene;
use super::verdict::Violation;
use crate::protocol::ordered::VecMap;
use crate::protocol::{AbortReason, Attempt, CheckpointId, SubtaskId, VirtualTime};
use crate::trace::SILENCE;

/// Of how many checkpoints that end in calm one has to complete. In calm runs of the built-in scenarios it was one in
/// two at the least.
const SHARE_MIN: u32 = 3;

/// Of fewer checkpoints a share says nothing.
const SHARED_MIN: u32 = 12;

/// Judges failures.
#[derive(Clone, Debug, Default)]
pub(super) struct CausesOracle {
    /// Checkpoints have far more time than they take on average.
    is_patient: bool,
    weather: Weather,
    /// How long a checkpoint may take, where somebody knows.
    timeout: Option<Duration>,
    /// Those that are under way in the current attempt, each with when it was triggered.
    pending: VecMap<CheckpointId, VirtualTime>,
    /// Of the checkpoints that came to an end in calm.
    completed: u32,
    /// Those that did not in time, and were not held up by records. One that a newer one overtook is no loss.
    expired: u32,
    /// Faults have ended, and the current attempt began after that.
    is_after_faults: bool,
    have_faults_ended: bool,
    /// Checkpoints were aborted in the current attempt.
    has_aborted: bool,
    /// Somebody asked for another parallelism.
    is_rescaling: bool,
    /// A worker has waited for the coordinator for longer than was configured: the links of this job are that slow.
    has_slow_links: bool,
}

/// Whether something acts that can make things fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Weather {
    /// Nothing does.
    #[default]
    Calm,
    /// A fault has struck.
    Disturbed,
    /// Something is gone for good.
    Damaged,
}

impl CausesOracle {
    /// The run begins.
    pub fn start(&mut self) {
        let (is_patient, timeout) = (self.is_patient, self.timeout);
        *self = Self { is_patient, timeout, ..Self::default() };
    }

    /// Whether checkpoints have far more time than they take on average: nothing is owed where they have not.
    /// They expire after `timeout`, and not before.
    pub fn expect_checkpoints(&mut self, is_patient: bool, timeout: Duration) {
        self.is_patient = is_patient;
        self.timeout = Some(timeout);
    }

    /// A checkpoint is triggered.
    pub fn handle_triggered(&mut self, at: VirtualTime, checkpoint: CheckpointId) {
        self.pending.insert(checkpoint, at);
    }

    /// A fault struck, or one ended.
    pub fn handle_fault(&mut self) {
        if self.weather == Weather::Calm {
            self.weather = Weather::Disturbed;
        }
    }

    /// Something is gone that the job cannot do without.
    pub fn handle_lost(&mut self) {
        self.weather = Weather::Damaged;
    }

    /// Whether nothing acts that can make things fail.
    pub fn is_calm(&self) -> bool {
        self.weather == Weather::Calm
    }

    /// No fault acts any more.
    pub fn handle_faults_ended(&mut self) {
        self.have_faults_ended = true;
    }

    /// An attempt begins.
    pub fn handle_attempt_started(&mut self) {
        self.is_after_faults = self.have_faults_ended;
        self.has_aborted = false;
        self.is_rescaling = false;
        self.pending.clear();
    }

    /// All subtasks run.
    pub fn handle_running(&mut self) {
        if self.is_after_faults && self.weather == Weather::Disturbed {
            self.weather = Weather::Calm;
        }
    }

    /// The job is to go on at another parallelism.
    pub fn handle_rescale(&mut self) {
        self.is_rescaling = true;
    }

    /// A checkpoint will never complete; maybe one of its barriers was held up by records.
    pub fn handle_aborted(
        &mut self,
        scene: &mut Scene,
        checkpoint: CheckpointId,
        reason: AbortReason,
        is_held_up: bool,
    ) {
        self.has_aborted = true;
        let since = self.pending.remove(&checkpoint);
        if self.weather == Weather::Calm && reason == AbortReason::Expired {
            self.expired += u32::from(!is_held_up);
            self.judge_expiry(scene, checkpoint, since);
        }
        if self.weather == Weather::Calm && reason == AbortReason::FinalizationFailed {
            let text = format!("{checkpoint} could not be finalised, and nothing was in trouble");
            scene.report(Violation::new(Kind::NeedlessAbort, text).of(checkpoint));
        }
    }

    /// Nothing expires before its time.
    fn judge_expiry(
        &self,
        scene: &mut Scene,
        checkpoint: CheckpointId,
        since: Option<VirtualTime>,
    ) {
        let (Some(timeout), Some(since)) = (self.timeout, since) else { return };
        let took = scene.stamp.at.since(since);
        if took < timeout {
            let text = format!(
                "{checkpoint} expired after {} ms, though it may take {} ms, and nothing was in trouble",
                took.as_millis(),
                timeout.as_millis()
            );
            scene.report(Violation::new(Kind::NeedlessAbort, text).of(checkpoint));
        }
    }

    /// A checkpoint completed.
    pub fn handle_completed(&mut self, checkpoint: CheckpointId) {
        self.pending.remove(&checkpoint);
        self.completed += u32::from(self.weather == Weather::Calm);
    }

    /// The job finished: what was triggered in calm has completed, by and large.
    pub fn handle_finished(&mut self, scene: &mut Scene) {
        let (completed, settled) = (self.completed, self.completed + self.expired);
        let is_starved = settled >= SHARED_MIN && completed * SHARE_MIN < settled;
        if is_starved && self.is_patient && !self.has_slow_links {
            let text = format!(
                "{} of {settled} checkpoints expired while nothing was in trouble, and {completed} completed",
                self.expired
            );
            scene.report(Violation::new(Kind::NeedlessAborts, text));
        }
    }

    /// A subtask of the current attempt failed.
    pub fn handle_subtask_failed(&mut self, scene: &mut Scene, subtask: SubtaskId, why: &str) {
        let is_silence = why.ends_with(SILENCE);
        self.has_slow_links |= is_silence;
        if self.weather == Weather::Calm && !is_silence {
            let name = scene.name(subtask);
            let text = format!("{name} failed, and nothing was in trouble: {why}");
            scene.report(Violation::new(Kind::NeedlessFailure, text).by(subtask));
        }
    }

    /// The current attempt failed.
    pub fn handle_attempt_failed(&mut self, scene: &mut Scene, attempt: Attempt, why: &str) {
        // Until faults have ended it may be the plan that lets nobody hear of a worker.
        let is_unheard = why.ends_with(SILENCE) && !self.is_after_faults;
        let is_explained =
            self.has_aborted || self.is_rescaling || self.has_slow_links || is_unheard;
        if self.weather == Weather::Calm && !is_explained {
            let text = format!("{attempt} failed, and nothing was in trouble: {why}");
            scene.report(Violation::new(Kind::NeedlessFailure, text));
        }
    }
}
