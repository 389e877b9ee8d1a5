//! Sources: they decode entries of the source log into records.

use super::data::Data;
use super::record::Outputs;
use super::router::Router;
use super::time::TimeStep;
use super::watermark::WatermarkMerger;
use crate::protocol::{CheckpointId, LineageId, SplitId};
use crate::trace::SplitPosition;

/// One entry of the source log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The split it belongs to.
    pub split: SplitId,
    /// Its place in the split.
    pub offset: u64,
    /// Its content.
    pub bytes: &'a [u8],
}

/// Decodes entries into records.
///
/// A subtask of a source reads several splits; the runtime keeps the position in each, and snapshots it.
/// What the source knows besides must be in its [`State`](Source::State): a field that is not comes back
/// as new after a failure, and [`conformance`](super::conformance) finds it.
///
/// An entry is processed as one step: no snapshot falls between its records, unless the source
/// [pauses](SourceCollector::pause) in it.
///
/// ```
/// use cutwater::dataflow::{Entry, Source, SourceCollector};
///
/// /// A line is a record; its time is its offset.
/// #[derive(Clone)]
/// struct Lines;
///
/// impl Source for Lines {
///     type Out = String;
///     type State = ();
///
///     fn read(&mut self, entry: Entry<'_>, out: &mut SourceCollector<'_, String>) {
///         let time = entry.offset as i64;
///         out.emit(time, String::from_utf8_lossy(entry.bytes).into_owned());
///         out.watermark(time);
///     }
///
///     fn snapshot(&self) {}
///
///     fn restore(&mut self, (): ()) {}
/// }
/// ```
pub trait Source: Clone + Send + Sync + 'static {
    /// What it emits.
    type Out: Data;
    /// What it knows besides its positions; `()` for most.
    type State: Data + Eq;

    /// Decodes one entry into any number of records.
    fn read(&mut self, entry: Entry<'_>, out: &mut SourceCollector<'_, Self::Out>);

    /// What goes into each snapshot besides the positions.
    fn snapshot(&self) -> Self::State;

    /// Takes over what a snapshot held. Called at most once, on a fresh source.
    fn restore(&mut self, state: Self::State);

    /// A checkpoint completed: says up to where the outside may forget each split, or take it for read. A
    /// subtask may not be told, or late; what is told of a later checkpoint counts for the earlier ones.
    ///
    /// What has been read since is in no checkpoint: `held` is what the checkpoint holds, and not what the
    /// source knows now (flink-cdc #2538). The positions of the checkpoint, unless it is overridden: a source
    /// whose outside needs more than that after a restore, the rest of a transaction or of a batch, says less.
    ///
    /// What the outside is told is for the outside. A restore goes on at the positions of the snapshot.
    fn on_checkpoint_complete(
        &mut self,
        held: CompletedSource<'_, Self::State>,
    ) -> Vec<SplitPosition> {
        held.positions.to_vec()
    }
}

/// What a completed checkpoint holds of a subtask of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletedSource<'a, S> {
    /// The checkpoint.
    pub checkpoint: CheckpointId,
    /// The next entry to read of each split that the subtask had.
    pub positions: &'a [SplitPosition],
    /// What the source knew besides.
    pub state: S,
}

/// Takes what a source emits for one entry.
pub struct SourceCollector<'a, T> {
    pub(crate) router: &'a mut Router<T>,
    pub(crate) watermarks: &'a mut WatermarkMerger,
    pub(crate) out: &'a mut Outputs,
    pub(crate) origin: LineageId,
    /// Which of the subtask's splits is being read.
    pub(crate) local_split: usize,
    /// Counts the records of this entry.
    pub(crate) emitted: u32,
    /// Whether the source has not read all of it.
    pub(crate) is_paused: bool,
}

impl<T: Data> SourceCollector<'_, T> {
    /// Emits a record with its event time.
    pub fn emit(&mut self, timestamp: i64, record: T) {
        let lineage = self.origin.child(self.router.operator(), self.emitted);
        self.emitted += 1;
        self.router.emit(&record, lineage, timestamp, self.out);
    }

    /// How many records of this entry were emitted before: more than 0 where the source has [paused](Self::pause)
    /// in it. Where the entry is a batch, the index to go on at.
    #[must_use]
    pub fn emitted(&self) -> u32 {
        self.emitted
    }

    /// Not all of the entry was read: it will be handed out again, by and by, and a snapshot may be taken before.
    /// How many records of it were emitted is in every snapshot: [`emitted`](Self::emitted) says it, after a
    /// restore as well. A long batch holds no checkpoint up so (Flink: the records to skip of a
    /// `CheckpointedPosition`).
    ///
    /// A source that pauses must have emitted something since it was handed the entry.
    pub fn pause(&mut self) {
        self.is_paused = true;
    }

    /// Promises that no record at or below `watermark` follows *in the split of this entry*, but late ones.
    ///
    /// Downstream learns the minimum over the splits of the subtask; at the end of a split the runtime
    /// raises its watermark to the maximum by itself.
    pub fn watermark(&mut self, watermark: i64) {
        if let Some(lowest) = self.watermarks.advance(self.local_split, watermark) {
            self.out.note(|| TimeStep::Advanced { watermark: lowest });
            self.router.edges().broadcast_watermark(lowest, self.out);
        }
    }
}
