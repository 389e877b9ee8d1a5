//! O1 no orphans, O2 nothing lost, O3 nothing in transit: the cut of every checkpoint is consistent.
//!
//! Works from [`SnapshotTaken`] alone: as soon as both ends of a channel have taken their snapshots
//! of a checkpoint in one attempt, what the sender had emitted must be what the receiver had processed,
//! in number (Chandy and Lamport 1985; CheckMate, definitions 4 and 5) and in content. Under aligned
//! barriers in an acyclic job no record is in a channel at the cut (Hélary, Netzer and Raynal:
//! transitless), so that the two must be equal. An aborted checkpoint owes no complete cut, but its
//! pairs must agree all the same.
//!
//! Where the trace has events per record, what a snapshot claims is also held against them: what was
//! received, at the snapshot; what was sent, at the barrier, since records may wait for credit in between.

mod channel_state;

use std::collections::VecDeque;

use channel_state::ChannelStates;

use super::course::Fact;
use super::kind::Kind;
use super::oracles::{Oracle, listens};
use super::shape::Scene;
use super::verdict::Violation;
use crate::protocol::ordered::VecSet;
use crate::protocol::{Attempt, ChannelId, CheckpointId, Digest, LineageId, SubtaskId};
use crate::trace::{ChannelCut, SnapshotTaken};

/// How many unresolved cuts are remembered; older ones are forgotten.
const CUTS_MAX: usize = 32;

/// Judges cuts.
#[derive(Clone, Debug, Default)]
pub(super) struct CutOracle {
    flows: Vec<Flow>,
    has_records: bool,
    cuts: Vec<Cut>,
    /// By channel, what a restore put back and nobody has processed.
    restored: Vec<VecDeque<LineageId>>,
    /// Savepoints of the attempt that have no outcome: what completes beside them does not concern them.
    savepoints: VecSet<CheckpointId>,
    /// Up to here nothing is known of a cut that is not listed: it is settled, or had to make room.
    forgotten: CheckpointId,
}

/// What the events per record say about a channel, within the attempt.
#[derive(Clone, Copy, Debug, Default)]
struct Flow {
    sent: Tally,
    received: Tally,
}

/// A count and a digest of a prefix, and the last record of it.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    records: u64,
    digest: Digest,
    last: LineageId,
}

/// One end's claim, with the last record where the events tell it.
#[derive(Clone, Copy, Debug)]
struct Claim {
    records: u64,
    digest: Digest,
    last: Option<LineageId>,
}

#[derive(Clone, Debug)]
struct Cut {
    checkpoint: CheckpointId,
    attempt: Attempt,
    /// By channel.
    claims: Vec<Claims>,
    states: ChannelStates,
}

#[derive(Clone, Copy, Debug, Default)]
struct Claims {
    sent: Option<Claim>,
    received: Option<Claim>,
    /// What had been sent when the barrier entered the channel.
    at_barrier: Option<Claim>,
}

listens! { CutOracle(self, scene, event) {
    Event::BarrierSent { channel, attempt, checkpoint, .. } => {
        self.handle_barrier_sent(scene, channel, attempt, checkpoint)
    }
    Event::AlignmentOvertaken { subtask, attempt, checkpoint } => {
        self.handle_overtaken(scene, subtask, attempt, checkpoint)
    }
    Event::SnapshotTaken(ref snapshot) => { self.handle_snapshot(scene, snapshot) }
    Event::ChannelStateCaptured(ref captured) => { self.handle_captured(scene, captured) }
    Event::ChannelStateRestored(ref restored) => { self.handle_put_back(scene, restored) }
    Event::Replayed { channel, .. } => { self.handle_replayed(channel) }
    Event::SavepointTriggered { checkpoint, .. } => { self.handle_savepoint_triggered(checkpoint) }
    Event::Aborted { checkpoint, .. } => { self.handle_aborted(checkpoint) }
} }

impl Oracle for CutOracle {
    fn start(&mut self, scene: &Scene) {
        self.flows = vec![Flow::default(); scene.shape.channels.len()];
        self.restored = vec![VecDeque::new(); scene.shape.channels.len()];
        self.cuts.clear();
        self.savepoints.clear();
        self.forgotten = CheckpointId(0);
        self.has_records = false;
    }

