//! The task side of a sink.

use super::channels::{freeze_watermarks, restore_watermarks};
use super::data::decode;
use super::outside::OutsideTask;
use super::placement::Placement;
use super::record::{Item, Outputs, Record};
use super::sink::Sink;
use super::subtask_state::{RestoreError, SubtaskState};
use super::task::InputTask;
use super::time::{TimeStand, TimeStep};
use super::watermark::WatermarkMerger;
use crate::protocol::DefectSet;

/// One subtask of a sink. What it writes keeps the lineage of the record it received.
#[derive(Clone)]
pub(crate) struct SinkTask<S: Sink> {
    sink: S,
    watermarks: WatermarkMerger,
}

impl<S: Sink> SinkTask<S> {
    /// A fresh subtask.
    pub(crate) fn new(sink: S, placement: &Placement, defects: DefectSet) -> Self {
        Self { sink, watermarks: WatermarkMerger::of(placement, defects) }
    }
}

impl<S: Sink> InputTask for SinkTask<S> {
    fn process(&mut self, channel: usize, item: Item, out: &mut Outputs) {
        match item {
            Item::Record(Record { lineage, timestamp, payload }) => {
                let payload = self.sink.write(decode(&payload), timestamp);
                out.written.push(Record { lineage, timestamp, payload });
            }
            Item::Watermark(watermark) => {
                note_risen(self.watermarks.advance(channel, watermark), out);
            }
        }
    }

    fn end_channel(&mut self, channel: usize, out: &mut Outputs) {
        note_risen(self.watermarks.end(channel), out);
    }

    fn freeze(&self) -> SubtaskState {
        let mut state = SubtaskState::default();
        freeze_watermarks(&self.watermarks, &mut state);
        state
    }

    fn restore(&mut self, state: &SubtaskState) -> Result<(), RestoreError> {
        state.check_shapes(&[])?;
        restore_watermarks(&mut self.watermarks, state)
    }

    fn time(&self) -> TimeStand {
        TimeStand { watermark: self.watermarks.current(), timers: 0 }
    }

    fn tokens(&self) -> Option<i64> {
        None
    }

    fn outside(&mut self) -> Option<&mut dyn OutsideTask> {
        None
    }

    fn is_settled(&self) -> bool {
        true
    }

    fn boxed_clone(&self) -> Box<dyn InputTask> {
        Box::new(self.clone())
    }
}

pub(crate) fn note_risen(risen: Option<i64>, out: &mut Outputs) {
    if let Some(watermark) = risen {
        out.note(|| TimeStep::Advanced { watermark });
    }
}
