//! O24, I20: event time on the history that survives: timers fire once, watermarks never fall, overtake
//! nothing and promise nothing that an input has not, and nothing is dropped late that the reference keeps.
//!
//! What a subtask knows of time is kept beside it ([`TimeProgress`]), saved at its cut, and brought back when the
//! next attempt starts (FLINK-4651, RisingWave #25547). A channel is a queue of watermarks, each with the
//! number of records before it. The oracle says nothing about a trace that tells nothing of event time.

mod time_progress;

use std::collections::VecDeque;

use self::time_progress::{TimeProgress, Timer, WATERMARK_MAX, WATERMARK_MIN, told};
use super::course::Fact;
use super::kind::Kind;
use super::oracles::{Oracle, listens};
use super::shape::Scene;
use super::verdict::Violation;
use crate::protocol::ordered::VecMap;
use crate::protocol::{AtCut, ChannelId, CheckpointId, Digest, LineageId, SubtaskId};

/// How many cuts without an outcome are remembered; older ones are forgotten.
const SAVED_MAX: usize = 32;

/// A watermark in a channel: what it says, and how many records were before it.
type InChannel = (i64, u64);

/// By subtask, what it knew at its cut.
type Saved = Vec<Option<TimeProgress>>;

/// Judges event time.
#[derive(Clone, Debug, Default)]
pub(super) struct EventTimeOracle {
    /// Whether the trace tells of event time, and of where it began.
    is_told: bool,
    /// By subtask.
    stands: Vec<TimeProgress>,
    /// By channel: entered and not left.
    channels: Vec<VecDeque<InChannel>>,
    /// By channel, the last that entered it in this attempt.
    newest: Vec<i64>,
    saved: VecMap<CheckpointId, Saved>,
    /// How often each record was dropped, where any was.
    dropped: VecMap<Digest, u32>,
    /// The shape that all this is about.
    version: usize,
}

listens! { EventTimeOracle(self, scene, event) {
    Event::TimeRestored { subtask, watermark, timers, .. } => {
        self.handle_restored(scene, subtask, watermark, timers)
    }
    Event::WatermarkSent { channel, watermark, sequence, .. } => {
        self.handle_sent(scene, channel, watermark, sequence)
    }
    Event::WatermarkReceived { channel, watermark, sequence, .. } => {
        self.handle_received(scene, channel, watermark, sequence)
    }
    Event::EndReceived { channel, .. } => { self.promise(scene, channel, WATERMARK_MAX) }
    Event::WatermarkAdvanced { subtask, watermark, .. } => { self.handle_advanced(scene, subtask, watermark) }
    Event::TimerRegistered { subtask, key, timestamp, .. } => { self.handle_timer(subtask, (timestamp, key), true) }
    Event::TimerDeleted { subtask, key, timestamp, .. } => { self.handle_timer(subtask, (timestamp, key), false) }
    Event::TimerFired { subtask, key, timestamp, .. } => { self.handle_fired(scene, subtask, (timestamp, key)) }
    Event::DroppedLate { subtask, lineage, record, timestamp, .. } => {
        self.handle_dropped(scene, subtask, lineage, (record, timestamp))
    }
    Event::SnapshotTaken(ref snapshot) => { self.handle_snapshot(scene, snapshot.subtask, snapshot.checkpoint) }
    Event::Aborted { checkpoint, .. } => { self.saved.remove(&checkpoint); }
    Event::JobFinished { .. } => { self.handle_finished(scene) }
} }

impl Oracle for EventTimeOracle {
    fn start(&mut self, scene: &Scene) {
        *self = Self::default();
        self.stands = scene.shape.subtask_ids().map(|subtask| beginning(scene, subtask)).collect();
        self.channels = vec![VecDeque::new(); scene.shape.channels.len()];
        self.newest = vec![WATERMARK_MIN; scene.shape.channels.len()];
    }

    fn learn(&mut self, scene: &mut Scene, fact: Fact) {
        match fact {
            Fact::AttemptStarted { restored, .. } => self.handle_attempt_started(scene, restored),
            Fact::Newest { checkpoint, .. } => self.handle_completed(scene, checkpoint),
            _ => {}
        }
    }
}