    fn learn(&mut self, scene: &mut Scene, fact: Fact) {
        match fact {
            Fact::AttemptStarted { .. } => self.handle_attempt_started(scene),
            Fact::Completed { checkpoint, .. } => self.handle_completed(scene, checkpoint),
            Fact::SavepointCompleted { checkpoint, .. } => {
                self.handle_savepoint_completed(scene, checkpoint);
            }
            _ => {}
        }
    }
}

impl CutOracle {
    /// All channels are new.
    fn handle_attempt_started(&mut self, scene: &Scene) {
        self.flows.fill(Flow::default());
        self.flows.resize(scene.shape.channels.len(), Flow::default());
        self.restored.iter_mut().for_each(VecDeque::clear);
        self.restored.resize_with(scene.shape.channels.len(), VecDeque::new);
        self.cuts.clear();
        self.savepoints.clear();
        self.forgotten = CheckpointId(0);
    }

    /// A record entered a channel.
    #[inline]
    pub fn handle_sent(&mut self, channel: ChannelId, lineage: LineageId) {
        self.has_records = true;
        self.flows[channel.index()].sent.push(lineage);
    }

    /// A record left a channel.
    #[inline]
    pub fn handle_received(&mut self, channel: ChannelId, lineage: LineageId) {
        self.has_records = true;
        self.flows[channel.index()].received.push(lineage);
    }

    /// A barrier entered a channel: what was sent before it is the sender's cut.
    fn handle_barrier_sent(
        &mut self,
        scene: &mut Scene,
        channel: ChannelId,
        attempt: Attempt,
        checkpoint: CheckpointId,
    ) {
        if !self.has_records {
            return;
        }
        let sent = self.flows[channel.index()].sent.claim();
        let cut = self.cut(scene, checkpoint, attempt);
        cut.claims[channel.index()].at_barrier = Some(sent);
        cut.judge_barrier(scene, channel);
    }

    /// A subtask froze its state.
    fn handle_snapshot(&mut self, scene: &mut Scene, snapshot: &SnapshotTaken) {
        self.judge_lists(scene, snapshot);
        self.keep_restored(scene, snapshot);
        for claimed in &snapshot.received {
            if scene.shape.has_channel(claimed.channel) {
                self.take_received(scene, snapshot, *claimed);
            }
        }
        for claimed in &snapshot.sent {
            if scene.shape.has_channel(claimed.channel) {
                self.take_sent(scene, snapshot, *claimed);
            }
        }
    }

    /// The checkpoint completed: its cut must be whole, and nothing below it matters any more, but for the
    /// savepoints that are pending beside it.
    fn handle_completed(&mut self, scene: &mut Scene, checkpoint: CheckpointId) {
        self.judge_completed(scene, checkpoint);
        self.forgotten = self.forgotten.max(checkpoint);
        let savepoints = &self.savepoints;
        self.cuts.retain(|cut| cut.checkpoint > checkpoint || savepoints.contains(&cut.checkpoint));
    }

    /// Somebody asked for a savepoint, and it was triggered.
    fn handle_savepoint_triggered(&mut self, checkpoint: CheckpointId) {
        self.savepoints.insert(checkpoint);
    }

    /// A savepoint is there: its cut must be whole as well, and without channel state. One of an attempt
    /// that is over is told of too late to be judged.
    fn handle_savepoint_completed(&mut self, scene: &mut Scene, checkpoint: CheckpointId) {
        if self.savepoints.remove(&checkpoint) {
            self.judge_completed(scene, checkpoint);
            let cut = self.cuts.iter().find(|cut| cut.checkpoint == checkpoint);
            cut.iter().for_each(|cut| cut.judge_in_order(scene));
            self.cuts.retain(|cut| cut.checkpoint != checkpoint);
        }
    }

    /// The checkpoint will never complete.
    fn handle_aborted(&mut self, checkpoint: CheckpointId) {
        self.savepoints.remove(&checkpoint);
    }

