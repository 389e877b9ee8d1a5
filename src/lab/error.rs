//! What is wrong with what was given to the laboratory.

use super::factor::Factor;
use thiserror::Error;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

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
    let path: Vec<&str> = field.split('.').collect();
    let found = DeTable::parse(text).ok().and_then(|root| place(root.get_ref(), &path));
    line_at(text, found.unwrap_or(0))
}

/// The line of a field in one of several tables of the same name, as in `[[vary]]`: in the one with this index,
/// from 0.
pub(super) fn line_in(text: &str, table: &str, index: usize, field: &str) -> usize {
    let inside = |root: &DeTable<'_>| {
        let item = entry(root, table)?.1.get_ref().as_array()?.get(index)?;
        place(item.get_ref().as_table()?, &[field]).or(Some(item.span().start))
    };
    let found = DeTable::parse(text).ok().and_then(|root| inside(root.get_ref()));
    found.map_or_else(|| line_of(text, table), |found| line_at(text, found))
}

/// Where the key at the end of a path stands, or the last before it that is there; of several tables of one name, in
/// the first.
fn place(table: &DeTable<'_>, path: &[&str]) -> Option<usize> {
    let (name, rest) = path.split_first()?;
    let (key, value) = entry(table, name)?;
    let value = value.get_ref();
    let first = || value.as_array()?.iter().find_map(|item| item.get_ref().as_table());
    let inside = value.as_table().or_else(first);
    inside.and_then(|inside| place(inside, rest)).or(Some(key.span().start))
}

type Entry<'a, 'i> = (&'a Spanned<DeString<'i>>, &'a Spanned<DeValue<'i>>);

fn entry<'a, 'i>(table: &'a DeTable<'i>, name: &str) -> Option<Entry<'a, 'i>> {
    table.iter().find(|(key, _)| key.get_ref() == name)
}

fn line_at(text: &str, place: usize) -> usize {
    text.get(..place).map_or(0, |before| before.matches('\n').count()) + 1
}

struct Place(usize);

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0 > 0 { write!(f, ":{}", self.0) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_however_they_are_written() {
        let text = "version = 1 # base.rate = 3\n[\"base\"] # interval = 2\n'rate' = \"#\"\nstate.a = 1\n\
                    [[vary]] # the first\nfactor = \"a\"\n[[ vary ]]\n\"factor\" = \"b\"\n\
                    values = [\n  \"factor = c\",\n]\n";
        assert_eq!(line_of(text, "version"), 1);
        assert_eq!(line_of(text, "base.rate"), 3);
        assert_eq!(line_of(text, "base.state.a"), 4);
        assert_eq!(line_of(text, "base.interval"), 2, "missing from its table");
        assert_eq!(line_of(text, "nothing"), 1);
        assert_eq!(line_in(text, "vary", 0, "factor"), 6);
        assert_eq!(line_in(text, "vary", 0, "values"), 5, "missing from its table");
        assert_eq!(line_in(text, "vary", 1, "factor"), 8);
        assert_eq!(line_in(text, "vary", 1, "values"), 9);
        let inline =
            "base = { rate = 1 }\nvary = [\n  { factor = \"a\" },\n  { factor = \"b\" },\n]\n";
        assert_eq!(line_of(inline, "base.rate"), 1);
        assert_eq!(line_in(inline, "vary", 1, "factor"), 4);
    }
}
