//! Exactly once into a table with atomic snapshots: writers that store files, and one committer for all of them,
//! after Iceberg's `IcebergStreamWriter` and `IcebergFilesCommitter` and Flink's `GlobalCommitterOperator`.
//!
//! A writer stores one file a checkpoint, under a name that is its own for ever, and sends the name ahead of the
//! barrier. The committer promises at its cut all names that have come since the one before, and commits them one
//! checkpoint after the other. Before each commit it reads what is there: a snapshot that bears its mark, of this
//! checkpoint or a later one, says that an earlier attempt, or a request whose answer was lost, has committed it.
//! Nothing is committed on top of anything but what was read, so a request that is still under way loses against
//! the one that replaces it, or the other way round.

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::AGAIN;
use super::seat::Seat;
use crate::dataflow::{
    Batch, CheckpointOutcome, CommittableId, CommittingSink, Data, NoAnswer, Opening, RowMaker,
    SinkOutputs, StagingWriter,
};
use crate::external::Row;
use crate::external::table::{CommitMark, TableAnswer, TableRequest};
use crate::protocol::{Attempt, CheckpointId, Defect, OperatorId};

/// How long the committer waits for the answer to a commit before it takes the outcome for unknown.
const COMMIT_TIMEOUT: Duration = Duration::from_millis(100);

/// A file that was stored, or is being stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagedFile {
    /// Its name.
    pub file: String,
    /// Whether its writer had got the end of all input.
    pub is_last: bool,
}

/// Stores the records of a subtask as files of a [`SnapshotTable`](crate::external::table::SnapshotTable).
#[derive(Debug)]
pub struct TableWriter<T> {
    seat: Seat,
    /// How many files were stored.
    files: u64,
    rows: Vec<Row>,
    /// Files that are not known to be stored.
    storing: Vec<String>,
    /// Checkpoints that wait for them.
    flushing: Vec<CheckpointId>,
    _records: PhantomData<fn(T)>,
}

impl<T> TableWriter<T> {
    /// A writer that has stored nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            seat: Seat::none(),
            files: 0,
            rows: Vec::new(),
            storing: Vec::new(),
            flushing: Vec::new(),
            _records: PhantomData,
        }
    }

    fn prepare_if_stored(&mut self, out: &mut SinkOutputs<'_, String>) {
        if self.storing.is_empty() {
            self.flushing.drain(..).for_each(|checkpoint| out.prepared(checkpoint));
        }
    }
}

impl<T> Default for TableWriter<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for TableWriter<T> {
    fn clone(&self) -> Self {
        Self {
            rows: self.rows.clone(),
            storing: self.storing.clone(),
            flushing: self.flushing.clone(),
            ..*self
        }
    }
}

impl<T: Data> StagingWriter for TableWriter<T> {
    type In = T;
    type Staged = StagedFile;
    type State = ();
    type Token = String;
    type Answer = TableAnswer;

    fn open(&mut self, opening: Opening<(), ()>, out: &mut SinkOutputs<'_, String>) {
        self.seat = Seat::of(&opening);
        out.opened();
    }

    fn write(&mut self, record: T, row: RowMaker, _: &mut SinkOutputs<'_, String>) {
        self.rows.push(row.of(&record));
    }

    fn stage(
        &mut self,
        checkpoint: Option<CheckpointId>,
        out: &mut SinkOutputs<'_, String>,
    ) -> Vec<StagedFile> {
        if self.rows.is_empty() {
            return Vec::new();
        }
        if !out.has(Defect::StagedFileOverwritten) {
            self.files += 1;
        }
        let Seat { operator: OperatorId(operator), index, attempt: Attempt(attempt), .. } =
            self.seat;
        let file = format!("{operator}-{index}-{attempt}-{}", self.files);
        let rows = std::mem::take(&mut self.rows);
        self.storing.push(file.clone());
        out.ask_in_order(file.clone(), &TableRequest::Store { file: file.clone(), rows });
        let is_last = checkpoint.is_none();
        vec![StagedFile { file, is_last }]
    }

    fn flush(&mut self, checkpoint: CheckpointId, out: &mut SinkOutputs<'_, String>) {
        self.flushing.push(checkpoint);
        self.prepare_if_stored(out);
    }

    fn freeze(&self) -> Vec<()> {
        Vec::new()
    }

    fn handle_answer(
        &mut self,
        file: String,
        answer: Result<TableAnswer, NoAnswer>,
        out: &mut SinkOutputs<'_, String>,
    ) {
        match answer {
            Ok(TableAnswer::Stored) => {
                if let Some(place) = self.storing.iter().position(|storing| *storing == file) {
                    self.storing.remove(place);
                }
                self.prepare_if_stored(out);
            }
            other => out.fail(format!("{file} was not stored: {other:?}")),
        }
    }

    /// It sets none: what comes in order is answered.
    fn handle_timer(&mut self, _: String, _: &mut SinkOutputs<'_, String>) {}
}

/// Files to be committed together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    files: Vec<String>,
}

/// A commit that is to be made.
#[derive(Clone, Debug)]
struct Due {
    part: CommittableId,
    checkpoint: CheckpointId,
    manifest: Manifest,
}

