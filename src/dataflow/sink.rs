//! Sinks: they encode records for the sink target.

use std::fmt;
use std::marker::PhantomData;

use super::data::{Data, encode};
use super::record::Payload;

/// Turns records into what is written to the sink target.
///
/// A sink decides only *what* is written; when it becomes visible is the protocol's, and differs between
/// a transactional and an at-least-once sink. It takes `&self`: a sink has no state that could be lost.
pub trait Sink: Clone + Send + Sync + 'static {
    /// What it takes.
    type In: Data;

    /// The bytes to write for one record.
    fn write(&self, record: Self::In, timestamp: i64) -> Payload;
}

/// Writes each record as it is encoded in channels (postcard).
pub struct EncodedSink<T> {
    _records: PhantomData<fn(T)>,
}

impl<T> EncodedSink<T> {
    /// A sink for records of this type.
    #[must_use]
    pub fn new() -> Self {
        Self { _records: PhantomData }
    }
}

impl<T> Default for EncodedSink<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for EncodedSink<T> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for EncodedSink<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EncodedSink")
    }
}

impl<T: Data> Sink for EncodedSink<T> {
    type In = T;

    fn write(&self, record: T, _timestamp: i64) -> Payload {
        encode(&record)
    }
}
