//! I5, I7, I9, I10 and the coordinator's part of O12: a checkpoint's life, from its trigger to its end.
//!
//! Ids strictly increase over the whole run and are never reused; no more checkpoints are pending at
//! once than allowed; an acknowledgement counts once, of its own attempt, for a pending checkpoint,
//! and only if the subtask gave it; completion needs all of them, comes after the snapshots were
//! assembled, in order, and is announced only afterwards; what is aborted never completes, and a
//! subtask takes no snapshot for what it knows to be aborted (FLINK-28474), nor two for one checkpoint.
//!
//! A coordinator that takes over abandons what was pending. What had been assembled may be in the
//! store all the same, with the answer lost: such a checkpoint counts as completed when an attempt is
//! started from it, and a successor may tell of a completion again.

use super::course::Fact;
use super::kind::Kind;
use super::oracles::{Oracle, listens};
use super::shape::Scene;
use super::verdict::Violation;
use crate::protocol::ordered::{VecMap, VecSet};
use crate::protocol::{Attempt, CheckpointId, ObjectKey, SubtaskId};
use crate::trace::Event;

/// How many settled ids are remembered.
const SETTLED_MAX: usize = 256;

/// Judges lives of checkpoints.
#[derive(Clone, Debug, Default)]
pub(super) struct LifecycleOracle {
    triggered_last: Option<CheckpointId>,
    pending: VecMap<CheckpointId, Pending>,
    aborted: VecSet<CheckpointId>,
    /// Completed, and nobody has said so yet: whoever added it may still do, however late.
    untold: VecSet<CheckpointId>,
    /// A coordinator took over since the last completion.
    is_succeeded: bool,
    /// By subtask, within the attempt.
    subtasks: Vec<Known>,
}

#[derive(Clone, Debug)]
struct Pending {
    attempt: Attempt,
    acknowledged: Vec<bool>,
    counted: Vec<bool>,
    missing: usize,
    is_assembled: bool,
    /// Somebody asked for it.
    is_savepoint: bool,
    /// Its coordinator is gone.
    is_abandoned: bool,
}

#[derive(Clone, Debug, Default)]
struct Known {
    snapshotted: Option<CheckpointId>,
    aborted: VecSet<CheckpointId>,
}

listens! { LifecycleOracle(self, scene, event) {
    Event::LeadershipTaken { .. } => { self.handle_leadership_taken() }
    Event::Triggered { attempt, checkpoint } => { self.handle_triggered(scene, attempt, checkpoint) }
    Event::SavepointTriggered { attempt, checkpoint, .. } => {
        self.handle_savepoint_triggered(scene, attempt, checkpoint)
    }
    Event::SnapshotTaken(ref snapshot) => { self.handle_snapshot(scene, snapshot.subtask, snapshot.checkpoint) }
    Event::Acknowledged { subtask, attempt, checkpoint } => { self.handle_acknowledged(subtask, attempt, checkpoint) }
    Event::AcknowledgementCounted { subtask, from_attempt, checkpoint } => {
        self.handle_counted(scene, subtask, from_attempt, checkpoint)
    }
    Event::Assembled { checkpoint, ref snapshots } => { self.handle_assembled(scene, checkpoint, snapshots) }
    Event::Completed { attempt, checkpoint } => { self.handle_completed(scene, attempt, checkpoint) }
    Event::SavepointCompleted { checkpoint, .. } => { self.handle_savepoint_completed(scene, checkpoint) }
    Event::Aborted { checkpoint, .. } => { self.handle_aborted(scene, checkpoint) }
    Event::CompletionNotified { checkpoint, .. } => { self.handle_notified(scene, checkpoint) }
    Event::CompletionLearned { subtask, attempt, checkpoint, sent_to } => {
        self.handle_learned(scene, subtask, (attempt, sent_to), checkpoint)
    }
    Event::AbortLearned { subtask, checkpoint, .. } => { self.handle_abort_learned(subtask, checkpoint) }
    Event::CommitRequested { transaction, checkpoint } => {
        self.handle_commit_requested(scene, transaction.sink, checkpoint)
    }
} }

impl Oracle for LifecycleOracle {
    fn start(&mut self, scene: &Scene) {
        *self = Self::default();
        self.subtasks = vec![Known::default(); scene.shape.subtasks()];
    }

