//! O6: every channel is FIFO, and every marker separates the same prefix at both of its ends.
//!
//! Within an attempt, what left a channel is a prefix of what entered it, markers in their places
//! (the assumption under Chandy and Lamport 1985 and under ABS, Carbone et al. 2015). Barrier ids
//! strictly increase, nothing follows the end of input (I5), and a subtask that has given a checkpoint
//! up cancels it downstream before it sends a newer barrier (I12, FLINK-4985).
//! Memory is what is in the channels.

mod restored;

use std::collections::VecDeque;

use restored::judge_behind_dealt;

use super::course::Fact;
use super::kind::Kind;
use super::oracles::{Oracle, listens};
use super::shape::{Scene, Shape};
use super::verdict::Violation;
use crate::protocol::ordered::{VecMap, VecSet};
use crate::protocol::{ChannelId, CheckpointId, LineageId, SubtaskId};

/// How many records of one channel are remembered at most; beyond that only their number is judged.
const IN_FLIGHT_MAX: usize = 1 << 20;

/// How many cancelled checkpoints of one channel are remembered.
const CANCELLED_MAX: usize = 32;

/// Judges channels.
#[derive(Clone, Debug, Default)]
pub(super) struct OrderOracle {
    /// By channel.
    lanes: Vec<Lane>,
    /// By subtask, the last checkpoint whose alignment started.
    aligning: Vec<CheckpointId>,
    /// By subtask, how many records were dealt out to it after a rescale and have not left; empty where none.
    dealt: VecMap<SubtaskId, usize>,
}

#[derive(Clone, Debug)]
struct Lane {
    sent: u64,
    received: u64,
    /// Sequence of the first marker still in the channel; the greatest number where there is none.
    marker_next: u64,
    in_flight: VecDeque<LineageId>,
    markers: VecDeque<(Marker, u64)>,
    barrier_sent: CheckpointId,
    barrier_received: CheckpointId,
    /// What was cancelled last in this channel; a few are remembered.
    cancelled: VecSet<CheckpointId>,
    /// Given up by the sender, and not cancelled in this channel yet.
    cancel_owed: Option<CheckpointId>,
    /// The newest barrier that left ahead of its turn: older ones may be behind it.
    overtook: CheckpointId,
    /// What a restore put back and did not leave yet.
    restored: VecDeque<LineageId>,
    is_end_sent: bool,
    is_end_received: bool,
}

/// What a channel carries besides records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marker {
    /// The barrier of a checkpoint.
    Barrier(CheckpointId),
    /// The sender gave the checkpoint up.
    Cancel(CheckpointId),
    /// Nothing follows.
    End,
}

listens! { OrderOracle(self, scene, event) {
    Event::BarrierSent { channel, checkpoint, sequence, .. } => {
        self.handle_marker_sent(scene, channel, Marker::Barrier(checkpoint), sequence)
    }
    Event::CancelSent { channel, checkpoint, sequence, .. } => {
        self.handle_marker_sent(scene, channel, Marker::Cancel(checkpoint), sequence)
    }
    Event::EndSent { channel, sequence, .. } => { self.handle_marker_sent(scene, channel, Marker::End, sequence) }
    Event::BarrierReceived { channel, checkpoint, sequence, .. } => {
        self.handle_marker_received(scene, channel, Marker::Barrier(checkpoint), sequence)
    }
    Event::CancelReceived { channel, checkpoint, sequence, .. } => {
        self.handle_marker_received(scene, channel, Marker::Cancel(checkpoint), sequence)
    }
    Event::EndReceived { channel, sequence, .. } => {
        self.handle_marker_received(scene, channel, Marker::End, sequence)
    }
    Event::BarrierOvertook { channel, checkpoint, sequence, .. } => {
        self.handle_overtook(scene, channel, checkpoint, sequence)
    }
    Event::Replayed { channel, lineage, .. } => { self.handle_replayed(scene, channel, lineage) }
    Event::AlignmentStarted { subtask, checkpoint, .. } => {
        self.handle_alignment_started(scene, subtask, checkpoint)
    }
    Event::AlignmentAborted { subtask, checkpoint, .. } => {
        self.handle_alignment_aborted(scene, subtask, checkpoint)
    }
    Event::ChannelStateDealt(ref dealt) => { self.handle_dealt(dealt) }
    Event::ChannelStateRestored(ref restored) => { self.handle_put_back(scene, restored) }
    Event::Aborted { checkpoint, .. } => { self.excuse(scene, checkpoint) }
    Event::JobFinished { .. } => { self.judge_left(scene, |_, _| true) }
} }

