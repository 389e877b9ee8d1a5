//! Files in the format of a well-known course assignment (Princeton, COS 418): topologies, events, snapshots.
//!
//! The readers take what the course's readers take, and one thing more: a snapshot may have several
//! initiators. Whatever else they find is refused, with its line and with what was expected.

mod events;
mod snap;
mod topology;

use thiserror::Error;

pub use events::events;
pub use snap::{SnapFile, snap};
pub use topology::topology;

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{line}: {problem}")]
pub struct FileProblem {
    /// The line, from 1.
    pub line: usize,
    /// What was found, and what was expected.
    pub problem: String,
}

impl FileProblem {
    fn new(line: usize, problem: impl Into<String>) -> Self {
        Self { line, problem: problem.into() }
    }
}

/// The lines that say something, each with its number and its words.
fn spoken(text: &str) -> impl Iterator<Item = (usize, Vec<&str>)> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    let spoken = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    spoken.map(|(number, line)| (number, line.split_whitespace().collect()))
}

/// A whole number of something, at most `most`.
fn number(line: usize, text: &str, what: &str, most: u64) -> Result<u64, FileProblem> {
    let parsed = text.parse::<u64>().ok().filter(|number| *number <= most);
    parsed.ok_or_else(|| {
        FileProblem::new(line, format!("{text:?}: expected a number of {what}, at most {most}"))
    })
}

#[cfg(test)]
mod tests;
