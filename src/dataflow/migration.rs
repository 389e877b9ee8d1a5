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
    /// Splits that a source had and has no more, and that were not read to their ends: nobody would read on.
    #[error(
        "`{uid}` had {had} splits and takes over {has}: nobody would read on in {}; give it as many, let them end \
         before, or say that its state is dropped",
        by_place(places)
    )]
    SplitsLeftBehind {
        /// The uid of the source.
        uid: String,
        /// How many splits it had.
        had: u16,
        /// How many it takes over; none where an enumerator assigns them, whose state is not among the snapshots.
        has: u16,
        /// Which of them, by their places among those that it had, from 0.
        places: Vec<u16>,
    },
    /// A uid that is that of an operator of another kind: a source, a sink, one with a key or without.
    #[error("`{uid}` is an operator of another kind than before: give it another uid")]
    OtherKind {
        /// The uid.
        uid: String,
    },
    /// In a world all versions of a job read the same input.
    #[error(
        "`{uid}` reads other splits than before: in a world all versions of a job read the same"
    )]
    OtherSplits {
        /// The uid of the source.
        uid: String,
    },
    /// What a world does not carry over from one version of a job to another.
    #[error(
        "`{job}` has {what}: a world does not know how another version of it goes on from there"
    )]
    NotInAWorld {
        /// The job.
        job: String,
        /// What it has.
        what: &'static str,
    },
    /// State that an operator cannot take over.
    #[error("`{uid}` cannot take its state over: {reason}")]
    Refused {
        /// The uid.
        uid: String,
        /// What the new version could not make of the state.
        reason: RestoreError,
    },
}

/// Splits, as people read them.
fn by_place(places: &[u16]) -> String {
    let places: Vec<String> = places.iter().map(|place| format!("number {place}")).collect();
    places.join(", ")
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
            if let Some(old) = old {
                self.check_splits(operator, before, old, snapshots)?;
            }
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

    /// What a source had not read to its end, somebody has to read on. A split that has ended may be gone.
    fn check_splits(
        &self,
        now: OperatorId,
        before: &Job,
        old: OperatorId,
        snapshots: &[SubtaskState],
    ) -> Result<(), MigrationError> {
        let (first, had, has) =
            (before.first_split(old), before.splits_declared(old), self.splits_read(now));
        let states = before.subtasks_of(old).into_iter().map(|id| &snapshots[id.index()]);
        let unread = states.flat_map(|state| {
            let has_ended = |split: &SplitId| state.ended.contains(split);
            let held = state.reading().iter().map(|position| position.split);
            held.filter(move |split| !has_ended(split))
        });
        let mut places: Vec<u16> = unread.map(|split| split.0.saturating_sub(first)).collect();
        places.retain(|place| *place >= has);
        if places.is_empty() {
            return Ok(());
        }
        places.sort_unstable();
        let uid = before.uids().nth(old.index()).unwrap_or_default().to_owned();
        Err(MigrationError::SplitsLeftBehind { uid, had, has, places })
    }

    /// How many splits the subtasks of an operator read from the beginning.
    fn splits_read(&self, operator: OperatorId) -> u16 {
        let read = self.subtasks_of(operator).into_iter().map(|id| self.splits_of(id).len());
        u16::try_from(read.sum::<usize>()).unwrap_or(u16::MAX)
    }

    pub(super) fn operator_of_uid(&self, uid: &str) -> Option<OperatorId> {
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
        // Those that have no place here have ended.
        let renumbered = |split: SplitId| {
            let place = split.0.saturating_sub(first_before);
            SplitId(first.saturating_add(place))
        };
        let part = |subtask: SubtaskId| {
            let mut state: SubtaskState = snapshots[subtask.index()].clone();
            state.positions = state.positions.renamed(renumbered);
            for split in &mut state.ended {
                *split = renumbered(*split);
            }
            Part { subtask, state }
        };
        before.subtasks_of(old).into_iter().map(part).collect()
    }
}