impl Oracle for OrderOracle {
    fn start(&mut self, scene: &Scene) {
        self.lanes = vec![Lane::default(); scene.shape.channels.len()];
        self.aligning = vec![CheckpointId(0); scene.shape.subtasks()];
    }

    fn learn(&mut self, scene: &mut Scene, fact: Fact) {
        match fact {
            Fact::AttemptStarted { .. } => self.handle_attempt_started(scene),
            // Where records go round behind the cut, some may be left.
            Fact::Stopped { clean: true } => {
                self.judge_left(scene, |shape, sender| !shape.is_behind_loop(sender));
            }
            _ => {}
        }
    }
}

impl OrderOracle {
    /// All channels are new.
    fn handle_attempt_started(&mut self, scene: &Scene) {
        self.lanes.iter_mut().for_each(Lane::clear);
        self.lanes.resize(scene.shape.channels.len(), Lane::default());
        self.dealt.clear();
        self.aligning.fill(CheckpointId(0));
        self.aligning.resize(scene.shape.subtasks(), CheckpointId(0));
    }

    /// A checkpoint is aborted: does a barrier of it wait in a channel for records that entered it before?
    fn excuse(&self, scene: &mut Scene, checkpoint: CheckpointId) {
        let is_it = |marker: &Marker| *marker == Marker::Barrier(checkpoint);
        let is_held_up = self.lanes.iter().any(|lane| {
            lane.markers.iter().any(|(marker, place)| is_it(marker) && *place > lane.received)
        });
        let counts = is_held_up && !scene.shape.protocol.may_overtake();
        scene.found.excuses.held_up = counts.then_some(checkpoint);
    }

    /// A record entered a channel.
    #[inline]
    pub fn handle_sent(
        &mut self,
        scene: &mut Scene,
        channel: ChannelId,
        sequence: u64,
        lineage: LineageId,
    ) {
        let lane = &mut self.lanes[channel.index()];
        if sequence != lane.sent || lane.is_end_sent {
            lane.report_sent(scene, channel, sequence, lineage);
        }
        lane.sent = sequence.wrapping_add(1);
        if lane.in_flight.len() < IN_FLIGHT_MAX {
            lane.in_flight.push_back(lineage);
        }
    }

    /// A record left a channel.
    #[inline]
    pub fn handle_received(
        &mut self,
        scene: &mut Scene,
        channel: ChannelId,
        sequence: u64,
        lineage: LineageId,
    ) {
        let lane = &mut self.lanes[channel.index()];
        let expected = lane.in_flight.pop_front();
        if sequence != lane.received || expected != Some(lineage) || sequence >= lane.marker_next {
            lane.report_received(scene, channel, sequence, lineage, expected);
        }
        if !lane.restored.is_empty() {
            lane.report_overtaken_restored(scene, channel, lineage);
        } else if !self.dealt.is_empty() {
            judge_behind_dealt(&self.dealt, scene, channel, lineage);
        }
        lane.received = sequence.wrapping_add(1);
    }

    /// A marker entered a channel.
    fn handle_marker_sent(
        &mut self,
        scene: &mut Scene,
        channel: ChannelId,
        marker: Marker,
        sequence: u64,
    ) {
        let lane = &mut self.lanes[channel.index()];
        if lane.is_end_sent {
            report(
                scene,
                Kind::MarkerAfterEnd,
                (channel, marker),
                "entered",
                "after the end of input",
            );
        }
        if sequence != lane.sent && lane.counts_records() {
            let place = format!("as if after {sequence} records, {} had entered", lane.sent);
            report(scene, Kind::MarkerMisnumbered, (channel, marker), "entered", &place);
        }
        lane.judge_marker_sent(scene, channel, marker);
        if lane.markers.is_empty() {
            lane.marker_next = sequence;
        }
        lane.markers.push_back((marker, sequence));
    }

    /// A marker left a channel.
    fn handle_marker_received(
        &mut self,
        scene: &mut Scene,
        channel: ChannelId,
        marker: Marker,
        sequence: u64,
    ) {
        let lane = &mut self.lanes[channel.index()];
        let front = lane.markers.pop_front();
        lane.marker_next = lane.markers.front().map_or(u64::MAX, |(_, at)| *at);
        lane.judge_marker_received(scene, channel, (marker, sequence), front);
        match marker {
            Marker::Barrier(checkpoint) => lane.barrier_received = checkpoint,
            Marker::End => lane.is_end_received = true,
            Marker::Cancel(_) => {}
        }
    }

