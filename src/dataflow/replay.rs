//! A source of records that were encoded beforehand.

use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;

use super::data::{Data, encode};
use super::source::{Entry, Source, SourceCollector};

/// A source whose entries are records encoded with postcard; the time of a record is its offset.
///
/// It stands in where a job needs a source of a given type, in tests and examples. Every entry must be one that
/// [`entry`](Self::entry) gives for this type: another one is a mistake of whoever made the input, and panics.
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
        out.emit(time, record(&entry));
        out.watermark(time);
    }

    fn snapshot(&self) {}

    fn restore(&mut self, (): ()) {}
}

/// What is said of an entry that is none of a source's.
pub(crate) const ENTRY_EXPECTED: &str = "expected what Replay::entry gives for that type";

/// What an entry holds.
fn record<T: Data>(entry: &Entry<'_>) -> T {
    let (name, split, offset) = (type_name::<T>(), entry.split, entry.offset);
    match postcard::take_from_bytes(entry.bytes) {
        Ok((record, [])) => record,
        Ok((_, rest)) => panic!(
            "entry {offset} of {split} is a {name} and {} bytes more: {ENTRY_EXPECTED}",
            rest.len()
        ),
        Err(error) => panic!("entry {offset} of {split} is no {name}: {error}; {ENTRY_EXPECTED}"),
    }
}
