//! A table of files with atomic snapshots and optimistic commits, after Apache Iceberg and Delta Lake.
//!
//! 1. Files are written under a name, durable and unseen; a file that is written again under its name is replaced,
//!    as in any object store.
//! 2. A snapshot is committed on top of the one that its writer has read (compare-and-set of the version). If
//!    somebody else was faster it is refused as a *conflict*, and the writer has to read again.
//! 3. A commit is applied, or it is not; the answer may be lost (Iceberg's `CommitStateUnknownException`, Delta's
//!    ambiguous `putIfAbsent`). Asking whether it was applied says nothing about one that is still under way.
//! 4. A snapshot carries properties. A writer that notes there whose commit it is and of which checkpoint can ask
//!    later (Iceberg's `flink.max-committed-checkpoint-id`, Delta's `txn` action, Paimon's commit user). The answer
//!    covers the snapshots that are kept: what is older has expired.
//! 5. Readers see the files of all snapshots, each as often as it was added. A file that no snapshot lists stays until
//!    whoever maintains the table removes it.

use serde::{Deserialize, Serialize};

use super::row::Row;
use super::system::{ExternalSystem, Held, Request, SystemOutputs};
use crate::protocol::VirtualTime;
use crate::protocol::ordered::VecMap;
use crate::trace::SinkFault;
use crate::trace::Upkeep;

/// How many snapshots a table keeps: their properties can be read, and no others.
const SNAPSHOTS_KEPT: usize = 64;

/// Who committed, and up to which checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CommitMark {
    /// The writer's own name.
    pub committer: String,
    /// The checkpoint.
    pub checkpoint: u64,
}

/// What a table is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TableRequest {
    /// Make these rows a file; answered with [`TableAnswer::Stored`].
    Store {
        /// Its name.
        file: String,
        /// Its content.
        rows: Vec<Row>,
    },
    /// What is there? Answered with [`TableAnswer::Read`].
    Read,
    /// Add these files, on top of this version.
    Commit {
        /// What the writer has read.
        version: u64,
        /// Names of files.
        files: Vec<String>,
        /// Whose commit it is.
        mark: CommitMark,
    },
}

/// What a table answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TableAnswer {
    /// The file is durable.
    Stored,
    /// The newest version, and the marks of the snapshots that are kept.
    Read {
        /// The version.
        version: u64,
        /// The marks, oldest first.
        marks: Vec<CommitMark>,
    },
    /// The files are in the table.
    Committed,
    /// Another version is there.
    Conflict,
    /// There is no such file.
    NoSuchFile(String),
}

/// A file.
#[derive(Clone, Debug)]
struct File {
    rows: Vec<Row>,
    since: VirtualTime,
    /// Whether a snapshot has it.
    is_listed: bool,
}

/// The table.
#[derive(Clone, Debug, Default)]
pub struct SnapshotTable {
    files: VecMap<String, File>,
    version: u64,
    /// Of the snapshots that are kept, oldest first; foreign ones have none.
    marks: Vec<Option<CommitMark>>,
}

impl SnapshotTable {
    /// An empty table.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn commit(
        &mut self,
        version: u64,
        files: &[String],
        mark: CommitMark,
        out: &mut SystemOutputs,
    ) -> TableAnswer {
        if version != self.version {
            return TableAnswer::Conflict;
        }
        if let Some(missing) = files.iter().find(|file| !self.files.contains_key(*file)) {
            return TableAnswer::NoSuchFile(missing.clone());
        }
        let mut rows = Vec::new();
        for name in files {
            let Some(file) = self.files.get_mut(name) else { continue };
            file.is_listed = true;
            rows.extend(file.rows.iter().cloned());
        }
        out.show(rows);
        self.add_snapshot(Some(mark));
        TableAnswer::Committed
    }

    fn add_snapshot(&mut self, mark: Option<CommitMark>) {
        self.version += 1;
        self.marks.push(mark);
        if self.marks.len() > SNAPSHOTS_KEPT {
            self.marks.remove(0);
        }
    }
}

impl ExternalSystem for SnapshotTable {
    fn name(&self) -> &'static str {
        "snapshot-table"
    }

    fn handle_request(&mut self, request: Request<'_>, out: &mut SystemOutputs) {
        let answer = match request.decode::<TableRequest>() {
            Err(error) => {
                return out.refuse(request.caller, format!("no request of a table: {error}"));
            }
            Ok(TableRequest::Store { file, rows }) => {
                let is_listed = self.files.get(&file).is_some_and(|file| file.is_listed);
                self.files.insert(file, File { rows, since: out.now(), is_listed });
                TableAnswer::Stored
            }
            Ok(TableRequest::Read) => TableAnswer::Read {
                version: self.version,
                marks: self.marks.iter().flatten().cloned().collect(),
            },
            Ok(TableRequest::Commit { version, files, mark }) => {
                self.commit(version, &files, mark, out)
            }
        };
        out.answer(request.caller, &answer);
    }

    fn handle_timer(&mut self, _: u64, _: &mut SystemOutputs) {}

    fn handle_fault(&mut self, fault: Option<SinkFault>, _: &mut SystemOutputs) {
        match fault {
            Some(SinkFault::ForeignCommit) => self.add_snapshot(None),
            // It has neither producers nor open transactions; answers are its host's.
            None
            | Some(
                SinkFault::TransactionTimeout
                | SinkFault::FencedProducer
                | SinkFault::DelayedCommit { .. }
                | SinkFault::HangingTransaction
                | SinkFault::RefusedCommit
                | SinkFault::ExpiredTransaction
                | SinkFault::UnansweredCommit,
            ) => {}
        }
    }

    /// Everything is durable.
    fn restart(&mut self, _: &mut SystemOutputs) {}

    /// Files that no snapshot lists are in nobody's way; `remove_orphan_files` of the one who maintains the table
    /// finds them.
    fn held(&self) -> Vec<Held> {
        let orphans = self.files.iter().filter(|(_, file)| !file.is_listed);
        orphans
            .map(|(name, file)| Held {
                name: name.clone(),
                since: file.since,
                upkeep: Upkeep::Maintenance,
                rows: file.rows.clone(),
            })
            .collect()
    }

    fn boxed_clone(&self) -> Box<dyn ExternalSystem> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests;