    fn learn(&mut self, scene: &mut Scene, fact: Fact) {
        match fact {
            Fact::AttemptStarted { .. } => self.handle_attempt_started(scene),
            Fact::Completed { checkpoint, is_silent } => self.settle(checkpoint, is_silent),
            Fact::SavepointCompleted { checkpoint, .. } => self.settle(checkpoint, false),
            _ => {}
        }
    }

    fn overhear(&mut self, scene: &mut Scene, event: &Event) {
        if let Event::Completed { checkpoint, .. } = event {
            self.handle_completed_again(scene, *checkpoint);
        }
    }
}

impl LifecycleOracle {
    /// All subtasks are new.
    fn handle_attempt_started(&mut self, scene: &Scene) {
        self.subtasks.fill(Known::default());
        self.subtasks.resize(scene.shape.subtasks(), Known::default());
    }

    /// A coordinator took over: nothing is pending any more.
    fn handle_leadership_taken(&mut self) {
        self.is_succeeded = true;
        self.pending.retain(|_, pending| pending.is_assembled);
        self.pending.values_mut().for_each(|pending| pending.is_abandoned = true);
    }

    /// A checkpoint was triggered.
    fn handle_triggered(&mut self, scene: &mut Scene, attempt: Attempt, checkpoint: CheckpointId) {
        self.judge_order(scene, checkpoint);
        let counts = |pending: &&Pending| !pending.is_assembled && !pending.is_savepoint;
        let pending = self.pending.values().filter(counts).count() + 1;
        let most = scene.shape.concurrent_max;
        if pending > most {
            let text =
                format!("{checkpoint} was triggered as number {pending} pending, {most} may be");
            report(scene, Kind::TooManyPending, checkpoint, text);
        }
        self.pending.insert(checkpoint, Pending::new(attempt, scene.shape.subtasks()));
        if scene.course.attempt() != Some(attempt) {
            let text = format!("{checkpoint} was triggered in {attempt}, which does not run");
            scene.report(Violation::new(Kind::TriggeredElsewhere, text));
        }
    }

    /// A savepoint was triggered, however many checkpoints are pending.
    fn handle_savepoint_triggered(
        &mut self,
        scene: &mut Scene,
        attempt: Attempt,
        checkpoint: CheckpointId,
    ) {
        self.judge_order(scene, checkpoint);
        let pending = Pending::new(attempt, scene.shape.subtasks());
        self.pending.insert(checkpoint, Pending { is_savepoint: true, ..pending });
    }

    fn judge_order(&mut self, scene: &mut Scene, checkpoint: CheckpointId) {
        if let Some(last) = self.triggered_last.filter(|last| checkpoint <= *last) {
            report(
                scene,
                Kind::TriggeredOutOfOrder,
                checkpoint,
                format!("{checkpoint} was triggered after {last}"),
            );
        }
        self.triggered_last = self.triggered_last.max(Some(checkpoint));
    }

    /// A savepoint is there, whatever other checkpoints have completed.
    fn handle_savepoint_completed(&mut self, scene: &mut Scene, checkpoint: CheckpointId) {
        let what = match self.pending.get(&checkpoint) {
            _ if self.aborted.contains(&checkpoint) => Some("it was aborted"),
            Some(pending) if !pending.is_savepoint => Some("nobody asked for it"),
            Some(pending) if pending.missing > 0 => Some("acknowledgements are missing"),
            Some(pending) if !pending.is_assembled => Some("it was not assembled"),
            Some(_) => None,
            None => Some("it was not pending"),
        };
        if let Some(what) = what {
            let text = format!("savepoint {checkpoint} completed, though {what}");
            report(scene, Kind::CompletedUnduly, checkpoint, text);
        }
    }

    /// A subtask froze its state: once per checkpoint, in order, and for none it knows to be aborted.
    fn handle_snapshot(&mut self, scene: &mut Scene, subtask: SubtaskId, checkpoint: CheckpointId) {
        let known = &mut self.subtasks[subtask.index()];
        let last = known.snapshotted.filter(|last| checkpoint <= *last);
        let wrong = if known.aborted.contains(&checkpoint) {
            Some((Kind::SnapshotOfAborted, ", which it knew to be aborted".to_owned()))
        } else {
            last.map(|last| (Kind::SnapshotOutOfOrder, format!(" after one for {last}")))
        };
        known.snapshotted = known.snapshotted.max(Some(checkpoint));
        known.aborted.retain(|aborted| *aborted >= checkpoint);
        if let Some((kind, what)) = wrong {
            let text = format!("{} took a snapshot for {checkpoint}{what}", scene.name(subtask));
            scene.report(Violation::new(kind, text).of(checkpoint).by(subtask));
        }
    }

