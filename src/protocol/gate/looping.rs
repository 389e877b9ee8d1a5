//! Loops: aligned on regular inputs, and what is on its way along back edges is logged.
//!
//! The second algorithm of Carbone et al. (2015), corrected: checkpoints have ids, so that they may overlap
//! on a loop; a back edge is one to the stack of the search ([`Loops`](crate::Loops)); the cut is
//! where all regular inputs have delivered the barrier, whatever back edges have; and a back edge that
//! delivers it before that is blocked. From the snapshot on, what a back edge delivers before its barrier
//! was sent before the cut, and is part of the checkpoint: Chandy and Lamport's recording, for back edges
//! only.

use super::alignment::Alignment;
use super::capture::Capture;
use super::lanes::{Flow, Lanes};
use super::{Element, GateOutput};
use crate::barrier::Barrier;
use crate::defect::{Defect, DefectSet};
use crate::ids::CheckpointId;
use alloc::vec::Vec;

/// How many checkpoints are logged at once; the oldest makes room. Far above how many barriers are ever
/// under way on a loop.
pub const LOGS_MAX: usize = 32;

/// Aligns regular channels, and logs what comes along those that lead back.
#[derive(Clone, Debug)]
pub(super) struct Looping<T> {
    alignment: Alignment,
    /// By channel, whether it leads back.
    back: Vec<bool>,
    /// The checkpoints whose barriers have not come round on all back edges, or whose logs are whole and not
    /// taken yet, oldest first. Never more than [`LOGS_MAX`].
    logs: Vec<Capture<T>>,
    /// Nothing comes round any more: back edges count as ended before they have.
    over: bool,
}

impl<T: Clone> Looping<T> {
    /// A gate some of whose channels lead back, perhaps none.
    pub fn new(back: Vec<bool>) -> Self {
        Self { alignment: Alignment::default(), back, logs: Vec::new(), over: false }
    }

    pub fn is_aligning(&self) -> bool {
        !self.alignment.is_none()
    }

    /// How many channels deliver barriers that the cut waits for.
    pub fn regular_open(&self, lanes: &Lanes<T>) -> usize {
        let inputs = lanes.channels.iter().zip(&self.back);
        inputs.filter(|(lane, back)| !**back && lane.flow != Flow::Ended).count()
    }

    /// Whether nothing is left to deliver.
    pub fn is_over(&self, lanes: &Lanes<T>) -> bool {
        lanes.open == 0 || (self.over && self.regular_open(lanes) == 0)
    }

    /// Nothing is on the loop, and nothing will be. Heard once or often, while regular inputs have ended.
    pub fn on_loop_over(&mut self, lanes: &Lanes<T>) {
        self.over |= self.regular_open(lanes) == 0 && self.back.contains(&true);
    }

    // ---- barriers

    pub fn on_barrier(&mut self, lanes: &mut Lanes<T>, channel: usize, barrier: Barrier) {
        if self.back[channel] {
            return self.come_round(lanes, channel, barrier.checkpoint);
        }
        if lanes.defects.has(Defect::LoopWithoutIds) && self.is_logging() {
            return block(lanes, channel, barrier.checkpoint); // `marked` had it, for one or the other.
        }
        let open = self.regular_open(lanes);
        self.alignment.on_barrier(lanes, channel, barrier, open);
        self.hold_if_whole(lanes);
    }

    pub fn on_cancel(&mut self, lanes: &mut Lanes<T>, channel: usize, checkpoint: CheckpointId) {
        if self.back[channel] {
            self.abandon(lanes, checkpoint);
        }
        self.alignment.on_cancel(lanes, checkpoint);
    }

    pub fn on_end(&mut self, lanes: &mut Lanes<T>, channel: usize) {
        if self.back[channel] {
            self.logs.iter_mut().for_each(|log| log.close(channel));
            return self.tell_whole(lanes);
        }
        self.alignment.on_end(lanes, channel);
        self.hold_if_whole(lanes);
    }

    /// Nobody waits for the log of an aborted checkpoint, and a back edge that is blocked for it, before there
    /// was a cut, delivers again. Whether it was being aligned.
    pub fn on_aborted(&mut self, lanes: &mut Lanes<T>, checkpoint: CheckpointId) -> bool {
        self.logs.retain(|log| log.checkpoint() != checkpoint);
        let mut back = lanes.channels.iter().zip(&self.back).filter(|(_, back)| **back);
        let is_early =
            back.any(|(lane, _)| lane.flow == Flow::Blocked && lane.barrier == checkpoint);
        if is_early && self.alignment.is_none() && lanes.held.is_none() {
            lanes.unblock_those(|barrier| barrier == checkpoint);
        }
        self.alignment.on_aborted(lanes, checkpoint)
    }

    /// The cut is where all regular channels have delivered the barrier, whatever back edges have.
    fn hold_if_whole(&mut self, lanes: &mut Lanes<T>) {
        if self.waits_for_back_edge(lanes) {
            return;
        }
        if let Some(barrier) = self.alignment.take_whole() {
            lanes.hold(barrier);
        }
    }

