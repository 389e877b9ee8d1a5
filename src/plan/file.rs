//! Plans and scenarios in files: versioned, bounded, and with errors that name the place.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::limits::{self, Refusal, Step};
use super::scenario::{SCENARIO_VERSION, Scenario};
use super::{Environment, JobShape, Plan};

/// How a plan file begins.
pub const PLAN_FORMAT: &str = "cutwater-plan";

/// The version of the plan format that is written and read here.
pub const PLAN_VERSION: u32 = 1;

/// No plan or scenario is longer than this; a longer file is refused unread.
const FILE_BYTES_MAX: u64 = 8 << 20;

/// Why a file could not be used.
#[derive(Debug, Error)]
pub enum FileError {
    /// It could not be read or written.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// Its content is not what was expected.
    #[error("{path}:{line}: {problem}")]
    Content {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// What was found and what was expected.
        problem: String,
    },
}

impl FileError {
    fn content(path: &str, line: usize, problem: impl Into<String>) -> Self {
        Self::Content { path: path.to_owned(), line, problem: problem.into() }
    }

    fn io(path: &Path, error: std::io::Error) -> Self {
        Self::Io { path: path.display().to_string(), error }
    }
}

/// What stands before a plan in its file.
#[derive(Deserialize)]
struct Header {
    format: String,
    version: u32,
}

#[derive(Serialize)]
struct Written<'a> {
    format: &'static str,
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<&'a Environment>,
    plan: &'a Plan,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<&'a JobShape>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    #[serde(rename = "format")]
    _format: String,
    #[serde(rename = "version")]
    _version: u32,
    #[serde(default)]
    environment: Option<Environment>,
    #[serde(default)]
    job: Option<JobShape>,
    plan: Plan,
}

/// What a plan's file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanFile {
    /// The plan.
    pub plan: Plan,
    /// Where it was kept; a plan that was written by hand says nothing of that.
    pub environment: Option<Environment>,
    /// What its job was; likewise.
    pub job: Option<JobShape>,
}

impl Plan {
    /// The plan as a file's content.
    ///
    /// # Panics
    ///
    /// Never: a plan is plain data.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.written(None, None)
    }

    /// The plan as a file's content, with the environment that it is kept in and what its job is there.
    ///
    /// # Panics
    ///
    /// Never: all three are plain data.
    #[must_use]
    pub fn to_json_in(&self, environment: &Environment, job: &JobShape) -> String {
        self.written(Some(environment), Some(job))
    }

    fn written(&self, environment: Option<&Environment>, job: Option<&JobShape>) -> String {
        let (format, version) = (PLAN_FORMAT, PLAN_VERSION);
        let written = Written { format, version, environment, plan: self, job };
        let mut text = serde_json::to_string_pretty(&written).expect("plain data can be encoded");
        text.push('\n');
        text
    }

    /// Reads what [`to_json`](Self::to_json) wrote; `path` is for messages.
    ///
    /// # Errors
    ///
    /// When it is no plan, of another version, has an unknown or a missing field, or a number that is not within
    /// its [limit](limits).
    pub fn from_json(path: &str, text: &str) -> Result<Self, FileError> {
        PlanFile::from_json(path, text).map(|file| file.plan)
    }

    /// Reads a plan file.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is not a plan of this version.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        PlanFile::read(path).map(|file| file.plan)
    }
}

impl PlanFile {
    /// Reads a plan file's content; `path` is for messages.
    ///
    /// # Errors
    ///
    /// When it is no plan, of another version, has an unknown or a missing field, or a number that is not within
    /// its [limit](limits).
    pub fn from_json(path: &str, text: &str) -> Result<Self, FileError> {
        check_header(path, text, PLAN_FORMAT, PLAN_VERSION)?;
        let read: Read = serde_json::from_str(text).map_err(|error| json_error(path, &error))?;
        check_plan(path, text, &read.plan)?;
        Ok(Self { plan: read.plan, environment: read.environment, job: read.job })
    }

    /// Reads a plan file.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is not a plan of this version.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        Self::from_json(&path.display().to_string(), &read_bounded(path)?)
    }
}

/// Refuses a file of JSON that does not begin as this format and version do.
///
/// # Errors
///
/// When it has no header, or one of another format or version.
pub fn check_header(
    path: &str,
    text: &str,
    expected: &str,
    expected_version: u32,
) -> Result<(), FileError> {
    let header = serde_json::from_str(text).map_err(|error| json_error(path, &error))?;
    let Header { format, version } = header;
    if format != expected {
        let problem = format!("format is {format:?}, expected {expected:?}");
        return Err(FileError::content(path, line_of(text, "format"), problem));
    }
    if version != expected_version {
        let problem = format!("version is {version}, expected {expected_version}");
        return Err(FileError::content(path, line_of(text, "version"), problem));
    }
    Ok(())
}

