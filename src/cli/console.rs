//! Standard output and standard error. A reader that went away is no error: what is done is done in
//! full, and the exit code is the same.
//!
//! All that is written passes through here, so that nothing that was read from a file can command a
//! terminal: control characters are shown, not sent ([`printable`]).

use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write};

use super::concise::concise;
use super::printable::printable;

/// Standard output, buffered by the line.
pub struct Console {
    out: io::LineWriter<io::Stdout>,
    /// Whether anybody is still reading.
    is_read: bool,
}

impl Console {
    /// Standard output.
    pub fn stdout() -> Self {
        Self { out: io::LineWriter::new(io::stdout()), is_read: true }
    }

    /// Nothing is written: where the report itself goes to standard output.
    pub fn silent() -> Self {
        Self { is_read: false, ..Self::stdout() }
    }

    /// An error message, on standard error.
    pub fn complain(message: &str) {
        Self::say(&concise(&format!("error: {message}")));
    }

    /// A line of another process, on standard error.
    pub fn pass_on(line: &str) {
        Self::say(line);
    }

    /// A warning, on standard error.
    pub fn warn(message: &str) {
        Self::say(&concise(&format!("warning: {message}")));
    }

    /// Nobody may be reading, which is no reason to end.
    fn say(line: &str) {
        let line = printable(line.as_bytes());
        let _ = io::stderr().write_all(&[&line, &b"\n"[..]].concat());
    }

    /// Whether somebody is watching progress.
    pub fn is_watched() -> bool {
        io::stderr().is_terminal()
    }

    fn unless_gone<T>(&mut self, result: io::Result<T>, otherwise: T) -> io::Result<T> {
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.is_read = false;
                Ok(otherwise)
            }
            result => result,
        }
    }
}

impl Write for Console {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.is_read {
            return Ok(bytes.len());
        }
        let written = match printable(bytes) {
            Cow::Borrowed(bytes) => self.out.write(bytes),
            Cow::Owned(shown) => self.out.write_all(&shown).map(|()| bytes.len()),
        };
        self.unless_gone(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.is_read {
            return Ok(());
        }
        let flushed = self.out.flush();
        self.unless_gone(flushed, ())
    }
}