    /// A subtask learned that a checkpoint was aborted.
    fn handle_abort_learned(&mut self, subtask: SubtaskId, checkpoint: CheckpointId) {
        let known = &mut self.subtasks[subtask.index()];
        known.aborted.insert(checkpoint);
        trim(&mut known.aborted);
    }

    /// A subtask acknowledges.
    fn handle_acknowledged(
        &mut self,
        subtask: SubtaskId,
        attempt: Attempt,
        checkpoint: CheckpointId,
    ) {
        let pending = self.pending.get_mut(&checkpoint).filter(|p| p.attempt == attempt);
        if let Some(pending) = pending
            && let Some(acknowledged) = pending.acknowledged.get_mut(subtask.index())
        {
            *acknowledged = true;
        }
    }

    /// An acknowledgement was counted (FLINK-5063, Jet #1435).
    fn handle_counted(
        &mut self,
        scene: &mut Scene,
        subtask: SubtaskId,
        attempt: Attempt,
        checkpoint: CheckpointId,
    ) {
        let refused = match self.pending.get_mut(&checkpoint) {
            None => Some("the checkpoint is not pending".to_owned()),
            Some(pending) => pending.count(subtask, attempt),
        };
        if let Some(what) = refused {
            let name = scene.name(subtask);
            let text = format!(
                "an acknowledgement of {name} from {attempt} counted for {checkpoint}, but {what}"
            );
            let violation = Violation::new(Kind::MiscountedAcknowledgement, text);
            scene.report(violation.of(checkpoint).by(subtask));
        }
    }

    /// The snapshots of a checkpoint were listed: one of each subtask, and of this checkpoint.
    fn handle_assembled(
        &mut self,
        scene: &mut Scene,
        checkpoint: CheckpointId,
        snapshots: &[(SubtaskId, ObjectKey)],
    ) {
        let Some(pending) = self.pending.get_mut(&checkpoint) else {
            report(
                scene,
                Kind::AssembledNotPending,
                checkpoint,
                format!("{checkpoint} was assembled, but it is not pending"),
            );
            return;
        };
        pending.is_assembled = true;
        let attempt = pending.attempt;
        let missing = pending.missing;
        if missing > 0 {
            let text =
                format!("{checkpoint} was assembled with {missing} acknowledgements missing");
            report(scene, Kind::AssembledTooEarly, checkpoint, text);
        }
        let expected = scene
            .shape
            .subtask_ids()
            .map(|subtask| (subtask, ObjectKey::Snapshot { checkpoint, attempt, subtask }));
        if !expected.eq(sorted(snapshots)) {
            let text =
                format!("{checkpoint} does not list one snapshot of its own of each subtask");
            report(scene, Kind::AssembledWrongSnapshots, checkpoint, text);
        }
    }

    /// The checkpoint is in the store.
    fn handle_completed(&mut self, scene: &mut Scene, attempt: Attempt, checkpoint: CheckpointId) {
        let newest = scene.course.lives.newest();
        if let Some(what) = self.refuses_completion(newest, attempt, checkpoint) {
            report(
                scene,
                Kind::CompletedUnduly,
                checkpoint,
                format!("{checkpoint} completed, though {what}"),
            );
        }
        self.is_succeeded = false;
    }

    /// Somebody says once more that it is.
    fn handle_completed_again(&mut self, scene: &mut Scene, checkpoint: CheckpointId) {
        if !self.untold.remove(&checkpoint) && !self.is_succeeded {
            let text = format!("{checkpoint} completed twice");
            report(scene, Kind::CompletedTwice, checkpoint, text);
        }
    }

    /// It has an outcome, of which maybe nobody has told.
    fn settle(&mut self, checkpoint: CheckpointId, is_silent: bool) {
        self.pending.remove(&checkpoint);
        if is_silent {
            self.untold.insert(checkpoint);
            trim(&mut self.untold);
        }
    }

    /// The checkpoint will never complete.
    fn handle_aborted(&mut self, scene: &mut Scene, checkpoint: CheckpointId) {
        if scene.course.lives.has_completed(checkpoint) {
            report(
                scene,
                Kind::AbortedAfterCompletion,
                checkpoint,
                format!("{checkpoint} was aborted after it completed"),
            );
        }
        self.pending.remove(&checkpoint);
        self.aborted.insert(checkpoint);
        trim(&mut self.aborted);
    }

