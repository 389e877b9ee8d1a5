//! A job run in turn: without a cluster, without checkpoints, without anything that fails.
//!
//! Every source is given its entries one after the other, and what comes of each goes through the whole job before the
//! next. It is the least that a job must do, and shows what no failure is needed for: records that are not read back,
//! an input for another source, an expected output that is not what the job gives, user code that does something else
//! when it is run again.

use std::collections::VecDeque;

use super::conformance::Stimulus;
use super::input::Input;
use super::job::Job;
use super::record::{Item, Outputs, Record};
use super::subtask::Subtask;
use crate::protocol::{ChannelId, DefectSet, SplitId, SubtaskId};

/// What a rehearsal gave.
#[derive(Clone, Debug, Default)]
pub struct Rehearsal {
    /// What the sinks wrote, in order.
    pub written: Vec<(SubtaskId, Record)>,
    /// By subtask, the first things that it was given.
    pub given: Vec<Vec<Stimulus>>,
}

/// How many of the things that a subtask is given are kept.
pub const GIVEN_MAX: usize = 64;

/// Whether a job can be run in turn: one with a loop, with splits that are assigned while it runs, or with an external
/// system, which shows rows when it likes, cannot.
#[must_use]
pub fn can_be_rehearsed(job: &Job) -> bool {
    let has_loop = job.topology().channel_ids().any(|channel| job.loops().leads_back(channel));
    !has_loop && job.enumerated().next().is_none() && job.external_system().is_none()
}

/// Runs the job on its whole input, or on the first so many entries of each split.
///
/// # Panics
///
/// When user code does.
#[must_use]
pub fn rehearse(job: &Job, input: &Input, entries: Option<u64>) -> Rehearsal {
    let mut stage = Stage::new(job);
    let mut left = true;
    let mut offset = 0;
    while left && entries.is_none_or(|entries| offset < entries) {
        left = false;
        for (subtask, splits) in stage.readers.clone() {
            for split in splits {
                left |= stage.read(subtask, split, offset, input);
            }
        }
        offset += 1;
    }
    stage.rehearsal
}

/// The subtasks, and what is on its way between them.
struct Stage {
    subtasks: Vec<Subtask>,
    /// The subtasks of sources, each with its splits.
    readers: Vec<(SubtaskId, Vec<SplitId>)>,
    /// By subtask, its output channels.
    outputs: Vec<Vec<ChannelId>>,
    /// By channel, who takes what is in it, and which of its inputs it is there.
    ends: Vec<(SubtaskId, usize)>,
    /// By subtask, how many of its input channels have not ended.
    open: Vec<usize>,
    queue: VecDeque<(SubtaskId, usize, Passing)>,
    out: Outputs,
    rehearsal: Rehearsal,
}

/// What is on its way.
enum Passing {
    Item(Item),
    End,
}

impl Stage {
    fn new(job: &Job) -> Self {
        let topology = job.topology();
        let ids: Vec<SubtaskId> = topology.subtask_ids().collect();
        let inputs = |id: &SubtaskId| topology.inputs(*id).collect::<Vec<_>>();
        let end = |channel: ChannelId| {
            let to = topology.channels[channel.index()].to;
            let place = inputs(&to).iter().position(|input| *input == channel);
            (to, place.expect("a channel is among the inputs of who takes from it"))
        };
        let reader = |id: &SubtaskId| (*id, job.splits_of(*id).to_vec());
        Self {
            subtasks: ids.iter().map(|id| job.subtask(*id, DefectSet::NONE)).collect(),
            readers: ids.iter().map(reader).filter(|(_, splits)| !splits.is_empty()).collect(),
            outputs: ids.iter().map(|id| topology.outputs(*id).collect()).collect(),
            ends: topology.channel_ids().map(end).collect(),
            open: ids.iter().map(|id| inputs(id).len()).collect(),
            queue: VecDeque::new(),
            out: Outputs::default(),
            rehearsal: Rehearsal { written: Vec::new(), given: vec![Vec::new(); ids.len()] },
        }
    }

    /// Reads an entry, or the end behind the last one; whether there is more.
    fn read(&mut self, subtask: SubtaskId, split: SplitId, offset: u64, input: &Input) -> bool {
        let length = input.len(split);
        let source = &mut self.subtasks[subtask.index()];
        let has_ended = match input.entry(split, offset) {
            Some(entry) => {
                source.read(split, offset, entry, &mut self.out);
                false
            }
            None if offset == length => source.end_split(split, &mut self.out),
            None => return false,
        };
        self.note(
            subtask,
            match input.entry(split, offset) {
                Some(bytes) => Stimulus::Entry { split, offset, bytes: bytes.to_vec() },
                None => Stimulus::EndOfSplit(split),
            },
        );
        self.pass_on(subtask, has_ended);
        self.drain();
        offset < length
    }

    fn note(&mut self, subtask: SubtaskId, stimulus: Stimulus) {
        let given = &mut self.rehearsal.given[subtask.index()];
        if given.len() < GIVEN_MAX {
            given.push(stimulus);
        }
    }

    /// Queues what a subtask gave out, and its end where it has ended.
    fn pass_on(&mut self, from: SubtaskId, has_ended: bool) {
        let channels = &self.outputs[from.index()];
        for (output, item) in self.out.items.drain(..) {
            let (to, place) = self.ends[channels[usize::from(output)].index()];
            self.queue.push_back((to, place, Passing::Item(item)));
        }
        let written = self.out.written.drain(..).map(|record| (from, record));
        self.rehearsal.written.extend(written);
        if has_ended {
            for channel in channels {
                let (to, place) = self.ends[channel.index()];
                self.queue.push_back((to, place, Passing::End));
            }
        }
        self.out.clear();
    }

    fn drain(&mut self) {
        while let Some((to, channel, passing)) = self.queue.pop_front() {
            let has_ended = self.give(to, channel, passing);
            self.pass_on(to, has_ended);
        }
    }

    /// Gives a subtask what has come, and answers what it asks for; whether that was the last of everything.
    fn give(&mut self, to: SubtaskId, channel: usize, passing: Passing) -> bool {
        let is_last = self.hand_over(to, channel, passing);
        let subtask = &mut self.subtasks[to.index()];
        subtask.requests_under_way().into_iter().for_each(|request| subtask.answer(request));
        subtask.emit_answered(&mut self.out);
        is_last
    }

    fn hand_over(&mut self, to: SubtaskId, channel: usize, passing: Passing) -> bool {
        match passing {
            Passing::Item(item) => {
                self.note(to, Stimulus::Item { channel, item: item.clone() });
                self.subtasks[to.index()].process(channel, item, &mut self.out);
                false
            }
            Passing::End => {
                self.subtasks[to.index()].end_channel(channel, &mut self.out);
                self.open[to.index()] -= 1;
                self.open[to.index()] == 0
            }
        }
    }
}
