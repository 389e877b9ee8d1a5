//! What was in flight at a cut, dealt out to the subtasks of another shape.
//!
//! Every record that was captured on an old channel, at its receiver or at its sender, falls to one new
//! subtask: where it has a key, to the owner of its key group. What one subtask gets of one old channel is in
//! the order in which it was sent, and what it puts back is what it got.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::oracle::kind::Kind;
use crate::oracle::shape::{Scene, Shape};
use crate::oracle::verdict::Violation;
use crate::protocol::ordered::VecMap;
use crate::protocol::{ChannelId, CheckpointId, LineageId, SubtaskId, Topology};
use crate::trace::{
    ChannelStateCaptured, ChannelStateDealt, ChannelStateRestored, Dealt, InFlight,
};

/// How many cuts are remembered; older ones than the newest completed are forgotten before.
const CUTS_MAX: usize = 32;

/// Judges what becomes of channel state when the job is rescaled.
#[derive(Clone, Debug, Default)]
pub(super) struct InFlightOwners {
    cuts: VecMap<CheckpointId, InFlightCut>,
    /// The checkpoint that this attempt starts from.
    restored: Option<CheckpointId>,
    /// By old channel, how often each record was dealt out in this attempt.
    dealt: VecMap<ChannelId, BTreeMap<LineageId, usize>>,
    /// What the subtask that spoke last has got, by its channel.
    into: VecMap<ChannelId, Vec<LineageId>>,
}

/// What was captured at a cut.
#[derive(Clone, Debug)]
struct InFlightCut {
    topology: Arc<Topology>,
    /// By channel, at its receiver and at its sender.
    lanes: VecMap<ChannelId, [Vec<LineageId>; 2]>,
}

impl InFlightOwners {
    /// The channel state of a subtask is whole.
    pub fn handle_captured(&mut self, shape: &Shape, captured: &ChannelStateCaptured) {
        if captured.inputs.is_empty() && captured.outputs.is_empty() {
            return;
        }
        let topology = shape.topology();
        let fresh = || InFlightCut { topology: Arc::clone(topology), lanes: VecMap::new() };
        let cut = self.cuts.entry(captured.checkpoint).or_insert_with(fresh);
        if !Arc::ptr_eq(&cut.topology, topology) {
            *cut = fresh();
        }
        cut.keep(&captured.inputs, 0);
        cut.keep(&captured.outputs, 1);
        while self.cuts.len() > CUTS_MAX {
            // The oldest may be the one that recovery goes back to.
            let second = self.cuts.keys().nth(1).copied();
            second.and_then(|second| self.cuts.remove(&second));
        }
    }

    /// The checkpoint completed: recovery goes back behind none older.
    pub fn handle_completed(&mut self, checkpoint: CheckpointId) {
        self.cuts.retain(|id, _| *id >= checkpoint);
    }

    /// All subtasks are new.
    pub fn handle_attempt_started(&mut self, restored: Option<CheckpointId>) {
        self.restored = restored;
        self.dealt.clear();
        self.into.clear();
    }

    /// A subtask took its share.
    pub fn handle_dealt(&mut self, scene: &mut Scene, told: &ChannelStateDealt) {
        self.into.clear();
        for dealt in &told.dealt {
            let counts = self.dealt.entry(dealt.from).or_default();
            for record in &dealt.records {
                *counts.entry(*record).or_insert(0) += 1;
            }
            self.into.entry(dealt.into).or_default().extend(&dealt.records);
            judge_owner(scene, told.subtask, told.checkpoint, dealt);
            if let Some(cut) = self.cuts.get(&told.checkpoint) {
                cut.judge_order(scene, told.checkpoint, dealt);
            }
        }
    }

    /// A subtask says what it puts back: where it was dealt something, exactly that.
    pub fn handle_put_back(&mut self, scene: &mut Scene, restored: &ChannelStateRestored) {
        if self.into.is_empty() {
            return;
        }
        let found = restored.inputs.iter().map(|one| (one.channel, one.records.clone()));
        let found: VecMap<_, _> = found.filter(|(_, records)| !records.is_empty()).collect();
        let mut expected = std::mem::take(&mut self.into);
        expected.retain(|_, records| !records.is_empty());
        if found != expected {
            let name = scene.name(restored.subtask);
            let text = format!("{name} puts other records back than were dealt out to it");
            let violation = Violation::new(Kind::InFlightAltered, text);
            scene.report(violation.of(restored.checkpoint).by(restored.subtask));
        }
    }

    /// All subtasks of the attempt run: what was in flight must have been dealt out, each record once.
    pub fn handle_running(&mut self, scene: &mut Scene) {
        let Some(checkpoint) = self.restored else { return };
        let Some(cut) = self.cuts.get(&checkpoint) else { return };
        if *cut.topology == **scene.shape.topology() {
            return;
        }
        for (channel, lanes) in &cut.lanes {
            let none = BTreeMap::new();
            let mut counts = self.dealt.get(channel).unwrap_or(&none).clone();
            for record in lanes.iter().flatten() {
                match counts.get_mut(record) {
                    Some(count) if *count > 0 => *count -= 1,
                    Some(_) | None => cut.report(scene, checkpoint, *channel, *record, true),
                }
            }
            for (record, _) in counts.iter().filter(|(_, count)| **count > 0) {
                cut.report(scene, checkpoint, *channel, *record, false);
            }
        }
    }
}

impl InFlightCut {
    fn keep(&mut self, lanes: &[InFlight], part: usize) {
        for lane in lanes {
            self.lanes.entry(lane.channel).or_default()[part] = lane.records.clone();
        }
    }

    /// Of what was sent, some, in this order.
    fn judge_order(&self, scene: &mut Scene, checkpoint: CheckpointId, dealt: &Dealt) {
        let mut sent = self.lanes.get(&dealt.from).into_iter().flatten().flatten();
        let misplaced = dealt.records.iter().find(|record| !sent.any(|other| other == *record));
        let Some(record) = misplaced.copied() else { return };
        let name = self.topology.channel_name(dealt.from);
        let text = format!(
            "{record} was in flight in {name} in {checkpoint}, and is put back behind what was sent \
             after it"
        );
        scene.report(Violation::new(Kind::InFlightReordered, text).of(checkpoint).with(record));
    }

    fn report(
        &self,
        scene: &mut Scene,
        checkpoint: CheckpointId,
        channel: ChannelId,
        record: LineageId,
        is_lost: bool,
    ) {
        let name = self.topology.channel_name(channel);
        let (kind, what) = match is_lost {
            true => (Kind::InFlightLost, "falls to nobody"),
            false => (Kind::InFlightDealtTwice, "falls to several subtasks"),
        };
        let text = format!("{record}, in flight in {name} in {checkpoint}, {what}");
        scene.report(Violation::new(kind, text).of(checkpoint).with(record));
    }
}

/// A record with a key goes to whoever owns its key group.
fn judge_owner(scene: &mut Scene, subtask: SubtaskId, checkpoint: CheckpointId, dealt: &Dealt) {
    let Some(shape) = scene.shape.subtask(subtask) else { return };
    let parallelism = scene.shape.parallelism(shape.operator);
    let mut keyed = dealt.records.iter().zip(&dealt.key_groups);
    let foreign = keyed.find(|(_, group)| group.owner(parallelism) != shape.index);
    if let Some((record, group)) = foreign {
        let name = scene.name(subtask);
        let text = format!("{record} of {group} falls to {name}, which does not own that");
        let violation = Violation::new(Kind::InFlightMisrouted, text);
        scene.report(violation.of(checkpoint).with(*record).by(subtask));
    }
}
