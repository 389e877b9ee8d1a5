//! Sources with an enumerator: who reads which split is decided while the job runs.
//!
//! Readers ask for a split when they have none left; the enumerator, beside the checkpoint coordinator,
//! assigns one. So a cut runs through a conversation that travels in no channel: what the enumerator
//! knows is frozen first, then the sources are asked for their snapshots, and between the two nothing
//! may reach a reader (`gateway`). After a failure, what was assigned since the restored checkpoint
//! is unassigned again (`tracker`).
//!
//! All splits are known when the job starts, or the enumerator discovers them while it runs (`discovery`): a
//! reader that asks for one waits then until there is one, or until there can be no more.
//!
//! After Flink's `SourceCoordinator`, `SplitAssignmentTracker`, `OperatorCoordinatorHolder` and
//! `SubtaskGatewayImpl` (FLIP-27, FLIP-217).

mod discovery;
mod gateway;
mod tracker;

use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::defect::{Defect, DefectSet};
use super::ids::{CheckpointId, SplitId, SubtaskId};
use super::ordered::{VecMap, VecSet};
use discovery::Discovery;
pub use discovery::Listing;
use gateway::Gateway;
use tracker::AssignmentTracker;

/// What the enumerator tells a reader. Those of one reader are numbered from 0 within an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SplitEvent {
    /// Read this split.
    Assign(SplitId),
    /// There are no more: end when what you have is read.
    NoMore,
}

/// The enumerator's part of a checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EnumeratorState {
    /// The splits that no reader has, ascending.
    pub unassigned: Vec<SplitId>,
    /// Where splits are discovered: those that were, and are not removed, whoever has them, ascending. Without
    /// them they would be discovered again.
    pub known: Vec<SplitId>,
}

/// What the enumerator wants done or told, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are named after the ids they hold")]
pub enum EnumeratorOutput {
    /// The outside has a split that nobody knew of; it is unassigned.
    Discovered { split: SplitId },
    /// The split is the reader's from here on; that it is told so may take a while.
    Assigned { reader: SubtaskId, split: SplitId },
    /// The reader is to be told that there are no more.
    Exhausted { reader: SubtaskId },
    /// Send this, the `number`-th event to the reader; it may be a repetition.
    Send { reader: SubtaskId, number: u32, event: SplitEvent },
    /// The enumerator's state at the cut.
    Snapshot { checkpoint: CheckpointId, state: EnumeratorState },
    /// No event leaves for the reader until it has acknowledged the checkpoint.
    Closed { reader: SubtaskId, checkpoint: CheckpointId },
    /// The reader is beyond the cut, or there is none: events leave again.
    Reopened { reader: SubtaskId, checkpoint: CheckpointId },
    /// These were the reader's, and are no checkpoint's: they are unassigned again.
    Returned { reader: SubtaskId, splits: Vec<SplitId> },
}

/// Assigns the splits of one source to its subtasks.
///
/// One call in, then [`poll_output`](Self::poll_output) until it is empty. What is said of another attempt
/// than the running one must be kept from it.
#[derive(Clone, Debug)]
pub struct SplitEnumerator {
    defects: DefectSet,
    /// Disjoint from what the tracker and the readers have.
    unassigned: BTreeSet<SplitId>,
    gateways: VecMap<SubtaskId, Gateway>,
    tracker: AssignmentTracker,
    /// What is known of splits that come and go; none where all are known from the beginning.
    discovery: Option<Discovery>,
    /// Readers that have asked for a split when there was none, and more could come.
    waiting: VecSet<SubtaskId>,
    /// Whether it was restored with nothing left to assign.
    began_exhausted: bool,
    outputs: VecDeque<EnumeratorOutput>,
}

impl SplitEnumerator {
    /// The enumerator of a source with these subtasks and splits, of which none is assigned.
    #[must_use]
    pub fn new(readers: &[SubtaskId], splits: &[SplitId], defects: DefectSet) -> Self {
        Self {
            defects,
            unassigned: splits.iter().copied().collect(),
            gateways: readers.iter().map(|reader| (*reader, Gateway::default())).collect(),
            tracker: AssignmentTracker::default(),
            discovery: None,
            waiting: VecSet::new(),
            began_exhausted: false,
            outputs: VecDeque::new(),
        }
    }

