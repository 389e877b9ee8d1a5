//! A relational database with prepared transactions, after the XA specification and PostgreSQL's and MySQL's ways
//! with it.
//!
//! 1. Rows are inserted into a branch, by its id (`xid`). A branch that is not prepared is rolled back when the
//!    database crashes, or when it has been idle for too long.
//! 2. A prepared branch survives everything, unseen, until somebody commits it or rolls it back.
//! 3. What is committed is forgotten: committing it again, like committing what never was, is answered with
//!    `XAER_NOTA`. Who repeats a commit must take that for a yes; who has lost a branch gets the same answer.
//! 4. An administrator, or a database with a heuristic, may roll back what is prepared (`XA_HEURRB`). That is
//!    remembered until somebody asks for it, and told to who commits.
//! 5. `XA RECOVER` lists what is prepared.

use serde::{Deserialize, Serialize};

use super::row::Row;
use super::system::{ExternalSystem, Held, Request, SystemOutputs};
use crate::protocol::VirtualTime;
use crate::protocol::ordered::VecMap;
use crate::trace::SinkFault;
use crate::trace::Upkeep;

/// What a database is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum XaRequest {
    /// Insert these rows into a branch, which begins with them if it is not there. Answered with
    /// [`XaAnswer::Inserted`].
    Insert {
        /// The branch.
        xid: String,
        /// How many rows were inserted into it before.
        first: u64,
        /// The rows.
        rows: Vec<Row>,
    },
    /// Make the branch durable; it must hold so many rows.
    Prepare {
        /// The branch.
        xid: String,
        /// How many.
        rows: u64,
    },
    /// Make the prepared branch visible.
    Commit {
        /// The branch.
        xid: String,
    },
    /// Undo the branch.
    Rollback {
        /// The branch.
        xid: String,
    },
    /// Which branches are prepared whose ids begin so?
    Recover {
        /// The beginning.
        prefix: String,
    },
}

/// What a database answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum XaAnswer {
    /// The rows are in the branch.
    Inserted,
    /// It has been done.
    Done,
    /// There is no such branch (`XAER_NOTA`).
    Unknown,
    /// The branch lacks rows, or is prepared already (`XAER_PROTO`).
    Protocol,
    /// The branch was rolled back by somebody else (`XA_HEURRB`).
    RolledBack,
    /// These are prepared.
    Recovered(Vec<String>),
}

/// A branch that is not committed.
#[derive(Clone, Debug)]
enum Branch {
    Active(Vec<Row>),
    /// Since when.
    Prepared(Vec<Row>, VirtualTime),
    /// Rolled back by a heuristic, and nobody has been told.
    Heuristic,
}

/// The database.
#[derive(Clone, Debug, Default)]
pub struct XaDatabase {
    branches: VecMap<String, Branch>,
}

impl XaDatabase {
    /// An empty database.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What lies behind a gap is not taken, so that the branch lacks rows when it is prepared.
    fn insert(&mut self, xid: String, first: u64, rows: Vec<Row>) -> XaAnswer {
        if first > 0 && !self.branches.contains_key(&xid) {
            return XaAnswer::Unknown;
        }
        match self.branches.entry(xid).or_insert_with(|| Branch::Active(Vec::new())) {
            Branch::Active(held) if held.len() as u64 == first => {
                held.extend(rows);
                XaAnswer::Inserted
            }
            Branch::Active(_) | Branch::Prepared(..) | Branch::Heuristic => XaAnswer::Protocol,
        }
    }

    fn prepare(&mut self, xid: &str, rows: u64, now: VirtualTime) -> XaAnswer {
        match self.branches.get_mut(xid) {
            Some(branch @ Branch::Active(_)) => {
                let Branch::Active(held) = branch else { return XaAnswer::Protocol };
                if held.len() as u64 != rows {
                    return XaAnswer::Protocol;
                }
                *branch = Branch::Prepared(std::mem::take(held), now);
                XaAnswer::Done
            }
            Some(Branch::Prepared(..)) => XaAnswer::Done,
            Some(Branch::Heuristic) => XaAnswer::RolledBack,
            None => XaAnswer::Unknown,
        }
    }