/// What is wrong with a file of JSON, and where.
#[must_use]
pub fn json_error(path: &str, error: &serde_json::Error) -> FileError {
    FileError::content(path, error.line(), spelled_out(&error.to_string()))
}

/// What is wrong with a line of JSON: where in it, but no number of a line, which its file knows better.
#[must_use]
pub fn json_line_problem(error: &serde_json::Error) -> String {
    let problem = spelled_out(&error.to_string());
    let place = format!(" at line {} column {}", error.line(), error.column());
    match problem.strip_suffix(&place) {
        Some(problem) if error.line() == 1 => format!("{problem} at column {}", error.column()),
        Some(problem) => format!("{problem} at its end"),
        None => problem,
    }
}

/// The same message with ranges of numbers where it names types of Rust.
fn spelled_out(problem: &str) -> String {
    const TYPES: [(&str, &str); 5] = [
        ("expected u8", "expected a number from 0 to 255"),
        ("expected u16", "expected a number from 0 to 65535"),
        ("expected u32", "expected a number from 0 to 4294967295"),
        ("expected u64", "expected a number from 0 to 18446744073709551615"),
        ("expected i32", "expected a number from -2147483648 to 2147483647"),
    ];
    let spelled = |problem: String, (name, range): (&str, &str)| problem.replace(name, range);
    TYPES.into_iter().fold(problem.to_owned(), spelled)
}

/// Refuses a plan, read from the field `plan` of a file of JSON, that is not within its [limits].
///
/// # Errors
///
/// The first number that is not in its range, with its line.
pub fn check_plan(path: &str, text: &str, plan: &Plan) -> Result<(), FileError> {
    limits::check_plan(plan).map_err(|refusal| {
        let steps = [vec![Step::Field("plan")], refusal.path.clone()].concat();
        refused(path, limits::line_in_json(text, &steps), refusal)
    })
}

fn refused(path: &str, line: Option<usize>, refusal: Refusal) -> FileError {
    FileError::content(path, line.unwrap_or(1), refusal.problem)
}

impl Scenario {
    /// Reads a scenario file's content; `path` is for messages.
    ///
    /// # Errors
    ///
    /// When it is no scenario, of another version, has an unknown or a missing field, or a number that is not
    /// within its [limit](limits).
    pub fn from_toml(path: &str, text: &str) -> Result<Self, FileError> {
        let toml = |error: toml::de::Error| {
            let line = limits::line_at(text, error.span().map_or(0, |span| span.start));
            FileError::content(path, line, spelled_out(error.message()))
        };
        let scenario: Self = toml::from_str(text).map_err(toml)?;
        if scenario.version != SCENARIO_VERSION {
            let problem = format!("version is {}, expected {SCENARIO_VERSION}", scenario.version);
            return Err(FileError::content(path, line_of(text, "version"), problem));
        }
        limits::check_scenario(&scenario)
            .map_err(|refusal| refused(path, limits::line_in_toml(text, &refusal.path), refusal))?;
        Ok(scenario)
    }

    /// Reads a scenario file.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is not a scenario of this version.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        Self::from_toml(&path.display().to_string(), &read_bounded(path)?)
    }
}

/// The first line that mentions `field`.
fn line_of(text: &str, field: &str) -> usize {
    text.lines().position(|line| line.contains(field)).map_or(1, |line| line + 1)
}

/// Reads a file of text, unless it is longer than any plan or scenario.
///
/// # Errors
///
/// When it cannot be read, is no text, or too long.
pub fn read_bounded(path: &Path) -> Result<String, FileError> {
    let file = fs::File::open(path).map_err(|error| FileError::io(path, error))?;
    let mut bytes = Vec::new();
    let read = file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| FileError::io(path, error))?;
    let refused =
        |line, problem: String| Err(FileError::content(&path.display().to_string(), line, problem));
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return refused(1, format!("longer than {FILE_BYTES_MAX} bytes"));
    }
    String::from_utf8(bytes).or_else(|error| {
        let at = error.utf8_error().valid_up_to();
        let before = error.as_bytes().iter().take(at);
        let line = 1 + before.filter(|byte| **byte == b'\n').count();
        refused(line, format!("no UTF-8: byte 0x{:02x}", error.as_bytes()[at]))
    })
}
