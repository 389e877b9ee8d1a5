//! What is wrong with what was given to the laboratory.

use thiserror::Error;

/// Why an experiment, a profile or a table of measurements cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LabError {
    /// A file; the line counts from 1, and is 0 where the problem names a field instead.
    #[error("{path}{}: {problem}", Place(*line))]
    File {
        /// Which file.
        path: String,
        /// Where in it.
        line: usize,
        /// What is wrong there, and what was expected.
        problem: String,
    },
    /// A factor, or a configuration that factors lead to.
    #[error("{0}")]
    Factor(String),
}

impl LabError {
    /// What is wrong with a TOML file.
    #[must_use]
    pub fn toml(path: &str, text: &str, error: &toml::de::Error) -> Self {
        let line = error.span().map_or(0, |span| {
            text.get(..span.start).map_or(0, |before| before.matches('\n').count() + 1)
        });
        Self::File { path: path.to_owned(), line, problem: error.message().to_owned() }
    }

    /// A problem in a line of a file.
    #[must_use]
    pub fn at(path: &str, line: usize, problem: impl Into<String>) -> Self {
        Self::File { path: path.to_owned(), line, problem: problem.into() }
    }
}

struct Place(usize);

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0 > 0 { write!(f, ":{}", self.0) } else { Ok(()) }
    }
}
