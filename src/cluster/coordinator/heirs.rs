//! Who takes over whose state, where a job goes on in another shape or as another version.

use crate::dataflow::Job;
use crate::protocol::{Defect, DefectSet, OperatorId, SnapshotRange, Topology};

/// The shape that goes on, and what it takes over.
pub(super) struct Heirs {
    /// With the uids by which state is found.
    pub topology: Topology,
    /// By operator, which snapshots are read.
    pub ranges: Vec<SnapshotRange>,
    /// Whose state is left behind: that of operators that hold none ([`Job::check_succeeds`]).
    pub left: Vec<OperatorId>,
}

/// What `job` takes over from `before`.
pub(super) fn heirs(job: &Job, before: &Job, defects: DefectSet) -> Heirs {
    let topology = job.topology().clone();
    let mut heirs = Heirs { topology, ranges: job.ranges_from(before), left: job.left_of(before) };
    if defects.has(Defect::StateFoundByPlace) {
        heirs.find_by_place(job, before);
    }
    if defects.has(Defect::RenamedStateDropped) {
        heirs.find_by_name(before.topology());
    }
    heirs
}

impl Heirs {
    /// The first with keyed state is the heir of the first, the second of the second.
    fn find_by_place(&mut self, job: &Job, before: &Job) {
        for (new, old) in keyed(job).zip(keyed(before)) {
            let uid = before.topology().operators[old].uid().to_owned();
            self.topology.operators[new].uid = Some(uid);
        }
    }

    fn find_by_name(&mut self, before: &Topology) {
        let is_in = |topology: &Topology, name: &str| {
            topology.operators.iter().any(|operator| operator.name == name)
        };
        for (range, operator) in self.ranges.iter_mut().zip(&self.topology.operators) {
            if !is_in(before, &operator.name) {
                *range = SnapshotRange::Nothing;
            }
        }
        let all = (0..).map(OperatorId).zip(&before.operators);
        self.left.extend(all.filter(|(_, it)| !is_in(&self.topology, &it.name)).map(|(id, _)| id));
    }
}

/// The places of the operators whose state is by key.
fn keyed(job: &Job) -> impl Iterator<Item = usize> {
    let ranges = job.snapshot_ranges().into_iter().enumerate();
    ranges.filter(|(_, range)| *range == SnapshotRange::KeyRange).map(|(place, _)| place)
}
