//! O4: no cut depends on what happened after it in another subtask (Mattern 1989, Fidge 1988).
//!
//! A cross-check of the cut oracle from the events per record, through chains of subtasks. What a cut
//! needs to know of another subtask is only *after which of its snapshots* it came to depend on it,
//! so a clock holds, by subtask, the last checkpoint that subtask had snapshotted (the dependency
//! vectors of Wang 1997) and only changes when a snapshot is taken or such a change arrives. A channel
//! keeps those changes, by the sequence from which records carry them; most records carry none.
//!
//! Clocks are as wide as the job has subtasks; above [`SUBTASKS_MAX`] this oracle rests. It rests as well
//! where a cut may depend on what is behind it: under barriers that are merely counted.

use std::collections::VecDeque;

use super::course::Fact;
use super::kind::Kind;
use super::oracles::{Oracle, listens};
use super::shape::Scene;
use super::verdict::Violation;
use crate::protocol::{ChannelId, CheckpointId, SubtaskId};
use crate::trace::SnapshotTaken;

/// Up to how many subtasks clocks are kept: their cost is quadratic.
const SUBTASKS_MAX: usize = 512;

/// How many checkpoints are remembered with those who have taken them.
const TAKEN_MAX: usize = 32;

/// Judges dependencies.
#[derive(Clone, Debug, Default)]
pub(super) struct VectorClockOracle {
    /// By subtask; the last checkpoint known to be snapshotted, by subtask.
    clocks: Vec<Clock>,
    /// By channel.
    carried: Vec<Carried>,
    taken: VecDeque<(CheckpointId, Vec<bool>)>,
}

#[derive(Clone, Debug)]
struct Clock {
    last: Box<[u64]>,
    /// Grows with every change.
    version: u64,
}

/// The clocks that the records of a channel carry.
#[derive(Clone, Debug)]
struct Carried {
    from: u16,
    to: u16,
    sent: u64,
    /// The version of the sender's clock that the last record carried.
    version: u64,
    /// Records below this sequence were emitted before the sender's last snapshot.
    emitted: u64,
    /// The sequence of the first change not yet received; the greatest number where there is none.
    next: u64,
    changes: VecDeque<(u64, Box<[u64]>)>,
}

listens! { VectorClockOracle(self, scene, event) {
    Event::SnapshotTaken(ref snapshot) => { self.handle_snapshot(scene, snapshot) }
} }

impl Oracle for VectorClockOracle {
    fn start(&mut self, scene: &Scene) {
        *self = Self::default();
        let subtasks = scene.shape.subtasks();
        if subtasks > SUBTASKS_MAX || scene.shape.allows_repeats() {
            return;
        }
        let zero = vec![0; subtasks].into_boxed_slice();
        self.clocks = vec![Clock { last: zero, version: 0 }; subtasks];
        self.carried =
            scene.shape.channels.iter().map(|ends| Carried::new(ends.from.0, ends.to.0)).collect();
    }

    fn learn(&mut self, scene: &mut Scene, fact: Fact) {
        if let Fact::AttemptStarted { is_reshaped, .. } = fact {
            self.handle_attempt_started(scene, is_reshaped);
        }
    }
}

impl VectorClockOracle {
    /// All subtasks and channels are new, and others after a rescale.
    fn handle_attempt_started(&mut self, scene: &Scene, is_reshaped: bool) {
        if is_reshaped {
            return self.start(scene);
        }
        for clock in &mut self.clocks {
            clock.last.fill(0);
            clock.version = 0;
        }
        for carried in &mut self.carried {
            *carried = Carried::new(carried.from, carried.to);
        }
        self.taken.clear();
    }

    /// A record entered a channel: it carries its sender's clock.
    #[inline]
    pub fn handle_sent(&mut self, channel: ChannelId) {
        let Some(carried) = self.carried.get_mut(channel.index()) else { return };
        let clock = &self.clocks[usize::from(carried.from)];
        if clock.version != carried.version && carried.sent >= carried.emitted {
            carried.attach(clock);
        }
        carried.sent += 1;
    }

