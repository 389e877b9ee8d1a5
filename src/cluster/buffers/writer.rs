//! The sending end: items become a stream of bytes, cut into buffers.

use super::{Buffer, HEADER};
use crate::dataflow::Item;
use crate::protocol::LineageId;

/// Writes items into buffers of one size. Holds less than a buffer's worth between two calls.
#[derive(Clone, Debug)]
pub struct BufferWriter {
    size: usize,
    open: Vec<u8>,
    ends: Vec<Option<LineageId>>,
}

impl BufferWriter {
    /// A writer whose buffers hold `size` bytes.
    ///
    /// # Panics
    ///
    /// When `size` is 0: settings are checked before.
    #[must_use]
    pub fn new(size: usize) -> Self {
        assert!(size > 0, "a buffer holds at least one byte");
        Self { size, open: Vec::new(), ends: Vec::new() }
    }

    /// Whether the open buffer holds anything.
    #[must_use]
    pub fn has_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Appends an item: tells which buffers are full with it.
    ///
    /// # Panics
    ///
    /// When the item has more than 4 GiB.
    pub fn write(&mut self, item: &Item) -> Vec<Buffer> {
        let bytes = postcard::to_allocvec(item).expect("plain data can be encoded");
        let length = u32::try_from(bytes.len()).expect("a record is shorter than 4 GiB");
        debug_assert_eq!(length.to_le_bytes().len(), HEADER);
        let mut full = Vec::new();
        self.append(&length.to_le_bytes(), &mut full);
        self.append(&bytes, &mut full);
        self.end_item(item, &mut full);
        full
    }

    /// A full buffer is cut off only when more follows, so that an item's end is known in the buffer that
    /// holds its last byte.
    fn append(&mut self, mut bytes: &[u8], full: &mut Vec<Buffer>) {
        while !bytes.is_empty() {
            if self.open.len() == self.size {
                full.extend(self.flush());
            }
            let (now, later) = bytes.split_at(bytes.len().min(self.size - self.open.len()));
            self.open.extend_from_slice(now);
            bytes = later;
        }
    }

    fn end_item(&mut self, item: &Item, full: &mut Vec<Buffer>) {
        self.ends.push(item.lineage());
        if self.open.len() == self.size {
            full.extend(self.flush());
        }
    }

    /// Gives away the open buffer, if it holds anything.
    pub fn flush(&mut self) -> Option<Buffer> {
        if self.open.is_empty() {
            return None;
        }
        let (bytes, ends) = (std::mem::take(&mut self.open), std::mem::take(&mut self.ends));
        Some(Buffer { bytes: bytes.into(), ends })
    }
}