impl EventTimeOracle {
    /// The next attempt starts: what was done after the restored cut is undone.
    fn handle_attempt_started(&mut self, scene: &Scene, restored: Option<CheckpointId>) {
        self.saved.retain(|id, _| Some(*id) == restored);
        if self.version != scene.shape.version() {
            self.reshape(scene, restored);
        }
        let saved = restored.and_then(|checkpoint| self.saved.get(&checkpoint));
        for (index, progress) in self.stands.iter_mut().enumerate() {
            let at_cut = saved.and_then(|saved| saved.get(index).cloned().flatten());
            *progress = match (restored, at_cut) {
                (None, _) => progress.anew(),
                (Some(_), Some(at_cut)) => at_cut,
                (Some(_), None) => TimeProgress { is_known: false, ..progress.anew() },
            };
        }
        self.channels.iter_mut().for_each(VecDeque::clear);
        self.newest.fill(WATERMARK_MIN);
        self.dropped.clear();
        for record in self.stands.iter().flat_map(|progress| &progress.dropped) {
            *self.dropped.entry(*record).or_insert(0) += 1;
        }
    }

    /// Subtasks and channels are others: what the new ones begin with is not known. What was dropped before
    /// the cut stays dropped, and goes with the first.
    fn reshape(&mut self, scene: &Scene, restored: Option<CheckpointId>) {
        self.version = scene.shape.version();
        let saved = restored.and_then(|checkpoint| self.saved.remove(&checkpoint));
        self.stands = scene.shape.subtask_ids().map(|subtask| beginning(scene, subtask)).collect();
        let known =
            self.stands.iter().map(|progress| TimeProgress { is_known: false, ..progress.clone() });
        let mut at_cut: Vec<TimeProgress> = known.collect();
        if let Some(first) = at_cut.first_mut() {
            let stands = saved.into_iter().flatten().flatten();
            first.dropped.extend(stands.flat_map(|progress| progress.dropped));
        }
        if let Some(checkpoint) = restored {
            self.saved.insert(checkpoint, at_cut.into_iter().map(Some).collect());
        }
        self.channels.resize(scene.shape.channels.len(), VecDeque::new());
        self.newest.resize(scene.shape.channels.len(), WATERMARK_MIN);
    }

    /// A subtask says what it begins with.
    fn handle_restored(
        &mut self,
        scene: &mut Scene,
        subtask: SubtaskId,
        watermark: Option<i64>,
        timers: u64,
    ) {
        self.is_told = true;
        let progress = &mut self.stands[subtask.index()];
        if !progress.is_known {
            progress.watermark = watermark.unwrap_or(WATERMARK_MIN);
            return;
        }
        let pending = progress.pending.len() as u64;
        if timers != pending {
            let text = format!("begins with {timers} timers, {pending} were pending at its cut");
            report(scene, Kind::TimersRestoredOtherwise, subtask, &text);
        }
        match watermark {
            None => progress.forget_watermarks(),
            Some(watermark) if watermark != progress.watermark => {
                let (found, cut) = (told(watermark), told(progress.watermark));
                let text = format!("begins with {found}, at its cut it was {cut}");
                report(scene, Kind::WatermarkRestoredOtherwise, subtask, &text);
            }
            Some(_) => {}
        }
    }

    /// A watermark entered a channel.
    fn handle_sent(
        &mut self,
        scene: &mut Scene,
        channel: ChannelId,
        watermark: i64,
        sequence: u64,
    ) {
        let sender = scene.shape.channels[channel.index()].from;
        let newest = std::mem::replace(&mut self.newest[channel.index()], watermark);
        if watermark <= newest {
            let text = format!("sent {} after {}", told(watermark), told(newest));
            report_on(scene, Kind::WatermarkFell, channel, &text);
        }
        let own = self.stands[sender.index()].watermark;
        if watermark > own {
            let text = format!("was sent {}, its sender has {}", told(watermark), told(own));
            report_on(scene, Kind::WatermarkAhead, channel, &text);
        }
        self.channels[channel.index()].push_back((watermark, sequence));
    }

    /// A watermark left a channel: the receiver has one more promise.
    fn handle_received(
        &mut self,
        scene: &mut Scene,
        channel: ChannelId,
        watermark: i64,
        sequence: u64,
    ) {
        let expected = self.channels[channel.index()].pop_front();
        // What a restore puts back into a channel entered it in another attempt.
        if expected != Some((watermark, sequence)) && !scene.shape.protocol.may_overtake() {
            let due = expected.map_or("nothing".to_owned(), |(due, after)| {
                format!("{} after {after} records", told(due))
            });
            let found = told(watermark);
            let text = format!("delivered {found} after {sequence} records, and {due} is due");
            report_on(scene, Kind::WatermarkDisplaced, channel, &text);
        }
        self.promise(scene, channel, watermark);
    }

