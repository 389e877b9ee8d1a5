//! I18: a split that an enumerator assigns has one owner at any time, and every cut tells who.
//!
//! A split is the enumerator's, then on its way to a reader, then the reader's, for as long as the attempt
//! lasts. A restart takes all that back to the restored cut: what the enumerator has then is what it had
//! frozen, and not what the readers hold. The enumerator is frozen before the readers it serves, for a checkpoint
//! that may still complete. That a cut holds each split once is judged with the positions (`state`). What is
//! discovered while the job runs is discovered once (`splits/discovered.rs`). Sources whose splits are assigned from
//! the beginning are not concerned.

mod discovered;

use discovered::Discoveries;

use super::course::Fact;
use super::kind::Kind;
use super::oracles::{Oracle, listens};
use super::shape::Scene;
use super::verdict::Violation;
use crate::protocol::ordered::{VecMap, VecSet};
use crate::protocol::{CheckpointId, OperatorId, SplitId, SubtaskId};
use crate::trace::{Event, Restored, SnapshotTaken};

/// How many cuts without an outcome are remembered; older ones are forgotten.
const CUTS_MAX: usize = 32;

/// Judges who has which split.
#[derive(Clone, Debug, Default)]
pub(super) struct SplitsOracle {
    /// By split; none for what no enumerator has told of.
    owners: VecMap<SplitId, Owner>,
    /// Operators that have an enumerator, as far as the trace has told.
    enumerated: VecSet<OperatorId>,
    /// Checkpoints that may still complete.
    pending: VecSet<CheckpointId>,
    /// What enumerators have frozen, by checkpoint.
    cuts: VecMap<CheckpointId, VecMap<OperatorId, Vec<SplitId>>>,
    /// What the attempt was restored from.
    restored: Option<CheckpointId>,
    discoveries: Discoveries,
}

/// Who has a split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Enumerator(OperatorId),
    /// It was assigned to the reader, who has not taken it.
    OnTheWay(SubtaskId),
    Reader(SubtaskId),
}

listens! { SplitsOracle(self, scene, event) {
    Event::SplitAppeared { split } => { self.discoveries.handle_appeared(scene.stamp.at, split) }
    Event::SplitRemoved { split } => { self.discoveries.handle_removed(split) }
    Event::SplitDiscovered { operator, split, .. } => { self.handle_discovered(scene, operator, split) }
    Event::SplitsKnown { operator, checkpoint, ref known, .. } => {
        self.handle_known(scene, operator, checkpoint, known)
    }
    Event::SplitAssigned { subtask, split, .. } => { self.handle_assigned(scene, subtask, split) }
    Event::SplitAccepted { subtask, split, .. } => { self.handle_accepted(scene, subtask, split) }
    Event::EnumeratorSnapshot { operator, checkpoint, ref unassigned, .. } => {
        self.handle_enumerator_snapshot(scene, operator, checkpoint, unassigned)
    }
    Event::EnumeratorRestored { operator, ref unassigned, .. } => {
        self.handle_enumerator_restored(scene, operator, unassigned)
    }
    Event::Restored(ref restored) => { self.handle_restored(scene, restored) }
    Event::SnapshotTaken(ref snapshot) => { self.handle_snapshot(scene, snapshot) }
    Event::Triggered { checkpoint, .. } | Event::SavepointTriggered { checkpoint, .. } => {
        self.pending.insert(checkpoint);
    }
    Event::Aborted { checkpoint, .. } => { self.pending.remove(&checkpoint); }
    Event::AttemptRunning { attempt } => {
        if scene.course.attempt() == Some(attempt) {
            self.discoveries.handle_running(scene.stamp.at);
        }
    }
    Event::AttemptFailed { .. } | Event::JobStopped { .. } => { self.discoveries.handle_over() }
    Event::FaultsEnded {} => { self.discoveries.handle_faults_ended(scene.stamp.at) }
    Event::JobFinished { .. } => { self.handle_finished(scene) }
} }

impl Oracle for SplitsOracle {
    fn start(&mut self, _scene: &Scene) {
        *self = Self::default();
    }

    fn learn(&mut self, scene: &mut Scene, fact: Fact) {
        match fact {
            Fact::AttemptStarted { restored, .. } => self.handle_attempt_started(restored),
            Fact::Completed { checkpoint, .. } | Fact::SavepointCompleted { checkpoint, .. } => {
                self.pending.remove(&checkpoint);
            }
            Fact::Released { reader, split } => self.handle_released(scene, reader, split),
            _ => {}
        }
    }

    /// The enumerator of a coordinator that does not know that it was deposed is frozen: what it froze binds
    /// nobody, but the readers that it asks come after it.
    fn overhear(&mut self, _scene: &mut Scene, event: &Event) {
        if let Event::EnumeratorSnapshot { operator, checkpoint, .. } = event {
            self.cuts.entry(*checkpoint).or_default().entry(*operator).or_default();
        }
    }
}

