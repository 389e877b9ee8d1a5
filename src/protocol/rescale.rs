//! In which shape each attempt ran, and who goes by which name in which.
//!
//! A rescale renumbers subtasks, so that a name in an older attempt may belong to another operator now.
//! What outlives attempts, transactions at the sink target, is told by name and attempt.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use super::ids::{Attempt, CheckpointId, SubtaskId};

/// Somebody asks for the job to go on with another number of subtasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RescaleRequest {
    /// How many subtasks each operator is to have that may have several.
    pub parallelism: u16,
    /// Whether a checkpoint that is triggered after the request must complete first; without one the job
    /// goes back to the newest there is.
    #[serde(default)]
    pub checkpoint_first: bool,
}

/// Which version of a job runs, and with how many subtasks. The first version as it was declared is the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// Versions are numbered from 0, in the order in which they were declared.
    pub version: u16,
    /// How many subtasks each operator has that may have several; none where as declared.
    pub parallelism: Option<u16>,
}

impl Revision {
    /// The first version, with so many subtasks.
    #[must_use]
    pub fn at(parallelism: u16) -> Self {
        Self { version: 0, parallelism: Some(parallelism) }
    }

    /// The same version with so many subtasks.
    #[must_use]
    pub fn resized(self, parallelism: u16) -> Self {
        Self { parallelism: Some(parallelism), ..self }
    }
}

/// As what a stopped job is to go on, as far as it is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumption {
    /// As which version; none said: as the one that was stopped.
    pub version: Option<u16>,
    /// With how many subtasks; none said: as before, or as another version was declared.
    pub parallelism: Option<u16>,
}

impl Resumption {
    /// What a job that ran as `before` goes on as.
    #[must_use]
    pub fn of(self, before: Revision) -> Revision {
        let Self { version, parallelism } = self;
        match version {
            Some(version) => Revision { version, parallelism },
            None => Revision { parallelism: parallelism.or(before.parallelism), ..before },
        }
    }
}

/// Which attempts ran in which revision. Before the first entry the job ran as it was declared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ShapeHistory {
    /// The first attempt of each stretch, and its revision; attempts strictly increase.
    changes: Vec<(Attempt, Revision)>,
}

/// A stretch of attempts in one shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The first attempt.
    pub from: Attempt,
    /// The first attempt that is not of it any more.
    pub until: Attempt,
    /// What the job ran as.
    pub revision: Revision,
}

/// A name that a sink subtask's transactions bear which were opened in these attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FormerName {
    /// The name.
    pub sink: SubtaskId,
    /// From this attempt on.
    pub from: Attempt,
    /// Up to this one, which is not of it any more.
    pub until: Attempt,
}

impl FormerName {
    /// Whether a transaction that `sink` opened in `attempt` goes by this name.
    #[must_use]
    pub fn covers(&self, sink: SubtaskId, attempt: Attempt) -> bool {
        self.sink == sink && self.from <= attempt && attempt < self.until
    }
}

impl ShapeHistory {
    /// Whether the job has always run as it was declared.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// From `attempt` on the job runs as `revision`.
    pub fn push(&mut self, attempt: Attempt, revision: Revision) {
        let last = self.changes.last().copied();
        assert!(last.is_none_or(|(last, _)| last < attempt), "{attempt} starts after {last:?}");
        self.changes.push((attempt, revision));
    }

    /// As what `attempt` ran.
    #[must_use]
    pub fn revision_in(&self, attempt: Attempt) -> Revision {
        let earlier = self.changes.iter().rev().find(|(first, _)| *first <= attempt);
        earlier.map(|(_, revision)| *revision).unwrap_or_default()
    }

    /// The newest revision.
    #[must_use]
    pub fn newest(&self) -> Revision {
        self.changes.last().map(|(_, revision)| *revision).unwrap_or_default()
    }

    /// All stretches, oldest first; the last one has no end yet.
    #[must_use]
    pub fn stretches(&self) -> Vec<Stretch> {
        let first = (Attempt::default(), Revision::default());
        let changes = self.changes.iter().copied();
        let begins: Vec<_> = core::iter::once(first).chain(changes).collect();
        let ends = begins.iter().skip(1).map(|(attempt, _)| *attempt).chain([Attempt(u32::MAX)]);
        let stretch = |((from, revision), until)| Stretch { from, until, revision };
        begins.iter().copied().zip(ends).map(stretch).collect()
    }
}

/// Which subtask of `parallelism` takes over what subtask `index` of an older shape left behind.
#[must_use]
pub fn successor(index: u16, parallelism: u16) -> u16 {
    index % parallelism.max(1)
}

/// What a rescale was asked for, as far as the coordinator has come with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rescaling {
    /// Nothing was asked for.
    #[default]
    Idle,
    /// The attempt must run first.
    Wanted(RescaleRequest),
    /// A checkpoint later than this one must complete first.
    Awaiting {
        /// What was asked for.
        request: RescaleRequest,
        /// The newest id that was in use when it was.
        after: CheckpointId,
    },
    /// The new parallelism is being made durable.
    Writing(RescaleRequest),
}

impl Rescaling {
    /// The attempt is over: what waits for a checkpoint of it waits for the next attempt first.
    pub fn handle_attempt_ended(&mut self) {
        match *self {
            Rescaling::Awaiting { request, .. } => *self = Rescaling::Wanted(request),
            Rescaling::Idle | Rescaling::Wanted(_) | Rescaling::Writing(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_history_tells_the_shape_of_every_attempt() {
        let mut history = ShapeHistory::default();
        assert_eq!(history.revision_in(Attempt(7)), Revision::default());
        let (four, other) = (Revision::at(4), Revision { version: 1, parallelism: None });
        history.push(Attempt(3), four);
        history.push(Attempt(6), other);
        let shapes: Vec<_> = (2..8).map(|n| history.revision_in(Attempt(n))).collect();
        assert_eq!(shapes, [Revision::default(), four, four, four, other, other]);
        assert_eq!(history.newest(), other);
        let stretches = history.stretches();
        let bounds: Vec<_> =
            stretches.iter().map(|stretch| (stretch.from.0, stretch.until.0)).collect();
        assert_eq!(bounds, [(0, 3), (3, 6), (6, u32::MAX)]);
    }

    #[test]
    fn a_job_goes_on_as_it_was_where_nothing_else_is_said() {
        let before = Revision { version: 1, parallelism: Some(3) };
        let resumed = |version, parallelism| Resumption { version, parallelism }.of(before);
        assert_eq!(resumed(None, None), before);
        assert_eq!(resumed(None, Some(2)), before.resized(2));
        assert_eq!(resumed(Some(2), None), Revision { version: 2, parallelism: None });
    }

    #[test]
    fn everybody_who_vanished_has_one_successor() {
        for (before, after) in [(3, 1), (2, 5), (7, 3)] {
            let heirs: Vec<_> = (0..before).map(|index| successor(index, after)).collect();
            assert!(heirs.iter().all(|heir| *heir < after), "{before} to {after}: {heirs:?}");
            let survivors = before.min(after);
            assert!(heirs.iter().zip(0..survivors).all(|(heir, index)| *heir == index));
        }
    }

    #[test]
    fn a_name_is_only_a_name_in_its_attempts() {
        let name = FormerName { sink: SubtaskId(5), from: Attempt(2), until: Attempt(4) };
        assert!(name.covers(SubtaskId(5), Attempt(3)));
        assert!(!name.covers(SubtaskId(5), Attempt(4)));
        assert!(!name.covers(SubtaskId(4), Attempt(3)));
    }
}