    /// A subtask began to align: for each checkpoint once, and in order (FLINK-17994).
    fn handle_alignment_started(
        &mut self,
        scene: &mut Scene,
        subtask: SubtaskId,
        checkpoint: CheckpointId,
    ) {
        let last = &mut self.aligning[subtask.index()];
        if checkpoint <= *last {
            let name = scene.name(subtask);
            let text = format!("{name} aligns for {checkpoint} again, after {last}");
            scene.report(Violation::new(Kind::AlignmentRepeated, text).of(checkpoint).by(subtask));
        }
        *last = (*last).max(checkpoint);
    }

    /// A subtask gave a checkpoint up: each of its channels owes a cancel marker.
    fn handle_alignment_aborted(
        &mut self,
        scene: &Scene,
        subtask: SubtaskId,
        checkpoint: CheckpointId,
    ) {
        for channel in &scene.shape.outputs[subtask.index()] {
            let lane = &mut self.lanes[channel.index()];
            if lane.cancelled.last() < Some(&checkpoint) && lane.barrier_sent < checkpoint {
                lane.cancel_owed = Some(checkpoint);
            }
        }
    }

    /// The job finished, or was stopped cleanly: nothing may be left in a channel of a sender that `owes` that.
    fn judge_left(&self, scene: &mut Scene, owes: impl Fn(&Shape, SubtaskId) -> bool) {
        let ids = scene.shape.topology().channel_ids();
        for ((channel, ends), lane) in ids.zip(&scene.shape.channels).zip(&self.lanes) {
            let left = lane.restored.iter().chain(&lane.in_flight);
            let Some(record) = left.copied().next() else { continue };
            if !owes(scene.shape, ends.from) {
                continue;
            }
            let number = lane.restored.len() + lane.in_flight.len();
            let name = scene.channel(channel);
            let text = format!("the job finished with {number} records in {name}, first {record}");
            let violation = Violation::new(Kind::RecordsLeftBehind, text);
            scene.report(violation.on(channel).with(record));
            return;
        }
    }
}

impl Default for Lane {
    fn default() -> Self {
        Self {
            sent: 0,
            received: 0,
            marker_next: u64::MAX,
            in_flight: VecDeque::new(),
            markers: VecDeque::new(),
            barrier_sent: CheckpointId(0),
            barrier_received: CheckpointId(0),
            cancelled: VecSet::new(),
            cancel_owed: None,
            overtook: CheckpointId(0),
            restored: VecDeque::new(),
            is_end_sent: false,
            is_end_received: false,
        }
    }
}

impl Lane {
    /// As new, with the memory it had.
    fn clear(&mut self) {
        let mut in_flight = std::mem::take(&mut self.in_flight);
        let mut markers = std::mem::take(&mut self.markers);
        in_flight.clear();
        markers.clear();
        *self = Self { in_flight, markers, ..Self::default() };
    }

    /// Whether the trace has events per record in this channel; a recorded trace may have none.
    fn counts_records(&self) -> bool {
        self.sent > 0
    }

    fn judge_marker_sent(&mut self, scene: &mut Scene, channel: ChannelId, marker: Marker) {
        match marker {
            Marker::Barrier(checkpoint) => {
                self.judge_barrier_sent(scene, channel, checkpoint);
                self.barrier_sent = self.barrier_sent.max(checkpoint);
            }
            Marker::Cancel(checkpoint) => {
                self.judge_cancel_sent(scene, channel, checkpoint);
                self.cancel_owed = self.cancel_owed.filter(|owed| *owed > checkpoint);
            }
            Marker::End => self.is_end_sent = true,
        }
    }

    /// One sender gives a checkpoint up once, whoever tells it to.
    fn judge_cancel_sent(&mut self, scene: &mut Scene, channel: ChannelId, cancel: CheckpointId) {
        if !self.cancelled.insert(cancel) {
            let marker = (channel, Marker::Cancel(cancel));
            report(scene, Kind::MarkerRepeated, marker, "entered", "a second time");
        }
        if self.cancelled.len() > CANCELLED_MAX {
            self.cancelled.pop_first();
        }
    }

