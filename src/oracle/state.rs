//! O9, I2, I18: on the history that survives, every entry is read once and every record counts once.
//!
//! The history that survives is what was done before the restored checkpoint's cut and since the
//! restore. Each subtask's part of it is kept as a multiset fingerprint per channel end, saved at its
//! cut and rolled back when the next attempt starts. Reading goes on where it was: offsets are
//! contiguous per split, snapshots hold the place where reading stands (FLINK-2098), restores bring
//! back exactly what was frozen, and the source log is told of nothing that no completed checkpoint holds.

mod channel_state;
mod released;
mod restored;

use std::collections::BTreeSet;

use channel_state::OnItsWay;
use restored::{judge_initial, judge_restored};

use super::course::Fact;
use super::kind::Kind;
use super::oracles::{Oracle, listens};
use super::shape::Scene;
use super::verdict::Violation;
use crate::protocol::ordered::VecMap;
use crate::protocol::{
    ChannelId, CheckpointId, Digest, Fingerprint, LineageId, SplitId, SubtaskId,
};
use crate::trace::{Restored, RunStarted, SnapshotTaken, SplitPosition};

/// How many cuts without an outcome are remembered; older ones are forgotten.
const SAVED_MAX: usize = 32;

/// Judges state.
#[derive(Clone, Debug, Default)]
pub(super) struct StateOracle {
    /// By split.
    splits: Vec<Split>,
    /// By channel.
    flows: Vec<Flow>,
    saved: VecMap<CheckpointId, Saved>,
    /// By subtask, what a restore put back into its channels in this attempt.
    put_back: Vec<OnItsWay>,
    /// Whether the attempt starts from a cut of another shape.
    is_dealt: bool,
    /// Whether records behind a barrier may be in a cut.
    allows_repeats: bool,
    has_reads: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Split {
    /// The offset of the next entry.
    next: u64,
    /// Who read it last in this attempt.
    reader: Option<SubtaskId>,
    /// Below this, a completed checkpoint holds that everything was read.
    released: u64,
    /// Whether an enumerator has discovered it.
    is_discovered: bool,
    /// Whether a reader or an enumerator had it as the attempt started, or an enumerator has discovered it since.
    is_known: bool,
}

/// What went through a channel on the history that survives.
#[derive(Clone, Copy, Debug, Default)]
struct Flow {
    sent: Fingerprint,
    received: Fingerprint,
    /// How many entered it in this attempt.
    records: u64,
}

/// What was so at the cuts of a checkpoint.
#[derive(Clone, Debug)]
struct Saved {
    /// By subtask.
    subtasks: Vec<Option<Frozen>>,
    /// The splits that no reader has, of sources with an enumerator.
    unassigned: Vec<SplitId>,
    /// The splits that are known, where enumerators discover them.
    known: Option<BTreeSet<SplitId>>,
    /// By channel.
    sent: Vec<Option<Fingerprint>>,
    /// By channel.
    received: Vec<Option<Fingerprint>>,
    /// In which shape of the job.
    version: usize,
}

#[derive(Clone, Debug)]
struct Frozen {
    state: Digest,
    positions: Vec<SplitPosition>,
    on_its_way: OnItsWay,
}

listens! { StateOracle(self, scene, event) {
    Event::BarrierSent { channel, checkpoint, .. } => { self.handle_barrier_sent(scene, channel, checkpoint) }
    Event::EndSent { channel, .. } => { self.handle_end_sent(scene, channel) }
    Event::Replayed { channel, lineage, .. } => { self.handle_received(channel, lineage) }
    Event::Restored(ref restored) => { self.handle_restored(scene, restored) }
    Event::SnapshotTaken(ref snapshot) => { self.handle_snapshot(scene, snapshot) }
    Event::ChannelStateCaptured(ref captured) => { self.handle_captured(captured) }
    Event::ChannelStateRestored(ref restored) => { self.handle_channels_restored(restored) }
    Event::SplitDiscovered { split, .. } => { self.handle_discovered(split) }
    Event::SplitsKnown { checkpoint, ref known, .. } => { self.handle_known(scene, checkpoint, known) }
    Event::SplitReleased { subtask, checkpoint, split, .. } => {
        self.handle_released(scene, subtask, checkpoint, split)
    }
    Event::EnumeratorSnapshot { checkpoint, ref unassigned, .. } => {
        self.saved(scene, checkpoint).unassigned.extend(unassigned)
    }
    Event::EnumeratorRestored { ref unassigned, .. } => { self.handle_unassigned(unassigned) }
    Event::OffsetCommitted { split, offset } => {
        self.handle_offset_committed(scene, SplitPosition { split, offset })
    }
    Event::Aborted { checkpoint, .. } => { self.saved.remove(&checkpoint); }
    Event::JobFinished { .. } => { self.handle_finished(scene) }
} }

impl Oracle for StateOracle {
    fn start(&mut self, scene: &Scene) {
        *self = Self::default();
        self.splits = vec![Split::default(); scene.shape.split_lengths.len()];
        self.flows = vec![Flow::default(); scene.shape.channels.len()];
        self.put_back = vec![OnItsWay::default(); scene.shape.subtasks()];
        self.allows_repeats = scene.shape.allows_repeats();
    }