    /// The enumerator of a source with these subtasks, which discovers its splits: as a checkpoint holds it, or
    /// knowing of none. It wants [listings](Self::handle_listing), again and again, after a restore as well.
    #[must_use]
    pub fn discovering(
        readers: &[SubtaskId],
        state: Option<&EnumeratorState>,
        defects: DefectSet,
    ) -> Self {
        let EnumeratorState { unassigned, known } = state.cloned().unwrap_or_default();
        let known = if defects.has(Defect::KnownSplitsForgotten) { &unassigned } else { &known };
        let discovery = Some(Discovery::new(known));
        let unassigned =
            if defects.has(Defect::DiscoveredSplitsForgotten) { &[] } else { &unassigned[..] };
        Self { discovery, ..Self::new(readers, unassigned, defects) }
    }

    /// The enumerator as a checkpoint holds it. The splits that it lacks are the readers'.
    #[must_use]
    pub fn restored(
        readers: &[SubtaskId],
        splits: &[SplitId],
        state: &EnumeratorState,
        defects: DefectSet,
    ) -> Self {
        if defects.has(Defect::SplitsDiscoveredAgain) {
            return Self::new(readers, splits, defects);
        }
        let began_exhausted = state.unassigned.is_empty();
        Self { began_exhausted, ..Self::new(readers, &state.unassigned, defects) }
    }

    /// A reader has nothing to read, and has taken so many events of this attempt.
    ///
    /// A request that was overtaken by its own answer, or comes twice, is told by the number: to answer it
    /// again would assign more than was asked for.
    pub fn handle_request(&mut self, reader: SubtaskId, taken: u32) {
        self.handle_taken(reader, taken);
        if self.gateways.get(&reader).is_none_or(|gateway| gateway.numbered() != taken) {
            return;
        }
        self.serve(reader);
    }

    /// The reader has asked for a split, and has got nothing since.
    fn serve(&mut self, reader: SubtaskId) {
        let event = match self.unassigned.pop_first() {
            Some(split) => {
                self.tracker.assign(reader, split);
                self.outputs.push_back(EnumeratorOutput::Assigned { reader, split });
                SplitEvent::Assign(split)
            }
            None if self.discovery.as_ref().is_some_and(|found| !found.is_complete()) => {
                self.waiting.insert(reader);
                return;
            }
            None if self.began_exhausted && self.defects.has(Defect::RestoredEnumeratorSilent) => {
                return;
            }
            None => {
                self.outputs.push_back(EnumeratorOutput::Exhausted { reader });
                SplitEvent::NoMore
            }
        };
        self.waiting.remove(&reader);
        if let Some(gateway) = self.gateways.get_mut(&reader) {
            gateway.push(event);
            gateway.flush(reader, self.defects, &mut self.outputs);
        }
    }

    /// The outside says which splits there are: those that nobody knew of are unassigned from here on. Listings must
    /// come in the order in which they were made. Readers that wait [are served](Self::serve_waiting) after it.
    pub fn handle_listing(&mut self, listing: &Listing) {
        let Some(discovery) = &mut self.discovery else { return };
        for split in discovery.handle_listing(listing, self.defects) {
            self.unassigned.insert(split);
            self.outputs.push_back(EnumeratorOutput::Discovered { split });
        }
    }

    /// Readers that have asked when there was no split get one now, as far as there are any. Not to be called
    /// between two attempts: what those readers got would have to be taken back.
    pub fn serve_waiting(&mut self) {
        for reader in core::mem::take(&mut self.waiting) {
            self.serve(reader);
        }
    }

    /// A reader has taken so many events of this attempt.
    pub fn handle_taken(&mut self, reader: SubtaskId, taken: u32) {
        if let Some(gateway) = self.gateways.get_mut(&reader) {
            gateway.handle_taken(taken);
        }
    }