    /// A record left a channel: its receiver knows what it carries.
    #[inline]
    pub fn handle_received(&mut self, channel: ChannelId, sequence: u64) {
        let Some(carried) = self.carried.get_mut(channel.index()) else { return };
        if sequence >= carried.next {
            let clock = &mut self.clocks[usize::from(carried.to)];
            carried.deliver(sequence, clock);
        }
    }

    /// A subtask froze its state: it must not know of anything after the same cut elsewhere.
    fn handle_snapshot(&mut self, scene: &mut Scene, snapshot: &SnapshotTaken) {
        let (subtask, checkpoint) = (snapshot.subtask, snapshot.checkpoint);
        let Some(clock) = self.clocks.get(subtask.index()) else { return };
        let taken = Self::taken(&mut self.taken, scene, checkpoint);
        let depends_on = |other: usize| taken[other] && clock.last[other] >= checkpoint.0;
        let others = (0..taken.len()).filter(|other| *other != subtask.index());
        let found: Vec<usize> = others.filter(|other| depends_on(*other)).collect();
        taken[subtask.index()] = true;
        if let Some(other) = found.first().and_then(|other| u16::try_from(*other).ok()) {
            report(scene, subtask, SubtaskId(other), checkpoint);
        }
        self.tick(scene, snapshot);
    }

    /// What is emitted from here on comes after the snapshot; what waits for credit does not.
    fn tick(&mut self, scene: &Scene, snapshot: &SnapshotTaken) {
        let subtask = snapshot.subtask.index();
        let clock = &mut self.clocks[subtask];
        for cut in &snapshot.sent {
            let Some(carried) = self.carried.get_mut(cut.channel.index()) else { continue };
            if !scene.shape.outputs[subtask].contains(&cut.channel) {
                continue;
            }
            if cut.records > carried.sent && carried.version != clock.version {
                carried.attach(clock);
            }
            carried.emitted = cut.records;
        }
        clock.last[subtask] = clock.last[subtask].max(snapshot.checkpoint.0);
        clock.version += 1;
    }

    fn taken<'a>(
        taken: &'a mut VecDeque<(CheckpointId, Vec<bool>)>,
        scene: &Scene,
        checkpoint: CheckpointId,
    ) -> &'a mut Vec<bool> {
        let known = taken.iter().position(|(id, _)| *id == checkpoint);
        let position = known.unwrap_or_else(|| {
            if taken.len() == TAKEN_MAX {
                taken.pop_front();
            }
            taken.push_back((checkpoint, vec![false; scene.shape.subtasks()]));
            taken.len() - 1
        });
        &mut taken[position].1
    }
}

impl Carried {
    fn new(from: u16, to: u16) -> Self {
        let changes = VecDeque::new();
        Self { from, to, sent: 0, version: 0, emitted: 0, next: u64::MAX, changes }
    }

    /// From the next record on, the sender's clock of now is carried.
    fn attach(&mut self, clock: &Clock) {
        self.version = clock.version;
        if self.changes.is_empty() {
            self.next = self.sent;
        }
        self.changes.push_back((self.sent, clock.last.clone()));
    }

    /// The receiver learns all changes up to the record with this sequence.
    fn deliver(&mut self, sequence: u64, clock: &mut Clock) {
        while self.changes.front().is_some_and(|(from, _)| *from <= sequence) {
            let Some((_, change)) = self.changes.pop_front() else { break };
            for (known, learned) in clock.last.iter_mut().zip(&change) {
                *known = (*known).max(*learned);
            }
            clock.version += 1;
        }
        self.next = self.changes.front().map_or(u64::MAX, |(from, _)| *from);
    }
}

fn report(scene: &mut Scene, subtask: SubtaskId, other: SubtaskId, checkpoint: CheckpointId) {
    let text = format!(
        "the cut of {} at {checkpoint} depends on what {} did after its own cut",
        scene.name(subtask),
        scene.name(other),
    );
    scene.report(Violation::new(Kind::DependentCut, text).of(checkpoint).by(subtask));
}
