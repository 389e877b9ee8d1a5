//! Channel state in a walk-through: what barriers overtake, from the snapshot until it is whole.

use std::collections::BTreeMap;

use cutwater::protocol::{
    Barrier, ChannelId, CheckpointId, DefectSet, Element, Loops, Passage, SubtaskId,
};

use super::message::Content;

use super::world::World;

/// What was on its way at a cut, by channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InFlight {
    /// Not processed by the subtask that snapshotted.
    pub inputs: BTreeMap<usize, Vec<i64>>,
    /// Emitted by it, and overtaken in its output queue.
    pub outputs: BTreeMap<usize, Vec<i64>>,
}

/// Whether the channel state of a snapshot is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Capture {
    /// It has none.
    None,
    /// The gate records until the last barrier.
    Recording,
    /// The gate has all of it; the barrier may still overtake something in an output queue.
    Recorded,
    /// It is whole.
    Whole,
}

impl InFlight {
    fn is_empty(&self) -> bool {
        self.inputs.is_empty() && self.outputs.is_empty()
    }
}

impl World {
    /// The form that walk-throughs show: ` in-flight={a->sum: [10]}`, or nothing.
    pub fn show_in_flight(&self, in_flight: &InFlight) -> String {
        if in_flight.is_empty() {
            return String::new();
        }
        let all = in_flight.inputs.iter().chain(&in_flight.outputs);
        let shown: Vec<_> =
            all.map(|(link, items)| format!("{}: {items:?}", self.job.links[*link].name)).collect();
        format!(" in-flight={{{}}}", shown.join(", "))
    }

    /// Sends a barrier on every channel out of a subtask, past what waits there if it goes ahead.
    pub fn broadcast_barrier(&mut self, subtask: usize, barrier: Barrier) {
        match barrier.passage {
            Passage::InOrder | Passage::InOrderUntil(_) => {
                self.broadcast(subtask, &Element::Barrier(barrier));
            }
            Passage::Ahead => {
                for link in self.job.members[subtask].outputs.clone() {
                    let queue = &mut self.channels[link];
                    let overtaken = items(queue.iter());
                    queue.push_front(Element::Barrier(barrier));
                    self.overtake(subtask, link, barrier.checkpoint, overtaken);
                }
            }
        }
    }

    /// A barrier whose time in its place is over goes ahead of what waits before it.
    pub fn hurry_outputs(&mut self, subtask: usize, checkpoint: CheckpointId) {
        for link in self.job.members[subtask].outputs.clone() {
            let queue = &mut self.channels[link];
            let Some((position, barrier)) = find(queue.iter(), checkpoint) else { continue };
            queue.remove(position);
            let overtaken = items(queue.iter().take(position));
            queue.push_front(Element::Barrier(barrier.hurried()));
            self.tell(subtask, format!("hurry {checkpoint}"));
            self.overtake(subtask, link, checkpoint, overtaken);
        }
    }

    fn overtake(&mut self, subtask: usize, link: usize, checkpoint: CheckpointId, it: Vec<i64>) {
        if !it.is_empty() {
            self.overtaken.entry((subtask, checkpoint)).or_default().insert(link, it);
        }
    }

    /// The gate has recorded what came before the barriers.
    pub fn captured(&mut self, subtask: usize, checkpoint: CheckpointId) {
        let Some(lanes) = self.nodes[subtask].gate.take_captured(checkpoint) else { return };
        let links = self.job.members[subtask].inputs.clone();
        let lanes = links.into_iter().zip(lanes).filter(|(_, items)| !items.is_empty());
        let lanes: BTreeMap<_, _> = lanes.collect();
        if let Some(upload) = self.upload_of(subtask, checkpoint) {
            upload.in_flight.inputs = lanes;
            upload.capture = Capture::Recorded;
        }
    }

