//! Finds the line of a file that a mistake is about.

use std::fs;

use super::arguments::unknown;
use super::error::CliError;
use crate::plan::FileError;
use crate::workload::WorkloadError;

/// An error of a job, with the line of the file that caused it.
pub fn job(path: &str, error: &WorkloadError) -> CliError {
    let field = match error {
        WorkloadError::Unknown(_) => "workload",
        WorkloadError::Setting { setting, .. } => setting,
        WorkloadError::LateRecords { .. } | WorkloadError::DiscoveredQueue { .. } => "assignment",
        WorkloadError::Job(_) => "parallelism",
        WorkloadError::Input(_) => "records",
        WorkloadError::Fixed { setting, .. } => setting,
        WorkloadError::Record { .. }
        | WorkloadError::Splits { .. }
        | WorkloadError::Version { .. }
        | WorkloadError::Panicked { .. }
        | WorkloadError::Own(_) => "workload",
    };
    let problem = match error {
        WorkloadError::Unknown(known) => unknown("workload", &known.name, known.known.split(", ")),
        other => other.to_string(),
    };
    let place = line_of(path, field, 0).or_else(|| line_of(path, "[job]", 0));
    content(path, place, problem)
}

/// A mistake in the `nth` field of this name.
pub fn field(path: &str, field: &str, nth: usize, problem: String) -> CliError {
    content(path, line_of(path, field, nth), problem)
}

/// A mistake in the first of these fields that the file has.
pub fn first_field(path: &str, fields: &[&str], problem: String) -> CliError {
    content(path, fields.iter().find_map(|field| line_of(path, field, 0)), problem)
}

fn content(path: &str, line: Option<usize>, problem: String) -> CliError {
    FileError::Content { path: path.to_owned(), line: line.unwrap_or(1), problem }.into()
}

/// The `nth` line, from 0, that begins with a field of TOML or JSON.
fn line_of(path: &str, field: &str, nth: usize) -> Option<usize> {
    let text = fs::read_to_string(path).ok()?;
    let is_field = |line: &&str| {
        let rest = line.trim_start().trim_start_matches('"').strip_prefix(field);
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    };
    let mut lines = text.lines().enumerate().filter(|(_, line)| is_field(line));
    lines.nth(nth).map(|(index, _)| index + 1)
}
