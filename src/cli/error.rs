//! What the outside world did wrong: every message names the place, what was found and what was expected.

use std::fs;
use std::io;
use std::path::Path;

use thiserror::Error;

use crate::plan::FileError;

/// Why a command could not be carried out; always exit code 2.
#[derive(Debug, Error)]
pub enum CliError {
    /// An argument, or what it names, is wrong.
    #[error("{0}")]
    Usage(String),
    /// A file or directory could not be read or written.
    #[error("{path}: {error}")]
    Io {
        /// The path as it was given.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// A plan or scenario file is wrong; the line is shown.
    #[error("{error}{shown}")]
    File {
        /// Where, and what.
        error: FileError,
        /// The line itself, to be read under the message; may be empty.
        shown: String,
    },
    /// Standard output could not be written.
    #[error("standard output: {0}")]
    Output(#[from] io::Error),
}

impl CliError {
    /// A wrong argument.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// What the system says about a path.
    pub fn io(path: &Path, error: io::Error) -> Self {
        Self::Io { path: path.display().to_string(), error }
    }
}

impl From<FileError> for CliError {
    fn from(error: FileError) -> Self {
        let error = sharpened(error);
        let shown = match &error {
            FileError::Content { path, line, .. } => shown_line(path, *line).unwrap_or_default(),
            FileError::Io { .. } => String::new(),
        };
        Self::File { error, shown }
    }
}

/// The same error at the line of the unknown name that it is about, where its reader only knows in which
/// table that is.
fn sharpened(error: FileError) -> FileError {
    let FileError::Content { path, line, problem } = error else { return error };
    let line = line_of_unknown(&path, line, &problem).unwrap_or(line);
    FileError::Content { path, line, problem }
}

fn line_of_unknown(path: &str, from: usize, problem: &str) -> Option<usize> {
    let rest = problem.strip_prefix("unknown ")?;
    let (_, rest) = rest.split_once('`')?;
    let (name, _) = rest.split_once('`')?;
    let text = fs::read_to_string(path).ok()?;
    let after = text.lines().skip(from.saturating_sub(1)).position(|line| line.contains(name))?;
    Some(from + after)
}

/// The line of a file, as compilers show it.
fn shown_line(path: &str, line: usize) -> Option<String> {
    const WIDTH_MAX: usize = 120;
    let text = fs::read_to_string(path).ok()?;
    let content = text.lines().nth(line.checked_sub(1)?)?;
    let content: String = content.chars().take(WIDTH_MAX).collect();
    Some(format!("\n{line:>5} | {content}"))
}