    fn commit(&mut self, xid: &str, out: &mut SystemOutputs) -> XaAnswer {
        match self.branches.get(xid) {
            None => return XaAnswer::Unknown,
            Some(Branch::Active(_)) => return XaAnswer::Protocol,
            Some(Branch::Heuristic) => return XaAnswer::RolledBack,
            Some(Branch::Prepared(..)) => {}
        }
        if let Some(Branch::Prepared(rows, _)) = self.branches.remove(xid) {
            out.show(rows);
        }
        XaAnswer::Done
    }

    fn rollback(&mut self, xid: &str) -> XaAnswer {
        match self.branches.remove(xid) {
            None => XaAnswer::Unknown,
            Some(Branch::Active(_) | Branch::Prepared(..) | Branch::Heuristic) => XaAnswer::Done,
        }
    }

    fn recover(&self, prefix: &str) -> XaAnswer {
        let is_its = |(xid, branch): &(&String, &Branch)| {
            xid.starts_with(prefix) && matches!(branch, Branch::Prepared(..))
        };
        let prepared = self.branches.iter().filter(is_its);
        XaAnswer::Recovered(prepared.map(|(xid, _)| xid.clone()).collect())
    }

    fn roll_back_active(&mut self) {
        self.branches.retain(|_, branch| !matches!(branch, Branch::Active(_)));
    }

    fn roll_back_prepared(&mut self, out: &mut SystemOutputs) {
        for branch in self.branches.values_mut() {
            if let Branch::Prepared(rows, _) = branch {
                out.expire(std::mem::take(rows));
                *branch = Branch::Heuristic;
            }
        }
    }
}

impl ExternalSystem for XaDatabase {
    fn name(&self) -> &'static str {
        "xa-database"
    }

    fn handle_request(&mut self, request: Request<'_>, out: &mut SystemOutputs) {
        let answer = match request.decode::<XaRequest>() {
            Err(error) => {
                return out.refuse(request.caller, format!("no request of a database: {error}"));
            }
            Ok(XaRequest::Insert { xid, first, rows }) => self.insert(xid, first, rows),
            Ok(XaRequest::Prepare { xid, rows }) => self.prepare(&xid, rows, out.now()),
            Ok(XaRequest::Commit { xid }) => self.commit(&xid, out),
            Ok(XaRequest::Rollback { xid }) => self.rollback(&xid),
            Ok(XaRequest::Recover { prefix }) => self.recover(&prefix),
        };
        out.answer(request.caller, &answer);
    }

    fn handle_timer(&mut self, _: u64, _: &mut SystemOutputs) {}

    fn handle_fault(&mut self, fault: Option<SinkFault>, out: &mut SystemOutputs) {
        match fault {
            Some(SinkFault::TransactionTimeout) => self.roll_back_active(),
            Some(SinkFault::ExpiredTransaction) => self.roll_back_prepared(out),
            // It knows no producers, and one row does not wait for another; answers are its host's.
            None
            | Some(
                SinkFault::FencedProducer
                | SinkFault::DelayedCommit { .. }
                | SinkFault::HangingTransaction
                | SinkFault::RefusedCommit
                | SinkFault::UnansweredCommit
                | SinkFault::ForeignCommit,
            ) => {}
        }
    }

    fn restart(&mut self, _: &mut SystemOutputs) {
        self.roll_back_active();
    }

    /// A branch that is not prepared goes with its connection.
    fn held(&self) -> Vec<Held> {
        let held = |(xid, branch): (&String, &Branch)| match branch {
            Branch::Prepared(rows, since) => Some(Held {
                name: xid.clone(),
                since: *since,
                upkeep: Upkeep::Client,
                rows: rows.clone(),
            }),
            Branch::Active(_) | Branch::Heuristic => None,
        };
        self.branches.iter().filter_map(held).collect()
    }

    fn boxed_clone(&self) -> Box<dyn ExternalSystem> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests;