    fn learn(&mut self, scene: &mut Scene, fact: Fact) {
        match fact {
            Fact::AttemptStarted { restored, .. } => self.handle_attempt_started(scene, restored),
            Fact::Newest { checkpoint, .. } => self.handle_completed(scene, checkpoint),
            _ => {}
        }
    }
}

impl StateOracle {
    /// A source took an entry.
    #[inline]
    pub fn handle_read(
        &mut self,
        scene: &mut Scene,
        subtask: SubtaskId,
        entry: SplitPosition,
        lineage: LineageId,
    ) {
        self.has_reads = true;
        let length = scene.shape.split_lengths.get(entry.split.index()).copied().unwrap_or(0);
        let Some(split) = self.splits.get_mut(entry.split.index()) else {
            report_read(
                scene,
                Kind::ReadBeyondEnd,
                (subtask, entry, lineage),
                "which the log does not have",
            );
            return;
        };
        if entry.offset != split.next || entry.offset >= length {
            let (kind, place) = split.tell(entry, length);
            report_read(scene, kind, (subtask, entry, lineage), &place);
        }
        split.next = entry.offset.wrapping_add(1);
        split.reader = Some(subtask);
    }

    /// A record entered a channel.
    #[inline]
    pub fn handle_sent(&mut self, channel: ChannelId, lineage: LineageId) {
        let flow = &mut self.flows[channel.index()];
        flow.sent.add(lineage.0);
        flow.records += 1;
    }

    /// A record left a channel and is processed.
    #[inline]
    pub fn handle_received(&mut self, channel: ChannelId, lineage: LineageId) {
        self.flows[channel.index()].received.add(lineage.0);
    }

    /// A barrier entered a channel: what was sent before it belongs to the cut, what waited for
    /// credit when the snapshot was taken included.
    fn handle_barrier_sent(&mut self, scene: &Scene, channel: ChannelId, checkpoint: CheckpointId) {
        let sent = self.flows[channel.index()].sent;
        self.saved(scene, checkpoint).sent[channel.index()] = Some(sent);
    }

    /// The end of input entered a channel: the cuts that its sender took before hold all of it.
    fn handle_end_sent(&mut self, scene: &Scene, channel: ChannelId) {
        let sender = scene.shape.channels[channel.index()].from;
        let sent = self.flows[channel.index()].sent;
        let version = scene.shape.version();
        for saved in self.saved.values_mut().filter(|saved| saved.version == version) {
            if saved.subtasks[sender.index()].is_some() {
                saved.sent[channel.index()].get_or_insert(sent);
            }
        }
    }

    /// A subtask froze its state.
    fn handle_snapshot(&mut self, scene: &mut Scene, snapshot: &SnapshotTaken) {
        self.judge_positions(scene, snapshot);
        let subtask = snapshot.subtask.index();
        let frozen = Frozen {
            state: snapshot.state,
            positions: snapshot.positions.clone(),
            on_its_way: OnItsWay::default(),
        };
        let shape = scene.shape;
        self.saved(scene, snapshot.checkpoint).subtasks[subtask] = Some(frozen);
        let Some(saved) = self.saved.get_mut(&snapshot.checkpoint) else { return };
        for channel in &shape.inputs[subtask] {
            saved.received[channel.index()] = Some(self.flows[channel.index()].received);
        }
        for cut in snapshot.sent.iter().filter(|cut| shape.outputs[subtask].contains(&cut.channel))
        {
            let flow = &self.flows[cut.channel.index()];
            if flow.records == cut.records {
                saved.sent[cut.channel.index()].get_or_insert(flow.sent);
            }
        }
    }

    /// The checkpoint completed: its state is the state that recovery goes back to.
    fn handle_completed(&mut self, scene: &mut Scene, checkpoint: CheckpointId) {
        self.saved.retain(|id, _| *id >= checkpoint);
        let Some(saved) = self.saved.get(&checkpoint) else { return };
        judge_ownership(scene, checkpoint, saved, &self.splits);
        for position in saved.positions() {
            if let Some(split) = self.splits.get_mut(position.split.index()) {
                split.released = split.released.max(position.offset);
            }
        }
    }

