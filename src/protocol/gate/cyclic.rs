//! Loops: aligned on regular inputs, and what is on its way along back edges is logged.
//!
//! The second algorithm of Carbone et al. (2015), corrected: checkpoints have ids, so that they may overlap
//! on a loop; a back edge is one to the stack of the search ([`Loops`](crate::protocol::Loops)); the cut is
//! where all regular inputs have delivered the barrier, whatever back edges have; and a back edge that
//! delivers it before that is blocked. From the snapshot on, what a back edge delivers before its barrier
//! was sent before the cut, and is part of the checkpoint: Chandy and Lamport's recording, for back edges
//! only.

use super::capture::Capture;
use super::{Element, Flow, GateOutput, InputGate, Phase};
use crate::protocol::barrier::Barrier;
use crate::protocol::defect::Defect;
use crate::protocol::ids::CheckpointId;

/// How many checkpoints are logged at once; the oldest makes room. Far above how many barriers are ever
/// under way on a loop.
pub const LOGS_MAX: usize = 32;

/// What a gate with back edges knows besides.
#[derive(Clone, Debug)]
pub(super) struct Looping<T> {
    /// By channel, whether it leads back.
    back: Vec<bool>,
    /// The checkpoints whose barriers have not come round on all back edges, or whose logs are whole and not
    /// taken yet, oldest first. Never more than [`LOGS_MAX`].
    logs: Vec<Capture<T>>,
    /// Nothing comes round any more: back edges count as ended before they have.
    over: bool,
}

impl<T: Clone> InputGate<T> {
    /// The same gate, some of whose channels lead back.
    ///
    /// # Panics
    ///
    /// When there are not as many as channels.
    #[must_use]
    pub fn with_back_edges(mut self, back: Vec<bool>) -> Self {
        assert_eq!(back.len(), self.channels.len(), "a channel leads back, or it does not");
        if back.contains(&true) {
            self.looping = Some(Looping { back, logs: Vec::new(), over: false });
        }
        self
    }

    /// The loop that this gate is on is over: nothing is on it, and nothing will be. Heard once or often,
    /// while regular inputs have ended.
    pub fn handle_loop_over(&mut self) {
        if self.regular_open() > 0 {
            return;
        }
        if let Some(looping) = &mut self.looping {
            looping.over = true;
            self.settle();
        }
    }

    /// Whether this channel has ended.
    #[must_use]
    pub fn has_ended(&self, channel: usize) -> bool {
        self.channels.get(channel).is_some_and(|input| input.flow == Flow::Ended)
    }

    /// Whether this channel leads back.
    pub(super) fn leads_back(&self, channel: usize) -> bool {
        self.looping.as_ref().is_some_and(|looping| looping.back[channel])
    }

    /// How many channels deliver barriers that the cut waits for.
    pub(super) fn regular_open(&self) -> usize {
        let Some(looping) = &self.looping else { return self.open };
        let inputs = self.channels.iter().zip(&looping.back);
        inputs.filter(|(input, back)| !**back && input.flow != Flow::Ended).count()
    }

    /// Whether nothing is left to deliver.
    pub(super) fn is_over(&self) -> bool {
        let over = self.looping.as_ref().is_some_and(|looping| looping.over);
        self.open == 0 || (over && self.regular_open() == 0)
    }

    /// A barrier was seen in its place, in a gate with back edges.
    pub(super) fn align_in_loop(&mut self, channel: usize, barrier: Barrier) {
        if self.leads_back(channel) {
            return self.come_round(channel, barrier.checkpoint);
        }
        if self.defects.has(Defect::LoopWithoutIds) && self.is_logging() {
            return self.block(channel, barrier.checkpoint); // `marked` had it, for one or the other.
        }
        self.align(channel, barrier);
    }

    /// Whether the cut is here, now that all regular inputs have delivered the barrier.
    pub(super) fn is_marked(&self, checkpoint: CheckpointId) -> bool {
        let early = |input: &super::Channel| input.barrier == checkpoint;
        let exactly = self.defects.has(Defect::BackEdgeIfVisited);
        let Some(looping) = self.looping.as_ref().filter(|_| exactly) else { return true };
        !self.channels.iter().zip(&looping.back).any(|(input, back)| *back && early(input))
    }

    /// A barrier came round, or before the cut. A search by the stack finds no back edge on which the latter
    /// can happen, but any set of edges without which there is no loop will do.
    fn come_round(&mut self, channel: usize, checkpoint: CheckpointId) {
        self.abandon_logs_before(channel, checkpoint);
        if checkpoint > self.handled || self.aligning() == Some(checkpoint) {
            self.channels[channel].barrier = checkpoint;
            if !self.defects.has(Defect::BackEdgeIfVisited) {
                self.block(channel, checkpoint);
            }
            return;
        }
        self.channels[channel].barrier = checkpoint;
        let late = self.next_item(channel).filter(|_| self.defects.has(Defect::LogStoppedLate));
        let Some(log) = self.log_of(checkpoint) else { return };
        if let Some(item) = late {
            log.record(channel, &item);
        }
        log.close(channel);
        self.tell_whole_logs();
    }

