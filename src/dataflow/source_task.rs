//! The task side of a source: positions, ended splits, watermarks per split.

use super::channels::{freeze_watermarks, restore_counters, restore_watermarks};
use super::data::{Bytes, encode};
use super::placement::Placement;
use super::record::Outputs;
use super::router::{Partition, Router};
use super::source::{Entry, Source, SourceCollector};
use super::subtask_state::{RestoreError, SubtaskState};
use super::task::SplitTask;
use super::time::{TimeStand, TimeStep};
use super::watermark::WatermarkMerger;
use crate::protocol::{Defect, DefectSet, LineageId, SplitId};
use crate::trace::SplitPosition;

/// One subtask of a source.
#[derive(Clone)]
pub(crate) struct SourceTask<S: Source> {
    source: S,
    /// The subtask's splits, ascending; never empty, which the builder sees to.
    positions: Vec<SplitPosition>,
    /// Which of them have been read to their end.
    ended: Vec<bool>,
    watermarks: WatermarkMerger,
    router: Router<S::Out>,
    /// Whether anything was read since the start or the restore.
    has_read: bool,
    defects: DefectSet,
}

impl<S: Source> SourceTask<S> {
    /// A fresh subtask.
    pub(crate) fn new(
        source: S,
        placement: &Placement,
        partitions: &[Partition],
        defects: DefectSet,
    ) -> Self {
        let at_start = |split: &SplitId| SplitPosition { split: *split, offset: 0 };
        let splits = placement.splits.len();
        Self {
            source,
            positions: placement.splits.iter().map(at_start).collect(),
            ended: vec![false; splits],
            watermarks: WatermarkMerger::new(splits, defects),
            router: Router::new(placement, partitions),
            has_read: false,
            defects,
        }
    }

    fn local(&self, split: SplitId) -> usize {
        let found = self.positions.binary_search_by_key(&split, |position| position.split);
        found.unwrap_or_else(|_| panic!("{split} is not one of this subtask's"))
    }

    fn frozen_positions(&self) -> Vec<SplitPosition> {
        let mut positions = self.positions.clone();
        if self.forgets() {
            positions.iter_mut().for_each(|position| position.offset = 0);
        }
        positions
    }

    fn forgets(&self) -> bool {
        !self.has_read && self.defects.has(Defect::EmptyEpochResetsPosition)
    }

    fn ended_splits(&self) -> Vec<SplitId> {
        let splits = self.positions.iter().zip(&self.ended);
        splits.filter(|(_, ended)| **ended && !self.forgets()).map(|(at, _)| at.split).collect()
    }

    fn restore_positions(&mut self, state: &SubtaskState) -> Result<(), RestoreError> {
        for (position, ended) in self.positions.iter_mut().zip(&mut self.ended) {
            let split = position.split;
            let held = state.positions.iter().find(|held| held.split == split);
            *position = *held.ok_or(RestoreError::OtherSplits { split })?;
            *ended = state.ended.contains(&split);
        }
        Ok(())
    }
}

impl<S: Source> SplitTask for SourceTask<S> {
    fn positions(&self) -> &[SplitPosition] {
        &self.positions
    }

    fn read(&mut self, entry: Entry<'_>, out: &mut Outputs) {
        let local = self.local(entry.split);
        assert!(!self.ended[local], "{} was read on after its end", entry.split);
        self.has_read = true;
        let mut collector = SourceCollector {
            router: &mut self.router,
            watermarks: &mut self.watermarks,
            out,
            origin: LineageId::of_entry(entry.split, entry.offset),
            local_split: local,
            emitted: 0,
        };
        self.source.read(entry, &mut collector);
        self.positions[local].offset = entry.offset + 1;
    }

    fn end_split(&mut self, split: SplitId, out: &mut Outputs) -> bool {
        let local = self.local(split);
        self.ended[local] = true;
        if let Some(lowest) = self.watermarks.end(local) {
            out.note(|| TimeStep::Advanced { watermark: lowest });
            self.router.broadcast_watermark(lowest, out);
        }
        self.ended.iter().all(|ended| *ended)
    }

    fn freeze(&self) -> SubtaskState {
        let mut state = SubtaskState {
            positions: self.frozen_positions(),
            ended: self.ended_splits(),
            counters: self.router.counters(),
            source: Bytes(encode(&self.source.snapshot())),
            ..SubtaskState::default()
        };
        freeze_watermarks(&self.watermarks, &mut state);
        state
    }

    fn restore(&mut self, state: &SubtaskState) -> Result<(), RestoreError> {
        state.check_shapes(&[])?;
        self.restore_positions(state)?;
        restore_watermarks(&mut self.watermarks, state)?;
        restore_counters(&mut self.router, state)?;
        self.has_read = false;
        let source = postcard::from_bytes(&state.source);
        self.source.restore(source.map_err(|_| RestoreError::Corrupt { what: "source state" })?);
        Ok(())
    }

    fn time(&self) -> TimeStand {
        TimeStand { watermark: self.watermarks.current(), timers: 0 }
    }

    fn boxed_clone(&self) -> Box<dyn SplitTask> {
        Box::new(self.clone())
    }
}
