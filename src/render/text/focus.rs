//! What a diagram is about.

use super::Highlight;
use super::journey;
use crate::protocol::ordered::VecSet;
use crate::protocol::{CheckpointId, LineageId, SubtaskId, TransactionId};
use crate::trace::{Carried, Event, Stamp};

/// The checkpoint, the attempt and the record that a diagram tells in full.
#[derive(Clone, Debug, Default)]
pub struct Focus {
    /// The event that stands out, and why.
    pub highlight: Option<Highlight>,
    /// The checkpoint.
    pub checkpoint: Option<CheckpointId>,
    /// The record, and those that it was made of.
    pub records: VecSet<LineageId>,
    /// The transactions that the checkpoint commits.
    pub transactions: VecSet<TransactionId>,
    /// The number of the event that triggered the checkpoint.
    pub since: u64,
}

impl Focus {
    /// What a trace is about, given what stands out.
    pub fn of(trace: &[(Stamp, Event)], highlight: Option<&Highlight>) -> Self {
        let end = highlight.map_or(u64::MAX, |highlight| highlight.event);
        let mut focus = Self { highlight: highlight.cloned(), ..Self::default() };
        let named = highlight.and_then(|highlight| highlight.checkpoint);
        for (stamp, event) in trace.iter().take_while(|(stamp, _)| stamp.number <= end) {
            let Event::Triggered { checkpoint, .. } = event else { continue };
            if named.is_none_or(|named| named == *checkpoint) {
                (focus.checkpoint, focus.since) = (Some(*checkpoint), stamp.number);
            }
        }
        focus.checkpoint = named.or(focus.checkpoint);
        focus.transactions = transactions(trace, focus.checkpoint);
        if let Some(record) = highlight.and_then(|highlight| highlight.record) {
            focus.records = journey::ancestors(trace, record);
        }
        focus
    }

    /// The event that stands out.
    pub fn event(&self) -> Option<u64> {
        self.highlight.as_ref().map(|highlight| highlight.event)
    }

    /// Whether an event is about the subtask or the channel that stands out.
    pub fn concerns(&self, event: &Event) -> bool {
        let Some(highlight) = &self.highlight else { return false };
        let is_subtask = |subtask: SubtaskId| event.subtask() == Some(subtask);
        highlight.subtask.is_some_and(is_subtask)
            || highlight.channel.is_some_and(|channel| event.channel() == Some(channel))
    }

    /// Whether an event is a snapshot for the checkpoint.
    pub fn is_cut_at(&self, event: &Event) -> bool {
        let Event::SnapshotTaken(taken) = event else { return false };
        self.checkpoint == Some(taken.checkpoint)
    }

    /// Whether an event carries the record that stands out.
    pub fn carries(&self, event: &Event) -> bool {
        match event.about().carried {
            Carried::Nothing => false,
            Carried::Record(lineage) => self.records.contains(&lineage),
            Carried::Output(records) => {
                records.iter().any(|record| self.records.contains(&record.lineage))
            }
        }
    }
}

/// What the snapshots of a checkpoint list as pre-committed for it.
fn transactions(
    trace: &[(Stamp, Event)],
    checkpoint: Option<CheckpointId>,
) -> VecSet<TransactionId> {
    let mut found = VecSet::new();
    for (_, event) in trace {
        if let Event::SnapshotTaken(taken) = event {
            let listed = taken.transactions.iter().filter(|(by, _)| Some(*by) == checkpoint);
            found.extend(listed.map(|(_, transaction)| *transaction));
        }
    }
    found
}
