//! The checkpoints of a run: what each subtask did for each, and when.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::protocol::{
    AbortReason, Attempt, ChannelId, CheckpointId, ObjectKey, SavepointMode, SubtaskId, VirtualTime,
};
use crate::trace::{ChannelStateCaptured, Event, Shapes, SnapshotTaken, Stamp};

use super::cut::{self, ChannelCut, Flow};
use super::lanes::Lanes;
use super::rows::Rows;

/// One checkpoint or savepoint of one attempt.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// The checkpoint.
    pub id: CheckpointId,
    /// Of which attempt.
    pub attempt: Attempt,
    /// What becomes of the job at it, where it is a savepoint.
    pub savepoint: Option<SavepointMode>,
    /// The row in which it was triggered, if that is kept.
    pub triggered: Option<usize>,
    /// How it ended.
    pub end: End,
    /// When its first and its last event happened.
    pub span: (VirtualTime, VirtualTime),
    /// By subtask, what each has done for it.
    pub members: Vec<Member>,
    /// By channel, what lies on which side of the cut.
    pub channels: Vec<ChannelCut>,
    /// Whether there was room to tell of its subtasks and channels.
    pub is_told: bool,
    /// By column, which of the members it is.
    places: BTreeMap<usize, usize>,
    snapshots: BTreeMap<SubtaskId, SnapshotTaken>,
    captures: BTreeMap<SubtaskId, ChannelStateCaptured>,
}

/// How a checkpoint ended, and in which row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The trace ends before.
    Pending,
    /// It is in the store.
    Completed(usize),
    /// It will never be.
    Aborted(usize, AbortReason),
}

/// What one subtask did for a checkpoint: the rows in which it did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Member {
    /// Its column.
    pub lane: usize,
    /// The first barrier came.
    pub barrier: Option<usize>,
    /// It froze its state: its place in the cut.
    pub snapshot: Option<usize>,
    /// What the barrier overtook is known.
    pub captured: Option<usize>,
    /// The store has its snapshot.
    pub stored: Option<usize>,
    /// Of so many bytes, channel state included.
    pub bytes: Option<u64>,
    /// It knows its snapshot durable.
    pub durable: Option<usize>,
    /// It acknowledged.
    pub acknowledged: Option<usize>,
    /// The coordinator counted that.
    pub counted: Option<usize>,
    /// It declined, or gave up.
    pub declined: Option<usize>,
    /// It learned how the checkpoint ended.
    pub learned: Option<usize>,
}

/// Of so many subtasks and channels, over all checkpoints, it is told what they did: no honest trace comes near it.
const TOLD_MAX: usize = 4_000_000;

/// The checkpoints of a trace, in the order of their first events.
#[must_use]
pub fn of(
    trace: &[(Stamp, Event)],
    shapes: &Shapes,
    lanes: &Lanes,
    rows: &Rows,
) -> Vec<Checkpoint> {
    let (known, all, room) = (BTreeMap::new(), Vec::new(), TOLD_MAX);
    let mut collected = Collected { shapes, lanes, known, all, room };
    for (place, (stamp, event)) in trace.iter().enumerate() {
        collected.take(*stamp, event, rows.of_event(place));
    }
    let logs = cut::logs(trace, rows);
    let mut all = collected.all;
    for checkpoint in all.iter_mut().filter(|own| own.is_told) {
        let topology = shapes.in_attempt(checkpoint.attempt);
        let Checkpoint { attempt, snapshots, captures, .. } = checkpoint;
        let is_over = matches!(checkpoint.end, End::Completed(_));
        let ends = cut::Ends { snapshots, captures, is_over };
        let shape = shapes.index_in_attempt(*attempt);
        let lane = |subtask| lanes.of_subtask(subtask, shape);
        checkpoint.channels = cut::channels(topology, &ends, *attempt, &logs, lane);
    }
    all
}