    fn block(&mut self, channel: usize, checkpoint: CheckpointId) {
        let input = &mut self.channels[channel];
        (input.flow, input.barrier) = (Flow::Blocked, checkpoint);
        self.outputs.push_back(GateOutput::Blocked { channel, checkpoint });
    }

    fn next_item(&self, channel: usize) -> Option<T> {
        let own = self.arrivals.iter().find(|(from, _)| *from == channel);
        own.and_then(|(_, element)| match element {
            Element::Item(item) => Some(item.clone()),
            Element::Barrier(_) | Element::Cancel(_) | Element::End => None,
        })
    }

    fn is_logging(&self) -> bool {
        self.looping.as_ref().is_some_and(|looping| looping.logs.iter().any(|log| !log.is_whole()))
    }

    fn log_of(&mut self, checkpoint: CheckpointId) -> Option<&mut Capture<T>> {
        let logs = &mut self.looping.as_mut()?.logs;
        logs.iter_mut().find(|log| log.checkpoint() == checkpoint)
    }

    /// The snapshot was taken: the log begins. Whether there is any.
    pub(super) fn begin_log(&mut self, checkpoint: CheckpointId) -> bool {
        if self.looping.is_none() || self.defects.has(Defect::NoBackEdgeLog) {
            return false;
        }
        let awaited: Vec<bool> = (0..self.channels.len())
            .map(|channel| self.owes_barrier(channel, checkpoint))
            .collect();
        let places = awaited.into_iter().map(|awaited| (!awaited).then_some(0)).collect();
        let log = Capture::new(checkpoint, places, self.defects);
        if let Some(looping) = &mut self.looping {
            looping.logs.push(log);
            if looping.logs.len() > LOGS_MAX {
                let oldest = looping.logs.remove(0).checkpoint();
                self.outputs.push_back(GateOutput::CaptureAbandoned(oldest));
            }
        }
        self.tell_whole_logs();
        true
    }

    fn owes_barrier(&self, channel: usize, checkpoint: CheckpointId) -> bool {
        let input = &self.channels[channel];
        let over = self.looping.as_ref().is_some_and(|looping| looping.over);
        let delivers = input.flow != Flow::Ended && input.barrier != checkpoint;
        self.leads_back(channel) && delivers && !over
    }

    /// The item leaves its channel: where the barrier has not come round yet, it is logged.
    #[inline]
    pub(super) fn log(&mut self, channel: usize, item: &T) {
        if let Some(looping) = &mut self.looping
            && looping.back[channel]
        {
            let late = self.defects.has(Defect::LogStartedLate);
            for log in looping.logs.iter_mut().filter(|log| log.awaits(channel)) {
                log.record(channel, item);
                if late {
                    log.skip_first(channel);
                }
            }
        }
    }

    /// The log of `checkpoint`, by channel, once it is whole.
    pub(super) fn take_log(&mut self, checkpoint: CheckpointId) -> Option<Vec<Vec<T>>> {
        let logs = &mut self.looping.as_mut()?.logs;
        let place = logs.iter().position(|log| log.checkpoint() == checkpoint)?;
        logs[place].is_whole().then(|| logs.remove(place).into_items())
    }

    /// No barrier comes any more in this channel.
    pub(super) fn end_log(&mut self, channel: usize) {
        if let Some(looping) = &mut self.looping {
            looping.logs.iter_mut().for_each(|log| log.close(channel));
            self.tell_whole_logs();
        }
    }

    /// The checkpoint was aborted: nobody waits for its log, and a back edge that is blocked for it, before
    /// there was a cut, delivers again.
    pub(super) fn forget_log(&mut self, checkpoint: CheckpointId) {
        let Some(looping) = &mut self.looping else { return };
        looping.logs.retain(|log| log.checkpoint() != checkpoint);
        let back = self.channels.iter().zip(&looping.back);
        let early = back
            .filter(|(_, back)| **back)
            .any(|(input, _)| input.flow == Flow::Blocked && input.barrier == checkpoint);
        if early && self.phase == Phase::Open {
            self.unblock_those(|input| input.barrier == checkpoint);
        }
    }

    /// The barrier of `checkpoint` will not come round.
    pub(super) fn abandon_log(&mut self, checkpoint: CheckpointId) {
        if let Some(looping) = &mut self.looping
            && looping.logs.iter().any(|log| log.checkpoint() == checkpoint && !log.is_whole())
        {
            looping.logs.retain(|log| log.checkpoint() != checkpoint);
            self.outputs.push_back(GateOutput::CaptureAbandoned(checkpoint));
        }
    }

    /// Channels are FIFO: an older barrier will never come on this one.
    fn abandon_logs_before(&mut self, channel: usize, newer: CheckpointId) {
        let Some(looping) = &self.looping else { return };
        let owed =
            looping.logs.iter().filter(|log| log.checkpoint() < newer && log.awaits(channel));
        let owed: Vec<_> = owed.map(Capture::checkpoint).collect();
        owed.into_iter().for_each(|checkpoint| self.abandon_log(checkpoint));
    }

    fn tell_whole_logs(&mut self) {
        let Some(looping) = &mut self.looping else { return };
        for log in looping.logs.iter_mut().filter(|log| log.is_whole()) {
            if log.tell() {
                self.outputs.push_back(GateOutput::Captured(log.checkpoint()));
            }
        }
    }
}

#[cfg(test)]
mod tests;
