//! I19, O18: a rescale gives every piece of state to whom it belongs, and loses none.
//!
//! Key groups partition `[0, M)`; what the new subtasks of an operator restore together is what the old
//! ones had snapshotted, group by group, and none is restored twice. The elements of a split list are dealt
//! out without loss or repetition; a broadcast list is the same everywhere. Where the number of subtasks
//! stays, everybody has its own again. Of a union everybody has all, in either case, and in the order of the subtasks:
//! it is what user code sees, and must be the same whenever it is run.
//!
//! Where the job goes on as another version, operators are the same that have the same uid; who is new holds nothing.
//!
//! What was in flight is dealt out as well: see `ownership/in_flight.rs`.
//!
//! A rescale that was to wait for a checkpoint starts from one that was triggered after it was asked for.

mod in_flight;

use std::sync::Arc;

use in_flight::InFlightOwners;

use super::course::Fact;
use super::kind::Kind;
use super::oracles::{Oracle, listens};
use super::shape::Scene;
use super::verdict::Violation;
use crate::protocol::ordered::VecMap;
use crate::protocol::{CheckpointId, Digest, KeyGroup, OperatorId, Topology};
use crate::trace::{ListMode, Ownership, Restored, SnapshotTaken};

/// How many cuts are remembered; older ones than the newest completed are forgotten before.
const CUTS_MAX: usize = 32;

/// Judges who owns what.
#[derive(Clone, Debug, Default)]
pub(super) struct OwnershipOracle {
    cuts: VecMap<CheckpointId, Cut>,
    /// By operator, what its subtasks have restored in this attempt.
    restoring: VecMap<OperatorId, VecMap<u16, Ownership>>,
    triggered: Option<CheckpointId>,
    /// A rescale waits for a checkpoint later than this.
    awaited: Option<Option<CheckpointId>>,
    in_flight: InFlightOwners,
}

/// What the subtasks of a shape owned when they were snapshotted.
#[derive(Clone, Debug)]
struct Cut {
    topology: Arc<Topology>,
    /// By operator and index.
    operators: VecMap<OperatorId, VecMap<u16, Ownership>>,
}

/// One operator before and after: what it had snapshotted, and what it has restored.
struct Handover<'a> {
    operator: OperatorId,
    checkpoint: CheckpointId,
    /// The number of subtasks, or of those of another operator, has changed.
    is_rescaled: bool,
    old: &'a VecMap<u16, Ownership>,
    new: &'a VecMap<u16, Ownership>,
}

listens! { OwnershipOracle(self, scene, event) {
    Event::SnapshotTaken(ref snapshot) => { self.handle_snapshot(scene, snapshot) }
    Event::Restored(ref restored) => { self.handle_restored(scene, restored) }
    Event::ChannelStateCaptured(ref captured) => { self.in_flight.handle_captured(scene.shape, captured) }
    Event::ChannelStateDealt(ref dealt) => { self.in_flight.handle_dealt(scene, dealt) }
    Event::ChannelStateRestored(ref restored) => { self.in_flight.handle_put_back(scene, restored) }
    Event::AttemptRunning { attempt } => {
        if scene.course.attempt() == Some(attempt) {
            self.in_flight.handle_running(scene);
        }
    }
    Event::Triggered { checkpoint, .. } => { self.triggered = self.triggered.max(Some(checkpoint)) }
    // What its predecessor was asked for is forgotten.
    Event::LeadershipTaken { .. } => { self.awaited = None }
    Event::RescaleRequested { checkpoint_first, .. } => { self.awaited = checkpoint_first.then_some(self.triggered) }
    Event::RescaleStarted { newest, .. } => { self.handle_rescale_started(scene, newest) }
} }

impl Oracle for OwnershipOracle {
    fn start(&mut self, _scene: &Scene) {
        *self = Self::default();
    }

    fn learn(&mut self, _scene: &mut Scene, fact: Fact) {
        match fact {
            Fact::AttemptStarted { restored, .. } => self.handle_attempt_started(restored),
            Fact::Newest { checkpoint, .. } => self.handle_completed(checkpoint),
            _ => {}
        }
    }
}

impl OwnershipOracle {
    /// A subtask froze its state.
    fn handle_snapshot(&mut self, scene: &mut Scene, snapshot: &SnapshotTaken) {
        if snapshot.ownership.is_empty() {
            return;
        }
        judge_range(scene, snapshot);
        let Some(shape) = scene.shape.subtask(snapshot.subtask) else { return };
        let topology = scene.shape.topology();
        let fresh = || Cut { topology: Arc::clone(topology), operators: VecMap::new() };
        let cut = self.cuts.entry(snapshot.checkpoint).or_insert_with(fresh);
        if !Arc::ptr_eq(&cut.topology, topology) {
            *cut = fresh();
        }
        let operator = cut.operators.entry(shape.operator).or_default();
        operator.insert(shape.index, snapshot.ownership.clone());
        while self.cuts.len() > CUTS_MAX {
            // The oldest may be the one that recovery goes back to.
            let second = self.cuts.keys().nth(1).copied();
            second.and_then(|second| self.cuts.remove(&second));
        }
    }

