//! What fails, fails for a reason: a fault that acts, or a limit that was configured.
//!
//! A failover out of nothing heals by itself, so that no other oracle sees it; a job that restarts ten times an hour
//! is broken all the same. While the run is calm (`course/weather.rs`)
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

use super::course::Fact;
use super::kind::Kind;
use super::oracles::{Oracle, listens};
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
    /// How long a checkpoint may take, where somebody knows.
    timeout: Option<Duration>,
    /// Those that are under way in the current attempt, each with when it was triggered.
    pending: VecMap<CheckpointId, VirtualTime>,
    /// Of the checkpoints that came to an end in calm.
    completed: u32,
    /// Those that did not in time, and were not held up by records. One that a newer one overtook is no loss.
    expired: u32,
    /// Checkpoints were aborted in the current attempt.
    has_aborted: bool,
    /// Somebody asked for another parallelism.
    is_rescaling: bool,
    /// A worker has waited for the coordinator for longer than was configured: the links of this job are that slow.
    has_slow_links: bool,
}

listens! { CausesOracle(self, scene, event) {
    Event::Triggered { checkpoint, .. } => { self.handle_triggered(scene.stamp.at, checkpoint) }
    Event::Aborted { checkpoint, reason, .. } => { self.handle_aborted(scene, checkpoint, reason) }
    Event::RescaleStarted { .. } => { self.is_rescaling = true }
    Event::SubtaskFailed { subtask, ref reason, .. } => { self.handle_subtask_failed(scene, subtask, reason) }
    Event::AttemptFailed { attempt, ref reason } => { self.handle_attempt_failed(scene, attempt, reason) }
} }

impl Oracle for CausesOracle {
    fn start(&mut self, _scene: &Scene) {
        let (is_patient, timeout) = (self.is_patient, self.timeout);
        *self = Self { is_patient, timeout, ..Self::default() };
    }

    fn learn(&mut self, scene: &mut Scene, fact: Fact) {
        match fact {
            Fact::AttemptStarted { .. } => self.handle_attempt_started(),
            Fact::Newest { checkpoint, .. } => self.handle_completed(scene, checkpoint),
            Fact::Finished => self.handle_finished(scene),
            _ => {}
        }
    }
}

impl CausesOracle {
    /// Whether checkpoints have far more time than they take on average: nothing is owed where they have not.
    /// They expire after `timeout`, and not before.
    pub fn expect_checkpoints(&mut self, is_patient: bool, timeout: Duration) {
        self.is_patient = is_patient;
        self.timeout = Some(timeout);
    }

    /// A checkpoint is triggered.
    fn handle_triggered(&mut self, at: VirtualTime, checkpoint: CheckpointId) {
        self.pending.insert(checkpoint, at);
    }

    /// An attempt begins.
    fn handle_attempt_started(&mut self) {
        self.has_aborted = false;
        self.is_rescaling = false;
        self.pending.clear();
    }

    /// A checkpoint will never complete; maybe one of its barriers was held up by records.
    fn handle_aborted(&mut self, scene: &mut Scene, checkpoint: CheckpointId, reason: AbortReason) {
        self.has_aborted = true;
        let since = self.pending.remove(&checkpoint);
        let is_held_up = scene.found.excuses.held_up == Some(checkpoint);
        if scene.is_calm() && reason == AbortReason::Expired {
            self.expired += u32::from(!is_held_up);
            self.judge_expiry(scene, checkpoint, since);
        }
        if scene.is_calm() && reason == AbortReason::FinalizationFailed {
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
    fn handle_completed(&mut self, scene: &Scene, checkpoint: CheckpointId) {
        self.pending.remove(&checkpoint);
        self.completed += u32::from(scene.is_calm());
    }

    /// The job finished: what was triggered in calm has completed, by and large.
    fn handle_finished(&mut self, scene: &mut Scene) {
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
    fn handle_subtask_failed(&mut self, scene: &mut Scene, subtask: SubtaskId, why: &str) {
        let is_silence = why.ends_with(SILENCE);
        self.has_slow_links |= is_silence;
        if scene.is_calm() && !is_silence {
            let name = scene.name(subtask);
            let text = format!("{name} failed, and nothing was in trouble: {why}");
            scene.report(Violation::new(Kind::NeedlessFailure, text).by(subtask));
        }
    }

    /// The current attempt failed.
    fn handle_attempt_failed(&mut self, scene: &mut Scene, attempt: Attempt, why: &str) {
        // Until faults have ended it may be the plan that lets nobody hear of a worker.
        let is_unheard = why.ends_with(SILENCE) && !scene.course.weather.is_after_faults();
        let is_explained =
            self.has_aborted || self.is_rescaling || self.has_slow_links || is_unheard;
        if scene.is_calm() && !is_explained {
            let text = format!("{attempt} failed, and nothing was in trouble: {why}");
            scene.report(Violation::new(Kind::NeedlessFailure, text));
        }
    }
}
