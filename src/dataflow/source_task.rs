//! The task side of a source: positions, ended splits, watermarks per split.

use std::collections::BTreeSet;

use super::assignment::SplitAssignment;
use super::channels::{freeze_watermarks, restore_watermarks};
use super::data::{Bytes, decode, encode};
use super::placement::Placement;
use super::positions::Positions;
use super::record::Outputs;
use super::router::{Consumer, Router};
use super::source::{CompletedSource, Entry, Source, SourceCollector};
use super::subtask_state::{RestoreError, SubtaskState};
use super::task::SplitTask;
use super::time::{TimeStand, TimeStep};
use super::watermark::{WATERMARK_MAX, WatermarkMerger};
use crate::protocol::ordered::VecMap;
use crate::protocol::{CheckpointId, Defect, DefectSet, LineageId, SplitId};
use crate::trace::SplitPosition;

/// One subtask of a source.
#[derive(Clone)]
pub(crate) struct SourceTask<S: Source> {
    source: S,
    /// The subtask's splits, ascending; never empty where they are assigned statically, which the builder
    /// sees to.
    positions: Vec<SplitPosition>,
    /// How far each of them has come.
    progress: Vec<Progress>,
    /// How many have not ended.
    unended: usize,
    /// By split, where a part of the next entry was read: how many records of it were emitted.
    paused: VecMap<SplitId, u32>,
    /// Of the splits; before them of the enumerator, where there is one: it holds all watermarks back until
    /// it has assigned all splits, since what is in the others would be late.
    watermarks: WatermarkMerger,
    assignment: SplitAssignment,
    router: Router<S::Out>,
    /// Whether anything was read since the start or the restore.
    has_read: bool,
    defects: DefectSet,
}

/// How far a split has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// It is being read.
    Reading,
    /// It was read to its end.
    Exhausted,
    /// It was ended where it stood, because the job is drained. No snapshot that a job goes on from holds such a split.
    CutShort,
}

impl Progress {
    fn has_ended(self) -> bool {
        match self {
            Progress::Reading => false,
            Progress::Exhausted | Progress::CutShort => true,
        }
    }

    fn restored(has_ended: bool) -> Self {
        if has_ended { Progress::Exhausted } else { Progress::Reading }
    }
}

impl<S: Source> SourceTask<S> {
    /// A fresh subtask.
    pub(crate) fn new(
        source: S,
        placement: &Placement,
        consumers: &[Consumer],
        defects: DefectSet,
    ) -> Self {
        let at_start = |split: &SplitId| SplitPosition { split: *split, offset: 0 };
        let splits = placement.splits.len();
        let assignment = placement.assignment;
        Self {
            source,
            positions: placement.splits.iter().map(at_start).collect(),
            progress: vec![Progress::Reading; splits],
            unended: splits,
            paused: VecMap::new(),
            watermarks: WatermarkMerger::new(first_split(assignment) + splits, defects),
            assignment,
            router: Router::new(placement, consumers),
            has_read: false,
            defects,
        }
    }

    fn local(&self, split: SplitId) -> usize {
        let found = self.positions.binary_search_by_key(&split, |position| position.split);
        found.unwrap_or_else(|_| panic!("{split} is not one of this subtask's"))
    }

    fn frozen_positions(&self) -> Positions {
        let mut positions = self.positions.clone();
        if self.forgets() {
            positions.iter_mut().for_each(|position| position.offset = 0);
        }
        let paused = self.paused.iter().map(|(split, emitted)| (*split, *emitted));
        Positions::of(positions).within_entries(paused)
    }

    fn forgets(&self) -> bool {
        !self.has_read && self.defects.has(Defect::EmptyEpochResetsPosition)
    }

    fn restore_positions(&mut self, state: &SubtaskState) -> Result<(), RestoreError> {
        match self.assignment {
            SplitAssignment::Static => {}
            SplitAssignment::Enumerated | SplitAssignment::Discovered => {
                self.take_over(state.reading());
            }
        }
        let held = state.reading();
        let over: BTreeSet<SplitId> = state.ended.iter().copied().collect();
        for (position, progress) in self.positions.iter_mut().zip(&mut self.progress) {
            let split = position.split;
            let first = held.partition_point(|held| held.split < split);
            let found = held.get(first).filter(|held| held.split == split);
            *position = *found.ok_or(RestoreError::OtherSplits { split })?;
            *progress = Progress::restored(over.contains(&split));
        }
        self.unended = self.progress.iter().filter(|progress| !progress.has_ended()).count();
        if !self.defects.has(Defect::BatchPositionOnly) {
            self.paused = state.paused().collect();
        }
        Ok(())
    }

    /// Has the splits that a snapshot holds: which these are, the snapshot alone knows.
    fn take_over(&mut self, positions: &[SplitPosition]) {
        self.positions = positions.to_vec();
        self.positions.sort_unstable();
        self.progress = vec![Progress::Reading; positions.len()];
        self.unended = positions.len();
        let inputs = first_split(self.assignment) + positions.len();
        self.watermarks = WatermarkMerger::new(inputs, self.defects);
    }

    /// The split, which was read to its end, is none of this subtask's any more.
    fn release(&mut self, split: SplitId) {
        let local = self.local(split);
        self.positions.remove(local);
        self.progress.remove(local);
        self.watermarks.remove(first_split(self.assignment) + local);
    }

