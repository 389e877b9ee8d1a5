//! A subtask that takes checkpoints by itself: what it counts, what it holds, and what forces it.

use super::run::Batch;
use crate::protocol::CheckpointId;
use crate::protocol::independent::{
    CheckpointInducer, IndependentDefectSet, Piggyback, Receipt, Scheme,
};

/// What passed a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Traffic {
    pub(super) batches: u64,
    pub(super) records: u64,
    pub(super) bytes: u64,
}

impl Traffic {
    fn add(&mut self, records: u32, bytes: u64) {
        self.batches += 1;
        self.records += u64::from(records);
        self.bytes += bytes;
    }

    /// What passed since it was `before`.
    pub(super) fn since(self, before: Self) -> Self {
        Self {
            batches: self.batches.saturating_sub(before.batches),
            records: self.records.saturating_sub(before.records),
            bytes: self.bytes.saturating_sub(before.bytes),
        }
    }
}

/// A checkpoint of one subtask.
#[derive(Clone, Debug)]
pub(super) struct Held {
    /// None of the initial state, which is always durable.
    checkpoint: Option<CheckpointId>,
    is_durable: bool,
    inducer: CheckpointInducer,
    /// By output.
    pub(super) sent: Vec<Traffic>,
    /// By input.
    pub(super) received: Vec<Traffic>,
    /// Records that a source had read.
    pub(super) read: u64,
    /// Records that had left the job.
    pub(super) left: u64,
}

/// The checkpoints of one subtask, and what leads to the next.
#[derive(Clone, Debug)]
pub(super) struct Autonomy {
    inducer: CheckpointInducer,
    sent: Vec<Traffic>,
    received: Vec<Traffic>,
    /// Oldest first; the first is the initial state.
    held: Vec<Held>,
    /// Whether the next checkpoint waits for the thread.
    pub(super) is_due: bool,
    /// A batch that waits for the checkpoint that it has forced.
    pub(super) waiting: Option<(usize, Batch)>,
    /// How often the timer was set: only the last of them counts.
    pub(super) fired: u64,
}

impl Autonomy {
    /// Of the subtask with this index, of so many, with so many inputs and outputs.
    pub(super) fn new(
        scheme: Scheme,
        (index, of): (usize, usize),
        inputs: usize,
        outputs: usize,
    ) -> Self {
        let inducer = CheckpointInducer::new(scheme, index, of, IndependentDefectSet::NONE);
        let (sent, received) =
            (vec![Traffic::default(); outputs], vec![Traffic::default(); inputs]);
        let first = Held {
            checkpoint: None,
            is_durable: true,
            inducer: inducer.clone(),
            sent: sent.clone(),
            received: received.clone(),
            read: 0,
            left: 0,
        };
        Self { inducer, sent, received, held: vec![first], is_due: false, waiting: None, fired: 0 }
    }

    /// A batch is sent, of so many bytes without what it carries: what that is.
    pub(super) fn handle_send(&mut self, output: usize, to: usize, batch: Batch) -> Piggyback {
        self.sent[output].add(batch.records, batch.bytes);
        self.inducer.handle_send(to)
    }

    /// Whether a batch that carries this must wait for a checkpoint.
    pub(super) fn is_forced_by(&self, carried: &Piggyback) -> bool {
        match self.inducer.receipt(carried) {
            Receipt::Deliver => false,
            Receipt::CheckpointFirst | Receipt::CheckpointAfter => true,
        }
    }

    /// A batch is processed, of so many bytes without what it carried.
    pub(super) fn handle_delivery(
        &mut self,
        input: usize,
        batch: Batch,
        carried: Option<&Piggyback>,
    ) {
        self.received[input].add(batch.records, batch.bytes);
        if let Some(carried) = carried {
            self.inducer.handle_delivery(carried);
        }
    }

    /// A checkpoint is taken, with so many records read and so many that have left.
    pub(super) fn handle_checkpoint(&mut self, checkpoint: CheckpointId, read: u64, left: u64) {
        self.is_due = false;
        self.inducer.handle_checkpoint();
        self.held.push(Held {
            checkpoint: Some(checkpoint),
            is_durable: false,
            inducer: self.inducer.clone(),
            sent: self.sent.clone(),
            received: self.received.clone(),
            read,
            left,
        });
    }

    /// A checkpoint has been written. Which one is found by its number: they were numbered as they were taken, the
    /// initial state before all, and there may be a great many.
    pub(super) fn handle_durable(&mut self, checkpoint: CheckpointId) {
        let found = self.held.binary_search_by_key(&Some(checkpoint), |held| held.checkpoint);
        if let Ok(place) = found {
            self.held[place].is_durable = true;
        }
    }

    /// Goes on from the checkpoint at `place`; those behind it are no more.
    pub(super) fn restart(&mut self, place: usize) -> &Held {
        self.held.truncate(place + 1);
        let held = &self.held[place];
        self.inducer = held.inducer.clone();
        self.sent.clone_from(&held.sent);
        self.received.clone_from(&held.received);
        self.is_due = false;
        self.waiting = None;
        held
    }

    /// How many checkpoints a restart may begin with: those before the first that is not durable.
    pub(super) fn durable(&self) -> usize {
        self.held.iter().take_while(|held| held.is_durable).count()
    }

    /// The checkpoint at this place, the initial state at 0.
    pub(super) fn at(&self, place: usize) -> &Held {
        &self.held[place]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looking through all of them for each would take a minute here.
    #[test]
    fn many_checkpoints_are_found_by_their_number() {
        const MANY: u64 = 200_000;
        let mut autonomy = Autonomy::new(Scheme::Uncoordinated, (0, 2), 1, 1);
        for number in 1..=MANY {
            autonomy.handle_checkpoint(CheckpointId(number), 0, 0);
        }
        assert_eq!(autonomy.durable(), 1);
        (1..=MANY).rev().for_each(|number| autonomy.handle_durable(CheckpointId(number)));
        assert_eq!(autonomy.durable(), 200_001);
        // One that a restart has left behind is no more.
        autonomy.restart(5);
        autonomy.handle_durable(CheckpointId(MANY));
        assert_eq!(autonomy.durable(), 6);
    }
}
