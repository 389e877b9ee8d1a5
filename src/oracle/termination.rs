//! O20, I22: a stopped job is its savepoint, no more and no less.
//!
//! A source that has passed the barrier of the savepoint that its job stops at reads nothing more
//! (FLINK-21028), and nobody emits anything behind it (FLINK-24846, FLINK-13491), unless the stop has failed: it
//! would be in no savepoint and in no output. A plain stop ends no input (FLINK-21132); a drain ends all of
//! it before the cut (FLINK-21453), and no other cut holds that end: who is restored from one reads on. A job is stopped only at a savepoint that has completed (Arroyo #1124,
//! 2090cb97), and cleanly only when all that it holds is committed (FLINK-38370). Behind it there is no
//! failover (FLINK-26783): the next attempt is that of a job that was resumed.
//!
//! That nothing else is visible is the output oracle's part, and that who resumes starts from there the
//! recovery and the state oracles': for them such a savepoint is the newest completed checkpoint.

use super::course::Fact;
use super::kind::Kind;
use super::oracles::{Oracle, listens};
use super::shape::Scene;
use super::verdict::Violation;
use crate::protocol::ordered::VecSet;
use crate::protocol::{Attempt, ChannelId, CheckpointId, SavepointMode, SubtaskId, TransactionId};
use crate::trace::{RunStarted, SnapshotTaken, SplitPosition};

/// Judges how jobs stop.
#[derive(Clone, Debug, Default)]
pub(super) struct TerminationOracle {
    stopping: Option<Stopping>,
    /// The savepoint that the job is over with.
    stopped: Option<CheckpointId>,
    /// The savepoints that end all input, whatever became of them: their cuts may come late.
    drains: VecSet<CheckpointId>,
    /// With records, and not committed.
    prepared: VecSet<TransactionId>,
}

/// A savepoint that the job is to stop at.
#[derive(Clone, Debug)]
struct Stopping {
    checkpoint: CheckpointId,
    attempt: Attempt,
    mode: SavepointMode,
    /// By subtask, whether its cut was taken.
    halted: Vec<bool>,
    /// What its snapshots hold.
    transactions: Vec<TransactionId>,
}

listens! { TerminationOracle(self, scene, event) {
    Event::SavepointTriggered { attempt, checkpoint, mode } => {
        self.handle_triggered(scene, attempt, checkpoint, mode)
    }
    Event::SnapshotTaken(ref snapshot) => { self.handle_snapshot(scene, snapshot) }
    Event::EndSent { channel, .. } => { self.handle_end_sent(scene, scene.shape.channels[channel.index()].from) }
    // The job goes on.
    Event::Aborted { checkpoint, .. } => { self.stopping.take_if(|stopping| stopping.checkpoint == checkpoint); }
    Event::TransactionPrepared { transaction, records } => {
        if records > 0 {
            self.prepared.insert(transaction);
        }
    }
    Event::TransactionCommitted { transaction, .. } | Event::TransactionAborted { transaction } => {
        self.prepared.remove(&transaction);
    }
    Event::JobStopped { checkpoint, clean, .. } => { self.handle_stopped(scene, checkpoint, clean) }
    Event::JobResumed { .. } => { self.stopped = None }
} }

impl Oracle for TerminationOracle {
    fn start(&mut self, _scene: &Scene) {
        *self = Self::default();
    }

    fn learn(&mut self, scene: &mut Scene, fact: Fact) {
        match fact {
            Fact::AttemptStarted { attempt, .. } => self.handle_attempt_started(scene, attempt),
            Fact::SavepointCompleted { checkpoint, mode } if mode.is_terminal() => {
                self.stopped = Some(checkpoint);
            }
            _ => {}
        }
    }
}

impl TerminationOracle {
    /// A savepoint was triggered.
    fn handle_triggered(
        &mut self,
        scene: &Scene,
        attempt: Attempt,
        checkpoint: CheckpointId,
        mode: SavepointMode,
    ) {
        if mode == SavepointMode::Drain {
            self.drains.insert(checkpoint);
        }
        if mode.is_terminal() {
            let halted = vec![false; scene.shape.subtasks()];
            let transactions = Vec::new();
            self.stopping = Some(Stopping { checkpoint, attempt, mode, halted, transactions });
        }
    }