    /// A channel promises that nothing at or below `watermark` follows; at its end, nothing at all.
    fn promise(&mut self, scene: &mut Scene, channel: ChannelId, watermark: i64) {
        let receiver = scene.shape.channels[channel.index()].to;
        self.settle(scene, receiver);
        let inputs = &scene.shape.inputs[receiver.index()];
        if let Some(input) = inputs.iter().position(|input| *input == channel) {
            self.stands[receiver.index()].promise(input, watermark);
        }
    }

    /// The watermark of a subtask rose.
    fn handle_advanced(&mut self, scene: &mut Scene, subtask: SubtaskId, watermark: i64) {
        let progress = &mut self.stands[subtask.index()];
        let promised = progress.promised();
        if watermark <= progress.watermark {
            let text =
                format!("has come to {} after {}", told(watermark), told(progress.watermark));
            report(scene, Kind::WatermarkFell, subtask, &text);
        } else if promised.is_some_and(|promised| watermark > promised) {
            let promised = promised.map_or_else(String::new, told);
            let text = format!("has come to {}, its inputs to {promised}", told(watermark));
            report(scene, Kind::WatermarkAhead, subtask, &text);
        }
        self.judge_timers(scene, subtask);
        self.stands[subtask.index()].advance(watermark);
    }

    /// A timer was registered, or taken back.
    fn handle_timer(&mut self, subtask: SubtaskId, timer: Timer, is_there: bool) {
        let progress = &mut self.stands[subtask.index()];
        if is_there {
            progress.pending.insert(timer);
        } else {
            progress.pending.remove(&timer);
            progress.due.remove(&timer);
        }
    }

    /// A timer fires.
    fn handle_fired(&mut self, scene: &mut Scene, subtask: SubtaskId, timer: Timer) {
        let progress = &mut self.stands[subtask.index()];
        progress.due.remove(&timer);
        let (was_pending, watermark) = (progress.pending.remove(&timer), progress.watermark);
        let (at, key) = timer;
        if !was_pending && progress.is_known {
            let text = format!("fires the timer of {key} for {at}, which is not pending");
            report(scene, Kind::TimerFiredUnduly, subtask, &text);
        } else if at > watermark {
            let text = format!("fires the timer of {key} for {at} at {}", told(watermark));
            report(scene, Kind::TimerFiredEarly, subtask, &text);
        }
    }

    /// A record was dropped because it is late.
    fn handle_dropped(
        &mut self,
        scene: &mut Scene,
        subtask: SubtaskId,
        lineage: LineageId,
        (record, timestamp): (Digest, i64),
    ) {
        let progress = &mut self.stands[subtask.index()];
        progress.dropped.push(record);
        let times = self.dropped.entry(record).or_insert(0);
        *times += 1;
        let why = if timestamp > progress.watermark {
            format!("though the watermark is {}", told(progress.watermark))
        } else if !scene.shape.allows_repeats()
            && scene.course.reference.is_known()
            && *times > scene.course.reference.late(record)
        {
            let kept = scene.course.reference.late(record);
            format!("for the {times}. time, the reference drops it {kept} times")
        } else {
            return;
        };
        let name = scene.name(subtask);
        let text = format!("{name} dropped {lineage} of time {timestamp} as late, {why}");
        let violation = Violation::new(Kind::DroppedUnduly, text);
        scene.report(violation.with(lineage).by(subtask));
    }

    /// A subtask froze its state.
    fn handle_snapshot(&mut self, scene: &mut Scene, subtask: SubtaskId, checkpoint: CheckpointId) {
        if !self.is_told {
            return;
        }
        self.settle(scene, subtask);
        self.judge_timers(scene, subtask);
        if self.saved.len() >= SAVED_MAX && !self.saved.contains_key(&checkpoint) {
            self.forget_one();
        }
        let subtasks = self.stands.len();
        let saved = self.saved.entry(checkpoint).or_insert_with(|| vec![None; subtasks]);
        saved[subtask.index()] = Some(self.stands[subtask.index()].clone());
    }

