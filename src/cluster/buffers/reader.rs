//! The receiving end: buffers become items again.

use std::collections::VecDeque;

use super::{Buffer, HEADER};
use crate::dataflow::Item;
use crate::protocol::LineageId;

/// The longest item that is read: a length beyond it is no length.
const ITEM_MAX: usize = 1 << 24;

/// Puts items together out of buffers. Holds what was delivered and not read: the rest of a buffer, and the
/// beginning of an item whose end has not come.
#[derive(Clone, Debug, Default)]
pub struct BufferReader {
    unread: VecDeque<u8>,
    /// What ends in there.
    ends: VecDeque<Option<LineageId>>,
}

impl BufferReader {
    /// The next buffer of the channel.
    pub fn take(&mut self, buffer: &Buffer) {
        self.unread.extend(buffer.bytes.iter());
        self.ends.extend(buffer.ends());
    }

    /// The next item, once its last byte is there.
    ///
    /// # Errors
    ///
    /// When the bytes are not an item.
    pub fn next_item(&mut self) -> Result<Option<Item>, String> {
        let Some(length) = self.length() else { return Ok(None) };
        if length > ITEM_MAX {
            return Err(format!("an item of {length} bytes, at most {ITEM_MAX} are read"));
        }
        if self.unread.len() < HEADER + length {
            return Ok(None);
        }
        let bytes: Vec<u8> = self.unread.drain(..HEADER + length).skip(HEADER).collect();
        self.ends.pop_front();
        let item = postcard::from_bytes(&bytes);
        item.map(Some).map_err(|error| format!("{length} bytes that are no item: {error}"))
    }

    fn length(&self) -> Option<usize> {
        let mut header = [0; HEADER];
        for (index, byte) in header.iter_mut().enumerate() {
            *byte = *self.unread.get(index)?;
        }
        Some(u32::from_le_bytes(header) as usize)
    }

    /// What was delivered and not read, as it would have to be delivered again; nothing between two items.
    #[must_use]
    pub fn rest(&self) -> Option<Buffer> {
        let bytes: Vec<u8> = self.unread.iter().copied().collect();
        let ends = self.ends.iter().copied().collect();
        (!bytes.is_empty()).then(|| Buffer { bytes: bytes.into(), ends })
    }

    /// Forgets what was not read.
    pub fn clear(&mut self) {
        self.unread.clear();
        self.ends.clear();
    }

    /// Nothing but a buffer can come within an item.
    ///
    /// # Errors
    ///
    /// When something does.
    pub fn expect_boundary(&self) -> Result<(), String> {
        match self.unread.len() {
            0 => Ok(()),
            bytes => Err(format!("{bytes} bytes of an item came, and not its end")),
        }
    }
}