    fn judge_barrier_sent(&mut self, scene: &mut Scene, channel: ChannelId, barrier: CheckpointId) {
        if barrier <= self.barrier_sent {
            let place = format!("after the one of {}", self.barrier_sent);
            report(
                scene,
                Kind::BarrierOutOfOrder,
                (channel, Marker::Barrier(barrier)),
                "entered",
                &place,
            );
        }
        if let Some(owed) = self.cancel_owed.take() {
            let place = format!("though its sender had given {owed} up and not cancelled it");
            report(
                scene,
                Kind::MissingCancel,
                (channel, Marker::Barrier(barrier)),
                "entered",
                &place,
            );
        }
    }

    fn judge_marker_received(
        &self,
        scene: &mut Scene,
        channel: ChannelId,
        (marker, sequence): (Marker, u64),
        front: Option<(Marker, u64)>,
    ) {
        if front != Some((marker, sequence)) {
            let place = match front {
                Some((other, at)) => {
                    format!("as if after {sequence} records, next is {other} after {at}")
                }
                None => "without having entered it".to_owned(),
            };
            report(scene, Kind::MarkerDisplaced, (channel, marker), "left", &place);
        } else if sequence != self.received && self.counts_records() {
            let place = format!("after {} records, it had entered after {sequence}", self.received);
            report(scene, Kind::MarkerDisplaced, (channel, marker), "left", &place);
        }
        if let Marker::Barrier(checkpoint) = marker
            && checkpoint <= self.barrier_received
            && checkpoint > self.overtook
        {
            let place = format!("after the one of {}", self.barrier_received);
            report(scene, Kind::BarrierOutOfOrder, (channel, marker), "left", &place);
        }
    }

    #[cold]
    fn report_overtaken_restored(&self, scene: &mut Scene, channel: ChannelId, record: LineageId) {
        let (name, left) = (scene.channel(channel), self.restored.len());
        let text = format!("record {record} left {name} ahead of {left} that a restore put back");
        scene.report(Violation::new(Kind::OvertookRestored, text).on(channel).with(record));
    }

    #[cold]
    fn report_sent(&self, scene: &mut Scene, channel: ChannelId, sequence: u64, record: LineageId) {
        let name = scene.channel(channel);
        let (kind, text) = if self.is_end_sent {
            let text = format!("record {record} entered {name} after the end of input");
            (Kind::RecordAfterEnd, text)
        } else {
            let expected = self.sent;
            let text =
                format!("record {record} entered {name} as number {sequence}, next was {expected}");
            (Kind::RecordMisnumbered, text)
        };
        scene.report(Violation::new(kind, text).on(channel).with(record));
    }

    #[cold]
    fn report_received(
        &self,
        scene: &mut Scene,
        channel: ChannelId,
        sequence: u64,
        record: LineageId,
        expected: Option<LineageId>,
    ) {
        if self.sent >= IN_FLIGHT_MAX as u64 && sequence == self.received {
            return;
        }
        let (name, received) = (scene.channel(channel), self.received);
        let overtaken = self.markers.front().filter(|(_, at)| sequence >= *at);
        let text = match (overtaken, expected) {
            _ if sequence != received => {
                format!("record {record} left {name} as number {sequence}, next was {received}")
            }
            (Some((marker, at)), _) => {
                format!("record {record} left {name} ahead of {marker}, which entered after {at}")
            }
            (None, Some(other)) => format!("record {record} left {name}, next was {other}"),
            (None, None) => format!("record {record} left {name} without having entered it"),
        };
        let kind = match overtaken {
            Some(_) if sequence == received => Kind::RecordOvertookMarker,
            Some(_) | None => Kind::RecordOutOfOrder,
        };
        let mut violation = Violation::new(kind, text).on(channel).with(record);
        violation.checkpoint = overtaken.and_then(|(marker, _)| marker.checkpoint());
        scene.report(violation);
    }
}

impl Marker {
    fn checkpoint(self) -> Option<CheckpointId> {
        match self {
            Self::Barrier(checkpoint) | Self::Cancel(checkpoint) => Some(checkpoint),
            Self::End => None,
        }
    }
}

impl std::fmt::Display for Marker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Barrier(checkpoint) => write!(f, "the barrier of {checkpoint}"),
            Self::Cancel(checkpoint) => write!(f, "the cancel marker of {checkpoint}"),
            Self::End => f.write_str("the end of input"),
        }
    }
}

#[cold]
fn report(
    scene: &mut Scene,
    kind: Kind,
    (channel, marker): (ChannelId, Marker),
    verb: &str,
    place: &str,
) {
    let text = format!("{marker} {verb} {} {place}", scene.channel(channel));
    let mut violation = Violation::new(kind, text).on(channel);
    violation.checkpoint = marker.checkpoint();
    scene.report(violation);
}
