//! Channel state in a walk-through: what barriers overtake, from the snapshot until it is whole.

use std::collections::BTreeMap;

use cutwater::protocol::{
    Barrier, Captured, CheckpointId, DefectSet, Element, Loops, Passage, SubtaskId,
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
        self.look_for_forwarded(subtask);
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
        self.look_for_forwarded(subtask);
    }

    fn overtake(&mut self, subtask: usize, link: usize, checkpoint: CheckpointId, it: Vec<i64>) {
        let output = self.job.members[subtask].outputs.iter().position(|output| *output == link);
        let Some(output) = output else { return };
        self.nodes[subtask].protocol.handle_overtaken(checkpoint, output, it);
    }

    /// Tells a subtask which barriers can overtake nothing more on their way out.
    pub fn look_for_forwarded(&mut self, subtask: usize) {
        let forwarding = self.nodes[subtask].protocol.forwarding();
        let left: Vec<_> = forwarding.filter(|it| !self.owes(subtask, *it)).collect();
        for checkpoint in left {
            self.nodes[subtask].protocol.handle_forwarded(checkpoint);
        }
    }

    /// What was frozen is about to be written, with what was on its way.
    pub fn persist(
        &mut self,
        subtask: usize,
        checkpoint: CheckpointId,
        it: Option<Box<Captured<i64>>>,
    ) {
        let member = &self.job.members[subtask];
        let nothing = Captured { inputs: Vec::new(), outputs: Vec::new() };
        let captured = it.map_or(nothing, |captured| *captured);
        let inputs = member.inputs.iter().copied().zip(captured.inputs);
        let inputs = inputs.filter(|(_, items)| !items.is_empty()).collect();
        let named = |(output, items): (usize, Vec<i64>)| (member.outputs[output], items);
        let outputs = captured.outputs.into_iter().map(named).collect();
        let in_flight = InFlight { inputs, outputs };
        if !in_flight.is_empty() {
            let shown = self.show_in_flight(&in_flight);
            self.tell(subtask, format!("capture {checkpoint}{shown}"));
        }
        if let Some(upload) = self.upload_of(subtask, checkpoint) {
            (upload.in_flight, upload.whole) = (in_flight, true);
        }
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
            let restored = self.nodes[subtask].protocol.restore(index, items.iter().copied());
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
