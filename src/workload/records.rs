//! A source of records that are in the log as they are, when time plays no part.

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