    /// The next attempt starts: what was done after the restored cut is undone.
    ///
    /// In another shape the channels are others, and what went through them is settled; what was in transit
    /// at the cut enters the new ones when it is put back.
    fn handle_attempt_started(&mut self, scene: &Scene, restored: Option<CheckpointId>) {
        self.saved.retain(|id, _| Some(*id) == restored);
        let saved = restored.and_then(|checkpoint| self.saved.get(&checkpoint));
        for split in &mut self.splits {
            split.next = 0;
            split.reader = None;
            split.is_known = false;
        }
        for position in saved.into_iter().flat_map(Saved::positions) {
            if let Some(split) = self.splits.get_mut(position.split.index()) {
                split.next = position.offset;
            }
        }
        if let Some(saved) = saved.filter(|saved| saved.known.is_some()) {
            saved.restore_released(scene, &mut self.splits);
        }
        let version = scene.shape.version();
        self.is_dealt = saved.is_some_and(|saved| saved.version != version);
        let saved = saved.filter(|saved| saved.version == version);
        self.flows.resize(scene.shape.channels.len(), Flow::default());
        self.put_back.resize(scene.shape.subtasks(), OnItsWay::default());
        for (channel, flow) in self.flows.iter_mut().enumerate() {
            flow.sent = saved.and_then(|saved| saved.sent[channel]).unwrap_or_default();
            flow.received = saved.and_then(|saved| saved.received[channel]).unwrap_or_default();
            flow.records = 0;
            if self.allows_repeats {
                // What was processed behind the barrier is sent, and processed, once more.
                flow.received = flow.sent;
            }
        }
        let frozen = saved.into_iter().flat_map(|saved| saved.subtasks.iter().flatten());
        for (channel, again) in frozen.flat_map(|frozen| frozen.on_its_way.sent_again()) {
            self.flows[channel.index()].sent.take_out(again);
        }
        self.put_back.fill(OnItsWay::default());
    }

    /// A subtask holds the state it starts from: the one that was frozen, or the initial one.
    fn handle_restored(&mut self, scene: &mut Scene, restored: &Restored) {
        for position in &restored.positions {
            if let Some(split) = self.splits.get_mut(position.split.index()) {
                split.reader = Some(restored.subtask);
                split.is_known = true;
            }
        }
        let Some(checkpoint) = restored.checkpoint else {
            judge_initial(scene, restored);
            return;
        };
        let saved = self.saved.get(&checkpoint);
        if let Some(other) = saved.filter(|saved| saved.version != scene.shape.version()) {
            return other.judge_assigned(scene, restored, checkpoint);
        }
        let Some(frozen) =
            saved.and_then(|saved| saved.subtasks[restored.subtask.index()].as_ref())
        else {
            return;
        };
        judge_restored(scene, restored, checkpoint, frozen);
        self.judge_put_back(scene, restored.subtask, checkpoint, frozen);
    }

    /// The source log let go of entries: a completed checkpoint must hold that they were read (I7).
    fn handle_offset_committed(&mut self, scene: &mut Scene, position: SplitPosition) {
        let Some(split) = self.splits.get(position.split.index()) else { return };
        if position.offset > split.released {
            let text = format!(
                "{} was committed up to offset {} while the completed checkpoints only reach {}",
                position.split, position.offset, split.released
            );
            scene.report(Violation::new(Kind::ReleasedTooEarly, text));
        }
    }

    /// The job finished: every entry was read and every record processed.
    fn handle_finished(&mut self, scene: &mut Scene) {
        for (index, split) in self.splits.iter().enumerate() {
            let length = scene.shape.split_lengths[index];
            // What consumers of a queue got in all is judged by what comes of it.
            let is_bounded = length != RunStarted::UNBOUNDED;
            if self.has_reads && is_bounded && split.next != length {
                let next = split.next;
                let text = format!(
                    "the job finished with split-{index} read up to {next} of {length} entries"
                );
                scene.report(Violation::new(Kind::Skipped, text));
            }
        }
        for (index, flow) in self.flows.iter().enumerate() {
            if flow.sent != flow.received {
                report_flow(scene, index, flow);
            }
        }
    }

    fn saved(&mut self, scene: &Scene, checkpoint: CheckpointId) -> &mut Saved {
        if self.saved.len() >= SAVED_MAX && !self.saved.contains_key(&checkpoint) {
            self.forget_one();
        }
        let (subtasks, channels) = (scene.shape.subtasks(), scene.shape.channels.len());
        let version = scene.shape.version();
        if self.saved.get(&checkpoint).is_some_and(|saved| saved.version != version) {
            self.saved.remove(&checkpoint);
        }
        self.saved.entry(checkpoint).or_insert_with(|| Saved {
            subtasks: vec![None; subtasks],
            unassigned: Vec::new(),
            known: None,
            sent: vec![None; channels],
            received: vec![None; channels],
            version,
        })
    }