    fn judge_completed(&self, scene: &mut Scene, checkpoint: CheckpointId) {
        if let Some(cut) = self.cuts.iter().find(|cut| cut.checkpoint == checkpoint) {
            cut.judge_whole(scene);
            cut.judge_channel_states(scene, self.has_records);
        } else if !scene.shape.channels.is_empty() {
            let text =
                format!("{checkpoint} completed, and no subtask has taken a snapshot for it");
            scene.report(Violation::new(Kind::MissingSnapshot, text).of(checkpoint));
        }
    }

    /// Each end of each channel of the subtask must be listed, once, and no other.
    fn judge_lists(&self, scene: &mut Scene, snapshot: &SnapshotTaken) {
        let subtask = snapshot.subtask.index();
        let shape = scene.shape;
        let is_listed = |listed: &[ChannelCut], expected: &[ChannelId]| {
            listed.len() == expected.len()
                && expected.iter().all(|channel| listed.iter().any(|cut| cut.channel == *channel))
        };
        if is_listed(&snapshot.received, &shape.inputs[subtask])
            && is_listed(&snapshot.sent, &shape.outputs[subtask])
        {
            return;
        }
        let (name, checkpoint) = (scene.name(snapshot.subtask), snapshot.checkpoint);
        let text = format!("the snapshot of {name} for {checkpoint} does not list its channels");
        let violation = Violation::new(Kind::UnlistedChannel, text);
        scene.report(violation.of(checkpoint).by(snapshot.subtask));
    }

    fn take_received(&mut self, scene: &mut Scene, snapshot: &SnapshotTaken, claimed: ChannelCut) {
        let flow = self.flows[claimed.channel.index()].received;
        if self.has_records && !flow.is(claimed) {
            let counted = format!("{} had been received", flow.records);
            report_claim(scene, snapshot, claimed, "processed", &counted);
        }
        let cut = self.cut(scene, snapshot.checkpoint, snapshot.attempt);
        cut.claims[claimed.channel.index()].received = Some(flow.claim_of(claimed));
        cut.judge_pair(scene, claimed.channel);
    }

    fn take_sent(&mut self, scene: &mut Scene, snapshot: &SnapshotTaken, claimed: ChannelCut) {
        let flow = self.flows[claimed.channel.index()].sent;
        if self.has_records && flow.records > claimed.records {
            let counted = format!("{} had been sent", flow.records);
            report_claim(scene, snapshot, claimed, "emitted", &counted);
        }
        let cut = self.cut(scene, snapshot.checkpoint, snapshot.attempt);
        cut.claims[claimed.channel.index()].sent = Some(flow.claim_of(claimed));
        cut.judge_barrier(scene, claimed.channel);
        cut.judge_pair(scene, claimed.channel);
    }

    fn cut(&mut self, scene: &Scene, checkpoint: CheckpointId, attempt: Attempt) -> &mut Cut {
        let is_it = |cut: &Cut| cut.checkpoint == checkpoint && cut.attempt == attempt;
        if let Some(position) = self.cuts.iter().position(is_it) {
            return &mut self.cuts[position];
        }
        if self.cuts.len() == CUTS_MAX {
            let is_free = |cut: &Cut| !self.savepoints.contains(&cut.checkpoint);
            let oldest = self.cuts.iter().position(is_free).unwrap_or(0);
            let oldest = self.cuts.remove(oldest);
            self.forgotten = self.forgotten.max(oldest.checkpoint);
        }
        let claims = vec![Claims::default(); scene.shape.channels.len()];
        let position = self.cuts.len();
        let states = ChannelStates::new(scene);
        self.cuts.push(Cut { checkpoint, attempt, claims, states });
        &mut self.cuts[position]
    }
}

impl Tally {
    #[inline]
    fn push(&mut self, lineage: LineageId) {
        self.records += 1;
        self.digest.push(lineage.0);
        self.last = lineage;
    }

    fn is(&self, claimed: ChannelCut) -> bool {
        (self.records, self.digest) == (claimed.records, claimed.digest)
    }

    fn claim(&self) -> Claim {
        let last = (self.records > 0).then_some(self.last);
        Claim { records: self.records, digest: self.digest, last }
    }

    fn claim_of(&self, claimed: ChannelCut) -> Claim {
        let last = (self.records > 0 && self.is(claimed)).then_some(self.last);
        Claim { records: claimed.records, digest: claimed.digest, last }
    }
}