    /// The checkpoint completed: it is what recovery goes back to.
    fn handle_completed(&mut self, scene: &mut Scene, checkpoint: CheckpointId) {
        self.saved.retain(|id, _| *id >= checkpoint);
        if let Some(saved) = self.saved.get(&checkpoint) {
            judge_cut(scene, checkpoint, saved);
        }
    }

    /// The job finished: nothing is owed any more.
    fn handle_finished(&mut self, scene: &mut Scene) {
        if !self.is_told {
            return;
        }
        for subtask in scene.shape.subtask_ids() {
            self.settle(scene, subtask);
            self.judge_timers(scene, subtask);
        }
        if scene.shape.allows_repeats() {
            return;
        }
        for (record, times) in scene.course.reference.all_late() {
            let dropped = self.dropped.get(&record).copied().unwrap_or(0);
            if dropped < times {
                let text = format!(
                    "the record with digest {record} was dropped as late {dropped} times, the reference \
                     drops it {times} times"
                );
                scene.report(Violation::new(Kind::LateRecordKept, text));
            }
        }
    }

    /// What all inputs have promised must have become the watermark before anything else happens.
    fn settle(&self, scene: &mut Scene, subtask: SubtaskId) {
        let progress = &self.stands[subtask.index()];
        let Some(promised) = progress.owed() else { return };
        if self.is_told && progress.is_known && progress.watermark < promised {
            let (own, promised) = (told(progress.watermark), told(promised));
            let text = format!("stays at {own}, all its inputs have come to {promised}");
            report(scene, Kind::WatermarkHeldBack, subtask, &text);
        }
    }

    /// The timers that the last watermark reached must have fired.
    fn judge_timers(&mut self, scene: &mut Scene, subtask: SubtaskId) {
        let progress = &mut self.stands[subtask.index()];
        if let Some((at, key)) = progress.due.pop_first() {
            let watermark = told(progress.watermark);
            let text =
                format!("has come to {watermark} without firing the timer of {key} for {at}");
            report(scene, Kind::TimerNeverFired, subtask, &text);
            progress.due.clear();
        }
    }

    /// Forgets the second oldest cut: the oldest may be the one that recovery goes back to.
    fn forget_one(&mut self) {
        if let Some(second) = self.saved.keys().nth(1).copied() {
            self.saved.remove(&second);
        }
    }
}

/// A subtask that begins from nothing.
fn beginning(scene: &Scene, subtask: SubtaskId) -> TimeProgress {
    let inputs = &scene.shape.inputs[subtask.index()];
    TimeProgress::new(inputs.iter().map(|channel| scene.shape.is_logged(*channel)))
}

/// In a cut no watermark is under way: what a sender has promised, its receivers know.
fn judge_cut(scene: &mut Scene, checkpoint: CheckpointId, saved: &Saved) {
    if scene.shape.protocol.traits().at_cut != AtCut::Nothing {
        return;
    }
    for (index, ends) in scene.shape.channels.iter().enumerate() {
        let channel = ChannelId(u16::try_from(index).unwrap_or(u16::MAX));
        let inputs = &scene.shape.inputs[ends.to.index()];
        let input = inputs.iter().position(|input| *input == channel);
        let at = |subtask: SubtaskId| saved.get(subtask.index()).and_then(Option::as_ref);
        let (Some(sender), Some(receiver), Some(input)) = (at(ends.from), at(ends.to), input)
        else {
            continue;
        };
        let (sent, known) = (sender.watermark, receiver.inputs[input]);
        if sender.is_known && receiver.is_known && sent != known {
            let (sent, known) = (told(sent), told(known));
            let text = format!("in {checkpoint} its sender has {sent}, its receiver knows {known}");
            report_on(scene, Kind::WatermarkCutApart, channel, &text);
        }
    }
}

#[cold]
fn report(scene: &mut Scene, kind: Kind, subtask: SubtaskId, text: &str) {
    let name = scene.name(subtask);
    scene.report(Violation::new(kind, format!("{name} {text}")).by(subtask));
}

#[cold]
fn report_on(scene: &mut Scene, kind: Kind, channel: ChannelId, text: &str) {
    let name = scene.channel(channel);
    scene.report(Violation::new(kind, format!("{name} {text}")).on(channel));
}
