//! Later versions of a job, as which it may be resumed from a savepoint that it was stopped at.
//!
//! After what an engineer of Flink does when a job changes: `stop` with a savepoint, another jar, `run -s`. State is
//! found by uid (see [`Job::starts_from`] for the same outside of a world). What a world cannot tell right is refused
//! where the version is declared.

use super::build_error::BuildError;
use super::graph::Node;
use super::job::Job;
use super::migration::MigrationError;
use crate::protocol::{OperatorId, OperatorRole, Revision, SnapshotRange, Topology};

impl Job {
    /// The same job, which may go on as `next` once it was stopped at a savepoint; `next` is its newest version then.
    /// Versions are numbered from 0, this job's first.
    ///
    /// Every version must give the same output as the others would: a record may be processed by any of them.
    ///
    /// # Errors
    ///
    /// When state is left behind, a uid is that of an operator of another kind, or the sources read other splits; and
    /// where jobs have loops, splits that an enumerator assigns, or a sink that writes to an external system.
    pub fn upgraded_to(&self, next: &Self) -> Result<Self, MigrationError> {
        next.check_succeeds(self.later().last().unwrap_or(self))?;
        let mut later = self.later().to_vec();
        later.push(next.clone());
        Ok(self.with_later(later))
    }

    /// The number of its newest version; 0 where it has no other.
    #[must_use]
    pub fn newest_version(&self) -> u16 {
        u16::try_from(self.later().len()).unwrap_or(u16::MAX)
    }

    /// The shapes of its versions, this one first.
    #[must_use]
    pub fn topologies(&self) -> Vec<Topology> {
        std::iter::once(self).chain(self.later()).map(|job| job.topology().clone()).collect()
    }

    /// The job as it is in a revision.
    ///
    /// # Errors
    ///
    /// When there is no such version, or it cannot have so many subtasks ([`at`](Self::at)).
    pub fn in_revision(&self, revision: Revision) -> Result<Self, BuildError> {
        let Revision { version, parallelism } = revision;
        let declared = match usize::from(version).checked_sub(1) {
            None => self,
            Some(later) => self.later().get(later).ok_or_else(|| BuildError::NoSuchVersion {
                job: self.name().to_owned(),
                version,
                newest: self.newest_version(),
            })?,
        };
        parallelism.map_or_else(|| Ok(declared.clone()), |parallelism| declared.at(parallelism))
    }

    /// Whether this job can go on from a savepoint of `before`.
    ///
    /// # Errors
    ///
    /// What keeps it from that.
    pub fn check_succeeds(&self, before: &Self) -> Result<(), MigrationError> {
        for job in [before, self] {
            job.check_simple()?;
        }
        for (operator, old) in (0..).map(OperatorId).zip(before.nodes()) {
            match self.operator_of_uid(&old.uid) {
                Some(heir) => self.check_heir(heir, before, operator)?,
                None if old.holds_nothing() => {}
                None => return Err(MigrationError::LeftBehind { uid: old.uid.clone() }),
            }
        }
        let is_new = |node: &&Node| before.operator_of_uid(&node.uid).is_none();
        match self.nodes().filter(is_new).find(|node| node.role == OperatorRole::Source) {
            None => Ok(()),
            Some(source) => Err(MigrationError::OtherSplits { uid: source.uid.clone() }),
        }
    }

    /// By operator: which snapshots of `before` its subtasks read.
    #[must_use]
    pub fn ranges_from(&self, before: &Self) -> Vec<SnapshotRange> {
        let is_known = |uid: &str| before.operator_of_uid(uid).is_some();
        let ranges = self.snapshot_ranges().into_iter().zip(self.uids());
        ranges
            .map(|(range, uid)| if is_known(uid) { range } else { SnapshotRange::Nothing })
            .collect()
    }

    /// The operators of `before` that this job does not have.
    #[must_use]
    pub fn left_of(&self, before: &Self) -> Vec<OperatorId> {
        let operators = (0..).map(OperatorId).zip(before.uids());
        let left = operators.filter(|(_, uid)| self.operator_of_uid(uid).is_none());
        left.map(|(operator, _)| operator).collect()
    }

    fn check_simple(&self) -> Result<(), MigrationError> {
        let refused = |what| Err(MigrationError::NotInAWorld { job: self.name().to_owned(), what });
        if !self.loops().is_empty() {
            return refused("loops");
        }
        if self.enumerated().next().is_some() {
            return refused("splits that an enumerator assigns");
        }
        if self.external_system().is_some() {
            return refused("a sink that writes to an external system");
        }
        Ok(())
    }

    fn check_heir(
        &self,
        heir: OperatorId,
        before: &Self,
        operator: OperatorId,
    ) -> Result<(), MigrationError> {
        let (new, old) = (self.node(heir), before.node(operator));
        let uid = old.uid.clone();
        if (new.role, new.keyed) != (old.role, old.keyed) {
            return Err(MigrationError::OtherKind { uid });
        }
        let splits =
            |job: &Self, operator| (job.first_split(operator), job.splits_declared(operator));
        if old.role == OperatorRole::Source && splits(self, heir) != splits(before, operator) {
            return Err(MigrationError::OtherSplits { uid });
        }
        Ok(())
    }
}

impl Node {
    /// Whether nothing is lost when the operator is gone.
    fn holds_nothing(&self) -> bool {
        self.role == OperatorRole::Operator
            && !self.keyed
            && !self.is_asynchronous
            && self.states.is_empty()
    }
}
