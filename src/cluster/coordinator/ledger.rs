//! The job's record in the meta store, changed one step at a time by compare-and-set.

use std::collections::VecDeque;

use super::super::message::JobRecord;
use crate::protocol::{
    Addition, Attempt, CheckpointId, Incarnation, RequestNumber, Resumption, Term,
};

/// A change of the record that must be durable before its consequences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The next term is ours.
    TakeLeadership(Incarnation),
    /// Ids up to this one may have been used.
    ReserveId(CheckpointId),
    /// This attempt begins.
    StartAttempt(Attempt),
    /// The checkpoint is completed: what is retained, or who owns it.
    Add { checkpoint: CheckpointId, addition: Addition },
    /// The job is started again from the savepoint that it is stopped at.
    Resume { number: RequestNumber, resumption: Resumption },
    /// The next attempt has this parallelism.
    Rescale(u16),
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
            Change::StartAttempt(attempt) => {
                record.attempt = *attempt;
                if record.revision != record.shapes.newest() {
                    record.shapes.push(*attempt, record.revision);
                }
            }
            Change::Rescale(parallelism) => {
                record.revision = record.revision.resized(*parallelism);
            }
            Change::Add { checkpoint, addition } => match addition {
                Addition::Retain(retained) => record.retained.clone_from(retained),
                Addition::Savepoint(request) => record.savepoints.add(*checkpoint, *request),
            },
            // A second request may have been written behind the first: by then the job is started, in the shape
            // that the first one wanted, and its coordinator has taken that.
            Change::Resume { number, resumption } => {
                if record.savepoints.resume(*number) {
                    record.revision = resumption.of(record.revision);
                }
            }
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
    ///
    /// `life` is which life of the coordinator asks. An older one never takes the reign back: its
    /// successor would not ask for it again. And once deposed, it writes nothing of what it still
    /// wanted: on top of its successor's record that would be accepted.
    pub fn handle_answer(
        &mut self,
        life: Incarnation,
        written: bool,
        version: u64,
        record: JobRecord,
    ) -> Answer {
        let answer = self.judge_answer(life, written, &record);
        if answer == Answer::Deposed {
            self.waiting.clear();
        }
        self.version = version;
        self.record = record;
        answer
    }

    fn judge_answer(&mut self, life: Incarnation, written: bool, record: &JobRecord) -> Answer {
        let ours = self.record.term;
        match self.under_way.take() {
            None if record.leader > life => Answer::Deposed,
            None => Answer::Read,
            Some((change, wanted)) if written || *record == wanted => Answer::Durable(change),
            Some((Change::TakeLeadership(leader), _)) if record.leader > leader => Answer::Deposed,
            Some((Change::TakeLeadership(leader), _)) => self.again(Change::TakeLeadership(leader)),
            Some(_) if record.term != ours => Answer::Deposed,
            Some((change, _)) => self.again(change),
        }
    }

    fn again(&mut self, change: Change) -> Answer {
        self.waiting.push_front(change);
        Answer::Again
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Revision;

    fn record(term: u32, leader: u32) -> JobRecord {
        JobRecord { term: Term(term), leader: Incarnation(leader), ..JobRecord::default() }
    }

    /// A ledger of this life that reigns under term 1.
    fn reigning(life: Incarnation) -> Ledger {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.handle_answer(life, false, 0, JobRecord::default()), Answer::Read);
        ledger.push(Change::TakeLeadership(life));
        let (_, wanted) = ledger.next_write().expect("a change waits");
        let answer = ledger.handle_answer(life, true, 1, wanted);
        assert_eq!(answer, Answer::Durable(Change::TakeLeadership(life)));
        ledger
    }

    #[test]
    fn a_deposed_coordinator_writes_nothing_on_top_of_its_successor() {
        let life = Incarnation(0);
        let mut ledger = reigning(life);
        ledger.push(Change::ReserveId(CheckpointId(1)));
        ledger.push(Change::StartAttempt(Attempt(2)));
        assert!(ledger.next_write().is_some());
        assert_eq!(ledger.handle_answer(life, false, 5, record(2, 1)), Answer::Deposed);
        assert_eq!(ledger.next_write(), None, "what it still wanted is forgotten");
    }

    #[test]
    fn a_job_is_resumed_once_in_the_shape_that_was_asked_for_first() {
        let stopped = Some(CheckpointId(3));
        let mut record = JobRecord::default();
        record.savepoints.stopped = stopped;
        let resume = |number, parallelism| Change::Resume {
            number: RequestNumber(number),
            resumption: Resumption { version: None, parallelism: Some(parallelism) },
        };
        let record = resume(2, 3).apply(&resume(1, 1).apply(&record));
        assert_eq!(record.revision, Revision::at(1));
        assert_eq!((record.savepoints.stopped, record.savepoints.origin), (None, stopped));
        assert_eq!(record.savepoints.requests, [RequestNumber(1), RequestNumber(2)]);
    }

    #[test]
    fn an_older_life_never_takes_the_reign_back() {
        let old = Incarnation(0);
        let mut ledger = Ledger::default();
        ledger.push(Change::TakeLeadership(old));
        assert!(ledger.next_write().is_some());
        assert_eq!(ledger.handle_answer(old, false, 4, record(1, 1)), Answer::Deposed);
        let late = Ledger::default().handle_answer(old, false, 4, record(1, 1));
        assert_eq!(late, Answer::Deposed, "not even when it reads the record for the first time");
    }

    #[test]
    fn a_newer_life_takes_the_reign_from_an_older_one() {
        let new = Incarnation(1);
        let mut ledger = Ledger::default();
        ledger.push(Change::TakeLeadership(new));
        assert!(ledger.next_write().is_some());
        assert_eq!(ledger.handle_answer(new, false, 4, record(1, 0)), Answer::Again);
        assert_eq!(ledger.next_write(), Some((4, record(2, 1))));
    }
}