    /// The split ends, if it has not: whether all have.
    fn end(&mut self, split: SplitId, how: Progress, out: &mut Outputs) -> bool {
        let local = self.local(split);
        if !self.progress[local].has_ended() {
            self.progress[local] = how;
            self.unended -= 1;
        }
        let input = first_split(self.assignment) + local;
        if let Some(lowest) = self.watermarks.end(input) {
            out.note(|| TimeStep::Advanced { watermark: lowest });
            self.router.edges().broadcast_watermark(lowest, out);
        }
        self.has_ended()
    }

    fn has_ended(&self) -> bool {
        !self.awaits_splits() && self.unended == 0
    }
}

/// Which of the watermarks is that of the first split.
fn first_split(assignment: SplitAssignment) -> usize {
    match assignment {
        SplitAssignment::Static => 0,
        SplitAssignment::Enumerated | SplitAssignment::Discovered => ENUMERATOR + 1,
    }
}

/// Which of the watermarks is the enumerator's; behind it are those of the splits.
const ENUMERATOR: usize = 0;

impl<S: Source> SplitTask for SourceTask<S> {
    fn positions(&self) -> &[SplitPosition] {
        &self.positions
    }

    fn awaits_splits(&self) -> bool {
        match self.assignment {
            SplitAssignment::Static => false,
            SplitAssignment::Enumerated | SplitAssignment::Discovered => {
                self.watermarks.inputs()[ENUMERATOR] < WATERMARK_MAX
            }
        }
    }

    fn ended_splits(&self) -> Vec<SplitId> {
        let splits = self.positions.iter().zip(&self.progress);
        splits.filter(|(_, progress)| progress.has_ended()).map(|(at, _)| at.split).collect()
    }

    fn add_split(&mut self, split: SplitId) {
        assert!(self.awaits_splits(), "{split} is assigned after the last one");
        let local = self.positions.partition_point(|position| position.split < split);
        self.positions.insert(local, SplitPosition { split, offset: 0 });
        self.progress.insert(local, Progress::Reading);
        self.unended += 1;
        self.watermarks.insert(first_split(self.assignment) + local);
    }

    fn end_assignment(&mut self, out: &mut Outputs) -> bool {
        if let Some(lowest) = self.watermarks.advance(ENUMERATOR, WATERMARK_MAX) {
            out.note(|| TimeStep::Advanced { watermark: lowest });
            self.router.edges().broadcast_watermark(lowest, out);
        }
        self.has_ended()
    }

    fn read(&mut self, entry: Entry<'_>, out: &mut Outputs) -> bool {
        let local = self.local(entry.split);
        assert!(!self.progress[local].has_ended(), "{} was read on after its end", entry.split);
        self.has_read = true;
        let before = self.paused.remove(&entry.split).unwrap_or(0);
        let mut collector = SourceCollector {
            router: &mut self.router,
            watermarks: &mut self.watermarks,
            out,
            origin: LineageId::of_entry(entry.split, entry.offset),
            local_split: first_split(self.assignment) + local,
            emitted: before,
            is_paused: false,
        };
        self.source.read(entry, &mut collector);
        let (emitted, is_paused) = (collector.emitted, collector.is_paused);
        if is_paused {
            let (split, offset) = (entry.split, entry.offset);
            assert!(
                emitted > before,
                "a source paused in entry {offset} of {split}, and had emitted nothing"
            );
            self.paused.insert(split, emitted);
        } else {
            self.positions[local].offset = entry.offset + 1;
        }
        !is_paused
    }

    fn paused(&self) -> Vec<SplitId> {
        self.paused.keys().copied().collect()
    }

    fn end_split(&mut self, split: SplitId, out: &mut Outputs) -> bool {
        self.end(split, Progress::Exhausted, out)
    }

    fn cut_short(&mut self, split: SplitId, out: &mut Outputs) -> bool {
        self.end(split, Progress::CutShort, out)
    }

    fn freeze(&self) -> SubtaskState {
        let mut state = SubtaskState {
            positions: self.frozen_positions(),
            ended: if self.forgets() { Vec::new() } else { self.ended_splits() },
            counters: self.router.edges().counters(),
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
        self.router.edges_mut().restore(&state.counters)?;
        self.has_read = false;
        let source = postcard::from_bytes(&state.source);
        self.source.restore(source.map_err(|_| RestoreError::Corrupt { what: "source state" })?);
        Ok(())
    }

    fn checkpoint_completed(
        &mut self,
        checkpoint: CheckpointId,
        positions: &[SplitPosition],
        state: &[u8],
    ) -> Vec<SplitPosition> {
        let held = CompletedSource { checkpoint, positions, state: decode(state) };
        self.source.on_checkpoint_complete(held)
    }

    fn release_splits(&mut self, held: &[SplitPosition]) -> Vec<SplitId> {
        match self.assignment {
            SplitAssignment::Static | SplitAssignment::Enumerated => Vec::new(),
            SplitAssignment::Discovered => {
                let held: BTreeSet<&SplitPosition> = held.iter().collect();
                let over = |(at, progress): (&SplitPosition, &Progress)| {
                    *progress == Progress::Exhausted && held.contains(at)
                };
                let splits = self.positions.iter().zip(&self.progress);
                let over: Vec<_> =
                    splits.filter(|one| over(*one)).map(|(at, _)| at.split).collect();
                over.iter().for_each(|split| self.release(*split));
                over
            }
        }
    }

    fn time(&self) -> TimeStand {
        TimeStand { watermark: self.watermarks.current(), timers: 0 }
    }

    fn boxed_clone(&self) -> Box<dyn SplitTask> {
        Box::new(self.clone())
    }
}
