//! For how long something was so: a subtask aligned, a channel was blocked, a process was down or stalled.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::protocol::{Attempt, ChannelId, CheckpointId, ProcessId, SubtaskId};
use crate::trace::{Event, Shapes, Stamp};

use super::lanes::Lanes;
use super::rows::Rows;

/// A stretch of a column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shade {
    /// Which column.
    pub lane: usize,
    /// What is so there.
    pub kind: Kind,
    /// From this row on.
    pub from: usize,
    /// Up to this row; none where the trace ends before.
    pub to: Option<usize>,
    /// About what: the checkpoint, or the channel that is blocked.
    pub about: String,
}

/// What is so along a stretch of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The subtask waits for barriers.
    Aligning,
    /// One of its channels delivers nothing.
    Blocked,
    /// The process is down.
    Down,
    /// The process makes no progress.
    Paused,
}

/// What ends together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Aligning(SubtaskId, Attempt, CheckpointId),
    Blocked(ChannelId, Attempt),
    Process(ProcessId),
}

/// The shades of a trace, in the order in which they begin.
#[must_use]
pub fn of(trace: &[(Stamp, Event)], shapes: &Shapes, lanes: &Lanes, rows: &Rows) -> Vec<Shade> {
    let mut shading =
        Shading { shapes, lanes, open: BTreeMap::new(), housed: BTreeMap::new(), all: Vec::new() };
    for (place, (_, event)) in trace.iter().enumerate() {
        let row = rows.of_event(place);
        let life = lanes.lives[lanes.life_of(place)];
        if lanes.all[life.lane].subtask {
            shading.housed.insert(life.lane, life.process);
        }
        shading.take(event, row);
    }
    shading.all.sort_by_key(|shade| (shade.from, shade.lane));
    shading.all
}

struct Shading<'a> {
    shapes: &'a Shapes,
    lanes: &'a Lanes,
    /// The shades that have not ended.
    open: BTreeMap<Key, Vec<usize>>,
    /// Where the subtask of a column lives.
    housed: BTreeMap<usize, ProcessId>,
    all: Vec<Shade>,
}

impl Shading<'_> {
    fn take(&mut self, event: &Event, row: usize) {
        match event {
            Event::AlignmentStarted { subtask, attempt, checkpoint } => {
                let key = Key::Aligning(*subtask, *attempt, *checkpoint);
                let lane = self.lanes.of_subtask(*subtask, self.shapes.index_in_attempt(*attempt));
                self.begin(key, lane, Kind::Aligning, row, checkpoint.to_string());
            }
            Event::AlignmentCompleted { subtask, attempt, checkpoint }
            | Event::AlignmentOvertaken { subtask, attempt, checkpoint }
            | Event::AlignmentAborted { subtask, attempt, checkpoint } => {
                self.end(Key::Aligning(*subtask, *attempt, *checkpoint), row);
            }
            Event::ChannelBlocked { channel, attempt, .. } => self.block(*channel, *attempt, row),
            Event::ChannelUnblocked { channel, attempt, .. } => {
                self.end(Key::Blocked(*channel, *attempt), row);
            }
            Event::Crashed { process } => self.strike(*process, Kind::Down, row),
            Event::Paused { process } => self.strike(*process, Kind::Paused, row),
            Event::Restarted { process, .. } | Event::Resumed { process } => {
                self.end(Key::Process(*process), row);
            }
            Event::AttemptStarted { attempt, .. } => self.end_before(*attempt, row),
            _ => {}
        }
    }

    fn begin(&mut self, key: Key, lane: Option<usize>, kind: Kind, from: usize, about: String) {
        let Some(lane) = lane else { return };
        self.open.entry(key).or_default().push(self.all.len());
        self.all.push(Shade { lane, kind, from, to: None, about });
    }

    fn end(&mut self, key: Key, row: usize) {
        for open in self.open.remove(&key).unwrap_or_default() {
            self.all[open].to = Some(row);
        }
    }

    /// What was so in an earlier attempt is over.
    fn end_before(&mut self, attempt: Attempt, row: usize) {
        let is_over = |key: &Key| match key {
            Key::Aligning(_, of, _) | Key::Blocked(_, of) => *of < attempt,
            Key::Process(_) => false,
        };
        let over: Vec<Key> = self.open.keys().copied().filter(is_over).collect();
        over.into_iter().for_each(|key| self.end(key, row));
    }

    fn block(&mut self, channel: ChannelId, attempt: Attempt, row: usize) {
        let topology = self.shapes.in_attempt(attempt);
        let Some(ends) = topology.channels.get(channel.index()) else { return };
        let lane = self.lanes.of_subtask(ends.to, self.shapes.index_in_attempt(attempt));
        let about = topology.channel_name(channel);
        self.begin(Key::Blocked(channel, attempt), lane, Kind::Blocked, row, about);
    }

    /// The process itself, and every subtask that lives in it.
    fn strike(&mut self, process: ProcessId, kind: Kind, row: usize) {
        self.end(Key::Process(process), row);
        let housed: Vec<usize> = self
            .housed
            .iter()
            .filter(|(_, home)| **home == process)
            .map(|(lane, _)| *lane)
            .collect();
        let own = self.lanes.of_process(process);
        for lane in own.into_iter().chain(housed) {
            self.begin(Key::Process(process), Some(lane), kind, row, process.to_string());
        }
    }
}
