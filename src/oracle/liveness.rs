//! O16, I12, I13: once faults have ended the job finishes, and nothing waits for what is settled.
//!
//! Four rules, each judged only where a healthy system owes it:
//!
//! 1. The job finishes within the liveness bound after [`Event::FaultsEnded`](crate::trace::Event::FaultsEnded),
//!    and a world in which nothing is left to happen has a finished job in it. It is not owed while the job
//!    waits for a recovery from a checkpoint of which every copy was destroyed; a job that runs owes it. It is
//!    not owed either as long as a sink target has let a transaction expire that a completed checkpoint holds, and
//!    a fault explains that.
//! 2. When the job finishes, every checkpoint below the newest completed one has completed or been
//!    aborted, but for those whose coordinator is gone. Newer ones may still be pending.
//! 3. No channel stays blocked for a checkpoint that has completed or been aborted for longer than
//!    half the liveness bound. The time counts from the latest of: faults ended, blocked, settled.
//!    While faults act a lost message may keep a channel blocked, and that is no violation; afterwards
//!    the next barrier, cancel marker, notification or restart must release it.
//! 4. Once faults have ended, no [`VAIN_MAX`] attempts in a row fail without a checkpoint that completes. A job
//!    that cannot read what it starts from fails again and again, and would do so until rule 1 ends it. One that
//!    cannot finish, for the target has let go of what it needs, is watched for [`HOPELESS_MAX`] of them.

mod awaited;

use std::time::Duration;

use self::awaited::Awaited;
use super::course::Fact;
use super::kind::Kind;
use super::oracles::{Oracle, listens};
use super::shape::Scene;
use super::verdict::{End, Violation};
use crate::protocol::ordered::{VecMap, VecSet};
use crate::protocol::{ChannelId, CheckpointId, ObjectKey, VirtualTime};
use crate::trace::Event;

/// How many settled checkpoints are remembered.
const SETTLED_MAX: usize = 64;

/// How many attempts in a row may fail without a checkpoint in between.
const VAIN_MAX: u32 = 100;

/// How many in a row of a job that cannot finish: whether it finishes as if nothing were missing shows sooner.
const HOPELESS_MAX: u32 = 10;

/// Judges progress.
#[derive(Clone, Debug, Default)]
pub(super) struct LivenessOracle {
    faults_ended: Option<VirtualTime>,
    finished: Option<VirtualTime>,
    is_overdue: bool,
    /// Attempts that have failed since faults ended and the newest checkpoint completed.
    vain: u32,
    /// All subtasks run, as far as the coordinator knows.
    is_running: bool,
    /// How often something has expired at the sink target, as of the last attempt that failed.
    expiries: u32,
    /// Why the job need not finish, once it has not in time.
    not_owed: Option<String>,
    pending: VecSet<CheckpointId>,
    newest: Option<CheckpointId>,
    /// Completed or aborted, and when; oldest first.
    settled: Vec<(CheckpointId, VirtualTime)>,
    blocked: VecMap<ChannelId, Blocked>,
    /// For words only.
    awaited: Awaited,
}

#[derive(Clone, Copy, Debug)]
struct Blocked {
    checkpoint: CheckpointId,
    since: VirtualTime,
}

listens! { LivenessOracle(self, scene, event) {
    Event::FaultsEnded {} => { self.faults_ended.get_or_insert(scene.stamp.at); }
    Event::LeadershipTaken { .. } => { self.handle_leadership_taken() }
    Event::AttemptRunning { .. } => {
        self.is_running = true;
        self.awaited.select(event);
    }
    Event::AttemptFailed { ref reason, .. } => {
        self.awaited.select(event);
        self.handle_attempt_failed(scene, reason);
    }
    Event::Triggered { checkpoint, .. } | Event::SavepointTriggered { checkpoint, .. } => {
        self.pending.insert(checkpoint);
        self.awaited.select(event);
    }
    Event::Aborted { checkpoint, .. } => {
        self.settle(scene, checkpoint);
        self.awaited.select(event);
    }
    Event::ChannelBlocked { channel, checkpoint, .. } => {
        self.blocked.insert(channel, Blocked { checkpoint, since: scene.stamp.at });
    }
    Event::ChannelUnblocked { channel, .. } => { self.blocked.remove(&channel); }
    Event::JobStopped { .. } => { self.finished.get_or_insert(scene.stamp.at); }
    Event::JobResumed { .. } => { self.handle_resumed(scene.stamp.at) }
    Event::AttemptStarted { .. } | Event::Restored(_) | Event::SubtaskEnded { .. }
    | Event::GatewayClosed { .. } | Event::GatewayReopened { .. } | Event::CommitRequested { .. }
    | Event::TransactionCommitted { .. } | Event::TransactionAborted { .. } | Event::OutputShown { .. }
    | Event::AcknowledgementCounted { .. } | Event::Assembled { .. } | Event::Completed { .. }
    | Event::SavepointCompleted { .. } => { self.awaited.select(event) }
} }

