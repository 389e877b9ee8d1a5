//! Which assignments which checkpoint holds (Flink: `SplitAssignmentTracker`).

use crate::ordered::VecMap;
use crate::{CheckpointId, SplitId, SubtaskId};
use alloc::vec::Vec;

type Assignments = VecMap<SubtaskId, Vec<SplitId>>;

/// What was assigned since the newest completed checkpoint, by the checkpoint that is the first to hold it.
#[derive(Clone, Debug, Default)]
pub struct AssignmentTracker {
    /// Since the newest cut.
    since: Assignments,
    /// Before the cut of a checkpoint, and after those of all earlier ones. Whether it completes is not known;
    /// one that was aborted stays: the next that completes holds it as well.
    before: VecMap<CheckpointId, Assignments>,
}

impl AssignmentTracker {
    pub fn assign(&mut self, reader: SubtaskId, split: SplitId) {
        self.since.entry(reader).or_default().push(split);
    }

    pub fn handle_snapshot(&mut self, checkpoint: CheckpointId) {
        let since = core::mem::take(&mut self.since);
        if !since.is_empty() {
            self.before.insert(checkpoint, since);
        }
    }

    /// What this checkpoint and earlier ones hold is in the snapshots of the readers.
    pub fn handle_completed(&mut self, checkpoint: CheckpointId) {
        self.before.retain(|cut, _| *cut > checkpoint);
    }

    /// Everything of this reader that no completed checkpoint holds.
    pub fn take_back(&mut self, reader: SubtaskId) -> Vec<SplitId> {
        let cuts = self.before.values_mut().chain([&mut self.since]);
        cuts.filter_map(|assignments| assignments.remove(&reader)).flatten().collect()
    }
}