    /// Tells of channel state that has become whole: every barrier has left its queue.
    pub fn complete_captures(&mut self) -> bool {
        let of = |upload: &super::world::Upload| (upload.subtask, upload.checkpoint);
        let recorded = self.uploads.iter().filter(|upload| upload.capture == Capture::Recorded);
        let whole =
            recorded.map(of).find(|(subtask, checkpoint)| !self.owes(*subtask, *checkpoint));
        let Some((subtask, checkpoint)) = whole else { return false };
        let outputs = self.overtaken.remove(&(subtask, checkpoint)).unwrap_or_default();
        let Some(upload) = self.upload_of(subtask, checkpoint) else { return false };
        upload.in_flight.outputs = outputs;
        upload.capture = Capture::Whole;
        let in_flight = upload.in_flight.clone();
        if !in_flight.is_empty() {
            let shown = self.show_in_flight(&in_flight);
            self.tell(subtask, format!("capture {checkpoint}{shown}"));
        }
        true
    }

    /// Whether the subtask is on a loop into which nothing comes through it any more.
    pub fn is_quiet(&self, subtask: usize) -> bool {
        let topology = self.job.topology();
        let loops = Loops::of(&topology, DefectSet::NONE);
        let inputs = self.job.members[subtask].inputs.iter();
        let open = |(input, link): (usize, &usize)| {
            loops.enters(&topology, ChannelId(*link as u16))
                && !self.nodes[subtask].gate.has_ended(input)
        };
        loops.component(topology.subtasks[subtask].operator).is_some()
            && !inputs.enumerate().any(open)
    }

    /// Tells the subtasks of loops that are quiet as a whole.
    pub fn end_loops(&mut self, quiet: &[SubtaskId]) {
        let topology = self.job.topology();
        let quiet = quiet.iter().copied().collect();
        for subtask in Loops::of(&topology, DefectSet::NONE).quiet(&topology, &quiet) {
            let name = self.job.members[subtask.index()].name.clone();
            self.say("coordinator", format!("tell {name}: its loop is over"));
            self.send(subtask.index(), Content::LoopOver);
        }
    }

    fn owes(&self, subtask: usize, checkpoint: CheckpointId) -> bool {
        let may_hurry = |(_, barrier): (usize, Barrier)| match barrier.passage {
            Passage::InOrderUntil(_) => true,
            Passage::InOrder | Passage::Ahead => false,
        };
        let mut outputs = self.job.members[subtask].outputs.iter();
        outputs.any(|link| find(self.channels[*link].iter(), checkpoint).is_some_and(may_hurry))
    }

    fn upload_of(
        &mut self,
        subtask: usize,
        checkpoint: CheckpointId,
    ) -> Option<&mut super::world::Upload> {
        let mut uploads = self.uploads.iter_mut();
        uploads.find(|upload| upload.subtask == subtask && upload.checkpoint == checkpoint)
    }

    /// Puts back what was on its way: into the gate what had arrived, into the channels what had not left.
    pub fn restore_in_flight(&mut self, subtask: usize, in_flight: &InFlight) {
        for (link, items) in &in_flight.inputs {
            let index = self.job.links[*link].gate_index;
            self.in_gate[*link] += items.len();
            let restored = self.nodes[subtask].gate.restore(index, items.iter().copied());
            if let Err(error) = restored {
                self.fail(error.to_string());
            }
        }
        for (link, items) in &in_flight.outputs {
            self.channels[*link].extend(items.iter().copied().map(Element::Item));
        }
    }
}

fn items<'a>(queue: impl Iterator<Item = &'a Element<i64>>) -> Vec<i64> {
    let item = |element: &Element<i64>| match element {
        Element::Item(item) => Some(*item),
        Element::Barrier(_) | Element::Cancel(_) | Element::End => None,
    };
    queue.filter_map(item).collect()
}

fn find<'a>(
    mut queue: impl Iterator<Item = &'a Element<i64>>,
    checkpoint: CheckpointId,
) -> Option<(usize, Barrier)> {
    let mut position = 0;
    queue.find_map(|element| {
        position += 1;
        match element {
            Element::Barrier(barrier) if barrier.checkpoint == checkpoint => {
                Some((position - 1, *barrier))
            }
            Element::Barrier(_) | Element::Item(_) | Element::Cancel(_) | Element::End => None,
        }
    })
}
