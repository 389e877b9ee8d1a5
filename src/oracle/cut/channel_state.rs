//! Cuts with channel state: what an unaligned barrier overtook belongs to the cut.
//!
//! What the sender had emitted must be what the receiver had processed, then what is captured at the
//! receiver, then what is captured at the sender, in this order (FLIP-76; Chandy and Lamport 1985: the
//! state of a channel is the messages sent before the sender's cut and received after the receiver's).
//! The captured parts are known later than the snapshots, so that such a channel is judged when the
//! checkpoint completes. What a restore put back counts at neither end of the new attempt.

use std::collections::VecDeque;

use super::{Claim, Cut, CutOracle};
use crate::oracle::kind::Kind;
use crate::oracle::shape::Scene;
use crate::oracle::verdict::Violation;
use crate::protocol::{Attempt, ChannelId, CheckpointId, Digest, LineageId, SubtaskId};
use crate::trace::{ChannelStateCaptured, InFlight, SnapshotTaken};

/// What is known of the channel states of one cut.
#[derive(Clone, Debug)]
pub(super) struct ChannelStates {
    /// By subtask, whether its cut did not wait for the others.
    overtaken: Vec<bool>,
    /// By subtask, whether what was overtaken is known.
    captured: Vec<bool>,
    /// By channel, at the receiver and then at the sender.
    in_flight: Vec<[Vec<LineageId>; 2]>,
    /// By channel, what a restore had put back and nobody had processed at the receiver's cut.
    left: Vec<VecDeque<LineageId>>,
}

impl ChannelStates {
    pub fn new(scene: &Scene) -> Self {
        let (subtasks, channels) = (scene.shape.subtasks(), scene.shape.channels.len());
        Self {
            overtaken: vec![false; subtasks],
            captured: vec![false; subtasks],
            in_flight: vec![[const { Vec::new() }; 2]; channels],
            left: vec![VecDeque::new(); channels],
        }
    }

    /// Whether the receiver's cut did not wait for the barrier of its channels.
    pub fn is_overtaken(&self, receiver: SubtaskId) -> bool {
        self.overtaken[receiver.index()]
    }

    /// What the receiver has processed and what is on its way to it, together.
    fn all_received(&self, channel: ChannelId, received: Claim) -> Claim {
        let on_its_way = self.in_flight[channel.index()].iter().flatten();
        on_its_way.fold(received, |claim, record| {
            let mut digest: Digest = claim.digest;
            digest.push(record.0);
            Claim { records: claim.records + 1, digest, last: Some(*record) }
        })
    }
}

impl CutOracle {
    /// A subtask's cut is where it stands, whatever its inputs have delivered.
    pub fn handle_overtaken(
        &mut self,
        scene: &Scene,
        subtask: SubtaskId,
        attempt: Attempt,
        checkpoint: CheckpointId,
    ) {
        self.cut(scene, checkpoint, attempt).states.overtaken[subtask.index()] = true;
    }

    /// A restore puts these records back into a channel.
    pub fn handle_put_back(&mut self, in_flight: &InFlight) {
        let records = in_flight.records.iter().copied();
        self.restored[in_flight.channel.index()].extend(records);
    }

    /// One of them was processed.
    pub fn handle_replayed(&mut self, channel: ChannelId) {
        self.restored[channel.index()].pop_front();
    }

    /// What had been put back and was not processed at this cut must be captured again.
    pub(super) fn keep_restored(&mut self, scene: &Scene, snapshot: &SnapshotTaken) {
        let inputs = &scene.shape.inputs[snapshot.subtask.index()];
        let left: Vec<_> = inputs
            .iter()
            .map(|channel| (*channel, self.restored[channel.index()].clone()))
            .filter(|(_, records)| !records.is_empty())
            .collect();
        if left.is_empty() {
            return;
        }
        let cut = self.cut(scene, snapshot.checkpoint, snapshot.attempt);
        for (channel, records) in left {
            cut.states.left[channel.index()] = records;
        }
    }

