//! What a sweep and its workers say to each other: lines of JSON over pipes.
//!
//! A worker reads its orders, answers that it is ready, reads the indices of runs, one a line, and
//! answers each in turn. When there is nothing left to read, it ends.

use std::io::{self, BufRead, Read as _};

use serde::{Deserialize, Serialize};

use super::sweep_config::{Configuration, Files};
use crate::explore::Record;

/// The first line to a worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Orders {
    /// What is swept.
    pub configuration: Configuration,
    /// The content of scenarios that are files.
    pub files: Files,
    /// How many bytes of memory the worker may take; none where there is no limit.
    pub memory: Option<u64>,
}

/// A line from a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It has understood its orders.
    Ready,
    /// A run is done.
    Ran(Box<Record>),
    /// It cannot do what it was told.
    Refused(String),
}

/// No line between the two is longer.
const LINE_BYTES_MAX: u64 = 32 << 20;

/// The next line, without its end; none at the end of the input.
///
/// # Errors
///
/// When it cannot be read, or is too long.
pub fn read_line(reader: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    reader.take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
    match line.pop() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(line)),
        Some(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "a line without an end")),
    }
}

/// A value as a line.
pub fn line(value: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(value).expect("plain data can be encoded");
    line.push(b'\n');
    line
}