    /// A checkpoint begins: freezes the state, and closes the gateways before anything else can leave.
    /// The sources may be asked for their snapshots when it [is drained](Self::is_drained).
    pub fn handle_checkpoint(&mut self, checkpoint: CheckpointId) {
        self.outputs.push_back(EnumeratorOutput::Snapshot { checkpoint, state: self.state() });
        self.tracker.handle_snapshot(checkpoint);
        if self.defects.has(Defect::GatewayLeftOpen) {
            return;
        }
        for (reader, gateway) in &mut self.gateways {
            gateway.close(checkpoint);
            self.outputs.push_back(EnumeratorOutput::Closed { reader: *reader, checkpoint });
        }
    }

    /// A reader has acknowledged the checkpoint: its cut is behind it.
    pub fn handle_acknowledged(&mut self, reader: SubtaskId, checkpoint: CheckpointId) {
        self.reopen(reader, checkpoint, |closed_by| closed_by <= checkpoint);
    }

    /// The checkpoint will never complete: there is no cut to keep clear.
    pub fn handle_aborted(&mut self, checkpoint: CheckpointId) {
        for reader in self.readers() {
            self.reopen(reader, checkpoint, |closed_by| closed_by == checkpoint);
        }
    }

    /// The checkpoint completed: what was assigned before its cut is the readers' for good.
    pub fn handle_completed(&mut self, checkpoint: CheckpointId) {
        if !self.defects.has(Defect::CheckpointedSplitsReturned) {
            self.tracker.handle_completed(checkpoint);
        }
    }

    /// All readers start again from the newest completed checkpoint, or from nothing: what they were
    /// assigned since is unassigned again, once.
    pub fn handle_restart(&mut self) {
        self.waiting.clear();
        for reader in self.readers() {
            self.gateways.insert(reader, Gateway::default());
            let splits = self.tracker.take_back(reader);
            if splits.is_empty() || self.defects.has(Defect::SplitsNotReturned) {
                continue;
            }
            self.unassigned.extend(&splits);
            self.outputs.push_back(EnumeratorOutput::Returned { reader, splits });
        }
        self.began_exhausted = self.unassigned.is_empty();
    }

    /// Sends again what no reader has confirmed. A reader that has been told the same more than
    /// `repeats_max` times cannot be reached: its attempt must end, for what it was assigned would be lost.
    pub fn handle_repeat_due(&mut self, repeats_max: u32) -> Result<(), SubtaskId> {
        for (reader, gateway) in &mut self.gateways {
            gateway.repeat(*reader, &mut self.outputs);
            if gateway.repeats() > repeats_max {
                return Err(*reader);
            }
        }
        Ok(())
    }

    /// What to do next, if anything.
    pub fn poll_output(&mut self) -> Option<EnumeratorOutput> {
        self.outputs.pop_front()
    }

    /// Whether every event of before the checkpoint's cut was taken: those that a reader still awaits would
    /// be in neither side of the cut.
    #[must_use]
    pub fn is_drained(&self, checkpoint: CheckpointId) -> bool {
        self.gateways.values().all(|gateway| gateway.is_drained(checkpoint))
    }

    /// What a checkpoint holds of it now.
    #[must_use]
    pub fn state(&self) -> EnumeratorState {
        let unassigned = self.unassigned.iter().copied().collect();
        let known = self.discovery.as_ref().map(Discovery::known).unwrap_or_default();
        EnumeratorState { unassigned, known }
    }

    /// The subtasks that it serves, ascending.
    #[must_use]
    pub fn readers(&self) -> Vec<SubtaskId> {
        self.gateways.keys().copied().collect()
    }

    fn reopen(
        &mut self,
        reader: SubtaskId,
        checkpoint: CheckpointId,
        chosen: impl Fn(CheckpointId) -> bool,
    ) {
        let Some(gateway) = self.gateways.get_mut(&reader) else { return };
        if gateway.reopen(chosen) {
            self.outputs.push_back(EnumeratorOutput::Reopened { reader, checkpoint });
        }
        gateway.flush(reader, self.defects, &mut self.outputs);
    }
}

#[cfg(test)]
mod tests;