/// What the committer has asked for last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitStep {
    /// To know what is there.
    Read,
    /// To commit on top of it.
    Commit,
}

/// Commits what the writers of all subtasks have stored, a snapshot a checkpoint.
#[derive(Clone, Debug, Default)]
pub struct TableCommitter {
    name: String,
    /// Names that have come since the last cut.
    staged: Vec<String>,
    /// Oldest first; the first is being committed.
    due: VecDeque<Due>,
    is_busy: bool,
}

impl TableCommitter {
    /// A committer that is known to the table by this name, which it must keep for ever.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    fn go_on(&mut self, out: &mut SinkOutputs<'_, CommitStep>) {
        if !self.is_busy && !self.due.is_empty() {
            self.is_busy = true;
            out.ask(CommitStep::Read, &TableRequest::Read);
        }
    }

    fn finish(&mut self, out: &mut SinkOutputs<'_, CommitStep>) {
        self.is_busy = false;
        if let Some(Due { part, .. }) = self.due.pop_front() {
            out.committed(part);
        }
        self.go_on(out);
    }

    fn read_again(&mut self, out: &mut SinkOutputs<'_, CommitStep>) {
        self.is_busy = false;
        self.go_on(out);
    }

    fn handle_read(
        &mut self,
        version: u64,
        marks: &[CommitMark],
        out: &mut SinkOutputs<'_, CommitStep>,
    ) {
        let Some(due) = self.due.front() else { return };
        let own = marks.iter().filter(|mark| mark.committer == self.name);
        let newest = own.map(|mark| mark.checkpoint).max();
        let is_committed = newest.is_some_and(|newest| newest >= due.checkpoint.0);
        if is_committed && !out.has(Defect::CommitRepeatedUnasked) {
            return self.finish(out);
        }
        let mark = CommitMark { committer: self.name.clone(), checkpoint: due.checkpoint.0 };
        let files = due.manifest.files.clone();
        let commit = TableRequest::Commit { version, files, mark };
        out.ask_once(CommitStep::Commit, &commit, COMMIT_TIMEOUT);
    }
}

impl CommittingSink for TableCommitter {
    type In = StagedFile;
    type Committable = Manifest;
    type State = String;
    type Token = CommitStep;
    type Answer = TableAnswer;

    fn open(&mut self, opening: Opening<String, Manifest>, out: &mut SinkOutputs<'_, CommitStep>) {
        self.staged = opening.states;
        if out.has(Defect::CommitterIdentityLost) {
            self.name = format!("{}-{}", self.name, opening.attempt.0);
        }
        out.opened();
    }

    fn write(&mut self, staged: StagedFile, _: RowMaker, out: &mut SinkOutputs<'_, CommitStep>) {
        if staged.is_last && out.has(Defect::LastFilesForgotten) {
            return;
        }
        self.staged.push(staged.file);
    }

    fn pre_commit(
        &mut self,
        checkpoint: CheckpointId,
        out: &mut SinkOutputs<'_, CommitStep>,
    ) -> Vec<Manifest> {
        out.prepared(checkpoint);
        let files = std::mem::take(&mut self.staged);
        if files.is_empty() { Vec::new() } else { vec![Manifest { files }] }
    }

    fn freeze(&self) -> Vec<String> {
        self.staged.clone()
    }

    fn commit(&mut self, batch: Batch<Manifest>, out: &mut SinkOutputs<'_, CommitStep>) {
        let checkpoint = batch.checkpoint;
        for (part, manifest) in batch.parts {
            self.due.push_back(Due { part, checkpoint, manifest });
        }
        self.go_on(out);
    }

    fn handle_answer(
        &mut self,
        step: CommitStep,
        answer: Result<TableAnswer, NoAnswer>,
        out: &mut SinkOutputs<'_, CommitStep>,
    ) {
        match (step, answer) {
            (CommitStep::Read, Ok(TableAnswer::Read { version, marks })) => {
                self.handle_read(version, &marks, out);
            }
            (CommitStep::Commit, Ok(TableAnswer::Committed)) => self.finish(out),
            (CommitStep::Commit, Ok(TableAnswer::Conflict))
                if out.has(Defect::ConflictTakenForSuccess) =>
            {
                self.finish(out);
            }
            (CommitStep::Commit, Ok(TableAnswer::Conflict) | Err(NoAnswer::Unknown)) => {
                self.read_again(out);
            }
            (_, Err(NoAnswer::Unavailable | NoAnswer::Unknown)) => {
                out.wake(AGAIN, CommitStep::Read);
            }
            (step, Ok(answer)) => out.fail(format!("the table answers {step:?} with {answer:?}")),
        }
    }

    fn handle_timer(&mut self, _: CommitStep, out: &mut SinkOutputs<'_, CommitStep>) {
        self.read_again(out);
    }

    fn handle_outcome(
        &mut self,
        _: CheckpointId,
        _: CheckpointOutcome,
        _: &mut SinkOutputs<'_, CommitStep>,
    ) {
    }

    fn is_settled(&self) -> bool {
        self.staged.is_empty()
    }
}
