//! What is wrong with what was given to the laboratory.

use super::factor::Factor;
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
    /// What is no value of a factor, or does not go together with the others.
    #[error("{factor}: {problem}")]
    Value {
        /// Which factor.
        factor: Factor,
        /// What it is, and what was expected.
        problem: String,
    },
    /// An unknown factor, or what concerns more than one.
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

    /// A value that its factor cannot have.
    #[must_use]
    pub fn value(factor: Factor, problem: impl Into<String>) -> Self {
        Self::Value { factor, problem: problem.into() }
    }

    /// A problem in a line of a file.
    #[must_use]
    pub fn at(path: &str, line: usize, problem: impl Into<String>) -> Self {
        Self::File { path: path.to_owned(), line, problem: problem.into() }
    }
}

/// A field of a file that is wrong, before it is known where in the file it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Misplaced {
    /// Its name, behind those of the tables that it is in: `state.log-structured.files`.
    field: String,
    /// What it is, and what was expected.
    problem: String,
}

impl Misplaced {
    /// What is wrong with a field.
    pub(super) fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }

    /// The same with its place in the text of a file.
    pub(super) fn inside(self, path: &str, text: &str) -> LabError {
        let Self { field, problem } = self;
        LabError::at(path, line_of(text, &field), format!("{field}: {problem}"))
    }
}

/// The line on which a field of a TOML file is given; where it is not, that of the table it is missing from, or the
/// first.
pub(super) fn line_of(text: &str, field: &str) -> usize {
    let (mut table, mut header) = (String::new(), 1);
    let wanted = field.rsplit_once('.').map_or("", |(table, _)| table);
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or("").trim();
        if let Some(name) = line.strip_prefix('[') {
            table = name.trim_matches(['[', ']', ' ']).to_owned();
            if table == wanted {
                header = index + 1;
            }
            if table == field {
                return index + 1;
            }
        } else if let Some((name, _)) = line.split_once('=') {
            let name = name.trim();
            let is_it = match table.as_str() {
                "" => name == field,
                table => {
                    field.strip_prefix(table).and_then(|rest| rest.strip_prefix('.')) == Some(name)
                }
            };
            if is_it {
                return index + 1;
            }
        }
    }
    header
}

/// The line of a field in one of several tables of the same name, as in `[[vary]]`: in the one with this index,
/// from 0.
pub(super) fn line_in(text: &str, table: &str, index: usize, field: &str) -> usize {
    let header = format!("[[{table}]]");
    let mut headers = text.lines().enumerate().filter(|(_, line)| line.trim() == header);
    let Some((first, _)) = headers.nth(index) else { return line_of(text, table) };
    let inside = text.lines().enumerate().skip(first + 1);
    let mut inside = inside.take_while(|(_, line)| !line.trim_start().starts_with('['));
    let is_it = |line: &str| line.split_once('=').is_some_and(|(name, _)| name.trim() == field);
    inside.find(|(_, line)| is_it(line)).map_or(first, |(at, _)| at) + 1
}

struct Place(usize);

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0 > 0 { write!(f, ":{}", self.0) } else { Ok(()) }
    }
}