impl Oracle for LivenessOracle {
    fn start(&mut self, _scene: &Scene) {
        *self = Self::default();
    }

    fn learn(&mut self, scene: &mut Scene, fact: Fact) {
        match fact {
            Fact::AttemptStarted { .. } => self.handle_attempt_started(),
            Fact::Newest { checkpoint, .. } => self.handle_completed(scene, checkpoint),
            Fact::SavepointCompleted { checkpoint, mode } if !mode.is_terminal() => {
                self.settle(scene, checkpoint);
            }
            Fact::Finished => self.handle_finished(scene),
            _ => {}
        }
    }

    /// Whoever says it, it is told as what is waited for.
    fn overhear(&mut self, _scene: &mut Scene, event: &Event) {
        self.awaited.select(event);
    }
}

impl LivenessOracle {
    /// Time has passed.
    pub fn handle_time(&mut self, scene: &mut Scene) {
        let Some(ended) = self.faults_ended else { return };
        if self.finished.is_some() || self.is_overdue {
            return;
        }
        if scene.stamp.at > ended + scene.shape.liveness_bound {
            self.report_overdue(scene, ended);
        } else {
            self.judge_blocked(scene, ended);
        }
    }

    /// The attempt is over.
    fn handle_attempt_failed(&mut self, scene: &mut Scene, why: &str) {
        self.is_running = false;
        let excuses = &scene.found.excuses;
        if excuses.expiries() != self.expiries {
            // The job can never commit that: from then on it is watched for some attempts more.
            self.expiries = excuses.expiries();
            self.vain = 0;
        }
        self.vain += u32::from(self.faults_ended.is_some());
        let most = if excuses.expired().is_some() { HOPELESS_MAX } else { VAIN_MAX };
        if self.vain < most || self.finished.is_some() || self.is_overdue {
            return;
        }
        self.is_overdue = true;
        if !self.excuse(scene) {
            let text = format!(
                "{VAIN_MAX} attempts in a row failed, without a fault and without a checkpoint that completed; \
                 the last of them: {why}"
            );
            scene.report(Violation::new(Kind::NeverRecovers, text));
        }
    }

    /// All channels are new.
    fn handle_attempt_started(&mut self) {
        self.is_running = false;
        self.blocked.clear();
    }

    /// A coordinator took over: nobody will settle what its predecessor had triggered.
    fn handle_leadership_taken(&mut self) {
        self.is_running = false;
        self.pending.clear();
    }

    /// A checkpoint completed.
    fn handle_completed(&mut self, scene: &Scene, checkpoint: CheckpointId) {
        self.newest = self.newest.max(Some(checkpoint));
        self.vain = 0;
        self.settle(scene, checkpoint);
    }

    /// The job finished: in time, and with every older checkpoint settled.
    fn handle_finished(&mut self, scene: &mut Scene) {
        self.finished.get_or_insert(scene.stamp.at);
        let Some(newest) = self.newest else { return };
        if let Some(forgotten) = self.pending.range(..newest).next().copied() {
            let text = format!(
                "the job finished with {forgotten} neither completed nor aborted, {newest} completed"
            );
            scene.report(Violation::new(Kind::ForgottenCheckpoint, text).of(forgotten));
        }
    }

    /// It starts again: its time begins anew.
    fn handle_resumed(&mut self, now: VirtualTime) {
        if self.finished.take().is_some() {
            self.faults_ended = self.faults_ended.map(|ended| ended.max(now));
        }
    }

