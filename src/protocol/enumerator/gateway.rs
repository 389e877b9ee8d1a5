//! The way from the enumerator to one reader: in order, repeated until taken, closed while a cut passes.

use alloc::collections::VecDeque;

use super::{EnumeratorOutput, SplitEvent};
use crate::ordered::VecSet;
use crate::{CheckpointId, Defect, DefectSet, SubtaskId};

/// The events to one reader in one attempt.
#[derive(Clone, Debug, Default)]
pub struct Gateway {
    /// How many events there were.
    numbered: u32,
    /// Those that the reader has not confirmed, in order; never more than it has asked for.
    queue: VecDeque<Queued>,
    /// Checkpoints whose cut the reader has not passed yet.
    closed_by: VecSet<CheckpointId>,
}

#[derive(Clone, Copy, Debug)]
struct Queued {
    number: u32,
    event: SplitEvent,
    /// The newest of the checkpoints that closed the gateway when it was put here: it belongs behind
    /// the cut of this one, and before those of later ones.
    after: Option<CheckpointId>,
    state: Delivery,
}

#[derive(Clone, Copy, Debug)]
enum Delivery {
    /// The gateway is, or was, closed.
    Held,
    /// On its way, for the `times`-th time after the first.
    Sent { times: u32 },
}

impl Gateway {
    /// How many events there were, whether they were sent or not.
    pub fn numbered(&self) -> u32 {
        self.numbered
    }

    pub fn push(&mut self, event: SplitEvent) {
        let after = self.closed_by.last().copied();
        let queued = Queued { number: self.numbered, event, after, state: Delivery::Held };
        self.queue.push_back(queued);
        self.numbered += 1;
    }

    pub fn handle_taken(&mut self, taken: u32) {
        self.queue.retain(|queued| queued.number >= taken);
    }

    pub fn close(&mut self, checkpoint: CheckpointId) {
        self.closed_by.insert(checkpoint);
    }

    /// Whether any of those chosen had closed it.
    pub fn reopen(&mut self, chosen: impl Fn(CheckpointId) -> bool) -> bool {
        let before = self.closed_by.len();
        self.closed_by.retain(|checkpoint| !chosen(*checkpoint));
        self.closed_by.len() < before
    }

    /// Sends what may leave, in order.
    pub fn flush(
        &mut self,
        reader: SubtaskId,
        defects: DefectSet,
        outputs: &mut VecDeque<EnumeratorOutput>,
    ) {
        let first_closed = self.closed_by.first().copied();
        for queued in &mut self.queue {
            let is_behind = |first| queued.after.is_some_and(|after| after >= first);
            if first_closed.is_some_and(is_behind) {
                break;
            }
            match queued.state {
                Delivery::Sent { .. } => {}
                Delivery::Held => {
                    queued.state = Delivery::Sent { times: 0 };
                    outputs.push_back(queued.output(reader));
                }
            }
        }
        if defects.has(Defect::LostEventUnnoticed) {
            self.queue.retain(|queued| matches!(queued.state, Delivery::Held));
        }
    }

    /// Sends again what was sent.
    pub fn repeat(&mut self, reader: SubtaskId, outputs: &mut VecDeque<EnumeratorOutput>) {
        for queued in &mut self.queue {
            match &mut queued.state {
                Delivery::Held => {}
                Delivery::Sent { times } => {
                    *times += 1;
                    outputs.push_back(queued.output(reader));
                }
            }
        }
    }

    /// How often the event that is longest on its way was repeated.
    pub fn repeats(&self) -> u32 {
        match self.queue.front().map(|queued| queued.state) {
            None | Some(Delivery::Held) => 0,
            Some(Delivery::Sent { times }) => times,
        }
    }

    /// Whether nothing from before the cut of `checkpoint` is left to be taken.
    pub fn is_drained(&self, checkpoint: CheckpointId) -> bool {
        let is_before = |queued: &Queued| queued.after.is_none_or(|after| after < checkpoint);
        !self.queue.iter().any(is_before)
    }
}

impl Queued {
    fn output(&self, reader: SubtaskId) -> EnumeratorOutput {
        EnumeratorOutput::Send { reader, number: self.number, event: self.event }
    }
}
