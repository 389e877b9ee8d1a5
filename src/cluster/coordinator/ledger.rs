//! The job's record in the meta store, changed one step at a time by compare-and-set.

use std::collections::VecDeque;

use super::super::message::JobRecord;
use crate::protocol::{Attempt, CheckpointId, Incarnation, Term};

/// A change of the record that must be durable before its consequences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The next term is ours.
    TakeLeadership(Incarnation),
    /// Ids up to this one may have been used.
    ReserveId(CheckpointId),
    /// This attempt begins.
    StartAttempt(Attempt),
    /// The checkpoint is completed; these stay retained.
    AddCompleted { checkpoint: CheckpointId, retained: Vec<CheckpointId> },
    /// Nothing is left to do.
    Finish,
}

impl Change {
    fn apply(&self, record: &JobRecord) -> JobRecord {
        let mut record = record.clone();
        match self {
            Change::TakeLeadership(leader) => {
                record.term = Term(record.term.0 + 1);
                record.leader = *leader;
            }
            Change::ReserveId(checkpoint) => {
                record.last_checkpoint = record.last_checkpoint.max(*checkpoint);
            }
            Change::StartAttempt(attempt) => record.attempt = *attempt,
            Change::AddCompleted { retained, .. } => record.retained.clone_from(retained),
            Change::Finish => record.finished = true,
        }
        record
    }
}

/// What an answer of the meta store means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The change is durable.
    Durable(Change),
    /// Somebody else wrote meanwhile: the change is to be written again.
    Again,
    /// A later term has begun: this coordinator has nothing to say any more.
    Deposed,
    /// Nothing was under way.
    Read,
}

/// The record as last seen, and the changes on their way; one write is under way at a time.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    version: u64,
    record: JobRecord,
    under_way: Option<(Change, JobRecord)>,
    /// Bounded by what the coordinator can want at once: a reservation, an attempt, a completion.
    waiting: VecDeque<Change>,
}

impl Ledger {
    pub fn record(&self) -> &JobRecord {
        &self.record
    }

    /// Queues a change.
    pub fn push(&mut self, change: Change) {
        self.waiting.push_back(change);
    }

    /// The write to send next: the version it expects, and the whole record.
    pub fn next_write(&mut self) -> Option<(u64, JobRecord)> {
        if self.under_way.is_some() {
            return None;
        }
        let change = self.waiting.pop_front()?;
        let wanted = change.apply(&self.record);
        self.under_way = Some((change, wanted.clone()));
        Some((self.version, wanted))
    }

    /// An answer arrived. A refused write whose content is there all the same was ours: its answer
    /// was lost (the record names its leader, so nobody else can have written it).
    pub fn handle_answer(&mut self, written: bool, version: u64, record: JobRecord) -> Answer {
        let ours = self.record.term;
        let answer = match self.under_way.take() {
            None => Answer::Read,
            Some((change, wanted)) if written || record == wanted => Answer::Durable(change),
            Some((Change::TakeLeadership(leader), _)) => self.again(Change::TakeLeadership(leader)),
            Some(_) if record.term != ours => Answer::Deposed,
            Some((change, _)) => self.again(change),
        };
        self.version = version;
        self.record = record;
        answer
    }

    fn again(&mut self, change: Change) -> Answer {
        self.waiting.push_front(change);
        Answer::Again
    }
}