/// The one that shows most: of those that completed, with the most in flight, or else the longest alignment; the
/// first of all where none completed.
#[must_use]
pub fn most_telling(all: &[Checkpoint]) -> Option<usize> {
    let is_completed = |at: &usize| matches!(all[*at].end, End::Completed(_));
    let tells = |at: &usize| (all[*at].in_flight(), all[*at].aligned());
    let fullest = (0..all.len()).rev().filter(is_completed).max_by_key(tells);
    fullest.or_else(|| (!all.is_empty()).then_some(0))
}

impl Checkpoint {
    fn new(id: CheckpointId, attempt: Attempt, at: VirtualTime) -> Self {
        Self {
            id,
            attempt,
            savepoint: None,
            triggered: None,
            end: End::Pending,
            span: (at, at),
            members: Vec::new(),
            channels: Vec::new(),
            is_told: true,
            places: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            captures: BTreeMap::new(),
        }
    }

    /// Whether a channel is not as it must be in a consistent cut.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.channels.iter().any(|channel| {
            matches!(
                channel.flow,
                Flow::Lost { .. } | Flow::Orphan { .. } | Flow::Doubled { .. } | Flow::Others
            )
        })
    }

    /// How many records cross its cut.
    fn in_flight(&self) -> u64 {
        self.channels.iter().map(|channel| channel.flow.records()).sum()
    }

    /// For how many rows its subtasks waited for barriers, all together.
    fn aligned(&self) -> usize {
        let waited = |member: &Member| member.snapshot?.checked_sub(member.barrier?);
        self.members.iter().filter_map(waited).sum()
    }

    fn member(&mut self, lane: usize) -> &mut Member {
        let next = self.members.len();
        let place = *self.places.entry(lane).or_insert(next);
        if place == next {
            self.members.push(Member { lane, ..Member::default() });
        }
        &mut self.members[place]
    }
}

struct Collected<'a> {
    shapes: &'a Shapes,
    lanes: &'a Lanes,
    known: BTreeMap<(CheckpointId, Attempt), usize>,
    all: Vec<Checkpoint>,
    /// Of how many subtasks and channels more it can be told.
    room: usize,
}