    /// The checkpoint completed: recovery goes back behind none older.
    fn handle_completed(&mut self, checkpoint: CheckpointId) {
        self.cuts.retain(|id, _| *id >= checkpoint);
        self.in_flight.handle_completed(checkpoint);
    }

    /// All subtasks are new.
    fn handle_attempt_started(&mut self, restored: Option<CheckpointId>) {
        self.restoring.clear();
        self.in_flight.handle_attempt_started(restored);
    }

    /// The attempt is about to be ended for a rescale (Arroyo 6f9bf300).
    fn handle_rescale_started(&mut self, scene: &mut Scene, newest: Option<CheckpointId>) {
        let Some(before) = self.awaited.take() else { return };
        if newest <= before {
            let shown = |id: Option<CheckpointId>| {
                id.map_or_else(|| "nothing".to_owned(), |id| id.to_string())
            };
            let text = format!(
                "the job is rescaled from {}, though a checkpoint later than {} was to complete first",
                shown(newest),
                shown(before)
            );
            let mut violation = Violation::new(Kind::FinalCheckpointMissing, text);
            violation.checkpoint = newest;
            scene.report(violation);
        }
    }

    /// A subtask holds the state it starts from.
    fn handle_restored(&mut self, scene: &mut Scene, restored: &Restored) {
        if restored.ownership.is_empty() {
            return;
        }
        let Some(shape) = scene.shape.subtask(restored.subtask) else { return };
        let operator = self.restoring.entry(shape.operator).or_default();
        operator.insert(shape.index, restored.ownership.clone());
        let expected = scene.shape.parallelism(shape.operator);
        if operator.len() == usize::from(expected) {
            self.judge(scene, shape.operator, restored.checkpoint);
        }
    }

    fn judge(&self, scene: &mut Scene, operator: OperatorId, checkpoint: Option<CheckpointId>) {
        let Some(new) = self.restoring.get(&operator) else { return };
        judge_partition(scene, operator, new);
        let Some(checkpoint) = checkpoint else { return };
        let Some(cut) = self.cuts.get(&checkpoint) else { return };
        let topology = scene.shape.topology();
        let uid = topology.operators.get(operator.index()).map_or("", |shape| shape.uid());
        let Some(before) = cut.topology.operator_with_uid(uid) else {
            return judge_newcomer(scene, operator, checkpoint, new);
        };
        let Some(old) = cut.operators.get(&before) else { return };
        let shape = cut.topology.operators.get(before.index());
        if shape.is_none_or(|shape| usize::from(shape.parallelism) != old.len()) {
            return; // Not all of it was told.
        }
        let is_rescaled = *cut.topology != **scene.shape.topology();
        let handover = Handover { operator, checkpoint, is_rescaled, old, new };
        handover.judge_groups(scene);
        handover.judge_lists(scene);
    }
}

impl Handover<'_> {
    fn report(&self, scene: &mut Scene, kind: Kind, text: &str) {
        let name = scene.shape.operator_name(self.operator);
        let text = format!("{name} was restored from {}: {text}", self.checkpoint);
        scene.report(Violation::new(kind, text).of(self.checkpoint));
    }

    fn judge_groups(&self, scene: &mut Scene) {
        let mut held: VecMap<KeyGroup, Digest> = VecMap::new();
        for ownership in self.old.values() {
            held.extend(ownership.key_groups.iter().copied());
        }
        let mut owners: VecMap<KeyGroup, u16> = VecMap::new();
        for (index, ownership) in self.new {
            for (group, digest) in &ownership.key_groups {
                if let Some(other) = owners.insert(*group, *index) {
                    let text = format!("{group} is in subtask {other} and in subtask {index}");
                    self.report(scene, Kind::KeyGroupOwnedTwice, &text);
                }
                match held.remove(group) {
                    Some(expected) if expected == *digest => {}
                    Some(_) => {
                        let text = format!("the state of {group} is not what was snapshotted");
                        self.report(scene, Kind::KeyGroupAltered, &text);
                    }
                    None => {}
                }
            }
        }
        if let Some(group) = held.keys().find(|group| !owners.contains_key(*group)) {
            let text = format!("the state of {group} is in no subtask");
            self.report(scene, Kind::KeyGroupLost, &text);
        }
    }

    fn judge_lists(&self, scene: &mut Scene) {
        let Some(first) = self.old.values().next() else { return };
        for (slot, list) in first.lists.iter().enumerate() {
            let elements = |side: &VecMap<u16, Ownership>| -> Vec<Vec<Digest>> {
                let of = |ownership: &Ownership| {
                    ownership.lists.get(slot).map(|list| list.elements.clone()).unwrap_or_default()
                };
                side.values().map(of).collect()
            };
            let (old, new) = (elements(self.old), elements(self.new));
            match list.mode {
                ListMode::Union => self.judge_union(scene, &list.name, &old, &new),
                ListMode::Split | ListMode::Broadcast if !self.is_rescaled => {
                    self.judge_kept(scene, &list.name, &old, &new);
                }
                ListMode::Split => self.judge_split(scene, &list.name, &old, &new),
                ListMode::Broadcast => self.judge_broadcast(scene, &list.name, &old, &new),
            }
        }
    }

    fn judge_kept(&self, scene: &mut Scene, list: &str, old: &[Vec<Digest>], new: &[Vec<Digest>]) {
        if old != new {
            let text = format!("the list `{list}` is not what each subtask had");
            self.report(scene, Kind::ListElementsDiffer, &text);
        }
    }

    fn judge_split(&self, scene: &mut Scene, list: &str, old: &[Vec<Digest>], new: &[Vec<Digest>]) {
        let (before, after) = (multiset(old), multiset(new));
        if before != after {
            let (had, have) = (before.len(), after.len());
            let text = format!("of {had} elements of the list `{list}`, {have} were dealt out");
            self.report(scene, Kind::ListElementsDiffer, &text);
        }
    }

    fn judge_union(&self, scene: &mut Scene, list: &str, old: &[Vec<Digest>], new: &[Vec<Digest>]) {
        let all = old.concat();
        let Some(index) = new.iter().position(|one| *one != all) else { return };
        let (had, have) = (all.len(), new[index].len());
        let text = match sorted(&new[index]) == sorted(&all) {
            true => {
                format!(
                    "subtask {index} has the union `{list}` in another order than that of the subtasks"
                )
            }
            false => format!("subtask {index} has {have} elements of the union `{list}` of {had}"),
        };
        self.report(scene, Kind::UnionIncomplete, &text);
    }

    fn judge_broadcast(
        &self,
        scene: &mut Scene,
        list: &str,
        old: &[Vec<Digest>],
        new: &[Vec<Digest>],
    ) {
        let Some(first) = old.first() else { return };
        if old.iter().chain(new).any(|one| one != first) {
            let text = format!("the broadcast list `{list}` is not the same everywhere");
            self.report(scene, Kind::BroadcastDiffers, &text);
        }
    }
}