impl Cut {
    /// Both ends of the channel must have the same cut: as many records, and the same ones. Where the
    /// receiver's did not wait for the barrier, what is between them is not known yet.
    fn judge_pair(&self, scene: &mut Scene, channel: ChannelId) {
        let claims = &self.claims[channel.index()];
        let receiver = scene.shape.channels[channel.index()].to;
        if let (Some(sent), Some(received)) = (claims.sent, claims.received)
            && !self.states.is_overtaken(receiver)
            && !scene.shape.is_logged(channel)
        {
            self.judge_claims(scene, channel, sent, received);
        }
    }

    fn judge_claims(&self, scene: &mut Scene, channel: ChannelId, sent: Claim, received: Claim) {
        let is_same = (sent.records, sent.digest) == (received.records, received.digest);
        if is_same || (received.records > sent.records && scene.shape.allows_repeats()) {
            return;
        }
        let (kind, text, last) = self.tell_pair(scene, channel, sent, received);
        let mut violation = Violation::new(kind, text).of(self.checkpoint).on(channel);
        violation.record = last;
        scene.report(violation);
    }

    fn tell_pair(
        &self,
        scene: &Scene,
        channel: ChannelId,
        sent: Claim,
        received: Claim,
    ) -> (Kind, String, Option<LineageId>) {
        let (name, checkpoint) = (scene.channel(channel), self.checkpoint);
        let (out, into) = (sent.records, received.records);
        let named = |last: Option<LineageId>| last.map(|id| format!(" ({id})")).unwrap_or_default();
        if into > out {
            let text = format!(
                "orphan on {name}: {checkpoint} holds {into} records as processed, the last{}, \
                 but only {out} as sent",
                named(received.last)
            );
            (Kind::OrphanRecord, text, received.last)
        } else if into < out {
            let text = format!(
                "lost on {name}: {checkpoint} holds {out} records as sent, the last{}, \
                 but only {into} as processed, and nothing in transit",
                named(sent.last)
            );
            (Kind::LostRecord, text, sent.last)
        } else {
            let text = format!(
                "the two ends of {name} hold {out} records each in {checkpoint}, but not the same ones"
            );
            (Kind::ContentMismatch, text, None)
        }
    }

    /// The barrier must lie where the sender's cut is.
    fn judge_barrier(&self, scene: &mut Scene, channel: ChannelId) {
        let claims = &self.claims[channel.index()];
        let (Some(sent), Some(barrier)) = (claims.sent, claims.at_barrier) else { return };
        if (sent.records, sent.digest) == (barrier.records, barrier.digest) {
            return;
        }
        let (name, checkpoint) = (scene.channel(channel), self.checkpoint);
        let text = format!(
            "the barrier of {checkpoint} entered {name} after {} records, \
             but its sender's snapshot holds {} as emitted",
            barrier.records, sent.records
        );
        let violation = Violation::new(Kind::MisplacedBarrier, text);
        scene.report(violation.of(checkpoint).on(channel));
    }

    fn judge_whole(&self, scene: &mut Scene) {
        for (index, claims) in self.claims.iter().enumerate() {
            let ends = scene.shape.channels[index];
            if claims.sent.is_none() {
                self.report_missing(scene, ends.from);
                return;
            }
            if claims.received.is_none() {
                self.report_missing(scene, ends.to);
                return;
            }
        }
    }

    fn report_missing(&self, scene: &mut Scene, subtask: SubtaskId) {
        let (name, checkpoint) = (scene.name(subtask), self.checkpoint);
        let text = format!("{checkpoint} completed, and {name} has taken no snapshot for it");
        scene.report(Violation::new(Kind::MissingSnapshot, text).of(checkpoint).by(subtask));
    }
}

fn report_claim(
    scene: &mut Scene,
    snapshot: &SnapshotTaken,
    claimed: ChannelCut,
    verb: &str,
    counted: &str,
) {
    let text = format!(
        "the snapshot of {} for {} claims {} records of {} as {verb}, but {counted}",
        scene.name(snapshot.subtask),
        snapshot.checkpoint,
        claimed.records,
        scene.channel(claimed.channel),
    );
    let violation = Violation::new(Kind::ClaimMismatch, text);
    scene.report(violation.of(snapshot.checkpoint).on(claimed.channel).by(snapshot.subtask));
}
