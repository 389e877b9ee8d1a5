//! Naiad's synchronous snapshot: from its cut until the checkpoint is over, a subtask does nothing.

use super::kind::Kind;
use super::shape::Scene;
use super::verdict::Violation;
use crate::protocol::ordered::VecSet;
use crate::protocol::{CheckpointId, SubtaskId};

/// How many checkpoints that are over are remembered.
const OVER_MAX: usize = 64;

/// Judges the pause; rests under every other protocol.
#[derive(Clone, Debug, Default)]
pub(super) struct StoppedWorldOracle {
    /// By subtask, the checkpoint that it last took a snapshot for; empty under other protocols.
    stopped: Vec<Option<CheckpointId>>,
    over: VecSet<CheckpointId>,
}

impl StoppedWorldOracle {
    /// The run begins.
    pub fn start(&mut self, scene: &Scene) {
        *self = Self::default();
        if scene.shape.protocol.traits().stops_the_world {
            self.stopped = vec![None; scene.shape.subtasks()];
        }
    }

    /// Whether the protocol is the one that stops the world.
    #[inline]
    pub fn is_active(&self) -> bool {
        !self.stopped.is_empty()
    }

    /// All subtasks are new.
    pub fn handle_attempt_started(&mut self, scene: &Scene) {
        self.stopped.fill(None);
        if self.is_active() {
            self.stopped.resize(scene.shape.subtasks(), None);
        }
    }

    /// A subtask froze its state.
    pub fn handle_snapshot(&mut self, subtask: SubtaskId, checkpoint: CheckpointId) {
        if let Some(stopped) = self.stopped.get_mut(subtask.index()) {
            *stopped = Some(checkpoint);
        }
    }

    /// The checkpoint completed, or never will.
    pub fn handle_over(&mut self, checkpoint: CheckpointId) {
        if self.is_active() {
            self.over.insert(checkpoint);
        }
        if self.over.len() > OVER_MAX {
            self.over.pop_first();
        }
    }

    /// A subtask reads or processes something.
    pub fn handle_moved(&mut self, scene: &mut Scene, subtask: SubtaskId) {
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
