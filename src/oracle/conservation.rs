//! O8: what the job conserves sums to zero in every whole cut.
//!
//! A transfer debits one account and credits another, and every account starts empty: over all
//! subtasks that declare tokens the sum is zero before anything is read, and in every consistent cut
//! in which nothing is in transit (Chandy and Lamport's conserved tokens; the bank of Brandon's
//! internal consistency). Judged for every cut that is whole, also of a checkpoint that aborts.

use super::course::Fact;
use super::kind::Kind;
use super::oracles::{Oracle, listens};
use super::shape::Scene;
use super::verdict::Violation;
use crate::protocol::{Attempt, CheckpointId};
use crate::trace::{ChannelStateCaptured, SnapshotTaken};

/// How many cuts are summed up at a time; older ones are forgotten.
const SUMS_MAX: usize = 32;

/// Judges conservation.
#[derive(Clone, Debug, Default)]
pub(super) struct ConservationOracle {
    sums: Vec<Sum>,
}

#[derive(Clone, Debug)]
struct Sum {
    checkpoint: CheckpointId,
    attempt: Attempt,
    /// By subtask, whether it is in.
    counted: Vec<bool>,
    missing: usize,
    tokens: i128,
    is_declared: bool,
    /// Records were on their way, and what they carry is in no state.
    is_partial: bool,
}

listens! { ConservationOracle(self, scene, event) {
    Event::SnapshotTaken(ref snapshot) => { self.handle_snapshot(scene, snapshot) }
    Event::ChannelStateCaptured(ref captured) => { self.handle_captured(captured) }
} }

impl Oracle for ConservationOracle {
    fn start(&mut self, _scene: &Scene) {
        self.sums.clear();
    }

    fn learn(&mut self, scene: &mut Scene, fact: Fact) {
        match fact {
            // Older cuts will not become whole.
            Fact::AttemptStarted { .. } => self.sums.clear(),
            Fact::Completed { checkpoint, .. } | Fact::SavepointCompleted { checkpoint, .. } => {
                self.handle_completed(scene, checkpoint);
            }
            _ => {}
        }
    }
}

impl ConservationOracle {
    /// A subtask froze its state.
    fn handle_snapshot(&mut self, scene: &mut Scene, snapshot: &SnapshotTaken) {
        let position = self.position(scene, snapshot);
        let sum = &mut self.sums[position];
        let counted = &mut sum.counted[snapshot.subtask.index()];
        if *counted {
            return;
        }
        *counted = true;
        sum.missing -= 1;
        sum.is_declared |= snapshot.tokens.is_some();
        sum.tokens += i128::from(snapshot.tokens.unwrap_or(0));
        if sum.missing == 0 && !scene.shape.protocol.may_overtake() {
            let sum = self.sums.remove(position);
            sum.judge(scene);
        }
    }

    /// Records were on their way at this cut.
    fn handle_captured(&mut self, captured: &ChannelStateCaptured) {
        if captured.inputs.is_empty() && captured.outputs.is_empty() {
            return;
        }
        let is_it = |sum: &&mut Sum| sum.checkpoint == captured.checkpoint;
        if let Some(sum) = self.sums.iter_mut().find(is_it) {
            sum.is_partial = true;
        }
    }

    /// The checkpoint completed: whether records were on their way is known.
    fn handle_completed(&mut self, scene: &mut Scene, checkpoint: CheckpointId) {
        if let Some(position) = self.sums.iter().position(|sum| sum.checkpoint == checkpoint) {
            let sum = self.sums.remove(position);
            if sum.missing == 0 {
                sum.judge(scene);
            }
        }
    }

    fn position(&mut self, scene: &Scene, snapshot: &SnapshotTaken) -> usize {
        let (checkpoint, attempt) = (snapshot.checkpoint, snapshot.attempt);
        let is_it = |sum: &Sum| sum.checkpoint == checkpoint && sum.attempt == attempt;
        if let Some(position) = self.sums.iter().position(is_it) {
            return position;
        }
        if self.sums.len() == SUMS_MAX {
            self.sums.remove(0);
        }
        let missing = scene.shape.subtasks();
        let counted = vec![false; missing];
        self.sums.push(Sum {
            checkpoint,
            attempt,
            counted,
            missing,
            tokens: 0,
            is_declared: false,
            is_partial: false,
        });
        self.sums.len() - 1
    }
}

impl Sum {
    fn judge(&self, scene: &mut Scene) {
        let is_exact = self.is_declared && !self.is_partial && !scene.shape.allows_repeats();
        if is_exact && self.tokens != 0 {
            let (checkpoint, tokens) = (self.checkpoint, self.tokens);
            let text = format!("the cut of {checkpoint} holds {tokens} tokens in all, not 0");
            scene.report(Violation::new(Kind::TokenImbalance, text).of(checkpoint));
        }
    }
}