    /// In a seeded bug, a back edge that had delivered the barrier before the cut is taken for one that owes it.
    fn waits_for_back_edge(&self, lanes: &Lanes<T>) -> bool {
        let current = self.alignment.current();
        let mut back = lanes.channels.iter().zip(&self.back).filter(|(_, back)| **back);
        lanes.defects.has(Defect::BackEdgeIfVisited)
            && back.any(|(lane, _)| Some(lane.barrier) == current)
    }

    /// A barrier came round, or before the cut. A search by the stack finds no back edge on which the latter
    /// can happen, but any set of edges without which there is no loop will do.
    fn come_round(&mut self, lanes: &mut Lanes<T>, channel: usize, checkpoint: CheckpointId) {
        self.abandon_before(lanes, channel, checkpoint);
        if lanes.is_news(checkpoint) || self.alignment.current() == Some(checkpoint) {
            lanes.channels[channel].barrier = checkpoint;
            if !lanes.defects.has(Defect::BackEdgeIfVisited) {
                block(lanes, channel, checkpoint);
            }
            return;
        }
        lanes.channels[channel].barrier = checkpoint;
        let late = next_item(lanes, channel).filter(|_| lanes.defects.has(Defect::LogStoppedLate));
        let mut logs = self.logs.iter_mut();
        let Some(log) = logs.find(|log| log.checkpoint() == checkpoint) else { return };
        if let Some(item) = late {
            log.record(channel, &item);
        }
        log.close(channel);
        self.tell_whole(lanes);
    }

    // ---- the log

    fn is_logging(&self) -> bool {
        self.logs.iter().any(|log| !log.is_whole())
    }

    /// The snapshot was taken: the log begins. Whether there is any.
    pub fn capture(&mut self, lanes: &mut Lanes<T>, checkpoint: CheckpointId) -> bool {
        if !self.back.contains(&true) || lanes.defects.has(Defect::NoBackEdgeLog) {
            return false;
        }
        let owes = |channel| self.owes_barrier(lanes, channel, checkpoint);
        let places = (0..self.back.len()).map(|channel| (!owes(channel)).then_some(0)).collect();
        self.logs.push(Capture::new(checkpoint, places, lanes.defects));
        if self.logs.len() > LOGS_MAX {
            let oldest = self.logs.remove(0).checkpoint();
            lanes.say(GateOutput::CaptureAbandoned(oldest));
        }
        self.tell_whole(lanes);
        true
    }

    fn owes_barrier(&self, lanes: &Lanes<T>, channel: usize, checkpoint: CheckpointId) -> bool {
        let lane = &lanes.channels[channel];
        let delivers = lane.flow != Flow::Ended && lane.barrier != checkpoint;
        self.back[channel] && delivers && !self.over
    }

    /// The item leaves its channel: where the barrier has not come round yet, it is logged.
    #[inline]
    pub fn log(&mut self, channel: usize, item: &T, defects: DefectSet) {
        if !self.back[channel] {
            return;
        }
        let late = defects.has(Defect::LogStartedLate);
        for log in self.logs.iter_mut().filter(|log| log.awaits(channel)) {
            log.record(channel, item);
            if late {
                log.skip_first(channel);
            }
        }
    }

    /// The log of `checkpoint`, by channel, once it is whole.
    pub fn take_captured(&mut self, checkpoint: CheckpointId) -> Option<Vec<Vec<T>>> {
        let place = self.logs.iter().position(|log| log.checkpoint() == checkpoint)?;
        self.logs[place].is_whole().then(|| self.logs.remove(place).into_items())
    }

    /// The barrier of `checkpoint` will not come round.
    fn abandon(&mut self, lanes: &mut Lanes<T>, checkpoint: CheckpointId) {
        if self.logs.iter().any(|log| log.checkpoint() == checkpoint && !log.is_whole()) {
            self.logs.retain(|log| log.checkpoint() != checkpoint);
            lanes.say(GateOutput::CaptureAbandoned(checkpoint));
        }
    }

    /// Channels are FIFO: an older barrier will never come on this one.
    fn abandon_before(&mut self, lanes: &mut Lanes<T>, channel: usize, newer: CheckpointId) {
        let is_owed = |log: &&Capture<T>| log.checkpoint() < newer && log.awaits(channel);
        let owed: Vec<_> = self.logs.iter().filter(is_owed).map(Capture::checkpoint).collect();
        owed.into_iter().for_each(|checkpoint| self.abandon(lanes, checkpoint));
    }

    fn tell_whole(&mut self, lanes: &mut Lanes<T>) {
        for log in self.logs.iter_mut().filter(|log| log.is_whole()) {
            if log.tell() {
                lanes.say(GateOutput::Captured(log.checkpoint()));
            }
        }
    }
}

fn block<T: Clone>(lanes: &mut Lanes<T>, channel: usize, checkpoint: CheckpointId) {
    lanes.channels[channel].barrier = checkpoint;
    lanes.block(channel, checkpoint);
}

fn next_item<T: Clone>(lanes: &Lanes<T>, channel: usize) -> Option<T> {
    let own = lanes.arrivals.iter().find(|(from, _)| *from == channel);
    own.and_then(|(_, element)| match element {
        Element::Item(item) => Some(item.clone()),
        Element::Barrier(_) | Element::Cancel(_) | Element::End => None,
    })
}

#[cfg(test)]
mod tests;