    /// A subtask froze its state.
    fn handle_snapshot(&mut self, scene: &mut Scene, snapshot: &SnapshotTaken) {
        let (subtask, checkpoint) = (snapshot.subtask, snapshot.checkpoint);
        if snapshot.ended && !self.drains.contains(&checkpoint) {
            judge_ended(scene, snapshot);
        }
        let Some(stopping) = self.stopping.as_mut().filter(|stopping| {
            (stopping.checkpoint, stopping.attempt) == (checkpoint, snapshot.attempt)
        }) else {
            return;
        };
        stopping.halted[subtask.index()] = true;
        stopping.transactions.extend(snapshot.transactions.iter().map(|(_, id)| *id));
        let is_source = scene.shape.inputs[subtask.index()].is_empty();
        if stopping.mode == SavepointMode::Drain && is_source && !snapshot.ended {
            let name = scene.name(subtask);
            let text =
                format!("{name} took its snapshot for {checkpoint}, a drain, before it had ended");
            report(scene, Kind::NotDrained, checkpoint, subtask, text);
        }
    }

    /// A source took an entry.
    #[inline]
    pub fn handle_read(&mut self, scene: &mut Scene, subtask: SubtaskId) {
        if let Some(stopping) = &self.stopping
            && stopping.halted[subtask.index()]
        {
            let (name, checkpoint) = (scene.name(subtask), stopping.checkpoint);
            let text = format!(
                "{name} reads on behind the barrier of {checkpoint}, at which the job stops"
            );
            report(scene, Kind::ReadAfterStop, checkpoint, subtask, text);
        }
    }

    /// A record entered a channel. In a loop some come round behind the cut, and are in its log: whoever they come to may
    /// emit something.
    #[inline]
    pub fn handle_sent(&mut self, scene: &mut Scene, channel: ChannelId) {
        let Some(stopping) = &self.stopping else { return };
        let sender = scene.shape.channels[channel.index()].from;
        if stopping.halted[sender.index()] && !scene.shape.is_behind_loop(sender) {
            let (name, checkpoint) = (scene.channel(channel), stopping.checkpoint);
            let text = format!(
                "a record entered {name} behind the barrier of {checkpoint}, at which the job stops"
            );
            report(scene, Kind::SentAfterStop, checkpoint, sender, text);
        }
    }

    /// The end of input entered a channel. What is not a source may end behind its cut: with the last
    /// channel that ends it is aligned first.
    fn handle_end_sent(&mut self, scene: &mut Scene, sender: SubtaskId) {
        if let Some(stopping) = &self.stopping
            && stopping.halted[sender.index()]
            && scene.shape.inputs[sender.index()].is_empty()
        {
            let (name, checkpoint) = (scene.name(sender), stopping.checkpoint);
            let text =
                format!("{name} ended behind the barrier of {checkpoint}, at which the job stops");
            report(scene, Kind::EndedByStop, checkpoint, sender, text);
        }
    }

    /// All channels are new.
    fn handle_attempt_started(&mut self, scene: &mut Scene, attempt: Attempt) {
        self.stopping = None;
        if let Some(checkpoint) = self.stopped.take() {
            let text = format!("{attempt} started, though the job is over with {checkpoint}");
            scene.report(Violation::new(Kind::FailoverAfterStop, text).of(checkpoint));
        }
    }

    /// The job is stopped.
    fn handle_stopped(&mut self, scene: &mut Scene, checkpoint: CheckpointId, clean: bool) {
        if self.stopped != Some(checkpoint) {
            let text =
                format!("the job was stopped at {checkpoint}, which is no completed savepoint");
            scene.report(Violation::new(Kind::StoppedWithoutSavepoint, text).of(checkpoint));
        }
        let held = self.stopping.iter().flat_map(|stopping| &stopping.transactions);
        let open = held.copied().find(|transaction| self.prepared.contains(transaction));
        if let Some(transaction) = open.filter(|_| clean) {
            let name = scene.name(transaction.sink);
            let text = format!(
                "the job was stopped at {checkpoint} with {transaction} of {name} not committed"
            );
            report(scene, Kind::StoppedUncommitted, checkpoint, transaction.sink, text);
        }
    }
}

/// A subtask has ended in a cut, and no drain has ended its input.
fn judge_ended(scene: &mut Scene, snapshot: &SnapshotTaken) {
    let left = snapshot.positions.iter().find_map(|position| {
        let length = *scene.shape.split_lengths.get(position.split.index())?;
        (length != RunStarted::UNBOUNDED && position.offset < length).then_some((position, length))
    });
    let Some((SplitPosition { split, offset }, length)) = left else { return };
    let (subtask, checkpoint) = (snapshot.subtask, snapshot.checkpoint);
    let text = format!(
        "{} took its snapshot for {checkpoint} as one that has ended, with {split} read up to {offset} of {length} entries",
        scene.name(subtask)
    );
    report(scene, Kind::CutShort, checkpoint, subtask, text);
}

#[cold]
fn report(
    scene: &mut Scene,
    kind: Kind,
    checkpoint: CheckpointId,
    subtask: SubtaskId,
    text: String,
) {
    scene.report(Violation::new(kind, text).of(checkpoint).by(subtask));
}
