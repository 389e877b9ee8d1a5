//! Frames: what goes over a connection, each behind its length.

use std::io;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::Life;

/// No frame is longer; whoever announces a longer one is not listened to any more.
pub const FRAME_BYTES_MAX: usize = 64 << 20;

/// The length before each frame.
const LENGTH_BYTES: usize = 4;

/// Room for reading, at least.
const READ_BYTES: usize = 4 << 10;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Class {
    /// Channels, credits and streams: in order, each message once.
    Ordered,
    /// Everything else: each message alone.
    Control,
}

/// A frame; `M` is the message, or a reference to one where it is only written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Frame<M> {
    /// The first of the connecting side: who I am.
    Hello {
        /// Who connects.
        from: Life,
        /// What for.
        class: Class,
    },
    /// The answer to it on ordered connections.
    Welcome {
        /// What I expect next; absent: I have not received anything from you yet.
        expected: Option<u64>,
    },
    /// An ordered message.
    Data {
        /// Counts the messages of a sender to a receiver.
        sequence: u64,
        /// The message.
        message: M,
    },
    /// Everything before `next` has been received, and need not be kept.
    Acknowledged {
        /// What is expected next.
        next: u64,
    },
    /// A message that travels alone.
    Control {
        /// How much later than the connection brings it, it is to arrive.
        hold_us: u64,
        /// The message.
        message: M,
    },
}

impl<M: Serialize> Frame<M> {
    /// Appends the frame with its length.
    ///
    /// # Panics
    ///
    /// When it is longer than a frame may be.
    pub fn append_to(&self, bytes: &mut Vec<u8>) {
        let start = bytes.len();
        bytes.extend_from_slice(&[0; LENGTH_BYTES]);
        let written = postcard::to_extend(self, std::mem::take(bytes));
        *bytes = written.expect("plain data can be encoded");
        let length = bytes.len() - start - LENGTH_BYTES;
        assert!(length <= FRAME_BYTES_MAX, "a frame of {length} bytes is too long");
        bytes[start..start + LENGTH_BYTES].copy_from_slice(&(length as u32).to_le_bytes());
    }
}

/// Cuts what a connection brings into frames.
#[derive(Debug, Default)]
pub struct FrameReader {
    bytes: Vec<u8>,
    /// What lies before it has been taken.
    start: usize,
}

impl FrameReader {
    /// The next frame; none when the connection has ended. Nothing is lost when the future is dropped.
    ///
    /// # Errors
    ///
    /// When the connection fails, or brings what is no frame.
    pub async fn next<M, S>(&mut self, stream: &mut S) -> io::Result<Option<Frame<M>>>
    where
        M: DeserializeOwned,
        S: AsyncRead + Unpin,
    {
        loop {
            if let Some(frame) = self.take()? {
                return Ok(Some(frame));
            }
            self.bytes.reserve(READ_BYTES);
            if stream.read_buf(&mut self.bytes).await? == 0 {
                return Ok(None);
            }
        }
    }

    /// The next frame that is here already.
    ///
    /// # Errors
    ///
    /// When what is here is no frame.
    pub fn take<M: DeserializeOwned>(&mut self) -> io::Result<Option<Frame<M>>> {
        let Some(end) = self.end()? else {
            self.compact();
            return Ok(None);
        };
        let body = &self.bytes[self.start + LENGTH_BYTES..end];
        let frame = postcard::from_bytes(body).map_err(io::Error::other)?;
        self.start = end;
        Ok(Some(frame))
    }

    /// Adds what a connection brought.
    #[cfg(test)]
    pub fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Where the next frame ends, if it is here.
    fn end(&self) -> io::Result<Option<usize>> {
        let Some(length) = self.bytes[self.start..].first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        let length = u32::from_le_bytes(*length) as usize;
        if length > FRAME_BYTES_MAX {
            return Err(io::Error::other(format!("a frame of {length} bytes is too long")));
        }
        let end = self.start + LENGTH_BYTES + length;
        Ok((end <= self.bytes.len()).then_some(end))
    }

    fn compact(&mut self) {
        self.bytes.drain(..self.start);
        self.start = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::super::Machine;
    use super::*;
    use crate::protocol::{Incarnation, ProcessId};

    fn frames() -> Vec<Frame<u64>> {
        let from = Life {
            process: ProcessId::Worker(3),
            incarnation: Incarnation(1),
            machine: Machine(8),
        };
        let hello = Frame::Hello { from, class: Class::Ordered };
        let data = |sequence| Frame::Data { sequence, message: sequence * 1_000 };
        vec![hello, data(1), data(2), Frame::Acknowledged { next: 3 }]
    }

    #[test]
    fn frames_are_found_however_the_bytes_are_cut() {
        let mut bytes = Vec::new();
        frames().iter().for_each(|frame| frame.append_to(&mut bytes));
        for piece in 1..bytes.len() {
            let (mut reader, mut found) = (FrameReader::default(), Vec::new());
            for part in bytes.chunks(piece) {
                reader.feed(part);
                while let Some(frame) = reader.take::<u64>().expect("these are frames") {
                    found.push(frame);
                }
            }
            assert_eq!(found, frames(), "cut into pieces of {piece} bytes");
        }
    }

    #[test]
    fn a_frame_longer_than_allowed_is_refused_before_it_is_read() {
        let bytes = (FRAME_BYTES_MAX as u32 + 1).to_le_bytes().to_vec();
        let mut reader = FrameReader { bytes, start: 0 };
        assert!(reader.take::<u64>().is_err());
    }

    #[test]
    fn bytes_that_are_no_frame_are_refused() {
        let bytes = vec![2, 0, 0, 0, 0xff, 0xff];
        let mut reader = FrameReader { bytes, start: 0 };
        assert!(reader.take::<u64>().is_err());
    }
}