impl Collected<'_> {
    #[rustfmt::skip]
    fn take(&mut self, stamp: Stamp, event: &Event, row: usize) {
        use Event as E;
        let at = stamp.at;
        match event {
            E::Triggered { attempt, checkpoint } => self.of(*checkpoint, *attempt, at).triggered = Some(row),
            E::SavepointTriggered { attempt, checkpoint, mode } => {
                let own = self.of(*checkpoint, *attempt, at);
                (own.triggered, own.savepoint) = (own.triggered.or(Some(row)), Some(*mode));
            }
            E::Completed { attempt, checkpoint } | E::SavepointCompleted { attempt, checkpoint, .. } => {
                let own = self.of(*checkpoint, *attempt, at);
                if !matches!(own.end, End::Completed(_)) {
                    own.end = End::Completed(row);
                }
            }
            E::Aborted { attempt, checkpoint, reason } =>
                self.of(*checkpoint, *attempt, at).end = End::Aborted(row, *reason),
            E::SnapshotTaken(taken) => {
                let own = self.of(taken.checkpoint, taken.attempt, at);
                own.snapshots.entry(taken.subtask).or_insert_with(|| (**taken).clone());
                self.note(taken.subtask, taken.attempt, taken.checkpoint, at, |member| &mut member.snapshot, row);
            }
            E::ChannelStateCaptured(own) => {
                let kept = &mut self.of(own.checkpoint, own.attempt, at).captures;
                kept.entry(own.subtask).or_insert_with(|| (**own).clone());
                self.note(own.subtask, own.attempt, own.checkpoint, at, |member| &mut member.captured, row);
            }
            E::ObjectStored { key: ObjectKey::Snapshot { checkpoint, attempt, subtask }, bytes, .. } => {
                self.note(*subtask, *attempt, *checkpoint, at, |member| &mut member.stored, row);
                self.measure(*subtask, *attempt, *checkpoint, *bytes);
            }
            other => self.take_step(other, at, row),
        }
    }

    /// What a subtask does in its course.
    #[rustfmt::skip]
    fn take_step(&mut self, event: &Event, at: VirtualTime, row: usize) {
        use Event as E;
        let step: (SubtaskId, Attempt, CheckpointId, Step) = match event {
            E::BarrierReceived { channel, attempt, checkpoint, .. } | E::BarrierOvertook { channel, attempt, checkpoint, .. } => {
                let Some(receiver) = self.receiver(*channel, *attempt) else { return };
                (receiver, *attempt, *checkpoint, |member| &mut member.barrier)
            }
            E::AlignmentStarted { subtask, attempt, checkpoint } => (*subtask, *attempt, *checkpoint, |member| &mut member.barrier),
            E::SnapshotDurable { subtask, attempt, checkpoint } => (*subtask, *attempt, *checkpoint, |member| &mut member.durable),
            E::Acknowledged { subtask, attempt, checkpoint } => (*subtask, *attempt, *checkpoint, |member| &mut member.acknowledged),
            E::AcknowledgementCounted { subtask, from_attempt, checkpoint } =>
                (*subtask, *from_attempt, *checkpoint, |member| &mut member.counted),
            E::Declined { subtask, attempt, checkpoint } | E::AlignmentAborted { subtask, attempt, checkpoint } =>
                (*subtask, *attempt, *checkpoint, |member| &mut member.declined),
            E::CompletionLearned { subtask, attempt, checkpoint, .. } | E::AbortLearned { subtask, attempt, checkpoint } => {
                // Learned in a later attempt, it is no step of this one.
                if !self.known.contains_key(&(*checkpoint, *attempt)) { return; }
                (*subtask, *attempt, *checkpoint, |member| &mut member.learned)
            }
            _ => return,
        };
        let (subtask, attempt, checkpoint, which) = step;
        self.note(subtask, attempt, checkpoint, at, which, row);
    }

    /// The first time counts.
    fn note(
        &mut self,
        subtask: SubtaskId,
        attempt: Attempt,
        checkpoint: CheckpointId,
        at: VirtualTime,
        which: Step,
        row: usize,
    ) {
        let Some(lane) = self.lanes.of_subtask(subtask, self.shapes.index_in_attempt(attempt))
        else {
            return;
        };
        which(self.of(checkpoint, attempt, at).member(lane)).get_or_insert(row);
    }

    fn measure(
        &mut self,
        subtask: SubtaskId,
        attempt: Attempt,
        checkpoint: CheckpointId,
        bytes: u64,
    ) {
        let Some(lane) = self.lanes.of_subtask(subtask, self.shapes.index_in_attempt(attempt))
        else {
            return;
        };
        if let Some(known) = self.known.get(&(checkpoint, attempt)) {
            self.all[*known].member(lane).bytes = Some(bytes);
        }
    }

    fn receiver(&self, channel: ChannelId, attempt: Attempt) -> Option<SubtaskId> {
        Some(self.shapes.in_attempt(attempt).channels.get(channel.index())?.to)
    }

    /// The checkpoint, made where it is new with everybody who has a part in it.
    fn of(&mut self, id: CheckpointId, attempt: Attempt, at: VirtualTime) -> &mut Checkpoint {
        let next = self.all.len();
        let known = *self.known.entry((id, attempt)).or_insert(next);
        if known == next {
            let mut new = Checkpoint::new(id, attempt, at);
            let shape = self.shapes.index_in_attempt(attempt);
            let topology = self.shapes.in_attempt(attempt);
            let left = self.room.checked_sub(topology.subtasks.len() + topology.channels.len());
            new.is_told = left.is_some();
            self.room = left.unwrap_or(self.room);
            let everybody = topology.subtask_ids().take_while(|_| left.is_some());
            for lane in everybody.filter_map(|subtask| self.lanes.of_subtask(subtask, shape)) {
                new.member(lane);
            }
            self.all.push(new);
        }
        let own = &mut self.all[known];
        own.span.1 = own.span.1.max(at);
        own
    }
}

/// Which step of a member.
type Step = fn(&mut Member) -> &mut Option<usize>;