    /// Forgets the second oldest cut: the oldest may be the one that recovery goes back to.
    fn forget_one(&mut self) {
        if let Some(second) = self.saved.keys().nth(1).copied() {
            self.saved.remove(&second);
        }
    }

    /// What a snapshot holds of splits must be where reading stands.
    fn judge_positions(&self, scene: &mut Scene, snapshot: &SnapshotTaken) {
        if !self.has_reads {
            return;
        }
        for position in &snapshot.positions {
            let next = self.splits.get(position.split.index()).map(|split| split.next);
            if next != Some(position.offset) {
                let place = format!("offset {}", position.offset);
                report_position(scene, snapshot, position.split, &place, next);
            }
        }
        let listed: BTreeSet<SplitId> = snapshot.positions.iter().map(|it| it.split).collect();
        for (index, split) in self.splits.iter().enumerate() {
            let id = SplitId(u16::try_from(index).unwrap_or(u16::MAX));
            let is_listed = || listed.contains(&id);
            if split.reader == Some(snapshot.subtask) && !is_listed() {
                report_position(scene, snapshot, id, "nothing", Some(split.next));
            }
        }
    }
}

impl Split {
    fn tell(&self, entry: SplitPosition, length: u64) -> (Kind, String) {
        let next = self.next;
        if entry.offset >= length {
            (Kind::ReadBeyondEnd, format!("but the split holds {length} entries"))
        } else if entry.offset > next {
            (Kind::Skipped, format!("but the next is {next}: what lies between is lost"))
        } else {
            (Kind::ReadTwice, format!("but the next is {next}: it was read before"))
        }
    }
}

impl Saved {
    /// In another shape a split is another subtask's, and is read on from where it stood.
    fn judge_assigned(&self, scene: &mut Scene, restored: &Restored, checkpoint: CheckpointId) {
        let held: BTreeSet<_> = self.positions().collect();
        if held.is_empty() || restored.positions.iter().all(|position| held.contains(position)) {
            return;
        }
        let name = scene.name(restored.subtask);
        let text = format!("{name} restored other positions from {checkpoint} than were frozen");
        let violation = Violation::new(Kind::RestoredOtherPositions, text);
        scene.report(violation.of(checkpoint).by(restored.subtask));
    }

    fn positions(&self) -> impl Iterator<Item = SplitPosition> + '_ {
        self.subtasks.iter().flatten().flat_map(|frozen| frozen.positions.iter().copied())
    }
}

/// In a cut each split has exactly one owner: a reader that holds a position in it, or an enumerator (I18).
fn judge_ownership(scene: &mut Scene, checkpoint: CheckpointId, saved: &Saved, splits: &[Split]) {
    let mut owners = vec![0_u32; splits.len()];
    let in_readers = saved.positions().map(|position| position.split);
    for split in in_readers.chain(saved.unassigned.iter().copied()) {
        if let Some(count) = owners.get_mut(split.index()) {
            *count += 1;
        }
    }
    for (split, count) in owners.iter().enumerate().filter(|(_, count)| **count != 1) {
        if *count == 0 && saved.may_lack(scene, split, splits[split]) {
            continue;
        }
        let text = format!("{checkpoint} holds {count} owners of split-{split}, not one");
        scene.report(Violation::new(Kind::SplitOwnership, text).of(checkpoint));
    }
}

#[cold]
fn report_read(
    scene: &mut Scene,
    kind: Kind,
    (subtask, entry, lineage): (SubtaskId, SplitPosition, LineageId),
    place: &str,
) {
    let name = scene.name(subtask);
    let text =
        format!("{name} read {lineage} at offset {} of {}, {place}", entry.offset, entry.split);
    scene.report(Violation::new(kind, text).with(lineage).by(subtask));
}

#[cold]
fn report_position(
    scene: &mut Scene,
    snapshot: &SnapshotTaken,
    split: SplitId,
    place: &str,
    next: Option<u64>,
) {
    let (name, checkpoint) = (scene.name(snapshot.subtask), snapshot.checkpoint);
    let stands =
        next.map_or_else(|| "does not exist".to_owned(), |next| format!("stands at {next}"));
    let text =
        format!("the snapshot of {name} for {checkpoint} holds {place} of {split}, which {stands}");
    let violation = Violation::new(Kind::WrongPosition, text);
    scene.report(violation.of(checkpoint).by(snapshot.subtask));
}

fn report_flow(scene: &mut Scene, channel: usize, flow: &Flow) {
    let channel = ChannelId(u16::try_from(channel).unwrap_or(u16::MAX));
    let name = scene.channel(channel);
    let (sent, received) = (flow.sent, flow.received);
    let text = format!(
        "on the history that survives, {name} was sent the multiset {sent} and processed {received}"
    );
    scene.report(Violation::new(Kind::ProcessedOtherwise, text).on(channel));
}
