//! Follows one record, and those that it is made of, through a run: where it was last, and who had it.

use std::ops::ControlFlow;

use crate::oracle::Loss;
use crate::protocol::ordered::VecSet;
use crate::protocol::{
    Attempt, CheckpointId, LineageId, OperatorRole, SubtaskId, Topology, TransactionId,
};
use crate::trace::{Carried, Event, Place, SnapshotTaken, Stamp};
use crate::world::Observer;

/// Watches a run for a record.
#[derive(Debug)]
pub struct Follower {
    record: LineageId,
    /// With what it is made of.
    family: VecSet<LineageId>,
    topology: Topology,
    /// Where it was last; of its family, as long as it was not seen itself.
    last: Option<Sighting>,
}

/// A record at one place.
#[derive(Debug)]
struct Sighting {
    stamp: Stamp,
    record: LineageId,
    attempt: Attempt,
    /// Who had it.
    subtask: SubtaskId,
    name: String,
    /// Where it came to, as a clause: `received by out/1`.
    what: String,
    is_in_sink: bool,
    /// The transaction that it went into, with the checkpoint that holds it.
    transaction: Option<(CheckpointId, TransactionId)>,
    /// What became of that transaction, as a clause with its event.
    fate: Option<(u64, &'static str)>,
    /// The next attempt, with what it started from.
    restored: Option<(Attempt, Option<CheckpointId>)>,
}

impl Follower {
    /// Follows `record`, and as long as it is not seen itself those of its `family`.
    pub fn of(record: LineageId, family: VecSet<LineageId>) -> Self {
        Self { record, family, topology: Topology::default(), last: None }
    }

    /// What is to be told; none where nothing of it was ever seen.
    pub fn tell(self) -> Option<Loss> {
        let last = self.last?;
        let text = last.tell(self.record);
        let (checkpoint, subtask) = (last.transaction.map(|(id, _)| id), last.subtask);
        Some(Loss { record: self.record, checkpoint, subtask, name: last.name, text })
    }

    /// A move of the record, or of its family.
    fn sight(&mut self, stamp: Stamp, event: &Event, record: LineageId) {
        let is_known = self.last.as_ref().is_some_and(|last| last.record == self.record);
        let is_itself = record == self.record;
        let about = event.about();
        let is_wanted = is_itself || (!is_known && self.family.contains(&record));
        if let (true, Some(attempt)) = (is_wanted, about.attempt) {
            self.last = self.sighting(stamp, about.place, record, attempt);
        }
    }

    fn sighting(
        &self,
        stamp: Stamp,
        place: Place,
        record: LineageId,
        attempt: Attempt,
    ) -> Option<Sighting> {
        let ends = |channel: crate::protocol::ChannelId| {
            self.topology.channels.get(channel.index()).map(|ends| (ends.from, ends.to))
        };
        let (subtask, verb) = match place {
            Place::Into(channel) => (ends(channel)?.0, "sent by"),
            Place::OutOf(channel) | Place::Channel(channel) => (ends(channel)?.1, "received by"),
            Place::Within(subtask) | Place::Concerning(subtask) => (subtask, "read by"),
            Place::Elsewhere => return None,
        };
        let name = self.topology.name(subtask);
        let what = format!("{verb} {name}");
        let is_in_sink = self.role(subtask) == Some(OperatorRole::TransactionalSink);
        let (transaction, fate, restored) = (None, None, None);
        Some(Sighting {
            stamp,
            record,
            attempt,
            subtask,
            name,
            what,
            is_in_sink,
            transaction,
            fate,
            restored,
        })
    }

    fn role(&self, subtask: SubtaskId) -> Option<OperatorRole> {
        let shape = self.topology.subtasks.get(subtask.index())?;
        self.topology.operators.get(shape.operator.index()).map(|operator| operator.role)
    }
}

impl Observer for Follower {
    fn observe(&mut self, stamp: Stamp, event: &Event) -> ControlFlow<()> {
        if let Some(topology) = event.shape() {
            self.topology.clone_from(topology);
        } else if let Carried::Record(record) = event.about().carried {
            self.sight(stamp, event, record);
        } else if let Some(last) = &mut self.last {
            last.select(stamp, event);
        }
        ControlFlow::Continue(())
    }
}

impl Sighting {
    /// Selects what happens to who had the record.
    fn select(&mut self, stamp: Stamp, event: &Event) {
        match event {
            Event::SnapshotTaken(taken) => self.hold(taken),
            Event::TransactionAborted { transaction } => self.end(stamp, *transaction, "aborted"),
            Event::TransactionCommitted { transaction, .. } => {
                self.end(stamp, *transaction, "committed without it");
            }
            Event::AttemptStarted { attempt, restored, .. } if *attempt > self.attempt => {
                self.restored.get_or_insert((*attempt, *restored));
            }
            _ => {}
        }
    }

    /// The first snapshot of its sink behind it names its transaction: the newest that it holds.
    fn hold(&mut self, taken: &SnapshotTaken) {
        let is_its = (taken.subtask, taken.attempt) == (self.subtask, self.attempt);
        if is_its && self.is_in_sink && self.transaction.is_none() {
            let newest = taken.transactions.iter().max_by_key(|(_, id)| (id.attempt, id.number));
            self.transaction = newest.copied();
        }
    }

    fn end(&mut self, stamp: Stamp, transaction: TransactionId, fate: &'static str) {
        if self.transaction.is_some_and(|(_, own)| own == transaction) {
            self.fate.get_or_insert((stamp.number, fate));
        }
    }

    fn tell(&self, record: LineageId) -> String {
        let Stamp { number, at, .. } = self.stamp;
        let mut told = if self.record == record {
            format!("record {record} was last {}", self.what)
        } else {
            let from = self.record;
            format!(
                "record {record} was never made; {from}, from which it is made, was last {}",
                self.what
            )
        };
        told.push_str(&format!(" in {} (event {number} at {at})", self.attempt));
        if let Some((checkpoint, transaction)) = self.transaction {
            told.push_str(&format!("; {transaction} had it, for {checkpoint}"));
        }
        if let Some((event, fate)) = self.fate {
            told.push_str(&format!(", and was {fate} (event {event})"));
        }
        if let Some((attempt, restored)) = self.restored {
            let from = restored.map_or("the beginning".to_owned(), |it| it.to_string());
            told.push_str(&format!(
                "; then {attempt} went back to {from}, and it did not come again"
            ));
        }
        told
    }
}
