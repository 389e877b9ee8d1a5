//! A source of records that were encoded beforehand.

use std::fmt;
use std::marker::PhantomData;

use super::data::{Data, encode};
use super::source::{Entry, Source, SourceCollector};

/// A source whose entries are records encoded with postcard; the time of a record is its offset.
///
/// It stands in where a job needs a source of a given type, in tests and examples. Entries that are no
/// such records are skipped.
///
/// ```
/// use cutwater::dataflow::{Input, Replay};
///
/// let input = Input::dealt([1, 2, 3].map(|n| Replay::<u64>::entry(&n)), 2);
/// assert_eq!(input.lengths(), [2, 1]);
/// ```
pub struct Replay<T> {
    _records: PhantomData<fn() -> T>,
}

impl<T> Replay<T> {
    /// A source of records of this type.
    #[must_use]
    pub fn new() -> Self {
        Self { _records: PhantomData }
    }
}

impl<T: Data> Replay<T> {
    /// The entry that is read as `record`.
    ///
    /// # Panics
    ///
    /// When the record cannot be encoded.
    #[must_use]
    pub fn entry(record: &T) -> Vec<u8> {
        encode(record).into_vec()
    }
}

impl<T> Default for Replay<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for Replay<T> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Replay<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Replay")
    }
}

impl<T: Data> Source for Replay<T> {
    type Out = T;
    type State = ();

    fn read(&mut self, entry: Entry<'_>, out: &mut SourceCollector<'_, T>) {
        let time = i64::try_from(entry.offset).unwrap_or(i64::MAX);
        if let Ok(record) = postcard::from_bytes(entry.bytes) {
            out.emit(time, record);
        }
        out.watermark(time);
    }

    fn snapshot(&self) {}

    fn restore(&mut self, (): ()) {}
}