    /// What a barrier overtook is known.
    pub fn handle_captured(&mut self, scene: &mut Scene, captured: &ChannelStateCaptured) {
        let subtask = captured.subtask.index();
        let cut = self.cut(scene, captured.checkpoint, captured.attempt);
        cut.states.captured[subtask] = true;
        for channel in &scene.shape.inputs[subtask] {
            let is_it = |in_flight: &&InFlight| in_flight.channel == *channel;
            let found = captured.inputs.iter().find(is_it);
            cut.take_input(scene, *channel, found);
        }
        for in_flight in &captured.outputs {
            if scene.shape.outputs[subtask].contains(&in_flight.channel) {
                cut.states.in_flight[in_flight.channel.index()][1] = in_flight.records.clone();
            }
        }
    }
}

impl Cut {
    fn take_input(&mut self, scene: &mut Scene, channel: ChannelId, found: Option<&InFlight>) {
        let left = &self.states.left[channel.index()];
        let restored = found.map_or(0, |found| found.restored as usize);
        let records = found.map_or(&[][..], |found| &found.records);
        let (put_back, fresh) = records.split_at(restored.min(records.len()));
        if !left.iter().eq(put_back) {
            self.report_left(scene, channel, put_back.len());
        }
        self.states.in_flight[channel.index()][0] = fresh.to_vec();
    }

    /// The checkpoint completed: every channel that barriers overtook in is judged.
    pub(super) fn judge_overtaken(&self, scene: &mut Scene) {
        for subtask in scene.shape.subtask_ids() {
            let logs = scene.shape.inputs[subtask.index()].iter();
            let logs = logs.copied().any(|channel| scene.shape.is_logged(channel));
            let owes = logs || self.states.is_overtaken(subtask);
            if owes && !self.states.captured[subtask.index()] {
                return self.report_uncaptured(scene, subtask);
            }
        }
        for (index, ends) in scene.shape.channels.iter().enumerate() {
            let channel = ChannelId(u16::try_from(index).unwrap_or(u16::MAX));
            let claims = &self.claims[index];
            let logged = scene.shape.is_logged(channel);
            if let (true, Some(sent), Some(received)) =
                (logged || self.states.is_overtaken(ends.to), claims.sent, claims.received)
            {
                let received = self.states.all_received(channel, received);
                self.judge_claims(scene, channel, sent, received);
            }
        }
    }

    /// A savepoint completed: its barriers must have overtaken nothing (FLINK-18252), whatever those of the
    /// checkpoints do. What is on its way round a loop is the exception.
    pub(super) fn judge_in_order(&self, scene: &mut Scene) {
        for index in 0..scene.shape.channels.len() {
            let channel = ChannelId(u16::try_from(index).unwrap_or(u16::MAX));
            let first = self.states.in_flight[index].iter().flatten().next();
            if let Some(record) = first
                && !scene.shape.is_logged(channel)
            {
                let (name, checkpoint) = (scene.channel(channel), self.checkpoint);
                let text = format!(
                    "savepoint {checkpoint} holds record {record} as on its way on {name}: its barrier \
                     overtook it"
                );
                let violation = Violation::new(Kind::SavepointOvertook, text);
                scene.report(violation.of(checkpoint).on(channel).with(*record));
            }
        }
    }

    fn report_left(&self, scene: &mut Scene, channel: ChannelId, found: usize) {
        let (name, checkpoint) = (scene.channel(channel), self.checkpoint);
        let left = &self.states.left[channel.index()];
        let text = format!(
            "{} records that were put back into {name} had not been processed at the cut of \
             {checkpoint}, and it captured {found} of them again",
            left.len()
        );
        let mut violation = Violation::new(Kind::RestoredNotCaptured, text);
        violation.record = left.front().copied();
        scene.report(violation.of(checkpoint).on(channel));
    }

    fn report_uncaptured(&self, scene: &mut Scene, subtask: SubtaskId) {
        let (name, checkpoint) = (scene.name(subtask), self.checkpoint);
        let text = format!(
            "{checkpoint} completed, and what its barrier overtook at {name} was never captured"
        );
        let violation = Violation::new(Kind::MissingChannelState, text);
        scene.report(violation.of(checkpoint).by(subtask));
    }
}