fn multiset(lists: &[Vec<Digest>]) -> Vec<Digest> {
    sorted(&lists.concat())
}

fn sorted(elements: &[Digest]) -> Vec<Digest> {
    let mut elements = elements.to_vec();
    elements.sort_unstable();
    elements
}

/// An operator that the job did not have when the checkpoint was taken holds nothing.
fn judge_newcomer(
    scene: &mut Scene,
    operator: OperatorId,
    checkpoint: CheckpointId,
    new: &VecMap<u16, Ownership>,
) {
    let holds = |ownership: &Ownership| {
        let mut lists = ownership.lists.iter();
        !ownership.key_groups.is_empty() || lists.any(|list| !list.elements.is_empty())
    };
    if let Some((index, _)) = new.iter().find(|(_, ownership)| holds(ownership)) {
        let name = scene.shape.operator_name(operator);
        let text = format!(
            "{name} was not there when {checkpoint} was taken, and subtask {index} of it starts with state"
        );
        scene.report(Violation::new(Kind::NewcomerHoldsState, text).of(checkpoint));
    }
}

/// What a subtask snapshots lies in its own range.
fn judge_range(scene: &mut Scene, snapshot: &SnapshotTaken) {
    let (first, end) = snapshot.ownership.range.unwrap_or_default();
    let groups = &snapshot.ownership.key_groups;
    if let Some((group, _)) = groups.iter().find(|(group, _)| !(first..end).contains(&group.0)) {
        let (name, checkpoint) = (scene.name(snapshot.subtask), snapshot.checkpoint);
        let text = format!("{name} snapshots {group} for {checkpoint}, which it does not own");
        let violation = Violation::new(Kind::KeyGroupOwnedTwice, text);
        scene.report(violation.of(checkpoint).by(snapshot.subtask));
    }
}

/// The ranges of an operator's subtasks lie end to end, from the first key group to the last.
fn judge_partition(scene: &mut Scene, operator: OperatorId, new: &VecMap<u16, Ownership>) {
    let ranges: Option<Vec<_>> = new.values().map(|ownership| ownership.range).collect();
    let Some(mut ranges) = ranges else { return };
    ranges.sort_unstable();
    let mut next = 0;
    for (first, end) in ranges {
        if first != next {
            let name = scene.shape.operator_name(operator);
            let text =
                format!("of {name}, a range of key groups begins with {first}, next is {next}");
            scene.report(Violation::new(Kind::KeyGroupsNotPartitioned, text));
        }
        next = end.max(first);
    }
    if next != KeyGroup::COUNT {
        let name = scene.shape.operator_name(operator);
        let text = format!("of {name}, nobody owns the key groups from {next} on");
        scene.report(Violation::new(Kind::KeyGroupsNotPartitioned, text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_multiset_counts() {
        let lists = |numbers: &[&[u64]]| -> Vec<Vec<Digest>> {
            numbers.iter().map(|list| list.iter().map(|n| Digest(*n)).collect()).collect()
        };
        assert_eq!(multiset(&lists(&[&[1, 2], &[1]])), multiset(&lists(&[&[1], &[2, 1]])));
        assert_ne!(multiset(&lists(&[&[1, 2], &[1]])), multiset(&lists(&[&[1], &[2]])));
    }
}
