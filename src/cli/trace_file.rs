//! Traces in files, as JSON Lines.

use std::io::{BufWriter, Write as _};
use std::path::Path;

use cutwater::trace::{Event, Stamp};
use serde::Serialize;

use super::error::CliError;
use super::out::new_file;

#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    stamp: &'a Stamp,
    what: &'a Event,
}

/// Writes events to a new file.
pub fn write_new(path: &Path, events: &[(Stamp, Event)]) -> Result<(), CliError> {
    let mut out = BufWriter::new(new_file(path)?);
    for (stamp, what) in events {
        serde_json::to_writer(&mut out, &Line { stamp, what })
            .map_err(std::io::Error::from)
            .and_then(|()| out.write_all(b"\n"))
            .map_err(|error| CliError::io(path, error))?;
    }
    out.flush().map_err(|error| CliError::io(path, error))
}