impl SplitsOracle {
    /// The next attempt starts: who has what is told anew.
    fn handle_attempt_started(&mut self, restored: Option<CheckpointId>) {
        self.owners.clear();
        self.pending.clear();
        self.restored = restored;
        self.discoveries.handle_attempt_started(restored);
        self.cuts.retain(|cut, _| Some(*cut) == restored);
    }

    /// What an enumerator has as the attempt starts: all that it had at the restored cut, and nothing else.
    fn handle_enumerator_restored(
        &mut self,
        scene: &mut Scene,
        operator: OperatorId,
        unassigned: &[SplitId],
    ) {
        self.enumerated.insert(operator);
        for split in unassigned {
            if let Some(Owner::Reader(reader)) = self.owners.get(split) {
                let name = scene.name(*reader);
                let text =
                    format!("{split} is unassigned as the attempt starts, but {name} has it");
                scene.report(Violation::new(Kind::TwoOwners, text));
            }
            self.owners.insert(*split, Owner::Enumerator(operator));
        }
        self.discoveries.handle_unassigned(unassigned);
        let Some(checkpoint) = self.restored else { return };
        let frozen = self.cuts.get(&checkpoint).and_then(|cut| cut.get(&operator));
        let kept = |split: &&SplitId| !self.discoveries.may_keep(**split);
        let of_cut: Vec<SplitId> = unassigned.iter().filter(kept).copied().collect();
        if let Some(frozen) = frozen.filter(|frozen| sorted(frozen) != sorted(&of_cut)) {
            let (found, expected) = (listed(unassigned), listed(frozen));
            let text = format!(
                "the enumerator of {operator} starts from {checkpoint} with {found} unassigned, but it \
                 had frozen {expected}"
            );
            scene.report(Violation::new(Kind::RestoredOtherSplits, text).of(checkpoint));
        }
    }

    /// A reader holds what it starts from.
    fn handle_restored(&mut self, scene: &mut Scene, restored: &Restored) {
        if !self.enumerated.contains(&OperatorId(scene.shape.operator(restored.subtask))) {
            return;
        }
        for position in &restored.positions {
            let owner = Owner::Reader(restored.subtask);
            let before = self.owners.insert(position.split, owner);
            if before.is_some_and(|before| before != owner) {
                let (name, split) = (scene.name(restored.subtask), position.split);
                let text = format!("{name} restored {split}, which was somebody else's already");
                scene.report(Violation::new(Kind::TwoOwners, text).by(restored.subtask));
            }
        }
    }

    /// An enumerator learns of a split, and has it from here on: nobody may have known of it.
    fn handle_discovered(&mut self, scene: &mut Scene, operator: OperatorId, split: SplitId) {
        self.enumerated.insert(operator);
        let before = self.owners.insert(split, Owner::Enumerator(operator));
        if self.discoveries.handle_discovered(split) {
            let standing = match before {
                Some(Owner::Enumerator(_)) => "it was unassigned already".to_owned(),
                Some(Owner::OnTheWay(reader)) => {
                    format!("it was on its way to {}", scene.name(reader))
                }
                Some(Owner::Reader(reader)) => format!("{} has it", scene.name(reader)),
                None => "it was known, and is nobody's to read again".to_owned(),
            };
            let text = format!("{split} was discovered again, but {standing}");
            scene.report(Violation::new(Kind::DiscoveredTwice, text));
        }
    }

    /// What an enumerator knows is frozen: of what the operator has, all that the source has still.
    fn handle_known(
        &mut self,
        scene: &mut Scene,
        operator: OperatorId,
        checkpoint: CheckpointId,
        known: &[SplitId],
    ) {
        let is_own = |owner: &Owner| match *owner {
            Owner::Enumerator(of) => of == operator,
            Owner::OnTheWay(reader) | Owner::Reader(reader) => {
                OperatorId(scene.shape.operator(reader)) == operator
            }
        };
        let has = self.owners.iter().filter(|(_, owner)| is_own(owner)).map(|(split, _)| *split);
        let is_gone = |split: &SplitId| known.contains(split) || self.discoveries.is_gone(*split);
        let forgotten: Vec<SplitId> = has.filter(|split| !is_gone(split)).collect();
        if !forgotten.is_empty() {
            let text = format!(
                "the enumerator of {operator} froze for {checkpoint} that it does not know {}, which were \
                 discovered",
                listed(&forgotten)
            );
            scene.report(Violation::new(Kind::FrozenOtherSplits, text).of(checkpoint));
        }
        self.discoveries.handle_frozen(checkpoint, known);
    }

    /// A reader lets go of a split that it has read to its end: it must have had it.
    fn handle_released(&mut self, scene: &mut Scene, reader: SubtaskId, split: SplitId) {
        if self.owners.remove(&split) != Some(Owner::Reader(reader)) {
            let text = format!("{} let go of {split}, which is not its own", scene.name(reader));
            scene.report(Violation::new(Kind::ReadByStranger, text).by(reader));
        }
    }