    /// The run ended. Whether this says something on liveness.
    pub fn finish(&mut self, scene: &mut Scene, end: &End) -> bool {
        if self.finished.is_some() || self.is_overdue {
            return true;
        }
        match end {
            End::Finished => {
                let text = "the run ended as finished, but the job never finished".to_owned();
                scene.report(Violation::new(Kind::NeverFinished, text));
                true
            }
            End::Quiescent if self.excuse(scene) => true,
            End::Quiescent => {
                let waiting = self.awaited.tell(scene) + &self.tell_blocked(scene);
                let text =
                    format!("nothing is left to happen, and the job has not finished{waiting}");
                scene.report(Violation::new(Kind::Stuck, text));
                true
            }
            End::StepLimit { steps } => {
                let text = format!(
                    "the run goes round in circles: given up after {steps} inputs of its processes"
                );
                scene.report(Violation::new(Kind::Circling, text));
                true
            }
            End::TimeLimit { .. } => {
                self.handle_time(scene);
                self.is_overdue
            }
            End::Panicked { .. } | End::Stopped => false,
        }
    }

    fn settle(&mut self, scene: &Scene, checkpoint: CheckpointId) {
        self.pending.remove(&checkpoint);
        if self.settled.len() == SETTLED_MAX {
            self.settled.remove(0);
        }
        self.settled.push((checkpoint, scene.stamp.at));
    }

    fn settled_at(&self, checkpoint: CheckpointId) -> Option<VirtualTime> {
        self.settled.iter().rev().find(|(id, _)| *id == checkpoint).map(|(_, at)| *at)
    }

    fn judge_blocked(&mut self, scene: &mut Scene, ended: VirtualTime) {
        if self.blocked.is_empty() {
            return;
        }
        let bound = scene.shape.liveness_bound / 2;
        let mut blocked = std::mem::take(&mut self.blocked);
        blocked.retain(|channel, Blocked { checkpoint, since }| {
            let Some(settled) = self.settled_at(*checkpoint) else { return true };
            let waited = scene.stamp.at.since(settled.max(*since).max(ended));
            if waited > bound {
                report_blocked(scene, *channel, *checkpoint, waited);
            }
            waited <= bound
        });
        self.blocked = blocked;
    }

    fn report_overdue(&mut self, scene: &mut Scene, ended: VirtualTime) {
        self.is_overdue = true;
        if self.excuse(scene) {
            return;
        }
        let waiting = self.awaited.tell(scene) + &self.tell_blocked(scene);
        let text = format!(
            "the job has not finished within {} ms after faults ended at {ended}{waiting}",
            scene.shape.liveness_bound.as_millis()
        );
        scene.report(Violation::new(Kind::Overdue, text));
    }

    /// Whether the job has been watched for as long as one that must finish, and need not.
    #[inline]
    pub fn is_given_up(&self) -> bool {
        self.is_overdue && self.not_owed.is_some()
    }

    /// Why the job need not have finished, though it has not.
    pub fn not_owed(&self) -> Option<&str> {
        self.not_owed.as_deref().filter(|_| self.finished.is_none())
    }

    /// Whether the end of the job is not owed any more. Where the target has let expire what was promised
    /// to it, it is not; where recovery needs what is destroyed, a job that runs owes its end all the same.
    fn excuse(&mut self, scene: &Scene) -> bool {
        if let Some(what) = scene.found.excuses.expired() {
            let why = format!(
                "a completed checkpoint holds {what}, and the sink target has let it expire"
            );
            self.not_owed = Some(why);
            return true;
        }
        if self.is_running {
            return false;
        }
        let Some((checkpoint, key)) = scene.course.store.lost() else { return false };
        let what = match key {
            ObjectKey::Snapshot { subtask, .. } => {
                format!("the snapshot of {}", scene.name(subtask))
            }
            ObjectKey::Metadata { .. } | ObjectKey::Savepoint { .. } => "the metadata".to_owned(),
        };
        let why = format!("recovery needs {checkpoint}, and every copy of {what} was destroyed");
        self.not_owed = Some(why);
        true
    }

    /// Who is waiting for what, at most four.
    fn tell_blocked(&self, scene: &Scene) -> String {
        let mut told = String::new();
        for (channel, blocked) in self.blocked.iter().take(4) {
            let state = match self.settled_at(blocked.checkpoint) {
                Some(_) => "settled",
                None => "not settled",
            };
            let name = scene.channel(*channel);
            let checkpoint = blocked.checkpoint;
            told.push_str(&format!("; {name} is blocked for {checkpoint}, which is {state}"));
        }
        told
    }
}

#[cold]
fn report_blocked(
    scene: &mut Scene,
    channel: ChannelId,
    checkpoint: CheckpointId,
    waited: Duration,
) {
    let text = format!(
        "{} is blocked for {checkpoint}, which was settled {} ms ago",
        scene.channel(channel),
        waited.as_millis()
    );
    scene.report(Violation::new(Kind::BlockedTooLong, text).of(checkpoint).on(channel));
}
