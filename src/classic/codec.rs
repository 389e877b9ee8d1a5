//! Traces as JSON Lines: a header with the format's version, then one event a line.
//!
//! ```text
//! {"format":"cutwater-classic-trace","version":1}
//! {"number":5,"tick":2,"event":"received","channel":1,"message":"token(3)","state":{"tokens":4}}
//! ```

use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::event::Stamped;

/// The name of the format, in the header.
pub const FORMAT: &str = "cutwater-classic-trace";

/// The version of the format, in the header; grows with every change of the events.
pub const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    version: u32,
}

/// What is wrong with a trace.
#[derive(Debug, Error)]
pub enum CodecError {
    /// The first line is no header of this format and version.
    #[error("line 1: expected the header of {FORMAT}, version {VERSION}")]
    NoHeader,
    /// A line is no event.
    #[error("line {line}: expected an event: {error}")]
    NoEvent {
        /// Counted from 1.
        line: usize,
        /// What serde found wrong with it.
        error: serde_json::Error,
    },
}

/// Writes a trace.
///
/// # Errors
///
/// When `out` cannot be written to.
pub fn write(events: &[Stamped], out: &mut impl Write) -> io::Result<()> {
    let header = Header { format: FORMAT.to_owned(), version: VERSION };
    out.write_all(&serde_json::to_vec(&header)?)?;
    for event in events {
        out.write_all(b"\n")?;
        out.write_all(&serde_json::to_vec(event)?)?;
    }
    out.write_all(b"\n")
}

/// Reads what [`write()`] wrote.
///
/// # Errors
///
/// At the first line that is not what it should be.
pub fn read(text: &str) -> Result<Vec<Stamped>, CodecError> {
    let mut lines = text.lines().enumerate();
    let header = lines.next().and_then(|(_, line)| serde_json::from_str::<Header>(line).ok());
    if !header.is_some_and(|header| header.format == FORMAT && header.version == VERSION) {
        return Err(CodecError::NoHeader);
    }
    let event = |(index, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| CodecError::NoEvent { line: index + 1, error })
    };
    lines.map(event).collect()
}