    /// The subtasks are told that a checkpoint completed: it must have (I7, FLINK-31077).
    fn handle_notified(&mut self, scene: &mut Scene, checkpoint: CheckpointId) {
        if !scene.course.lives.may_have_completed(checkpoint) {
            let text = format!("the completion of {checkpoint} was announced before it completed");
            report(scene, Kind::AnnouncedBeforeCompletion, checkpoint, text);
        }
    }

    /// A subtask learned that a checkpoint completed: it must have, and be told to it (FLINK-24096).
    fn handle_learned(
        &mut self,
        scene: &mut Scene,
        subtask: SubtaskId,
        (attempt, sent_to): (Attempt, Attempt),
        checkpoint: CheckpointId,
    ) {
        let (kind, what) = if sent_to != attempt {
            let what =
                format!("of {attempt} took the completion of {checkpoint} meant for {sent_to}");
            (Kind::LearnedFromOtherAttempt, what)
        } else if !scene.course.lives.may_have_completed(checkpoint) {
            let what = format!("learned that {checkpoint} completed before it did");
            (Kind::LearnedBeforeCompletion, what)
        } else {
            return;
        };
        let text = format!("{} {what}", scene.name(subtask));
        scene.report(Violation::new(kind, text).of(checkpoint).by(subtask));
    }

    /// A sink is about to commit on behalf of a checkpoint: it or a later one must have completed.
    fn handle_commit_requested(
        &mut self,
        scene: &mut Scene,
        sink: SubtaskId,
        checkpoint: CheckpointId,
    ) {
        if scene.course.lives.newest().is_none_or(|newest| newest < checkpoint) {
            let name = scene.name(sink);
            let text = format!(
                "{name} commits for {checkpoint}, which has not completed, nor a later one"
            );
            let violation = Violation::new(Kind::CommitBeforeCompletion, text);
            scene.report(violation.of(checkpoint).by(sink));
        }
    }

    fn refuses_completion(
        &self,
        newest: Option<CheckpointId>,
        attempt: Attempt,
        checkpoint: CheckpointId,
    ) -> Option<String> {
        if self.aborted.contains(&checkpoint) {
            return Some("it was aborted".to_owned());
        }
        if let Some(newest) = newest.filter(|newest| checkpoint < *newest) {
            return Some(format!("{newest} had completed before"));
        }
        match self.pending.get(&checkpoint) {
            None => Some("it was not pending".to_owned()),
            Some(pending) if pending.missing > 0 => {
                Some(format!("{} acknowledgements are missing", pending.missing))
            }
            Some(pending) if !pending.is_assembled => Some("it was not assembled".to_owned()),
            Some(pending) if pending.attempt != attempt && !pending.is_abandoned => {
                Some(format!("it was triggered in {}, not in {attempt}", pending.attempt))
            }
            Some(_) => None,
        }
    }
}

impl Pending {
    fn new(attempt: Attempt, subtasks: usize) -> Self {
        Self {
            attempt,
            acknowledged: vec![false; subtasks],
            counted: vec![false; subtasks],
            missing: subtasks,
            is_assembled: false,
            is_savepoint: false,
            is_abandoned: false,
        }
    }

    /// Counts an acknowledgement. Why it may not be, if so.
    fn count(&mut self, subtask: SubtaskId, attempt: Attempt) -> Option<String> {
        if attempt != self.attempt {
            return Some(format!("it was triggered in {}", self.attempt));
        }
        if self.is_assembled {
            return Some("the checkpoint was assembled before".to_owned());
        }
        let Some(counted) = self.counted.get_mut(subtask.index()) else {
            return Some("the job had no such subtask then".to_owned());
        };
        if std::mem::replace(counted, true) {
            return Some("it had counted before".to_owned());
        }
        self.missing -= 1;
        let is_given = self.acknowledged[subtask.index()];
        (!is_given).then(|| "the subtask has not acknowledged it".to_owned())
    }
}

fn sorted(snapshots: &[(SubtaskId, ObjectKey)]) -> Vec<(SubtaskId, ObjectKey)> {
    let mut snapshots = snapshots.to_vec();
    snapshots.sort_unstable();
    snapshots
}

fn trim(ids: &mut VecSet<CheckpointId>) {
    while ids.len() > SETTLED_MAX {
        ids.pop_first();
    }
}

#[cold]
fn report(scene: &mut Scene, kind: Kind, checkpoint: CheckpointId, text: String) {
    scene.report(Violation::new(kind, text).of(checkpoint));
}
