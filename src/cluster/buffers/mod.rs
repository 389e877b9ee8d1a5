//! Buffers: what a channel carries when records do not travel alone.
//!
//! A sender writes items one behind the other into a stream of bytes, and cuts it into buffers without regard to
//! where an item ends: a buffer holds several items, and an item may span several buffers (Flink:
//! `RecordWriter`, `SpillingAdaptiveSpanningRecordDeserializer`). A barrier in its place finds the stream between
//! two items, since what is written before it is sent before it. One that overtakes may find it within an item:
//! the beginning was delivered, the end is channel state.

mod reader;
mod writer;

pub use reader::BufferReader;
pub use writer::BufferWriter;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::dataflow::Item;
use crate::protocol::LineageId;

/// Bytes before each item, which tell how many follow.
const HEADER: usize = 4;

/// A piece of a channel's stream of bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buffer {
    bytes: Arc<[u8]>,
    /// What ends in it, in order: the lineage of a record, or nothing for a watermark. For the trace alone:
    /// a reader goes by the bytes.
    ends: Vec<Option<LineageId>>,
}

impl Buffer {
    /// How many bytes it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it holds nothing; no buffer that was sent is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What ends in it, in order: a record's lineage, or nothing for a watermark.
    pub fn ends(&self) -> impl Iterator<Item = Option<LineageId>> {
        self.ends.iter().copied()
    }
}

/// What travels in a channel between markers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Parcel {
    /// One item: where buffers are not asked for.
    Item(Item),
    /// A piece of the stream.
    Buffer(Buffer),
}

impl Parcel {
    /// How many bytes of content it carries.
    #[must_use]
    pub fn content_bytes(&self) -> usize {
        match self {
            Parcel::Item(Item::Record(record)) => record.payload.len(),
            Parcel::Item(Item::Watermark(_)) => 0,
            Parcel::Buffer(buffer) => buffer.len(),
        }
    }

    /// What ends in it, in order: a record's lineage, or nothing for a watermark.
    pub fn ends(&self) -> impl Iterator<Item = Option<LineageId>> {
        let (single, several) = match self {
            Parcel::Item(item) => (Some(item.lineage()), None),
            Parcel::Buffer(buffer) => (None, Some(buffer.ends())),
        };
        single.into_iter().chain(several.into_iter().flatten())
    }
}

/// The items of the stream that these parcels are, in order.
///
/// # Errors
///
/// When they are no stream of items, or end within one.
pub fn items_of<'a>(parcels: impl IntoIterator<Item = &'a Parcel>) -> Result<Vec<Item>, String> {
    let (mut reader, mut items) = (BufferReader::default(), Vec::new());
    for parcel in parcels {
        match parcel {
            Parcel::Item(item) => {
                reader.expect_boundary()?;
                items.push(item.clone());
            }
            Parcel::Buffer(buffer) => reader.take(buffer),
        }
        while let Some(item) = reader.next_item()? {
            items.push(item);
        }
    }
    reader.expect_boundary().map(|()| items)
}

/// Whether the stream that these parcels are ends within an item.
#[must_use]
pub fn end_within_item(parcels: &[Parcel]) -> bool {
    let mut reader = BufferReader::default();
    for parcel in parcels {
        if let Parcel::Buffer(buffer) = parcel {
            reader.take(buffer);
        }
    }
    while let Ok(Some(_)) = reader.next_item() {}
    reader.expect_boundary().is_err()
}

#[cfg(test)]
mod tests;