    /// Time has passed.
    #[inline]
    pub fn handle_time(&mut self, scene: &mut Scene) {
        self.discoveries.handle_time(scene);
    }

    /// An enumerator gives a split away: it must have it.
    fn handle_assigned(&mut self, scene: &mut Scene, reader: SubtaskId, split: SplitId) {
        let before = self.owners.insert(split, Owner::OnTheWay(reader));
        match before {
            Some(Owner::Enumerator(_)) => {}
            None | Some(Owner::OnTheWay(_) | Owner::Reader(_)) => {
                let name = scene.name(reader);
                let text = format!("{split} was assigned to {name}, but it was not unassigned");
                scene.report(Violation::new(Kind::AssignedTwice, text).by(reader));
            }
        }
    }

    /// A reader takes a split: it must have been assigned to it, and be taken once.
    fn handle_accepted(&mut self, scene: &mut Scene, reader: SubtaskId, split: SplitId) {
        let before = self.owners.insert(split, Owner::Reader(reader));
        if before != Some(Owner::OnTheWay(reader)) {
            let name = scene.name(reader);
            let text = format!("{name} took {split}, which was not on its way to it");
            scene.report(Violation::new(Kind::AcceptedUnduly, text).by(reader));
        }
    }

    /// A reader takes an entry of a split: where an enumerator tells who has it, it must be its own.
    pub fn handle_read(&mut self, scene: &mut Scene, reader: SubtaskId, split: SplitId) {
        if self.owners.is_empty() {
            return;
        }
        if self.owners.get(&split).is_some_and(|owner| *owner != Owner::Reader(reader)) {
            let text = format!("{} read {split}, which is not its own", scene.name(reader));
            scene.report(Violation::new(Kind::ReadByStranger, text).by(reader));
        }
    }

    /// An enumerator is frozen: for a checkpoint that may complete, and with what it has.
    fn handle_enumerator_snapshot(
        &mut self,
        scene: &mut Scene,
        operator: OperatorId,
        checkpoint: CheckpointId,
        unassigned: &[SplitId],
    ) {
        if !self.pending.contains(&checkpoint) {
            let text = format!(
                "the enumerator of {operator} was frozen for {checkpoint}, which had been settled"
            );
            scene.report(Violation::new(Kind::FrozenForSettled, text).of(checkpoint));
        }
        let has = self.owners.iter().filter(|(_, owner)| **owner == Owner::Enumerator(operator));
        let has: Vec<SplitId> = has.map(|(split, _)| *split).collect();
        if has != sorted(unassigned) {
            let (found, expected) = (listed(unassigned), listed(&has));
            let text = format!(
                "the enumerator of {operator} froze {found} for {checkpoint}, but it has {expected}"
            );
            scene.report(Violation::new(Kind::FrozenOtherSplits, text).of(checkpoint));
        }
        self.enumerated.insert(operator);
        if self.cuts.len() >= CUTS_MAX {
            let oldest = self.cuts.keys().copied().find(|cut| Some(*cut) != self.restored);
            oldest.map(|oldest| self.cuts.remove(&oldest));
        }
        self.cuts.entry(checkpoint).or_default().insert(operator, unassigned.to_vec());
    }

    /// A reader is frozen: after its enumerator, or an assignment could be in neither.
    fn handle_snapshot(&mut self, scene: &mut Scene, snapshot: &SnapshotTaken) {
        let operator = OperatorId(scene.shape.operator(snapshot.subtask));
        let is_frozen = |cut: &VecMap<_, _>| cut.contains_key(&operator);
        let is_late = self.enumerated.contains(&operator)
            && !self.cuts.get(&snapshot.checkpoint).is_some_and(is_frozen);
        if is_late {
            let (name, checkpoint) = (scene.name(snapshot.subtask), snapshot.checkpoint);
            let text = format!("{name} was frozen for {checkpoint} before its enumerator");
            let violation = Violation::new(Kind::FrozenBeforeEnumerator, text);
            scene.report(violation.of(checkpoint).by(snapshot.subtask));
        }
    }

    /// The job finished: everything was assigned and taken.
    fn handle_finished(&mut self, scene: &mut Scene) {
        self.discoveries.handle_over();
        for (split, owner) in &self.owners {
            match owner {
                Owner::Reader(_) => {}
                Owner::Enumerator(_) | Owner::OnTheWay(_) => {
                    let text = format!("the job finished, but no reader has {split}");
                    scene.report(Violation::new(Kind::NeverTaken, text));
                }
            }
        }
    }
}

fn sorted(splits: &[SplitId]) -> Vec<SplitId> {
    let mut splits = splits.to_vec();
    splits.sort_unstable();
    splits
}

fn listed(splits: &[SplitId]) -> String {
    let names: Vec<_> = splits.iter().map(ToString::to_string).collect();
    format!("[{}]", names.join(", "))
}
