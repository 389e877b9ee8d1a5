//! Splits that are discovered while the job runs: each once, each in time, and never again.
//!
//! What a restored cut knows of needs no second discovery: it is unassigned, a reader's, or read to its end.
//! What it does not know of is discovered anew, and an enumerator that has not been restarted may know it still.
//! A split that is there while the job runs and no fault acts is discovered within half the liveness bound.

use crate::oracle::kind::Kind;
use crate::oracle::shape::Scene;
use crate::oracle::verdict::Violation;
use crate::protocol::ordered::{VecMap, VecSet};
use crate::protocol::{CheckpointId, SplitId, VirtualTime};

/// How many cuts without an outcome are remembered; older ones are forgotten.
const CUTS_MAX: usize = 32;

/// What is known of splits that come and go.
#[derive(Clone, Debug, Default)]
pub(super) struct Discoveries {
    /// Splits that are there, as far as the trace has told.
    there: VecSet<SplitId>,
    /// Splits that the source has no longer; a reader may hold that it has read them to their end.
    gone: VecSet<SplitId>,
    /// Splits that were discovered, in whatever attempt.
    ever: VecSet<SplitId>,
    /// Splits that the attempt knows of: from its cut, or because they were discovered since.
    known: VecSet<SplitId>,
    /// By cut: what was known.
    cuts: VecMap<CheckpointId, VecSet<SplitId>>,
    /// What the attempt was restored from.
    restored: Option<CheckpointId>,
    faults_ended: Option<VirtualTime>,
    /// Since when all subtasks run.
    running: Option<VirtualTime>,
    /// Splits that are there and unknown, and since when.
    awaited: VecMap<SplitId, VirtualTime>,
}

impl Discoveries {
    /// The source has a split more.
    pub fn handle_appeared(&mut self, now: VirtualTime, split: SplitId) {
        self.there.insert(split);
        if !self.known.contains(&split) {
            self.awaited.insert(split, now);
        }
    }

    /// The source has the split no longer.
    pub fn handle_removed(&mut self, split: SplitId) {
        self.gone.insert(split);
        self.there.remove(&split);
        self.awaited.remove(&split);
    }

    /// Whether the source has the split no longer.
    pub fn is_gone(&self, split: SplitId) -> bool {
        self.gone.contains(&split)
    }

    /// An enumerator learns of a split; whether it was known.
    pub fn handle_discovered(&mut self, split: SplitId) -> bool {
        if !self.gone.contains(&split) {
            self.there.insert(split);
        }
        self.ever.insert(split);
        self.awaited.remove(&split);
        !self.known.insert(split)
    }

    /// What an enumerator knows is frozen.
    pub fn handle_frozen(&mut self, checkpoint: CheckpointId, known: &[SplitId]) {
        if self.cuts.len() >= CUTS_MAX {
            let oldest = self.cuts.keys().copied().find(|cut| Some(*cut) != self.restored);
            oldest.map(|oldest| self.cuts.remove(&oldest));
        }
        self.cuts.entry(checkpoint).or_default().extend(known);
    }

    /// The next attempt starts with what its cut knows.
    pub fn handle_attempt_started(&mut self, restored: Option<CheckpointId>) {
        self.restored = restored;
        self.running = None;
        self.awaited.clear();
        self.cuts.retain(|cut, _| Some(*cut) == restored);
        self.known = self.of_restored().cloned().unwrap_or_default();
    }

    /// An enumerator has these as the attempt starts, whoever had discovered them.
    pub fn handle_unassigned(&mut self, unassigned: &[SplitId]) {
        self.known.extend(unassigned);
    }

    /// Whether an enumerator may have this split as the attempt starts, beside those that its cut has.
    pub fn may_keep(&self, split: SplitId) -> bool {
        let is_of_cut = self.of_restored().is_some_and(|known| known.contains(&split));
        self.ever.contains(&split) && !is_of_cut
    }

    /// All subtasks run.
    pub fn handle_running(&mut self, now: VirtualTime) {
        self.running = Some(now);
        let unknown = self.there.iter().filter(|split| !self.known.contains(*split));
        self.awaited = unknown.map(|split| (*split, now)).collect();
    }

    /// They do not any more.
    pub fn handle_over(&mut self) {
        self.running = None;
    }

    /// No fault acts any more.
    pub fn handle_faults_ended(&mut self, now: VirtualTime) {
        self.faults_ended.get_or_insert(now);
    }

    /// Time has passed.
    #[inline]
    pub fn handle_time(&mut self, scene: &mut Scene) {
        if !self.awaited.is_empty()
            && let (Some(ended), Some(running)) = (self.faults_ended, self.running)
        {
            self.judge_awaited(scene, ended.max(running));
        }
    }

    fn judge_awaited(&mut self, scene: &mut Scene, healthy: VirtualTime) {
        let bound = scene.shape.liveness_bound / 2;
        let is_late = |since: &VirtualTime| scene.stamp.at.since((*since).max(healthy)) > bound;
        let late = self.awaited.iter().find(|(_, since)| is_late(since));
        let Some((split, since)) = late.map(|(split, since)| (*split, *since)) else { return };
        self.awaited.remove(&split);
        let waited = scene.stamp.at.since(since.max(healthy)).as_millis();
        let text = format!(
            "{split} has been there for {waited} ms in which the job ran, and no enumerator has discovered it"
        );
        scene.report(Violation::new(Kind::NeverDiscovered, text));
    }

    fn of_restored(&self) -> Option<&VecSet<SplitId>> {
        self.cuts.get(&self.restored?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_that_is_gone_is_not_awaited_again() {
        let (split, now) = (SplitId(1), VirtualTime::from_ms(1));
        let mut discoveries = Discoveries::default();
        discoveries.handle_appeared(now, split);
        discoveries.handle_removed(split);
        assert!(!discoveries.handle_discovered(split), "a listing that was late names it");
        discoveries.handle_attempt_started(None);
        discoveries.handle_running(now);
        assert!(discoveries.awaited.is_empty(), "{:?}", discoveries.awaited);
    }
}
