//! State on its way into another version of the job: found by the uids of operators.
//!
//! After Flink's `StateAssignmentOperation` and `allowNonRestoredState`. An operator that the old job did not
//! have starts anew. State that nobody takes over is refused, unless it is said to be dropped: the mistake
//! that costs most is a changed identity, by which state is lost in silence (FLINK-13973).

use thiserror::Error;

use super::job::Job;
use super::rescale::Part;
use super::subtask_state::{RestoreError, SubtaskState};
use crate::protocol::{DefectSet, OperatorId, SplitId, SubtaskId};

/// Why a job cannot start from the snapshots of another.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MigrationError {
    /// Another number of snapshots than the other job has subtasks.
    #[error("there are {found} snapshots of a job of {expected} subtasks")]
    OtherSubtasks {
        /// How many snapshots there are.
        found: usize,
        /// How many subtasks took them.
        expected: usize,
    },
    /// State that nobody takes over.
    #[error(
        "nobody takes over the state of `{uid}`: give its uid to the operator that does, or say that it is dropped"
    )]
    LeftBehind {
        /// The uid of the operator that had it.
        uid: String,
    },
    /// A dropped uid that the other job does not have.
    #[error("the state of `{uid}` is to be dropped, and no operator of the other job has that uid")]
    NothingToDrop {
        /// The uid.
        uid: String,
    },
    /// State that an operator cannot take over.
    #[error("`{uid}` cannot take its state over: {reason}")]
    Refused {
        /// The uid.
        uid: String,
        /// Why not.
        reason: RestoreError,
    },
}

impl Job {
    /// What each subtask of this job starts from when it goes on from the snapshots of `before`, one of each
    /// of its subtasks, in order; none where it starts anew. The state of the operators in `dropped`, by their
    /// uids, is left behind.
    ///
    /// Nothing must be in flight in the snapshots: they are of an aligned savepoint that the job stopped at.
    ///
    /// # Errors
    ///
    /// See [`MigrationError`].
    pub fn starts_from(
        &self,
        before: &Job,
        snapshots: &[SubtaskState],
        dropped: &[&str],
    ) -> Result<Vec<Option<SubtaskState>>, MigrationError> {
        let (found, expected) = (snapshots.len(), before.topology().subtasks.len());
        if found != expected {
            return Err(MigrationError::OtherSubtasks { found, expected });
        }
        self.check_nothing_left(before, snapshots, dropped)?;
        let mut starts = Vec::new();
        for (operator, uid) in (0..).map(OperatorId).zip(self.uids()) {
            let old = before.operator_of_uid(uid).filter(|_| !dropped.contains(&uid));
            let parts = old.map(|old| self.parts_for(operator, before, old, snapshots));
            for subtask in self.subtasks_of(operator) {
                let start = parts.as_ref().map(|parts| {
                    let state = self.redistribute(subtask, before, parts, DefectSet::NONE);
                    state.map_err(|reason| MigrationError::Refused { uid: uid.to_owned(), reason })
                });
                starts.push(start.transpose()?);
            }
        }
        Ok(starts)
    }

    fn check_nothing_left(
        &self,
        before: &Job,
        snapshots: &[SubtaskState],
        dropped: &[&str],
    ) -> Result<(), MigrationError> {
        if let Some(uid) = dropped.iter().find(|uid| before.operator_of_uid(uid).is_none()) {
            return Err(MigrationError::NothingToDrop { uid: (*uid).to_owned() });
        }
        for (operator, uid) in (0..).map(OperatorId).zip(before.uids()) {
            let is_taken = self.operator_of_uid(uid).is_some() || dropped.contains(&uid);
            let mut states =
                before.subtasks_of(operator).into_iter().map(|id| &snapshots[id.index()]);
            if !is_taken && states.any(SubtaskState::holds_anything) {
                return Err(MigrationError::LeftBehind { uid: uid.to_owned() });
            }
        }
        Ok(())
    }

    fn operator_of_uid(&self, uid: &str) -> Option<OperatorId> {
        (0..).map(OperatorId).zip(self.uids()).find(|(_, known)| *known == uid).map(|(id, _)| id)
    }

    /// The snapshots of an operator of `before`, with its splits as they are numbered here.
    fn parts_for(
        &self,
        now: OperatorId,
        before: &Job,
        old: OperatorId,
        snapshots: &[SubtaskState],
    ) -> Vec<Part> {
        let (first, first_before) = (self.first_split(now), before.first_split(old));
        let renumbered = |split: SplitId| SplitId(first + (split.0 - first_before));
        let part = |subtask: SubtaskId| {
            let mut state: SubtaskState = snapshots[subtask.index()].clone();
            for position in &mut state.positions {
                position.split = renumbered(position.split);
            }
            for split in &mut state.ended {
                *split = renumbered(*split);
            }
            Part { subtask, state }
        };
        before.subtasks_of(old).into_iter().map(part).collect()
    }
}
