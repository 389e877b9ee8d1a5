//! Naiad's synchronous snapshot: from its cut until the checkpoint is over, a subtask does nothing.

use super::course::Fact;
use super::kind::Kind;
use super::oracles::{Oracle, listens};
use super::shape::Scene;
use super::verdict::Violation;
use crate::protocol::ordered::VecSet;
use crate::protocol::{ChannelId, CheckpointId, SubtaskId};

/// How many checkpoints that are over are remembered.
const OVER_MAX: usize = 64;

/// Judges the pause; rests under every other protocol.
#[derive(Clone, Debug, Default)]
pub(super) struct StoppedWorldOracle {
    /// By subtask, the checkpoint that it last took a snapshot for; empty under other protocols.
    stopped: Vec<Option<CheckpointId>>,
    over: VecSet<CheckpointId>,
}

listens! { StoppedWorldOracle(self, scene, event) {
    Event::SnapshotTaken(ref snapshot) => { self.handle_snapshot(snapshot.subtask, snapshot.checkpoint) }
    Event::Replayed { channel, .. } => { self.handle_received(scene, channel) }
    Event::Aborted { checkpoint, .. } => { self.handle_over(checkpoint) }
} }

impl Oracle for StoppedWorldOracle {
    fn start(&mut self, scene: &Scene) {
        *self = Self::default();
        if scene.shape.protocol.traits().stops_the_world {
            self.stopped = vec![None; scene.shape.subtasks()];
        }
    }

    fn learn(&mut self, scene: &mut Scene, fact: Fact) {
        match fact {
            Fact::AttemptStarted { .. } => self.handle_attempt_started(scene),
            Fact::Newest { checkpoint, .. } => self.handle_over(checkpoint),
            _ => {}
        }
    }
}

impl StoppedWorldOracle {
    /// Whether the protocol is the one that stops the world.
    #[inline]
    fn is_active(&self) -> bool {
        !self.stopped.is_empty()
    }

    /// All subtasks are new.
    fn handle_attempt_started(&mut self, scene: &Scene) {
        self.stopped.fill(None);
        if self.is_active() {
            self.stopped.resize(scene.shape.subtasks(), None);
        }
    }

    /// A subtask froze its state.
    fn handle_snapshot(&mut self, subtask: SubtaskId, checkpoint: CheckpointId) {
        if let Some(stopped) = self.stopped.get_mut(subtask.index()) {
            *stopped = Some(checkpoint);
        }
    }

    /// The checkpoint completed, or never will.
    fn handle_over(&mut self, checkpoint: CheckpointId) {
        if self.is_active() {
            self.over.insert(checkpoint);
        }
        if self.over.len() > OVER_MAX {
            self.over.pop_first();
        }
    }

    /// A record left a channel, and is processed.
    #[inline]
    pub fn handle_received(&self, scene: &mut Scene, channel: ChannelId) {
        if self.is_active() {
            self.judge_moved(scene, scene.shape.channels[channel.index()].to);
        }
    }

    /// A source took an entry.
    #[inline]
    pub fn handle_read(&self, scene: &mut Scene, subtask: SubtaskId) {
        if self.is_active() {
            self.judge_moved(scene, subtask);
        }
    }

    fn judge_moved(&self, scene: &mut Scene, subtask: SubtaskId) {
        let Some(Some(checkpoint)) = self.stopped.get(subtask.index()).copied() else { return };
        if self.over.contains(&checkpoint) {
            return;
        }
        let text = format!(
            "{} went on after its snapshot for {checkpoint}, which is not over",
            scene.name(subtask)
        );
        scene.report(Violation::new(Kind::MovedWhileStopped, text).of(checkpoint).by(subtask));
    }
}
