//! Sources of records that are in the log as they are.

use std::marker::PhantomData;

use super::decoded;
use crate::dataflow::{Data, Entry, Source, SourceCollector};

/// Reads records of one type; the time of each is its offset.
pub(super) struct Records<T> {
    _records: PhantomData<fn() -> T>,
}

impl<T> Records<T> {
    /// A source of records of this type.
    pub(super) fn new() -> Self {
        Self { _records: PhantomData }
    }
}

impl<T> Clone for Records<T> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl<T: Data> Source for Records<T> {
    type Out = T;
    type State = ();

    fn read(&mut self, entry: Entry<'_>, out: &mut SourceCollector<'_, T>) {
        out.emit(entry.offset.cast_signed(), decoded(entry.bytes));
    }

    fn snapshot(&self) {}

    fn restore(&mut self, (): ()) {}
}

/// Reads records that know their time and come out of order, but never by more than the watermark stays behind.
#[derive(Clone)]
pub(super) struct TimedRecords<T> {
    out_of_order_max: i64,
    time_of: fn(&T) -> i64,
}

impl<T> TimedRecords<T> {
    /// A source of records that are behind another in their split by at most `out_of_order_max`.
    pub(super) fn new(out_of_order_max: i64, time_of: fn(&T) -> i64) -> Self {
        Self { out_of_order_max, time_of }
    }
}

impl<T: Data> Source for TimedRecords<T> {
    type Out = T;
    type State = ();

    fn read(&mut self, entry: Entry<'_>, out: &mut SourceCollector<'_, T>) {
        let record: T = decoded(entry.bytes);
        let at = (self.time_of)(&record);
        out.emit(at, record);
        // A lower one than the last changes nothing.
        out.watermark(at - self.out_of_order_max - 1);
    }

    fn snapshot(&self) {}

    fn restore(&mut self, (): ()) {}
}
