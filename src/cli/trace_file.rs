//! Traces in files, as JSON Lines.

use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::console::Console;
use super::error::CliError;
use super::out::{STDOUT, new_file};
use crate::trace::{Event, Stamp, TraceError, TraceWriter};
use crate::world::Observer;

/// Writes a trace while it happens.
pub struct TraceFile {
    path: PathBuf,
    writer: TraceWriter<BufWriter<Box<dyn Write + Send>>>,
    error: Option<TraceError>,
}

impl TraceFile {
    /// Begins a new file; `-` is standard output.
    pub fn create(path: &Path) -> Result<Self, CliError> {
        let file: Box<dyn Write + Send> = match path.as_os_str() == STDOUT {
            true => Box::new(Console::stdout()),
            false => Box::new(new_file(path)?),
        };
        let writer = TraceWriter::new(BufWriter::new(file)).map_err(|error| failed(path, error))?;
        Ok(Self { path: path.to_owned(), writer, error: None })
    }

    /// Ends the file.
    pub fn finish(self) -> Result<(), CliError> {
        if let Some(error) = self.error {
            return Err(failed(&self.path, error));
        }
        let finished = self.writer.finish().map(drop);
        finished.map_err(|error| failed(&self.path, error))
    }
}

impl Observer for TraceFile {
    /// A file that cannot be written ends the run: nobody would read the rest of it.
    fn observe(&mut self, stamp: Stamp, event: &Event) -> ControlFlow<()> {
        match self.writer.write(stamp, event) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.error.get_or_insert(error);
                ControlFlow::Break(())
            }
        }
    }
}

/// Writes events to a new file.
pub fn write_new(path: &Path, events: &[(Stamp, Event)]) -> Result<(), CliError> {
    let mut file = TraceFile::create(path)?;
    for (stamp, event) in events {
        if file.observe(*stamp, event).is_break() {
            break;
        }
    }
    file.finish()
}

fn failed(path: &Path, error: TraceError) -> CliError {
    let error = match error {
        TraceError::Io { source, .. } => source,
        other => io::Error::other(other),
    };
    CliError::io(path, error)
}
