//! Cuts with channel state: what a barrier overtook belongs to the cut.
//!
//! On every channel of a completed cut, what the sender had emitted is what the receiver had processed, then
//! what is captured at the receiver, then what is captured at the sender: the same records, in this order,
//! each once (FLIP-76; Chandy and Lamport 1985: the state of a channel is the messages sent before the
//! sender's cut and received after the receiver's). It is so on channels that nobody overtook in as well:
//! there nothing may be captured. The captured parts are known later than the snapshots, so that this is
//! judged when the checkpoint completes. What a restore put back counts at neither end of the new attempt.

use std::cmp::Ordering;
use std::collections::VecDeque;

use super::{Claim, Cut, CutOracle};
use crate::oracle::kind::Kind;
use crate::oracle::shape::Scene;
use crate::oracle::verdict::Violation;
use crate::protocol::{Attempt, ChannelId, CheckpointId, Digest, LineageId, SubtaskId};
use crate::trace::{ChannelStateCaptured, ChannelStateRestored, InFlight, SnapshotTaken};

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

    /// What is on its way in the channel, in order.
    fn on_its_way(&self, channel: ChannelId) -> impl Iterator<Item = LineageId> + '_ {
        self.in_flight[channel.index()].iter().flatten().copied()
    }

    /// What the receiver has processed and what is on its way to it, together.
    fn all_received(&self, channel: ChannelId, received: Claim) -> Claim {
        self.on_its_way(channel).fold(received, |claim, record| {
            let mut digest: Digest = claim.digest;
            digest.push(record.0);
            Claim { records: claim.records + 1, digest, last: Some(record) }
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

    /// A restore puts records back into the channels of a subtask.
    pub fn handle_put_back(&mut self, scene: &Scene, restored: &ChannelStateRestored) {
        for in_flight in scene.shape.put_back(restored) {
            let records = in_flight.records.iter().copied();
            self.restored[in_flight.channel.index()].extend(records);
        }
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
        let (checkpoint, attempt) = (captured.checkpoint, captured.attempt);
        let is_it = |cut: &Cut| cut.checkpoint == checkpoint && cut.attempt == attempt;
        if checkpoint <= self.forgotten && !self.cuts.iter().any(is_it) {
            return;
        }
        self.cut(scene, checkpoint, attempt).take_captured(scene, captured);
    }
}

impl Cut {
    fn take_captured(&mut self, scene: &mut Scene, captured: &ChannelStateCaptured) {
        let subtask = captured.subtask.index();
        self.judge_captured(scene, captured);
        self.states.captured[subtask] = true;
        for channel in &scene.shape.inputs[subtask] {
            let is_it = |in_flight: &&InFlight| in_flight.channel == *channel;
            let found = captured.inputs.iter().find(is_it);
            self.take_input(scene, *channel, found);
        }
        for in_flight in &captured.outputs {
            if scene.shape.outputs[subtask].contains(&in_flight.channel) {
                self.states.in_flight[in_flight.channel.index()][1] = in_flight.records.clone();
            }
        }
    }

    /// A subtask captures its own channels, each once, and for a checkpoint that it has frozen its state for.
    fn judge_captured(&self, scene: &mut Scene, captured: &ChannelStateCaptured) {
        let subtask = captured.subtask.index();
        let (inputs, outputs) = (&scene.shape.inputs[subtask], &scene.shape.outputs[subtask]);
        let stranger = stranger_in(&captured.inputs, inputs)
            .or_else(|| stranger_in(&captured.outputs, outputs));
        let twice = twice_in(&captured.inputs).or_else(|| twice_in(&captured.outputs));
        if self.states.captured[subtask] {
            self.report_captured(scene, Kind::CapturedTwice, captured, "all of it a second time");
        } else if let Some(channel) = twice {
            let text = format!("{} twice", scene.channel(channel));
            self.report_captured(scene, Kind::CapturedTwice, captured, &text);
        } else if let Some(channel) = stranger {
            let text = format!("{channel}, which does not end there");
            self.report_captured(scene, Kind::CapturedUnduly, captured, &text);
        } else if !self.has_snapshot(scene, captured.subtask) {
            let text = "without having frozen its state for it";
            self.report_captured(scene, Kind::CapturedUnduly, captured, text);
        }
    }

    /// Whether the subtask has frozen its state for this checkpoint; nobody knows of one without channels.
    fn has_snapshot(&self, scene: &Scene, subtask: SubtaskId) -> bool {
        let (inputs, outputs) =
            (&scene.shape.inputs[subtask.index()], &scene.shape.outputs[subtask.index()]);
        (inputs.is_empty() && outputs.is_empty())
            || inputs.iter().any(|channel| self.claims[channel.index()].received.is_some())
            || outputs.iter().any(|channel| self.claims[channel.index()].sent.is_some())
    }

    fn report_captured(
        &self,
        scene: &mut Scene,
        kind: Kind,
        captured: &ChannelStateCaptured,
        what: &str,
    ) {
        let (name, checkpoint) = (scene.name(captured.subtask), self.checkpoint);
        let text = format!("{name} captures channel state for {checkpoint}: {what}");
        scene.report(Violation::new(kind, text).of(checkpoint).by(captured.subtask));
    }

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

    /// The checkpoint completed: the two ends of every channel, and what is on its way between them, must
    /// agree. Where nothing was captured and nothing had to be, they were judged with the snapshots.
    pub(super) fn judge_channel_states(&self, scene: &mut Scene, has_records: bool) {
        for subtask in scene.shape.subtask_ids() {
            let logs = scene.shape.inputs[subtask.index()].iter();
            let logs = logs.copied().any(|channel| scene.shape.is_logged(channel));
            let owes = logs || self.states.is_overtaken(subtask);
            if owes && !self.states.captured[subtask.index()] {
                return self.report_uncaptured(scene, subtask);
            }
        }
        for index in 0..scene.shape.channels.len() {
            let channel = ChannelId(u16::try_from(index).unwrap_or(u16::MAX));
            self.judge_restored(scene, channel, has_records);
            self.judge_on_its_way(scene, channel);
        }
    }

    /// Where a restore had put something back, a subtask that captures nothing must have processed it.
    fn judge_restored(&self, scene: &mut Scene, channel: ChannelId, has_records: bool) {
        let receiver = scene.shape.channels[channel.index()].to;
        let is_left = !self.states.left[channel.index()].is_empty();
        if has_records && is_left && !self.states.captured[receiver.index()] {
            self.report_left(scene, channel, 0);
        }
    }

    fn judge_on_its_way(&self, scene: &mut Scene, channel: ChannelId) {
        let claims = &self.claims[channel.index()];
        let receiver = scene.shape.channels[channel.index()].to;
        let is_between = self.states.is_overtaken(receiver)
            || scene.shape.is_logged(channel)
            || self.states.on_its_way(channel).next().is_some();
        if let (true, Some(sent), Some(received)) = (is_between, claims.sent, claims.received) {
            let all = self.states.all_received(channel, received);
            let repeats = all.records > sent.records && scene.shape.allows_repeats();
            if !repeats && (sent.records, sent.digest) != (all.records, all.digest) {
                self.report_on_its_way(scene, channel, sent, received);
            }
        }
    }

    fn report_on_its_way(
        &self,
        scene: &mut Scene,
        channel: ChannelId,
        sent: Claim,
        received: Claim,
    ) {
        let (name, checkpoint) = (scene.channel(channel), self.checkpoint);
        let (out, into) = (sent.records, received.records);
        let between = self.states.on_its_way(channel).count() as u64;
        let first = self.states.on_its_way(channel).next();
        let named = first.map(|id| format!(" (the first {id})")).unwrap_or_default();
        let holds = format!(
            "{checkpoint} holds of {name} {into} records as processed and {between} as on their way{named}"
        );
        let (kind, rest, record) = match (into + between).cmp(&out) {
            Ordering::Greater => (Kind::CountedTwice, format!("but only {out} as sent"), first),
            Ordering::Less => (Kind::LostRecord, format!("but {out} as sent"), sent.last),
            Ordering::Equal => {
                (Kind::ContentMismatch, format!("and {out} as sent, but not the same ones"), first)
            }
        };
        let mut violation = Violation::new(kind, format!("{holds}, {rest}"));
        violation.record = record;
        scene.report(violation.of(checkpoint).on(channel));
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

/// A channel that is listed and is not among the subtask's own.
fn stranger_in(listed: &[InFlight], own: &[ChannelId]) -> Option<ChannelId> {
    listed.iter().map(|in_flight| in_flight.channel).find(|channel| !own.contains(channel))
}

/// A channel that is listed more than once.
fn twice_in(listed: &[InFlight]) -> Option<ChannelId> {
    let mut channels: Vec<_> = listed.iter().map(|in_flight| in_flight.channel).collect();
    channels.sort_unstable();
    channels.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}
