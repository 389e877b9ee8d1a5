//! Where operators put what they emit.

use super::data::Data;
use super::record::Outputs;
use super::router::Router;
use super::side_output::OutputTag;
use crate::protocol::LineageId;

/// Takes what an operator emits while it processes one record or fires one timer.
pub struct Collector<'a, T> {
    pub(crate) router: &'a mut Router<T>,
    pub(crate) out: &'a mut Outputs,
    pub(crate) parent: LineageId,
    /// Counts the emissions of this step.
    pub(crate) index: u32,
    pub(crate) timestamp: i64,
}

impl<T: Data> Collector<'_, T> {
    /// Emits a record with the time of the one being processed, or of the timer.
    #[inline]
    pub fn emit(&mut self, record: T) {
        self.emit_at(self.timestamp, record);
    }

    /// Emits a record with a time of its own.
    #[inline]
    pub fn emit_at(&mut self, timestamp: i64, record: T) {
        let lineage = self.next_lineage();
        self.router.emit(&record, lineage, timestamp, self.out);
    }

    /// Emits a record to a side output, with the time of the one being processed, or of the timer.
    pub fn emit_to<S: Data>(&mut self, tag: OutputTag<S>, record: S) {
        let lineage = self.next_lineage();
        self.router.emit_to(tag, &record, lineage, self.timestamp, self.out);
    }

    #[inline]
    fn next_lineage(&mut self) -> LineageId {
        let lineage = self.parent.child(self.router.operator(), self.index);
        self.index += 1;
        lineage
    }
}
